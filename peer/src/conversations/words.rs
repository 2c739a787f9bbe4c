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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pattern {
    /// What the index is asked for, as FTS5 has it.
    words: Option<String>,
    /// What is in the text as it stands, but for the case of Latin letters.
    parts: Vec<String>,
}

/// Why what was typed is nothing to search for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPattern {
    /// There is nothing in it.
    #[error("there is nothing to search for")]
    Blank,
    /// There is too much.
    #[error("more than {} words, or one of more than {} bytes", Pattern::MOST, Pattern::LONGEST)]
    TooMany,
}

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
    /// So many words at most are searched for at once.
    pub const MOST: usize = 100;
    /// And so many bytes of what is looked for as it stands.
    pub const LONGEST: usize = 10_000;

    /// All of these words, wherever they stand, as they are typed: nothing in them means anything. What has no letter or digit,
    /// and what is written in a script without blanks between words, is looked for as a part of the text.
    pub fn words(text: &str) -> Result<Self, NoPattern> {
        let (mut words, mut parts) = (Vec::new(), Vec::new());
        for word in text.split_whitespace() {
            if word.contains(char::is_alphanumeric) && !word.contains(has_no_blanks) {
                words.push(format!("\"{}\"", word.replace('"', "\"\"")));
            } else {
                parts.push(word.to_owned());
            }
        }
        match words.len() + parts.len() {
            0 => Err(NoPattern::Blank),
            count if count > Self::MOST => Err(NoPattern::TooMany),
            _ if parts.iter().any(|part| part.len() > Self::LONGEST) => Err(NoPattern::TooMany),
            _ => Ok(Self { words: (!words.is_empty()).then(|| words.join(" ")), parts }),
        }
    }

    /// A query as FTS5 understands it: <https://www.sqlite.org/fts5.html#full_text_query_syntax>.
    #[must_use]
    pub fn query(text: &str) -> Self {
        Self { words: Some(text.to_owned()), parts: Vec::new() }
    }
}

/// Whether the script of a character has no blanks between words: Han, Kana, Thai, Lao, Tibetan, Burmese and Khmer.
fn has_no_blanks(character: char) -> bool {
    matches!(u32::from(character),
        0x0e00..=0x0fff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x2e80..=0x2fdf | 0x3005..=0x3007 | 0x3021..=0x3029
        | 0x3031..=0x30ff | 0x31f0..=0x31ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0xff66..=0xff9f
        | 0x20000..=0x3ffff)
}

/// A part of a text, as `LIKE` looks for it.
fn like(part: &str) -> String {
    let mut pattern = String::from("%");
    for character in part.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern + "%"
}

impl Conversations {
    /// The positions of the messages of the query that are found by a pattern, in the order of listings. Blocks; the texts that
    /// are not brought in yet are read.
    pub fn search(&self, query: &Query, pattern: &Pattern) -> Result<Vec<i64>, SearchError> {
        // What SQLite itself asks its index for is no question of the user's.
        if pattern.words.as_ref().is_some_and(|words| words.trim_start().starts_with('*')) {
            return Err(SearchError::Query("it begins with *".to_owned()));
        }
        let (behind, top) = (self.beginning(query)?, self.top(query)?);
        let mut values = query::values(query, behind, top);
        values.push((":last", query.last.map_or(-1, i64::from).into()));
        let parts: Vec<_> = (0..pattern.parts.len()).map(|nth| format!(":part{nth}")).collect();
        values
            .extend(parts.iter().zip(&pattern.parts).map(|(name, part)| (name.as_str(), like(part).into())));
        let found = self.store.read(|connection| {
            if let Some(words) = &pattern.words {
                values.push((":words", words.clone().into()));
                values.push((":others", found_in_the_rest(connection, words)?.into()));
            }
            let sql = query::search(query, pattern.words.is_some(), &parts);
            let mut select = connection.prepare(&sql)?;
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

/// The positions of the texts that are not brought in and have these words, as a JSON array: brought into an index of their
/// own, which is gone then, so that searching needs no room on the disk.
fn found_in_the_rest(connection: &Connection, words: &str) -> rusqlite::Result<String> {
    let (stored, imported): (i64, i64) = connection
        .prepare_cached("SELECT stored, imported FROM indexed")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rest = Connection::open_in_memory()?;
    rest.execute_batch(
        "CREATE VIRTUAL TABLE words USING fts5 (
             body, content = '', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2')",
    )?;
    let mut count = 0;
    for (next, behind) in [(NEXT_STORED, stored), (NEXT_IMPORTED, imported)] {
        let mut select = connection.prepare_cached(next)?;
        let mut texts = select.query((behind, -1))?;
        let mut insert = rest.prepare_cached("INSERT INTO words (rowid, body) VALUES (?1, ?2)")?;
        while let Some(text) = texts.next()? {
            insert.execute((text.get::<_, i64>(0)?, text.get_ref(1)?.as_str()?))?;
            count += 1;
        }
    }
    if count == 0 {
        return Ok("[]".to_owned());
    }
    rest.query_row("SELECT json_group_array(rowid) FROM words WHERE words MATCH ?1", [words], |row| {
        row.get(0)
    })
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

/// How many texts are in.
pub fn count(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(
            "SELECT count(*) FROM texts, indexed
             WHERE position <= CASE WHEN position > 0 THEN stored ELSE indexed.imported END",
        )?
        .query_row([], |row| row.get(0))
}

/// Takes the words of all messages out. They are brought in again when nothing else is to be done, or somebody searches.
pub fn forget_all(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO words (words) VALUES ('delete-all')", [])?;
    connection.execute("UPDATE indexed SET stored = 0, imported = ?1", [imported::BEFORE_ALL])?;
    Ok(())
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
