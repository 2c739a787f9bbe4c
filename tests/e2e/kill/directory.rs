//! The directory dies while names are claimed and people write.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::super::harness::{Chance, Directory, Peer, Program, Request, new_token, until};
use super::{Finally, each_writer_in_order, every_acknowledged_once, rounds};

const CLAIMANTS: usize = 16;

/// What all claimants share.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    /// Name and token of each claim that was answered 201.
    acknowledged: Mutex<Vec<(String, String)>>,
    cut_off: AtomicUsize,
}

impl Load {
    fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    fn claim(&self, url: &str, claimant: usize) {
        for number in 0.. {
            let (name, token) = (format!("c{claimant}-{number}"), new_token());
            while !self.register(url, &name, &token) {
                if self.over.load(Ordering::SeqCst) {
                    return;
                }
                // Nobody listens until the directory is back.
                thread::sleep(Duration::from_millis(5));
            }
            self.acknowledged.lock().unwrap().push((name, token));
            if self.over.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    fn register(&self, url: &str, name: &str, token: &str) -> bool {
        let body = json!({"name": name, "address": "http://127.0.0.1:7101"});
        let request =
            Request::new(Program::Directory, Method::POST, url, "/register").bearer(token).json(&body);
        match request.try_send() {
            Ok(answer) => {
                assert!(matches!(answer.status, 200 | 201), "{answer:?}");
                true
            }
            Err(error) => {
                if !error.is_connect() {
                    self.cut_off.fetch_add(1, Ordering::SeqCst);
                }
                false
            }
        }
    }
}

#[test]
fn no_acknowledged_claim_is_lost_when_the_directory_is_killed() {
    let mut chance = Chance::new();
    let mut directory = Directory::start();
    let load = Load::default();
    let url = directory.url().to_owned();
    thread::scope(|scope| {
        let _end = Finally(|| load.over.store(true, Ordering::SeqCst));
        for claimant in 0..CLAIMANTS {
            let (load, url) = (&load, &url);
            scope.spawn(move || load.claim(url, claimant));
        }
        for _ in 0..rounds() {
            let enough = load.acknowledged() + chance.pick(10..200);
            until("enough are claimed", || (load.acknowledged() >= enough).then_some(()));
            let before = load.cut_off.load(Ordering::SeqCst);
            directory.kill();
            until("the kill cut someone off", || {
                (load.cut_off.load(Ordering::SeqCst) > before).then_some(())
            });
            directory.start_again();
        }
    });
    let listed = directory.online();
    let acknowledged = load.acknowledged.into_inner().unwrap();
    let lost: Vec<_> = acknowledged.iter().filter(|(name, _)| !listed.contains(name)).collect();
    assert!(lost.is_empty(), "{} of {} claims are lost: {lost:?}", lost.len(), acknowledged.len());
    for (name, token) in &acknowledged {
        directory.register(name, "http://127.0.0.1:7101", token).expect(200);
    }
}

#[test]
fn people_write_on_when_the_directory_is_killed() {
    let mut chance = Chance::new();
    let mut directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let (over, acknowledged, refused) = (AtomicBool::new(false), Mutex::new(Vec::new()), AtomicUsize::new(0));
    thread::scope(|scope| {
        let _end = Finally(|| over.store(true, Ordering::SeqCst));
        for writer in 0..3 {
            let (over, acknowledged, refused, recipe) = (&over, &acknowledged, &refused, ana.recipe());
            scope.spawn(move || {
                for number in 0.. {
                    if over.load(Ordering::SeqCst) {
                        return;
                    }
                    let text = format!("w{writer}/{number}");
                    let finished = recipe.run(&["send", "rui", &text]);
                    match finished.code {
                        Some(0) => acknowledged.lock().unwrap().push(text),
                        // The directory was away and needed: nothing is stored.
                        Some(6) => _ = refused.fetch_add(1, Ordering::SeqCst),
                        _ => panic!("{finished:?}"),
                    }
                }
            });
        }
        for _ in 0..rounds() {
            let enough = acknowledged.lock().unwrap().len() + chance.pick(3..20);
            until("enough are sent", || (acknowledged.lock().unwrap().len() >= enough).then_some(()));
            directory.kill();
            directory.start_again();
            let online = directory.online();
            assert!(online.contains(&"ana".to_owned()) && online.contains(&"rui".to_owned()), "{online:?}");
        }
    });
    until("nothing waits", || ana.lines(&["sent", "--state", "queued"]).is_empty().then_some(()));
    let (inbox, acknowledged) = (rui.inbox(), acknowledged.into_inner().unwrap());
    assert_eq!(inbox.len(), acknowledged.len(), "exit 6 stores nothing; {} times", refused.into_inner());
    every_acknowledged_once(&inbox, acknowledged);
    each_writer_in_order(&inbox);
}
