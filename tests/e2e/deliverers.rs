//! Many processes on one data directory: one of them delivers at a time, whoever is killed, and nothing is lost between
//! them.

use std::sync::atomic::{AtomicBool, Ordering};

use super::harness::{Chance, Directory, Line, MESSAGES, Peer, Process, Recipient, Reply, until};

const COMMANDS: usize = 40;

/// How many messages were written down.
fn written(ana: &Peer) -> usize {
    ana.database().query_row("SELECT count(*) FROM sent", [], |row| row.get(0)).unwrap()
}

/// Forty commands at once, many of which are killed at some moment; gives the texts of those that said that they were
/// done. `besides` may kill others.
fn forty_at_once(ana: &Peer, chance: &mut Chance, besides: impl FnOnce()) -> Vec<String> {
    let before = written(ana);
    let spawn = |number: usize| {
        let text = format!("ana/{}", before + number);
        let process = Process::spawn(&format!("send {text}"), &mut ana.command(&["send", "rui", &text]));
        (text, process)
    };
    // Some die as soon as there are so many messages, wherever they are then; most are still at it.
    let mut running: Vec<_> = (0..COMMANDS).map(spawn).collect();
    let mut moments: Vec<_> = (0..COMMANDS / 3).map(|_| chance.pick(0..COMMANDS / 2)).collect();
    moments.sort_unstable();
    let mut killed = 0;
    for moment in moments {
        until("so many are written down, or all have ended", || {
            let all_ended = running.iter_mut().all(|(_, process)| !process.runs());
            (written(ana) >= before + moment.saturating_sub(killed) || all_ended).then_some(())
        });
        let victim = chance.pick(0..running.len());
        if running[victim].1.runs() {
            running.remove(victim).1.kill();
            killed += 1;
        }
    }
    besides();
    eprintln!("{killed} killed");
    let ended = running.iter_mut().map(|(text, process)| {
        let code = process.wait();
        assert_eq!(code, Some(0), "{}", process.stderr());
        text.clone()
    });
    ended.collect()
}

/// What was acknowledged is there; whatever was written down is there once, in the order in which it was.
#[track_caller]
fn all_there_once_in_order(ana: &Peer, rui: &Peer, acknowledged: &[String]) {
    until("nothing waits", || (ana.count_sent("queued") == 0).then_some(()));
    let (sent, inbox) = (ana.sent(), rui.inbox());
    let bodies = |lines: &[Line]| lines.iter().map(|line| line.body.clone()).collect::<Vec<_>>();
    assert_eq!(bodies(&sent), bodies(&inbox), "what was written down was delivered, in that order, once");
    let lost: Vec<_> = acknowledged.iter().filter(|text| !bodies(&inbox).contains(text)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(inbox.iter().zip(1..).all(|(line, seq)| line.seq == Some(seq)), "counted without a hole");
    let mut ids: Vec<_> = inbox.iter().map(|line| &line.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), inbox.len(), "an id is shown twice");
}

#[test]
fn forty_commands_at_once_some_killed_without_a_daemon() {
    let mut chance = Chance::new();
    let directory = Directory::start();
    let (mut ana, rui) = (Peer::claimed_but_offline(&directory, "ana"), Peer::start(&directory, "rui"));
    assert_eq!(ana.send("rui", "hello").state, "delivered");
    let acknowledged = forty_at_once(&ana, &mut chance, || {});
    assert!(!acknowledged.is_empty());
    // Whatever a killed command has left behind leaves before the next one's own.
    assert_eq!(ana.send("rui", "and the rest").state, "delivered");
    all_there_once_in_order(&ana, &rui, &acknowledged);
    ana.serve();
    all_there_once_in_order(&ana, &rui, &acknowledged);
}

#[test]
fn forty_commands_at_once_some_killed_beside_a_daemon() {
    let mut chance = Chance::new();
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    assert_eq!(ana.send("rui", "hello").state, "delivered");
    let acknowledged = forty_at_once(&ana, &mut chance, || {});
    assert!(!acknowledged.is_empty());
    all_there_once_in_order(&ana, &rui, &acknowledged);
}

#[test]
fn forty_commands_at_once_and_the_daemon_is_killed_under_them() {
    let mut chance = Chance::new();
    let directory = Directory::start();
    let (mut ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    assert_eq!(ana.send("rui", "hello").state, "delivered");
    let trigger = ana.daemon().trigger();
    let acknowledged = forty_at_once(&ana, &mut chance, || trigger.pull());
    ana.kill();
    assert!(!acknowledged.is_empty());
    ana.serve();
    all_there_once_in_order(&ana, &rui, &acknowledged);
}

/// Ten commands watch a daemon that hangs at a silent recipient, and dies: one of them delivers for all.
#[test]
fn those_who_watched_a_daemon_deliver_when_it_dies() {
    let directory = Directory::start();
    let mut ana = Peer::start(&directory, "ana");
    let silent = AtomicBool::new(true);
    let rui = Recipient::who()
        .answering(move |_| silent.swap(false, Ordering::SeqCst).then_some(Reply::Silence))
        .start(&directory, "rui");
    let watch = |number: usize| {
        let text = format!("ana/{number}");
        let send = Process::spawn(&text, &mut ana.command(&["send", "--wait=25s", "rui", &text]));
        until("it is written down", || (written(&ana) > number).then_some(()));
        send
    };
    let mut watching: Vec<_> = (0..10).map(watch).collect();
    until("the daemon waits for rui", || rui.fake().holds(MESSAGES).then_some(()));
    ana.kill();
    for send in &mut watching {
        assert_eq!(send.wait(), Some(0), "{}", send.stderr());
    }
    let expected: Vec<_> = (0..10).map(|number| format!("ana/{number}")).collect();
    assert_eq!((rui.kept(), rui.repeats().len()), (expected, 0));
    assert_eq!(ana.count_sent("delivered"), 10);
}
