//! The sender's daemon, and its commands, die while it delivers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::super::harness::{Chance, Directory, Fake, Peer, Process, Recipe, Reply, Signal, until};
use super::{Finally, each_writer_in_order, every_acknowledged_once, rounds};

#[test]
fn nothing_acknowledged_is_lost_when_the_daemon_is_killed() {
    let mut chance = Chance::new();
    let directory = Directory::start();
    let (mut ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let (over, acknowledged) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        let _end = Finally(|| over.store(true, Ordering::SeqCst));
        for writer in 0..4 {
            let (over, acknowledged) = (&over, &acknowledged);
            let recipe = ana.recipe();
            scope.spawn(move || write(writer, &recipe, over, acknowledged));
        }
        for _ in 0..rounds() {
            let enough = acknowledged.lock().unwrap().len() + chance.pick(4..25);
            until("enough are acknowledged", || (acknowledged.lock().unwrap().len() >= enough).then_some(()));
            // Rui stands still, so something is on its way and cannot be answered when the daemon dies.
            rui_pauses(&rui, || {
                until("a message is on its way", || waiting(&ana).then_some(()));
                ana.kill();
            });
            ana.serve();
        }
    });
    let acknowledged = acknowledged.into_inner().unwrap();
    until("everything acknowledged is delivered", || (!waiting(&ana)).then_some(()));
    let inbox = rui.inbox();
    every_acknowledged_once(&inbox, acknowledged);
    each_writer_in_order(&inbox);
    let seqs: Vec<_> = inbox.iter().map(|line| line.seq.unwrap()).collect();
    assert!(
        seqs.is_sorted_by(|one, next| one < next),
        "in the order in which ana's database took them: {seqs:?}"
    );
    let sent: Vec<_> = ana.sent().into_iter().map(|line| line.body).collect();
    let received: Vec<_> = inbox.into_iter().map(|line| line.body).collect();
    assert_eq!(sent, received, "both sides list the same");
}

fn waiting(peer: &Peer) -> bool {
    !peer.lines(&["sent", "--state", "queued"]).is_empty()
}

/// Stops the receiver's process, not its sockets, while something is done.
fn rui_pauses(rui: &Peer, during: impl FnOnce()) {
    rui.signal(Signal::STOP);
    let _on = Finally(|| rui.signal(Signal::CONT));
    during();
}

/// One who writes command after command in ana's name.
fn write(writer: usize, ana: &Recipe, over: &AtomicBool, acknowledged: &Mutex<Vec<String>>) {
    for number in 0.. {
        if over.load(Ordering::SeqCst) {
            return;
        }
        let text = format!("w{writer}/{number}");
        ana.run(&["send", "rui", &text]).expect(0);
        acknowledged.lock().unwrap().push(text);
    }
}

#[test]
fn what_was_under_way_when_the_daemon_died_is_sent_again_and_kept_once() {
    let directory = Directory::start();
    let mut ana = Peer::start(&directory, "ana");
    let silent = AtomicUsize::new(0);
    // Keeps every message and loses every third receipt, so that ana cannot know.
    let rui = Fake::start(&directory, "rui", move |message| {
        if silent.fetch_add(1, Ordering::SeqCst).is_multiple_of(3) {
            Reply::Silence
        } else {
            Reply::receipt(message)
        }
    });
    let texts = ["one", "two", "three", "four"];
    for text in texts {
        let mut send = Process::spawn("ana's send", &mut ana.command(&["send", "rui", text]));
        until("it is under way", || {
            rui.received().iter().any(|message| message["body"] == text).then_some(())
        });
        ana.kill();
        send.kill();
        ana.serve();
    }
    until("all are delivered", || {
        let sent = ana.sent();
        (sent.len() == texts.len() && !waiting(&ana)).then_some(())
    });
    let mut first_of_each: Vec<Value> = Vec::new();
    for message in rui.received() {
        match first_of_each.iter().find(|first| first["id"] == message["id"]) {
            Some(first) => assert_eq!(*first, message, "again, but exactly the same"),
            None => first_of_each.push(message),
        }
    }
    let bodies: Vec<_> = first_of_each.iter().map(|message| message["body"].as_str().unwrap()).collect();
    assert_eq!(bodies, texts);
    assert!(rui.received().len() > texts.len(), "something was under way when the daemon died");
}

#[test]
fn a_command_that_is_killed_has_sent_its_message_once_or_never() {
    let mut chance = Chance::new();
    let directory = Directory::start();
    let (ana, rui) = (Peer::claimed_but_offline(&directory, "ana"), Peer::start(&directory, "rui"));
    let (mut acknowledged, mut killed) = (Vec::new(), 0);
    for number in 0..rounds() * 12 {
        let text = format!("ana/{number}");
        let mut send = Process::spawn("ana's send", &mut ana.command(&["send", "rui", &text]));
        // Some moment of its short life.
        thread::sleep(Duration::from_millis(u64::try_from(chance.pick(0..60)).unwrap()));
        if chance.pick(0..3) > 0 && send.runs() {
            send.kill();
            killed += 1;
        } else {
            assert_eq!(send.wait(), Some(0));
            acknowledged.push(text);
        }
    }
    assert!(killed > 0 && !acknowledged.is_empty());
    ana.run(&["send", "rui", &format!("ana/{}", rounds() * 12)]).expect(0);
    until("nothing waits", || (!waiting(&ana)).then_some(()));
    let inbox = rui.inbox();
    every_acknowledged_once(&inbox, acknowledged);
    each_writer_in_order(&inbox);
    let sent: Vec<_> = ana.sent().into_iter().map(|line| line.body).collect();
    let received: Vec<_> = inbox.into_iter().map(|line| line.body).collect();
    assert_eq!(sent, received, "whatever was written down was delivered");
}
