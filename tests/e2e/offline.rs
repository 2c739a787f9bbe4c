//! Rui is offline, comes back, never comes back, refuses, or hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use protocol::Slug;
use serde_json::json;

use super::harness::{Directory, Fake, Key, Peer, Recipient, Reply, new_token};

#[test]
fn what_waits_is_delivered_when_the_recipient_is_back() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let mut rui = Peer::claimed_but_offline(&directory, "rui");
    let texts = ["one", "two", "three", "four"];
    let sent: Vec<_> = texts.iter().map(|text| ana.send("rui", text)).collect();
    assert!(sent.iter().all(|sent| sent.state == "queued"), "{sent:?}");
    assert!(ana.sent().iter().all(|line| line.state.as_deref() == Some("queued")));

    rui.serve();
    rui.until_inbox_is(&texts);
    for sent in &sent {
        ana.until_state_is(&sent.id, "delivered");
    }
    let seqs: Vec<_> = rui.inbox().iter().map(|line| line.seq).collect();
    assert_eq!(seqs, [Some(1), Some(2), Some(3), Some(4)]);
}

#[test]
fn what_was_queued_without_a_daemon_leaves_when_one_starts() {
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let mut rui = Peer::claimed_but_offline(&directory, "rui");
    let sent = ana.send("rui", "written offline");
    assert_eq!(sent.state, "queued");
    rui.serve();
    ana.serve();
    rui.until_inbox_is(&["written offline"]);
    ana.until_state_is(&sent.id, "delivered");
}

#[test]
fn a_message_expires_and_is_delivered_no_more() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let mut rui = Peer::claimed_but_offline(&directory, "rui");
    let sent = ana.run(&["send", "--json", "--expire", "1s", "rui", "too late"]).expect(0);
    let expired = sent.json::<super::harness::Sent>().remove(0);
    assert_eq!(expired.state, "queued");
    ana.until_state_is(&expired.id, "expired");
    ana.send("rui", "in time");
    rui.serve();
    rui.until_inbox_is(&["in time"]);
}

#[test]
fn a_refusal_is_final_and_says_why() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    for (name, slug) in [
        ("blocker", Slug::Blocked),
        ("shy", Slug::NotAccepted),
        ("prover", Slug::ProofRequired),
        ("changed", Slug::KeyMismatch),
        ("conflicted", Slug::IdConflict),
        ("small", Slug::TooLarge),
        ("strict", Slug::InvalidMessage),
    ] {
        let fake = Fake::start(&directory, name, move |message| {
            if message["body"] == "first" { Reply::problem(slug) } else { Reply::receipt(message) }
        });
        ana.run(&["send", name, "first"]).expect(4);
        let kept = ana.lines(&["sent", "--to", name]).remove(0);
        assert_eq!(kept.state.as_deref(), Some("refused"));
        let reason = kept.reason.expect("a reason");
        assert!(reason.contains(slug.word()), "{reason}");
        // What comes behind it is not held up, and the refused one is not tried again.
        assert_eq!(ana.send(name, "second").state, "delivered");
        let bodies: Vec<_> = fake.received().iter().map(|message| message["body"].clone()).collect();
        assert_eq!(bodies, ["first", "second"]);
    }
}

#[test]
fn misdirected_waits_for_a_new_address() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let token = new_token();
    let key = Key::new();
    let stranger = Fake::with_key(&key, |_| Reply::problem(Slug::Misdirected));
    stranger.register(&directory, "rui", &token).expect(201);
    let sent = ana.send("rui", "are you there?");
    assert_eq!(sent.state, "queued");

    let real = Fake::with_key(&key, Reply::receipt);
    real.register(&directory, "rui", &token).expect(200);
    ana.until_state_is(&sent.id, "delivered");
    assert_eq!(real.received()[0]["body"], "are you there?");
}

#[test]
fn what_is_no_receipt_does_not_count_as_delivered() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let other = json!({"id": uuid::Uuid::now_v7(), "received_at": "2026-11-22T09:30:00Z", "verified": false});
    let replies = [
        ("wrongid", Reply::answer(201, "application/json", other.to_string())),
        ("chatty", Reply::answer(201, "application/json", " ".repeat(1024 * 1024))),
        ("page", Reply::answer(200, "text/html", "<h1>It works!</h1>")),
        ("empty", Reply::answer(204, "application/json", "")),
        ("broken", Reply::problem(Slug::Internal)),
        ("full", Reply::problem(Slug::StorageFull)),
    ];
    for (name, reply) in replies {
        let healthy = Arc::new(AtomicBool::new(false));
        let turn = Arc::clone(&healthy);
        let fake = Fake::start(&directory, name, move |message| {
            if turn.load(Ordering::SeqCst) { Reply::receipt(message) } else { reply.clone() }
        });
        let sent = ana.send(name, "oi");
        assert_eq!(sent.state, "queued", "{name}");
        healthy.store(true, Ordering::SeqCst);
        ana.until_state_is(&sent.id, "delivered");
        let received = fake.received();
        assert!(received.len() > 1, "it was tried again");
        assert!(
            received.iter().all(|message| *message == received[0]),
            "with the same id and all: {received:?}"
        );
    }
}

#[test]
fn a_recipient_that_never_answers_delays_no_other() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let hole = Fake::start(&directory, "hole", |_| Reply::Silence);
    ana.run(&["send", "hole,rui", "to both"]).expect(0);
    rui.until_inbox_is(&["to both"]);
    let waits = ana.lines(&["sent", "--to", "hole"]).remove(0);
    assert_eq!(waits.reason, None, "rui had not to wait until a try for hole had failed");
    for text in ["second", "third"] {
        assert_eq!(ana.send("rui", text).state, "delivered");
    }
    rui.until_inbox_is(&["to both", "second", "third"]);
    assert!(!hole.received().is_empty(), "the silent one did get a try");
    assert_eq!(ana.lines(&["sent", "--to", "hole"])[0].state.as_deref(), Some("queued"));
}

#[test]
fn order_is_kept_when_the_first_try_fails() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let awake = Arc::new(AtomicBool::new(false));
    let turn = Arc::clone(&awake);
    let rui = Recipient::who()
        .refusing(move |message| {
            let ready = turn.load(Ordering::SeqCst) || message["body"] != "one";
            (!ready).then_some(Slug::Unavailable)
        })
        .start(&directory, "rui");
    let sent: Vec<_> = ["one", "two", "three"].iter().map(|text| ana.send("rui", text)).collect();
    awake.store(true, Ordering::SeqCst);
    for sent in &sent {
        ana.until_state_is(&sent.id, "delivered");
    }
    assert_eq!(rui.kept(), ["one", "two", "three"], "nothing overtakes");
}

#[test]
fn a_recipient_that_moved_is_found() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let mut rui = Peer::start(&directory, "rui");
    ana.send("rui", "at the first place");
    let first = rui.url().to_owned();
    rui.kill();
    // The directory does not know yet that rui is gone.
    assert_eq!(ana.send("rui", "at the next").state, "queued");
    rui.serve();
    rui.until_inbox_is(&["at the first place", "at the next"]);
    assert_eq!(directory.get("/peers/rui").expect(200).json()["address"], rui.url());
    drop(first);
}

#[test]
fn what_a_peer_sends_has_all_its_members() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let rui = Fake::start(&directory, "rui", Reply::receipt);
    let sent = ana.send("rui", "oi");
    let message = rui.received().remove(0);
    assert_eq!(message["id"], sent.id);
    assert_eq!(
        (&message["from"], &message["to"], &message["seq"]),
        (&json!("ana"), &json!("rui"), &json!(1))
    );
    assert!(message["sent_at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    let contract = &super::harness::CONTRACT;
    let schema = &contract.document()["components"]["schemas"]["Message"];
    contract.valid(schema, &message).expect("as in openapi.yaml");
    let members: Vec<_> = message.as_object().unwrap().keys().cloned().collect();
    assert!(members.iter().all(|member| schema["properties"].get(member).is_some()), "{members:?}");
}

#[test]
fn a_redirect_is_not_followed() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let elsewhere = Fake::listen(Reply::receipt);
    let location = format!("{}/messages", elsewhere.url());
    let rui = Fake::start(&directory, "rui", move |_| {
        Reply::answer(307, "text/plain", "").with("location", &location)
    });
    assert_eq!(ana.send("rui", "oi").state, "queued");
    assert!(!rui.received().is_empty());
    assert!(elsewhere.received().is_empty());
}
