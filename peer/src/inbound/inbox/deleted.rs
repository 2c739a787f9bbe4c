//! What the user deleted of what was received: its text is gone, and that it was here stays known, so that it never comes
//! again. Owns the table `deleted_received`.

use jiff::Timestamp;
use protocol::Name;
use rusqlite::{Connection, OptionalExtension as _, named_params};
use uuid::Uuid;

use super::content::{Content, digest, timestamp};
use crate::conversations::words;

/// What is to be deleted because it is old. What an older program stores into this file has no time that is known here.
const OLD: &str =
    "SELECT position, read FROM received WHERE at > 0 AND at < :before ORDER BY at, place LIMIT :most";
/// The same, of one name. The plus keeps SQLite from looking at what is old of all others.
const OLD_OF_NAME: &str =
    "SELECT position, read FROM received WHERE from_name = :name AND +at > 0 AND +at < :before
                           ORDER BY place LIMIT :most";

/// The digest of the message with this id that was deleted of this sender's, and when it had come.
pub(super) fn before(
    connection: &Connection,
    sender: &[u8],
    id: Uuid,
) -> rusqlite::Result<Option<([u8; 32], Timestamp)>> {
    connection
        .prepare_cached("SELECT digest, received_at FROM deleted_received WHERE sender = ?1 AND id = ?2")?
        .query_row((sender, id.as_bytes()), |row| Ok((row.get(0)?, timestamp(row, 1)?)))
        .optional()
}

/// Deletes a message, in the transaction of all that go with it; whether it was still there.
pub fn delete(connection: &Connection, position: i64) -> rusqlite::Result<bool> {
    let row = connection
        .prepare_cached(
            "SELECT sender, id, received_at, from_name, to_name, body, sent_at, reply_to
             FROM received WHERE position = ?1",
        )?
        .query_row([position], |row| {
            let whose: (Vec<u8>, [u8; 16], String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let content: Content = (row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?);
            Ok((whose, content))
        })
        .optional()?;
    let Some(((sender, id, received_at), content)) = row else { return Ok(false) };
    connection
        .prepare_cached(
            "INSERT INTO deleted_received (sender, id, received_at, digest) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute((sender, id, received_at, digest(&content)))?;
    words::forget(connection, position, &content.2)?;
    connection.prepare_cached("DELETE FROM received WHERE position = ?1")?.execute([position])?;
    Ok(true)
}

/// The positions of what came before this time, from this name or from all, at most so many; and whether each was read.
pub fn old(
    connection: &Connection,
    before: Timestamp,
    name: Option<&Name>,
    most: usize,
) -> rusqlite::Result<Vec<(i64, bool)>> {
    let (before, read) = (before.as_millisecond(), |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?)));
    match name {
        None => connection
            .prepare_cached(OLD)?
            .query_map(named_params! { ":before": before, ":most": most }, read)?
            .collect(),
        Some(name) => connection
            .prepare_cached(OLD_OF_NAME)?
            .query_map(named_params! { ":before": before, ":most": most, ":name": name.as_str() }, read)?
            .collect(),
    }
}

/// How many those are in all, and how many of them were not read.
pub fn count_old(
    connection: &Connection,
    before: Timestamp,
    name: Option<&Name>,
) -> rusqlite::Result<(u64, u64)> {
    let name_is = if name.is_some() { "from_name = :name AND +at > 0 AND +at" } else { "at > 0 AND at" };
    let sql = format!("SELECT count(*), coalesce(sum(read = 0), 0) FROM received WHERE {name_is} < :before");
    let mut count = connection.prepare(&sql)?;
    let (before, read) = (before.as_millisecond(), |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?)));
    match name {
        None => count.query_row(named_params! { ":before": before }, read),
        Some(name) => count.query_row(named_params! { ":before": before, ":name": name.as_str() }, read),
    }
}
