//! A directory that hangs, refuses or counts wrongly: the peer serves and delivers on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use protocol::Slug;

use super::harness::{Asked, Fake, Peer, Reply, Sent, Signal, until};

/// What a directory answers that lists everyone who registers; nothing to questions of other kinds.
fn ordinary(asked: &Asked) -> Option<Reply> {
    match asked.what.as_str() {
        "POST /register" => Some(Reply::listed(&asked.body, 60)),
        "DELETE /register" => Some(Reply::answer(204, "application/json", "")),
        _ => None,
    }
}

#[test]
fn a_list_that_never_comes_holds_up_nobody() {
    let home = Arc::new(Mutex::new(None::<Fake>));
    let at = Arc::clone(&home);
    let directory = Fake::answering(move |asked| match asked.what.as_str() {
        "GET /peers" => Reply::Silence,
        "GET /peers/rui" => Reply::online(&at.lock().unwrap().as_ref().unwrap().record("rui")),
        what if what.starts_with("GET /peers/hugo-") => {
            Reply::offline(what.trim_start_matches("GET /peers/"))
        }
        _ => ordinary(asked).unwrap_or_else(|| Reply::problem(Slug::UnknownName)),
    });
    // For each delivery, which question for the list was open at that moment.
    let open_at_delivery = Arc::new(Mutex::new(Vec::new()));
    let (open, witness) = (Arc::clone(&open_at_delivery), directory.clone());
    *home.lock().unwrap() = Some(Fake::listen(move |message| {
        let question = witness.holds("GET /peers").then(|| witness.times_asked("GET /peers"));
        open.lock().unwrap().push(question);
        Reply::receipt(message)
    }));

    let mut ana = Peer::of(directory.url(), "ana");
    ana.serve();
    // For so many the whole list is asked for.
    let absent: Vec<_> = (0..17).map(|number| format!("hugo-{number}")).collect();
    ana.run(&["send", &absent.join(","), "you are away"]).expect(0);
    // A peer gives such a question up after a while, and asks again: it need not be the first that is under way.
    until("a message is delivered while a question is open that was asked before", || {
        until("the list is asked for", || directory.holds("GET /peers").then_some(()));
        let question = directory.times_asked("GET /peers");
        assert_eq!(ana.send("rui", "you are not").state, "delivered");
        (open_at_delivery.lock().unwrap().last() == Some(&Some(question))).then_some(())
    });

    until("the list is asked for", || directory.holds("GET /peers").then_some(()));
    ana.signal(Signal::TERM);
    assert_eq!(ana.daemon().wait(), Some(0));
    assert_eq!(directory.times_asked("DELETE /register"), 1, "it said good-bye");
}

#[test]
fn a_name_that_turns_out_to_be_taken_is_said_once() {
    let away = Arc::new(AtomicBool::new(true));
    let turn = Arc::clone(&away);
    let directory = Fake::answering(move |asked| match asked.what.as_str() {
        "POST /register" if turn.load(Ordering::SeqCst) => Reply::problem(Slug::Unavailable),
        "POST /register" => Reply::problem(Slug::NameTaken),
        _ => ordinary(asked).unwrap_or_else(|| Reply::problem(Slug::UnknownName)),
    });
    let mut ana = Peer::of(directory.url(), "ana");
    // The first start: no directory has accepted the name yet, and this one cannot say.
    ana.serve();
    away.store(false, Ordering::SeqCst);
    let said = |log: &str| log.lines().filter(|line| line.contains("somebody else has this name")).count();
    ana.daemon().stderr_until("that the name is taken", |log| (said(log) > 0).then_some(()));
    ana.leave(&serde_json::json!({"from": "ci", "body": "served all the same"})).expect(201);
    ana.signal(Signal::TERM);
    assert_eq!(ana.daemon().wait(), Some(0));
    let log = ana.daemon().stderr();
    assert_eq!(said(&log), 1, "{log}");
    assert!(log.lines().any(|line| line.contains("WARN") && said(line) == 1), "{log}");
}

#[test]
fn a_claim_bound_to_another_key_ends_a_first_start_and_no_later_one() {
    let accepts = Arc::new(AtomicBool::new(false));
    let turn = Arc::clone(&accepts);
    let directory = Fake::answering(move |asked| match asked.what.as_str() {
        "POST /register" if !turn.load(Ordering::SeqCst) => Reply::problem(Slug::FingerprintChanged),
        _ => ordinary(asked).unwrap_or_else(|| Reply::problem(Slug::UnknownName)),
    });
    let mut ana = Peer::of(directory.url(), "ana");
    let mut first = ana.launch(&[]);
    assert_eq!(first.wait(), Some(1));
    let said = first.stderr();
    for advice in [directory.url(), "another key", "identity.pem", "server names release ana"] {
        assert!(said.contains(advice), "{said}");
    }

    accepts.store(true, Ordering::SeqCst);
    ana.serve();
    assert_eq!(ana.stop(), Some(0));
    accepts.store(false, Ordering::SeqCst);
    ana.serve();
    ana.leave(&serde_json::json!({"from": "ci", "body": "served all the same"})).expect(201);
    assert_eq!(ana.stop(), Some(0));
    let sent = directory.times_asked("POST /register");
    assert_eq!(sent, 3, "a refusal is not asked about again and again");
}

#[test]
fn a_lease_of_no_time_is_not_renewed_without_end() {
    let directory = Fake::answering(|asked| match asked.what.as_str() {
        "POST /register" => Reply::listed(&asked.body, 0),
        "GET /peers/hugo" => Reply::offline("hugo"),
        _ => ordinary(asked).unwrap_or_else(|| Reply::problem(Slug::UnknownName)),
    });
    let mut ana = Peer::of(directory.url(), "ana");
    ana.serve();
    let queued = ana.run(&["send", "--json", "hugo", "you are away"]).expect(0).json::<Sent>().remove(0);
    assert_eq!(queued.state, "queued");
    // While somebody waits they are looked for once a second: that is the clock to count against.
    let looked_for = || directory.times_asked("GET /peers/hugo");
    until("hugo is looked for again and again", || (looked_for() >= 6).then_some(()));
    let renewed = directory.times_asked("POST /register");
    let most = 20 * looked_for();
    assert!((1..=most).contains(&renewed), "registered {renewed} times");
}
