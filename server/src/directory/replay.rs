//! Who follows the events knows the list: with the real memory and the real tables, readers that break off, go on, and fall
//! behind, over restarts.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::Value;

use super::claims::Retention;
use super::clock::Moment;
use super::decision::Request;
use super::events::{EventLimits, Events, Reader, Since};
use super::online::Online;
use super::registration::{self, Now, Parting, Rules};
use super::restart;
use super::token::TokenHash;

const NAMES: [&str; 4] = ["ana", "bia", "rui", "zé"];
const READERS: usize = 3;
const BEHIND: u64 = 5;
const TTL: Duration = Duration::from_secs(1);
const RULES: Rules = Rules {
    ttl: TTL,
    retention: Retention { keyed: Duration::from_secs(100), unkeyed: Duration::from_secs(100) },
    private: false,
    max_names: 10,
};

#[derive(Debug, Clone, Copy)]
enum Step {
    Register {
        name: usize,
        port: u16,
        fresh: bool,
    },
    Leave {
        name: usize,
        parting: Parting,
    },
    Advance(u64),
    /// Upkeep comes round: it may be a little late.
    End,
    Restart,
    Read(usize),
    Break(usize),
}

/// What a client knows: the list as it makes it up, and the last event that it had.
#[derive(Debug, Default)]
struct Client {
    reader: Option<Reader>,
    list: BTreeMap<String, Value>,
    last: Option<u64>,
    /// Up to which event it has read.
    at: u64,
}

struct World {
    conn: Connection,
    milliseconds: i64,
    run: u32,
    events: Events,
    online: Online,
    clients: [Client; READERS],
}

fn events(run: u32) -> Events {
    let behind = NonZeroUsize::new(usize::try_from(BEHIND).unwrap()).unwrap();
    Events::of_run(run, EventLimits { behind, streams: READERS })
}

impl World {
    fn new() -> Self {
        let events = events(0);
        let online = Online::new(events.clone());
        let clients = Default::default();
        let mut world = Self { conn: restart::empty(), milliseconds: 0, run: 0, events, online, clients };
        world.restart();
        world
    }

    fn now(&self) -> Now {
        let wall = Timestamp::from_millisecond(self.milliseconds).unwrap();
        Now { running: Moment::from_sql(self.milliseconds), wall }
    }

    fn restart(&mut self) {
        let resumed = restart::resume(&self.conn, self.now().wall, TTL).unwrap();
        self.milliseconds = self.milliseconds.max(resumed.began.to_sql());
        self.events.close();
        self.events = events(resumed.run);
        self.run = resumed.run;
        self.online = Online::new(self.events.clone());
        for listed in resumed.listed {
            self.online.take_up(listed);
        }
    }

    fn register(&mut self, name: usize, port: u16, fresh: bool) {
        let request = Request {
            name: NAMES[name].parse().unwrap(),
            address: format!("http://192.0.2.7:{port}").parse().unwrap(),
            fingerprint: None,
            token: token(name),
            fresh,
            invite: None,
            network: None,
        };
        let now = self.now();
        if self.online.renew(&request, now.running, TTL).is_none() {
            let remembered = self.online.ends(&request.name);
            let admitted = registration::register(&self.conn, &request, remembered, now, &RULES, || Ok(()));
            self.online.join(admitted.unwrap().unwrap());
        }
    }

    fn leave(&mut self, name: usize, parting: Parting) {
        let left =
            registration::leave(&self.conn, &token(name), parting, self.now(), RULES.retention).unwrap();
        if let Some(name) = left {
            self.online.leave(&name);
        }
    }

    /// As `GET /peers` shows it.
    fn list(&self) -> BTreeMap<String, Value> {
        let listings = self.online.list().listings;
        let record = |json| serde_json::from_slice(json).unwrap();
        listings.iter().map(|at| (at.name.as_str().to_owned(), record(&at.json))).collect()
    }

    /// The id of the latest event.
    fn latest(&self) -> u64 {
        (u64::from(self.run) << 32) + self.online.version()
    }

    /// A client reads all that there is, over a stream that it may have to open first.
    fn read(&mut self, client: usize) -> Result<(), TestCaseError> {
        let (list, latest) = (self.list(), self.latest());
        let client = &mut self.clients[client];
        let mut due = client.at < latest - self.online.version() || client.at + BEHIND < latest;
        if client.reader.is_none() {
            let since = client.last.map_or(Since::Now, Since::Event);
            if client.last.is_none() {
                (client.list, client.at, due) = (list.clone(), latest, false);
            }
            client.reader = self.events.read(since).ok();
        }
        let reader = client.reader.as_mut().unwrap();
        while let Some(frames) = reader.next().now_or_never() {
            let frames = String::from_utf8(frames.unwrap().to_vec()).unwrap();
            for frame in frames.split_terminator("\n\n") {
                let (event, id, data) = fields(frame);
                if event == "reset" {
                    prop_assert!(due && id == latest, "{frame} {client:?}");
                    (client.list, due) = (list.clone(), false);
                } else {
                    prop_assert_eq!(id, client.at + 1);
                    apply(&mut client.list, event, &data)?;
                }
                (client.at, client.last) = (id, Some(id));
            }
        }
        prop_assert!(!due && client.at == latest, "{latest} {client:?}");
        prop_assert_eq!(&client.list, &list);
        Ok(())
    }

    fn play(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Register { name, port, fresh } => {
                let before = (self.online.version(), self.list().contains_key(NAMES[name]));
                self.register(name, port, fresh);
                prop_assert!(!fresh || self.online.version() > before.0, "a fresh start is always news");
            }
            Step::Leave { name, parting } => self.leave(name, parting),
            Step::Advance(milliseconds) => self.milliseconds += i64::try_from(milliseconds).unwrap(),
            Step::End => self.online.end(self.now().running),
            Step::Restart => {
                self.restart();
                for client in &mut self.clients {
                    if let Some(mut reader) = client.reader.take() {
                        prop_assert_eq!(reader.next().now_or_never(), Some(None), "it ends");
                    }
                }
            }
            Step::Read(client) => self.read(client)?,
            Step::Break(client) => self.clients[client].reader = None,
        }
        Ok(())
    }
}

fn token(name: usize) -> TokenHash {
    TokenHash::of(format!("{name:0>40}").as_bytes()).unwrap()
}

fn fields(frame: &str) -> (&str, u64, Value) {
    let mut lines = frame.lines();
    let mut field = |name: &str| lines.next().unwrap().strip_prefix(name).unwrap();
    let (event, id) = (field("event: "), field("id: ").parse().unwrap());
    (event, id, serde_json::from_str(field("data: ")).unwrap())
}

/// What an event does to a list that was right before it.
fn apply(list: &mut BTreeMap<String, Value>, event: &str, record: &Value) -> Result<(), TestCaseError> {
    let name = record["name"].as_str().unwrap().to_owned();
    match event {
        "joined" => prop_assert_eq!(list.insert(name, record.clone()), None),
        "changed" => prop_assert!(list.insert(name, record.clone()).is_some(), "{}", record),
        "left" => prop_assert_eq!(list.remove(&name), Some(record.clone())),
        other => prop_assert!(false, "{}", other),
    }
    Ok(())
}

fn step() -> impl Strategy<Value = Step> {
    let register = (0..NAMES.len(), 1..3_u16, proptest::bool::weighted(0.2));
    let parting = prop_oneof![Just(Parting::Lease), Just(Parting::Claim)];
    prop_oneof![
        6 => register.prop_map(|(name, port, fresh)| Step::Register { name, port, fresh }),
        2 => (0..NAMES.len(), parting).prop_map(|(name, parting)| Step::Leave { name, parting }),
        3 => (1..1_200_u64).prop_map(Step::Advance),
        2 => Just(Step::End),
        1 => Just(Step::Restart),
        5 => (0..READERS).prop_map(Step::Read),
        2 => (0..READERS).prop_map(Step::Break),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn who_follows_the_events_knows_the_list(steps in proptest::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in steps {
            world.play(step)?;
        }
        for client in 0..READERS {
            world.read(client)?;
        }
    }
}
