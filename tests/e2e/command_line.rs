//! What a script relies on: exit codes, and what goes to which stream.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use protocol::Slug;
use serde_json::json;

use super::harness::{Directory, Fake, Finished, Peer, Process, Reply, Sent, Signal};

#[test]
fn wrong_usage_is_2() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    for arguments in [
        &["send"][..],
        &["send", "ana lima", "oi"],
        &["send", "p\u{0430}ypal", "oi"],
        &["send", "rui", ""],
        &["send", "rui", "oi", "there"],
        &["send", "rui", "--wait=soon", "oi"],
        &["send", "rui", "--wait", "5s"],
        &["send", "rui", "--expire", "0s", "oi"],
        &["inbox", "--limit", "many"],
        &["inbox", "--from", "a/b"],
        &["sent", "--state", "lost"],
        &["shout"],
        &["--server", "ftp://example.org", "peers"],
    ] {
        let finished = ana.run(arguments).expect(2);
        assert_eq!(finished.stdout, "", "{arguments:?}");
        assert!(!finished.stderr.trim().is_empty(), "{arguments:?} says nothing");
    }
    let too_long = "x".repeat(65_537);
    ana.run_with_input(&["send", "rui"], &too_long).expect(2);
    assert!(ana.sent().is_empty(), "bad input stores nothing");
}

#[test]
fn a_name_that_is_taken_ends_the_first_start_with_1() {
    let directory = Directory::start();
    let _ana = Peer::start(&directory, "ana");
    let other = Peer::offline(&directory, "ana");
    let mut daemon = other.launch(&[]);
    assert_eq!(daemon.wait(), Some(1));
    assert_eq!(daemon.stdout(), "", "not ready");
    assert!(daemon.stderr().contains("--name"), "says the way out: {}", daemon.stderr());
    assert!(!daemon.stderr().contains("serving on"), "says one thing: {}", daemon.stderr());
}

#[test]
fn not_delivered_in_time_is_3_and_stays_queued() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let _rui = Peer::claimed_but_offline(&directory, "rui");
    let finished = ana.run(&["send", "--json", "--wait=1s", "rui", "oi"]).expect(3);
    assert_eq!(finished.json::<Sent>()[0].state, "queued");
    ana.run(&["send", "--wait=1", "rui", "oi"]).expect(3);
    assert_eq!(ana.lines(&["sent", "--state", "queued"]).len(), 2);
}

#[test]
fn refused_by_the_recipient_is_4() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let _rui = Fake::start(&directory, "rui", |_| Reply::problem(Slug::Blocked));
    let finished = ana.run(&["send", "--json", "rui", "oi"]).expect(4);
    let sent = finished.json::<Sent>().remove(0);
    assert_eq!(sent.state, "refused");
    let reason = sent.reason.expect("a reason");
    assert!(reason.contains("blocked"), "{reason}");
    let kept = ana.sent().remove(0);
    assert_eq!((kept.state.as_deref(), kept.reason), (Some("refused"), Some(reason)));
}

#[test]
fn nobody_of_that_name_is_5_and_stores_nothing() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let finished = ana.run(&["send", "zeca", "oi"]).expect(5);
    assert_eq!(finished.stdout, "");
    assert!(finished.stderr.contains("zeca"), "{}", finished.stderr);
    assert!(ana.sent().is_empty());
    // One unknown among several: nobody gets it.
    ana.run(&["send", "rui,zeca", "oi"]).expect(5);
    assert!(ana.sent().is_empty());
    assert!(rui.inbox().is_empty());
}

#[test]
fn no_directory_when_it_is_needed_is_6_and_stores_nothing() {
    let mut directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    directory.kill();
    let finished = ana.run(&["send", "rui", "oi"]).expect(6);
    assert_eq!(finished.stdout, "");
    assert!(finished.stderr.contains(directory.url()), "says which one: {}", finished.stderr);
    assert!(ana.sent().is_empty());
    ana.run(&["peers"]).expect(6);
    ana.run(&["inbox"]).expect(0);
    ana.run(&["whoami"]).expect(0);
}

#[test]
fn interrupted_is_130() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let rui = Fake::start(&directory, "rui", |_| Reply::Silence);
    let mut send =
        Process::spawn("ana's send --wait", &mut ana.command(&["send", "--wait=25s", "rui", "oi"]));
    super::harness::until("the message is on its way", || (!rui.received().is_empty()).then_some(()));
    send.signal(Signal::INT);
    assert_eq!(send.wait(), Some(130));
    assert_eq!(ana.sent().len(), 1, "it is kept all the same");
}

#[test]
fn a_data_directory_that_is_not_ours_is_left_alone() {
    let directory = Directory::start();
    let ana = Peer::offline(&directory, "ana");
    let file = ana.folder().join("recado.db");
    std::fs::write(&file, "a letter, not a database; long enough to have a header of its own.".repeat(20))
        .unwrap();
    let before = std::fs::read(&file).unwrap();
    let finished = ana.run(&["inbox"]).expect(1);
    assert!(finished.stderr.contains("recado.db"), "{}", finished.stderr);
    let mut daemon = ana.launch(&[]);
    assert_eq!(daemon.wait(), Some(1));
    assert!(daemon.stderr().contains("recado.db"), "{}", daemon.stderr());
    assert_eq!(std::fs::read(&file).unwrap(), before, "untouched");
}

#[test]
fn the_first_send_needs_a_name() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let ana = Peer::offline(&directory, "ana");
    let finished = ana.run(&["send", "rui", "oi"]);
    assert!(matches!(finished.code, Some(1 | 2)), "{finished:?}");
    assert!(finished.stderr.contains("--name"), "{}", finished.stderr);
    ana.run(&["send", "--name", "ana", "rui", "oi"]).expect(0);
    ana.run(&["send", "rui", "again"]).expect(0);
    rui.until_inbox_is(&["oi", "again"]);
    assert_eq!(rui.inbox()[1].from, "ana");
}

#[test]
fn a_name_is_given_once() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let mut ana = Peer::offline(&directory, "ana");
    // No directory has accepted the name yet; it has been written under, and that is enough.
    ana.run(&["send", "--name", "ana", "rui", "from ana"]).expect(0);
    let refused = |ana: &Peer| {
        let finished = ana.run(&["send", "--name", "bob", "rui", "from bob"]).expect(2);
        assert!(finished.stderr.contains("ana"), "says who it is: {}", finished.stderr);
        assert_eq!(ana.run(&["whoami", "--json"]).expect(0).json::<serde_json::Value>()[0]["name"], "ana");
        assert_eq!(ana.sent().len(), 1, "bad usage stores nothing");
    };
    refused(&ana);
    ana.serve();
    refused(&ana);
    assert_eq!(rui.inbox_bodies(), ["from ana"]);
}

#[test]
fn a_send_that_stores_nothing_gives_no_name() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let ana = Peer::offline(&directory, "ana");
    ana.run(&["send", "--name", "anna", "zeca", "a slip of the finger"]).expect(5);
    for command in ["whoami", "invite"] {
        let finished = ana.run(&[command]).expect(2);
        assert_eq!(finished.stdout, "");
        assert!(finished.stderr.contains("`peer serve --name NAME`"), "{}", finished.stderr);
        assert!(!finished.stderr.contains("add `--name"), "it takes no such flag: {}", finished.stderr);
    }
    ana.run(&["send", "--name", "ana", "rui", "oi"]).expect(0);
    assert_eq!(rui.inbox()[0].from, "ana");
}

#[test]
fn a_message_from_a_pipe_may_have_65536_bytes_and_a_line_end() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let longest = "x".repeat(65_536);
    for end in ["", "\n", "\r\n"] {
        ana.run_with_input(&["send", "rui"], &format!("{longest}{end}")).expect(0);
    }
    rui.until_inbox_is(&[longest.as_str(); 3]);
    // Wherever reading stops, it may be within a character.
    for text in ["é".repeat(50_000), format!("x{}", "é".repeat(50_000)), "é".repeat(32_769)] {
        let finished = ana.run_with_input(&["send", "rui"], &text).expect(2);
        assert!(finished.stderr.contains("65536"), "{}", finished.stderr);
    }
    assert_eq!(rui.inbox().len(), 3);
}

#[test]
fn flags_win_over_environment() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let whoami = |command: &mut std::process::Command| {
        Finished::of("whoami", command.args(["whoami", "--json"]), "").expect(0).json::<serde_json::Value>()
            [0]["name"]
            .clone()
    };
    let mut from_environment = super::harness::peer_command();
    from_environment.env("RECADO_DATA_DIR", rui.folder()).env("RECADO_SERVER", directory.url());
    assert_eq!(whoami(&mut from_environment), "rui");
    let mut from_flag = super::harness::peer_command();
    from_flag.env("RECADO_DATA_DIR", rui.folder()).arg("--data-dir").arg(ana.folder());
    assert_eq!(whoami(&mut from_flag), "ana");
}

#[test]
fn results_go_to_standard_output_and_nothing_else_does() {
    let directory = Directory::start();
    let (mut ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    ana.send("rui", "oi");
    assert_eq!(ana.daemon().stdout(), format!("peer {}\n", ana.url()), "the ready line, alone");
    for arguments in
        [&["inbox"][..], &["sent"], &["history"], &["peers"], &["whoami"], &["send", "rui", "oi"]]
    {
        let finished = ana.run(arguments).expect(0);
        assert_eq!(finished.stderr, "", "{arguments:?}");
        assert!(!finished.stdout.contains('\u{1b}'), "{arguments:?}: no colour in a pipe");
    }
    assert!(rui.run(&["--help"]).expect(0).stdout.contains("send"));
    assert!(rui.run(&["--version"]).expect(0).stdout.starts_with("peer "));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    // More than a pipe holds, so that the command meets the closed end while it writes.
    for number in 0..8 {
        let body = format!("{number} {}", "line\n".repeat(8000));
        rui.leave(&json!({"from": "ana", "body": body})).expect(201);
    }
    for arguments in [&["inbox", "--json"][..], &["inbox"]] {
        let mut command = rui.command(arguments);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        let mut complaint = String::new();
        child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
        assert_eq!(complaint, "", "{arguments:?}");
        assert_ne!(child.wait().unwrap().code(), Some(101), "{arguments:?} panicked");
    }
}

#[test]
fn what_is_announced_is_accepted_already() {
    let directory = Directory::start();
    for (name, arguments) in
        [("ana", &["--ui", "127.0.0.1:0"][..]), ("rui", &["--no-ui", "--unverified-limit", "none"])]
    {
        let mut daemon = Peer::offline(&directory, name).launch(arguments);
        daemon.stdout_until("the ready line", |output| output.starts_with("peer http").then_some(()));
        daemon.signal(Signal::TERM);
        assert_eq!(daemon.wait(), Some(0), "{}", daemon.stderr());
    }
}
