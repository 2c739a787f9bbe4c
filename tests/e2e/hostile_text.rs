//! What a stranger writes is shown, never sent to a terminal.

use protocol::Slug;
use serde_json::json;

use super::harness::{Directory, Fake, Peer, Process, Reply, Signal};

/// Clears a screen, rings, retitles the window, turns the writing round, breaks lines without a line end.
const HOSTILE: &str = "before\u{1b}[2J\u{7}\u{1b}]0;root\u{7}\u{9b}31m\u{202e}txt.exe\u{2066}\u{2028}forged\u{2029}\u{61c}\u{200f}\rover\u{8}\u{7f}after";

/// None of these may reach a terminal.
fn harmful(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[track_caller]
fn is_harmless(what: &str, output: &str) {
    let found: Vec<_> = output.chars().filter(|character| harmful(*character)).collect();
    assert!(found.is_empty(), "{what} sends {found:?} to the terminal:\n{output:?}");
}

#[test]
fn a_hostile_message_is_shown_in_every_listing() {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    rui.leave(&json!({"from": "mallory", "body": HOSTILE})).expect(201);
    let follow = Process::spawn("rui's inbox --follow", &mut rui.command(&["inbox", "--follow"]));
    follow.shows("after");
    is_harmless("inbox --follow", &follow.stdout());

    for arguments in [&["inbox"][..], &["history"], &["history", "mallory"]] {
        let output = rui.run(arguments).expect(0).stdout;
        is_harmless(&format!("{arguments:?}"), &output);
        for visible in ["before", "2J", "txt.exe", "forged", "over", "after"] {
            assert!(output.contains(visible), "{arguments:?} hides {visible}: {output}");
        }
    }
    for arguments in [&["inbox", "--json"][..], &["history", "--json"]] {
        let output = rui.run(arguments).expect(0).stdout;
        is_harmless(&format!("{arguments:?}"), &output);
        assert_eq!(output.lines().count(), 1);
    }
    assert_eq!(rui.inbox_bodies(), [HOSTILE], "JSON keeps every character");
    is_harmless("the daemon's log", &rui.daemon().stderr());
}

#[test]
fn a_message_cannot_forge_another_line() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    rui.leave(&json!({"from": "ana", "body": "an honest line"})).expect(201);
    // The second time it is shown as read, which is how it stays.
    rui.run(&["inbox"]).expect(0);
    let honest = rui.run(&["inbox"]).expect(0).stdout;
    let honest = honest.lines().find(|line| line.contains("an honest line")).unwrap().to_owned();
    // A second line of a body that looks like a listing's own line.
    rui.leave(&json!({"from": "mallory", "body": format!("hello\n{honest}")})).expect(201);
    rui.run(&["inbox"]).expect(0);
    let output = rui.run(&["inbox"]).expect(0).stdout;
    let copies = output.lines().filter(|line| **line == honest).count();
    assert_eq!(copies, 1, "mallory's line looks like ana's:\n{output}");
}

#[test]
fn a_hostile_reason_is_shown_too() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let _mallory = Fake::start(&directory, "mallory", |_| {
        let problem = Slug::Blocked.because(HOSTILE);
        let body = serde_json::to_string(&problem.body()).unwrap();
        Reply::answer(403, protocol::paths::PROBLEM_JSON, body)
    });
    let refused = ana.run(&["send", "mallory", "oi"]).expect(4);
    is_harmless("send", &refused.stdout);
    is_harmless("send's standard error", &refused.stderr);
    is_harmless("sent", &ana.run(&["sent"]).expect(0).stdout);
    is_harmless("sent --json", &ana.run(&["sent", "--json"]).expect(0).stdout);
}

#[test]
fn a_hostile_directory_is_harmless_in_the_log() {
    let forged = "2026-11-22T09:30:00.000000Z  INFO all is well";
    let detail = format!("{HOSTILE}\n{forged}");
    let directory = Fake::answering(move |_| {
        let body = serde_json::to_string(&Slug::InvalidAddress.because(detail.clone()).body()).unwrap();
        Reply::answer(422, protocol::paths::PROBLEM_JSON, body)
    });
    for verbosity in [&[][..], &["-v"], &["-vv"], &["-vvv"]] {
        let mut ana = Peer::of(directory.url(), "ana");
        ana.serve_with(verbosity);
        ana.daemon().stderr_until("the refusal", |log| {
            log.lines().any(|line| line.contains("WARN") && line.contains("not listed")).then_some(())
        });
        // The good-bye is refused too.
        ana.signal(Signal::TERM);
        assert_eq!(ana.daemon().wait(), Some(0));
        let log = ana.daemon().stderr();
        is_harmless(&format!("serve {verbosity:?}"), &log);
        assert!(!log.lines().any(|line| line.starts_with(forged)), "{verbosity:?} has a forged line:\n{log}");
        let told = log.lines().filter(|line| line.contains("WARN") && line.contains("all is well")).count();
        assert_eq!(told, 1, "{verbosity:?} tells all of it on one line:\n{log}");
    }
    let ana = Peer::of(directory.url(), "ana");
    for arguments in [&["-vvv", "peers"][..], &["-vvv", "send", "--name", "ana", "rui", "oi"]] {
        let refused = ana.run(arguments).expect(1);
        is_harmless(&format!("{arguments:?}"), &refused.stderr);
        assert!(refused.stderr.contains("forged"), "{arguments:?} says why: {}", refused.stderr);
        assert!(!refused.stderr.lines().any(|line| line.starts_with(forged)), "{}", refused.stderr);
    }
}

#[test]
fn what_the_user_typed_is_shown_too() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let finished = ana.run(&["send", "no\u{1b}[2Jbody", "oi"]).expect(2);
    is_harmless("the complaint", &finished.stderr);
}
