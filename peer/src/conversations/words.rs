//! The words of all texts, by which messages are found. A text is brought in when nothing else is to be done, or when
//! somebody searches: never in the transaction that stores it. Owns the tables `words` and `indexed`.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use tokio::time::sleep;

use super::{Conversations, Entry, Query, imported, query};
use crate::database::Fault;

/// So many texts at most are brought in by one commit when somebody waits for it, and so many when nobody does: whoever
/// leaves a message just then waits for no more.
const AT_ONCE: usize = 1_000;
const AT_ONCE_WHEN_IDLE: usize = 200;
/// And so many bytes, but for the last text.
const BYTES_AT_ONCE: usize = 1 << 20;
/// How often it is looked whether anything came. When nothing did from one look to the next, nothing else is to be done.
const TICK: Duration = Duration::from_secs(2);

/// What was stored and is not in yet.
const NEXT_STORED: &str = "SELECT position, body FROM texts WHERE position > ?1 ORDER BY position LIMIT ?2";
/// What was imported and is not in yet.
const NEXT_IMPORTED: &str =
    "SELECT position, body FROM texts WHERE position > ?1 AND position <= 0 ORDER BY position LIMIT ?2";

/// What to search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

/// Why nothing was searched for.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// What was typed has no meaning as a query.
    #[error("{0}")]
    Query(String),
    /// The database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Pattern {
    /// All of these words, wherever they stand, as they are typed: nothing in them means anything. None if there is no word
    /// among them.
    #[must_use]
    pub fn words(text: &str) -> Option<Self> {
        let words: Vec<_> = text
            .split_whitespace()
            .filter(|word| word.contains(char::is_alphanumeric))
            .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
            .collect();
        (!words.is_empty()).then(|| Self(words.join(" ")))
    }

    /// A query as FTS5 understands it: <https://www.sqlite.org/fts5.html#full_text_query_syntax>.
    #[must_use]
    pub fn query(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Conversations {
    /// The positions of the messages of the query that are found by a pattern, in the order of listings; what was not
    /// brought in yet is not among them. Blocks.
    pub fn search(&self, query: &Query, pattern: &Pattern) -> Result<Vec<i64>, SearchError> {
        // What SQLite itself asks its index for is no question of the user's.
        if pattern.0.trim_start().starts_with('*') {
            return Err(SearchError::Query("it begins with *".to_owned()));
        }
        let (behind, top) = (self.beginning(query)?, self.top(query)?);
        let mut values = query::values(query, behind, top);
        values.push((":pattern", pattern.0.clone().into()));
        values.push((":last", query.last.map_or(-1, i64::from).into()));
        let found = self.store.read(|connection| {
            let mut select = connection.prepare(&query::search(query))?;
            select.query_map(&*values, |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()
        });
        let mut found = found.map_err(bad_query)?;
        found.reverse();
        Ok(found)
    }

    /// The message at this position, if it is kept. Blocks.
    pub fn at(&self, position: i64) -> Result<Option<Entry>, Fault> {
        let mut entries = self.store.read(|connection| {
            connection
                .prepare_cached("SELECT * FROM messages WHERE position = ?1")?
                .query_map([position], Entry::read)?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        Ok(entries.pop())
    }

    /// About how many texts are not brought in yet. Blocks.
    pub fn unindexed(&self) -> Result<u64, Fault> {
        let texts: i64 = self.store.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT positions.last - indexed.stored + positions.imported - (indexed.imported - ?1)
                     FROM positions, indexed",
                )?
                .query_row([imported::BEFORE_ALL], |row| row.get(0))
        })?;
        Ok(u64::try_from(texts).unwrap_or_default())
    }

    /// Brings some more texts in, in one commit; how many there were, 0 if all are in.
    pub async fn index(&self) -> Result<usize, Fault> {
        self.index_at_most(AT_ONCE).await
    }

    pub(super) async fn index_at_most(&self, most: usize) -> Result<usize, Fault> {
        if self.unindexed()? == 0 {
            return Ok(0);
        }
        Ok(self.store.write(move |connection| index(connection, most)).await?)
    }

    /// Brings texts in whenever nothing else is to be done. Never returns: spawn it, and abort it.
    pub async fn keep_indexed(&self) {
        loop {
            if let Err(fault) = self.index_when_idle().await {
                tracing::warn!(%fault, "what came could not be made ready to be searched; trying again");
            }
            sleep(TICK).await;
        }
    }

    async fn index_when_idle(&self) -> Result<(), Fault> {
        let mut watch = self.store.watch()?;
        loop {
            sleep(TICK).await;
            while !watch.changed()? && self.index_at_most(AT_ONCE_WHEN_IDLE).await? > 0 {
                // That was a change, too.
                watch.changed()?;
            }
        }
    }
}

/// What is wrong with a query, if it is the query.
fn bad_query(error: rusqlite::Error) -> SearchError {
    match &error {
        rusqlite::Error::SqliteFailure(failure, Some(why)) if failure.code == ErrorCode::Unknown => {
            SearchError::Query(why.strip_prefix("fts5: ").unwrap_or(why).to_owned())
        }
        _ => SearchError::Fault(error.into()),
    }
}

/// Brings texts in: what was stored, and when all of that is in, what was imported.
fn index(connection: &Connection, most: usize) -> rusqlite::Result<usize> {
    let (stored, imported): (i64, i64) = connection
        .prepare_cached("SELECT stored, imported FROM indexed")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (mut count, mut last) = bring_in(connection, NEXT_STORED, stored, most)?;
    if count > 0 {
        connection.prepare_cached("UPDATE indexed SET stored = ?1")?.execute([last])?;
        return Ok(count);
    }
    (count, last) = bring_in(connection, NEXT_IMPORTED, imported, most)?;
    // Positions whose messages were deleted before they were brought in are done with, too.
    connection
        .prepare_cached(
            "UPDATE indexed SET (stored, imported) =
                 (SELECT last, CASE ?1 WHEN 0 THEN ?2 + positions.imported ELSE ?3 END FROM positions)",
        )?
        .execute((count, imported::BEFORE_ALL, last))?;
    Ok(count)
}

/// Brings in what stands behind this position; how many texts there were, and where the last one stood.
fn bring_in(connection: &Connection, next: &str, behind: i64, most: usize) -> rusqlite::Result<(usize, i64)> {
    let mut insert = connection.prepare_cached("INSERT INTO words (rowid, body) VALUES (?1, ?2)")?;
    let mut select = connection.prepare_cached(next)?;
    let mut texts = select.query((behind, most))?;
    let (mut count, mut bytes, mut last) = (0, 0, behind);
    while let Some(text) = texts.next()? {
        let (position, body) = (text.get(0)?, text.get_ref(1)?.as_str()?);
        insert.execute((position, body))?;
        (count, bytes, last) = (count + 1, bytes + body.len(), position);
        if bytes >= BYTES_AT_ONCE {
            break;
        }
    }
    Ok((count, last))
}

/// Takes the words of a message out that is deleted in this transaction, if they are in.
pub fn forget(connection: &Connection, position: i64, body: &str) -> rusqlite::Result<()> {
    let is_in: bool = connection
        .prepare_cached("SELECT ?1 <= CASE WHEN ?1 > 0 THEN stored ELSE imported END FROM indexed")?
        .query_row([position], |row| row.get(0))?;
    if is_in {
        connection
            .prepare_cached("INSERT INTO words (words, rowid, body) VALUES ('delete', ?1, ?2)")?
            .execute((position, body))?;
    }
    Ok(())
}
