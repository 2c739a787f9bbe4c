//! Whose keys a peer remembers: links, contacts, trust, blocks, and what is forgotten; each command as a user types it.

use protocol::{Fingerprint, Slug};
use serde_json::{Value, json};

use super::harness::{Directory, Finished, Key, Peer, new_token};

/// A key that nobody has to prove here.
fn key(byte: u8) -> Fingerprint {
    Fingerprint::from_bytes([byte; 32])
}

fn link(name: &str, fingerprint: Fingerprint) -> String {
    format!("recado:{name}@192.0.2.7:7101#{fingerprint}")
}

/// A name, as every command on contacts prints it for programs.
fn stands(
    name: &str,
    key: Option<Fingerprint>,
    contact: bool,
    address: Option<&str>,
    blocked: bool,
) -> Value {
    json!({
        "name": name, "fingerprint": key, "contact": contact, "address": address, "blocked": blocked,
        "mismatch": null,
        "unread": 0,
    })
}

fn printed(finished: &Finished) -> Vec<Value> {
    finished.json()
}

fn contacts(peer: &Peer) -> Vec<Value> {
    printed(&peer.run(&["contacts", "--json"]).expect(0))
}

#[test]
fn a_link_makes_a_contact_and_never_replaces_a_key() {
    let ana = Peer::of("none", "ana");
    let empty = ana.run(&["contacts"]).expect(0);
    assert_eq!(empty.stdout, "");
    assert!(empty.stderr.contains("peer add LINK"), "{}", empty.stderr);
    let unknown = ana.run(&["send", "--name", "ana", "rui", "oi"]).expect(5);
    for way in ["`peer add LINK`", "--server URL"] {
        assert!(unknown.stderr.contains(way), "{}", unknown.stderr);
    }

    let rui = stands("rui", Some(key(1)), true, Some("https://192.0.2.7:7101"), false);
    let added = ana.run(&["add", "--json", &format!(" {}\n", link("RUI", key(1)))]).expect(0);
    assert_eq!(printed(&added)[0], rui);
    let again = ana.run(&["add", &link("rui", key(1))]).expect(0);
    assert!(again.stdout.starts_with("already a contact: rui\n"), "{}", again.stdout);

    let other = ana.run(&["add", &link("rui", key(2))]).expect(1);
    for told in [key(1).to_string(), key(2).to_string(), format!("peer trust rui {}", key(2))] {
        assert!(other.stderr.contains(&told), "{told} is missing: {}", other.stderr);
    }
    assert_eq!(contacts(&ana), [rui]);

    let moved = format!("recado:rui@rui.example:443#{}", key(1));
    let moved = printed(&ana.run(&["add", "--json", &moved]).expect(0));
    assert_eq!(moved[0]["address"], "https://rui.example:443");
}

#[test]
fn what_is_no_link_or_leads_home_is_refused() {
    let mut ana = Peer::of("none", "ana");
    ana.serve();
    let whoami = printed(&ana.run(&["whoami", "--json"]).expect(0));
    let own: Fingerprint = whoami[0]["fingerprint"].as_str().unwrap().parse().unwrap();
    for (typed, why) in [
        ("rui", "recado:"),
        ("http://192.0.2.7:7101", "recado:"),
        ("recado:rui@192.0.2.7:7101", "four parts"),
        ("recado:rui@192.0.2.7:7101#abc", "52 characters"),
        ("recado:r/i@192.0.2.7:7101#abc", "'/'"),
        ("recado:\u{1b}[2J@192.0.2.7:7101#abc", "control"),
        (link("ana", key(1)).as_str(), "own name"),
        (link("rui", own).as_str(), "this peer's own"),
    ] {
        let refused = ana.run(&["add", typed]).expect(2);
        assert_eq!(refused.stdout, "");
        assert!(
            refused.stderr.contains(why) && refused.stderr.contains("hint:"),
            "{typed}: {}",
            refused.stderr
        );
    }
    for command in ["trust", "block", "forget"] {
        ana.run(&[command, "ana"]).expect(2);
    }
    ana.run(&["trust", "rui", &own.to_string()]).expect(2);
    ana.run(&["trust", "rui", "abc"]).expect(2);
    ana.run(&["add"]).expect(2);
    assert_eq!(contacts(&ana), [] as [Value; 0]);
}

#[test]
fn trust_alone_changes_a_key() {
    let directory = Directory::start();
    let ana = Peer::offline(&directory, "ana");
    ana.run(&["add", &link("rui", key(1))]).expect(0);
    let unknown = ana.run(&["trust", "rui"]).expect(5);
    assert!(unknown.stderr.contains("peer trust rui FINGERPRINT"), "{}", unknown.stderr);

    directory.register_with_key("rui", "https://127.0.0.1:1", &new_token(), key(2));
    assert_eq!(contacts(&ana)[0]["fingerprint"], json!(key(1)), "the directory alone changes nothing");
    let trusted = ana.run(&["trust", "rui"]).expect(0);
    assert_eq!(trusted.stdout, format!("trusted rui\n  key      {}\n  before   {}\n", key(2), key(1)));
    assert!(trusted.stderr.contains("the directory") && trusted.stderr.contains("peer whoami"));

    let by_hand = ana.run(&["trust", "--json", "rui", &key(3).to_string()]).expect(0);
    assert_eq!(printed(&by_hand), [stands("rui", Some(key(3)), true, Some("https://192.0.2.7:7101"), false)]);
    assert_eq!(by_hand.stderr, "");
    let same = ana.run(&["trust", "rui", &key(3).to_string()]).expect(0);
    assert_eq!(same.stdout, format!("trusted rui\n  key      {}\n", key(3)));

    drop(directory);
    let away = ana.run(&["trust", "rui"]).expect(6);
    assert!(away.stderr.contains("peer trust rui FINGERPRINT"), "{}", away.stderr);
    let nowhere = Peer::of("none", "bia").run(&["trust", "rui"]).expect(5);
    assert!(nowhere.stderr.contains("no directory is configured"), "{}", nowhere.stderr);
}

#[test]
fn a_key_that_only_spoke_is_shown_and_never_taken() {
    let mut directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    directory.register_with_key("rui", "https://127.0.0.1:1", &new_token(), key(1));
    ana.run(&["add", &link("rui", key(1))]).expect(0);
    let same = ana.run(&["trust", "rui"]).expect(0);
    assert_eq!(same.stdout, format!("trusted rui\n  key      {}\n", key(1)));
    assert!(same.stderr.contains("had before"), "{}", same.stderr);

    let forger = Key::new();
    let noted = || contacts(&ana)[0]["mismatch"]["fingerprint"].clone();
    let command = format!("peer trust rui {}", forger.fingerprint());
    ana.leave_with(&forger, &json!({"from": "rui", "body": "it is me"})).expect_problem(Slug::KeyMismatch);
    let shown = ana.run(&["trust", "rui"]).expect(1);
    assert!(shown.stderr.contains(&command) && shown.stderr.contains("as before"), "{}", shown.stderr);
    directory.kill();
    ana.run(&["trust", "rui"]).expect(6);
    assert_eq!(contacts(&ana)[0]["fingerprint"], json!(key(1)));

    // What was noted stands until its own key is trusted.
    ana.run(&["trust", "rui", &key(2).to_string()]).expect(0);
    assert_eq!(noted(), json!(forger.fingerprint()));
    ana.run(&["trust", "rui", &forger.fingerprint().to_string()]).expect(0);
    assert_eq!(noted(), Value::Null);
}

#[test]
fn a_block_holds_until_it_is_taken_back() {
    let ana = Peer::of("none", "ana");
    ana.run(&["add", &link("rui", key(1))]).expect(0);
    for _ in 0..2 {
        let blocked = printed(&ana.run(&["block", "--json", "rui"]).expect(0));
        assert_eq!(blocked, [stands("rui", Some(key(1)), true, Some("https://192.0.2.7:7101"), true)]);
    }
    let refused = ana.run(&["forget", "rui"]).expect(1);
    assert!(refused.stderr.contains("peer unblock rui && peer forget rui"), "{}", refused.stderr);
    let shown = ana.run(&["contacts"]).expect(0).stdout;
    assert!(shown.contains("blocked") && shown.contains("peer unblock rui"), "{shown}");

    assert_eq!(ana.run(&["unblock", "rui"]).expect(0).stdout, "unblocked rui\n");
    assert!(ana.run(&["unblock", "rui"]).expect(1).stderr.contains("is not blocked"));
    let forgotten = ana.run(&["forget", "rui"]).expect(0);
    assert_eq!(forgotten.stdout, "forgot rui\n");
    assert_eq!(contacts(&ana), [] as [Value; 0]);
    for command in ["forget", "unblock", "contacts"] {
        assert!(ana.run(&[command, "rui"]).expect(5).stderr.contains("nothing is known of rui"), "{command}");
    }

    let stranger = ana.run(&["block", "mallory"]).expect(0);
    assert!(stranger.stderr.contains("only the name"), "{}", stranger.stderr);
    assert_eq!(contacts(&ana), [stands("mallory", None, false, None, true)]);
    let shown = ana.run(&["contacts"]).expect(0).stdout;
    assert!(shown.starts_with("BLOCKED") && !shown.contains("CONTACT"), "no contact of hers: {shown}");
}

#[test]
fn one_contact_is_shown_with_all_that_is_known() {
    let ana = Peer::of("none", "ana");
    ana.run(&["add", &link("joão", key(0))]).expect(0);
    ana.run(&["add", &link("rui", key(1))]).expect(0);
    let shown = ana.run(&["contacts"]).expect(0).stdout;
    assert!(shown.contains("joão") && shown.contains("https://192.0.2.7:7101"), "{shown}");
    assert!(!shown.contains(&key(1).to_string()), "a list has the beginnings of keys: {shown}");

    let one = ana.run(&["contacts", "JOÃO"]).expect(0).stdout;
    assert!(one.contains(&key(0).to_string()) && !one.contains("rui"), "{one}");
    assert!(one.contains("aardvark adroitness aardvark adroitness"), "{one}");
    assert_eq!(printed(&ana.run(&["contacts", "rui", "--json"]).expect(0))[0]["name"], "rui");
    assert!(ana.run(&["contacts", "zeca"]).expect(5).stderr.contains("nothing is known of zeca"));
}

#[test]
fn the_list_of_those_online_says_whose_key_is_the_one_known_here() {
    let directory = Directory::start();
    let ana = Peer::offline(&directory, "ana");
    for (name, byte) in [("rui", 1), ("zeca", 2), ("bia", 3)] {
        directory.register_with_key(name, "https://127.0.0.1:1", &new_token(), key(byte));
    }
    directory.register("davi", "https://127.0.0.1:1", &new_token());
    ana.run(&["add", &link("rui", key(1))]).expect(0);
    ana.run(&["add", &link("zeca", key(9))]).expect(0);
    ana.run(&["add", &link("davi", key(4))]).expect(0);

    let verified = |record: Value| (record["name"].as_str().unwrap().to_owned(), record["verified"].clone());
    let listed: Vec<_> =
        printed(&ana.run(&["peers", "--json"]).expect(0)).into_iter().map(verified).collect();
    let listed: Vec<_> =
        listed.iter().map(|(name, verified)| (name.as_str(), verified == &json!(true))).collect();
    assert_eq!(listed, [("bia", false), ("davi", false), ("rui", true), ("zeca", false)]);

    let shown = ana.run(&["peers"]).expect(0);
    let line = |name: &str| shown.stdout.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(line("rui").ends_with("verified"), "{}", shown.stdout);
    assert!(line("zeca").ends_with("another key"), "{}", shown.stdout);
    assert!(line("bia").ends_with('0') && line("davi").ends_with('0'), "{}", shown.stdout);
    assert!(shown.stderr.contains(&format!("peer trust zeca {}", key(2))), "{}", shown.stderr);
}

#[test]
fn every_command_begins_its_help_with_examples() {
    let ana = Peer::of("none", "ana");
    for command in ["contacts", "invite", "add", "trust", "block", "unblock", "forget", "whoami", "peers"] {
        let help = ana.run(&[command, "--help"]).expect(0).stdout;
        assert!(help.starts_with("Examples:\n  peer "), "{help}");
        let short = ana.run(&[command, "-h"]).expect(0).stdout;
        assert!(short.starts_with("Examples:\n  peer "), "{short}");
    }
}
