//! What is written of running leases, and what a start makes of it, so that a stop of any kind takes nobody off the
//! list and keeps nobody on it for long.
//!
//! ```text
//!   joined, changed, renewed ──▶ graced = 0 ──start: ends = now + TTL──▶ graced = 1 ──start: ends as it was──┐
//!                                   ▲                                      │  ▲                              │
//!                                   └────────────── renewed ───────────────┘  └──────────────────────────────┘
//! ```
//!
//! Killed at any point, a directory finds one of these at its next start:
//! - A renewal that was not written yet. With `graced = 0` the lease is lengthened all the same. With `graced = 1` it
//!   ends as its grace did; since the first renewal of a quiet second is written at once, that takes a kill within the
//!   same moment.
//! - A lease that ended, still in the table. With `graced = 0` it gets its one grace; with `graced = 1` it goes, because
//!   the clock is written down until it has passed the end of every grace.
//! - No clock written since long ago. Then no lease has `graced = 1`, and none depends on the clock.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, Result};

use super::claims;
use super::clock::{self, Moment, Precision};
use super::leases::{self, Listed};
use super::online::Unwritten;
use super::registration::Now;

/// What a start finds.
#[derive(Debug)]
pub(super) struct Resumed {
    /// Where running time goes on.
    pub(super) began: Moment,
    /// The number of this run, from 1.
    pub(super) run: u32,
    pub(super) listed: Vec<Listed>,
    /// How often names had been released by then.
    pub(super) releases: u64,
}

impl Resumed {
    /// Until when the clock has to be written down.
    pub(super) fn graced_until(&self) -> Option<Moment> {
        self.listed.iter().map(|lease| lease.ends).max()
    }
}

/// Gives each lease what it is due. Once this is committed, none gets it twice.
pub(super) fn resume(conn: &Connection, wall: Timestamp, ttl: Duration) -> Result<Resumed> {
    let began = clock::resume(conn)?;
    for name in leases::end_graced(conn, began)? {
        claims::went_offline(conn, &name, wall)?;
    }
    leases::grant_grace(conn, began, ttl)?;
    clock::write(conn, began, Precision::AtLeast)?;
    let run = clock::count_start(conn)?;
    Ok(Resumed { began, run, listed: leases::all(conn)?, releases: claims::releases(conn)? })
}

/// Writes down what memory did on its own: renewals, and leases that ended.
pub(super) fn write(conn: &Connection, unwritten: &Unwritten, now: Now) -> Result<()> {
    for (name, ends) in &unwritten.renewed {
        leases::renew(conn, name, *ends)?;
    }
    for ended in &unwritten.ended {
        if leases::end(conn, &ended.name, ended.at)? {
            let ago = ended.at.until(now.running);
            claims::went_offline(conn, ended.name.as_str(), now.wall.checked_sub(ago).unwrap_or(now.wall))?;
        }
    }
    Ok(())
}

/// An empty database in memory, with every table.
#[cfg(test)]
pub(super) fn empty() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(&super::opening::SCHEMA.migrations.concat()).unwrap();
    conn.pragma_update(None, "foreign_keys", 1).unwrap();
    conn
}

#[cfg(test)]
mod tests {
    use protocol::directory::PeerRecord;

    use super::super::online::Ended;
    use super::super::token::TokenHash;
    use super::*;

    #[test]
    fn what_is_written_late_leaves_a_new_lease_alone() {
        let conn = empty();
        let at = Moment::from_sql;
        let record = PeerRecord {
            name: "ana".parse().unwrap(),
            address: "http://192.0.2.7:1".parse().unwrap(),
            fingerprint: None,
            online_since: Timestamp::UNIX_EPOCH,
        };
        let name = record.name.clone();
        claims::add(&conn, &name, &TokenHash::of(&[b'a'; 40]).unwrap(), None).unwrap();
        leases::put(&conn, &record, at(2000)).unwrap();

        let now = Now { running: at(1500), wall: Timestamp::from_second(100).unwrap() };
        let ended = vec![Ended { name: name.clone(), at: at(1000) }];
        let late = Unwritten { renewed: vec![(name.clone(), at(1000))], ended };
        write(&conn, &late, now).unwrap();
        assert_eq!(leases::by_name(&conn, &name).unwrap().map(|lease| lease.ends), Some(at(2000)));
        assert_eq!(claims::by_name(&conn, "ana").unwrap().unwrap().offline_since, None);

        let ended = vec![Ended { name: name.clone(), at: at(2000) }];
        write(&conn, &Unwritten { renewed: vec![], ended }, Now { running: at(3000), ..now }).unwrap();
        assert_eq!(leases::by_name(&conn, &name), Ok(None));
        let since = claims::by_name(&conn, "ana").unwrap().unwrap().offline_since;
        assert_eq!(since, Timestamp::from_second(99).ok(), "when it ended, not when that was written");
    }
}
