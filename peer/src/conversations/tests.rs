//! What is listed, in which order, and by which indexes.

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
                "INSERT INTO received (position, place, sender, id, from_name, to_name, body, received_at, source)
                 VALUES (?1, ?1, x'', randomblob(16), ?2, 'ana', 'oi', '2026-11-22T09:30:00Z', '')"
            } else {
                "INSERT INTO sent (position, place, id, from_name, to_name, body, sent_at, seq, state, expires_at)
                 VALUES (?1, ?1, randomblob(16), 'ana', ?2, 'oi', '2026-11-22T09:30:00Z', 1, 'queued', 0)"
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

/// The same query, bounded by times and by messages too.
fn bounded((query, indexes): (Query, [&'static str; 2])) -> [(Query, [&'static str; 2]); 3] {
    let bounds = [None, Some(Bound::Time(Timestamp::UNIX_EPOCH)), Some(Bound::Message(Spot::FIRST))];
    bounds.map(|bound| (Query { since: bound, before: bound, ..query.clone() }, indexes))
}

#[tokio::test]
async fn a_part_of_a_listing_is_bounded_by_times_or_by_messages() {
    let (_dir, conversations) = conversations(20).await;
    let second = |position: i64| Timestamp::from_second(position).unwrap();
    // Times are not in the order of listings: 7 is the latest, and 13 the earliest.
    let set = conversations.store.write(|connection| {
        for table in ["received", "sent"] {
            connection.execute_batch(&format!(
                "UPDATE {table} SET at = CASE position WHEN 7 THEN 90 WHEN 13 THEN 1 ELSE position + 10 END * 1000"
            ))?;
        }
        Ok::<_, rusqlite::Error>(())
    });
    set.await.unwrap();
    let at = |position| match position {
        7 => 90,
        13 => 1,
        other => other + 10,
    };
    let spots: Vec<Spot> = conversations
        .list(&Query::default())
        .unwrap()
        .iter()
        .map(|entry| conversations.with_id(entry.id).unwrap()[0].1)
        .collect();
    let expected = |bounds: &dyn Fn(i64) -> bool| (1..=20).filter(|p| bounds(*p)).collect::<Vec<_>>();
    for since in [0, 1, 2, 15, 24, 30, 31, 91] {
        for before in [0, 2, 16, 24, 31, 91] {
            let bounds = |bound: i64| Some(Bound::Time(second(bound)));
            let query = Query { since: bounds(since), before: bounds(before), ..Query::default() };
            let within = |p: i64| (since..before).contains(&at(p));
            assert_eq!(positions(&conversations, &query), expected(&within), "{since} {before}");
            let last = positions(&conversations, &Query { last: Some(3), ..query.clone() });
            let all = expected(&within);
            assert_eq!(last, all[all.len().saturating_sub(3)..], "{since} {before}");
            let p2 = Query { partner: Some("p2".parse().unwrap()), ..query };
            assert_eq!(positions(&conversations, &p2), expected(&|p| within(p) && p % 5 == 2));
        }
    }
    for since in 1..=20 {
        for before in 1..=20 {
            let bound = |position: i64| Some(Bound::Message(spots[usize::try_from(position).unwrap() - 1]));
            let query = Query { since: bound(since), before: bound(before), ..Query::default() };
            assert_eq!(positions(&conversations, &query), expected(&|p| since < p && p < before));
            let query = Query { since: None, last: Some(4), ..query };
            assert_eq!(positions(&conversations, &query), expected(&|p| p < before && p + 5 > before));
        }
    }
}

#[test]
fn times_are_whole_milliseconds_and_none_is_shown_before_its_time() {
    for (time, milliseconds) in [("1970-01-01T00:00:01Z", 1_000), ("1970-01-01T00:00:01.0005Z", 1_001)] {
        assert_eq!(query::in_milliseconds(time.parse().unwrap()), milliseconds);
    }
}

/// A query, and the indexes by which both sides are searched, from a place on, or not at all.
fn plans() -> Vec<(Query, [&'static str; 2])> {
    let somebody = || Some("p1".parse().unwrap());
    let (received, sent) = (Some(Direction::Received), Some(Direction::Sent));
    let (by_place, by_position) = ("received_by_place (", "sent_by_place (");
    let (name_received, name_sent) = ("received_by_name (from_name=? AND ", "sent_by_name (to_name=? AND ");
    let unsettled = "sent_unsettled (state=? AND ";
    let (doubted, unread) = ("received_doubted (", "received_unread (");
    let doubted_by_name = "received_doubted_by_name (from_name=? AND ";
    let all = Query::default;
    vec![
        (all(), [by_place, by_position]),
        (Query { partner: somebody(), ..all() }, [name_received, name_sent]),
        (Query { partner: somebody(), trust: Trust::Fitting, ..all() }, [name_received, name_sent]),
        (Query { direction: received, ..all() }, [by_place, ""]),
        (Query { direction: received, unread: true, ..all() }, [unread, ""]),
        (Query { direction: sent, ..all() }, ["", by_position]),
        (Query { direction: sent, partner: somebody(), ..all() }, ["", name_sent]),
        (Query { direction: sent, state: Some(State::Queued), ..all() }, ["", unsettled]),
        (Query { direction: sent, state: Some(State::Refused), ..all() }, ["", unsettled]),
        (
            Query { direction: sent, state: Some(State::Expired), partner: somebody(), ..all() },
            ["", unsettled],
        ),
        (Query { direction: sent, state: Some(State::Delivered), ..all() }, ["", by_position]),
        (Query { trust: Trust::Unverified, ..all() }, [doubted, ""]),
        (Query { trust: Trust::Unverified, direction: received, ..all() }, [doubted, ""]),
        (Query { trust: Trust::Unverified, partner: somebody(), ..all() }, [doubted_by_name, ""]),
    ]
}

fn plan(conversations: &Conversations, sql: &str) -> Vec<String> {
    let plan = conversations.store.read(|connection| {
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let mut rows = explain.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push(row.get("detail")?);
        }
        Ok(steps)
    });
    plan.unwrap()
}

#[tokio::test]
async fn no_listing_sorts_or_scans_what_it_does_not_show() {
    let (_dir, conversations) = conversations(10).await;
    for (query, [received, sent]) in plans().into_iter().flat_map(bounded) {
        // A page begins right behind the last message of the one before.
        for sql in [query::listing(&query, PAGE), query::listing_backwards(&query)] {
            let plan = plan(&conversations, &sql);
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{query:?}: {plan:#?}");
            for (table, index) in [("received", received), ("sent", sent)] {
                let start = format!("SEARCH {table} USING ");
                let step = plan.iter().find(|step| step.starts_with(&start));
                let by = |step: &String| step.ends_with(&format!("{index}(place,seq)>(?,?) AND place<?)"));
                assert!(index.is_empty() || step.is_some_and(by), "{query:?}: {plan:#?}");
            }
        }
    }
}

#[tokio::test]
async fn times_and_ids_are_found_by_their_indexes() {
    let (_dir, conversations) = conversations(10).await;
    let found = query::search(&Query { partner: Some("p1".parse().unwrap()), ..Query::default() }, true, &[]);
    for sql in [FIRST_SINCE, LAST_BEFORE, WITH_ID, &found] {
        let plan = plan(&conversations, sql);
        let scans = |step: &&String| {
            let reads = step.starts_with("SCAN ") || step.starts_with("SEARCH ");
            let by_index = step.contains("COVERING INDEX") || step.contains("INTEGER PRIMARY KEY");
            let is_stored = step.contains(" received") || step.contains(" sent");
            reads && is_stored && (step.starts_with("SCAN") || !by_index)
        };
        assert_eq!(plan.iter().find(scans), None, "{plan:#?}");
        assert!(plan.iter().any(|step| step.contains("received")), "{plan:#?}");
    }
}

#[tokio::test]
async fn who_follows_reads_only_what_was_stored_since() {
    let (_dir, conversations) = conversations(10).await;
    // States are nothing to follow.
    for (query, _) in plans().into_iter().filter(|(query, _)| query.state.is_none()) {
        let plan = plan(&conversations, &query::since(&query));
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{query:?}: {plan:#?}");
        for table in ["received", "sent"] {
            let search = format!("SEARCH {table} USING INTEGER PRIMARY KEY (rowid>?");
            assert!(plan.iter().any(|step| step.starts_with(&search)), "{query:?}: {plan:#?}");
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
             INSERT INTO sent (position, place, id, from_name, to_name, body, sent_at, seq, state, expires_at) VALUES
                 (8, 8, randomblob(16), 'rui', 'ana', 'oi', '', 1, 'queued', 0);
             UPDATE received SET place = position;
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

#[tokio::test]
async fn texts_are_brought_in_bit_by_bit_and_each_once() {
    let (_dir, conversations) = conversations(25).await;
    let import = conversations.store.write(|connection| {
        let mut positions = imported::Positions::begin(connection)?;
        for _ in 0..5 {
            let position = positions.give();
            connection.execute(
                "INSERT INTO received (position, place, sender, id, from_name, to_name, body, received_at, source)
                 VALUES (?1, ?1, x'', randomblob(16), 'p1', 'ana', 'oi', '', '')",
                [position],
            )?;
        }
        positions.write(connection)
    });
    import.await.unwrap();
    let pattern = words::Pattern::words("OI").unwrap();
    let found = || conversations.search(&Query::default(), &pattern).unwrap();
    let delete = |position: i64| {
        conversations.store.write(move |connection| {
            words::forget(connection, position, "oi")?;
            connection.execute("DELETE FROM received WHERE position = ?1", [position])
        })
    };
    // One that is not in yet, with all behind it, and one that is.
    assert_eq!((found().len(), conversations.unindexed().unwrap()), (30, 30), "what is not in is read");
    delete(24).await.unwrap();
    let mut rounds = Vec::new();
    loop {
        let texts = conversations.index_at_most(7).await.unwrap();
        rounds.push((texts, found().len()));
        if texts == 0 {
            break;
        }
    }
    assert_eq!(rounds, [(7, 29), (7, 29), (7, 29), (3, 29), (5, 29), (0, 29)]);
    assert_eq!(conversations.unindexed().unwrap(), 0);
    delete(2).await.unwrap();
    delete(imported::BEFORE_ALL + 1).await.unwrap();
    let all: Vec<i64> = (2..=5)
        .map(|nth| imported::BEFORE_ALL + nth)
        .chain((1..=25).filter(|p| ![2, 24].contains(p)))
        .collect();
    assert_eq!(found(), all, "in the order of listings");
    assert_eq!(conversations.index().await.unwrap(), 0);
    let sound = conversations.store.write(|connection| {
        connection.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)", [])
    });
    sound.await.unwrap();
}

#[test]
fn what_is_typed_is_words_or_parts_and_nothing_else() {
    use words::{NoPattern, Pattern};
    for (typed, words, parts) in [
        ("a b", Some("\"a\" \"b\""), &[][..]),
        ("say \"hi\"", Some("\"say\" \"\"\"hi\"\"\""), &[]),
        ("! a*", Some("\"a*\""), &["!"]),
        ("🎉 %", None, &["🎉", "%"]),
        ("東京 x", Some("\"x\""), &["東京"]),
    ] {
        let pattern = format!("{:?}", Pattern::words(typed).unwrap());
        let words = words.map(str::to_owned);
        assert_eq!(pattern, format!("Pattern {{ words: {words:?}, parts: {parts:?} }}"), "{typed}");
    }
    assert_eq!(Pattern::words(" \t\n"), Err(NoPattern::Blank));
    assert!(Pattern::words(&"a ".repeat(100)).is_ok());
    assert_eq!(Pattern::words(&"a ".repeat(101)), Err(NoPattern::TooMany));
    assert_eq!(Pattern::words(&"中".repeat(4_000)), Err(NoPattern::TooMany));
}
