//! Keys in handshakes: proved by who has them, and by nobody else.

use protocol::paths::IDENTITY;
use reqwest::Method;
use serde_json::json;

use super::harness::{Fake, Key, Program, Reply, Request};

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
