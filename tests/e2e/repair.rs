//! Somebody loses what they had: an old backup, a WAL that was cut short. What was delivered is delivered again, and only
//! what is lacking; and nobody who says that they lack something can make a storm of that.

/// One of the two dies while it is under way.
mod broken_off;

use std::collections::BTreeMap;

use protocol::Slug;
use serde_json::json;

use super::harness::{Claim, Damage, Directory, Key, Peer, Recipient, Reply, Sent, until};

fn texts(numbers: std::ops::RangeInclusive<usize>) -> Vec<String> {
    numbers.map(|number| format!("ana/{number}")).collect()
}

/// Has ana write these, one by one.
#[track_caller]
fn write(ana: &Peer, numbers: std::ops::RangeInclusive<usize>) {
    for text in texts(numbers) {
        assert_eq!(ana.send("rui", &text).state, "delivered", "{text}");
    }
}

#[track_caller]
fn until_inbox_is(rui: &Peer, expected: &[String]) {
    rui.until_inbox_is(&expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[track_caller]
fn until_kept(rui: &Recipient, expected: &[String]) {
    until(&format!("what rui keeps is {expected:?}"), || {
        let mut kept = rui.kept();
        kept.sort_by_key(|text| text.split_once('/').unwrap().1.parse::<usize>().unwrap());
        (kept == expected).then_some(())
    });
}

/// Rui's database is from yesterday: the next message tells ana, and ana sends what came since.
fn an_old_backup_at_the_receiver(ana: &Peer, directory: &Directory) {
    let mut rui = Peer::start(directory, "rui");
    write(ana, 1..=4);
    rui.kill();
    let backup = rui.backup();
    rui.serve();
    write(ana, 5..=9);
    rui.kill();
    rui.restore(&backup);
    assert_eq!(rui.inbox_bodies(), texts(1..=4), "lost");
    rui.serve();
    directory.until_online("rui", true);
    let sent = ana.send("rui", "ana/10");
    assert!(matches!(sent.state.as_str(), "delivered" | "queued"), "{sent:?}");
    until_inbox_is(&rui, &texts(1..=10));
    until("all is delivered", || (ana.count_sent("delivered") == 10).then_some(()));
    let seqs: Vec<_> = rui.inbox().into_iter().map(|line| line.seq.unwrap()).collect();
    assert_eq!(seqs, (1..=10).collect::<Vec<_>>());
    write(ana, 11..=12);
    until_inbox_is(&rui, &texts(1..=12));
}

#[test]
fn the_daemon_repairs_a_receiver_with_an_old_backup() {
    let directory = Directory::start();
    an_old_backup_at_the_receiver(&Peer::start(&directory, "ana"), &directory);
}

#[test]
fn a_command_repairs_a_receiver_with_an_old_backup() {
    let directory = Directory::start();
    an_old_backup_at_the_receiver(&Peer::claimed_but_offline(&directory, "ana"), &directory);
}

/// `SQLite` takes a WAL for whole up to the first frame that is not, and says nothing of the rest.
fn a_wal_that_was_cut_short(damage: Damage) {
    let directory = Directory::start();
    let (mut ana, mut rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    write(&ana, 1..=2);
    let mut there = 2;
    // What was moved into the database meanwhile is out of harm's way: then again.
    let lost = until("something is lost", || {
        let first = ana.send("rui", &format!("ana/{}", there + 1));
        assert_eq!(first.state, "delivered");
        ana.kill();
        rui.signal(super::harness::Signal::STOP);
        let next = ana.send("rui", &format!("ana/{}", there + 2));
        ana.queue_behind(&next, "ana", there + 3..=there + 10);
        rui.signal(super::harness::Signal::CONT);
        there += 10;
        ana.serve();
        until("all is delivered", || (ana.count_sent("delivered") == there).then_some(()));
        rui.kill();
        let damaged = rui.damage_wal(damage);
        let kept = rui.inbox().len();
        let lost = damaged && kept < there;
        if !lost {
            rui.serve();
            directory.until_online("rui", true);
        }
        lost.then_some(there - kept)
    });
    eprintln!("{lost} of {there} lost");
    rui.serve();
    ana.send("rui", &format!("ana/{}", there + 1));
    until_inbox_is(&rui, &texts(1..=there + 1));
    assert_eq!(ana.count_sent("delivered"), there + 1);
}

#[test]
fn what_a_cut_wal_held_comes_again() {
    a_wal_that_was_cut_short(Damage::Cut);
}

#[test]
fn what_a_flipped_bit_in_the_wal_hid_comes_again() {
    a_wal_that_was_cut_short(Damage::Flip);
}

/// Ana's database is from yesterday. What she sent since is not hers any more, but rui's; what she writes now comes behind.
#[test]
fn a_sender_with_an_old_backup_goes_on_behind_what_was_had() {
    let directory = Directory::start();
    let (mut ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    write(&ana, 1..=3);
    ana.kill();
    let backup = ana.backup();
    ana.serve();
    write(&ana, 4..=8);
    ana.kill();
    ana.restore(&backup);
    ana.serve();
    write(&ana, 9..=11);
    until_inbox_is(&rui, &texts(1..=11));
    let seqs: Vec<_> = ana.sent().into_iter().map(|line| line.seq.unwrap()).collect();
    assert_eq!(seqs[..3], [1, 2, 3]);
    assert_eq!(seqs[4..], [9, 10], "behind the highest that rui has had: {seqs:?}");
}

/// Everything that a rogue may say in a receipt, with every receipt.
#[test]
fn who_pretends_to_lack_everything_gets_it_once() {
    const HIGHEST: u64 = (1 << 53) - 1;
    type Lie = fn(&mut serde_json::Value);
    let lies: [(&str, Lie); 6] = [
        ("low", |receipt| receipt["highest"] = json!(1)),
        ("none", |receipt| {
            receipt.as_object_mut().unwrap().remove("highest");
            receipt["missing"] = json!([[1, HIGHEST]]);
        }),
        ("all", |receipt| receipt["missing"] = json!([[1, receipt["highest"]]])),
        ("wild", |receipt| {
            receipt["highest"] = json!(HIGHEST);
            receipt["missing"] = json!([[1, HIGHEST - 1]]);
        }),
        ("odd", |receipt| {
            receipt["highest"] = json!(u64::MAX);
            receipt["missing"] = json!([[0, 0], [9, 1], [u64::MAX, u64::MAX]]);
        }),
        ("many", |receipt| receipt["missing"] = json!((1..=400).map(|at| [at, at]).collect::<Vec<_>>())),
    ];
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let rogues = lies.map(|(name, lie)| (name, Recipient::who().telling(lie).start(&directory, name)));
    let honest = Recipient::start(&directory, "rui");
    let names: Vec<_> = lies.iter().map(|(name, _)| *name).chain(["rui"]).collect();
    for number in 1..=8 {
        let sent = ana.run(&["send", "--json", &names.join(","), &format!("ana/{number}")]).expect(0);
        for sent in sent.json::<Sent>() {
            ana.until_state_is(&sent.id, "delivered");
        }
    }
    for (name, rogue) in rogues {
        let first: Vec<_> = rogue.kept();
        assert_eq!(first, texts(1..=8), "{name}");
        let repeats = rogue.repeats();
        assert!(repeats.values().all(|times| *times <= 2), "{name}: {repeats:?}");
        // A wild number changes nothing: ana counts on as before.
        let seqs: Vec<_> =
            ana.lines(&["sent", "--to", name]).into_iter().map(|line| line.seq.unwrap()).collect();
        assert_eq!(seqs, (1..=8).collect::<Vec<_>>(), "{name}");
    }
    assert_eq!((honest.kept(), honest.repeats()), (texts(1..=8), BTreeMap::new()));
    assert_eq!(ana.count_sent("delivered"), 8 * names.len());
}

#[test]
fn what_is_lost_a_second_time_does_not_come_at_once_again() {
    let directory = Directory::start();
    let mut ana = Peer::start(&directory, "ana");
    let rui = Recipient::start(&directory, "rui");
    write(&ana, 1..=6);
    rui.loses(2, 4);
    write(&ana, 7..=7);
    until("they came again", || (rui.arrived().len() == 7 + 3).then_some(()));
    assert_eq!(rui.repeats(), texts(2..=4).into_iter().map(|text| (text, 2)).collect());
    let order: Vec<_> = rui.arrived()[7..].iter().map(|message| message["seq"].as_u64().unwrap()).collect();
    assert_eq!(order, [2, 3, 4], "oldest first");
    assert_eq!(ana.count_sent("delivered"), 7);

    // The same again, and a new loss at the end: only that one is made good.
    rui.loses(2, 4);
    rui.loses(6, 7);
    write(&ana, 8..=8);
    until("the new loss is made good", || (rui.repeats().len() == 5).then_some(()));
    ana.kill();
    ana.serve();
    write(&ana, 9..=12);
    assert!(rui.repeats().values().all(|times| *times == 2), "{:?}", rui.repeats());
}

#[test]
fn a_loss_of_many_comes_again_in_batches() {
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let claim = Claim::offline(&directory, "rui");
    ana.queue("rui", "ana", 1200);
    let rui = Recipient::who().comes(&directory, &claim);
    ana.serve();
    until("all is delivered", || (ana.count_sent("queued") == 0).then_some(()));
    let before = rui.requests().len();
    rui.loses(51, 1200);
    write(&ana, 1201..=1201);
    until("the loss is made good", || (rui.arrived().len() == 1201 + 1150).then_some(()));
    assert_eq!(rui.requests()[before + 1..], [Some(500), Some(500), Some(150)]);
    let again: Vec<_> =
        rui.arrived()[1201..].iter().map(|message| message["seq"].as_u64().unwrap()).collect();
    assert!(again.is_sorted(), "oldest first");
    assert!(rui.repeats().values().all(|times| *times == 2));
}

/// One that never comes leaves a hole: it is closed, and nothing comes twice for its sake, whoever does not understand.
fn a_hole_makes_no_repeats(rui: impl FnOnce(&Directory, &Claim) -> Recipient) {
    let directory = Directory::start();
    let mut ana = Peer::start(&directory, "ana");
    let claim = Claim::offline(&directory, "rui");
    let late = ana.run(&["send", "--json", "--expire", "1s", "rui", "late"]).expect(0);
    ana.until_state_is(&late.json::<Sent>()[0].id, "expired");
    ana.kill();
    ana.queue("rui", "ana", 1000);
    let rui = rui(&directory, &claim);
    ana.serve();
    until("all is delivered", || (ana.count_sent("delivered") == 1000).then_some(()));
    write(&ana, 1001..=1010);
    assert_eq!((rui.kept(), rui.repeats()), (texts(1..=1010), BTreeMap::new()));
}

#[test]
fn one_that_expired_makes_no_repeats_of_a_thousand() {
    a_hole_makes_no_repeats(|directory, claim| Recipient::who().comes(directory, claim));
}

#[test]
fn one_that_expired_makes_no_repeats_of_a_thousand_receipts() {
    let singly = |asked: &super::harness::Asked| {
        asked.body.is_array().then(|| Reply::problem(Slug::UnsupportedMediaType))
    };
    a_hole_makes_no_repeats(|directory, claim| Recipient::who().answering(singly).comes(directory, claim));
}

#[test]
fn who_does_not_understand_that_a_hole_is_closed_gets_no_repeats_either() {
    let deaf = |receipt: &mut serde_json::Value| receipt["missing"] = json!([[1, 1]]);
    a_hole_makes_no_repeats(|directory, claim| Recipient::who().telling(deaf).comes(directory, claim));
}

#[test]
fn those_that_were_refused_make_no_repeats() {
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let claim = Claim::offline(&directory, "rui");
    ana.queue("rui", "ana", 300);
    let odd = |message: &serde_json::Value| {
        let number: usize = message["body"].as_str()?.split_once('/')?.1.parse().ok()?;
        (number % 3 == 1 && number < 300).then_some(Slug::IdConflict)
    };
    let rui = Recipient::who().refusing(odd).comes(&directory, &claim);
    ana.serve();
    until("all is settled", || (ana.count_sent("queued") == 0).then_some(()));
    assert_eq!((ana.count_sent("refused"), rui.repeats().len()), (100, 0));
    // A hundred holes, sixteen with each message.
    write(&ana, 302..=302);
    write(&ana, 303..=303);
    write(&ana, 305..=305);
    assert_eq!(rui.repeats(), BTreeMap::new());
}

/// Who has rui's name by the user's word, but another key, is another person to what was said before.
#[test]
fn a_new_key_is_not_sent_the_old_conversation() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let claim = Claim::offline(&directory, "rui");
    let before = Recipient::who().comes(&directory, &claim);
    write(&ana, 1..=4);
    before.loses(2, 3);
    let key = Key::new();
    let after = Recipient::who().listen("127.0.0.1:0", &key);
    let link =
        format!("recado:rui@{}#{}", after.fake().address().trim_start_matches("https://"), key.fingerprint());
    ana.run(&["trust", "rui", &key.fingerprint().to_string()]).expect(0);
    ana.run(&["add", &link]).expect(0);
    write(&ana, 5..=7);
    assert_eq!(after.kept(), texts(5..=7), "nothing of what was said to another key");
    assert_eq!(after.repeats(), BTreeMap::new());
    let highest = after.arrived().last().unwrap()["seq"].as_u64();
    assert_eq!(highest, Some(7));
    // A loss of its own is made good.
    after.loses(6, 6);
    write(&ana, 8..=8);
    until_kept(&after, &texts(5..=8));
    assert_eq!(after.repeats(), BTreeMap::from([("ana/6".to_owned(), 2)]));
    assert!(before.repeats().is_empty());
}
