//! `peer retry`: what was refused or has expired is sent again, as the message that it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use protocol::Slug;
use serde_json::{Value, json};

use super::harness::{Claim, Directory, Fake, Finished, Peer, Recipient, Reply, Sent, until};

/// Takes nothing until it is told to, and who tells it.
fn reserved(directory: &Directory, name: &str) -> (Recipient, Arc<AtomicBool>) {
    let open = Arc::new(AtomicBool::new(false));
    let turn = Arc::clone(&open);
    let refusing = move |_: &_| (!turn.load(Ordering::SeqCst)).then_some(Slug::NotAccepted);
    (Recipient::who().refusing(refusing).start(directory, name), open)
}

fn fate(finished: &Finished) -> (String, String) {
    let [sent] = finished.json::<Sent>().try_into().unwrap();
    (sent.id, sent.state)
}

fn refused_and_tried_again(ana: &Peer, directory: &Directory) {
    let (rui, open) = reserved(directory, "rui");
    let (id, state) = fate(&ana.run(&["send", "--json", "rui", "let me in"]).expect(4));
    assert_eq!(state, "refused");
    assert_eq!(fate(&ana.run(&["retry", "--json", &id]).expect(4)), (id.clone(), "refused".to_owned()));
    open.store(true, Ordering::SeqCst);
    assert_eq!(fate(&ana.run(&["retry", "--json", &id]).expect(0)), (id.clone(), "delivered".to_owned()));
    let tries = rui.fake().received();
    assert_eq!(tries.len(), 3);
    for message in &tries {
        assert_eq!((&message["id"], &message["seq"]), (&tries[0]["id"], &tries[0]["seq"]));
        assert_eq!(message["sent_at"], tries[0]["sent_at"], "{message}");
    }
    assert_eq!(ana.sent().len(), 1, "it is the same message");
    assert_eq!(ana.send("rui", "and on").state, "delivered");
    assert_eq!(rui.kept(), ["let me in", "and on"]);
    let last = rui.arrived().pop().unwrap();
    assert!(last.get("closed").is_none_or(|closed| closed.as_array().unwrap().is_empty()), "{last}");
}

#[test]
fn what_was_refused_is_tried_again_by_the_daemon() {
    let directory = Directory::start();
    refused_and_tried_again(&Peer::start(&directory, "ana"), &directory);
}

#[test]
fn what_was_refused_is_tried_again_without_a_daemon() {
    let directory = Directory::start();
    refused_and_tried_again(&Peer::claimed_but_offline(&directory, "ana"), &directory);
}

#[test]
fn all_that_one_recipient_did_not_get_is_tried_again_in_order() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let claim = Claim::offline(&directory, "rui");
    for text in ["one", "two"] {
        ana.run(&["send", "--expire", "1s", "rui", text]).expect(0);
    }
    until("both have expired", || (ana.count_sent("expired") == 2).then_some(()));
    let rui = Recipient::who().comes(&directory, &claim);
    assert_eq!(ana.send("rui", "three").state, "delivered");
    let (other, _) = reserved(&directory, "eva");
    ana.run(&["send", "eva", "for eva"]).expect(4);

    let again = ana.run(&["retry", "--json", "--to", "rui"]).expect(0).json::<Sent>();
    assert!(again.iter().all(|sent| sent.state == "delivered" && sent.to == "rui"), "{again:?}");
    assert_eq!(rui.kept(), ["three", "one", "two"]);
    let seqs: Vec<_> = rui.arrived().iter().map(|message| message["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [3, 1, 2], "each under its own number");
    assert_eq!(other.requests().len(), 1, "eva is another recipient");
}

#[test]
fn what_is_no_message_of_mine_is_not_tried_again() {
    let directory = Directory::start();
    let ana = Peer::claimed_but_offline(&directory, "ana");
    let rui = Recipient::start(&directory, "rui");
    let sent = ana.send("rui", "oi");
    let unknown = uuid::Uuid::now_v7().to_string();
    for (arguments, code) in [
        (&["retry", unknown.as_str()][..], 1),
        (&["retry", "no-id"], 2),
        (&["retry"], 2),
        (&["retry", "--to", "nobody"], 5),
    ] {
        let finished = ana.run(arguments).expect(code);
        assert!(!finished.stderr.is_empty() && finished.stdout.is_empty(), "{finished:?}");
    }
    ana.run(&["retry", &sent.id]);
    assert_eq!(rui.requests().len(), 1, "what was delivered is not sent again");
    assert_eq!(ana.sent()[0].state.as_deref(), Some("delivered"));
}

/// Somebody who refuses everything until they are told not to.
fn moody(directory: &Directory) -> (Fake, Arc<AtomicBool>) {
    let mood = Arc::new(AtomicBool::new(false));
    let is_friendly = Arc::clone(&mood);
    let fake = Fake::start(directory, "rui", move |message| {
        let friendly = is_friendly.load(Ordering::SeqCst);
        if friendly { Reply::receipt(message) } else { Reply::problem(Slug::NotAccepted) }
    });
    (fake, mood)
}

#[test]
fn a_refused_number_is_closed_until_it_is_tried_again() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let (rui, mood) = moody(&directory);
    let refused = ana.run(&["send", "--json", "rui", "one"]).expect(4).json::<Sent>().remove(0);
    ana.run(&["send", "rui", "two"]).expect(4);
    mood.store(true, Ordering::SeqCst);
    ana.run(&["retry", &refused.id]).expect(0);
    ana.run(&["send", "rui", "three"]).expect(0);
    ana.run(&["send", "rui", "four"]).expect(0);
    let told: Vec<_> =
        rui.received().iter().map(|message| (message["body"].clone(), message["closed"].clone())).collect();
    let told_with = |body: &str, closed: Value| (json!(body), closed);
    assert_eq!(
        told,
        [
            told_with("one", Value::Null),
            told_with("two", json!([[1, 1]])),
            told_with("one", json!([[2, 2]])),
            told_with("three", Value::Null),
            told_with("four", Value::Null),
        ]
    );
}

#[test]
fn what_has_expired_is_sent_again_without_a_daemon() {
    let directory = Directory::start();
    let mut ana = Peer::start(&directory, "ana");
    let mut rui = Peer::claimed_but_offline(&directory, "rui");
    let late =
        ana.run(&["send", "--json", "--expire", "1s", "rui", "late"]).expect(0).json::<Sent>().remove(0);
    ana.until_state_is(&late.id, "expired");
    ana.send("rui", "later");
    assert_eq!(ana.stop(), Some(0));
    let finished = ana.run(&["retry", "--json", "--wait=1", "--expire", "1h", &late.id]).expect(3);
    assert_eq!(finished.json::<Sent>()[0].state, "queued");
    rui.serve();
    directory.until_online("rui", true);
    ana.run(&["retry", "--wait", &late.id]).expect(0);
    ana.run(&["send", "rui", "latest"]).expect(0);
    rui.until_inbox_is(&["late", "later", "latest"]);
}

#[test]
fn ids_that_are_none_or_unknown_queue_nothing() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let (rui, _) = moody(&directory);
    let refused = ana.run(&["send", "--json", "rui", "please"]).expect(4).json::<Sent>().remove(0);
    let unknown = "0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3";
    let finished = ana.run(&["retry", &refused.id, unknown]).expect(1);
    assert_eq!(finished.stdout, "");
    assert!(
        finished.stderr.contains(unknown) && !finished.stderr.contains(&refused.id),
        "{}",
        finished.stderr
    );
    for arguments in [
        &["retry"][..],
        &["retry", "7"],
        &["retry", &refused.id[..8]],
        &["retry", "--to", "a/b"],
        &["retry", "--to", "rui", &refused.id],
        &["retry", "--expire", "0s", &refused.id],
    ] {
        let finished = ana.run(arguments).expect(2);
        assert_eq!(finished.stdout, "", "{arguments:?}");
        assert!(!finished.stderr.trim().is_empty(), "{arguments:?}");
    }
    assert_eq!(rui.received().len(), 1, "nothing was sent again");
}
