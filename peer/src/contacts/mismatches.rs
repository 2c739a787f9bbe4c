//! Keys that spoke under a name which has another one, for the user to look at. Owns the table `mismatches`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use protocol::{Fingerprint, Name};
use rusqlite::{Connection, OptionalExtension as _, Row};

/// So many names are noted; the one that was noted longest ago makes room.
const MOST: usize = 1_000;
/// A name is noted once in so long: whoever knocks again and again does not keep the disk busy.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// A key that spoke under a name which has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// The key.
    pub fingerprint: Fingerprint,
    /// When it last did.
    pub at: Timestamp,
    /// How often that was noted, at most once a minute.
    pub times: u64,
}

/// Notes that this key spoke under the name.
pub fn note(
    connection: &Connection,
    name: &Name,
    fingerprint: Fingerprint,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let before = of(connection, name)?;
    // A time ahead of now is one of a clock that was set back since.
    if before.is_some_and(|before| before.at <= now && now.duration_since(before.at) < PAUSE) {
        return Ok(());
    }
    let times =
        before.filter(|before| before.fingerprint == fingerprint).map_or(1, |before| before.times + 1);
    connection
        .prepare_cached(
            "INSERT INTO mismatches (name, fingerprint, at, times) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE
             SET fingerprint = excluded.fingerprint, at = excluded.at, times = excluded.times",
        )?
        .execute((name.as_str(), fingerprint.as_bytes(), now.as_millisecond(), times))?;
    if before.is_none() {
        connection
            .prepare_cached(
                "DELETE FROM mismatches
                 WHERE name IN (SELECT name FROM mismatches ORDER BY at DESC LIMIT -1 OFFSET ?1)",
            )?
            .execute([MOST])?;
    }
    Ok(())
}

/// What was noted of the name.
pub(super) fn of(connection: &Connection, name: &Name) -> rusqlite::Result<Option<Mismatch>> {
    connection
        .prepare_cached("SELECT fingerprint, at, times FROM mismatches WHERE name = ?1")?
        .query_row([name.as_str()], mismatch)
        .optional()
}

/// Drops what was noted of the name if it was this key, which is the name's own now.
pub(super) fn settle(connection: &Connection, name: &Name, fingerprint: Fingerprint) -> rusqlite::Result<()> {
    connection.execute(
        "DELETE FROM mismatches WHERE name = ?1 AND fingerprint = ?2",
        (name.as_str(), fingerprint.as_bytes()),
    )?;
    Ok(())
}

/// Drops what was noted of the name.
pub(super) fn drop(connection: &Connection, name: &Name) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM mismatches WHERE name = ?1", [name.as_str()])?;
    Ok(())
}

/// All that was noted.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<BTreeMap<Name, Mismatch>> {
    let mut select = connection.prepare("SELECT fingerprint, at, times, name FROM mismatches")?;
    let rows: rusqlite::Result<Vec<(String, Mismatch)>> =
        select.query_map([], |row| Ok((row.get(3)?, mismatch(row)?)))?.collect();
    let parsed = |(name, mismatch): (String, Mismatch)| Some((name.parse().ok()?, mismatch));
    Ok(rows?.into_iter().filter_map(parsed).collect())
}

fn mismatch(row: &Row<'_>) -> rusqlite::Result<Mismatch> {
    Ok(Mismatch {
        fingerprint: Fingerprint::from_bytes(row.get(0)?),
        at: Timestamp::from_millisecond(row.get(1)?).unwrap_or(Timestamp::UNIX_EPOCH),
        times: row.get(2)?,
    })
}
