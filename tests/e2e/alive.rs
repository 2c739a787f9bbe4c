//! Something comes from a recipient for whom messages wait: whatever was to be waited for, it is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use protocol::Slug;
use serde_json::{Value, json};

use super::harness::{Claim, Directory, Key, Peer, Recipient, Reply, until};

fn message(text: &str) -> Value {
    json!({"id": uuid::Uuid::now_v7(), "from": "rui", "body": text})
}

/// Ana's daemon; Rui, who asks not to be tried again for five minutes, until he is told to take messages; his key; and no
/// directory any more.
fn ana_and_rui() -> (Peer, Recipient, Key, Arc<AtomicBool>) {
    let mut directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let rui = Claim::offline(&directory, "rui");
    let takes = Arc::new(AtomicBool::new(false));
    let is_there = Arc::clone(&takes);
    let recipient = Recipient::who()
        .answering(move |_| {
            let not_now = || Reply::problem(Slug::Unavailable).with("retry-after", "300");
            (!is_there.load(Ordering::SeqCst)).then(not_now)
        })
        .comes(&directory, &rui);
    assert_eq!(ana.send("rui", "one").state, "queued");
    directory.kill();
    (ana, recipient, rui.key, takes)
}

#[test]
fn what_waits_leaves_as_soon_as_something_comes_from_its_recipient() {
    let (ana, rui, key, takes) = ana_and_rui();
    let hello = message("hello");
    ana.leave_with(&key, &hello).expect(201);
    until("rui was tried again, in vain", || (rui.requests().len() == 2).then_some(()));

    // Nobody else can say that he is there; a message that was kept before says so too.
    takes.store(true, Ordering::SeqCst);
    ana.leave_with(&Key::new(), &message("eve")).expect_problem(Slug::KeyMismatch);
    ana.leave(&message("eve")).expect_problem(Slug::ProofRequired);
    ana.leave_with(&Key::new(), &json!({"from": "eve", "body": "rui is there"})).expect(201);
    ana.leave_with(&key, &hello).expect(200);
    until("rui has it", || (rui.kept() == ["one"]).then_some(()));
    assert_eq!(rui.requests().len(), 3);
}

#[test]
fn however_much_a_recipient_says_it_is_tried_no_more_than_once_a_second() {
    let (ana, rui, key, _) = ana_and_rui();
    let begun = Instant::now();
    let mut said = 0;
    until("rui has said much, and was tried three times more", || {
        ana.leave_with(&key, &message("and another thing")).expect(201);
        said += 1;
        (rui.requests().len() >= 4 && said >= 50).then_some(())
    });
    let tries = rui.requests().len() as u64 - 1;
    assert!(tries <= begun.elapsed().as_secs() + 2, "{tries} tries in {:?}", begun.elapsed());
}

#[test]
fn sent_says_what_is_waited_for_and_when_it_is_tried_again() {
    let (mut ana, rui, key, takes) = ana_and_rui();
    let sent = |ana: &Peer| ana.run(&["sent"]).expect(0).stdout;
    until("the next try is told", || sent(&ana).contains("next try in 5 min").then_some(()));
    assert!(sent(&ana).contains("(queued after 1 try, "), "{}", sent(&ana));
    ana.kill();
    assert!(sent(&ana).contains("(queued after "), "{}", sent(&ana));
    assert!(!sent(&ana).contains("next try"), "nobody tries: {}", sent(&ana));
    ana.serve();
    until("it was tried again", || sent(&ana).contains("next try in 5 min").then_some(()));
    takes.store(true, Ordering::SeqCst);
    ana.leave_with(&key, &message("hello")).expect(201);
    until("rui has it", || (rui.kept() == ["one"]).then_some(()));
    until("all is well", || sent(&ana).ends_with("to rui: one\n").then_some(()));
}
