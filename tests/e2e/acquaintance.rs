//! How people come to know each other: by a link, by writing; without any directory too.

use protocol::Slug;
use serde_json::{Value, json};

use super::harness::{Directory, Fake, Key, Peer, Reply, new_token};

fn contacts(peer: &Peer) -> Vec<Value> {
    peer.run(&["contacts", "--json"]).expect(0).json()
}

#[test]
fn two_peers_need_no_directory_at_all() {
    let (mut ana, mut rui) = (Peer::of("none", "ana"), Peer::of("none", "rui"));
    ana.serve();
    rui.serve();
    let unknown = ana.run(&["send", "rui", "who are you?"]);
    assert!(matches!(unknown.code, Some(5 | 6)), "{unknown:?}");
    assert!(ana.sent().is_empty());

    let link = rui.run(&["invite"]).expect(0).stdout;
    let link = link.trim_end();
    assert_eq!(link, format!("recado:rui@{}#{}", rui.place(), rui.fingerprint()));
    ana.run(&["add", link]).expect(0);
    assert_eq!(ana.send("rui", "now I know").state, "delivered");
    assert!(!rui.inbox()[0].verified, "rui knows nobody yet");
    let link = ana.run(&["invite", "--json"]).expect(0).json::<Value>().remove(0);
    rui.run(&["add", link["link"].as_str().unwrap()]).expect(0);
    assert!(rui.inbox()[0].verified, "whoever had that key was ana");
    assert_eq!(rui.send("ana", "so do I").state, "delivered");
    ana.send("rui", "good");
    assert!(rui.inbox().iter().all(|line| line.verified));
    for (peer, other) in [(&ana, &rui), (&rui, &ana)] {
        let [contact] = contacts(peer).try_into().unwrap();
        assert_eq!(contact["fingerprint"], other.fingerprint());
        assert_eq!((&contact["name"], &contact["contact"]), (&json!(other.name()), &json!(true)));
        assert_eq!(contact["address"], other.url());
    }
}

#[test]
fn contacts_reach_each_other_while_the_directory_is_away() {
    let mut directory = Directory::start();
    let mut ana = Peer::start(&directory, "ana");
    let rui = Peer::start(&directory, "rui");
    ana.send("rui", "hello");
    rui.send("ana", "hello");
    directory.kill();
    assert_eq!(ana.send("rui", "still there?").state, "delivered");
    assert_eq!(rui.send("ana", "still here").state, "delivered");
    ana.kill();
    assert_eq!(ana.send("rui", "and without a daemon").state, "delivered");
    rui.until_inbox_is(&["hello", "still there?", "and without a daemon"]);
    assert!(rui.inbox().iter().all(|line| line.verified));
    // Of somebody who has only written, the address is not known.
    assert_eq!(ana.run(&["send", "zeca", "oi"]).code, Some(6));
}

#[test]
fn who_has_only_written_is_seen_and_who_is_written_to_is_a_contact() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    ana.send("rui", "hello");
    assert_eq!(contacts(&ana)[0]["contact"], true);
    assert_eq!(contacts(&rui)[0]["contact"], false);
    assert_eq!(contacts(&rui)[0]["fingerprint"], ana.fingerprint());
    rui.send("ana", "hello");
    assert_eq!(contacts(&rui)[0]["contact"], true);

    // A name whose claim is forgotten at the directory stays whose it was, until it is forgotten here.
    rui.run(&["forget", "ana"]).expect(0);
    assert!(contacts(&rui).is_empty());
    assert!(!rui.inbox()[0].verified, "nobody says any more that this was ana");
    ana.send("rui", "again");
    assert_eq!(contacts(&rui)[0]["contact"], false);
    assert!(rui.inbox().iter().all(|line| line.verified));
}

#[test]
fn of_several_recipients_the_highest_code_wins() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let _blocker = Fake::start(&directory, "blocker", |_| Reply::problem(Slug::Blocked));
    let imposter = Fake::listen(Reply::receipt);
    let nobody = Key::new().fingerprint();
    directory.register_with_key("hugo", &imposter.address(), &new_token(), nobody).expect(201);
    ana.run(&["send", "rui,blocker,hugo", "to all three"]).expect(7);
    ana.run(&["send", "rui,blocker", "to two"]).expect(4);
    rui.until_inbox_is(&["to all three", "to two"]);
    assert_eq!(imposter.heard(), 0);
}

/// A mismatch is noted once for whoever looks, and the pin stays.
#[test]
fn who_tried_with_another_key_is_noted() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    ana.send("rui", "hello");
    let eve = Key::new();
    let command = format!("peer trust ana {}", eve.fingerprint());
    for _ in 0..5 {
        let message = json!({"from": "ana", "body": "it is me"});
        let refused = rui.leave_with(&eve, &message).expect_problem(Slug::KeyMismatch);
        assert!(refused.text("detail").contains(&command), "{}", refused.text("detail"));
    }
    let [noted] = contacts(&rui).try_into().unwrap();
    assert_eq!(noted["fingerprint"], ana.fingerprint());
    assert_eq!(noted["mismatch"]["fingerprint"], eve.fingerprint().to_string());
    let shown = rui.run(&["contacts"]).expect(0).stdout;
    assert!(shown.contains(&command), "says what to do: {shown}");
}
