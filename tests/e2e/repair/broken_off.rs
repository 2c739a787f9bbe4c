//! A repair that is broken off goes on: whoever dies in the middle of it, nothing waits for an hour, or for another word of
//! the user's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::harness::{Asked, Claim, Directory, Fake, Key, Peer, Recipient, Reply, until};
use super::{texts, write};

#[test]
fn a_sender_killed_while_it_repairs_repairs_all_of_it_after_its_restart() {
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let claim = Claim::offline(&directory, "rui");
    ana.queue("rui", "ana", 1000);
    let hangs = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&hangs);
    let hanging =
        move |asked: &Asked| (told.load(Ordering::SeqCst) && asked.body.is_array()).then_some(Reply::Silence);
    let rui = Recipient::who().answering(hanging).comes(&directory, &claim);
    ana.serve();
    until("all is delivered", || (ana.count_sent("delivered") == 1000).then_some(()));
    rui.loses(1, 1000);
    hangs.store(true, Ordering::SeqCst);
    let before = rui.requests().len();
    write(&ana, 1001..=1001);
    until("a first batch is under way", || (rui.requests().len() == before + 2).then_some(()));
    ana.kill();
    hangs.store(false, Ordering::SeqCst);
    ana.serve();
    write(&ana, 1002..=1002);
    until("the loss is made good", || (rui.repeats().len() == 1000).then_some(()));
    assert!(rui.repeats().values().all(|times| *times == 2));
    assert_eq!(rui.lacks(), Vec::<[u64; 2]>::new());
}

#[test]
fn a_recipient_killed_while_it_is_repaired_gets_the_rest_when_it_is_back() {
    const ALL: usize = 5000;
    let roomy = ["--stranger-limit", "none", "--strangers-limit", "none"];
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let mut rui = Peer::claimed_but_offline(&directory, "rui");
    let backup = rui.backup();
    ana.queue("rui", "ana", ALL);
    rui.serve_with(&roomy);
    ana.serve();
    until("all is delivered", || (ana.count_sent("delivered") == ALL).then_some(()));
    rui.kill();
    rui.restore(&backup);
    rui.serve_with(&roomy);
    ana.send("rui", &format!("ana/{}", ALL + 1));
    until("the repair is under way", || (rui.count_received() > 1).then_some(()));
    let place = rui.place().to_owned();
    rui.kill();
    assert!(rui.count_received() <= ALL, "it was over before");
    // Somebody else is there for a while, and is told nothing.
    let other = Fake::at(&place, &Key::new(), |_| Reply::Silence);
    until("he was looked for again and again", || (other.calls() >= 3).then_some(()));
    rui.serve_with(&roomy);
    until("the loss is made good", || (rui.count_received() == ALL + 1).then_some(()));
    assert_eq!(rui.inbox_bodies(), texts(1..=ALL + 1), "once and in order");
}
