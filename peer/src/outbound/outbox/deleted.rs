//! What the user deleted of what was sent: its text is gone, its number is closed if it was not delivered, and its id stays
//! known, so that no import brings it back. Owns the table `deleted_sent`.

use jiff::Timestamp;
use protocol::Name;
use rusqlite::{Connection, OptionalExtension as _, named_params};
use uuid::Uuid;

use super::{State, closed, unreadable};
use crate::conversations::words;

/// What is to be deleted because it is old. What an older program stores into this file has no time that is known here. What waits is never old.
const OLD: &str = "SELECT position FROM sent WHERE at > 0 AND at < :before AND state <> 'queued' ORDER BY at, place LIMIT :most";
/// The same, of one name. The plus keeps SQLite from looking at what is old of all others.
const OLD_OF_NAME: &str =
    "SELECT position FROM sent WHERE to_name = :name AND +at > 0 AND +at < :before AND state <> 'queued'
                           ORDER BY place LIMIT :most";

/// Whether a message with this id was deleted.
pub(super) fn was(connection: &Connection, id: Uuid) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM deleted_sent WHERE id = ?1")?.exists([id.as_bytes()])
}

/// Deletes a message, in the transaction of all that go with it; whether it was still there. One that waits is not
/// delivered any more, unless it is under way.
pub fn delete(connection: &Connection, position: i64) -> rusqlite::Result<bool> {
    let row = connection
        .prepare_cached("SELECT id, to_name, body, state, seq FROM sent WHERE position = ?1")?
        .query_row([position], |row| {
            let said: (String, String) = (row.get(1)?, row.get(2)?);
            Ok((row.get::<_, [u8; 16]>(0)?, said, row.get::<_, State>(3)?, row.get::<_, u64>(4)?))
        })
        .optional()?;
    let Some((id, (to, body), state, seq)) = row else { return Ok(false) };
    if state == State::Queued {
        let to: Name = to.parse().map_err(|error| unreadable(1, error))?;
        closed::close(connection, &to, (seq, seq))?;
    }
    connection
        .prepare_cached("INSERT INTO deleted_sent (id) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([id])?;
    words::forget(connection, position, &body)?;
    connection.prepare_cached("DELETE FROM sent WHERE position = ?1")?.execute([position])?;
    Ok(true)
}

/// The positions of what was written before this time, to this name or to all, and does not wait: at most so many.
pub fn old(
    connection: &Connection,
    before: Timestamp,
    name: Option<&Name>,
    most: usize,
) -> rusqlite::Result<Vec<i64>> {
    let before = before.as_millisecond();
    match name {
        None => connection
            .prepare_cached(OLD)?
            .query_map(named_params! { ":before": before, ":most": most }, |row| row.get(0))?
            .collect(),
        Some(name) => connection
            .prepare_cached(OLD_OF_NAME)?
            .query_map(named_params! { ":before": before, ":most": most, ":name": name.as_str() }, |row| {
                row.get(0)
            })?
            .collect(),
    }
}

/// How many those are in all.
pub fn count_old(connection: &Connection, before: Timestamp, name: Option<&Name>) -> rusqlite::Result<u64> {
    let name_is = if name.is_some() { "to_name = :name AND +at > 0 AND +at" } else { "at > 0 AND at" };
    let sql = format!("SELECT count(*) FROM sent WHERE {name_is} < :before AND state <> 'queued'");
    let mut count = connection.prepare(&sql)?;
    let before = before.as_millisecond();
    match name {
        None => count.query_row(named_params! { ":before": before }, |row| row.get(0)),
        Some(name) => {
            count.query_row(named_params! { ":before": before, ":name": name.as_str() }, |row| row.get(0))
        }
    }
}
