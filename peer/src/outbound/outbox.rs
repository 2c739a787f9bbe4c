//! The outbox: every message of the user's, written down before anything is sent, and what became of it.
//! Owns the tables `sent` and `recipients`.
//!
//! ```text
//!             ┌─ the recipient keeps it ──▶ delivered
//! queued ─────┼─ it answers "never" ──────▶ refused
//!             └─ its time runs out ───────▶ expired
//! ```

pub mod closed;

pub mod retried;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use protocol::message::{Body, Message, Ranges};
use protocol::{Fingerprint, Name};
use rusqlite::{Connection, OptionalExtension as _, named_params};
use store::Store;
use uuid::Uuid;

use crate::conversations::{State, next_position};
use crate::database::Fault;

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

/// The oldest message that waits for a recipient.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Its handle here.
    pub position: i64,
    /// The message as it is handed over.
    pub message: Message,
    /// After this it is not handed over any more.
    pub expires_at: Timestamp,
    /// Where the recipient cannot be checked, anyone may have it: the user has said so.
    pub insecure: bool,
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

/// The messages that this peer sends.
#[derive(Clone)]
pub struct Outbox {
    store: Store,
}

impl Outbox {
    /// The outbox in this database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
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

    /// The oldest message that waits for this recipient. Blocks.
    pub fn oldest(&self, to: &Name) -> Result<Option<Pending>, Fault> {
        Ok(self.store.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT position, id, from_name, body, sent_at, seq, reply_to, expires_at, insecure
                     FROM sent WHERE state = 'queued' AND to_name = ?1 ORDER BY position LIMIT 1",
                )?
                .query_row([to.as_str()], |row| pending(row, to))
                .optional()
        })?)
    }

    /// The recipient keeps the message since `received_at`, by its own clock. `key` is the one that it had to prove to hold.
    pub async fn delivered(
        &self,
        position: i64,
        received_at: Timestamp,
        key: Option<Fingerprint>,
    ) -> Result<(), Fault> {
        let received_at = received_at.to_string();
        let write = self.store.write(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE sent SET state = 'delivered', received_at = ?2, delivered_to = ?3, reason = NULL,
                                     tries = tries + 1
                     WHERE position = ?1 AND state = 'queued'",
                )?
                .execute((position, received_at, key.as_ref().map(Fingerprint::as_bytes)))?;
            connection
                .prepare_cached(
                    "UPDATE recipients SET last_error = NULL, other_key = NULL
                     WHERE name = (SELECT to_name FROM sent WHERE position = ?1)
                       AND (last_error IS NOT NULL OR other_key IS NOT NULL)",
                )?
                .execute([position])
        });
        write.await?;
        Ok(())
    }

    /// The recipient will never keep the message.
    pub async fn refused(&self, position: i64, reason: String) -> Result<(), Fault> {
        let write = self.store.write(move |connection| {
            let mut refuse = connection.prepare_cached(
                "UPDATE sent SET state = 'refused', reason = ?2, tries = tries + 1
                 WHERE position = ?1 AND state = 'queued' RETURNING to_name, seq",
            )?;
            close_all(connection, refuse.query((position, reason))?)?;
            connection
                .prepare_cached(
                    "UPDATE recipients SET other_key = NULL
                     WHERE name = (SELECT to_name FROM sent WHERE position = ?1) AND other_key IS NOT NULL",
                )?
                .execute([position])
        });
        write.await?;
        Ok(())
    }

    /// The message could not be handed over this time; perhaps since this other key answered in its recipient's place.
    pub async fn postponed(
        &self,
        to: &Name,
        position: i64,
        reason: String,
        other_key: Option<Fingerprint>,
    ) -> Result<(), Fault> {
        let to = to.clone();
        let write = self.store.write(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE sent SET reason = ?2, tries = tries + 1 WHERE position = ?1 AND state = 'queued'",
                )?
                .execute((position, &reason))?;
            connection
                .prepare_cached(
                    "UPDATE recipients SET failures = failures + 1, last_error = ?2, other_key = ?3 WHERE name = ?1",
                )?
                .execute((to.as_str(), &reason, other_key.as_ref().map(Fingerprint::as_bytes)))
        });
        write.await?;
        Ok(())
    }

    /// Gives up on every message whose time has run out; how many there were.
    pub async fn expire(&self, now: Timestamp) -> Result<usize, Fault> {
        let write = self.store.write(move |connection| {
            let mut expire = connection.prepare_cached(
                "UPDATE sent SET state = 'expired', reason = coalesce(reason, 'the recipient was not reached in time')
                 WHERE state = 'queued' AND expires_at <= ?1 RETURNING to_name, seq",
            )?;
            close_all(connection, expire.query([now.as_millisecond()])?)
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

    /// What became of a message so far. Blocks.
    pub fn standing(&self, position: i64) -> Result<Standing, Fault> {
        Ok(self.store.read(|connection| {
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
        })?)
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
            "INSERT INTO sent (position, id, from_name, to_name, body, sent_at, seq, state, expires_at, insecure)
             VALUES (:position, :id, :from, :to, :body, :sent_at, :seq, 'queued', :expires_at, :insecure)",
        )?
        .execute(named_params! {
            ":position": position,
            ":id": id.as_bytes(),
            ":from": from.as_str(),
            ":to": draft.to.as_str(),
            ":body": draft.body.as_str(),
            ":sent_at": now.to_string(),
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
    let mut runs: BTreeMap<String, Vec<closed::Range>> = BTreeMap::new();
    while let Some(row) = given_up.next()? {
        let (to, seq): (String, u64) = (row.get(0)?, row.get(1)?);
        let runs = runs.entry(to).or_default();
        match runs.last_mut() {
            Some(run) if run.1 + 1 == seq => run.1 = seq,
            _ => runs.push((seq, seq)),
        }
        count += 1;
    }
    for (to, runs) in runs {
        let Ok(to) = to.parse() else { continue };
        runs.into_iter().try_for_each(|run| closed::close(connection, &to, run))?;
    }
    Ok(count)
}

fn pending(row: &rusqlite::Row<'_>, to: &Name) -> rusqlite::Result<Pending> {
    let (id, reply_to): ([u8; 16], Option<[u8; 16]>) = (row.get(1)?, row.get(6)?);
    let (from, body, sent_at): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
    let expires_at: i64 = row.get(7)?;
    Ok(Pending {
        position: row.get(0)?,
        message: Message {
            id: Some(Uuid::from_bytes(id)),
            from: from.parse().map_err(|error| unreadable(2, error))?,
            to: Some(to.clone()),
            body: Body::try_from(body).map_err(|error| unreadable(3, error))?,
            sent_at: Some(sent_at.parse().map_err(|error| unreadable(4, error))?),
            seq: Some(row.get(5)?),
            closed: Ranges::default(),
            reply_to: reply_to.map(Uuid::from_bytes),
        },
        expires_at: Timestamp::from_millisecond(expires_at).unwrap_or(Timestamp::MAX),
        insecure: row.get(8)?,
    })
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

#[cfg(test)]
mod tests;
