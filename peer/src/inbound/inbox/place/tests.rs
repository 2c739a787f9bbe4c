//! However messages come, each sender's are listed in the order in which they were written, and none that was listed moves.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use store::Store;

use super::*;
use crate::conversations::{Conversations, Direction, Query, next_position};
use crate::database;

/// A message as it comes: from one of three keys or from nobody who has one, counted or not.
#[derive(Debug, Clone, Copy)]
struct Coming {
    key: Option<u8>,
    seq: Option<u64>,
}

#[derive(Debug, Clone)]
enum Change {
    Comes(Coming),
    /// The user writes, too.
    Sent,
    /// One of those that are listed is deleted.
    Deleted(prop::sample::Index),
}

/// What is listed: the messages by their positions.
type Listed = Vec<(i64, Option<Coming>)>;

fn coming() -> impl Strategy<Value = Coming> {
    let key = prop::option::weighted(0.9, 1..=3_u8);
    let seq = prop::option::weighted(0.9, 1..=20_u64);
    (key, seq).prop_map(|(key, seq)| Coming { key, seq })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        8 => coming().prop_map(Change::Comes),
        1 => Just(Change::Sent),
        2 => any::<prop::sample::Index>().prop_map(Change::Deleted),
    ]
}

fn name(key: Option<u8>) -> String {
    key.map_or("ninguém".to_owned(), |key| format!("p{key}"))
}

/// Keeps a message as the inbox does; `placed`: where this program does.
fn keep(connection: &Connection, coming: Coming, placed: bool) -> rusqlite::Result<i64> {
    let position = next_position(connection)?;
    let place = match (coming.key, coming.seq) {
        (Some(key), Some(seq)) if placed => {
            of(connection, Fingerprint::from_bytes([key; 32]), seq, position)?
        }
        _ => position,
    };
    connection.execute(
        "INSERT INTO received (position, sender, id, from_name, to_name, body, received_at, source, seq)
         VALUES (?1, ?2, randomblob(16), ?3, 'rui', 'oi', '', '', ?4)",
        (position, coming.key.map_or(vec![], |key| vec![key; 32]), name(coming.key), coming.seq),
    )?;
    if placed {
        connection.execute("UPDATE received SET place = ?2 WHERE position = ?1", (position, place))?;
    }
    Ok(position)
}

fn write(connection: &Connection) -> rusqlite::Result<i64> {
    let position = next_position(connection)?;
    connection.execute(
        "INSERT INTO sent (position, place, id, from_name, to_name, body, sent_at, seq, state, expires_at)
         VALUES (?1, ?1, randomblob(16), 'rui', 'p1', 'oi', '', ?1, 'queued', 0)",
        [position],
    )?;
    Ok(position)
}

/// Puts a message before the one of the same key that was written next, if a later one is listed at all; one with the same
/// number is no later one.
fn list(listed: &mut Listed, position: i64, coming: Coming) {
    let counted =
        |other: &Option<Coming>| other.filter(|other| other.key.is_some() && other.key == coming.key)?.seq;
    let next = listed
        .iter()
        .filter_map(|(position, other)| Some((counted(other)?, *position)))
        .filter(|(seq, _)| coming.seq.is_some_and(|this| this <= *seq))
        .min();
    let at = match next {
        Some((seq, next)) if Some(seq) != coming.seq => listed.iter().position(|(other, _)| *other == next),
        _ => None,
    };
    listed.insert(at.unwrap_or(listed.len()), (position, Some(coming)));
}

fn opened(dir: &Path) -> (Store, Conversations) {
    let store = database::open(dir).unwrap();
    (store.clone(), Conversations::new(store))
}

fn positions(conversations: &Conversations, query: &Query, size: usize) -> Vec<i64> {
    conversations.list_by_pages(query, size).unwrap().iter().map(|entry| entry.position).collect()
}

/// Each key's numbers as they are listed, as long as no number was given twice.
fn numbers_go_up(listed: &Listed) -> bool {
    (1..=3).all(|key| {
        let numbers = || {
            let of_key =
                listed.iter().filter_map(|(_, coming)| coming.filter(|coming| coming.key == Some(key)));
            of_key.filter_map(|coming| coming.seq).collect::<Vec<_>>()
        };
        numbers().is_sorted() || numbers().into_iter().collect::<BTreeSet<_>>().len() < numbers().len()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn each_senders_messages_are_listed_as_they_were_written(
        changes in prop::collection::vec(change(), 1..60),
        size in 1..7_usize,
        last in 0..12_u32,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (store, conversations) = opened(dir.path());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (mut listed, mut stored) = (Listed::new(), Vec::new());
        let mut has_deleted = false;
        for change in changes {
            match change {
                Change::Comes(coming) => {
                    let position = runtime.block_on(store.write(move |connection| keep(connection, coming, true))).unwrap();
                    list(&mut listed, position, coming);
                    stored.push(position);
                }
                Change::Sent => {
                    let position = runtime.block_on(store.write(write)).unwrap();
                    listed.push((position, None));
                    stored.push(position);
                }
                Change::Deleted(_) if listed.is_empty() => {}
                Change::Deleted(index) => {
                    let (position, _) = listed.remove(index.index(listed.len()));
                    stored.retain(|other| *other != position);
                    has_deleted = true;
                    let delete = store.write(move |connection| {
                        connection.execute("DELETE FROM received WHERE position = ?1", [position])?;
                        connection.execute("DELETE FROM sent WHERE position = ?1", [position])
                    });
                    runtime.block_on(delete).unwrap();
                }
            }
        }
        let all = Query::default();
        let expected: Vec<i64> = listed.iter().map(|(position, _)| *position).collect();
        prop_assert_eq!(&positions(&conversations, &all, 500), &expected);
        prop_assert_eq!(&positions(&conversations, &all, size), &expected, "in pages of {}", size);
        prop_assert!(has_deleted || numbers_go_up(&listed), "{:?}", listed);

        let from = expected.len().saturating_sub(last as usize);
        prop_assert_eq!(positions(&conversations, &Query { last: Some(last), ..all.clone() }, size), &expected[from..]);
        for key in 1..=3 {
            let partner = Query { partner: Some(name(Some(key)).parse().unwrap()), ..all.clone() };
            let unread = Query { direction: Some(Direction::Received), unread: true, ..partner.clone() };
            let of_key = |coming: &Option<Coming>| coming.map(|coming| coming.key == Some(key));
            let expected = |sent: bool| {
                let shown = listed.iter().filter(|(_, coming)| of_key(coming).unwrap_or(key == 1 && sent));
                shown.map(|(position, _)| *position).collect::<Vec<_>>()
            };
            prop_assert_eq!(positions(&conversations, &partner, size), expected(true));
            prop_assert_eq!(positions(&conversations, &unread, size), expected(false));
        }
        let since: Vec<i64> = conversations.stored_since(&all, 0).unwrap().iter().map(|entry| entry.position).collect();
        prop_assert_eq!(since, stored, "in the order of storing");
    }

    #[test]
    fn what_came_late_before_this_version_is_listed_so_too(comings in prop::collection::vec(coming(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let old = database::of_old(dir.path(), 2);
        let (mut listed, mut taken) = (Listed::new(), BTreeSet::new());
        for coming in comings {
            if coming.key.is_none() || coming.seq.is_none() || taken.insert((coming.key, coming.seq)) {
                list(&mut listed, keep(&old, coming, false).unwrap(), coming);
            }
        }
        drop(old);
        let (_store, conversations) = opened(dir.path());
        let expected: Vec<i64> = listed.iter().map(|(position, _)| *position).collect();
        prop_assert_eq!(positions(&conversations, &Query::default(), 500), expected);
        prop_assert!(numbers_go_up(&listed));
    }
}
