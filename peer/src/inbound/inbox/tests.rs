//! What is kept once, of whom, and how much; senders are judged in the tests of the endpoint.

use jiff::Timestamp;
use listener::Source;
use proptest::prelude::*;
use protocol::message::Message;
use protocol::{Fingerprint, Name};
use rusqlite::Connection;
use uuid::Uuid;

use super::super::quota::Quota;
use super::super::sender::Sender;
use super::*;
use crate::contacts::{Contacts, pins};
use crate::conversations::{Conversations, Query};
use crate::database;

fn message(text: &str) -> Message {
    Message::try_from(serde_json::from_str::<protocol::message::Unparsed>(text).unwrap()).unwrap()
}

impl Inbox {
    async fn keep_on(&self, text: &str, key: Option<Fingerprint>, terms: Terms, second: i64) -> Kept {
        let message = message(text);
        let source = Source::connected(([127, 0, 0, 1], 1).into(), &[]);
        let sender = Sender { name: message.from.clone(), key, source };
        let now = Timestamp::from_second(second).unwrap();
        let letters = Letters { to: name("rui"), sender, messages: vec![message], terms, now };
        self.keep(Arc::new(letters), Answer::Unclaimed).await.unwrap().remove(0)
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> T {
        self.store.write(job).await.unwrap()
    }
}

async fn keep_at(inbox: &Inbox, text: &str, key: Option<Fingerprint>, second: i64) -> Kept {
    inbox.keep_on(text, key, Terms::default(), second).await
}

fn inbox() -> (tempfile::TempDir, Inbox, Contacts) {
    let dir = tempfile::tempdir().unwrap();
    let store = database::open(dir.path()).unwrap();
    (dir, Inbox::new(store.clone()), Contacts::new(store))
}

fn key(byte: u8) -> Fingerprint {
    Fingerprint::from_bytes([byte; 32])
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

const ONE: &str = r#"{"id":"0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3","from":"ana","body":"oi","sent_at":"2026-11-22T09:30:00Z"}"#;

#[tokio::test]
async fn a_message_is_kept_once_however_often_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let store = database::open(dir.path()).unwrap();
    let inbox = Inbox::new(store.clone());
    let Kept::New(first) = keep_at(&inbox, ONE, None, 1).await else { panic!("not new") };
    let spelt_otherwise =
        ONE.replace("09:30:00Z", "10:30:00.0+01:00").replace("\"body\"", "\"to\":\"RUI\",\"body\"");
    for again in [ONE, &spelt_otherwise] {
        assert_eq!(keep_at(&inbox, again, None, 2).await, Kept::Before(first.clone()));
    }
    for other in [
        ONE.replace("oi", "olá"),
        ONE.replace("\"ana\"", "\"rita\""),
        ONE.replace("09:30", "09:31"),
        ONE.replace("\"body\"", "\"reply_to\":\"0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3\",\"body\""),
    ] {
        assert_eq!(keep_at(&inbox, &other, None, 3).await, Kept::OtherContent, "{other}");
    }
    assert_eq!(Conversations::new(store).list(&Query::default()).unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_kept_is_known_again_whatever_became_of_its_sender() {
    let (_dir, inbox, contacts) = inbox();
    for sender in [None, Some(key(1))] {
        let Kept::New(first) = keep_at(&inbox, ONE, sender, 1).await else { panic!("not new") };
        contacts.trust(&name("ana"), key(2)).await.unwrap();
        assert_eq!(keep_at(&inbox, ONE, sender, 2).await, Kept::Before(first));
        contacts.block(&name("ana")).await.unwrap();
        assert!(matches!(keep_at(&inbox, ONE, sender, 3).await, Kept::Before(_)));
        assert!(matches!(keep_at(&inbox, &ONE.replace("oi", "olá"), sender, 4).await, Kept::Refused(_)));
        contacts.unblock(&name("ana")).await.unwrap();
        contacts.forget(&name("ana")).await.unwrap();
    }
}

#[tokio::test]
async fn nobody_can_use_up_the_id_of_one_who_has_a_key() {
    let dir = tempfile::tempdir().unwrap();
    let inbox = Inbox::new(database::open(dir.path()).unwrap());
    let (mine, yours) = (Fingerprint::from_bytes([1; 32]), Fingerprint::from_bytes([2; 32]));
    for key in [None, Some(yours), Some(mine)] {
        assert!(matches!(keep_at(&inbox, ONE, key, 1).await, Kept::New(_)));
    }
}

#[tokio::test]
async fn without_an_id_each_message_is_another() {
    let dir = tempfile::tempdir().unwrap();
    let store = database::open(dir.path()).unwrap();
    let inbox = Inbox::new(store.clone());
    for _ in 0..2 {
        assert!(matches!(keep_at(&inbox, r#"{"from":"ci","body":"failed"}"#, None, 1).await, Kept::New(_)));
    }
    let entries = Conversations::new(store).list(&Query::default()).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.position).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(inbox.unread().unwrap().get("ci"), Some(&2));
    inbox.mark_read(vec![1]).await.unwrap();
    assert_eq!(inbox.unread().unwrap().get("ci"), Some(&1));
}

#[tokio::test]
async fn a_receipt_tells_those_who_have_a_key_what_was_had_and_each_key_its_own() {
    let (_dir, inbox, contacts) = inbox();
    let keep = async |seq: u64, more: &str, who: Option<Fingerprint>| {
        let id = Uuid::from_u128(u128::from(seq));
        let text = format!(r#"{{"id":"{id}","from":"ana","body":"oi","seq":{seq}{more}}}"#);
        match keep_at(&inbox, &text, who, 1).await {
            Kept::New(receipt) => (true, receipt.highest, receipt.missing.iter().collect()),
            Kept::Before(receipt) => (false, receipt.highest, receipt.missing.iter().collect::<Vec<_>>()),
            other => panic!("{other:?}"),
        }
    };
    let me = Some(key(1));
    assert_eq!(keep(1, "", me).await, (true, Some(1), vec![]));
    assert_eq!(keep(5, "", me).await, (true, Some(5), vec![(2, 4)]));
    assert_eq!(keep(1, "", me).await, (false, Some(5), vec![(2, 4)]), "as it is now");
    assert_eq!(
        keep(8, r#","closed":[[3,3],[6,6]]"#, me).await,
        (true, Some(8), vec![(2, 2), (4, 4), (7, 7)])
    );
    let gaps = vec![(2, 2), (4, 4), (7, 7)];
    assert_eq!(keep(8, r#","closed":[[1,7]]"#, me).await, (false, Some(8), gaps), "a stranger's repeat");
    contacts.trust(&name("bia"), key(1)).await.unwrap();
    assert_eq!(keep(8, r#","closed":[[1,7]]"#, me).await, (false, Some(8), vec![]), "a contact's");
    assert_eq!(keep(2, "", Some(key(2))).await, (true, Some(2), vec![(1, 1)]));
    assert_eq!(keep(9, "", None).await, (true, None, vec![]));
    let uncounted = keep_at(&inbox, r#"{"from":"ana","body":"oi"}"#, Some(key(3)), 1).await;
    assert!(matches!(uncounted, Kept::New(receipt) if receipt.highest.is_none()));
}

#[tokio::test]
async fn a_strangers_numbers_go_with_its_last_message_and_a_contacts_stay() {
    let (_dir, inbox, contacts) = inbox();
    contacts.trust(&name("bia"), key(2)).await.unwrap();
    let counted = async || {
        inbox
            .run(|connection| {
                connection
                    .prepare("SELECT DISTINCT sender FROM had")?
                    .query_map([], |row| row.get(0))?
                    .collect::<rusqlite::Result<Vec<[u8; 32]>>>()
            })
            .await
    };
    let delete = async |first: i64| {
        inbox
            .run(move |connection| connection.execute("DELETE FROM received WHERE position >= ?1", [first]))
            .await
    };
    for (from, byte) in [("ana", 1), ("bia", 2)] {
        for seq in [1, 3] {
            keep_at(&inbox, &format!(r#"{{"from":"{from}","body":"oi","seq":{seq}}}"#), Some(key(byte)), 1)
                .await;
        }
    }
    delete(4).await;
    assert_eq!(counted().await, [[1; 32], [2; 32]]);
    delete(1).await;
    assert_eq!(counted().await, [[2; 32]]);
    contacts.forget(&name("bia")).await.unwrap();
    assert_eq!(counted().await, Vec::<[u8; 32]>::new());
}

/// Messages of these lengths, each of its own id, by turns; how many are kept before the first that is not, and why.
async fn fill(
    inbox: &Inbox,
    terms: Terms,
    who: Option<Fingerprint>,
    lengths: &[usize],
) -> (usize, Option<Exceeded>) {
    for (number, length) in lengths.iter().enumerate() {
        let text = format!(r#"{{"id":"{}","from":"zé","body":"{}"}}"#, Uuid::now_v7(), "x".repeat(*length));
        match inbox.keep_on(&text, who, terms, 1).await {
            Kept::New(_) => {
                assert!(
                    matches!(inbox.keep_on(&text, who, terms, 1).await, Kept::Before(_)),
                    "a repeat is none"
                );
            }
            Kept::OverQuota(exceeded) => return (number, Some(exceeded)),
            other => panic!("{other:?}"),
        }
    }
    (lengths.len(), None)
}

#[tokio::test]
async fn each_class_has_its_own_room_to_the_last_message_and_byte() {
    let (_dir, inbox, contacts) = inbox();
    let (unverified, stranger, strangers) =
        (Quota::AtMost(3, 12), Quota::AtMost(4, 20), Quota::AtMost(6, 30));
    let terms = Terms { quotas: Quotas { unverified, stranger, strangers }, ..Terms::default() };
    let [me, you, they] = [1, 2, 3].map(|byte| Some(key(byte)));
    assert_eq!(
        fill(&inbox, terms, None, &[4, 4, 5]).await,
        (2, Some(Exceeded::Unverified(unverified))),
        "a byte too many"
    );
    assert_eq!(
        fill(&inbox, terms, None, &[4, 1]).await,
        (1, Some(Exceeded::Unverified(unverified))),
        "a message too many"
    );
    assert_eq!(fill(&inbox, terms, me, &[5, 5, 5, 5, 1]).await, (4, Some(Exceeded::Stranger(stranger))));
    assert_eq!(
        fill(&inbox, terms, you, &[5, 6]).await,
        (1, Some(Exceeded::Strangers(strangers))),
        "a byte too many"
    );
    assert_eq!(
        fill(&inbox, terms, you, &[5, 1]).await,
        (1, Some(Exceeded::Strangers(strangers))),
        "a message too many"
    );
    assert_eq!(fill(&inbox, terms, they, &[1]).await, (0, Some(Exceeded::Strangers(strangers))));

    contacts.trust(&name("ana"), key(1)).await.unwrap();
    assert_eq!(fill(&inbox, terms, me, &[100; 9]).await, (9, None), "a contact, under another name too");
    assert_eq!(
        fill(&inbox, terms, they, &[5, 5, 5, 5]).await,
        (4, None),
        "there is room for strangers again"
    );
    assert_eq!(fill(&inbox, terms, None, &[1]).await, (0, Some(Exceeded::Unverified(unverified))));
    contacts.forget(&name("ana")).await.unwrap();
    assert_eq!(
        fill(&inbox, terms, you, &[1]).await,
        (0, Some(Exceeded::Strangers(strangers))),
        "a stranger again"
    );

    let refused = Quota::AtMost(0, 0);
    let terms = Terms {
        quotas: Quotas { unverified: Quota::None, stranger: refused, strangers: Quota::None },
        ..terms
    };
    assert_eq!(fill(&inbox, terms, None, &[100; 3]).await, (3, None), "no limit");
    assert_eq!(fill(&inbox, terms, Some(key(9)), &[1]).await, (0, Some(Exceeded::Stranger(refused))));
}

/// What changes how much is kept of whom.
#[derive(Debug, Clone)]
enum Change {
    Message(Option<u8>, usize),
    Delete(usize),
    Trust(u8, u8),
    See(u8, u8),
    Own(u8, u8),
    Forget(u8),
}

fn change() -> impl Strategy<Value = Change> {
    let (who, whose) = (0..3_u8, 1..4_u8);
    prop_oneof![
        4 => (proptest::option::of(whose.clone()), 1..9_usize).prop_map(|(key, length)| Change::Message(key, length)),
        1 => (0..20_usize).prop_map(Change::Delete),
        1 => (who.clone(), whose.clone()).prop_map(|(who, key)| Change::Trust(who, key)),
        1 => (who.clone(), whose.clone()).prop_map(|(who, key)| Change::See(who, key)),
        1 => (who.clone(), whose).prop_map(|(who, key)| Change::Own(who, key)),
        1 => who.prop_map(Change::Forget),
    ]
}

async fn apply(change: Change, inbox: &Inbox, contacts: &Contacts) {
    let who = |number: u8| name(["ana", "bia", "zé"][usize::from(number)]);
    match change {
        Change::Message(byte, length) => {
            let text = format!(r#"{{"from":"zé","body":"{}"}}"#, "é".repeat(length));
            drop(keep_at(inbox, &text, byte.map(key), 1).await);
        }
        Change::Delete(number) => {
            let sql =
                "DELETE FROM received WHERE position = (SELECT position FROM received LIMIT 1 OFFSET ?1)";
            inbox.run(move |connection| connection.execute(sql, [number])).await;
        }
        Change::Trust(number, byte) => drop(contacts.trust(&who(number), key(byte)).await.unwrap()),
        Change::See(number, byte) => {
            if contacts.pin(&who(number)).unwrap().is_none() {
                let now = Timestamp::UNIX_EPOCH;
                inbox.run(move |connection| pins::see(connection, &who(number), key(byte), now)).await;
            }
        }
        Change::Own(number, byte) => contacts.pin_own(&who(number), key(byte)).await.unwrap(),
        Change::Forget(number) => drop(contacts.forget(&who(number)).await.unwrap()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn tallies_are_what_counting_comes_to(changes in proptest::collection::vec(change(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (_dir, inbox, contacts) = inbox();
        for change in changes {
            runtime.block_on(apply(change, &inbox, &contacts));
        }
        let wrong: (u64, u64, u64) = inbox.store.read(|connection| connection.query_row(
            "WITH counted AS (SELECT sender, count(*) AS messages, sum(octet_length(body)) AS bytes FROM received GROUP BY sender),
                  others AS (SELECT coalesce(sum(messages), 0) AS messages, coalesce(sum(bytes), 0) AS bytes FROM counted
                             WHERE sender <> x'' AND sender NOT IN (SELECT fingerprint FROM pins WHERE kind IN ('own', 'contact')))
             SELECT (SELECT count(*) FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept)),
                    (SELECT count(*) FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted)),
                    (SELECT count(*) FROM (SELECT * FROM others EXCEPT SELECT * FROM strangers))",
            [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))).unwrap();
        prop_assert_eq!(wrong, (0, 0, 0));
        let overlooked: u64 = inbox.store.read(|connection| connection.query_row(
            "SELECT count(*) FROM messages WHERE verified = 0 AND doubted = 0 AND direction = 'received'", [], |row| row.get(0))).unwrap();
        prop_assert_eq!(overlooked, 0, "what is not verified is found among what is doubted");
    }
}
