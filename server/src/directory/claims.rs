//! The table `claims`, with its `tally`: who may use which name. What a request means for a claim is decided elsewhere.

use std::time::Duration;

use jiff::Timestamp;
use protocol::{Fingerprint, Name};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use super::token::TokenHash;

/// A name bound to a token, and perhaps to a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) token: TokenHash,
    pub(super) fingerprint: Option<Fingerprint>,
    /// When its last lease ended; `None` while one runs.
    pub(super) offline_since: Option<Timestamp>,
}

/// How long a claim outlives its last lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// With a fingerprint.
    pub keyed: Duration,
    /// Without one.
    pub unkeyed: Duration,
}

impl Claim {
    /// Whether the name is free again.
    pub(super) fn has_lapsed(&self, retention: Retention, now: Timestamp) -> bool {
        let kept = if self.fingerprint.is_some() { retention.keyed } else { retention.unkeyed };
        self.offline_since.is_some_and(|since| since <= before(now, kept))
    }
}

fn before(now: Timestamp, kept: Duration) -> Timestamp {
    now.checked_sub(kept).unwrap_or(Timestamp::MIN)
}

const COLUMNS: &str = "token_hash, fingerprint, offline_since";

fn claim(row: &Row<'_>) -> Result<Claim> {
    let offline_since: Option<i64> = row.get(2)?;
    Ok(Claim {
        token: TokenHash::from_bytes(row.get(0)?),
        fingerprint: row.get::<_, Option<[u8; 32]>>(1)?.map(Fingerprint::from_bytes),
        offline_since: offline_since.map(timestamp),
    })
}

/// A wall time as this database keeps it.
pub(super) fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MIN)
}

pub(super) fn by_name(conn: &Connection, name: &str) -> Result<Option<Claim>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM claims WHERE name = ?1"))?
        .query_row([name], claim)
        .optional()
}

/// The claim that a token holds, with its name as it stands in the table.
pub(super) fn by_token(conn: &Connection, token: &TokenHash) -> Result<Option<(String, Claim)>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS}, name FROM claims WHERE token_hash = ?1"))?
        .query_row([token.as_bytes()], |row| Ok((row.get(3)?, claim(row)?)))
        .optional()
}

pub(super) fn add(
    conn: &Connection,
    name: &Name,
    token: &TokenHash,
    fingerprint: Option<&Fingerprint>,
) -> Result<()> {
    conn.prepare_cached("INSERT INTO claims (name, token_hash, fingerprint) VALUES (?1, ?2, ?3)")?
        .execute(params![name.as_str(), token.as_bytes(), fingerprint.map(Fingerprint::as_bytes)])?;
    Ok(())
}

/// A claim that had no fingerprint has one from now on.
pub(super) fn gain_fingerprint(conn: &Connection, name: &Name, fingerprint: &Fingerprint) -> Result<()> {
    conn.prepare_cached("UPDATE claims SET fingerprint = ?2 WHERE name = ?1 AND fingerprint IS NULL")?
        .execute(params![name.as_str(), fingerprint.as_bytes()])?;
    Ok(())
}

pub(super) fn came_online(conn: &Connection, name: &Name) -> Result<()> {
    conn.prepare_cached("UPDATE claims SET offline_since = NULL WHERE name = ?1")?
        .execute([name.as_str()])?;
    Ok(())
}

/// Does nothing for a claim that was offline already.
pub(super) fn went_offline(conn: &Connection, name: &str, at: Timestamp) -> Result<()> {
    conn.prepare_cached("UPDATE claims SET offline_since = ?2 WHERE name = ?1 AND offline_since IS NULL")?
        .execute(params![name, at.as_millisecond()])?;
    Ok(())
}

/// The name is free. A lease goes with it.
pub(super) fn forget(conn: &Connection, name: &str) -> Result<()> {
    conn.prepare_cached("DELETE FROM claims WHERE name = ?1")?.execute([name])?;
    Ok(())
}

/// Frees all names whose retention is over, and says how many. Costs nothing for those whose is not.
pub(super) fn forget_lapsed(conn: &Connection, retention: Retention, now: Timestamp) -> Result<usize> {
    let forget = |sql, kept| conn.prepare_cached(sql)?.execute([before(now, kept).as_millisecond()]);
    let keyed = "DELETE FROM claims WHERE offline_since <= ?1 AND fingerprint IS NOT NULL";
    let unkeyed = "DELETE FROM claims WHERE offline_since <= ?1 AND fingerprint IS NULL";
    Ok(forget(keyed, retention.keyed)? + forget(unkeyed, retention.unkeyed)?)
}

/// How many there are, lapsed or not.
pub(super) fn count(conn: &Connection) -> Result<u64> {
    conn.prepare_cached("SELECT claims FROM tally")?.query_row([], |row| row.get(0))
}

/// Frees a name by its operator's hand, so that a directory that runs on the database notices; false if nobody had it.
pub(super) fn release(conn: &Connection, name: &Name) -> Result<bool> {
    let gone = conn.prepare_cached("DELETE FROM claims WHERE name = ?1")?.execute([name.as_str()])?;
    if gone > 0 {
        conn.prepare_cached("UPDATE tally SET releases = releases + 1")?.execute([])?;
    }
    Ok(gone > 0)
}

/// How often names were released. It never shrinks.
pub(super) fn releases(conn: &Connection) -> Result<u64> {
    conn.prepare_cached("SELECT releases FROM tally")?.query_row([], |row| row.get(0))
}
