//! The receiver dies while 32 programs leave messages at once, and while a peer delivers to it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::super::harness::{Chance, Directory, Peer, Program, Request, until};
use super::{Finally, each_writer_in_order, every_acknowledged_once, rounds};

const WRITERS: usize = 32;

/// What all writers share.
struct Load {
    /// Where the receiver listens now.
    url: RwLock<String>,
    over: AtomicBool,
    /// The texts that were answered 200 or 201.
    acknowledged: Mutex<Vec<String>>,
    /// Requests that were cut off: sent, and never answered.
    cut_off: AtomicUsize,
}

impl Load {
    fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// One program: leaves message after message, each until it is acknowledged, always under the same id.
    fn write(&self, writer: usize) {
        for number in 0.. {
            let text = format!("w{writer}/{number}");
            let message = json!({
                "id": uuid::Uuid::now_v7(), "from": format!("w{writer}"), "body": text, "seq": number + 1,
            });
            while !self.leave(&message) {
                if self.over.load(Ordering::SeqCst) {
                    return;
                }
                // Nobody listens until the receiver is back.
                thread::sleep(Duration::from_millis(5));
            }
            self.acknowledged.lock().unwrap().push(text);
            if self.over.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    fn leave(&self, message: &serde_json::Value) -> bool {
        let url = self.url.read().unwrap().clone();
        match Request::new(Program::Peer, Method::POST, &url, "/messages").json(message).try_send() {
            Ok(answer) => {
                assert!(matches!(answer.status, 200 | 201), "{answer:?}");
                true
            }
            Err(error) => {
                // Not even connected: nothing was under way.
                if !error.is_connect() {
                    self.cut_off.fetch_add(1, Ordering::SeqCst);
                }
                false
            }
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_receiver_is_killed() {
    let mut chance = Chance::new();
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    let load = Load {
        url: RwLock::new(rui.url().to_owned()),
        over: AtomicBool::new(false),
        acknowledged: Mutex::default(),
        cut_off: AtomicUsize::new(0),
    };
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let load = &load;
            scope.spawn(move || load.write(writer));
        }
        // However this ends, the writers end too.
        let _end = Finally(|| load.over.store(true, Ordering::SeqCst));
        for round in 0..rounds() {
            let enough = load.acknowledged() + chance.pick(20..400);
            until("enough messages are acknowledged", || (load.acknowledged() >= enough).then_some(()));
            let before = load.cut_off.load(Ordering::SeqCst);
            rui.kill();
            until("the kill cut someone off", || {
                (load.cut_off.load(Ordering::SeqCst) > before).then_some(())
            });
            rui.serve();
            rui.url().clone_into(&mut load.url.write().unwrap());
            eprintln!(
                "round {round}: {} acknowledged, {} cut off",
                load.acknowledged(),
                load.cut_off.load(Ordering::SeqCst)
            );
        }
    });

    let inbox = rui.inbox();
    every_acknowledged_once(&inbox, load.acknowledged.into_inner().unwrap());
    each_writer_in_order(&inbox);
}

#[test]
fn nothing_delivered_is_lost_when_the_receiver_is_killed() {
    let mut chance = Chance::new();
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let mut rui = Peer::claimed_but_offline(&directory, "rui");
    let mut expected = Vec::new();
    for _ in 0..rounds() {
        let first = expected.len();
        for number in first..first + 60 {
            let text = format!("ana/{number}");
            assert_eq!(ana.send("rui", &text).state, "queued");
            expected.push(text);
        }
        let enough = first + chance.pick(1..50);
        rui.serve();
        until("some are there", || (rui.inbox().len() >= enough).then_some(()));
        rui.kill();
        let states: Vec<_> = ana.sent().into_iter().filter_map(|line| line.state).collect();
        eprintln!(
            "{} delivered of {}",
            states.iter().filter(|state| *state == "delivered").count(),
            states.len()
        );
    }
    rui.serve();
    let bodies: Vec<_> = expected.iter().map(String::as_str).collect();
    rui.until_inbox_is(&bodies);
    until("ana knows that all are delivered", || {
        ana.sent().iter().all(|line| line.state.as_deref() == Some("delivered")).then_some(())
    });
}
