//! `peer peers --watch`: who is online, and who comes and goes.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use protocol::Slug;
use serde_json::Value;

use super::harness::{Directory, Fake, Feed, Peer, Process, Reply, Signal, new_token, record, until};

const PLACE: &str = "http://127.0.0.1:7199";

fn watch(peer: &Peer, flags: &[&str]) -> Process {
    let mut arguments = vec!["peers", "--watch"];
    arguments.extend(flags);
    Process::spawn("the watch", &mut peer.command(&arguments))
}

/// What was shown so far, as events and names.
fn seen(output: &str) -> Vec<(String, String)> {
    let text = |line: &Value, member: &str| line[member].as_str().unwrap().to_owned();
    let whole = output.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| (text(&line, "event"), text(&line, "name"))).collect()
}

fn until_seen(watch: &Process, expected: &[(&str, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|(event, name)| ((*event).to_owned(), (*name).to_owned())).collect();
    watch.stdout_until(&format!("{expected:?}"), |output| (seen(output) == expected).then_some(()));
}

#[test]
fn every_change_is_a_line_for_programs() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let mut watch = watch(&ana, &["--json"]);
    until_seen(&watch, &[("online", "ana")]);
    let token = new_token();
    directory.register("rui", PLACE, &token).expect(201);
    until_seen(&watch, &[("online", "ana"), ("joined", "rui")]);
    directory.register("rui", "http://127.0.0.1:7198", &token).expect(200);
    until_seen(&watch, &[("online", "ana"), ("joined", "rui"), ("changed", "rui")]);
    directory.request(reqwest::Method::DELETE, "/register").bearer(&token).send().expect(204);
    until_seen(&watch, &[("online", "ana"), ("joined", "rui"), ("changed", "rui"), ("left", "rui")]);

    let line: Value = serde_json::from_str(watch.stdout().lines().nth(1).unwrap()).unwrap();
    let mut members: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["address", "event", "fingerprint", "name", "online_since", "unread", "verified"]);
    assert_eq!((&line["address"], &line["unread"]), (&Value::from(PLACE), &Value::from(0)));
    watch.signal(Signal::INT);
    assert_eq!(watch.wait(), Some(130));
    assert_eq!(watch.stderr(), "");
}

#[test]
fn every_change_is_a_line_for_people() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let mut watch = watch(&ana, &[]);
    watch.shows("ana (you)");
    let mut rui = Peer::start(&directory, "rui");
    watch.shows(&format!("rui is online at {}", rui.url()));
    rui.stop();
    watch.shows("rui is offline");
    assert!(!watch.stdout().contains('\u{1b}'), "no colour in a pipe");
    watch.signal(Signal::INT);
    assert_eq!(watch.wait(), Some(130));
}

#[test]
fn changes_are_told_and_shown_once() {
    let feed = Feed::default();
    let told = feed.clone();
    let directory = Fake::answering(move |asked| match asked.what.as_str() {
        "GET /events" => Reply::Events(told.clone()),
        _ => Reply::list(&[record("ana", PLACE)]),
    });
    let zeca = Peer::of(directory.url(), "zeca");
    let watch = watch(&zeca, &["--json"]);
    until_seen(&watch, &[("online", "ana")]);
    // Between the opening of the stream and the reading of the list: it was read already.
    feed.tell("joined", 1, &record("ana", PLACE));
    feed.tell("joined", 2, &record("rui", PLACE));
    feed.tell("left", 3, &record("hugo", PLACE));
    feed.tell("left", 4, &record("ana", PLACE));
    until_seen(&watch, &[("online", "ana"), ("joined", "rui"), ("left", "ana")]);
    assert_eq!(directory.times_asked("GET /peers"), 1);
    assert_eq!(directory.asked("GET /events")[0].query, "", "everybody");
    // What the list says after a reset is shown as differences.
    feed.tell("reset", 5, &Value::from("{}"));
    until_seen(
        &watch,
        &[("online", "ana"), ("joined", "rui"), ("left", "ana"), ("joined", "ana"), ("left", "rui")],
    );
}

#[test]
fn a_directory_that_goes_away_is_said_once_and_its_return_too() {
    let mut directory = Directory::start();
    let (home, work) = (new_token(), new_token());
    directory.register("hugo", PLACE, &home).expect(201);
    directory.register("rui", PLACE, &work).expect(201);
    let zeca = Peer::offline(&directory, "zeca");
    let mut watch = watch(&zeca, &["--json"]);
    let online = [("online", "hugo"), ("online", "rui")];
    until_seen(&watch, &online);
    directory.kill();
    watch.stderr_until("that it is away", |said| said.contains("cannot be reached").then_some(()));
    directory.start_again();
    directory.request(reqwest::Method::DELETE, "/register").bearer(&work).send().expect(204);
    watch.stderr_until("that it is back", |said| said.contains("is back").then_some(()));
    until_seen(&watch, &[online[0], online[1], ("left", "rui")]);
    assert_eq!(watch.stderr().lines().count(), 2, "{}", watch.stderr());
    assert!(watch.stderr().contains(directory.url()), "{}", watch.stderr());
    watch.signal(Signal::INT);
    assert_eq!(watch.wait(), Some(130));
}

#[test]
fn however_long_a_directory_is_away_it_is_said_once() {
    let away = Arc::new(AtomicBool::new(false));
    let turn = Arc::clone(&away);
    let directory = Fake::answering(move |asked| match asked.what.as_str() {
        "GET /peers" if !turn.load(Ordering::SeqCst) => Reply::list(&[record("ana", PLACE)]),
        _ => Reply::problem(Slug::Unavailable),
    });
    let zeca = Peer::of(directory.url(), "zeca");
    let watch = watch(&zeca, &["--json"]);
    for round in 1..=2 {
        until_seen(&watch, &[("online", "ana")]);
        away.store(true, Ordering::SeqCst);
        let asked = directory.times_asked("GET /peers");
        until("it is asked in vain", || (directory.times_asked("GET /peers") >= asked + 4).then_some(()));
        away.store(false, Ordering::SeqCst);
        let lines = |said: &str| said.ends_with('\n').then(|| said.lines().count());
        watch.stderr_until("that it is back", |said| (lines(said) == Some(2 * round)).then_some(()));
    }
    let said = watch.stderr();
    assert_eq!(said.matches("cannot be reached").count(), 2, "{said}");
    assert_eq!(said.matches("is back").count(), 2, "{said}");
}

#[test]
fn a_watch_without_a_directory_does_not_begin() {
    let mut directory = Directory::start();
    let ana = Peer::offline(&directory, "ana");
    directory.kill();
    ana.run(&["peers", "--watch"]).expect(6);
    Peer::of("none", "ana").run(&["peers", "--watch"]).expect(6);
}

#[test]
fn where_streams_are_full_the_watch_asks() {
    let list = Arc::new(Mutex::new(vec![record("ana", PLACE)]));
    let records = Arc::clone(&list);
    let directory = Fake::answering(move |asked| match asked.what.as_str() {
        "GET /events" => Reply::problem(Slug::Unavailable).with("retry-after", "1"),
        _ => Reply::list(&records.lock().unwrap()),
    });
    let zeca = Peer::of(directory.url(), "zeca");
    let watch = watch(&zeca, &["--json"]);
    until_seen(&watch, &[("online", "ana")]);
    list.lock().unwrap().push(record("rui", PLACE));
    until_seen(&watch, &[("online", "ana"), ("joined", "rui")]);
    assert_eq!(watch.stderr(), "", "that is nobody's business");
}

#[test]
fn a_closed_pipe_ends_a_command_in_which_nothing_happens() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    ana.leave(&serde_json::json!({"from": "ci", "body": "to have a line to read"})).expect(201);
    for arguments in [&["peers", "--watch", "--json"][..], &["inbox", "--follow", "--json"]] {
        let mut command = ana.command(arguments);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with('{'), "{line}");
        let ended = until(&format!("the end of {arguments:?}"), || child.try_wait().unwrap());
        let mut complaint = String::new();
        child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
        assert_eq!((ended.code(), complaint.as_str()), (Some(0), ""), "{arguments:?}");
    }
}
