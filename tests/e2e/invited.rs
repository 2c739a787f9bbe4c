//! A private directory, as a peer meets it: an invitation for a new name, a token for every question.

use std::sync::{Arc, Mutex};

use protocol::Slug;
use serde_json::Value;

use super::harness::{Asked, Directory, Fake, Peer, Process, Reply, Signal, record};

/// Takes a new name with the right code only, and answers those who have one. The token is kept here.
fn private(claimed: &Mutex<Option<String>>, asked: &Asked) -> Reply {
    let mut claimed = claimed.lock().unwrap();
    let shown = asked.header("authorization").map(str::to_owned);
    let knows = claimed.is_some() && *claimed == shown;
    match asked.what.as_str() {
        "POST /register" if knows || asked.body["invite"] == "the-code" => {
            *claimed = shown;
            Reply::listed(&asked.body, 1)
        }
        "POST /register" => Reply::problem(Slug::InviteRequired),
        "DELETE /register" => Reply::answer(204, "application/json", ""),
        _ if !knows => Reply::problem(Slug::TokenUnknown).with("www-authenticate", "Bearer"),
        "GET /peers" => Reply::list(&[record("ana", "http://127.0.0.1:7101")]),
        "GET /events" => Reply::problem(Slug::Unavailable),
        _ => Reply::offline("rui"),
    }
}

fn private_directory() -> Fake {
    let claimed = Mutex::new(None);
    Fake::answering(move |asked| private(&claimed, asked))
}

fn serve_invited(ana: &Peer, code: &str) -> Process {
    let mut command = ana.command(&["serve", "--name", "ana", "--listen", "127.0.0.1:0"]);
    Process::spawn("ana's daemon", command.env("RECADO_INVITE", code))
}

#[test]
fn a_first_start_without_an_invitation_says_what_to_type() {
    let directory = private_directory();
    let ana = Peer::of(directory.url(), "ana");
    let finished = ana.run(&["serve", "--name", "ana", "--listen", "127.0.0.1:0"]).expect(1);
    assert_eq!(finished.stdout, "", "not ready");
    for word in [directory.url(), "RECADO_INVITE=", "--name ana", "server invite"] {
        assert!(finished.stderr.contains(word), "no {word}: {}", finished.stderr);
    }
    assert!(!finished.stderr.contains("serving on"), "says one thing: {}", finished.stderr);
    let mut wrong = serve_invited(&ana, "another-code");
    assert_eq!(wrong.wait(), Some(1));
    assert!(wrong.stderr().contains("does not accept"), "{}", wrong.stderr());
    assert!(!wrong.stderr().contains("another-code"), "a secret is not repeated: {}", wrong.stderr());
}

#[test]
fn an_invitation_is_shown_until_the_name_is_claimed() {
    let directory = private_directory();
    let mut ana = Peer::of(directory.url(), "ana");
    let mut daemon = serve_invited(&ana, "the-code");
    super::harness::until("a renewal", || (directory.times_asked("POST /register") >= 2).then_some(()));
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait(), Some(0));
    let shown = |asked: Asked| asked.body["invite"].clone();
    let mut codes = directory.asked("POST /register").into_iter().map(shown);
    assert_eq!(codes.next(), Some(Value::from("the-code")));
    assert!(codes.all(|code| code.is_null()), "it has served its purpose");
    // An empty variable is one that was not set.
    let before = directory.times_asked("POST /register");
    let mut daemon = serve_invited(&ana, "");
    daemon.shows("peer http");
    assert!(directory.asked("POST /register").into_iter().skip(before).map(shown).all(|code| code.is_null()));
    daemon.kill();
    ana.serve();
}

#[test]
fn reading_needs_the_token_and_says_so() {
    let directory = private_directory();
    let mut ana = Peer::of(directory.url(), "ana");
    for arguments in [&["peers"][..], &["peers", "--watch"], &["send", "--name", "ana", "rui", "oi"]] {
        let finished = ana.run(arguments).expect(1);
        assert!(finished.stderr.contains("private"), "{arguments:?}: {}", finished.stderr);
        assert!(finished.stderr.contains("RECADO_INVITE"), "{arguments:?}: {}", finished.stderr);
    }
    assert!(ana.run(&["sent"]).code != Some(0) || ana.sent().is_empty(), "nothing is stored");
    std::fs::write(ana.folder().join("code"), "the-code\n").unwrap();
    ana.serve_with(&["--invite-file", ana.folder().join("code").to_str().unwrap()]);
    assert!(ana.run(&["peers"]).expect(0).stdout.contains("ana"));
    assert_eq!(ana.send("rui", "oi").state, "queued");
    let mut watch = Process::spawn("the watch", &mut ana.command(&["peers", "--watch"]));
    watch.shows("ana");
    watch.signal(Signal::INT);
    assert_eq!(watch.wait(), Some(130));
    // The daemon itself asks with it too, though it had none when it opened its data directory.
    super::harness::until("the daemon asks for events with its token", || {
        let asked = directory.asked("GET /events");
        (asked.len() >= 3 && asked.last().unwrap().header("authorization").is_some()).then_some(())
    });
}

#[test]
fn two_who_were_invited_leave_each_other_messages() {
    let directory = Directory::with(&["--private"]);
    let invited = |name: &str| {
        let mut peer = Peer::offline(&directory, name);
        let file = peer.folder().join("code").to_str().unwrap().to_owned();
        std::fs::write(&file, directory.run(&["invite"]).expect(0).stdout).unwrap();
        peer.serve_with(&["--invite-file", &file]);
        peer
    };
    let (ana, mut rui) = (invited("ana"), invited("rui"));
    assert_eq!(ana.send("rui", "nobody else is here").state, "delivered");
    assert_eq!(rui.stop(), Some(0));
    let sent = ana.send("rui", "when you are back");
    assert_eq!(sent.state, "queued");
    rui.serve();
    ana.until_state_is(&sent.id, "delivered");
    let stranger = Peer::offline(&directory, "zeca");
    let finished = stranger.run(&["peers"]).expect(1);
    assert!(finished.stderr.contains("RECADO_INVITE"), "{}", finished.stderr);
}

#[test]
fn a_token_goes_to_its_own_directory_only() {
    let (home, other) = (private_directory(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&other);
    let elsewhere = Fake::answering(move |asked| {
        seen.lock().unwrap().push(asked.header("authorization").map(str::to_owned));
        Reply::list(&[])
    });
    let mut ana = Peer::of(home.url(), "ana");
    std::fs::write(ana.folder().join("code"), "the-code\n").unwrap();
    ana.serve_with(&["--invite-file", ana.folder().join("code").to_str().unwrap()]);
    ana.run(&["peers", "--server", elsewhere.url()]).expect(0);
    assert_eq!(*other.lock().unwrap(), [None]);
}

#[test]
fn a_taken_name_names_the_way_out() {
    let directory = Directory::start();
    let _ana = Peer::start(&directory, "ana");
    let other = Peer::offline(&directory, "ana");
    let mut daemon = other.launch(&[]);
    assert_eq!(daemon.wait(), Some(1));
    for word in ["--name", "server names release ana"] {
        assert!(daemon.stderr().contains(word), "no {word}: {}", daemon.stderr());
    }
}

#[test]
fn an_invitation_is_read_from_a_pipe_and_never_from_an_argument() {
    let directory = private_directory();
    let mut ana = Peer::of(directory.url(), "ana");
    let finished = ana.run(&["serve", "--name", "ana", "--invite", "the-code"]).expect(2);
    assert!(finished.stderr.contains("--invite-file"), "{}", finished.stderr);
    for (arguments, input) in
        [(["--invite-file", "-"], "\n"), (["--invite-file", "/nonexistent/code"], "the-code")]
    {
        let finished =
            ana.run_with_input(&[&["serve", "--name", "ana"][..], &arguments].concat(), input).expect(2);
        assert!(!finished.stderr.contains("the-code"), "{}", finished.stderr);
    }
    let mut daemon = ana.launch(&["--invite-file", "-"]);
    daemon.type_in("the-code\n");
    daemon.stdout_until("the ready line", |output| output.contains("peer http").then_some(()));
    ana.asks(directory.url());
    assert!(ana.run(&["peers"]).expect(0).stdout.contains("ana"));
}
