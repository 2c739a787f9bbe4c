//! Importing: messages that another peer exported, or this one. What is known and what was deleted here is skipped, so that
//! the same file may be imported again and again.
//!
//! Nobody who follows meets what is imported, and no command is run for it: its positions are below all others. Verified stays
//! a matter of pins: a name that has none here gets the keys which the file says were verified, and one that has another here
//! keeps it.

use std::collections::{BTreeMap, BTreeSet};

use protocol::message::Ranges;
use protocol::{Fingerprint, Name};
use rusqlite::Connection;

use super::Archive;
use super::record::Imported;
use crate::contacts::{self, Met, pins};
use crate::conversations::imported::{Outcome, Positions};
use crate::database::Fault;
use crate::inbound::had::{self, Count};
use crate::inbound::{inbox, quota};
use crate::outbound::outbox;

/// How many messages were imported so far, and how many were not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Those that are new.
    pub imported: u64,
    /// Those that were kept before.
    pub known: u64,
    /// Those that were deleted here.
    pub deleted: u64,
}

/// What importing found out of whose key is whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The name had no key here, and has this one now.
    Pinned(Name, Fingerprint),
    /// The name has the first key here, and the second one in the file.
    OtherKey(Name, Fingerprint, Fingerprint),
}

/// An import that is under way.
pub struct Import {
    archive: Archive,
    own_key: Fingerprint,
    progress: Progress,
}

/// What is known of all messages so far.
#[derive(Debug, Default)]
struct Progress {
    counts: Counts,
    own_name: Option<Name>,
    /// The last key of each name that was verified in the file.
    met: BTreeMap<Name, Fingerprint>,
    /// Those that this import pinned.
    pinned: BTreeSet<Name>,
    other_keys: BTreeMap<Name, (Fingerprint, Fingerprint)>,
    written_to: BTreeSet<Name>,
    /// What was had from each key, in ranges.
    had: BTreeMap<Fingerprint, Vec<had::Range>>,
}

impl Import {
    /// An import into this archive of the peer with this name and key.
    #[must_use]
    pub fn new(archive: Archive, own_name: Option<Name>, own_key: Fingerprint) -> Self {
        Self { archive, own_key, progress: Progress { own_name, ..Progress::default() } }
    }

    /// Imports these messages, all at once.
    pub async fn take(&mut self, messages: Vec<Imported>) -> Result<(), Fault> {
        let (mut progress, own_key) = (std::mem::take(&mut self.progress), self.own_key);
        let write = self.archive.store.write(move |connection| {
            progress.take(connection, &messages, own_key)?;
            Ok::<_, rusqlite::Error>(progress)
        });
        self.progress = write.await?;
        Ok(())
    }

    /// Ends it: what was counted, and what was found out.
    pub async fn end(self) -> Result<(Counts, Vec<Finding>), Fault> {
        let mut progress = self.progress;
        let write = self.archive.store.write(move |connection| {
            progress.learn(connection)?;
            Ok::<_, rusqlite::Error>(progress)
        });
        progress = write.await?;
        let Progress { counts, met, pinned, other_keys, .. } = progress;
        let pinned = met.into_iter().filter(|(name, _)| pinned.contains(name));
        let pinned = pinned.map(|(name, key)| Finding::Pinned(name, key));
        let others = other_keys.into_iter().map(|(name, (here, there))| Finding::OtherKey(name, here, there));
        Ok((counts, pinned.chain(others).collect()))
    }
}

impl Progress {
    fn take(
        &mut self,
        connection: &Connection,
        messages: &[Imported],
        own_key: Fingerprint,
    ) -> rusqlite::Result<()> {
        for message in messages {
            self.meet(connection, message)?;
        }
        let mut positions = Positions::begin(connection)?;
        let mut standings = Standings::default();
        for message in messages {
            let outcome = match message {
                Imported::Received(received) => {
                    let standing = standings.of(connection, &received.from, received.key)?;
                    let outcome =
                        inbox::imported::keep(connection, received, !standing.is_pinned, &mut positions)?;
                    if outcome == Outcome::New {
                        let bytes = received.body.as_str().len();
                        quota::count(connection, received.key, standing.is_vouched, bytes)?;
                    }
                    self.count_had(received);
                    outcome
                }
                Imported::Sent(sent) => outbox::imported::keep(connection, sent, own_key, &mut positions)?,
            };
            match outcome {
                Outcome::New => self.counts.imported += 1,
                Outcome::Known => self.counts.known += 1,
                Outcome::Deleted => self.counts.deleted += 1,
            }
        }
        positions.write(connection)
    }

    /// Learns whom the user wrote to, and whose key is whose.
    fn meet(&mut self, connection: &Connection, message: &Imported) -> rusqlite::Result<()> {
        let (name, key) = match message {
            Imported::Received(received) => (&received.from, received.key.filter(|_| received.verified)),
            Imported::Sent(sent) => (&sent.to, sent.delivered_to),
        };
        let is_news = matches!(message, Imported::Sent(_)) && self.written_to.insert(name.clone());
        let key = key.or(if is_news { self.met.get(name).copied() } else { None });
        let is_contact = self.written_to.contains(name);
        if is_news {
            contacts::known::fill_in(connection, name, None, false)?;
        }
        let Some(key) = key.filter(|key| is_news || self.met.get(name) != Some(key)) else { return Ok(()) };
        let is_ours = self.pinned.contains(name);
        match contacts::meet(connection, name, key, is_contact, is_ours, crate::now())? {
            Met::New => drop(self.pinned.insert(name.clone())),
            Met::Known => {}
            Met::OtherKey(here) => drop(self.other_keys.insert(name.clone(), (here, key))),
        }
        self.met.insert(name.clone(), key);
        Ok(())
    }

    /// Notes that a number was had, if it counts messages to this peer.
    fn count_had(&mut self, received: &inbox::imported::Received) {
        let is_ours = self.own_name.as_ref().is_none_or(|own| *own == received.to);
        let (Some(key), Some(seq), true) = (received.key, received.seq, is_ours) else { return };
        let ranges = self.had.entry(key).or_default();
        match ranges.last_mut() {
            Some(range) if range.1 + 1 == seq => range.1 = seq,
            Some(range) if (range.0..=range.1).contains(&seq) => {}
            _ => ranges.push((seq, seq)),
        }
    }

    /// Counts what was had from those who are contacts.
    fn learn(&self, connection: &Connection) -> rusqlite::Result<()> {
        for (key, ranges) in &self.had {
            if !pins::is_vouched(connection, *key)? {
                continue;
            }
            let mut count = Count::of(connection, *key, inbox::MOST_RANGES)?;
            for (first, last) in ranges {
                let range = Ranges::try_from(vec![[*first, *last]]).unwrap_or_default();
                count.take(None, &range)?;
            }
            count.write()?;
        }
        Ok(())
    }
}

/// How a sender stands.
#[derive(Debug, Clone, Copy)]
struct Standing {
    /// Whether the key is or was the name's.
    is_pinned: bool,
    /// Whether the key is a contact's.
    is_vouched: bool,
}

/// How the senders of some messages stand, each asked once.
#[derive(Debug, Default)]
struct Standings<'a>(BTreeMap<(&'a Name, Option<Fingerprint>), Standing>);

impl<'a> Standings<'a> {
    fn of(
        &mut self,
        connection: &Connection,
        name: &'a Name,
        key: Option<Fingerprint>,
    ) -> rusqlite::Result<Standing> {
        if let Some(standing) = self.0.get(&(name, key)) {
            return Ok(*standing);
        }
        let standing = match key {
            None => Standing { is_pinned: false, is_vouched: false },
            Some(key) => Standing {
                is_pinned: pins::is_or_was(connection, name, key)?,
                is_vouched: pins::is_vouched(connection, key)?,
            },
        };
        self.0.insert((name, key), standing);
        Ok(standing)
    }
}
