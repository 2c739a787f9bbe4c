//! Each recipient's queue and count, and every way in which a message is settled or not.

use super::*;
use crate::database;

pub(super) const WEEK: Duration = Duration::from_hours(7 * 24);
const TERMS: Terms = Terms { lifetime: WEEK, insecure: false };

pub(super) fn draft(to: &str, body: &str) -> Draft {
    Draft { to: to.parse().unwrap(), body: body.to_owned().try_into().unwrap() }
}

pub(super) fn outbox() -> (tempfile::TempDir, Outbox) {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::new(database::open(dir.path()).unwrap());
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

fn oldest(outbox: &Outbox, to: &str) -> Option<(String, u64)> {
    let pending = outbox.oldest(&to.parse().unwrap()).unwrap()?;
    Some((pending.message.body.as_str().to_owned(), pending.message.seq.unwrap()))
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
    assert_eq!(oldest(&outbox, "rui"), Some(("1".into(), 1)));
    outbox.delivered(queued[0].position, Timestamp::UNIX_EPOCH, None).await.unwrap();
    assert_eq!(oldest(&outbox, "rui"), Some(("2".into(), 2)));
    outbox.refused(queued[2].position, "blocked".into()).await.unwrap();
    assert_eq!(oldest(&outbox, "rui"), None);
    assert_eq!(oldest(&outbox, "zé"), Some(("1".into(), 1)));
}

#[tokio::test]
async fn a_settled_message_stays_settled() {
    let (_dir, outbox) = outbox();
    let queued = enqueue(&outbox, vec![draft("rui", "1")]).await.remove(0);
    outbox.delivered(queued.position, Timestamp::UNIX_EPOCH, None).await.unwrap();
    outbox.refused(queued.position, "late".into()).await.unwrap();
    outbox.postponed(&queued.to, queued.position, "late".into(), None).await.unwrap();
    let standing = outbox.standing(queued.position).unwrap();
    assert_eq!((standing.state, standing.reason), (State::Delivered, None));
}

#[tokio::test]
async fn a_failed_try_is_counted_for_all_that_wait_behind_it() {
    let (_dir, outbox) = outbox();
    let queued = enqueue(&outbox, vec![draft("rui", "1"), draft("rui", "2")]).await;
    outbox.postponed(&queued[0].to, queued[0].position, "no route".into(), None).await.unwrap();
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
        outbox.postponed(&queued[0].to, position, "another key".into(), Some(key)).await.unwrap();
        assert_eq!((seen(position), seen(behind)), (Some(key), Some(key)), "all behind it wait for that");
        if position == one {
            outbox.delivered(one, Timestamp::UNIX_EPOCH, None).await.unwrap();
        } else {
            outbox.refused(two, "blocked".into()).await.unwrap();
        }
        assert_eq!((seen(position), seen(behind)), (None, None));
    }
    outbox.postponed(&queued[2].to, three, "another key".into(), Some(key)).await.unwrap();
    outbox.postponed(&queued[2].to, three, "offline".into(), None).await.unwrap();
    assert_eq!(seen(three), None);
    outbox.postponed(&queued[2].to, three, "another key".into(), Some(key)).await.unwrap();
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
async fn the_number_of_a_message_that_was_given_up_is_closed_with_it() {
    let (_dir, outbox) = outbox();
    let drafts = ["rui", "zé", "rui", "rui", "zé", "rui", "rui"].map(|to| draft(to, "x")).to_vec();
    let queued = enqueue(&outbox, drafts).await;
    outbox.delivered(queued[3].position, Timestamp::UNIX_EPOCH, None).await.unwrap();
    outbox.refused(queued[0].position, "no".into()).await.unwrap();
    outbox.refused(queued[3].position, "late".into()).await.unwrap();
    let told = |to: &str| {
        let to = to.parse().unwrap();
        outbox.store.read(|connection| closed::riding(connection, &to)).unwrap().iter().collect::<Vec<_>>()
    };
    assert_eq!((told("rui"), told("zé")), (vec![(1, 1)], vec![]), "what is delivered is not refused");
    assert_eq!(outbox.expire(Timestamp::UNIX_EPOCH + WEEK).await.unwrap(), 5);
    assert_eq!((told("rui"), told("zé")), (vec![(1, 2), (4, 5)], vec![(1, 2)]));
}
