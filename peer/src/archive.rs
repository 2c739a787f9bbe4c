//! The archive: what the user does with messages that are kept already. Deletes them for good, one by one or the old ones;
//! takes them elsewhere and brings them back. Stands above both ways of a message, as `serving` does.

pub mod import;

pub mod record;

use std::collections::BTreeMap;

use jiff::Timestamp;
use protocol::Name;
use rusqlite::Connection;
use store::Store;

use crate::conversations::{self, Direction, words};
use crate::database::Fault;
use crate::inbound::had;
use crate::inbound::inbox::deleted as received;
use crate::outbound::outbox::deleted as sent;

/// So many messages are changed in one commit: others wait no longer for it.
const AT_ONCE: usize = 200;
/// Where more than one message in so many is deleted, it is quicker to bring the words of all that is left in again.
const ONE_IN: u64 = 8;

/// Everything that is kept.
#[derive(Clone)]
pub struct Archive {
    store: Store,
}

/// What is old.
#[derive(Debug, Clone)]
pub struct Old {
    /// It came, or was written, before this time.
    pub before: Timestamp,
    /// Only with this name on the other side.
    pub with: Option<Name>,
}

/// How many messages were deleted, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deleted {
    /// All of them.
    pub messages: u64,
    /// Those that were received and never shown.
    pub unread: u64,
}

impl Archive {
    /// The archive in this database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Deletes these messages for good, all at once: whoever sent one may send it again, and it is not kept. How many of
    /// them were still there.
    pub async fn delete(&self, messages: Vec<(Direction, i64)>) -> Result<u64, Fault> {
        let write = self.store.write(move |connection| {
            let mut count = 0;
            for (direction, position) in messages {
                count += u64::from(delete(connection, direction, position)?);
            }
            Ok::<_, rusqlite::Error>(count)
        });
        Ok(write.await?)
    }

    /// What was had from each key, by the position of the last message of it that is listed. Blocks.
    pub fn had(&self) -> Result<BTreeMap<i64, Vec<had::Range>>, Fault> {
        Ok(self.store.read(|connection| {
            let mut all = BTreeMap::new();
            for (key, position) in conversations::last_of_each_key(connection)? {
                let ranges = had::of(connection, key)?;
                if !ranges.is_empty() {
                    all.insert(position, ranges);
                }
            }
            Ok(all)
        })?)
    }

    /// How many messages are old, and do not wait to be delivered. Blocks.
    pub fn count_old(&self, old: &Old) -> Result<Deleted, Fault> {
        Ok(self.store.read(|connection| {
            let (received, unread) = received::count_old(connection, old.before, old.with.as_ref())?;
            let sent = sent::count_old(connection, old.before, old.with.as_ref())?;
            Ok(Deleted { messages: received + sent, unread })
        })?)
    }

    /// Gets ready to delete so many messages.
    pub async fn begin_deleting(&self, messages: u64) -> Result<(), Fault> {
        let write = self.store.write(move |connection| {
            if messages > words::count(connection)? / ONE_IN {
                words::forget_all(connection)?;
            }
            Ok::<_, rusqlite::Error>(())
        });
        Ok(write.await?)
    }

    /// Deletes some of what is old, in one commit; nothing if nothing is left of it.
    pub async fn delete_old(&self, old: Old) -> Result<Deleted, Fault> {
        let write = self.store.write(move |connection| {
            let (before, with) = (old.before, old.with.as_ref());
            let mut deleted = Deleted::default();
            for (position, was_read) in received::old(connection, before, with, AT_ONCE)? {
                deleted.messages += u64::from(received::delete(connection, position)?);
                deleted.unread += u64::from(!was_read);
            }
            let room = AT_ONCE.saturating_sub(usize::try_from(deleted.messages).unwrap_or(AT_ONCE));
            for position in sent::old(connection, before, with, room)? {
                deleted.messages += u64::from(sent::delete(connection, position)?);
            }
            Ok::<_, rusqlite::Error>(deleted)
        });
        Ok(write.await?)
    }

    /// Takes what was deleted out of the log, too, which keeps what was written until it is written over: after a clean end
    /// it is gone without this. One who uses the log just now keeps it as it is.
    pub async fn wipe(&self) {
        if let Err(error) = self.store.wipe_log().await {
            tracing::debug!(%error, "what was deleted is in the log still");
        }
    }
}

fn delete(connection: &Connection, direction: Direction, position: i64) -> rusqlite::Result<bool> {
    match direction {
        Direction::Received => received::delete(connection, position),
        Direction::Sent => sent::delete(connection, position),
    }
}
