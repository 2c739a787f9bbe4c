//! Trying again: messages that were refused or have expired are queued once more, each under its own id and number.

use std::time::Duration;

use jiff::Timestamp;
use protocol::Name;
use rusqlite::{Connection, OptionalExtension as _, Row};
use uuid::Uuid;

use super::closed::{self, Runs};
use super::{Queued, State, expiry, unreadable};

/// Which messages are to be tried again.
#[derive(Debug, Clone)]
pub enum Which {
    /// These, each of which must be there.
    These(Vec<Uuid>),
    /// All for this recipient that were refused or have expired.
    To(Name),
}

/// What trying again came to.
#[derive(Debug)]
pub enum Retried {
    /// Each message that was asked for, and whether it is queued again: one that is not was queued or delivered already.
    Now(Vec<(Queued, bool)>),
    /// No messages with these ids were sent: nothing is tried again.
    Unknown(Vec<Uuid>),
}

/// Queues these messages again, in the transaction that is to be told of it, for as long as a new one. What was imported from
/// under another key is this peer's own now, with a name and a number of its own.
pub fn retry(
    connection: &Connection,
    from: &Name,
    which: &Which,
    now: Timestamp,
    lifetime: Duration,
) -> rusqlite::Result<Retried> {
    let found = match which {
        Which::To(name) => given_up(connection, name)?,
        Which::These(ids) => {
            let found = ids.iter().map(|id| find(connection, *id).map(|found| found.ok_or(*id)));
            let found: Vec<_> = found.collect::<rusqlite::Result<_>>()?;
            let unknown: Vec<_> = found.iter().filter_map(|found| found.as_ref().err().copied()).collect();
            if !unknown.is_empty() {
                return Ok(Retried::Unknown(unknown));
            }
            found.into_iter().flatten().collect()
        }
    };
    let mut retried = Vec::with_capacity(found.len());
    let mut runs = Runs::default();
    for Sent { message, state, seq, is_own } in found {
        let again = matches!(state, State::Refused | State::Expired);
        if again {
            queue_again(connection, message.position, expiry(now, lifetime))?;
            if is_own {
                runs.push(message.to.clone(), seq);
            } else {
                adopt(connection, from, &message)?;
            }
        }
        retried.push((message, again));
    }
    runs.each(|to, run| closed::reopen(connection, to, run))?;
    for name in runs.recipients() {
        connection
            .prepare_cached("UPDATE recipients SET retries = retries + 1 WHERE name = ?1")?
            .execute([name.as_str()])?;
    }
    Ok(Retried::Now(retried))
}

/// A message as it is before it is tried again.
struct Sent {
    message: Queued,
    state: State,
    seq: u64,
    /// Whether `seq` is this peer's count.
    is_own: bool,
}

const BY_ID: &str =
    "SELECT position, id, to_name, failures, state, seq, sender = x'' FROM sent JOIN recipients ON name = to_name
                     WHERE id = ?1";

const GIVEN_UP: &str =
    "SELECT position, id, to_name, failures, state, seq, sender = x'' FROM sent JOIN recipients ON name = to_name
                        WHERE to_name = ?1 AND state IN ('refused', 'expired') ORDER BY position";

fn find(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<Sent>> {
    connection.prepare_cached(BY_ID)?.query_row([id.as_bytes()], read).optional()
}

fn given_up(connection: &Connection, to: &Name) -> rusqlite::Result<Vec<Sent>> {
    connection.prepare_cached(GIVEN_UP)?.query_map([to.as_str()], read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Sent> {
    let (id, to): ([u8; 16], String) = (row.get(1)?, row.get(2)?);
    Ok(Sent {
        message: Queued {
            position: row.get(0)?,
            id: Uuid::from_bytes(id),
            to: to.parse().map_err(|error| unreadable(2, error))?,
            failures_before: row.get(3)?,
        },
        state: row.get(4)?,
        seq: row.get(5)?,
        is_own: row.get(6)?,
    })
}

/// Makes a message this peer's own.
fn adopt(connection: &Connection, from: &Name, message: &Queued) -> rusqlite::Result<()> {
    let seq: u64 = connection
        .prepare_cached("UPDATE recipients SET last_seq = last_seq + 1 WHERE name = ?1 RETURNING last_seq")?
        .query_row([message.to.as_str()], |row| row.get(0))?;
    connection
        .prepare_cached("UPDATE sent SET from_name = ?2, sender = x'', seq = ?3 WHERE position = ?1")?
        .execute((message.position, from.as_str(), seq))?;
    Ok(())
}

fn queue_again(connection: &Connection, position: i64, expires_at: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE sent SET state = 'queued', reason = NULL, expires_at = ?2
             WHERE position = ?1 AND state IN ('refused', 'expired')",
        )?
        .execute((position, expires_at))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{WEEK, draft, enqueue, kept, outbox, refused, settle};
    use super::*;
    use crate::outbound::outbox::Outbox;

    async fn again(outbox: &Outbox, which: Which) -> Result<Vec<(Queued, bool)>, Vec<Uuid>> {
        let now = Timestamp::UNIX_EPOCH + WEEK;
        let write = outbox
            .store
            .write(move |connection| retry(connection, &"ana".parse().unwrap(), &which, now, WEEK));
        match write.await.unwrap() {
            Retried::Now(retried) => Ok(retried),
            Retried::Unknown(ids) => Err(ids),
        }
    }

    fn told(outbox: &Outbox) -> Vec<closed::Range> {
        let rui = "rui".parse().unwrap();
        outbox.store.read(|connection| closed::riding(connection, &rui)).unwrap().iter().collect()
    }

    #[tokio::test]
    async fn what_was_given_up_waits_again_under_its_own_number() {
        let (_dir, outbox) = outbox();
        let queued = enqueue(&outbox, vec![draft("rui", "1"), draft("zé", "1"), draft("rui", "2")]).await;
        let [one, ze, two] = [&queued[0], &queued[1], &queued[2]];
        settle(&outbox, vec![(one, refused())]).await;
        outbox.expire(Timestamp::UNIX_EPOCH + WEEK).await.unwrap();
        assert_eq!(told(&outbox), [(1, 2)]);
        let retried = again(&outbox, Which::These(vec![two.id])).await.unwrap();
        assert_eq!((retried[0].0.position, retried[0].1, retried.len()), (two.position, true, 1));
        assert_eq!(told(&outbox), [(1, 1)], "what waits is not closed");
        let waiting = outbox.waiting().unwrap();
        assert_eq!((waiting[0].name.as_str(), waiting[0].asked, waiting.len()), ("rui", 3, 1));
        let standing = outbox.standing(two.position).unwrap();
        assert_eq!((standing.state, standing.reason), (State::Queued, None));
        let retried = again(&outbox, Which::To("rui".parse().unwrap())).await.unwrap();
        let retried: Vec<_> = retried.iter().map(|(message, again)| (message.position, *again)).collect();
        assert_eq!(retried, [(one.position, true)]);
        assert_eq!(outbox.standing(ze.position).unwrap().state, State::Expired, "of another recipient");
        let end = Timestamp::UNIX_EPOCH + WEEK + WEEK;
        assert_eq!(outbox.expire(end - Duration::from_millis(1)).await.unwrap(), 0, "a whole lifetime more");
        assert_eq!(outbox.expire(end).await.unwrap(), 2);
        assert_eq!(told(&outbox), [(1, 2)]);
    }

    #[tokio::test]
    async fn what_waits_or_was_delivered_is_left_alone_and_one_unknown_id_stops_all() {
        let (_dir, outbox) = outbox();
        let queued = enqueue(&outbox, vec![draft("rui", "1"), draft("rui", "2"), draft("rui", "3")]).await;
        settle(&outbox, vec![(&queued[0], kept(&queued[0])), (&queued[2], refused())]).await;
        let nobody = Uuid::from_u128(7);
        let all: Vec<_> = queued.iter().map(|message| message.id).chain([nobody]).collect();
        assert_eq!(again(&outbox, Which::These(all)).await.unwrap_err(), [nobody]);
        let states = || queued.iter().map(|message| outbox.standing(message.position).unwrap().state);
        assert!(states().eq([State::Delivered, State::Queued, State::Refused]), "nothing was done");
        let known = queued.iter().map(|message| message.id).collect();
        let retried = again(&outbox, Which::These(known)).await.unwrap();
        assert!(retried.iter().map(|(_, again)| *again).eq([false, false, true]));
        assert!(states().eq([State::Delivered, State::Queued, State::Queued]));
    }

    #[test]
    fn messages_are_found_by_their_indexes() {
        let (_dir, outbox) = outbox();
        for (sql, parameter, index) in
            [(BY_ID, "1", "sqlite_autoindex_sent_1 (id=?)"), (GIVEN_UP, "rui", "sent_given_up (to_name=?)")]
        {
            let plan: Vec<String> = outbox
                .store
                .read(|connection| {
                    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                    explain.query_map([parameter], |row| row.get("detail"))?.collect()
                })
                .unwrap();
            assert!(
                plan.iter().any(|step| step.contains(&format!("SEARCH sent USING INDEX {index}"))),
                "{plan:#?}"
            );
            assert!(!plan.iter().any(|step| step.contains("SCAN") || step.contains("TEMP")), "{plan:#?}");
        }
    }
}
