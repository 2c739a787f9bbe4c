//! Where a message is listed: as it comes, unless its sender's key has counted further already. Then it stands before the
//! first message that was written after it.

use protocol::Fingerprint;
use rusqlite::{Connection, OptionalExtension as _};

use crate::conversations::imported::Neighbours;

/// The place of a new message: that of the next message of this key, or else its own `position`.
///
/// If a message of the key has this very number, its sender counts anew, from an old backup perhaps: then it is not late.
pub fn of(connection: &Connection, key: Fingerprint, seq: u64, position: i64) -> rusqlite::Result<i64> {
    let next: Option<(u64, i64)> = connection
        .prepare_cached(
            "SELECT seq, place FROM received WHERE sender = ?1 AND sender <> x'' AND seq >= ?2
             ORDER BY seq, position LIMIT 1",
        )?
        .query_row((key.as_bytes(), seq), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(next.filter(|(next, _)| *next > seq).map_or(position, |(_, place)| place))
}

/// The place of a message that is imported to this `position`, below all that came here: its own, but between those of the
/// messages that its key wrote before and after it.
pub fn of_imported(
    connection: &Connection,
    key: Fingerprint,
    seq: u64,
    position: i64,
) -> rusqlite::Result<i64> {
    let place = |sql: &str| -> rusqlite::Result<Option<i64>> {
        connection.prepare_cached(sql)?.query_row((key.as_bytes(), seq), |row| row.get(0)).optional()
    };
    let neighbours = Neighbours {
        before: place(
            "SELECT place FROM received WHERE sender = ?1 AND sender <> x'' AND seq < ?2 ORDER BY seq DESC, place LIMIT 1",
        )?,
        behind: place(
            "SELECT place FROM received WHERE sender = ?1 AND sender <> x'' AND seq > ?2 ORDER BY seq, place LIMIT 1",
        )?,
        is_counted_twice: place(
            "SELECT place FROM received WHERE sender = ?1 AND sender <> x'' AND seq = ?2 LIMIT 1",
        )?
        .is_some(),
    };
    Ok(neighbours.place(position))
}

#[cfg(test)]
mod tests;
