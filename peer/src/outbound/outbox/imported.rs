//! What was sent from elsewhere and is imported: kept as it was there, unless it is known or was deleted here. What waited
//! there does not wait here, so that nothing is sent by two.

use jiff::Timestamp;
use protocol::message::{Body, HIGHEST_SEQ};
use protocol::{Fingerprint, Name};
use rusqlite::{Connection, OptionalExtension as _, named_params};
use uuid::Uuid;

use super::{State, closed, deleted};
use crate::conversations::imported::{Neighbours, Outcome, Positions};

/// No count is higher: a wild number in a file leaves the next messages theirs.
const HIGHEST_BELIEVED: u64 = HIGHEST_SEQ / 2;

/// Stands for a key that the file does not tell: its count is none of this peer's.
const NOBODY_KNOWN: &[u8] = &[0];

/// A message that was sent from elsewhere.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its id.
    pub id: Uuid,
    /// What its sender was called.
    pub from: Name,
    /// Whom it was for.
    pub to: Name,
    /// The text.
    pub body: Body,
    /// When it was written.
    pub sent_at: Timestamp,
    /// When it was received, by the recipient's clock.
    pub received_at: Option<Timestamp>,
    /// The sender's count of its messages to this name.
    pub seq: u64,
    /// What became of it there.
    pub state: State,
    /// Why it is where it is.
    pub reason: Option<String>,
    /// The message that it answers.
    pub reply_to: Option<Uuid>,
    /// How often it was handed over.
    pub tries: u32,
    /// The key whose count `seq` is, if it is known.
    pub sent_as: Option<Fingerprint>,
    /// The key that gave the receipt, if it was checked.
    pub delivered_to: Option<Fingerprint>,
    /// The key that it was given to.
    pub delivered_as: Option<Fingerprint>,
}

/// Keeps a message, in the transaction of all that come with it.
pub fn keep(
    connection: &Connection,
    sent: &Sent,
    own_key: Fingerprint,
    positions: &mut Positions,
) -> rusqlite::Result<Outcome> {
    let id = sent.id.as_bytes();
    if connection.prepare_cached("SELECT 1 FROM sent WHERE id = ?1")?.exists([id])? {
        return Ok(Outcome::Known);
    }
    if deleted::was(connection, sent.id)? {
        return Ok(Outcome::Deleted);
    }
    let (state, reason) = match sent.state {
        State::Queued => (State::Expired, Some(reason!("it was still queued where it was exported"))),
        settled => (settled, sent.reason.clone()),
    };
    let is_own = sent.sent_as == Some(own_key);
    let sender = match &sent.sent_as {
        _ if is_own => &[][..],
        Some(other) => &other.as_bytes()[..],
        None => NOBODY_KNOWN,
    };
    let position = positions.give();
    connection
        .prepare_cached(
            "INSERT INTO sent (position, place, id, from_name, to_name, body, sent_at, at, received_at, seq, sender, reply_to,
                               state, reason, tries, expires_at, delivered_to, delivered_as)
             VALUES (:position, :place, :id, :from, :to, :body, :sent_at, :at, :received_at, :seq, :sender, :reply_to,
                     :state, :reason, :tries, :expires_at, :delivered_to, :delivered_as)",
        )?
        .execute(named_params! {
            ":position": position,
            ":place": place(connection, sent, sender, position)?,
            ":id": id,
            ":from": sent.from.as_str(),
            ":to": sent.to.as_str(),
            ":body": sent.body.as_str(),
            ":sent_at": sent.sent_at.to_string(),
            ":at": sent.sent_at.as_millisecond(),
            ":received_at": sent.received_at.map(|time| time.to_string()),
            ":seq": sent.seq,
            ":sender": sender,
            ":reply_to": sent.reply_to.map(Uuid::into_bytes),
            ":state": state.word(),
            ":reason": reason,
            ":tries": sent.tries,
            ":expires_at": sent.sent_at.as_millisecond(),
            ":delivered_to": sent.delivered_to.as_ref().map(Fingerprint::as_bytes),
            ":delivered_as": sent.delivered_as.as_ref().map(Fingerprint::as_bytes),
        })?;
    count(connection, sent, state, is_own)?;
    Ok(Outcome::New)
}

/// The recipient's count goes on behind what this very peer had sent from elsewhere.
fn count(connection: &Connection, sent: &Sent, state: State, is_own: bool) -> rusqlite::Result<()> {
    let seq = if is_own && sent.seq <= HIGHEST_BELIEVED { sent.seq } else { 0 };
    connection
        .prepare_cached(
            "INSERT INTO recipients (name, last_seq) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET last_seq = excluded.last_seq WHERE last_seq < excluded.last_seq",
        )?
        .execute((sent.to.as_str(), seq))?;
    if is_own && state != State::Delivered {
        closed::close(connection, &sent.to, (sent.seq, sent.seq))?;
    }
    Ok(())
}

/// Where it is listed: before all that was written here, but among the messages of its own count as they were written.
fn place(connection: &Connection, sent: &Sent, sender: &[u8], position: i64) -> rusqlite::Result<i64> {
    let place = |sql: &str| -> rusqlite::Result<Option<i64>> {
        connection
            .prepare_cached(sql)?
            .query_row((sent.to.as_str(), sender, sent.seq), |row| row.get(0))
            .optional()
    };
    let neighbours = Neighbours {
        before: place(
            "SELECT place FROM sent WHERE to_name = ?1 AND sender = ?2 AND seq < ?3 ORDER BY seq DESC, place LIMIT 1",
        )?,
        behind: place(
            "SELECT place FROM sent WHERE to_name = ?1 AND sender = ?2 AND seq > ?3 ORDER BY seq, place LIMIT 1",
        )?,
        is_counted_twice: place(
            "SELECT place FROM sent WHERE to_name = ?1 AND sender = ?2 AND seq = ?3 LIMIT 1",
        )?
        .is_some(),
    };
    Ok(neighbours.place(position))
}
