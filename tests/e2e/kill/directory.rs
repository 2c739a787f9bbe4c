//! The directory dies while names are claimed and people write.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_json::json;

use super::super::harness::{Chance, Directory, Peer, new_token, until};
use super::load::{Load, Post};
use super::{Finally, each_writer_in_order, every_acknowledged_once, rounds};

const CLAIMANTS: usize = 16;

fn claim(claimant: usize, number: usize) -> Post {
    let (name, token) = (format!("c{claimant}-{number}"), new_token());
    let body = json!({"name": name, "address": "http://127.0.0.1:7101"});
    let headers = format!("authorization: Bearer {token}\r\n");
    Post { text: format!("{name} {token}"), path: protocol::paths::REGISTER, headers, body }
}

#[test]
fn no_acknowledged_claim_is_lost_when_the_directory_is_killed() {
    let mut chance = Chance::new();
    let mut directory = Directory::start();
    let load = Load::on(directory.url().trim_start_matches("http://"));
    let acknowledged: Vec<String> = thread::scope(|scope| {
        let load = &load;
        let end = Finally(|| load.end());
        let claim = |claimant| scope.spawn(move || load.write(None, |number| claim(claimant, number)));
        let claimants: Vec<_> = (0..CLAIMANTS).map(claim).collect();
        for _ in 0..rounds() * 10 {
            load.kill_after(chance.pick(1..100), directory.process().trigger());
            directory.kill();
            directory.start_again();
        }
        drop(end);
        claimants.into_iter().flat_map(|claimant| claimant.join().unwrap()).collect()
    });
    let listed: BTreeSet<_> = directory.online().into_iter().collect();
    let claims: Vec<_> = acknowledged.iter().map(|claim| claim.split_once(' ').unwrap()).collect();
    let lost: Vec<_> = claims.iter().filter(|(name, _)| !listed.contains(*name)).collect();
    let some: Vec<_> = lost.iter().take(5).collect();
    assert!(lost.is_empty(), "{} of {} claims are lost, among them {some:?}", lost.len(), claims.len());
    for (name, token) in claims {
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
