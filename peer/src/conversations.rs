//! Conversations: what was received and sent, as one list in which each sender's messages stand in the order in which they
//! were written; or, for those who follow, in the order of storing. Owns the table `positions`; reads across tables through
//! the view `messages`, and writes to neither side.

mod arrivals;
mod entry;
mod waiting;

pub mod imported;

mod query;

pub mod words;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use jiff::Timestamp;
use protocol::Fingerprint;
use rusqlite::{Connection, OptionalExtension as _, Row};
use store::Store;
use uuid::Uuid;

use crate::database::Fault;
pub use arrivals::Arrival;
pub use entry::{Direction, Entry, State};
pub use query::{Bound, Query, Spot, Trust};
pub use waiting::{Waiting, last_received, waiting};

/// How many messages are read at a time.
const PAGE: usize = 500;

/// Where what is shown with a time from this one on begins, and where what is shown with an earlier one ends. Neither reads a
/// message, but each all entries of an index on that side of the time, since clocks are not in the order of listings: a
/// millisecond for some 20,000 of them.
const FIRST_SINCE: &str = "SELECT min(place) FROM times WHERE at >= ?1";
const LAST_BEFORE: &str = "SELECT max(place) FROM times WHERE at < ?1";

/// All that have an id.
const WITH_ID: &str =
    "SELECT * FROM messages WHERE position IN (SELECT position FROM identified WHERE id = ?1)
                       ORDER BY position";

/// Everything that this peer keeps, to be read.
#[derive(Clone)]
pub struct Conversations {
    store: Store,
}

impl Conversations {
    /// The conversations in this database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Shows each message of the query to `show`, in the order of listings, until it breaks off. What is stored meanwhile is
    /// not among them. Blocks; no snapshot is held while something is shown, however long that takes.
    pub fn each<B>(
        &self,
        query: &Query,
        show: impl FnMut(Entry) -> ControlFlow<B>,
    ) -> Result<Option<B>, Fault> {
        self.each_by_pages(query, PAGE, show)
    }

    fn each_by_pages<B>(
        &self,
        query: &Query,
        size: usize,
        mut show: impl FnMut(Entry) -> ControlFlow<B>,
    ) -> Result<Option<B>, Fault> {
        let query = Query { up_to: Some(query.up_to.unwrap_or(self.last_position()?)), ..query.clone() };
        let mut behind = self.beginning(&query)?;
        let top = self.top(&query)?;
        if let Some(last) = query.last {
            behind = self.before_the_last(&query, behind, top, last)?;
        }
        loop {
            let page = self.page(&query, behind, top, size)?;
            let is_last = page.len() < size;
            for (entry, spot) in page {
                behind = spot;
                if let ControlFlow::Break(end) = show(entry) {
                    return Ok(Some(end));
                }
            }
            if is_last {
                return Ok(None);
            }
        }
    }

    /// The messages of the query that were stored behind this position, in the order of storing, as many as make a page.
    /// Blocks.
    pub fn stored_since(&self, query: &Query, position: i64) -> Result<Vec<Entry>, Fault> {
        let sql = query::since(query);
        let mut values = query::filter_values(query);
        values.push((":since", position.into()));
        Ok(self.store.read(|connection| {
            connection.prepare_cached(&sql)?.query_map(&*values, Entry::read)?.collect()
        })?)
    }

    /// The first messages of the query that are listed behind this spot, at most `size`.
    fn page(&self, query: &Query, behind: Spot, top: i64, size: usize) -> Result<Vec<(Entry, Spot)>, Fault> {
        let sql = query::listing(query, size);
        let values = query::values(query, behind, top);
        Ok(self.store.read(|connection| {
            let read = |row: &Row<'_>| Ok((Entry::read(row)?, Spot::read(row)?));
            connection.prepare_cached(&sql)?.query_map(&*values, read)?.collect()
        })?)
    }

    /// How many messages a query that asks for those that fit leaves out because they do not. Blocks.
    pub fn set_aside(&self, query: &Query) -> Result<u64, Fault> {
        let others = Query { trust: Trust::Unverified, last: None, ..query.clone() };
        let values = query::values(&others, self.beginning(&others)?, self.top(&others)?);
        Ok(self.store.read(|connection| {
            connection.prepare_cached(&query::aside(&others))?.query_row(&*values, |row| row.get(0))
        })?)
    }

    /// The spot behind which the query begins.
    fn beginning(&self, query: &Query) -> Result<Spot, Fault> {
        match query.since {
            None => Ok(Spot::FIRST),
            Some(Bound::Message(spot)) => Ok(spot),
            Some(Bound::Time(time)) => {
                let first = self.place(FIRST_SINCE, time)?;
                Ok(Spot::before_place(first.unwrap_or(i64::MAX)))
            }
        }
    }

    /// The last place of the query. What was stored later has no lower place than the next message of its sender.
    fn top(&self, query: &Query) -> Result<i64, Fault> {
        let up_to = query.up_to.unwrap_or(i64::MAX);
        match query.before {
            Some(Bound::Time(time)) => Ok(self.place(LAST_BEFORE, time)?.unwrap_or(i64::MIN).min(up_to)),
            _ => Ok(up_to),
        }
    }

    fn place(&self, sql: &str, time: Timestamp) -> Result<Option<i64>, Fault> {
        let time = query::in_milliseconds(time);
        Ok(self
            .store
            .read(|connection| connection.prepare_cached(sql)?.query_row([time], |row| row.get(0)))?)
    }

    /// The spot behind which the last so many messages of the query are listed.
    fn before_the_last(&self, query: &Query, behind: Spot, top: i64, last: u32) -> Result<Spot, Fault> {
        let sql = query::listing_backwards(query);
        let mut values = query::values(query, behind, top);
        values.push((":last", last.into()));
        let before = self
            .store
            .read(|connection| connection.prepare_cached(&sql)?.query_row(&*values, Spot::read).optional())?;
        Ok(before.unwrap_or(behind))
    }

    /// Every message with this id, and where it is listed. Blocks.
    pub fn with_id(&self, id: Uuid) -> Result<Vec<(Entry, Spot)>, Fault> {
        Ok(self.store.read(|connection| {
            let mut select = connection.prepare_cached(WITH_ID)?;
            let read = |row: &Row<'_>| Ok((Entry::read(row)?, Spot::read(row)?));
            select.query_map([id.as_bytes()], read)?.collect()
        })?)
    }

    /// All messages of the query, as they are listed: for tests, since a history may be longer than memory.
    #[cfg(test)]
    pub fn list(&self, query: &Query) -> Result<Vec<Entry>, Fault> {
        self.list_by_pages(query, PAGE)
    }

    /// The same, so many at a time.
    #[cfg(test)]
    pub fn list_by_pages(&self, query: &Query, size: usize) -> Result<Vec<Entry>, Fault> {
        let mut entries = Vec::new();
        self.each_by_pages(query, size, |entry| {
            entries.push(entry);
            ControlFlow::<()>::Continue(())
        })?;
        Ok(entries)
    }

    /// The highest position given so far.
    pub fn last_position(&self) -> Result<i64, Fault> {
        Ok(self.store.read(last_position)?)
    }
}

/// The highest position given so far.
pub fn last_position(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT last FROM positions")?.query_row([], |row| row.get(0))
}

/// Positions being given, in the transaction that stores the messages. They count once they are [written](Self::write).
#[derive(Debug)]
pub struct Positions {
    written: i64,
    last: i64,
}

impl Positions {
    /// Those behind the last one given so far.
    pub fn begin(connection: &Connection) -> rusqlite::Result<Self> {
        let last = last_position(connection)?;
        Ok(Self { written: last, last })
    }

    /// Gives the next one.
    pub fn give(&mut self) -> i64 {
        self.last += 1;
        self.last
    }

    /// Writes which one was the last.
    pub fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        if self.last > self.written {
            connection.prepare_cached("UPDATE positions SET last = ?1")?.execute([self.last])?;
        }
        Ok(())
    }
}

/// The last listed message of each key that anything was received from.
pub fn last_of_each_key(connection: &Connection) -> rusqlite::Result<BTreeMap<Fingerprint, i64>> {
    let mut select = connection.prepare(
        "SELECT fingerprint, position FROM messages WHERE direction = 'received' AND fingerprint <> x''
         ORDER BY place, seq, position",
    )?;
    let rows =
        select.query_map([], |row| Ok((Fingerprint::from_bytes(row.get(0)?), row.get::<_, i64>(1)?)))?;
    rows.collect()
}

/// Gives the next position, in the transaction that stores the message.
pub fn next_position(connection: &Connection) -> rusqlite::Result<i64> {
    let mut positions = Positions::begin(connection)?;
    let position = positions.give();
    positions.write(connection)?;
    Ok(position)
}

#[cfg(test)]
mod tests;
