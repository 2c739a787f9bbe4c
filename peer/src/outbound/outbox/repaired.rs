//! What repair needs of the outbox: which delivered messages are sent again, and when that was.

use jiff::Timestamp;
use protocol::message::Receipt;
use protocol::{Fingerprint, Name};
use rusqlite::{Connection, OptionalExtension as _};

use super::closed::{self, Range};
use super::queue::{Pending, pending};
use super::settled::reached;
use super::{Outbox, Settlement, unreadable};
use crate::database::Fault;
use crate::outbound::batch::{Batch, Packer};
use crate::outbound::handover::Fate;
use crate::outbound::limits::Limit;
use crate::outbound::repair::BETWEEN_REPAIRS;

/// What this peer has counted of a recipient who has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The highest number of all messages to its name.
    pub last_seq: u64,
    /// The highest number that was delivered to its key; 0 if none was.
    pub delivered: u64,
}

const ACCOUNT: &str = "SELECT last_seq,
            (SELECT max(seq) FROM sent WHERE to_name = ?1 AND delivered_to = ?2 AND delivered_as = ?3 AND state = 'delivered')
     FROM recipients WHERE name = ?1";

/// Delivered to this key as whoever this peer is now, within this range, as [`pending`] reads it; and whether it was sent
/// again within the hour, whichever way the clock was set.
const LACKING: &str =
    "SELECT position, id, from_name, body, sent_at, seq, reply_to, expires_at, insecure,
            coalesce(abs(?6 - repaired_at) < ?7, 0)
     FROM sent
     WHERE to_name = ?1 AND delivered_to = ?2 AND delivered_as = ?3 AND state = 'delivered' AND seq BETWEEN ?4 AND ?5
     ORDER BY seq";

/// Whether anything within this range was delivered to this key as whoever this peer is now, or still waits.
const HOLDS: &str = "SELECT EXISTS (SELECT 1 FROM sent WHERE to_name = ?1 AND delivered_to = ?2 AND delivered_as = ?3
                    AND state = 'delivered' AND seq BETWEEN ?4 AND ?5)
     OR coalesce((SELECT seq FROM sent WHERE state = 'queued' AND to_name = ?1 ORDER BY position LIMIT 1) <= ?5, 0)";

impl Outbox {
    /// What was counted of this recipient so far. Blocks.
    pub fn account(&self, to: &Name, key: Fingerprint) -> Result<Account, Fault> {
        let account = self.store.read(|connection| {
            connection
                .prepare_cached(ACCOUNT)?
                .query_row((to.as_str(), key.as_bytes(), self.own_key.as_bytes()), |row| {
                    Ok(Account {
                        last_seq: row.get(0)?,
                        delivered: row.get::<_, Option<u64>>(1)?.unwrap_or(0),
                    })
                })
                .optional()
        })?;
        Ok(account.unwrap_or(Account { last_seq: 0, delivered: 0 }))
    }

    /// The oldest messages that may be sent again now of what this recipient lacks, as many as go together, for nobody but
    /// the one who has this key; none if there are none. A range is left at the first message that was sent again within
    /// the hour. Blocks; no more of them are read than that.
    pub fn batch_again(
        &self,
        to: &Name,
        key: Fingerprint,
        lacking: &[Range],
        limit: Limit,
        now: Timestamp,
    ) -> Result<Option<Batch>, Fault> {
        let hour = i64::try_from(BETWEEN_REPAIRS.as_millis()).unwrap_or(i64::MAX);
        Ok(self.store.read(|connection| {
            let mut select = connection.prepare_cached(LACKING)?;
            let mut packer = Packer::only_for(key, limit);
            for (first, last) in lacking {
                let keys = (key.as_bytes(), self.own_key.as_bytes());
                let now = now.as_millisecond();
                let mut rows = select.query((to.as_str(), keys.0, keys.1, first, last, now, hour))?;
                while let Some(row) = rows.next()? {
                    let is_repaired: bool = row.get(9)?;
                    if is_repaired {
                        break;
                    }
                    let Pending { item, mut message, .. } = pending(row, to)?;
                    if packer.is_empty() {
                        message.closed = closed::riding(connection, to)?;
                    }
                    if !packer.pack(item, &message, false).map_err(|error| unreadable(3, error))? {
                        return Ok(packer.packed());
                    }
                }
            }
            Ok(packer.packed())
        })?)
    }

    /// The recipient has answered for messages that were sent again: what it said yes or no to is not for an hour. Each
    /// stays delivered; since when the recipient keeps it is what the last receipt says. What it will never keep again is
    /// not sent again either, and its number is closed.
    pub async fn repaired(&self, to: &Name, settlement: Settlement, now: Timestamp) -> Result<(), Fault> {
        let to = to.clone();
        let write = self.store.write(move |connection| {
            for (position, fate) in &settlement.fates {
                match fate {
                    Fate::Kept(receipt) => kept(connection, *position, receipt, now)?,
                    Fate::Refused { status: 409 | 413 | 422, .. } => give_up(connection, &to, *position)?,
                    Fate::Refused { .. } => sent_again(connection, *position, now)?,
                    Fate::Postponed { .. } | Fate::NotTried => {}
                }
            }
            if let Some((_, Fate::Kept(_))) = settlement.fates.first() {
                closed::taken(connection, &to, &settlement.closed)?;
            }
            let is_postponed = |(_, fate): &(i64, Fate)| matches!(fate, Fate::Postponed { .. });
            if settlement.fates.iter().any(is_postponed) { Ok(()) } else { reached(connection, &to) }
        });
        Ok(write.await?)
    }

    /// The recipient has had a number above all that were given here: the next one is behind it, and those between were
    /// never given.
    pub async fn count_on(&self, to: &Name, highest: u64) -> Result<(), Fault> {
        let to = to.clone();
        let write = self.store.write(move |connection| {
            let before: Option<u64> = connection
                .prepare_cached("SELECT last_seq FROM recipients WHERE name = ?1 AND last_seq < ?2")?
                .query_row((to.as_str(), highest), |row| row.get(0))
                .optional()?;
            let Some(before) = before else { return Ok(()) };
            connection
                .prepare_cached("UPDATE recipients SET last_seq = ?2 WHERE name = ?1")?
                .execute((to.as_str(), highest))?;
            closed::skip(connection, &to, (before + 1, highest))
        });
        Ok(write.await?)
    }

    /// Of what the one with this key lacks, what will never be delivered to it is told it with the next message: what is
    /// closed, and where nothing is held for it.
    pub async fn tell_again(&self, to: &Name, key: Fingerprint, lacking: &[Range]) -> Result<(), Fault> {
        let untold = self.store.read(|connection| {
            let mut holds = connection.prepare_cached(HOLDS)?;
            let mut untold = closed::within(connection, to, lacking)?;
            for (first, last) in lacking {
                let keys = (key.as_bytes(), self.own_key.as_bytes());
                let held: bool =
                    holds.query_row((to.as_str(), keys.0, keys.1, first, last), |row| row.get(0))?;
                if !held {
                    untold.push((*first, *last));
                }
            }
            let mut news = Vec::new();
            for range in untold {
                if !closed::is_due(connection, to, range)? {
                    news.push(range);
                }
            }
            Ok::<_, rusqlite::Error>(news)
        })?;
        if untold.is_empty() {
            return Ok(());
        }
        let to = to.clone();
        let write = self.store.write(move |connection| {
            untold.into_iter().try_for_each(|range| closed::tell(connection, &to, range))
        });
        Ok(write.await?)
    }
}

fn kept(connection: &Connection, position: i64, receipt: &Receipt, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE sent SET received_at = ?2, repaired_at = ?3, tries = tries + 1
             WHERE position = ?1 AND state = 'delivered'",
        )?
        .execute((position, receipt.received_at.to_string(), now.as_millisecond()))?;
    Ok(())
}

fn sent_again(connection: &Connection, position: i64, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE sent SET repaired_at = ?2 WHERE position = ?1 AND state = 'delivered'")?
        .execute((position, now.as_millisecond()))?;
    Ok(())
}

/// Of nobody's key, a message is in no repair.
fn give_up(connection: &Connection, to: &Name, position: i64) -> rusqlite::Result<()> {
    let seq: Option<u64> = connection
        .prepare_cached(
            "UPDATE sent SET delivered_to = NULL WHERE position = ?1 AND state = 'delivered' RETURNING seq",
        )?
        .query_row([position], |row| row.get(0))
        .optional()?;
    seq.map_or(Ok(()), |seq| closed::close(connection, to, (seq, seq)))
}

#[cfg(test)]
mod tests {
    use protocol::message::Ranges;
    use rusqlite::{ToSql, params};

    use super::super::tests::{outbox, refused};
    use super::*;

    #[test]
    fn what_is_lacking_is_found_without_looking_at_anything_else() {
        let (_dir, outbox) = outbox();
        let plan = |sql: &str, parameters: &[&dyn ToSql]| -> Vec<String> {
            let sql = format!("EXPLAIN QUERY PLAN {sql}");
            let plan = outbox.store.read(|connection| {
                connection.prepare(&sql)?.query_map(parameters, |row| row.get("detail"))?.collect()
            });
            plan.unwrap()
        };
        let index = "INDEX sent_delivered (to_name=? AND delivered_to=? AND delivered_as=?";
        for (sql, parameters, expected) in [
            (ACCOUNT, params!["rui", [0_u8; 32], [1_u8; 32]], format!("SEARCH sent USING COVERING {index})")),
            (
                LACKING,
                params!["rui", [0_u8; 32], [1_u8; 32], 1, 2, 3, 4],
                format!("SEARCH sent USING {index} AND seq>? AND seq<?)"),
            ),
        ] {
            let plan = plan(sql, parameters);
            let step = plan.iter().find(|step| step.contains("sent")).unwrap();
            assert_eq!(*step, expected);
            assert!(
                !plan.iter().any(|step| step.contains("TEMP") || step.contains("SCAN sent")),
                "{plan:#?}"
            );
        }
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_does_not_put_off_a_repair_for_years() {
        let (_dir, outbox) = outbox();
        let (rui, key) = ("rui".parse().unwrap(), Fingerprint::from_bytes([7; 32]));
        let fill = outbox.store.write(|connection| {
            connection.execute(
                "INSERT INTO sent (position, id, from_name, to_name, body, sent_at, seq, state, expires_at, delivered_to, delivered_as)
                 VALUES (1, randomblob(16), 'ana', 'rui', 'oi', '2026-11-22T09:30:00Z', 1, 'delivered', 0, ?1, ?2)",
                [[7_u8; 32], [1_u8; 32]],
            )
        });
        fill.await.unwrap();
        let now = Timestamp::from_second(1_000_000_000).unwrap();
        let again = |range, now| {
            let batch = outbox.batch_again(&rui, key, &[range], Limit::MOST, now).unwrap();
            batch.map(|batch| batch.items().iter().map(|item| item.position).collect::<Vec<_>>())
        };
        assert_eq!(again((1, 9), now), Some(vec![1]));
        let fates = vec![(1, refused())];
        let settlement = Settlement { fates, closed: Ranges::default(), key: Some(key) };
        outbox.repaired(&rui, settlement, now).await.unwrap();
        let second = std::time::Duration::from_secs(1);
        for (now, expected) in [
            (now, None),
            (now + BETWEEN_REPAIRS - second, None),
            (now + BETWEEN_REPAIRS, Some(vec![1])),
            (now - BETWEEN_REPAIRS + second, None),
            (now - BETWEEN_REPAIRS, Some(vec![1])),
        ] {
            assert_eq!(again((1, 9), now), expected, "{now}");
        }
        assert_eq!(again((2, 9), now + BETWEEN_REPAIRS), None);
    }
}
