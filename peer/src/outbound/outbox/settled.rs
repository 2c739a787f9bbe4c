//! What became of messages that were handed over, written down in the transaction of them all.

use jiff::Timestamp;
use protocol::message::{Ranges, Receipt};
use protocol::{Fingerprint, Name};
use rusqlite::{Connection, OptionalExtension as _};

use super::{Outbox, close_all, closed};
use crate::database::Fault;
use crate::outbound::handover::Fate;

/// What the answer to a batch settles.
#[derive(Debug)]
pub struct Settlement {
    /// What becomes of each message, by its position.
    pub fates: Vec<(i64, Fate)>,
    /// What the first of them said will never be delivered.
    pub closed: Ranges,
    /// The key of the one who answered, if it was checked.
    pub key: Option<Fingerprint>,
}

/// Between whom a message was delivered.
#[derive(Clone, Copy)]
struct Keys {
    own: Fingerprint,
    theirs: Fingerprint,
}

impl Outbox {
    /// The recipient has answered for messages that it was handed: all of it is written down at once.
    pub async fn settle(&self, to: &Name, settlement: Settlement) -> Result<(), Fault> {
        let (to, own_key) = (to.clone(), self.own_key);
        let write = self.store.write(move |connection| {
            let keys = settlement.key.map(|key| Keys { own: own_key, theirs: key });
            let mut postponed = None;
            for (position, fate) in &settlement.fates {
                match fate {
                    Fate::Kept(receipt) => delivered(connection, &to, *position, receipt, keys)?,
                    Fate::Refused { reason, .. } => refused(connection, *position, reason)?,
                    Fate::Postponed { reason } => {
                        tried(connection, *position, reason)?;
                        postponed = postponed.or(Some(reason));
                    }
                    Fate::NotTried => {}
                }
            }
            if let Some((_, Fate::Kept(_))) = settlement.fates.first() {
                closed::taken(connection, &to, &settlement.closed)?;
            }
            match postponed {
                Some(reason) => failed(connection, &to, reason, None),
                None => reached(connection, &to),
            }
        });
        Ok(write.await?)
    }

    /// The recipient was not reached; perhaps since this other key answered in its place. That is counted for its oldest
    /// message: for all of them, it would be written again and again for each.
    pub async fn postponed(
        &self,
        to: &Name,
        reason: String,
        other_key: Option<Fingerprint>,
    ) -> Result<(), Fault> {
        let to = to.clone();
        let write = self.store.write(move |connection| {
            let oldest: Option<i64> = connection
                .prepare_cached("SELECT min(position) FROM sent WHERE state = 'queued' AND to_name = ?1")?
                .query_row([to.as_str()], |row| row.get(0))?;
            if let Some(oldest) = oldest {
                tried(connection, oldest, &reason)?;
            }
            failed(connection, &to, &reason, other_key)
        });
        Ok(write.await?)
    }

    /// The recipient is tried again at that time, if not before.
    pub async fn waits_until(&self, to: &Name, next_try: Timestamp) -> Result<(), Fault> {
        let to = to.clone();
        let write = self.store.write(move |connection| {
            connection
                .prepare_cached("UPDATE recipients SET next_try_at = ?2 WHERE name = ?1")?
                .execute((to.as_str(), next_try.as_millisecond()))
        });
        write.await?;
        Ok(())
    }
}

fn delivered(
    connection: &Connection,
    to: &Name,
    position: i64,
    receipt: &Receipt,
    keys: Option<Keys>,
) -> rusqlite::Result<()> {
    let mut deliver = connection.prepare_cached(
        "UPDATE sent SET state = 'delivered', received_at = ?3, delivered_to = ?4, delivered_as = ?5, reason = NULL,
                         tries = tries + 1
         WHERE position = ?1 AND state = ?2 RETURNING seq",
    )?;
    let received_at = receipt.received_at.to_string();
    let mut deliver_if = |state: &str| {
        let theirs = keys.as_ref().map(|keys| keys.theirs.as_bytes());
        let own = keys.as_ref().map(|keys| keys.own.as_bytes());
        deliver.query_row((position, state, &received_at, theirs, own), |row| row.get(0)).optional()
    };
    if deliver_if("queued")?.is_some() {
        return Ok(());
    }
    // Its time may have run out while it was under way.
    let late: Option<u64> = deliver_if("expired")?;
    late.map_or(Ok(()), |seq| closed::reopen(connection, to, (seq, seq)))
}

fn refused(connection: &Connection, position: i64, reason: &str) -> rusqlite::Result<()> {
    let mut refuse = connection.prepare_cached(
        "UPDATE sent SET state = 'refused', reason = ?2, tries = tries + 1
         WHERE position = ?1 AND state = 'queued' RETURNING to_name, seq",
    )?;
    close_all(connection, refuse.query((position, reason))?)?;
    Ok(())
}

fn tried(connection: &Connection, position: i64, reason: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE sent SET reason = ?2, tries = tries + 1 WHERE position = ?1 AND state = 'queued'",
        )?
        .execute((position, reason))?;
    Ok(())
}

/// A try has failed, for all that waits for this recipient.
fn failed(
    connection: &Connection,
    to: &Name,
    reason: &str,
    other_key: Option<Fingerprint>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE recipients SET failures = failures + 1, last_error = ?2, other_key = ?3, next_try_at = NULL
             WHERE name = ?1",
        )?
        .execute((to.as_str(), reason, other_key.as_ref().map(Fingerprint::as_bytes)))?;
    Ok(())
}

/// A try has not failed: what was said of those before is no longer so.
pub(super) fn reached(connection: &Connection, to: &Name) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE recipients SET last_error = NULL, other_key = NULL, next_try_at = NULL
             WHERE name = ?1 AND (last_error IS NOT NULL OR other_key IS NOT NULL OR next_try_at IS NOT NULL)",
        )?
        .execute([to.as_str()])?;
    Ok(())
}
