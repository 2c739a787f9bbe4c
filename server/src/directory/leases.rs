//! The table `leases`: who is online, until when, and whether a restart has lengthened it. While the directory runs,
//! memory knows better: renewals reach the table a little later.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use protocol::directory::PeerRecord;
use protocol::{Fingerprint, Name};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use super::claims::timestamp;
use super::clock::Moment;
use super::token::TokenHash;

/// A lease as the table has it, for who wants to know whether it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) online_since: Timestamp,
    pub(super) ends: Moment,
}

/// A lease with its claim, as memory holds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) record: PeerRecord,
    pub(super) token: TokenHash,
    pub(super) ends: Moment,
}

pub(super) fn by_name(conn: &Connection, name: &Name) -> Result<Option<Written>> {
    conn.prepare_cached("SELECT online_since, ends_ms FROM leases WHERE name = ?1")?
        .query_row([name.as_str()], |row| {
            Ok(Written { online_since: timestamp(row.get(0)?), ends: Moment::from_sql(row.get(1)?) })
        })
        .optional()
}

/// Begins a lease, or puts another in its place. No restart has lengthened it.
pub(super) fn put(conn: &Connection, record: &PeerRecord, ends: Moment) -> Result<()> {
    let sql = "INSERT INTO leases (name, address, online_since, ends_ms, graced) VALUES (?1, ?2, ?3, ?4, 0)
        ON CONFLICT (name) DO UPDATE SET address = excluded.address, online_since = excluded.online_since,
            ends_ms = excluded.ends_ms, graced = 0";
    let since = record.online_since.as_millisecond();
    conn.prepare_cached(sql)?.execute(params![
        record.name.as_str(),
        record.address.to_string(),
        since,
        ends.to_sql()
    ])?;
    Ok(())
}

/// Writes down a renewal that memory granted. A lease that was given up or begun anew meanwhile stays as it is.
pub(super) fn renew(conn: &Connection, name: &Name, ends: Moment) -> Result<()> {
    conn.prepare_cached("UPDATE leases SET ends_ms = ?2, graced = 0 WHERE name = ?1 AND ends_ms <= ?2")?
        .execute(params![name.as_str(), ends.to_sql()])?;
    Ok(())
}

/// Removes a lease that ended at `end`; false if there is none, or one that was begun anew meanwhile.
pub(super) fn end(conn: &Connection, name: &Name, end: Moment) -> Result<bool> {
    let gone = conn
        .prepare_cached("DELETE FROM leases WHERE name = ?1 AND ends_ms <= ?2")?
        .execute(params![name.as_str(), end.to_sql()])?;
    Ok(gone > 0)
}

/// Removes a lease, whether it has ended or not.
pub(super) fn give_up(conn: &Connection, name: &str) -> Result<()> {
    conn.prepare_cached("DELETE FROM leases WHERE name = ?1")?.execute([name])?;
    Ok(())
}

/// At start: removes the leases that have had their grace and ended, and says whose they were.
pub(super) fn end_graced(conn: &Connection, now: Moment) -> Result<Vec<String>> {
    conn.prepare("DELETE FROM leases WHERE graced = 1 AND ends_ms <= ?1 RETURNING name")?
        .query_map([now.to_sql()], |row| row.get(0))?
        .collect()
}

/// At start: gives a whole TTL to each lease that had no grace since its last renewal, and that much at most to the
/// others: the TTL may have been shortened.
pub(super) fn grant_grace(conn: &Connection, now: Moment, ttl: Duration) -> Result<()> {
    let sql = "UPDATE leases SET ends_ms = CASE graced WHEN 1 THEN min(ends_ms, ?1) ELSE ?1 END, graced = 1";
    conn.execute(sql, [now.after(ttl).to_sql()])?;
    Ok(())
}

/// Whose token each name that is online is claimed with.
pub(super) fn holders(conn: &Connection) -> Result<HashMap<String, TokenHash>> {
    conn.prepare("SELECT name, token_hash FROM online")?
        .query_map([], |row| Ok((row.get(0)?, TokenHash::from_bytes(row.get(1)?))))?
        .collect()
}

/// All there are.
pub(super) fn all(conn: &Connection) -> Result<Vec<Listed>> {
    let sql = "SELECT name, address, fingerprint, online_since, token_hash, ends_ms FROM online";
    conn.prepare(sql)?.query_map([], listed)?.collect()
}

fn listed(row: &Row<'_>) -> Result<Listed> {
    let (name, address): (String, String) = (row.get(0)?, row.get(1)?);
    let record = PeerRecord {
        name: name.parse().map_err(|error| unreadable(0, error))?,
        address: address.parse().map_err(|error| unreadable(1, error))?,
        fingerprint: row.get::<_, Option<[u8; 32]>>(2)?.map(Fingerprint::from_bytes),
        online_since: timestamp(row.get(3)?),
    };
    Ok(Listed { record, token: TokenHash::from_bytes(row.get(4)?), ends: Moment::from_sql(row.get(5)?) })
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}
