//! The lease rules under kills and restarts, with the real memory and the real tables, but a clock that the test turns.
//! The rules are those of SPEC.md [2], "Restarts".

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use rusqlite::Connection;

use super::claims::Retention;
use super::clock::{self, Moment, Precision, RESUME_AFTER, WRITE_EVERY};
use super::decision::{Arrival, Request};
use super::online::Online;
use super::registration::{self, Now, Rules};
use super::restart;
use super::token::TokenHash;

const TTL: u64 = 3_000;
const STEP: u64 = 25;
/// As `upkeep` waits, for this TTL.
const WRITE_PAUSE: u64 = TTL / 8;
const NAMES: [&str; 3] = ["ana", "rui", "zé"];

#[derive(Debug, Clone, Copy)]
enum Event {
    /// A peer registers as it was.
    Renew(usize),
    /// A peer registers anew.
    Fresh(usize),
    Advance(u64),
    Kill,
    Stop,
}

/// What the rules say about one name. Times are true running time.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// It must be listed until here.
    due: u64,
    /// For how long it was listed since its last answered renewal.
    listed_for: u64,
    /// What a restart makes of it.
    written: Written,
}

#[derive(Debug, Clone, Copy)]
enum Written {
    Renewed,
    Graced { due: u64 },
}

struct World {
    conn: Connection,
    /// True running time.
    time: u64,
    began: (Moment, u64),
    online: Online,
    graced_until: Option<Moment>,
    flush_at: u64,
    clock_at: u64,
    rules: BTreeMap<usize, Rule>,
    requests: Vec<Request>,
}

fn ttl() -> Duration {
    Duration::from_millis(TTL)
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap()
}

fn request(name: &str) -> Request {
    Request {
        name: name.parse().unwrap(),
        address: "http://192.0.2.7:1".parse().unwrap(),
        fingerprint: None,
        token: TokenHash::of(name.repeat(32).replace('é', "e").as_bytes()).unwrap(),
        fresh: false,
        invite: None,
        network: None,
    }
}

impl World {
    fn new() -> Self {
        let conn = restart::empty();
        let mut world = Self {
            conn,
            time: 0,
            began: (Moment::from_sql(0), 0),
            online: Online::default(),
            graced_until: None,
            flush_at: 0,
            clock_at: 0,
            rules: BTreeMap::new(),
            requests: NAMES.map(request).into(),
        };
        world.start();
        world
    }

    fn now(&self) -> Now {
        let running = self.began.0.to_sql() + i64::try_from(self.time - self.began.1).unwrap();
        let wall = Timestamp::from_millisecond(i64::try_from(self.time).unwrap()).unwrap();
        Now { running: Moment::from_sql(running), wall }
    }

    fn is_listed(&self, name: usize) -> bool {
        self.online.find(&self.requests[name].name, self.now().running).is_some()
    }

    fn start(&mut self) {
        let listed: Vec<bool> = (0..NAMES.len()).map(|name| self.is_listed(name)).collect();
        let resumed = restart::resume(&self.conn, self.now().wall, ttl()).unwrap();
        self.began = (resumed.began, self.time);
        self.graced_until = resumed.graced_until();
        self.online = Online::default();
        for lease in resumed.listed {
            self.online.take_up(lease);
        }
        (self.flush_at, self.clock_at) = (self.time, self.time + ms(WRITE_EVERY));
        let ahead = ms(RESUME_AFTER);
        for (name, rule) in &mut self.rules {
            let due = match rule.written {
                // Nothing is due any more, though one that the table still has may get a grace.
                _ if !listed[*name] => 0,
                Written::Renewed => self.time + TTL,
                // Each unclean stop may take what the clock is put ahead.
                Written::Graced { due } => due.saturating_sub(ahead),
            };
            (rule.due, rule.written) = (due, Written::Graced { due });
        }
    }

    fn register(&mut self, name: usize, fresh: bool) -> Result<(), TestCaseError> {
        let (request, now) = (Request { fresh, ..self.requests[name].clone() }, self.now());
        let listed = self.is_listed(name);
        let renewed = self.online.renew(&request, now.running, ttl()).is_some();
        prop_assert_eq!(renewed, listed && !fresh);
        if !renewed {
            let remembered = self.online.ends(&request.name);
            let retention = Retention { keyed: ttl() * 100, unkeyed: ttl() * 100 };
            let rules = Rules { ttl: ttl(), retention, private: false, max_names: 100 };
            let decided = registration::register(&self.conn, &request, remembered, now, &rules, || Ok(()));
            let admitted = decided.unwrap().unwrap();
            prop_assert_eq!(admitted.arrival == Arrival::Stayed, listed, "{}", NAMES[name]);
            self.online.join(admitted);
        }
        let written = match self.rules.get(&name) {
            Some(rule) if renewed => rule.written,
            _ => Written::Renewed,
        };
        self.rules.insert(name, Rule { due: self.time + TTL, listed_for: 0, written });
        Ok(())
    }

    fn flush(&mut self) {
        let unwritten = self.online.take_unwritten();
        restart::write(&self.conn, &unwritten, self.now()).unwrap();
        for (name, _) in unwritten.renewed {
            let name = NAMES.iter().position(|known| *known == name.as_str()).unwrap();
            self.rules.get_mut(&name).unwrap().written = Written::Renewed;
        }
    }

    /// One step of time, with what `upkeep` does in it.
    fn step(&mut self) -> Result<(), TestCaseError> {
        self.time += STEP;
        let now = self.now().running;
        for (name, rule) in &mut self.rules {
            let listed = self.online.find(&self.requests[*name].name, now).is_some();
            prop_assert!(listed || rule.due < self.time + 2, "{} ended early: {rule:?}", NAMES[*name]);
            rule.listed_for += if listed { STEP } else { 0 };
            prop_assert!(rule.listed_for <= 2 * TTL + 2_000, "{} stays listed: {rule:?}", NAMES[*name]);
        }
        self.online.end(now);
        if self.flush_at <= self.time {
            self.flush();
            self.flush_at = self.time + WRITE_PAUSE;
        }
        if self.clock_at <= self.time && self.graced_until.is_some() {
            clock::write(&self.conn, now, Precision::AtLeast).unwrap();
            self.clock_at = self.time + ms(WRITE_EVERY);
            self.graced_until = self.graced_until.filter(|until| now < *until);
        }
        Ok(())
    }

    fn stop(&mut self) {
        self.online.end(self.now().running);
        self.flush();
        clock::write(&self.conn, self.now().running, Precision::Exact).unwrap();
    }

    fn play(&mut self, event: Event) -> Result<(), TestCaseError> {
        match event {
            Event::Renew(name) => self.register(name, false)?,
            Event::Fresh(name) => self.register(name, true)?,
            Event::Advance(time) => {
                for _ in 0..time.div_ceil(STEP) {
                    self.step()?;
                }
            }
            Event::Kill => self.start(),
            Event::Stop => {
                self.stop();
                self.start();
            }
        }
        Ok(())
    }

    fn count(&self, sql: &str) -> i64 {
        self.conn.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..NAMES.len()).prop_map(Event::Renew),
        1 => (0..NAMES.len()).prop_map(Event::Fresh),
        4 => (1..TTL / 2).prop_map(Event::Advance),
        2 => (1..100_u64).prop_map(Event::Advance),
        1 => (TTL..2 * TTL).prop_map(Event::Advance),
        3 => Just(Event::Kill),
        1 => Just(Event::Stop),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nobody_ends_early_and_the_dead_do_not_stay(events in proptest::collection::vec(event(), 1..60)) {
        let mut world = World::new();
        for event in events {
            world.play(event)?;
        }
        world.play(Event::Advance(2 * TTL))?;
        prop_assert_eq!(world.count("SELECT count(*) FROM leases"), 0);
        prop_assert_eq!(world.count("SELECT count(*) FROM claims WHERE offline_since IS NULL"), 0);
    }

    /// However it is killed, provided that it gets to write down what it answered a moment ago.
    #[test]
    fn the_living_are_never_off_the_list(
        kills in proptest::collection::vec((TTL / 6..2 * TTL, any::<bool>()), 1..20),
        renewal in TTL / 6..=TTL / 3,
    ) {
        let mut world = World::new();
        world.play(Event::Renew(0))?;
        let mut next = renewal;
        for (run, clean) in kills {
            for _ in 0..run.div_ceil(STEP) {
                world.step()?;
                prop_assert!(world.is_listed(0));
                if world.time >= next {
                    world.play(Event::Renew(0))?;
                    next += renewal;
                }
            }
            world.flush();
            world.play(if clean { Event::Stop } else { Event::Kill })?;
            prop_assert!(world.is_listed(0));
        }
    }

    #[test]
    fn the_dead_leave_a_directory_that_keeps_crashing(every in 1..TTL) {
        let mut world = World::new();
        world.play(Event::Renew(0))?;
        while world.is_listed(0) {
            world.play(Event::Advance(every))?;
            world.play(Event::Kill)?;
        }
        // And no restart brings it back.
        for _ in 0..5 {
            world.play(Event::Kill)?;
            prop_assert!(!world.is_listed(0));
        }
    }
}
