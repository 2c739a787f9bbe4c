//! Conversations: what was received and sent, as one list in which each sender's messages stand in the order in which they
//! were written; or, for those who follow, in the order of storing. Owns the table `positions`; reads across tables through
//! the view `messages`, and writes to neither side.

mod entry;

use std::ops::ControlFlow;

use protocol::Name;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row};
use store::Store;

use crate::database::Fault;
pub use entry::{Direction, Entry, State};

/// How many messages are read at a time.
const PAGE: usize = 500;

/// Which messages to list, by whether it is known who they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// All of them.
    #[default]
    Any,
    /// All but those under a name that has a key, from somebody who did not prove to hold it.
    Fitting,
    /// Those received from somebody who did not prove to hold a key that the name has or had.
    Unverified,
}

/// Which messages to list. Everything, if nothing is asked for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only this way.
    pub direction: Option<Direction>,
    /// Only with this name on the other side.
    pub partner: Option<Name>,
    /// Only what was received and not shown yet.
    pub unread: bool,
    /// Only what is trusted, or not trusted, so far.
    pub trust: Trust,
    /// Only what was sent and came to this.
    pub state: Option<State>,
    /// Only what was stored up to this position.
    pub up_to: Option<i64>,
    /// Only the last so many.
    pub last: Option<u32>,
}

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
        let up_to = query.up_to.unwrap_or(self.last_position()?);
        let query = Query { up_to: Some(up_to), ..query.clone() };
        let mut behind = query.last.map_or(Ok(Spot::default()), |last| self.before_the_last(&query, last))?;
        loop {
            let page = self.page(&query, behind, size)?;
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
        let sql = since(query);
        let mut values = values(query);
        values.push((":since", position.into()));
        Ok(self.store.read(|connection| {
            connection.prepare_cached(&sql)?.query_map(&*values, Entry::read)?.collect()
        })?)
    }

    /// The first messages of the query that are listed behind this spot, at most `size`.
    fn page(&self, query: &Query, behind: Spot, size: usize) -> Result<Vec<(Entry, Spot)>, Fault> {
        let sql = listing(query, size);
        let values = [values(query), behind.values()].concat();
        Ok(self.store.read(|connection| {
            let read = |row: &Row<'_>| Ok((Entry::read(row)?, Spot::read(row)?));
            connection.prepare_cached(&sql)?.query_map(&*values, read)?.collect()
        })?)
    }

    /// How many messages a query that asks for those that fit leaves out because they do not. Blocks.
    pub fn set_aside(&self, query: &Query) -> Result<u64, Fault> {
        let others = Query { trust: Trust::Unverified, last: None, ..query.clone() };
        let sql =
            format!("SELECT count(*) FROM messages WHERE {} AND aside = 1", conditions(&others, "partner"));
        Ok(self.store.read(|connection| {
            connection.prepare_cached(&sql)?.query_row(&*values(&others), |row| row.get(0))
        })?)
    }

    /// The spot behind which the last so many messages of the query are listed.
    fn before_the_last(&self, query: &Query, last: u32) -> Result<Spot, Fault> {
        let sql = listing_backwards(query);
        let mut values = values(query);
        values.push((":last", last.into()));
        let before = self
            .store
            .read(|connection| connection.prepare_cached(&sql)?.query_row(&*values, Spot::read).optional())?;
        Ok(before.unwrap_or_default())
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
        Ok(self.store.read(|connection| {
            connection.prepare_cached("SELECT last FROM positions")?.query_row([], |row| row.get(0))
        })?)
    }
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
        let last =
            connection.prepare_cached("SELECT last FROM positions")?.query_row([], |row| row.get(0))?;
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

/// Gives the next position, in the transaction that stores the message.
pub fn next_position(connection: &Connection) -> rusqlite::Result<i64> {
    let mut positions = Positions::begin(connection)?;
    let position = positions.give();
    positions.write(connection)?;
    Ok(position)
}

/// A spot in the order of listings: that of a message, or the one before all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Spot {
    place: i64,
    /// 0 where the sender does not count: nothing else stands in such a place.
    seq: i64,
    position: i64,
}

impl Spot {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            place: row.get("place")?,
            seq: row.get::<_, Option<i64>>("seq")?.unwrap_or(0),
            position: row.get("position")?,
        })
    }

    fn values(self) -> Vec<(&'static str, Value)> {
        vec![(":place", self.place.into()), (":seq", self.seq.into()), (":position", self.position.into())]
    }
}

/// One page of a listing. `behind` says nothing new; it is where the search for what was sent begins.
fn listing(query: &Query, size: usize) -> String {
    format!(
        "SELECT * FROM messages WHERE {} AND behind >= :place AND (place, seq, position) > (:place, :seq, :position)
         ORDER BY place, seq, position LIMIT {size}",
        conditions(query, "partner")
    )
}

/// The spot of the message before the last so many.
fn listing_backwards(query: &Query) -> String {
    format!(
        "SELECT place, seq, position FROM messages WHERE {}
         ORDER BY place DESC, seq DESC, position DESC LIMIT 1 OFFSET :last",
        conditions(query, "partner")
    )
}

/// One page of what was stored since. The plus keeps SQLite from sorting all that was ever said to or by one name.
fn since(query: &Query) -> String {
    format!(
        "SELECT * FROM messages WHERE {} AND position > :since ORDER BY position LIMIT {PAGE}",
        conditions(query, "+partner")
    )
}

/// Only fixed text becomes SQL; what was typed is bound. Conditions that do not apply are left out, so that those which
/// do can use their index; and `position`, by which nothing is listed, is not to be searched by.
fn conditions(query: &Query, partner: &str) -> String {
    let mut sql = String::from("place <= :up_to AND +position <= :up_to");
    match query.direction {
        Some(Direction::Received) => sql.push_str(" AND direction = 'received'"),
        Some(Direction::Sent) => sql.push_str(" AND direction = 'sent'"),
        None => {}
    }
    if query.unread {
        sql.push_str(" AND direction = 'received' AND read = 0");
    }
    match query.trust {
        Trust::Any => {}
        Trust::Fitting => sql.push_str(" AND aside = 0"),
        // `doubted` is what an index knows, and holds for each that is not verified.
        Trust::Unverified => sql.push_str(" AND direction = 'received' AND doubted = 1 AND verified = 0"),
    }
    if query.partner.is_some() {
        sql.extend([" AND ", partner, " = :partner"]);
    }
    if let Some(state) = query.state {
        sql.extend([" AND state = '", state.word(), "'"]);
        if state != State::Delivered {
            // What an index knows.
            sql.push_str(" AND state <> 'delivered'");
        }
    }
    sql
}

fn values(query: &Query) -> Vec<(&'static str, Value)> {
    let mut values = vec![(":up_to", Value::from(query.up_to.unwrap_or(i64::MAX)))];
    if let Some(partner) = &query.partner {
        values.push((":partner", Value::from(partner.as_str().to_owned())));
    }
    values
}

#[cfg(test)]
mod tests;
