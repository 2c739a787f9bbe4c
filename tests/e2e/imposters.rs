//! Somebody in Rui's place: at his address, in the directory, or with his certificate. None hears a byte of what is for
//! him, and nothing but `peer trust` changes that.

use protocol::Slug;
use serde_json::{Value, json};

use super::harness::{Asked, Directory, Fake, Finished, Key, Peer, Reply, Sent, until};

/// Both fingerprints and the one command.
#[track_caller]
fn says_who_answered(finished: &Finished, pinned: &str, presented: &str) {
    let said = &finished.stderr;
    assert!(said.contains(pinned) && said.contains(presented), "{said}");
    assert!(said.contains(&format!("peer trust rui {presented}")), "{said}");
}

/// Ana, who has written to Rui before, and somebody who is at his address now with this key.
fn replaced(directory: &Directory, key: impl Fn(&Peer) -> Key) -> (Peer, Peer, Fake) {
    let (ana, mut rui) = (Peer::start(directory, "ana"), Peer::start(directory, "rui"));
    ana.send("rui", "before");
    let key = key(&rui);
    // Without a good-bye: the directory still lists him there.
    rui.kill();
    let imposter = Fake::at(rui.place(), &key, |asked| Reply::receipt(&asked.body));
    (ana, rui, imposter)
}

/// It was called, and heard nothing.
#[track_caller]
fn heard_nothing(imposter: &Fake) {
    assert!(imposter.calls() > 0, "nobody tried");
    assert_eq!((imposter.handshakes(), imposter.heard()), (Vec::new(), 0));
}

#[test]
fn another_key_at_a_known_address_is_7_and_hears_nothing() {
    for daemon in [true, false] {
        let directory = Directory::start();
        let (mut ana, mut rui, imposter) = replaced(&directory, |_| Key::new());
        if !daemon {
            assert_eq!(ana.stop(), Some(0));
        }
        let refused = ana.run(&["send", "--json", "rui", "for rui only"]).expect(7);
        assert_eq!(refused.json::<Sent>()[0].state, "queued", "kept");
        says_who_answered(&refused, &rui.fingerprint(), &imposter.fingerprint().to_string());
        heard_nothing(&imposter);
        let contacts: Vec<Value> = ana.run(&["contacts", "--json"]).expect(0).json();
        assert_eq!(contacts[0]["fingerprint"], rui.fingerprint(), "the pin is what it was");

        // Back, at another address.
        rui.serve();
        if daemon {
            rui.until_inbox_is(&["before", "for rui only"]);
        } else {
            assert_eq!(ana.send("rui", "and this").state, "delivered");
            rui.until_inbox_is(&["before", "for rui only", "and this"]);
        }
        assert!(rui.inbox().iter().all(|line| line.verified));
        heard_nothing(&imposter);
    }
}

#[test]
fn trusting_the_new_key_lets_the_message_leave() {
    let directory = Directory::start();
    let (ana, rui, imposter) = replaced(&directory, |_| Key::new());
    let (old, new) = (rui.fingerprint(), imposter.fingerprint().to_string());
    let sent = ana.run(&["send", "--json", "rui", "for whoever is rui now"]).expect(7);
    let id = sent.json::<Sent>().remove(0).id;
    let trusted = ana.run(&["trust", "rui", &new]).expect(0);
    let said = format!("{}{}", trusted.stdout, trusted.stderr);
    assert!(said.contains(&old) && said.contains(&new), "{said}");
    ana.until_state_is(&id, "delivered");
    assert_eq!(
        imposter.asked("POST /messages")[0].key,
        Some(ana.key().fingerprint()),
        "it learns who writes"
    );
    let contacts: Vec<Value> = ana.run(&["contacts", "--json"]).expect(0).json();
    assert_eq!(contacts[0]["fingerprint"], new);
    // The old key is nobody's now.
    let late = ana.leave_with(&rui.key(), &json!({"from": "rui", "body": "it was me"}));
    late.expect_problem(Slug::KeyMismatch);
}

#[test]
fn with_the_certificate_alone_nobody_is_rui() {
    let directory = Directory::start();
    let (ana, mut rui, thief) = replaced(&directory, |rui| rui.key().stolen());
    let sent = ana.send("rui", "for rui only");
    assert_eq!(sent.state, "queued");
    heard_nothing(&thief);
    rui.serve();
    ana.until_state_is(&sent.id, "delivered");
    heard_nothing(&thief);
}

#[test]
fn a_certificate_renewed_around_the_same_key_is_the_same_peer() {
    let directory = Directory::start();
    let (ana, _, renewed) = replaced(&directory, |rui| rui.key().renewed());
    assert_eq!(ana.send("rui", "the key counts").state, "delivered");
    assert_eq!(renewed.received()[0]["body"], "the key counts");
}

/// A directory that says this of everybody.
fn lie(asked: &Asked, record: &Value) -> Reply {
    match asked.what.as_str() {
        "POST /register" => Reply::listed(&asked.body, 60),
        "DELETE /register" => Reply::answer(204, "application/json", ""),
        "GET /events" => Reply::problem(Slug::NotFound),
        "GET /peers" => Reply::list(std::slice::from_ref(record)),
        _ => Reply::online(record),
    }
}

/// Ana, who knows Rui from an honest directory, and asks this one from now on.
fn lied_to(record: impl FnOnce(&Peer) -> Value) -> (Directory, Fake, Peer, Peer) {
    let honest = Directory::start();
    let (mut ana, rui) = (Peer::start(&honest, "ana"), Peer::start(&honest, "rui"));
    ana.send("rui", "before");
    assert_eq!(ana.stop(), Some(0));
    let record = record(&rui);
    let liar = Fake::answering(move |asked| lie(asked, &record));
    ana.asks(liar.url());
    (honest, liar, ana, rui)
}

#[test]
fn a_directory_that_names_another_key_changes_nothing_for_a_contact() {
    let other = Key::new().fingerprint();
    let (_honest, _liar, ana, rui) = lied_to(
        |rui| json!({"name": "rui", "address": rui.url(), "fingerprint": other, "online_since": "2026-11-22T09:30:00Z"}),
    );
    let sent = ana.run(&["send", "--json", "rui", "for rui only"]).expect(0);
    assert_eq!(sent.json::<Sent>()[0].state, "delivered", "the handshake decides");
    rui.until_inbox_is(&["before", "for rui only"]);
    let contacts: Vec<Value> = ana.run(&["contacts", "--json"]).expect(0).json();
    assert_eq!(contacts[0]["fingerprint"], rui.fingerprint());
}

#[test]
fn a_directory_that_names_another_place_leads_nobody_there() {
    let imposter = Fake::listen(Reply::receipt);
    let record = imposter.record("rui");
    let (_honest, _liar, ana, mut rui) = lied_to(|_| record);
    // Rui is still where he was last.
    let sent = ana.run(&["send", "--json", "rui", "for rui only"]).expect(0);
    assert_eq!(sent.json::<Sent>()[0].state, "delivered");
    rui.until_inbox_is(&["before", "for rui only"]);
    rui.kill();
    let refused = ana.run(&["send", "rui", "and this"]).expect(7);
    says_who_answered(&refused, &rui.fingerprint(), &imposter.fingerprint().to_string());
    heard_nothing(&imposter);
}

#[test]
fn a_directory_that_lists_a_place_without_tls_leads_nobody_there() {
    for with_key in [true, false] {
        let plain = Fake::listen(Reply::receipt);
        let url = plain.url().to_owned();
        let (_honest, _liar, ana, rui) = lied_to(|rui| {
            let fingerprint = with_key.then(|| rui.fingerprint());
            json!({"name": "rui", "address": url, "fingerprint": fingerprint, "online_since": "2026-11-22T09:30:00Z"})
        });
        for arguments in [&["send", "rui", "checked"][..], &["send", "--insecure", "rui", "as it may be"]] {
            ana.run(arguments).expect(0);
        }
        rui.until_inbox_is(&["before", "checked", "as it may be"]);
        assert_eq!((plain.calls(), plain.heard()), (0, 0));
    }
}

#[test]
fn a_claim_with_a_key_that_nobody_holds_delivers_to_nobody() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let somebody = Fake::listen(Reply::receipt);
    let nobody = Key::new().fingerprint();
    directory.register_with_key("rui", &somebody.address(), &super::harness::new_token(), nobody).expect(201);
    let refused = ana.run(&["send", "rui", "to whom?"]).expect(7);
    says_who_answered(&refused, &nobody.to_string(), &somebody.fingerprint().to_string());
    heard_nothing(&somebody);
}

#[test]
fn who_has_no_key_is_written_to_only_on_demand() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let plain = Fake::listen(Reply::receipt);
    directory.register("script", plain.url(), &super::harness::new_token()).expect(201);
    let refused = ana.run(&["send", "script", "oi"]).expect(1);
    assert!(refused.stderr.contains("--insecure"), "{}", refused.stderr);
    assert!(ana.sent().is_empty() && plain.calls() == 0, "nothing is stored, nobody is called");
    let sent = ana.run(&["send", "--insecure", "--json", "script", "oi"]).expect(0);
    assert_eq!(sent.json::<Sent>()[0].state, "delivered");
    until("it has it", || (plain.received().len() == 1).then_some(()));
}
