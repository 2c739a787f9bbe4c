//! Two peers that exchanged links need no directory: each finds the other by address, and knows it by its key.

use protocol::Slug;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Fake, Key, Line, Peer, Program, Reply, Request};

/// A peer that has never heard of a directory, and runs.
fn alone(name: &str) -> Peer {
    let mut peer = Peer::of("none", name);
    peer.serve();
    peer
}

/// The link that a peer prints, for people and for programs the same.
#[track_caller]
fn link(peer: &Peer) -> String {
    let for_programs: Vec<Value> = peer.run(&["invite", "--json"]).expect(0).json();
    let link = for_programs[0]["link"].as_str().unwrap().to_owned();
    let for_people = peer.run(&["invite"]).expect(0);
    assert_eq!(for_people.stdout, format!("{link}\n"), "the link alone, for a pipe");
    assert_eq!(link, format!("recado:{}@{}#{}", peer.name(), peer.place(), peer.fingerprint()));
    link
}

fn verified(line: &Line) -> (&str, &str, bool) {
    (&line.from, &line.body, line.verified)
}

#[test]
fn two_peers_that_exchanged_links_need_no_directory_at_all() {
    let (mut ana, mut joao) = (alone("ana"), alone("joão"));
    let (to_ana, to_joao) = (link(&ana), link(&joao));
    ana.run(&["send", "joão", "too early"]).expect(5);
    ana.run(&["add", &to_joao]).expect(0);
    joao.run(&["add", &to_ana]).expect(0);

    assert_eq!(ana.send("joão", "olá").state, "delivered");
    assert_eq!(joao.send("ana", "oi").state, "delivered");
    joao.until_inbox_is(&["olá"]);
    ana.until_inbox_is(&["oi"]);

    // One of them is away, the other starts anew, and what was written in between arrives.
    let listen = joao.place().to_owned();
    assert_eq!(joao.stop(), Some(0));
    let sent = ana.send("joão", "are you there?");
    assert_eq!(sent.state, "queued");
    assert_eq!(ana.stop(), Some(0));
    joao.serve_with(&["--listen", &listen]);
    ana.serve();
    ana.until_state_is(&sent.id, "delivered");
    assert_eq!(
        joao.inbox().iter().map(verified).collect::<Vec<_>>(),
        [("ana", "olá", true), ("ana", "are you there?", true)]
    );
    assert_eq!(ana.inbox().iter().map(verified).collect::<Vec<_>>(), [("joão", "oi", true)]);
    for (peer, with) in [(&ana, "joão"), (&joao, "ana")] {
        assert_eq!(peer.lines(&["history", with]).len(), 3, "both directions of {}", peer.name());
    }
}

#[test]
fn a_directory_that_never_answers_keeps_nobody_from_a_contact() {
    let rui = alone("rui");
    let hangs = Fake::answering(|_| Reply::Silence);
    for runs in [false, true] {
        let mut ana = Peer::of(hangs.url(), "ana");
        if runs {
            ana.serve();
        }
        ana.run(&["add", &link(&rui)]).expect(0);
        ana.run(&["send", "--name", "ana", "--wait=4s", "rui", "oi"]).expect(0);
    }
    rui.until_inbox_is(&["oi", "oi"]);
}

#[test]
fn a_peer_that_never_runs_writes_to_whom_its_link_leads() {
    let rui = alone("rui");
    let ana = Peer::of("none", "ana");
    ana.run(&["add", &link(&rui)]).expect(0);
    ana.run(&["send", "--name", "ana", "rui", "first"]).expect(0);
    let first = rui.inbox().remove(0);
    assert_eq!(verified(&first), ("ana", "first", false), "Rui knows no key of ana's");

    rui.run(&["trust", "ana", &ana.fingerprint()]).expect(0);
    assert_eq!(ana.send("rui", "second").state, "delivered");
    let inbox = rui.inbox();
    assert_eq!(
        inbox.iter().map(verified).collect::<Vec<_>>(),
        [("ana", "first", true), ("ana", "second", true)]
    );
}

#[test]
fn a_link_to_somewhere_else_delivers_nothing_there() {
    let (ana, rui, mallory) = (alone("ana"), alone("rui"), alone("mallory"));
    let misled = format!("recado:rui@{}#{}", mallory.place(), rui.fingerprint());
    ana.run(&["add", &misled]).expect(0);
    let refused = ana.run(&["send", "rui", "for rui only"]).expect(7);
    assert!(refused.stderr.contains(&mallory.fingerprint()), "{}", refused.stderr);
    assert_eq!(mallory.inbox_bodies(), [] as [&str; 0]);

    // The right link, and what waits is on its way.
    ana.run(&["add", &link(&rui)]).expect(0);
    rui.until_inbox_is(&["for rui only"]);
    let told = ana.run(&["trust", "rui"]).expect(5);
    assert!(told.stderr.contains("FINGERPRINT"), "nobody answers for rui any more: {}", told.stderr);
}

#[test]
fn trust_without_a_key_takes_the_one_that_answered_and_shows_the_one_that_spoke() {
    let (mut ana, rui) = (alone("ana"), alone("rui"));
    let old = Key::new().fingerprint();
    ana.run(&["add", &format!("recado:rui@{}#{old}", rui.place())]).expect(0);
    ana.run(&["send", "rui", "who are you now?"]).expect(7);
    assert_eq!(ana.stop(), Some(0));
    ana.serve();

    let forger = Key::new();
    let message = json!({"from": "rui", "body": "it is me"});
    let said = Request::new(Program::Peer, Method::POST, ana.url(), "/messages").showing(&forger);
    said.json(&message).send().expect_problem(Slug::KeyMismatch);
    let listed: Vec<Value> = ana.run(&["contacts", "--json"]).expect(0).json();
    assert_eq!(listed[0]["mismatch"]["fingerprint"], forger.fingerprint().to_string());
    let shown = ana.run(&["contacts"]).expect(0).stdout;
    assert!(shown.contains(&format!("peer trust rui {}", forger.fingerprint())), "{shown}");

    let several = ana.run(&["trust", "rui"]).expect(1);
    for key in [rui.fingerprint(), forger.fingerprint().to_string()] {
        assert!(several.stderr.contains(&key), "{}", several.stderr);
    }
    ana.run(&["trust", "rui", &rui.fingerprint()]).expect(0);
    rui.until_inbox_is(&["who are you now?"]);
    let spoke = ana.run(&["trust", "rui"]).expect(1);
    assert!(spoke.stderr.contains(&format!("peer trust rui {}", forger.fingerprint())), "{}", spoke.stderr);

    let bia = alone("bia");
    bia.run(&["add", &format!("recado:rui@{}#{old}", rui.place())]).expect(0);
    bia.run(&["send", "rui", "and you?"]).expect(7);
    let answered = bia.run(&["trust", "rui"]).expect(0);
    assert!(answered.stdout.contains(&rui.fingerprint()), "{}", answered.stdout);
    rui.until_inbox_is(&["who are you now?", "and you?"]);
}

#[test]
fn there_is_no_link_to_where_nobody_can_dial() {
    let mut ana = Peer::of("none", "ana");
    ana.run(&["invite"]).expect(2);
    for flags in [&["--listen", "0.0.0.0:0"][..], &["--advertise", "http://ana.example:7101"]] {
        ana.serve_with(flags);
        let none = ana.run(&["invite"]).expect(1);
        assert_eq!(none.stdout, "");
        assert!(none.stderr.contains("peer serve --advertise https://HOST:PORT"), "{}", none.stderr);
        assert_eq!(ana.stop(), Some(0));
    }
    ana.serve_with(&["--advertise", "https://ana.example:7101"]);
    let link = ana.run(&["invite"]).expect(0);
    assert!(link.stdout.starts_with("recado:ana@ana.example:7101#"), "{}", link.stdout);
    assert!(!link.stderr.contains("this machine only"), "{}", link.stderr);
    assert_eq!(ana.stop(), Some(0));
    ana.serve();
    assert!(ana.run(&["invite"]).expect(0).stderr.contains("this machine only"));
}
