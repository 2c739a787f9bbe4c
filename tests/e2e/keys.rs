//! Keys in handshakes: proved by who has them, and by nobody else; pinned by the first message, and never again.

use protocol::Slug;
use protocol::paths::{IDENTITY, MESSAGES};
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Answer, Directory, Fake, Key, Peer, Program, Reply, Request, new_token};

fn fake(key: &Key) -> Fake {
    let identity = json!({"name": "rui", "fingerprint": null, "version": "0.1.0"}).to_string();
    Fake::with_key(key, move |_| Reply::answer(200, "application/json", &identity).with("x-request-id", "1"))
}

/// The kit's own two ends: where they took a stolen certificate, no story below could fail.
#[test]
fn the_kit_proves_keys_and_takes_no_stolen_certificate() {
    let (ana, key) = (Key::new(), Key::new());
    let (rui, thief) = (fake(&key), fake(&key.stolen()));
    let ask_at = |fake: &Fake, key: &Key| {
        Request::new(Program::Peer, Method::GET, &fake.address(), IDENTITY).showing(key).try_send()
    };
    let ask = |key: &Key| ask_at(&rui, key);
    for key in [&ana, &ana.renewed(), &Key::of(&rcgen::PKCS_ED25519)] {
        let answer = ask(key).unwrap();
        assert_eq!(answer.server, Some(rui.fingerprint()));
        assert_eq!(rui.handshakes().last(), Some(&Some(key.fingerprint())));
    }
    assert_eq!(ana.fingerprint(), ana.renewed().fingerprint());
    let (heard, calls) = (rui.heard(), rui.calls());
    assert!(ask(&ana.stolen()).is_err());
    assert!(ask_at(&thief, &ana).is_err());
    assert_eq!(thief.handshakes(), []);
    assert_eq!((rui.heard(), rui.handshakes().len(), rui.calls() > calls), (heard, 3, true));
}

/// Leaves a message at a place, with or without TLS.
#[track_caller]
fn leave_at(url: &str, key: Option<&Key>, message: &Value) -> Answer {
    let request = Request::new(Program::Peer, Method::POST, url, MESSAGES).json(message);
    match key {
        Some(key) => request.showing(key).send(),
        None => request.send(),
    }
}

#[test]
fn who_has_only_the_certificate_of_somebody_gets_no_word_in() {
    let directory = Directory::start();
    let (ana, mut rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    ana.send("rui", "this is ana");
    let forged = json!({"from": "ana", "body": "this is not"});
    let url = format!("https://{}", rui.place());
    let post = |key: &Key| {
        Request::new(Program::Peer, Method::POST, &url, MESSAGES).showing(key).json(&forged).try_send()
    };
    let refused = format!("{:?}", post(&ana.key().stolen()).unwrap_err());
    assert!(refused.contains("AlertReceived"), "said in TLS's own words: {refused}");
    post(&Key::new()).unwrap().expect_problem(Slug::KeyMismatch);
    assert_eq!(rui.inbox_bodies(), ["this is ana"]);
    assert!(rui.daemon().runs());
}

#[test]
fn a_name_and_a_key_belong_together_from_the_first_message_on() {
    let mut directory = Directory::start();
    let mut rui = Peer::offline(&directory, "rui");
    rui.serve_with(&["--listen", "[::]:0"]);
    let (key, other) = (Key::new(), Key::new());
    let claim = |name: &str, key: &Key| {
        directory
            .register_with_key(name, "https://127.0.0.1:7101", &new_token(), key.fingerprint())
            .expect(201);
    };
    claim("zoe", &key);
    claim("eve", &other);
    let message = |body: &str| json!({"from": "zoe", "body": body});
    assert_eq!(rui.leave_with(&key, &message("first")).expect(201).json()["verified"], true);

    let mut bodies = vec!["first".to_owned()];
    let mut hold = |rui: &Peer, when: &str| {
        let port = rui.place().rsplit(':').next().unwrap();
        for host in ["127.0.0.1", "127.0.0.2", "[::1]"] {
            let (tls, plain) = (format!("https://{host}:{port}"), format!("http://{host}:{port}"));
            for key in [&key, &key.renewed()] {
                let text = format!("{when} at {host}, {}", bodies.len());
                let receipt = leave_at(&tls, Some(key), &message(&text)).expect(201);
                assert_eq!(receipt.json()["verified"], true, "{text}");
                bodies.push(text);
            }
            leave_at(&tls, Some(&other), &message("another key")).expect_problem(Slug::KeyMismatch);
            leave_at(&tls, None, &message("no key")).expect_problem(Slug::ProofRequired);
            leave_at(&plain, None, &message("no TLS")).expect_problem(Slug::ProofRequired);
        }
    };
    hold(&rui, "while the directory answers");
    directory.kill();
    hold(&rui, "while it is away");
    rui.kill();
    rui.serve_with(&["--listen", "[::]:0"]);
    hold(&rui, "after a restart");
    assert_eq!(rui.inbox_bodies(), bodies);
    assert_eq!(rui.lines(&["history", "zoe"]).len(), bodies.len());
    assert!(
        rui.inbox()
            .iter()
            .all(|line| line.verified && line.fingerprint == Some(key.fingerprint().to_string()))
    );
}

#[test]
fn one_key_may_stand_under_two_names_and_speaks_under_no_third() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let key = Key::new();
    for name in ["zoe", "zoe-at-work"] {
        directory
            .register_with_key(name, "https://127.0.0.1:7101", &new_token(), key.fingerprint())
            .expect(201);
        let receipt = rui.leave_with(&key, &json!({"from": name, "body": name})).expect(201);
        assert_eq!(receipt.json()["verified"], true);
    }
    let unclaimed =
        rui.leave_with(&key, &json!({"from": "nobody", "body": "whose name is this?"})).expect(201);
    assert_eq!(unclaimed.json()["verified"], false);
    rui.leave_with(&key, &json!({"from": "rui", "body": "as yourself"})).expect_problem(Slug::KeyMismatch);
    let verified: Vec<_> = rui.inbox().iter().map(|line| (line.from.clone(), line.verified)).collect();
    let expected = [("zoe", true), ("zoe-at-work", true), ("nobody", false)];
    assert_eq!(verified, expected.map(|(name, verified)| (name.to_owned(), verified)));
}

/// A message that could not be verified is, as soon as its pair of name and key is pinned; and the same message again
/// says so.
#[test]
fn what_comes_before_its_claim_is_verified_behind_it() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let key = Key::new();
    let early = json!({"id": uuid::Uuid::now_v7(), "from": "zoe", "body": "early"});
    assert_eq!(rui.leave_with(&key, &early).expect(201).json()["verified"], false);
    assert!(!rui.inbox()[0].verified);
    // Whoever was told that there is no such claim does not ask again at once.
    directory.register_with_key("zoe", "https://127.0.0.1:7101", &new_token(), key.fingerprint()).expect(201);
    super::harness::until("the claim is seen", || {
        let again = rui.leave_with(&key, &early).expect(200).json();
        again["verified"].as_bool().filter(|verified| *verified)
    });
    let lines = rui.inbox();
    assert_eq!((lines.len(), lines[0].verified), (1, true), "{lines:?}");
}
