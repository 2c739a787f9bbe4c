//! The inbox: every message that was received, judged and kept once, in one transaction. Owns the table `received`.

mod content;
pub mod deleted;
pub mod imported;
mod keeping;
mod letters;
mod place;

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::message::Receipt;
use store::Store;
use tokio::sync::Notify;

pub use self::keeping::{MOST_RANGES, MOST_RANGES_OF_STRANGER};
pub use self::letters::Letters;
use super::claims::Answer;
use super::quota::{Exceeded, Quotas};
use super::sender::{Accept, Why};
use crate::database::Fault;

/// What came of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is new, and on the disk now.
    New(Receipt),
    /// It was kept before: the first receipt again, with what was had since.
    Before(Receipt),
    /// Its id belongs to a message with other content.
    OtherContent,
    /// Its sender is not listened to.
    Refused(Why),
    /// As much is kept of such senders as may be.
    OverQuota(Exceeded),
}

/// On what terms messages are taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms {
    /// Whose.
    pub accept: Accept,
    /// How many.
    pub quotas: Quotas,
}

/// The messages that this peer received.
#[derive(Clone)]
pub struct Inbox {
    store: Store,
    arrived: Arc<Notify>,
}

impl Inbox {
    /// The inbox in this database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, arrived: Arc::default() }
    }

    /// Is told when something new was kept by this process: whoever waits for that, or comes next.
    #[must_use]
    pub fn arrived(&self) -> Arc<Notify> {
        Arc::clone(&self.arrived)
    }

    /// Keeps messages, if their sender is listened to, by what the directory says of the name now. Answers when all that is
    /// kept is on the disk, and not before; what came of each is in the order of the messages.
    pub async fn keep(&self, letters: Arc<Letters>, answer: Answer) -> Result<Vec<Kept>, Fault> {
        let tell = self.teller();
        let write =
            self.store.write_then(move |connection| letters.keep(connection, answer), move |kept| tell(kept));
        Ok(write.await?)
    }

    /// The same, by what the directory said a moment ago, if anything; none if it has to be asked.
    pub async fn keep_unasked(
        &self,
        letters: Arc<Letters>,
        remembered: Option<Answer>,
    ) -> Result<Option<Vec<Kept>>, Fault> {
        let tell = self.teller();
        let write = self.store.write_then(
            move |connection| letters.keep_unasked(connection, remembered),
            move |kept| tell(kept.as_deref().unwrap_or_default()),
        );
        Ok(write.await?)
    }

    /// Tells who waits, if anything is new: after the commit, whether or not the sender still waits for the answer.
    fn teller(&self) -> impl FnOnce(&[Kept]) + Send + 'static {
        let arrived = self.arrived();
        move |kept| {
            if kept.iter().any(|kept| matches!(kept, Kept::New(_))) {
                arrived.notify_one();
            }
        }
    }

    /// Marks messages as shown to the user.
    pub async fn mark_read(&self, positions: Vec<i64>) -> Result<(), Fault> {
        if positions.is_empty() {
            return Ok(());
        }
        let write = self.store.write(move |connection| {
            let mut mark =
                connection.prepare_cached("UPDATE received SET read = 1 WHERE position = ?1 AND read = 0")?;
            for position in positions {
                mark.execute([position])?;
            }
            Ok::<_, rusqlite::Error>(())
        });
        Ok(write.await?)
    }

    /// How many messages under each name were not shown yet; of a name that has a key, those that are verified. Blocks.
    pub fn unread(&self) -> Result<BTreeMap<String, u64>, Fault> {
        Ok(self.store.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT partner, count(*) FROM messages
                     WHERE direction = 'received' AND read = 0 AND aside = 0 GROUP BY partner",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })?)
    }
}

impl Kept {
    /// Whether it is from who holds the key of the name.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        matches!(self, Self::New(receipt) | Self::Before(receipt) if receipt.verified)
    }

    /// Whether what comes behind it in a batch has to wait too, so that order holds: another time it may be kept.
    fn holds_up(&self) -> bool {
        matches!(self, Self::OverQuota(_) | Self::Refused(Why::DirectoryNeeded))
    }
}

#[cfg(test)]
mod tests;
