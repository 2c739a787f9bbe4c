//! `peer send` with and without a daemon: one process delivers.

use std::thread;

use super::harness::{Directory, Fake, Peer, Process, Reply, Signal, until};

#[test]
fn without_a_daemon_the_command_delivers_itself() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let ana = Peer::offline(&directory, "ana");
    ana.run(&["send", "--name", "ana", "rui", "first"]).expect(0);
    assert_eq!(ana.send("rui", "second").state, "delivered");
    rui.until_inbox_is(&["first", "second"]);
    assert_eq!(directory.online(), ["rui"], "nobody is at home at ana's");
}

#[test]
fn without_a_daemon_the_queue_leaves_first() {
    let directory = Directory::start();
    let ana = Peer::claimed_but_offline(&directory, "ana");
    let mut rui = Peer::claimed_but_offline(&directory, "rui");
    assert_eq!(ana.send("rui", "one").state, "queued");
    assert_eq!(ana.send("rui", "two").state, "queued");
    rui.serve();
    assert_eq!(ana.send("rui", "three").state, "delivered");
    rui.until_inbox_is(&["one", "two", "three"]);
}

#[test]
fn a_second_daemon_names_the_first() {
    let directory = Directory::start();
    let mut ana = Peer::start(&directory, "ana");
    let mut second = ana.launch(&[]);
    assert_eq!(second.wait(), Some(1));
    let pid = ana.daemon().id().to_string();
    assert!(second.stderr().contains(&pid), "{pid} is not named: {}", second.stderr());
    assert_eq!(second.stdout(), "");
    directory.until_online("ana", true);

    // The very same command, too: it is the data directory that is taken, not just the port.
    let listen = ana.place().to_owned();
    let finished = ana.run(&["serve", "--name", "ana", "--listen", &listen]).expect(1);
    assert!(finished.stderr.contains(&pid), "{pid} is not named: {}", finished.stderr);
    assert!(!finished.stderr.contains("in use"), "{}", finished.stderr);
    assert_eq!(finished.stdout, "");

    ana.kill();
    ana.serve();
    assert!(ana.daemon().runs(), "a dead daemon holds no lock");
}

/// Twenty commands at once; every text is there once, in one order that sender and receiver agree on.
fn twenty_at_once(ana: &Peer, rui: &Peer) {
    let texts: Vec<_> = (0..20).map(|number| format!("text {number}")).collect();
    thread::scope(|scope| {
        for text in &texts {
            scope.spawn(move || ana.run(&["send", "rui", text]).expect(0));
        }
    });
    let inbox = until("twenty messages", || Some(rui.inbox()).filter(|lines| lines.len() >= 20));
    let mut bodies: Vec<_> = inbox.iter().map(|line| line.body.clone()).collect();
    let in_order = ana.sent().into_iter().map(|line| line.body).collect::<Vec<_>>();
    assert_eq!(bodies, in_order, "the order in which they were written");
    let seqs: Vec<_> = inbox.iter().map(|line| line.seq.unwrap()).collect();
    assert_eq!(seqs, (1..=20).collect::<Vec<_>>());
    bodies.sort_unstable();
    let mut expected = texts;
    expected.sort_unstable();
    assert_eq!(bodies, expected);
}

#[test]
fn twenty_commands_at_once_with_a_daemon() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    twenty_at_once(&ana, &rui);
}

#[test]
fn twenty_commands_at_once_without_a_daemon() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::claimed_but_offline(&directory, "ana"), Peer::start(&directory, "rui"));
    twenty_at_once(&ana, &rui);
}

#[test]
fn a_command_that_waits_lets_another_deliver() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::claimed_but_offline(&directory, "ana"), Peer::start(&directory, "rui"));
    let hugo = Fake::start(&directory, "hugo", |_| Reply::Silence);
    let spawn = |arguments: &[&str]| Process::spawn(&format!("{arguments:?}"), &mut ana.command(arguments));
    let mut patient = spawn(&["send", "--wait=1h", "hugo", "are you there?"]);
    until("the first command tries", || hugo.holds("POST /messages").then_some(()));

    let mut other = spawn(&["send", "--json", "rui", "and you?"]);
    until("the second message is written down", || (ana.sent().len() == 2).then_some(()));
    // It waits for its turn, which comes when the first one has given that try up.
    let delivered = !rui.inbox().is_empty();
    let first_try = hugo.times_asked("POST /messages") == 1 && hugo.holds("POST /messages");
    assert!(!(delivered && first_try), "two processes deliver at once");
    assert_eq!(other.wait(), Some(0));
    assert!(other.stdout().contains("\"delivered\""), "{}", other.stdout());
    rui.until_inbox_is(&["and you?"]);
    assert!(patient.runs(), "the first one still waits: {}", patient.stderr());
    patient.signal(Signal::INT);
    assert_eq!(patient.wait(), Some(130));
    let waits = ana.sent().remove(0);
    assert_eq!(waits.state.as_deref(), Some("queued"));
    // A try of a command ends sooner than one of a daemon, for the sake of those behind it.
    assert_eq!(waits.reason.as_deref(), Some("hugo did not answer in time"));
}

#[test]
fn a_command_takes_over_from_a_daemon_that_dies() {
    let directory = Directory::start();
    let mut ana = Peer::start(&directory, "ana");
    let turn = std::sync::atomic::AtomicBool::new(true);
    let rui = Fake::start(&directory, "rui", move |message| {
        let first = turn.swap(false, std::sync::atomic::Ordering::SeqCst);
        if first { Reply::Silence } else { Reply::receipt(message) }
    });
    let mut command = ana.command(&["send", "--wait=25s", "rui", "oi"]);
    let mut send = super::harness::Process::spawn("ana's send", &mut command);
    until("the daemon has begun to deliver", || (!rui.received().is_empty()).then_some(()));
    ana.kill();
    assert_eq!(send.wait(), Some(0), "{}", send.stderr());
    assert_eq!(ana.sent()[0].state.as_deref(), Some("delivered"));
    let received = rui.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0], received[1], "the same message under the same id");
}
