//! What is lacking by any receipt; and a recipient that loses what it had, refuses and is restored, at the real inbox of
//! another peer: all that was acknowledged is there in the end, once and in order, and nothing came twice that was there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::slice;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use listener::Source;
use proptest::prelude::*;
use protocol::message::{Body, Message, Unparsed};
use protocol::{Fingerprint, Name, Slug};
use rusqlite::Connection;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::client::{Id, Peers, Site, response};
use crate::contacts::Contacts;
use crate::conversations::{Conversations, Direction, Query, State};
use crate::database;
use crate::inbound::claims::Answer;
use crate::inbound::inbox::{Inbox, Kept, Letters};
use crate::inbound::sender::Sender;
use crate::outbound::Outbound;
use crate::outbound::courier::{Courier, Step};
use crate::outbound::limits::{Limit, Limits};
use crate::outbound::outbox::retried::Which;
use crate::outbound::outbox::{Draft, Outbox, Terms};
use crate::outbound::route::Route;
use crate::outbound::transport::Transport;
use store::Store;

const HOUR: Terms = Terms { lifetime: Duration::from_hours(1), insecure: false };

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

/// What becomes of the two.
#[derive(Debug, Clone)]
enum Act {
    /// Ana writes so many; every one in `refused` is one that rui will not have.
    Write {
        count: u64,
        refused: u64,
    },
    Deliver,
    /// What waits waits no longer.
    Expire,
    Retry,
    /// Rui's database is copied.
    Copy,
    /// Rui's database is what it was when it was copied.
    Restore,
    /// Of rui's messages every so-many-th is lost, and that it was had.
    Lose {
        every: u64,
    },
    /// Ana's peer is started anew.
    Restart,
    HourPasses,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (1..40_u64, 2..12_u64).prop_map(|(count, refused)| Act::Write { count, refused }),
        6 => Just(Act::Deliver),
        1 => Just(Act::Expire),
        1 => Just(Act::Retry),
        2 => Just(Act::Copy),
        2 => Just(Act::Restore),
        2 => (1..6_u64).prop_map(|every| Act::Lose { every }),
        1 => Just(Act::Restart),
        1 => Just(Act::HourPasses),
    ];
    prop::collection::vec(act, 1..24)
}

/// Rui's peer without its network, and what came to it.
#[derive(Clone)]
struct Rui {
    store: Store,
    inbox: Inbox,
    ana: Fingerprint,
    /// How often each message was sent to it while it had it or had lost it.
    repeats: Arc<Mutex<BTreeMap<Uuid, u64>>>,
    acknowledged: Arc<Mutex<BTreeSet<Uuid>>>,
    /// How many messages came with each request, and the number of the first.
    requests: Arc<Mutex<Vec<(usize, u64)>>>,
    mood: Arc<Mutex<Mood>>,
}

/// What he does besides.
#[derive(Debug, Clone, Copy, Default)]
struct Mood {
    /// Says this of each that he is sent again.
    objection: Option<Slug>,
    /// Says that he has had no more than this.
    highest: Option<u64>,
}

impl Rui {
    /// Answers a request as his endpoint does, on a thread that may wait for the disk.
    fn answer(&self, request: &str) -> String {
        let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
        let messages = body.as_array().map_or(slice::from_ref(&body), Vec::as_slice);
        self.requests.lock().unwrap().push((messages.len(), messages[0]["seq"].as_u64().unwrap()));
        let this = self.clone();
        let answering = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            match body {
                Value::Array(messages) => {
                    let items: Vec<_> =
                        messages.into_iter().map(|message| runtime.block_on(this.take(message))).collect();
                    ("200 OK", Value::from(items))
                }
                message => match runtime.block_on(this.take(message)) {
                    item if item["status"] == 422 => ("422 Unprocessable Content", item),
                    item if item["status"] == 409 => ("409 Conflict", item),
                    item if item["status"] == 429 => ("429 Too Many Requests", item),
                    item => ("201 Created", item),
                },
            }
        });
        let (status, answer) = answering.join().unwrap();
        response(status, &answer.to_string())
    }

    async fn take(&self, message: Value) -> Value {
        let id: Uuid = message["id"].as_str().unwrap().parse().unwrap();
        let Mood { objection, highest } = *self.mood.lock().unwrap();
        if self.acknowledged.lock().unwrap().contains(&id) {
            *self.repeats.lock().unwrap().entry(id).or_default() += 1;
            if let Some(slug) = objection {
                return serde_json::to_value(slug.because("Again?").body()).unwrap();
            }
        }
        if message["body"].as_str().unwrap().starts_with("never") {
            return serde_json::to_value(Slug::InvalidMessage.because("Never.").body()).unwrap();
        }
        let message = Message::try_from(serde_json::from_value::<Unparsed>(message).unwrap()).unwrap();
        let source = Source::connected((Ipv4Addr::LOCALHOST, 1).into(), &[]);
        let sender = Sender { name: message.from.clone(), key: Some(self.ana), source };
        let (to, terms) = ("rui".parse().unwrap(), crate::inbound::inbox::Terms::default());
        let letters = Letters { to, sender, messages: vec![message], terms, now: crate::now() };
        let kept = self.inbox.keep(Arc::new(letters), Answer::NotConfigured).await.unwrap().remove(0);
        let (status, receipt) = match kept {
            Kept::New(receipt) => (201, receipt),
            Kept::Before(receipt) => (200, receipt),
            other => panic!("{other:?}"),
        };
        self.acknowledged.lock().unwrap().insert(id);
        let mut item = serde_json::to_value(receipt).unwrap();
        item["status"] = json!(status);
        if let Some(highest) = highest {
            item["highest"] = json!(highest);
        }
        item
    }

    /// What he has, in the order in which it is listed: numbers and texts.
    fn inbox(&self) -> Vec<(u64, String)> {
        let entries = Conversations::new(self.store.clone()).list(&Query::default()).unwrap();
        entries.into_iter().map(|entry| (entry.seq.unwrap(), entry.body)).collect()
    }

    async fn job<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> T {
        self.store.write(job).await.unwrap()
    }

    /// Everything that a restored copy of his database would say.
    async fn copy(&self) -> (i64, BTreeSet<u64>) {
        self.job(|connection| {
            let last = connection.query_row("SELECT last FROM positions", [], |row| row.get(0))?;
            Ok((last, had(connection)?))
        })
        .await
    }

    /// Loses what came since; how much that was.
    async fn restore(&self, (kept_up_to, numbers): (i64, BTreeSet<u64>)) -> usize {
        self.job(move |connection| {
            let lost = connection.execute("DELETE FROM received WHERE position > ?1", [kept_up_to])?;
            set_had(connection, &numbers)?;
            Ok(lost)
        })
        .await
    }

    async fn lose(&self, every: u64) -> Vec<u64> {
        self.job(move |connection| {
            let mut numbers = had(connection)?;
            let mut lost = connection.prepare("DELETE FROM received WHERE seq % ?1 = 0 RETURNING seq")?;
            let lost: Vec<u64> =
                lost.query_map([every], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            numbers.retain(|number| !lost.contains(number));
            set_had(connection, &numbers)?;
            Ok(lost)
        })
        .await
    }
}

fn had(connection: &Connection) -> rusqlite::Result<BTreeSet<u64>> {
    let mut select = connection.prepare("SELECT first, last FROM had")?;
    let ranges: Vec<Range> =
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    Ok(numbers(&ranges))
}

fn set_had(connection: &Connection, numbers: &BTreeSet<u64>) -> rusqlite::Result<()> {
    let sender: Vec<u8> =
        connection.query_row("SELECT fingerprint FROM pins WHERE name = 'ana'", [], |row| row.get(0))?;
    connection.execute("DELETE FROM had", [])?;
    for (first, last) in ranges(numbers) {
        connection
            .execute("INSERT INTO had (sender, first, last) VALUES (?1, ?2, ?3)", (&sender, first, last))?;
    }
    Ok(())
}

/// Ana's peer, who has rui as a contact, and his.
struct Two {
    outbound: Outbound,
    courier: Courier,
    repair: Repair,
    written: u64,
    rui: Rui,
    lost: usize,
    _dirs: [tempfile::TempDir; 2],
}

impl Two {
    async fn new() -> Self {
        let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let [ana, rui] = [&dirs[0], &dirs[1]].map(|dir| database::open(dir.path()).unwrap());
        let (ana_key, rui_key) = (Id::new(), Id::new());
        let nowhere = "https://192.0.2.7:7101".parse().unwrap();
        let his = Contacts::new(rui.clone());
        his.add(&name("ana"), ana_key.fingerprint(), &nowhere).await.unwrap();
        let rui = Rui {
            inbox: Inbox::new(rui.clone()),
            store: rui,
            ana: ana_key.fingerprint(),
            repeats: Arc::default(),
            acknowledged: Arc::default(),
            requests: Arc::default(),
            mood: Arc::default(),
        };
        let answering = rui.clone();
        let site = Site::answering(Some(rui_key.itself()), move |request| answering.answer(request)).await;
        let courier = Courier {
            outbox: Outbox::new(ana.clone(), ana_key.fingerprint()),
            contacts: Contacts::new(ana.clone()),
            directory: None,
            transport: Transport::new(Peers::new(ana_key.itself()).unwrap()),
            limits: Limits::default(),
        };
        courier.contacts.add(&name("rui"), rui_key.fingerprint(), &site.address).await.unwrap();
        let outbound = Outbound::new(name("ana"), dirs[0].path().to_owned(), courier.clone(), ana);
        Self { outbound, courier, repair: Repair::default(), written: 0, rui, lost: 0, _dirs: dirs }
    }

    async fn write(&mut self, count: u64, refused: u64) {
        let text =
            |number: u64| format!("{}{number}", if number.is_multiple_of(refused) { "never " } else { "" });
        let drafts = (1..=count).map(|number| Draft {
            to: name("rui"),
            body: Body::try_from(text(self.written + number)).unwrap(),
        });
        self.outbound.post(drafts.collect(), &BTreeMap::new(), HOUR).await.unwrap();
        self.written += count;
    }

    async fn deliver(&mut self) {
        let mut route = Route::default();
        loop {
            let step = self.courier.turn(&name("rui"), &mut route, &mut self.repair).await.unwrap();
            match step {
                Step::Nothing => return assert!(!self.repair.is_under_way()),
                Step::Settled { .. } => {}
                Step::Failed { .. } => panic!("{step:?}"),
            }
        }
    }

    async fn hour_passes(&self) {
        let write = self.outbound.store.write(|connection| {
            connection.execute("UPDATE sent SET repaired_at = repaired_at - 3600000", [])
        });
        write.await.unwrap();
    }

    async fn act(&mut self, act: &Act, copy: &mut Option<(i64, BTreeSet<u64>)>) {
        match act {
            Act::Write { count, refused } => self.write(*count, *refused).await,
            Act::Deliver => self.deliver().await,
            Act::Expire => drop(self.courier.outbox.expire(Timestamp::MAX).await.unwrap()),
            Act::Retry => drop(self.outbound.retry(Which::To(name("rui")), HOUR.lifetime).await.unwrap()),
            Act::Copy => *copy = Some(self.rui.copy().await),
            Act::Restore => {
                if let Some(copy) = copy.clone() {
                    self.lost += self.rui.restore(copy).await;
                }
            }
            Act::Lose { every } => {
                let lost = self.rui.lose(*every).await;
                self.lost += lost.len();
                // The copy has it no more either.
                if let Some((_, had)) = copy {
                    had.retain(|number| !lost.contains(number));
                }
            }
            Act::Restart => self.repair = Repair::default(),
            Act::HourPasses => self.hour_passes().await,
        }
    }

    /// What ana was told is kept, in the order in which she wrote it.
    fn delivered(&self) -> Vec<(u64, String)> {
        let query =
            Query { direction: Some(Direction::Sent), state: Some(State::Delivered), ..Query::default() };
        let entries = Conversations::new(self.outbound.store.clone()).list(&query).unwrap();
        entries.into_iter().map(|entry| (entry.seq.unwrap(), entry.body)).collect()
    }

    fn repeats(&self) -> u64 {
        self.rui.repeats.lock().unwrap().values().sum()
    }
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
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

impl Two {
    /// Ana's messages to rui, all delivered, of which he then loses these.
    async fn losing(written: u64, lost: impl Fn(u64) -> bool) -> Self {
        let mut two = Self::new().await;
        two.write(written, u64::MAX).await;
        two.deliver().await;
        two.lose(lost).await;
        two
    }

    async fn lose(&mut self, is_lost: impl Fn(u64) -> bool) {
        let numbers: Vec<u64> =
            self.rui.inbox().into_iter().map(|(seq, _)| seq).filter(|seq| is_lost(*seq)).collect();
        self.lost += numbers.len();
        let lose = move |connection: &Connection| {
            let mut had = had(connection)?;
            for number in numbers {
                connection.execute("DELETE FROM received WHERE seq = ?1", [number])?;
                had.remove(&number);
            }
            set_had(connection, &had)
        };
        self.rui.job(lose).await;
    }

    async fn write_one_and_deliver(&mut self) {
        self.write(1, u64::MAX).await;
        self.deliver().await;
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
