//! Conversations: what was received and sent, as one list in the order of its positions. Owns the table `positions`;
//! reads across tables through the view `messages`, and writes to neither side.

mod entry;

use std::ops::ControlFlow;

use protocol::Name;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _};
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

    /// Shows each message of the query to `show`, oldest first, until it breaks off. What is stored meanwhile is not
    /// among them. Blocks; no snapshot is held while something is shown, however long that takes.
    pub fn each<B>(
        &self,
        query: &Query,
        mut show: impl FnMut(Entry) -> ControlFlow<B>,
    ) -> Result<Option<B>, Fault> {
        let up_to = query.up_to.unwrap_or(self.last_position()?);
        let mut query = Query { up_to: Some(up_to), ..query.clone() };
        if let Some(last) = query.last.take() {
            query.after = self.before_the_last(&query, last)?;
        }
        loop {
            let page = self.page(&query)?;
            let is_last = page.len() < PAGE;
            for entry in page {
                query.after = entry.position;
                if let ControlFlow::Break(end) = show(entry) {
                    return Ok(Some(end));
                }
            }
            if is_last {
                return Ok(None);
            }
        }
    }

    /// The first messages of the query, oldest first, as many as make a page. Blocks.
    pub fn page(&self, query: &Query) -> Result<Vec<Entry>, Fault> {
        let sql = format!("SELECT * FROM messages {} ORDER BY position LIMIT {PAGE}", conditions(query));
        Ok(self.store.read(|connection| {
            connection.prepare_cached(&sql)?.query_map(&*values(query), Entry::read)?.collect()
        })?)
    }

    /// How many messages a query that asks for those that fit leaves out because they do not. Blocks.
    pub fn set_aside(&self, query: &Query) -> Result<u64, Fault> {
        let others = Query { trust: Trust::Unverified, last: None, ..query.clone() };
        let sql = format!("SELECT count(*) FROM messages {} AND aside = 1", conditions(&others));
        Ok(self.store.read(|connection| {
            connection.prepare_cached(&sql)?.query_row(&*values(&others), |row| row.get(0))
        })?)
    }

    /// The position behind which the last so many messages of the query stand.
    fn before_the_last(&self, query: &Query, last: u32) -> Result<i64, Fault> {
        let sql = format!(
            "SELECT position FROM messages {} ORDER BY position DESC LIMIT 1 OFFSET {last}",
            conditions(query)
        );
        let before = self.store.read(|connection| {
            connection.prepare_cached(&sql)?.query_row(&*values(query), |row| row.get(0)).optional()
        })?;
        Ok(before.unwrap_or(query.after))
    }

    /// All messages of the query, oldest first: for tests, since a history may be longer than memory.
    #[cfg(test)]
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
///
/// In two statements: for `RETURNING` SQLite sets up a table of its own each time, and a message that is received took
/// 61 µs of CPU instead of 44 (64 senders).
pub fn next_position(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("UPDATE positions SET last = last + 1")?.execute([])?;
    connection.prepare_cached("SELECT last FROM positions")?.query_row([], |row| row.get(0))
}

/// Only fixed text becomes SQL; what was typed is bound. Conditions that do not apply are left out, so that those which
/// do can use their index.
fn conditions(query: &Query) -> String {
    let mut sql = String::from("WHERE position > :after AND position <= :up_to");
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
        sql.push_str(" AND partner = :partner");
    }
    if let Some(state) = query.state {
        sql.extend([" AND state = '", state.word(), "'"]);
    }
    sql
}

fn values(query: &Query) -> Vec<(&'static str, Value)> {
    let mut values =
        vec![(":after", Value::from(query.after)), (":up_to", Value::from(query.up_to.unwrap_or(i64::MAX)))];
    if let Some(partner) = &query.partner {
        values.push((":partner", Value::from(partner.as_str().to_owned())));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database;

    /// A database with `count` messages to and from five people, by turns.
    async fn conversations(count: i64) -> (tempfile::TempDir, Conversations) {
        let dir = tempfile::tempdir().unwrap();
        let store = database::open(dir.path()).unwrap();
        let fill = store.write(move |connection| {
            for _ in 0..count {
                let position = next_position(connection)?;
                let name = format!("p{}", position % 5);
                let sql = if position % 2 == 0 {
                    "INSERT INTO received (position, sender, id, from_name, to_name, body, received_at, source)
                     VALUES (?1, x'', randomblob(16), ?2, 'ana', 'oi', '2026-11-22T09:30:00Z', '')"
                } else {
                    "INSERT INTO sent (position, id, from_name, to_name, body, sent_at, seq, state, expires_at)
                     VALUES (?1, randomblob(16), 'ana', ?2, 'oi', '2026-11-22T09:30:00Z', 1, 'queued', 0)"
                };
                connection.execute(sql, (position, name))?;
            }
            Ok::<_, rusqlite::Error>(())
        });
        fill.await.unwrap();
        (dir, Conversations::new(store))
    }

    fn positions(conversations: &Conversations, query: &Query) -> Vec<i64> {
        conversations.list(query).unwrap().iter().map(|entry| entry.position).collect()
    }

    #[tokio::test]
    async fn a_listing_is_whole_over_all_pages() {
        let (_dir, conversations) = conversations(1_203).await;
        assert_eq!(positions(&conversations, &Query::default()), (1..=1_203).collect::<Vec<_>>());
        let sent = Query { direction: Some(Direction::Sent), ..Query::default() };
        assert_eq!(positions(&conversations, &sent), (1..=1_203).filter(|p| p % 2 == 1).collect::<Vec<_>>());
        let last = Query { last: Some(600), partner: Some("p3".parse().unwrap()), ..Query::default() };
        assert_eq!(positions(&conversations, &last), (1..=1_203).filter(|p| p % 5 == 3).collect::<Vec<_>>());
        let last = Query { last: Some(2), ..last };
        assert_eq!(positions(&conversations, &last), [1_198, 1_203]);
        assert!(positions(&conversations, &Query { last: Some(0), ..last }).is_empty());
    }

    /// A query, and the indexes by which both sides are searched, each from `position` on, or not at all.
    fn plans() -> Vec<(Query, [&'static str; 2])> {
        let somebody = || Some("p1".parse().unwrap());
        let received = Some(Direction::Received);
        let by_position = "INTEGER PRIMARY KEY";
        let (name_received, name_sent) =
            ("received_by_name (from_name=? AND position", "sent_by_name (to_name=? AND position");
        let doubted = "received_doubted (position";
        vec![
            (Query::default(), [by_position, by_position]),
            (Query { partner: somebody(), ..Query::default() }, [name_received, name_sent]),
            (
                Query { partner: somebody(), trust: Trust::Fitting, ..Query::default() },
                [name_received, name_sent],
            ),
            (Query { direction: received, ..Query::default() }, [by_position, ""]),
            (
                Query { direction: received, unread: true, ..Query::default() },
                ["received_unread (position", ""],
            ),
            (
                Query { direction: Some(Direction::Sent), partner: somebody(), ..Query::default() },
                ["", name_sent],
            ),
            (Query { trust: Trust::Unverified, ..Query::default() }, [doubted, ""]),
            (Query { trust: Trust::Unverified, direction: received, ..Query::default() }, [doubted, ""]),
            (
                Query { trust: Trust::Unverified, partner: somebody(), ..Query::default() },
                ["received_doubted_by_name (from_name=? AND position", ""],
            ),
        ]
    }

    #[tokio::test]
    async fn no_listing_sorts_or_scans_what_it_does_not_show() {
        let (_dir, conversations) = conversations(10).await;
        for (query, [received, sent]) in plans() {
            for order in ["ORDER BY position", "ORDER BY position DESC"] {
                let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM messages {} {order}", conditions(&query));
                let plan: Vec<String> = conversations
                    .store
                    .read(|connection| {
                        connection
                            .prepare(&sql)?
                            .query_map(&*values(&query), |row| row.get("detail"))?
                            .collect()
                    })
                    .unwrap();
                assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{query:?}: {plan:#?}");
                for (table, index) in [("received", received), ("sent", sent)] {
                    let searched = |step: &&String| step.starts_with(&format!("SEARCH {table} USING "));
                    let by = |step: &String| step.contains(index);
                    assert!(
                        index.is_empty() || plan.iter().find(searched).is_some_and(by),
                        "{query:?}: {plan:#?}"
                    );
                }
            }
        }
    }

    #[tokio::test]
    async fn what_is_said_under_a_name_that_has_a_key_is_listed_apart_from_what_its_key_says() {
        let (_dir, conversations) = conversations(0).await;
        let (yes, no) = (true, false);
        let fill = conversations.store.write(|connection| {
            connection.execute_batch(
                "INSERT INTO pins (name, fingerprint, kind, used_at, proved) VALUES
                     ('ana', zeroblob(32), 'contact', 0, 1), ('ana', CAST(printf('%032d', 1) AS BLOB), 'former', 0, 1),
                     ('old', zeroblob(32), 'former', 0, 1);
                 INSERT INTO received (position, sender, id, from_name, to_name, body, received_at, source) VALUES
                     (1, x'', randomblob(16), 'ana', 'rui', 'nobody', '', ''),
                     (2, zeroblob(32), randomblob(16), 'ana', 'rui', 'ana', '', ''),
                     (3, CAST(printf('%032d', 1) AS BLOB), randomblob(16), 'ana', 'rui', 'ana, before', '', ''),
                     (4, CAST(printf('%032d', 2) AS BLOB), randomblob(16), 'ana', 'rui', 'another', '', ''),
                     (5, zeroblob(32), randomblob(16), 'zé', 'rui', 'ana as zé', '', ''),
                     (6, x'', randomblob(16), 'zé', 'rui', 'nobody', '', ''),
                     (7, zeroblob(32), randomblob(16), 'old', 'rui', 'old', '', '');
                 INSERT INTO sent (position, id, from_name, to_name, body, sent_at, seq, state, expires_at) VALUES
                     (8, randomblob(16), 'rui', 'ana', 'oi', '', 1, 'queued', 0);
                 UPDATE positions SET last = 8;",
            )
        });
        fill.await.unwrap();
        let verified = [no, yes, yes, no, no, no, yes, no];
        let all = conversations.list(&Query::default()).unwrap();
        assert_eq!(all.iter().map(|entry| entry.verified).collect::<Vec<_>>(), verified);
        for (who, trust, listed, aside) in [
            (None, Trust::Fitting, &[2, 3, 5, 6, 7, 8][..], 2),
            (None, Trust::Unverified, &[1, 4, 5, 6], 2),
            (Some("ana"), Trust::Any, &[1, 2, 3, 4, 8], 2),
            (Some("ana"), Trust::Fitting, &[2, 3, 8], 2),
            (Some("ana"), Trust::Unverified, &[1, 4], 2),
            (Some("zé"), Trust::Fitting, &[5, 6], 0),
            (Some("zé"), Trust::Unverified, &[5, 6], 0),
            (Some("old"), Trust::Fitting, &[7], 0),
            (Some("old"), Trust::Unverified, &[], 0),
        ] {
            let partner = who.map(|who| who.parse().unwrap());
            let query = Query { partner, trust, ..Query::default() };
            assert_eq!(positions(&conversations, &query), listed, "{query:?}");
            assert_eq!(conversations.set_aside(&query).unwrap(), aside, "{query:?}");
        }
        let unread = crate::inbound::inbox::Inbox::new(conversations.store.clone()).unread().unwrap();
        let expected = [("ana", 2), ("old", 1), ("zé", 2)].map(|(name, count)| (name.to_owned(), count));
        assert_eq!(unread, expected.into());
    }
}
