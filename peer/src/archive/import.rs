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

use super::record::Imported;
use super::{AT_ONCE, Archive};
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
    /// The keys of each name that the file says were verified: the last one was verified last.
    keys: BTreeMap<Name, Vec<Fingerprint>>,
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

    /// How many messages were imported so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.progress.counts
    }

    /// Ends it, all messages of a file having been imported: only then is it known whose key is whose, and what was had. What was
    /// found out.
    pub async fn end(self) -> Result<Vec<Finding>, Fault> {
        let Self { archive, mut progress, .. } = self;
        let write = archive.store.write(move |connection| {
            let findings = progress.learn_keys(connection)?;
            progress.learn_had(connection)?;
            Ok::<_, rusqlite::Error>((findings, std::mem::take(&mut progress.keys)))
        });
        let (findings, keys) = write.await?;
        for (name, keys) in keys {
            for key in keys {
                while archive.believe(&name, key).await? > 0 {}
            }
        }
        Ok(findings)
    }
}

impl Archive {
    /// Takes the doubt from messages that a key of the name has signed, if it is one: how many there were. Not too many at once.
    async fn believe(&self, name: &Name, key: Fingerprint) -> Result<usize, Fault> {
        let name = name.clone();
        let write = self.store.write(move |connection| {
            if pins::is_or_was(connection, &name, key)? {
                inbox::imported::believe(connection, &name, key, AT_ONCE)
            } else {
                Ok(0)
            }
        });
        Ok(write.await?)
    }
}

impl Progress {
    fn take(
        &mut self,
        connection: &Connection,
        messages: &[Imported],
        own_key: Fingerprint,
    ) -> rusqlite::Result<()> {
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
            self.note(message);
            match outcome {
                Outcome::New => self.counts.imported += 1,
                Outcome::Known => self.counts.known += 1,
                Outcome::Deleted => self.counts.deleted += 1,
            }
        }
        positions.write(connection)
    }

    /// Notes what a message says of whose key is whose, and whom the user wrote to.
    fn note(&mut self, message: &Imported) {
        let (name, key) = match message {
            Imported::Received(received) => (&received.from, received.key.filter(|_| received.verified)),
            Imported::Sent(sent) => {
                if !self.written_to.contains(&sent.to) {
                    self.written_to.insert(sent.to.clone());
                }
                (&sent.to, sent.delivered_to)
            }
        };
        let Some(key) = key else { return };
        if self.keys.get(name).is_some_and(|keys| keys.last() == Some(&key)) {
            return;
        }
        let keys = self.keys.entry(name.clone()).or_default();
        keys.retain(|other| *other != key);
        keys.push(key);
    }

    /// Learns whom the user wrote to, and whose key is whose.
    fn learn_keys(&self, connection: &Connection) -> rusqlite::Result<Vec<Finding>> {
        let now = crate::now();
        for name in &self.written_to {
            contacts::known::fill_in(connection, name, None, false)?;
        }
        let mut findings = Vec::new();
        for (name, keys) in &self.keys {
            let is_contact = self.written_to.contains(name);
            let (mut is_ours, mut finding) = (false, None);
            for key in keys {
                match contacts::meet(connection, name, *key, is_contact, is_ours, now)? {
                    Met::New => {
                        is_ours = true;
                        finding = Some(Finding::Pinned(name.clone(), *key));
                    }
                    Met::Known => finding = None,
                    Met::OtherKey(here) => finding = Some(Finding::OtherKey(name.clone(), here, *key)),
                }
            }
            findings.extend(finding);
            // Which of them came first is the file's word, if it ends as it is here.
            let current = pins::current(connection, name)?.map(|pin| pin.fingerprint);
            if let Some((last, before)) = keys.split_last()
                && current == Some(*last)
            {
                before.iter().try_for_each(|key| pins::had_before(connection, name, *key, now))?;
            }
        }
        Ok(findings)
    }

    /// Notes that a number was had, if it counts messages to this peer.
    fn count_had(&mut self, received: &inbox::imported::Received) {
        let is_ours = self.own_name.as_ref().is_none_or(|own| *own == received.to);
        let (Some(key), true) = (received.key, is_ours) else { return };
        let ranges = self.had.entry(key).or_default();
        ranges.extend(&received.had);
        let Some(seq) = received.seq else { return };
        match ranges.last_mut() {
            Some(range) if range.1 + 1 == seq => range.1 = seq,
            Some(range) if (range.0..=range.1).contains(&seq) => {}
            _ => ranges.push((seq, seq)),
        }
    }

    /// Counts what was had from each key.
    fn learn_had(&self, connection: &Connection) -> rusqlite::Result<()> {
        for (key, ranges) in &self.had {
            let is_vouched = pins::is_vouched(connection, *key)?;
            let most = if is_vouched { inbox::MOST_RANGES } else { inbox::MOST_RANGES_OF_STRANGER };
            let mut count = Count::of(connection, *key, most)?;
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
