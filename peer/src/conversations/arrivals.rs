//! What came in, for whoever has something to do for each message: its position and sender first, the rest when its turn
//! comes.

use rusqlite::OptionalExtension as _;

use super::{Conversations, Entry, PAGE};
use crate::database::Fault;

/// A message that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Its handle here.
    pub position: i64,
    /// Who says that they wrote it.
    pub from: String,
}

impl Conversations {
    /// The messages that were received and stored behind this position, in the order of storing, as many as make a page.
    /// Blocks.
    pub fn arrivals(&self, behind: i64) -> Result<Vec<Arrival>, Fault> {
        let sql = format!(
            "SELECT position, partner FROM messages WHERE direction = 'received' AND position > ?1
             ORDER BY position LIMIT {PAGE}"
        );
        Ok(self.store.read(|connection| {
            let read = |row: &rusqlite::Row<'_>| Ok(Arrival { position: row.get(0)?, from: row.get(1)? });
            connection.prepare_cached(&sql)?.query_map([behind], read)?.collect()
        })?)
    }

    /// The message that was received and stored under this position; none if it was deleted. Blocks.
    pub fn received(&self, position: i64) -> Result<Option<Entry>, Fault> {
        Ok(self.store.read(|connection| {
            connection
                .prepare_cached("SELECT * FROM messages WHERE direction = 'received' AND position = ?1")?
                .query_row([position], Entry::read)
                .optional()
        })?)
    }
}
