//! A message as it is exported and imported: one JSON object, with the members of a listing and those that a faithful import
//! needs. What others add to it is ignored; nothing in it is believed before it was parsed.

use std::net::IpAddr;

use jiff::Timestamp;
use protocol::message::{Body, BodyError, HIGHEST_SEQ};
use protocol::name::NameError;
use protocol::{Fingerprint, Name};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::conversations::{Entry, State};
use crate::inbound::had::Range;
use crate::inbound::inbox::MOST_RANGES;
use crate::inbound::inbox::imported::Received;
use crate::outbound::outbox::imported::Sent;

/// A message as it is written. The members of a listing come first, in its order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(expecting = "one message, a JSON object")]
pub struct Record {
    id: Uuid,
    direction: String,
    from: String,
    to: String,
    body: String,
    #[serde(default)]
    sent_at: Option<Timestamp>,
    #[serde(default)]
    received_at: Option<Timestamp>,
    #[serde(default)]
    verified: bool,
    #[serde(default)]
    fingerprint: Option<Fingerprint>,
    #[serde(default)]
    seq: Option<u64>,
    #[serde(default)]
    read: Option<bool>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    reply_to: Option<Uuid>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    tries: Option<u32>,
    /// The key whose count `seq` is; only what was sent.
    #[serde(default)]
    sent_as: Option<Fingerprint>,
    /// The key that gave the receipt, if it was checked, and the one that it was given to.
    #[serde(default)]
    delivered_to: Option<Fingerprint>,
    #[serde(default)]
    delivered_as: Option<Fingerprint>,
    /// Which numbers were had from `fingerprint` in all, those of messages that were deleted too; only on the last line of
    /// that key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    had: Option<Vec<[u64; 2]>>,
}

/// A message that was parsed.
#[derive(Debug, Clone)]
pub enum Imported {
    /// One that was received.
    Received(Box<Received>),
    /// One that was sent.
    Sent(Box<Sent>),
}

/// Why a line is no message.
#[derive(Debug, thiserror::Error)]
pub enum BadRecord {
    /// It is no JSON, or a member is missing or of another kind.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A member has a value that it cannot have.
    #[error("`{member}` is {value}")]
    Member {
        /// Which.
        member: &'static str,
        /// What it is.
        value: String,
    },
    /// A member that such a message has is not there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A name is none.
    #[error("`{0}`: {1}")]
    Name(&'static str, NameError),
    /// The text is none.
    #[error("`body`: {0}")]
    Body(BodyError),
}

impl Record {
    /// The record of a message that is kept here, where this peer has this key; `had`: what was had from its sender's, to be told
    /// with this message.
    #[must_use]
    pub fn of(entry: Entry, own_key: Fingerprint, had: Option<Vec<Range>>) -> Self {
        Self {
            id: entry.id,
            direction: entry.direction.word().to_owned(),
            from: entry.from,
            to: entry.to,
            body: entry.body,
            sent_at: entry.sent_at,
            received_at: entry.received_at,
            verified: entry.verified,
            fingerprint: entry.fingerprint,
            seq: entry.seq,
            read: entry.read,
            state: entry.state.map(|state| state.word().to_owned()),
            reason: entry.reason,
            reply_to: entry.reply_to,
            source: entry.source,
            tries: entry.tries,
            sent_as: if entry.is_own_count { Some(own_key) } else { entry.counted_by },
            delivered_to: entry.delivered_to,
            delivered_as: entry.delivered_as,
            had: had.map(|ranges| ranges.into_iter().map(|(first, last)| [first, last]).collect()),
        }
    }

    /// The message that a line holds.
    pub fn parse(line: &[u8]) -> Result<Imported, BadRecord> {
        let record: Self = serde_json::from_slice(line)?;
        match record.direction.as_str() {
            "received" => record.received().map(Box::new).map(Imported::Received),
            "sent" => record.sent().map(Box::new).map(Imported::Sent),
            _ => Err(BadRecord::Member { member: "direction", value: quoted(&record.direction) }),
        }
    }

    fn received(self) -> Result<Received, BadRecord> {
        let source = self.source.unwrap_or_default();
        if !source.is_empty() && source.parse::<IpAddr>().is_err() {
            return Err(BadRecord::Member { member: "source", value: quoted(&source) });
        }
        Ok(Received {
            id: self.id,
            from: name("from", &self.from)?,
            to: name("to", &self.to)?,
            body: Body::try_from(self.body).map_err(BadRecord::Body)?,
            sent_at: self.sent_at,
            received_at: self.received_at.ok_or(BadRecord::Missing("received_at"))?,
            verified: self.verified && self.fingerprint.is_some(),
            key: self.fingerprint,
            seq: self.seq.map(seq).transpose()?,
            read: self.read.unwrap_or(true),
            reply_to: self.reply_to,
            source,
            had: self.had.map_or_else(|| Ok(Vec::new()), had)?,
        })
    }

    fn sent(self) -> Result<Sent, BadRecord> {
        let state = self.state.ok_or(BadRecord::Missing("state"))?;
        let state = State::ALL
            .into_iter()
            .find(|known| known.word() == state)
            .ok_or_else(|| BadRecord::Member { member: "state", value: quoted(&state) })?;
        Ok(Sent {
            id: self.id,
            from: name("from", &self.from)?,
            to: name("to", &self.to)?,
            body: Body::try_from(self.body).map_err(BadRecord::Body)?,
            sent_at: self.sent_at.ok_or(BadRecord::Missing("sent_at"))?,
            received_at: self.received_at,
            seq: seq(self.seq.ok_or(BadRecord::Missing("seq"))?)?,
            state,
            reason: self.reason,
            reply_to: self.reply_to,
            tries: self.tries.unwrap_or_default(),
            sent_as: self.sent_as.or(self.delivered_as),
            delivered_to: self.delivered_to,
            delivered_as: self.delivered_as,
        })
    }
}

fn name(member: &'static str, text: &str) -> Result<Name, BadRecord> {
    text.parse().map_err(|error| BadRecord::Name(member, error))
}

fn seq(seq: u64) -> Result<u64, BadRecord> {
    if (1..=HIGHEST_SEQ).contains(&seq) {
        Ok(seq)
    } else {
        Err(BadRecord::Member { member: "seq", value: seq.to_string() })
    }
}

fn had(ranges: Vec<[u64; 2]>) -> Result<Vec<Range>, BadRecord> {
    let is_range = |range: &&[u64; 2]| 1 <= range[0] && range[0] <= range[1] && range[1] <= HIGHEST_SEQ;
    match ranges.iter().find(|range| !is_range(range)) {
        Some([first, last]) => Err(BadRecord::Member { member: "had", value: format!("[{first}, {last}]") }),
        None if ranges.len() > MOST_RANGES => {
            Err(BadRecord::Member { member: "had", value: format!("{} ranges", ranges.len()) })
        }
        None => Ok(ranges.into_iter().map(|[first, last]| (first, last)).collect()),
    }
}

/// What was written there, as far as one needs to see it.
fn quoted(text: &str) -> String {
    const MOST: usize = 40;
    let begin: String = text.chars().take(MOST).collect();
    if begin.len() < text.len() { format!("{begin:?}…") } else { format!("{begin:?}") }
}
