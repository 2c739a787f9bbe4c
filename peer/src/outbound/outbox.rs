//! The outbox: every message of the user's, written down before anything is sent, and what became of it.
//! Owns the tables `sent` and `recipients`.
//!
//! ```text
//!             ┌─ the recipient keeps it ──▶ delivered
//! queued ─────┼─ it answers "never" ──────▶ refused
//!             └─ its time runs out ───────▶ expired
//! ```

pub mod closed;

pub mod deleted;

pub mod imported;

pub mod repaired;

pub mod retried;

mod queue;

mod settled;

use std::time::Duration;

use jiff::Timestamp;
use protocol::message::Body;
use protocol::{Fingerprint, Name};
use rusqlite::{Connection, OptionalExtension as _, named_params};
use store::Store;
use uuid::Uuid;

use crate::conversations::{State, next_position};
use crate::database::Fault;
pub use queue::Next;
pub use settled::Settlement;

/// A message that the user wants to send.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Whom it is for.
    pub to: Name,
    /// The text.
    pub body: Body,
}

/// A message that was written down.
#[derive(Debug, Clone)]
pub struct Queued {
    /// Its place in the listings, and its handle here.
    pub position: i64,
    /// Its id.
    pub id: Uuid,
    /// Whom it is for.
    pub to: Name,
    /// How many tries to reach the recipient had failed when it was written.
    pub failures_before: u64,
}

/// What became of a message so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Where it is.
    pub state: State,
    /// Why it is there.
    pub reason: Option<String>,
    /// How many tries to reach its recipient have failed, for this or any message.
    pub failures: u64,
    /// The key that answered at the last try where another was expected, while the message waits for its recipient.
    pub other_key: Option<Fingerprint>,
}

/// A recipient for whom something waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its name.
    pub name: Name,
    /// It grows when the user writes, or has messages tried again.
    pub asked: u64,
}

/// Messages whose time has run out, the oldest first.
const EXPIRE: &str = "UPDATE sent SET state = 'expired', reason = coalesce(reason, 'the recipient was not reached in time')
     WHERE position IN (SELECT position FROM sent WHERE state = 'queued' AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2)
     RETURNING to_name, seq";
/// No more messages expire in one commit.
pub const EXPIRED_AT_ONCE: usize = 1_000;

/// The messages that this peer sends.
#[derive(Clone)]
pub struct Outbox {
    store: Store,
    own_key: Fingerprint,
}

impl Outbox {
    /// The outbox in this database, of whoever has this key now.
    #[must_use]
    pub fn new(store: Store, own_key: Fingerprint) -> Self {
        Self { store, own_key }
    }

    /// Those for whom something waits. Blocks; the cost grows with the recipients, not with the messages.
    pub fn waiting(&self) -> Result<Vec<Waiting>, Fault> {
        let rows: Vec<(String, u64)> = self.store.read(|connection| {
            connection
                .prepare_cached(
                    "WITH RECURSIVE waiting (name) AS (
                         SELECT min(to_name) FROM sent WHERE state = 'queued'
                         UNION ALL
                         SELECT (SELECT min(to_name) FROM sent WHERE state = 'queued' AND to_name > waiting.name)
                         FROM waiting WHERE waiting.name IS NOT NULL)
                     SELECT name, last_seq + retries FROM waiting JOIN recipients USING (name)",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })?;
        Ok(rows
            .into_iter()
            .filter_map(|(name, asked)| Some(Waiting { name: name.parse().ok()?, asked }))
            .collect())
    }

    /// Whether anything waits for this recipient, and how much was asked for it. Blocks.
    pub fn waiting_for(&self, name: &Name) -> Result<Option<Waiting>, Fault> {
        let asked: Option<u64> = self.store.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT last_seq + retries FROM recipients WHERE name = ?1
                     AND EXISTS (SELECT 1 FROM sent WHERE state = 'queued' AND to_name = ?1)",
                )?
                .query_row([name.as_str()], |row| row.get(0))
                .optional()
        })?;
        Ok(asked.map(|asked| Waiting { name: name.clone(), asked }))
    }

    /// Gives up on messages whose time has run out, though not on so many at once that others had to wait for that;
    /// how many there were.
    pub async fn expire(&self, now: Timestamp) -> Result<usize, Fault> {
        let write = self.store.write(move |connection| {
            let mut expire = connection.prepare_cached(EXPIRE)?;
            close_all(connection, expire.query((now.as_millisecond(), EXPIRED_AT_ONCE))?)
        });
        Ok(write.await?)
    }

    /// The key that answered in this recipient's place at the last try, if another was expected. Blocks.
    pub fn other_key(&self, to: &Name) -> Result<Option<Fingerprint>, Fault> {
        let key: Option<Option<[u8; 32]>> = self.store.read(|connection| {
            connection
                .prepare_cached("SELECT other_key FROM recipients WHERE name = ?1")?
                .query_row([to.as_str()], |row| row.get(0))
                .optional()
        })?;
        Ok(key.flatten().map(Fingerprint::from_bytes))
    }

    /// What became of a message so far; one that was deleted meanwhile counts as expired. Blocks.
    pub fn standing(&self, position: i64) -> Result<Standing, Fault> {
        let standing = self.store.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT state, CASE state WHEN 'queued' THEN coalesce(reason, last_error) ELSE reason END, failures,
                            CASE state WHEN 'queued' THEN other_key END
                     FROM sent JOIN recipients ON name = to_name WHERE position = ?1",
                )?
                .query_row([position], |row| {
                    Ok(Standing {
                        state: row.get(0)?,
                        reason: row.get(1)?,
                        failures: row.get(2)?,
                        other_key: row.get::<_, Option<[u8; 32]>>(3)?.map(Fingerprint::from_bytes),
                    })
                })
                .optional()
        })?;
        Ok(standing.unwrap_or_else(|| Standing {
            state: State::Expired,
            reason: Some(reason!("it was deleted here before it was delivered")),
            failures: 0,
            other_key: None,
        }))
    }
}

/// How a message may be delivered.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// For how long.
    pub lifetime: Duration,
    /// Whether to anyone, where the recipient cannot be checked.
    pub insecure: bool,
}

/// Writes a message down, in the transaction that needs it.
pub fn enqueue(
    connection: &Connection,
    from: &Name,
    draft: &Draft,
    now: Timestamp,
    terms: Terms,
) -> rusqlite::Result<Queued> {
    let (seq, failures_before): (u64, u64) = connection
        .prepare_cached(
            "INSERT INTO recipients (name, last_seq) VALUES (?1, 1)
             ON CONFLICT (name) DO UPDATE SET last_seq = last_seq + 1 RETURNING last_seq, failures",
        )?
        .query_row([draft.to.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let position = next_position(connection)?;
    let id = Uuid::now_v7();
    connection
        .prepare_cached(
            "INSERT INTO sent (position, place, id, from_name, to_name, body, sent_at, at, seq, state, expires_at, insecure)
             VALUES (:position, :position, :id, :from, :to, :body, :sent_at, :at, :seq, 'queued', :expires_at, :insecure)",
        )?
        .execute(named_params! {
            ":position": position,
            ":id": id.as_bytes(),
            ":from": from.as_str(),
            ":to": draft.to.as_str(),
            ":body": draft.body.as_str(),
            ":sent_at": now.to_string(),
            ":at": now.as_millisecond(),
            ":seq": seq,
            ":expires_at": expiry(now, terms.lifetime),
            ":insecure": terms.insecure,
        })?;
    Ok(Queued { position, id, to: draft.to.clone(), failures_before })
}

/// When a message that is queued now is given up, in milliseconds since 1970.
fn expiry(now: Timestamp, lifetime: Duration) -> i64 {
    now.saturating_add(lifetime).unwrap_or(Timestamp::MAX).as_millisecond()
}

/// Closes the numbers of messages that were just given up, a run of them at a time; how many there were.
fn close_all(connection: &Connection, mut given_up: rusqlite::Rows<'_>) -> rusqlite::Result<usize> {
    let mut count = 0;
    let mut runs = closed::Runs::default();
    while let Some(row) = given_up.next()? {
        let (to, seq): (String, u64) = (row.get(0)?, row.get(1)?);
        runs.push(to.parse().map_err(|error| unreadable(0, error))?, seq);
        count += 1;
    }
    runs.each(|to, run| closed::close(connection, to, run))?;
    Ok(count)
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

#[cfg(test)]
mod tests;
