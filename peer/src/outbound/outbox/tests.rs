//! Each recipient's queue and count, and every way in which a message is settled or not.

use protocol::message::{Ranges, Receipt};
use serde_json::Value;

use super::*;
use crate::database;
use crate::outbound::batch::Batch;
use crate::outbound::handover::Fate;
use crate::outbound::limits::Limit;

pub(super) const WEEK: Duration = Duration::from_hours(7 * 24);
const TERMS: Terms = Terms { lifetime: WEEK, insecure: false };

pub(super) fn draft(to: &str, body: &str) -> Draft {
    Draft { to: to.parse().unwrap(), body: body.to_owned().try_into().unwrap() }
}

pub(super) fn outbox() -> (tempfile::TempDir, Outbox) {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::new(database::open(dir.path()).unwrap(), Fingerprint::from_bytes([1; 32]));
    (dir, outbox)
}

pub(super) async fn enqueue(outbox: &Outbox, drafts: Vec<Draft>) -> Vec<Queued> {
    let write = outbox.store.write(move |connection| {
        let ana = "ana".parse().unwrap();
        let queued =
            drafts.iter().map(|draft| super::enqueue(connection, &ana, draft, Timestamp::UNIX_EPOCH, TERMS));
        queued.collect::<rusqlite::Result<_>>()
    });
    write.await.unwrap()
}

/// The bodies of what is handed over next.
fn next(outbox: &Outbox, to: &str, limit: Limit) -> Vec<String> {
    let Next::Batch(batch) = outbox.next_batch(&to.parse().unwrap(), limit, Timestamp::UNIX_EPOCH).unwrap()
    else {
        return Vec::new();
    };
    let value: Value = serde_json::from_slice(&batch.body()).unwrap();
    let items = if batch.is_array() { value.as_array().unwrap().clone() } else { vec![value] };
    items.iter().map(|item| item["body"].as_str().unwrap().to_owned()).collect()
}

pub(super) fn kept(queued: &Queued) -> Fate {
    Fate::Kept(Receipt {
        id: queued.id,
        received_at: Timestamp::UNIX_EPOCH,
        verified: true,
        highest: None,
        missing: Ranges::default(),
    })
}

pub(super) fn refused() -> Fate {
    Fate::Refused { reason: "blocked".into(), status: 403 }
}

pub(super) async fn settle(outbox: &Outbox, fates: Vec<(&Queued, Fate)>) {
    let to = fates[0].0.to.clone();
    let fates = fates.into_iter().map(|(queued, fate)| (queued.position, fate)).collect();
    outbox.settle(&to, Settlement { fates, closed: Ranges::default(), key: None }).await.unwrap();
}

#[tokio::test]
async fn each_recipient_has_a_queue_and_a_count_of_its_own() {
    let (_dir, outbox) = outbox();
    let queued = enqueue(&outbox, vec![draft("rui", "1"), draft("zé", "1"), draft("rui", "2")]).await;
    let waiting = outbox.waiting().unwrap();
    assert_eq!(
        waiting.iter().map(|w| (w.name.as_str(), w.asked)).collect::<Vec<_>>(),
        [("rui", 2), ("zé", 1)]
    );
    let next = |to| next(&outbox, to, Limit::MOST);
    assert_eq!(next("rui"), ["1", "2"]);
    settle(&outbox, vec![(&queued[0], kept(&queued[0]))]).await;
    assert_eq!(next("rui"), ["2"]);
    assert_eq!(outbox.waiting_for(&queued[0].to).unwrap().unwrap().asked, 2);
    settle(&outbox, vec![(&queued[2], refused())]).await;
    assert_eq!((next("rui"), next("zé")), (vec![], vec!["1".to_owned()]));
    assert_eq!(outbox.waiting_for(&queued[0].to).unwrap(), None);
}

#[tokio::test]
async fn a_settled_message_stays_settled() {
    let (_dir, outbox) = outbox();
    let queued = enqueue(&outbox, vec![draft("rui", "1")]).await.remove(0);
    settle(&outbox, vec![(&queued, kept(&queued))]).await;
    settle(&outbox, vec![(&queued, refused())]).await;
    settle(&outbox, vec![(&queued, Fate::Postponed { reason: "late".into() })]).await;
    outbox.postponed(&queued.to, "late".into(), None).await.unwrap();
    let standing = outbox.standing(queued.position).unwrap();
    assert_eq!((standing.state, standing.reason), (State::Delivered, None));
}

#[tokio::test]
async fn a_failed_try_is_counted_for_all_that_wait_behind_it() {
    let (_dir, outbox) = outbox();
    let queued = enqueue(&outbox, vec![draft("rui", "1"), draft("rui", "2")]).await;
    outbox.postponed(&queued[0].to, "no route".into(), None).await.unwrap();
    let behind = outbox.standing(queued[1].position).unwrap();
    assert_eq!(
        (behind.failures, behind.reason.as_deref()),
        (queued[1].failures_before + 1, Some("no route"))
    );
    let later = enqueue(&outbox, vec![draft("rui", "3")]).await.remove(0);
    assert_eq!(later.failures_before, 1);
}

#[tokio::test]
async fn another_key_is_told_of_until_something_else_comes_of_it() {
    let (_dir, outbox) = outbox();
    let key = Fingerprint::from_bytes([7; 32]);
    let queued = enqueue(&outbox, vec![draft("rui", "1"), draft("rui", "2"), draft("rui", "3")]).await;
    let [one, two, three] = [queued[0].position, queued[1].position, queued[2].position];
    let seen = |position| outbox.standing(position).unwrap().other_key;
    for (position, behind) in [(one, two), (two, three)] {
        outbox.postponed(&queued[0].to, "another key".into(), Some(key)).await.unwrap();
        assert_eq!((seen(position), seen(behind)), (Some(key), Some(key)), "all behind it wait for that");
        if position == one {
            settle(&outbox, vec![(&queued[0], kept(&queued[0]))]).await;
        } else {
            settle(&outbox, vec![(&queued[1], refused())]).await;
        }
        assert_eq!((seen(position), seen(behind)), (None, None));
    }
    outbox.postponed(&queued[2].to, "another key".into(), Some(key)).await.unwrap();
    outbox.postponed(&queued[2].to, "offline".into(), None).await.unwrap();
    assert_eq!(seen(three), None);
    outbox.postponed(&queued[2].to, "another key".into(), Some(key)).await.unwrap();
    outbox.expire(Timestamp::UNIX_EPOCH + WEEK).await.unwrap();
    assert_eq!(seen(three), None, "it waits no more");
}

#[tokio::test]
async fn messages_expire_by_wall_time_and_not_a_moment_before() {
    let (_dir, outbox) = outbox();
    let queued = enqueue(&outbox, vec![draft("rui", "1")]).await.remove(0);
    let end = Timestamp::UNIX_EPOCH + WEEK;
    assert_eq!(outbox.expire(end - Duration::from_millis(1)).await.unwrap(), 0);
    assert_eq!(outbox.expire(end).await.unwrap(), 1);
    assert_eq!(outbox.standing(queued.position).unwrap().state, State::Expired);
    assert_eq!(outbox.waiting().unwrap(), []);
}

#[tokio::test]
async fn a_batch_is_the_oldest_messages_within_the_limit() {
    let (_dir, outbox) = outbox();
    let bodies: Vec<String> = (1..=600).map(|number| number.to_string()).collect();
    let queued = enqueue(&outbox, bodies.iter().map(|body| draft("rui", body)).collect()).await;
    assert_eq!(next(&outbox, "rui", Limit::MOST), bodies[..500]);
    assert_eq!(next(&outbox, "rui", Limit { messages: 3, bytes: 10_000 }), bodies[..3]);
    assert_eq!(next(&outbox, "rui", Limit::ONE), bodies[..1]);
    let few = next(&outbox, "rui", Limit { messages: 500, bytes: 2_000 });
    assert!((2..20).contains(&few.len()) && few == bodies[..few.len()], "{few:?}");
    settle(&outbox, queued[..500].iter().map(|queued| (queued, kept(queued))).collect()).await;
    assert_eq!(next(&outbox, "rui", Limit::MOST), bodies[500..]);
}

#[tokio::test]
async fn what_cannot_go_together_with_the_oldest_comes_next() {
    let (_dir, outbox) = outbox();
    let anyone = Terms { insecure: true, ..TERMS };
    let short = Terms { lifetime: Duration::from_secs(1), insecure: true };
    for (number, terms) in [TERMS, TERMS, anyone, short, anyone].into_iter().enumerate() {
        let draft = draft("rui", &(number + 1).to_string());
        let write = outbox.store.write(move |connection| {
            super::enqueue(connection, &"ana".parse().unwrap(), &draft, Timestamp::UNIX_EPOCH, terms)
        });
        write.await.unwrap();
    }
    let rui = "rui".parse().unwrap();
    let now = Timestamp::UNIX_EPOCH + Duration::from_secs(1);
    let mut leaves = Vec::new();
    loop {
        match outbox.next_batch(&rui, Limit::MOST, now).unwrap() {
            Next::Nothing => break,
            Next::Overdue => assert_eq!(outbox.expire(now).await.unwrap(), 1),
            Next::Batch(batch) => {
                leaves.push((batch.items().len(), batch.insecure()));
                let fates = batch.items().iter().map(|item| (item.position, refused())).collect();
                outbox
                    .settle(&rui, Settlement { fates, closed: Ranges::default(), key: None })
                    .await
                    .unwrap();
            }
        }
    }
    assert_eq!(
        leaves,
        [(2, false), (1, true), (1, true)],
        "what is overdue expires before what is behind it leaves"
    );
}

#[tokio::test]
async fn each_message_of_an_answer_is_settled_as_it_says_and_tries_are_counted() {
    let (_dir, outbox) = outbox();
    let queued = enqueue(&outbox, ["1", "2", "3", "4", "5"].map(|body| draft("rui", body)).to_vec()).await;
    outbox.postponed(&queued[0].to, "no route".into(), None).await.unwrap();
    let full = Fate::Postponed { reason: "full".into() };
    let fates = [kept(&queued[0]), refused(), full, Fate::NotTried, kept(&queued[4])];
    settle(&outbox, queued.iter().zip(fates).collect()).await;
    let standings: Vec<_> = queued
        .iter()
        .map(|queued| {
            let Standing { state, reason, failures, .. } = outbox.standing(queued.position).unwrap();
            let tries: u32 = outbox
                .store
                .read(|connection| {
                    connection.query_row(
                        "SELECT tries FROM sent WHERE position = ?1",
                        [queued.position],
                        |row| row.get(0),
                    )
                })
                .unwrap();
            (state, reason, tries, failures)
        })
        .collect();
    let reason = |reason: &str| Some(reason.to_owned());
    assert_eq!(
        standings,
        [
            (State::Delivered, None, 2, 2),
            (State::Refused, reason("blocked"), 1, 2),
            (State::Queued, reason("full"), 1, 2),
            (State::Queued, reason("full"), 0, 2),
            (State::Delivered, None, 1, 2),
        ]
    );
}

#[tokio::test]
async fn what_is_kept_was_delivered_though_its_time_ran_out_on_the_way() {
    let (_dir, outbox) = outbox();
    let queued = enqueue(&outbox, vec![draft("rui", "1")]).await.remove(0);
    outbox.expire(Timestamp::UNIX_EPOCH + WEEK).await.unwrap();
    settle(&outbox, vec![(&queued, refused())]).await;
    assert_eq!(outbox.standing(queued.position).unwrap().state, State::Expired);
    settle(&outbox, vec![(&queued, kept(&queued))]).await;
    assert_eq!(outbox.standing(queued.position).unwrap().state, State::Delivered);
}

#[tokio::test]
async fn no_more_expire_at_once_than_others_can_wait_for() {
    let (_dir, outbox) = outbox();
    enqueue(&outbox, vec![draft("rui", "x"); EXPIRED_AT_ONCE + 1]).await;
    let end = Timestamp::UNIX_EPOCH + WEEK;
    let expired = [outbox.expire(end).await.unwrap(), outbox.expire(end).await.unwrap()];
    assert_eq!(expired, [EXPIRED_AT_ONCE, 1]);
}

#[test]
fn what_waits_is_found_by_index_and_never_sorted() {
    let (_dir, outbox) = outbox();
    for sql in [queue::NEXT, EXPIRE] {
        let plan: Vec<String> = outbox
            .store
            .read(|connection| {
                let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let steps = explain.query_map(("rui", 1), |row| row.get(3))?;
                steps.collect()
            })
            .unwrap();
        assert!(!plan.iter().any(|step| step.contains("SCAN") || step.contains("TEMP B-TREE")), "{plan:?}");
    }
}

#[tokio::test]
async fn the_number_of_a_message_that_was_given_up_is_closed_with_it() {
    let (_dir, outbox) = outbox();
    let drafts = ["rui", "zé", "rui", "rui", "zé", "rui", "rui"].map(|to| draft(to, "x")).to_vec();
    let queued = enqueue(&outbox, drafts).await;
    settle(&outbox, vec![(&queued[3], kept(&queued[3]))]).await;
    settle(&outbox, vec![(&queued[0], refused()), (&queued[3], refused())]).await;
    let told = |to: &str| {
        let to = to.parse().unwrap();
        outbox.store.read(|connection| closed::riding(connection, &to)).unwrap().iter().collect::<Vec<_>>()
    };
    assert_eq!((told("rui"), told("zé")), (vec![(1, 1)], vec![]), "what is delivered is not refused");
    assert_eq!(outbox.expire(Timestamp::UNIX_EPOCH + WEEK).await.unwrap(), 5);
    assert_eq!((told("rui"), told("zé")), (vec![(1, 2), (4, 5)], vec![(1, 2)]));
    settle(&outbox, vec![(&queued[5], kept(&queued[5]))]).await;
    assert_eq!(told("rui"), [(1, 2), (5, 5)], "what is kept all the same is not given up");
}

#[tokio::test]
async fn what_was_given_up_rides_with_the_first_message_until_that_is_kept() {
    let (_dir, outbox) = outbox();
    let queued = enqueue(&outbox, ["1", "2", "3"].map(|body| draft("rui", body)).to_vec()).await;
    settle(&outbox, vec![(&queued[0], refused())]).await;
    let rui = queued[0].to.clone();
    let batch = || match outbox.next_batch(&rui, Limit::MOST, Timestamp::UNIX_EPOCH).unwrap() {
        Next::Batch(batch) => batch,
        other => panic!("{other:?}"),
    };
    let closed = |batch: &Batch| batch.closed().iter().collect::<Vec<_>>();
    assert_eq!(closed(&batch()), [(1, 1)]);
    let said: Value = serde_json::from_slice(&batch().body()).unwrap();
    assert_eq!((&said[0]["closed"], &said[1]["closed"]), (&serde_json::json!([[1, 1]]), &Value::Null));
    for (first, told) in [(Fate::NotTried, true), (kept(&queued[1]), false)] {
        let fates = vec![(queued[1].position, first), (queued[2].position, Fate::NotTried)];
        outbox.settle(&rui, Settlement { fates, closed: batch().closed().clone(), key: None }).await.unwrap();
        assert_eq!(closed(&batch()), if told { vec![(1, 1)] } else { vec![] });
    }
}
