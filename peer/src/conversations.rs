//! Conversations: what was received and sent, as one list in the order of its positions. Owns the table `positions`;
//! reads across tables through the view `messages`, and writes to neither side.

use std::ops::ControlFlow;

use jiff::Timestamp;
use protocol::{Fingerprint, Name};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, Row, ToSql, named_params};
use store::Store;
use uuid::Uuid;

use crate::database::Fault;

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To this peer.
    Received,
    /// From this peer.
    Sent,
}

/// What became of a message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Written down, and waiting for its recipient.
    Queued,
    /// The recipient has answered that it keeps the message.
    Delivered,
    /// The recipient has answered that it never will.
    Refused,
    /// Its time ran out before the recipient was reached.
    Expired,
}

impl State {
    /// Every state, as they are listed in help.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Delivered, Self::Refused, Self::Expired];

    /// The word for it, the same in the database, in JSON and on the screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Self::ALL.into_iter().find(|state| state.word() == word).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(self.word().into())
    }
}

impl Direction {
    /// The word for it, the same in the database and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
        }
    }
}

/// A message as it was kept. Names are text here: what was once accepted is shown, whatever the rules say today.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its place in every listing of this peer.
    pub position: i64,
    /// The message's id.
    pub id: Uuid,
    /// Which way it went.
    pub direction: Direction,
    /// Who says that they wrote it.
    pub from: String,
    /// Whom it is for.
    pub to: String,
    /// The text.
    pub body: String,
    /// When it was written, by the sender's clock.
    pub sent_at: Option<Timestamp>,
    /// When it was kept, by the receiver's clock.
    pub received_at: Option<Timestamp>,
    /// Whether the sender proved to hold the key of the name.
    pub verified: bool,
    /// The key that the other side proved to hold.
    pub fingerprint: Option<Fingerprint>,
    /// The sender's count.
    pub seq: Option<u64>,
    /// Whether it was shown to the user; only what was received.
    pub read: Option<bool>,
    /// What became of it; only what was sent.
    pub state: Option<State>,
    /// Why it is where it is; only what was sent.
    pub reason: Option<String>,
    /// How often it was handed over; only what was sent.
    pub tries: Option<u32>,
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
    /// Only what was sent and came to this.
    pub state: Option<State>,
    /// Only what stands behind this position.
    pub after: i64,
    /// Only what stands at this position or before it.
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

    /// Shows each message of the query to `show`, oldest first, on one snapshot, until it breaks off. Blocks.
    pub fn each<B>(
        &self,
        query: &Query,
        mut show: impl FnMut(Entry) -> ControlFlow<B>,
    ) -> Result<Option<B>, Fault> {
        let sql = sql_of(query);
        Ok(self.store.read(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(named_params! {
                ":partner": query.partner.as_ref().map(Name::as_str),
                ":state": query.state,
                ":after": query.after,
                ":up_to": query.up_to.unwrap_or(i64::MAX),
                ":last": query.last,
            })?;
            while let Some(row) = rows.next()? {
                if let ControlFlow::Break(end) = show(entry(row)?) {
                    return Ok(Some(end));
                }
            }
            Ok(None)
        })?)
    }

    /// The messages of the query, oldest first. Blocks.
    pub fn list(&self, query: &Query) -> Result<Vec<Entry>, Fault> {
        let mut entries = Vec::new();
        self.each(query, |entry| {
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

/// Gives the next position, in the transaction that stores the message.
pub fn next_position(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("UPDATE positions SET last = last + 1 RETURNING last")?
        .query_row([], |row| row.get(0))
}

/// Only fixed text becomes SQL; every value is bound. Conditions that do not apply are left out, so that those
/// which do can use their index; the parameters are all named somewhere, since SQLite refuses to bind others.
fn sql_of(query: &Query) -> String {
    let mut sql = String::from("SELECT * FROM messages WHERE position > :after AND position <= :up_to");
    let conditions = [
        (query.direction == Some(Direction::Received), " AND direction = 'received'"),
        (query.direction == Some(Direction::Sent), " AND direction = 'sent'"),
        (query.unread, " AND direction = 'received' AND read = 0"),
    ];
    for (applies, condition) in conditions {
        if applies {
            sql.push_str(condition);
        }
    }
    sql.push_str(if query.partner.is_some() { " AND partner = :partner" } else { " AND :partner IS NULL" });
    sql.push_str(if query.state.is_some() { " AND state = :state" } else { " AND :state IS NULL" });
    if query.last.is_some() {
        format!("SELECT * FROM ({sql} ORDER BY position DESC LIMIT :last) ORDER BY position")
    } else {
        sql + " AND :last IS NULL ORDER BY position"
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let direction: String = row.get("direction")?;
    let fingerprint: Vec<u8> = row.get("fingerprint")?;
    let id: [u8; 16] = row.get("id")?;
    Ok(Entry {
        position: row.get("position")?,
        id: Uuid::from_bytes(id),
        direction: if direction == Direction::Sent.word() { Direction::Sent } else { Direction::Received },
        from: row.get("from_name")?,
        to: row.get("to_name")?,
        body: row.get("body")?,
        sent_at: timestamp(row.get("sent_at")?),
        received_at: timestamp(row.get("received_at")?),
        verified: row.get("verified")?,
        fingerprint: fingerprint.try_into().ok().map(Fingerprint::from_bytes),
        seq: row.get("seq")?,
        read: row.get("read")?,
        state: row.get("state")?,
        reason: row.get("reason")?,
        tries: row.get("tries")?,
    })
}

/// A time as it was stored by this program.
fn timestamp(text: Option<String>) -> Option<Timestamp> {
    text.and_then(|text| text.parse().ok())
}
