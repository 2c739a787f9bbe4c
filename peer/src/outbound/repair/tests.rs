//! What is lacking by any receipt; and a recipient that loses what it had, refuses and is restored, at the real inbox of
//! another peer: all that was acknowledged is there in the end, once and in order, and nothing came twice that was there.

mod two;

use std::collections::BTreeSet;

use proptest::prelude::*;
use protocol::{Fingerprint, Slug};

use super::*;
use crate::outbound::courier::Step;
use crate::outbound::limits::Limit;
use crate::outbound::route::Route;
use two::*;

fn numbers(ranges: &[Range]) -> BTreeSet<u64> {
    ranges.iter().flat_map(|range| range.0..=range.1).collect()
}

fn ranges(numbers: &BTreeSet<u64>) -> Vec<Range> {
    merged(numbers.iter().map(|number| (*number, *number)))
}

/// What a receiver that has had these numbers says.
fn told(had: &BTreeSet<u64>) -> (u64, Ranges) {
    let highest = had.last().copied().unwrap_or(0);
    let missing = ranges(&(1..highest).filter(|number| !had.contains(number)).collect());
    let told = missing[missing.len().saturating_sub(Ranges::MOST)..].iter().map(|range| [range.0, range.1]);
    (highest, Ranges::try_from(told.collect::<Vec<_>>()).unwrap())
}

fn lack(highest: u64, missing: &[[u64; 2]], delivered: u64) -> Vec<Range> {
    lacking(highest, &Ranges::try_from(missing.to_vec()).unwrap(), delivered)
}

proptest! {
    #[test]
    fn what_an_honest_receipt_tells_is_lacking_and_nothing_else(had in prop::collection::btree_set(1..90_u64, 0..80), delivered in 0..100_u64) {
        let (highest, missing) = told(&had);
        let lacking = numbers(&lacking(highest, &missing, delivered));
        prop_assert!(lacking.iter().all(|number| *number <= delivered && !had.contains(number)));
        let is_all = missing.iter().count() < Ranges::MOST;
        let from = missing.iter().map(|range| range.0).next().filter(|_| !is_all).unwrap_or(1);
        let known = (from..=delivered).filter(|number| !had.contains(number));
        prop_assert_eq!(known.collect::<BTreeSet<_>>(), lacking, "all of it, from the lowest that was told");
    }

    #[test]
    fn whatever_is_told_the_ranges_are_in_order_and_below_what_was_delivered(
        highest in 0..=protocol::message::HIGHEST_SEQ,
        missing in prop::collection::vec((1..=60_u64, 0..=1_u64 << 40).prop_map(|(first, more)| [first, first + more]), 0..=16),
        delivered in 0..80_u64,
    ) {
        let lack = lack(highest, &missing, delivered);
        prop_assert!(lack.iter().all(|range| 1 <= range.0 && range.0 <= range.1 && range.1 <= delivered));
        prop_assert!(lack.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
    }
}

#[test]
fn a_loss_at_the_end_is_seen_by_what_was_delivered() {
    assert_eq!(lack(7, &[], 7), []);
    assert_eq!(lack(7, &[], 9), [(8, 9)]);
    assert_eq!(lack(7, &[[3, 4], [6, 6]], 9), [(3, 4), (6, 6), (8, 9)]);
    assert_eq!(lack(9, &[[8, 8], [2, 5], [4, 6]], 5), [(2, 5)]);
    assert_eq!(lack(protocol::message::HIGHEST_SEQ, &[[1, 1 << 50]], 3), [(1, 3)]);
}

#[test]
fn a_count_that_leaves_too_few_numbers_is_not_believed() {
    assert_eq!(counter((1 << 52) - 1), Some((1 << 52) - 1));
    assert_eq!(counter(1 << 52), None);
    assert_eq!(counter(protocol::message::HIGHEST_SEQ), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acknowledged_is_there_in_the_end_once_and_in_order(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut two = Two::new().await;
            let mut copy = None;
            for act in &acts {
                two.act(act, &mut copy).await;
                let repeats = two.repeats();
                prop_assert!(repeats <= two.lost as u64, "{repeats} came again, and {} were lost", two.lost);
            }
            // Sixteen holes at a time are told, and closed with one message.
            for _ in 0..12 {
                two.hour_passes().await;
                two.write(1, u64::MAX).await;
                two.deliver().await;
                if two.rui.inbox() == two.delivered() {
                    break;
                }
            }
            prop_assert_eq!(two.rui.inbox(), two.delivered());
            let repeats = two.repeats();
            prop_assert!(repeats <= two.lost as u64, "{repeats} came again, and {} were lost", two.lost);
            Ok(())
        })?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_backup_of_thousands_is_made_good_in_rounds() {
    let mut two = Two::losing(3_000, |seq| seq > 200).await;
    two.rui.requests.lock().unwrap().clear();
    two.write_one_and_deliver().await;
    assert_eq!(two.rui.inbox(), two.delivered());
    assert_eq!((two.repeats(), two.lost), (2_800, 2_800));
    let rounds = [(500, 201), (500, 701), (500, 1_201), (500, 1_701), (500, 2_201), (300, 2_701)];
    assert_eq!(two.rui.requests.lock().unwrap()[1..], rounds);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_holes_are_made_good_sixteen_at_a_time() {
    let mut two = Two::losing(200, |seq| seq % 2 == 0).await;
    two.write_one_and_deliver().await;
    assert_eq!(two.rui.inbox(), two.delivered());
    assert_eq!((two.repeats(), two.lost), (100, 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_again_comes_again_after_an_hour_and_not_sooner() {
    let mut two = Two::losing(10, |seq| seq <= 3).await;
    two.write_one_and_deliver().await;
    assert_eq!((two.rui.inbox(), two.repeats()), (two.delivered(), 3));
    for _ in 0..3 {
        two.lose(|seq| seq <= 4).await;
        two.repair = Repair::default();
        two.write_one_and_deliver().await;
        assert_eq!(two.repeats(), 3, "nothing of a range that was sent again");
    }
    two.lose(|seq| seq == 8).await;
    two.write_one_and_deliver().await;
    assert_eq!(two.repeats(), 4, "but what else is lost");
    two.hour_passes().await;
    two.write_one_and_deliver().await;
    assert_eq!((two.rui.inbox(), two.repeats()), (two.delivered(), 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_held_up_for_one_batch_only() {
    let mut two = Two::losing(1_600, |seq| seq <= 1_500).await;
    two.rui.requests.lock().unwrap().clear();
    two.write(1_001, u64::MAX).await;
    two.deliver().await;
    assert_eq!(two.rui.inbox(), two.delivered());
    let by_turns = [(500, 1_601), (500, 1), (500, 2_101), (500, 501), (1, 2_601), (500, 1_001)];
    assert_eq!(*two.rui.requests.lock().unwrap(), by_turns);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_whose_count_is_behind_goes_on_from_what_was_had() {
    let mut two = Two::losing(5, |_| false).await;
    let forget = two.outbound.store.write(|connection| {
        connection.execute_batch("DELETE FROM sent WHERE seq > 2; UPDATE recipients SET last_seq = 2")
    });
    forget.await.unwrap();
    for _ in 0..3 {
        two.write_one_and_deliver().await;
    }
    let seqs = |listed: Vec<(u64, String)>| listed.into_iter().map(|(seq, _)| seq).collect::<Vec<_>>();
    assert_eq!(seqs(two.delivered()), [1, 2, 3, 6, 7]);
    assert_eq!(two.rui.inbox().len(), 8, "nothing of what he had is gone");
    assert_eq!(two.repeats(), 0);
    // He loses what she knows nothing of: it is closed, and nothing else comes of it.
    two.rui.job(|connection| set_had(connection, &[1, 2, 3, 6, 7].into())).await;
    two.write_one_and_deliver().await;
    two.write_one_and_deliver().await;
    assert_eq!((two.rui.job(had).await, two.repeats()), ((1..=9).collect(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_sent_nothing_of_what_was_said_to_the_one_before() {
    let mut two = Two::losing(5, |seq| seq == 2).await;
    let key = two.courier.contacts.pin(&name("rui")).unwrap().unwrap().fingerprint;
    let other = Fingerprint::from_bytes([7; 32]);
    // He is asked again, and his name has another key before the answer is heard.
    two.write(1, u64::MAX).await;
    let mut route = Route::default();
    let step = two.courier.turn(&name("rui"), &mut route, &mut two.repair).await.unwrap();
    assert!(matches!(step, Step::Settled { said: Some(_) }) && two.repair.is_under_way(), "{step:?}");
    two.courier.contacts.trust(&name("rui"), other).await.unwrap();
    two.deliver().await;
    assert_eq!(two.repeats(), 0);
    let account = two.courier.outbox.account(&name("rui"), other).unwrap();
    assert_eq!(account.delivered, 0, "nothing was delivered to it");
    let outbox = &two.courier.outbox;
    let again = |key| outbox.batch_again(&name("rui"), key, &[(1, 9)], Limit::MOST, crate::now()).unwrap();
    assert!(again(other).is_none() && again(key).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_by_another_key_of_mine_would_be_another_message() {
    let mut two = Two::losing(5, |_| false).await;
    let another = two
        .outbound
        .store
        .write(|connection| connection.execute("UPDATE sent SET delivered_as = zeroblob(32)", []));
    another.await.unwrap();
    two.lose(|seq| seq == 2).await;
    for _ in 0..3 {
        two.write_one_and_deliver().await;
    }
    assert_eq!((two.repeats(), two.rui.inbox().len()), (0, 7));
    assert_eq!(two.rui.job(had).await, (1..=8).collect(), "the hole is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_again_and_again_that_all_is_lost_gets_one_round_of_it() {
    let mut two = Two::losing(1_200, |_| false).await;
    two.rui.mood.lock().unwrap().highest = Some(1);
    for _ in 0..4 {
        two.write_one_and_deliver().await;
        two.repair = Repair::default();
    }
    assert_eq!(two.repeats(), 500);
    two.hour_passes().await;
    two.write_one_and_deliver().await;
    two.write_one_and_deliver().await;
    assert_eq!(two.repeats(), 1_000);
    assert_eq!(two.delivered().len(), 1_206);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_when_it_comes_again_stays_delivered_and_is_closed() {
    let mut two = Two::losing(5, |seq| seq <= 2).await;
    two.rui.mood.lock().unwrap().objection = Some(Slug::IdConflict);
    for _ in 0..3 {
        two.write_one_and_deliver().await;
        two.hour_passes().await;
    }
    assert_eq!((two.repeats(), two.delivered().len()), (2, 8));
    assert_eq!(two.rui.job(had).await, (1..=8).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_room_for_what_comes_again_gets_what_is_new_and_the_rest_when_there_is_room() {
    let mut two = Two::losing(5, |seq| seq <= 2).await;
    two.rui.mood.lock().unwrap().objection = Some(Slug::QuotaExceeded);
    let (rui, mut route) = (name("rui"), Route::default());
    for new in 1..=3 {
        two.write(1, u64::MAX).await;
        let mut failures = 0;
        while failures < 4 {
            let step = two.courier.turn(&rui, &mut route, &mut two.repair).await.unwrap();
            failures += u64::from(matches!(step, Step::Failed { retry_after: None, moved: false }));
        }
        assert_eq!(two.delivered().len(), 5 + new);
        assert!(two.repair.is_under_way(), "it waits, as what is queued does");
    }
    two.rui.mood.lock().unwrap().objection = None;
    two.deliver().await;
    assert_eq!(two.rui.inbox(), two.delivered());
}
