//! The receiver dies while 32 programs leave messages at once, half of them with keys, and while a peer delivers to it.

use std::collections::BTreeSet;
use std::thread;

use serde_json::json;

use super::super::harness::{Chance, Directory, Key, Peer, new_token, until};
use super::load::{Load, Post};
use super::{Finally, each_writer_in_order, every_acknowledged_once, rounds};

const WRITERS: usize = 32;

const NO_LIMITS: [&str; 6] =
    ["--unverified-limit", "none", "--stranger-limit", "none", "--strangers-limit", "none"];

fn message(writer: usize, number: usize) -> Post {
    let text = format!("w{writer}/{number}");
    let body = json!({
        "id": uuid::Uuid::now_v7(), "from": format!("w{writer}"), "body": text, "seq": number + 1,
    });
    Post { text, path: protocol::paths::MESSAGES, headers: String::new(), body }
}

/// A key, and the claim of a name with it.
fn claimed(directory: &Directory, name: &str) -> Key {
    let key = Key::new();
    let address = "https://127.0.0.1:7101";
    directory.register_with_key(name, address, &new_token(), key.fingerprint()).expect(201);
    key
}

#[test]
fn nothing_acknowledged_is_lost_when_the_receiver_is_killed() {
    let mut chance = Chance::new();
    let directory = Directory::start();
    let mut rui = Peer::offline(&directory, "rui");
    rui.serve_with(&NO_LIMITS);
    let load = Load::on(rui.place());
    let keys: Vec<_> = (0..WRITERS)
        .map(|writer| (writer % 2 == 0).then(|| claimed(&directory, &format!("w{writer}"))))
        .collect();
    let acknowledged: Vec<String> = thread::scope(|scope| {
        let (load, keys) = (&load, &keys);
        // However this ends, the writers end too.
        let end = Finally(|| load.end());
        let write = |writer: usize| {
            scope.spawn(move || load.write(keys[writer].as_ref(), |number| message(writer, number)))
        };
        let writers: Vec<_> = (0..WRITERS).map(write).collect();
        for _ in 0..rounds() * 10 {
            load.kill_after(chance.pick(1..300), rui.daemon().trigger());
            rui.kill();
            rui.serve_with(&NO_LIMITS);
            load.moved_to(rui.place());
        }
        drop(end);
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let inbox = rui.inbox();
    every_acknowledged_once(&inbox, acknowledged);
    each_writer_in_order(&inbox);
    assert!(inbox.iter().all(|line| line.verified == line.fingerprint.is_some()));
    assert!(inbox.iter().any(|line| line.verified) && inbox.iter().any(|line| !line.verified));
}

/// How many messages a writer leaves at once.
const BATCH: usize = 20;

fn batch(writer: usize, number: usize) -> Post {
    let message = |at: usize| {
        json!({
            "id": uuid::Uuid::now_v7(), "from": format!("w{writer}"), "body": format!("w{writer}/{at}"), "seq": at + 1,
        })
    };
    let body = (number * BATCH..(number + 1) * BATCH).map(message).collect();
    Post {
        text: format!("w{writer}/{number}"),
        path: protocol::paths::MESSAGES,
        headers: String::new(),
        body,
    }
}

/// The messages of a batch by its text.
fn messages_of(batch: &str) -> Vec<String> {
    let (writer, number) = batch.split_once('/').unwrap();
    let number: usize = number.parse().unwrap();
    (number * BATCH..(number + 1) * BATCH).map(|at| format!("{writer}/{at}")).collect()
}

#[test]
fn a_batch_is_there_whole_or_not_at_all_when_the_receiver_is_killed() {
    let mut chance = Chance::new();
    let directory = Directory::start();
    let mut rui = Peer::offline(&directory, "rui");
    rui.serve_with(&NO_LIMITS);
    let load = Load::on(rui.place());
    let keys: Vec<_> =
        (0..8).map(|writer| (writer % 2 == 0).then(|| claimed(&directory, &format!("w{writer}")))).collect();
    let acknowledged: Vec<String> = thread::scope(|scope| {
        let load = &load;
        let end = Finally(|| load.end());
        let write = |(writer, key)| scope.spawn(move || load.write(key, |number| batch(writer, number)));
        let writers: Vec<_> = keys.iter().map(Option::as_ref).enumerate().map(write).collect();
        for _ in 0..rounds() * 2 {
            load.kill_after(chance.pick(1..60), rui.daemon().trigger());
            rui.kill();
            let listed: BTreeSet<_> = rui.inbox_bodies().into_iter().collect();
            let halves = listed.iter().filter_map(|text| {
                let (writer, at) = text.split_once('/')?;
                let batch = messages_of(&format!("{writer}/{}", at.parse::<usize>().ok()? / BATCH));
                batch.iter().any(|message| !listed.contains(message)).then_some(text)
            });
            let halves: Vec<_> = halves.collect();
            assert!(halves.is_empty(), "these are not there with the rest of their batch: {halves:?}");
            rui.serve_with(&NO_LIMITS);
            load.moved_to(rui.place());
        }
        drop(end);
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    let inbox = rui.inbox();
    every_acknowledged_once(&inbox, acknowledged.iter().flat_map(|batch| messages_of(batch)));
    each_writer_in_order(&inbox);
}

/// How many wait whenever the receiver comes back.
const ROUND: usize = 2000;

#[test]
fn nothing_delivered_is_lost_when_the_receiver_is_killed() {
    let mut chance = Chance::new();
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let mut rui = Peer::claimed_but_offline(&directory, "rui");
    let mut there = 0;
    for _ in 0..rounds() {
        let first = ana.send("rui", &format!("ana/{}", there + 1));
        assert_eq!(first.state, "queued");
        ana.queue_behind(&first, "ana", there + 2..=there + ROUND);
        // Some batches of them.
        let enough = there + chance.pick(1..ROUND - 500);
        there += ROUND;
        rui.serve_with(&NO_LIMITS);
        until("some are there", || (rui.count_received() >= enough).then_some(()));
        rui.kill();
        eprintln!("{} there, {} delivered of {there}", rui.count_received(), ana.count_sent("delivered"));
        assert!(rui.count_received() >= ana.count_sent("delivered"), "told to be kept, and lost");
    }
    rui.serve_with(&NO_LIMITS);
    until("ana knows that all are delivered", || (ana.count_sent("delivered") == there).then_some(()));
    let expected: Vec<_> = (1..=there).map(|number| format!("ana/{number}")).collect();
    assert!(rui.inbox_bodies() == expected, "all of them once, in order");
}
