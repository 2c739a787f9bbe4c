//! Ana's peer and rui's, wired without a network but her connection to him: he loses what he had, refuses and is restored.

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

use super::super::*;
use super::{numbers, ranges};
use crate::client::{Id, Peers, Site, response};
use crate::contacts::Contacts;
use crate::conversations::{Conversations, Direction, Query, State};
use crate::database;
use crate::inbound::claims::Answer;
use crate::inbound::inbox::{Inbox, Kept, Letters};
use crate::inbound::sender::Sender;
use crate::outbound::Outbound;
use crate::outbound::courier::{Courier, Step};
use crate::outbound::limits::Limits;
use crate::outbound::outbox::retried::Which;
use crate::outbound::outbox::{Draft, Outbox, Terms};
use crate::outbound::route::Route;
use crate::outbound::transport::Transport;
use store::Store;

const HOUR: Terms = Terms { lifetime: Duration::from_hours(1), insecure: false };
/// What becomes of the two.
#[derive(Debug, Clone)]
pub enum Act {
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

pub fn acts() -> impl Strategy<Value = Vec<Act>> {
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
pub struct Rui {
    pub store: Store,
    pub inbox: Inbox,
    pub ana: Fingerprint,
    /// How often each message was sent to it while it had it or had lost it.
    pub repeats: Arc<Mutex<BTreeMap<Uuid, u64>>>,
    pub acknowledged: Arc<Mutex<BTreeSet<Uuid>>>,
    /// How many messages came with each request, and the number of the first.
    pub requests: Arc<Mutex<Vec<(usize, u64)>>>,
    pub mood: Arc<Mutex<Mood>>,
}

/// What he does besides.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mood {
    /// Says this of each that he is sent again.
    pub objection: Option<Slug>,
    /// Says that he has had no more than this.
    pub highest: Option<u64>,
}

impl Rui {
    /// Answers a request as his endpoint does, on a thread that may wait for the disk.
    pub fn answer(&self, request: &str) -> String {
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

    pub async fn take(&self, message: Value) -> Value {
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
    pub fn inbox(&self) -> Vec<(u64, String)> {
        let entries = Conversations::new(self.store.clone()).list(&Query::default()).unwrap();
        entries.into_iter().map(|entry| (entry.seq.unwrap(), entry.body)).collect()
    }

    pub async fn job<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> T {
        self.store.write(job).await.unwrap()
    }

    /// Everything that a restored copy of his database would say.
    pub async fn copy(&self) -> (i64, BTreeSet<u64>) {
        self.job(|connection| {
            let last = connection.query_row("SELECT last FROM positions", [], |row| row.get(0))?;
            Ok((last, had(connection)?))
        })
        .await
    }

    /// Loses what came since; how much that was.
    pub async fn restore(&self, (kept_up_to, numbers): (i64, BTreeSet<u64>)) -> usize {
        self.job(move |connection| {
            let lost = connection.execute("DELETE FROM received WHERE position > ?1", [kept_up_to])?;
            set_had(connection, &numbers)?;
            Ok(lost)
        })
        .await
    }

    pub async fn lose(&self, every: u64) -> Vec<u64> {
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

pub fn had(connection: &Connection) -> rusqlite::Result<BTreeSet<u64>> {
    let mut select = connection.prepare("SELECT first, last FROM had")?;
    let ranges: Vec<Range> =
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    Ok(numbers(&ranges))
}

pub fn set_had(connection: &Connection, numbers: &BTreeSet<u64>) -> rusqlite::Result<()> {
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
pub struct Two {
    pub outbound: Outbound,
    pub courier: Courier,
    pub repair: Repair,
    pub written: u64,
    pub rui: Rui,
    pub lost: usize,
    pub _dirs: [tempfile::TempDir; 2],
}

impl Two {
    pub async fn new() -> Self {
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

    pub async fn write(&mut self, count: u64, refused: u64) {
        let text =
            |number: u64| format!("{}{number}", if number.is_multiple_of(refused) { "never " } else { "" });
        let drafts = (1..=count).map(|number| Draft {
            to: name("rui"),
            body: Body::try_from(text(self.written + number)).unwrap(),
        });
        self.outbound.post(drafts.collect(), &BTreeMap::new(), HOUR).await.unwrap();
        self.written += count;
    }

    pub async fn deliver(&mut self) {
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

    pub async fn hour_passes(&self) {
        let write = self.outbound.store.write(|connection| {
            connection.execute("UPDATE sent SET repaired_at = repaired_at - 3600000", [])
        });
        write.await.unwrap();
    }

    pub async fn act(&mut self, act: &Act, copy: &mut Option<(i64, BTreeSet<u64>)>) {
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
    pub fn delivered(&self) -> Vec<(u64, String)> {
        let query =
            Query { direction: Some(Direction::Sent), state: Some(State::Delivered), ..Query::default() };
        let entries = Conversations::new(self.outbound.store.clone()).list(&query).unwrap();
        entries.into_iter().map(|entry| (entry.seq.unwrap(), entry.body)).collect()
    }

    pub fn repeats(&self) -> u64 {
        self.rui.repeats.lock().unwrap().values().sum()
    }
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

impl Two {
    /// Ana's messages to rui, all delivered, of which he then loses these.
    pub async fn losing(written: u64, lost: impl Fn(u64) -> bool) -> Self {
        let mut two = Self::new().await;
        two.write(written, u64::MAX).await;
        two.deliver().await;
        two.lose(lost).await;
        two
    }

    pub async fn lose(&mut self, is_lost: impl Fn(u64) -> bool) {
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

    pub async fn write_one_and_deliver(&mut self) {
        self.write(1, u64::MAX).await;
        self.deliver().await;
    }
}
