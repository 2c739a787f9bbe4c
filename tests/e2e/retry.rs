//! `peer retry`: what was refused or has expired is sent again, as the message that it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use protocol::Slug;

use super::harness::{Claim, Directory, Finished, Peer, Recipient, Sent, until};

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
    for arguments in [&["retry", unknown.as_str()][..], &["retry", "no-id"], &["retry"]] {
        let finished = ana.run(arguments);
        assert!(matches!(finished.code, Some(1 | 2)), "{arguments:?}: {finished:?}");
        assert!(!finished.stderr.is_empty() && finished.stdout.is_empty(), "{finished:?}");
    }
    ana.run(&["retry", &sent.id]);
    assert_eq!(rui.requests().len(), 1, "what was delivered is not sent again");
    assert_eq!(ana.sent()[0].state.as_deref(), Some("delivered"));
}
