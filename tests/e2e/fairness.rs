//! A hundred thousand messages wait for one recipient, and one for another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use protocol::batch::MOST_MESSAGES;

use super::harness::{Claim, Directory, Fake, Gate, MESSAGES, Peer, Recipient, Reply, until};

const MANY: usize = 100_000;

fn token(name: &str) -> String {
    format!("{name:-<40}")
}

#[test]
fn a_hundred_thousand_for_one_hold_up_no_other() {
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let [eva, rui] = ["eva", "rui"].map(|name| Claim::offline(&directory, name));
    ana.queue("eva", &"a text of some length, ".repeat(25), MANY);
    assert_eq!(ana.send("rui", "one").state, "queued");

    // Eva takes her time over the third batch: by then her lane is in full swing, and there it stays.
    let (gate, batches) = (Gate::default(), Arc::new(AtomicUsize::new(0)));
    let eva = {
        let (gate, batches) = (gate.clone(), Arc::clone(&batches));
        Recipient::who().answering(move |_| {
            if batches.fetch_add(1, Ordering::SeqCst) >= 2 {
                gate.pass();
            }
            None
        })
    }
    .comes(&directory, &eva);
    ana.serve();
    until("eva's third batch is under way", || (batches.load(Ordering::SeqCst) > 2).then_some(()));
    let taken = eva.kept().len();
    assert!(taken > 0 && taken <= 2 * MOST_MESSAGES, "{taken}");
    let rui = Recipient::who().comes(&directory, &rui);
    until("rui has his", || (rui.kept() == ["one"]).then_some(()));
    for text in ["two", "three"] {
        assert_eq!(ana.send("rui", text).state, "delivered");
    }
    assert_eq!(rui.kept(), ["one", "two", "three"]);
    assert_eq!(eva.kept().len(), taken, "eva waits for her third batch all the while");
    assert_eq!(ana.count_sent("queued"), MANY - taken);
    // The queue's text alone is 57 MB.
    if let Some(resident) = ana.daemon().most_resident() {
        assert!(resident < 64, "one batch a lane: {resident} MiB resident");
    }
    // Listings do not read it all either; and a command beside the daemon is none the slower for it.
    assert_eq!(ana.lines(&["sent", "--limit", "2"]).len(), 2);
    gate.open();
    until("eva's batches go on", || (eva.kept().len() > 6 * MOST_MESSAGES).then_some(()));
    assert!(eva.repeats().is_empty());
}

#[test]
fn fifty_who_never_answer_hold_up_no_other() {
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let rui = Claim::offline(&directory, "rui");
    let names: Vec<_> = (1..=50).map(|number| format!("silent-{number}")).collect();
    let silent = Fake::listen(|_| Reply::Silence);
    for name in &names {
        directory
            .register_with_key(name, "https://127.0.0.1:9", &token(name), silent.fingerprint())
            .expect(201);
    }
    ana.run(&["send", &names.join(","), &"are you there?".repeat(1000)]).expect(0);
    assert_eq!(ana.send("rui", "one").state, "queued");
    for name in &names {
        silent.register(&directory, name, &token(name)).expect(200);
    }
    let rui = Recipient::who().comes(&directory, &rui);
    ana.serve();
    until("all of them are asked", || (silent.times_asked(MESSAGES) >= names.len()).then_some(()));
    until("rui has his", || (rui.kept() == ["one"]).then_some(()));
    assert_eq!(ana.send("rui", "two").state, "delivered");
    assert_eq!(ana.count_sent("queued"), names.len());
}

#[test]
fn a_command_delivers_its_own_recipients_queue_only() {
    let directory = Directory::start();
    let ana = Peer::claimed_but_offline(&directory, "ana");
    let eva = Claim::offline(&directory, "eva");
    ana.queue("eva", "eva", 10_000);
    let (eva, rui) = (Recipient::who().comes(&directory, &eva), Recipient::start(&directory, "rui"));
    assert_eq!(ana.send("rui", "mine").state, "delivered");
    assert_eq!((rui.kept().len(), eva.requests().len()), (1, 0));
    assert_eq!(ana.count_sent("queued"), 10_000);
}
