//! Who may be written to, and who gets it: a directory that says what the test wants, and servers with keys of their own
//! in the recipients' places.

mod ana;

mod batches;

use std::slice;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::message::Body;
use serde_json::{Value, json};

use super::courier::Step;
use super::*;
use crate::client::{Id, Site, response};
use crate::contacts::Known;
use crate::conversations::State;
use ana::*;

const TERMS: Terms = Terms { lifetime: Duration::from_hours(1), insecure: false };
const INSECURE: Terms = Terms { insecure: true, ..TERMS };
const NOWHERE: &str = "https://127.0.0.1:1";

/// What is known of rui, and what the directory says of him.
#[derive(Debug, Clone, Copy)]
enum Pinned {
    No,
    Seen,
    Contact,
}

#[derive(Debug, Clone, Copy)]
enum Says {
    Nothing,
    Away,
    Refuses,
    Nobody,
    Offline { key: bool },
    Listed { key: bool, tls: bool },
}

/// The exit code that a refusal leads to, or 0.
fn exit(written: &Result<Queued, Unsendable>) -> u8 {
    match written {
        Ok(_) => 0,
        Err(Unsendable::Unchecked { .. }) => 1,
        Err(Unsendable::Unknown(_) | Unsendable::NeverMet(_)) => 5,
        Err(Unsendable::DirectoryNeeded(_)) => 6,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn who_may_be_written_to() {
    use Pinned::{Contact, No, Seen};
    let listed = |key, tls| Says::Listed { key, tls };
    let offline = |key| Says::Offline { key };
    for (says, expected) in [
        // Without a pin, seen, contact; and each of them with --insecure.
        (Says::Nothing, [5, 5, 0, 5, 5, 0]),
        (Says::Away, [6, 6, 0, 6, 6, 0]),
        (Says::Refuses, [6, 6, 0, 6, 6, 0]),
        (Says::Nobody, [5, 5, 0, 5, 5, 0]),
        (offline(false), [1, 0, 0, 0, 0, 0]),
        (offline(true), [0, 0, 0, 0, 0, 0]),
        (listed(false, false), [1, 1, 1, 0, 0, 0]),
        (listed(false, true), [1, 0, 0, 0, 0, 0]),
        (listed(true, false), [1, 1, 1, 0, 0, 0]),
        (listed(true, true), [0, 0, 0, 0, 0, 0]),
    ] {
        let cases = [
            (No, TERMS),
            (Seen, TERMS),
            (Contact, TERMS),
            (No, INSECURE),
            (Seen, INSECURE),
            (Contact, INSECURE),
        ];
        for ((pinned, terms), expected) in cases.into_iter().zip(expected) {
            let (word, key) = (Word::default(), Id::new().fingerprint());
            let ana = if matches!(says, Says::Nothing) { Ana::asking(None) } else { Ana::with(&word).await };
            match pinned {
                No => {}
                Seen => ana.sees(key).await,
                Contact => drop(ana.contacts().trust(&rui(), key).await.unwrap()),
            }
            match says {
                Says::Nothing | Says::Nobody => {}
                Says::Away => word.away(),
                Says::Refuses => word.refuse("rui"),
                Says::Offline { key: keyed } => word.claim("rui", keyed.then_some(key), None),
                Says::Listed { key: keyed, tls } => {
                    let at = address(if tls { "https://192.0.2.7:1" } else { "http://192.0.2.7:1" });
                    word.claim("rui", keyed.then_some(key), Some(&at));
                }
            }
            let written = ana.writes(terms).await;
            let what = format!("{says:?} {pinned:?} insecure: {}", terms.insecure);
            assert_eq!(exit(&written), expected, "{what}");
            let known = match (pinned, says) {
                (No, Says::Offline { key: keyed } | Says::Listed { key: keyed, .. }) => keyed,
                (No, _) => false,
                _ => true,
            };
            if written.is_ok() {
                assert_eq!(ana.pin(), known.then_some(contact(key)), "{what}");
            } else {
                assert!(ana.outbound.courier.outbox.waiting().unwrap().is_empty(), "{what}: stores nothing");
                assert_ne!(ana.pin().is_some(), matches!(pinned, No), "{what}: pins nothing");
            }
        }
    }
}

#[tokio::test]
async fn a_contact_is_reached_where_it_was_though_the_directory_refuses_to_say() {
    let (word, id) = (Word::default(), Id::new());
    let home = recipient(&id).await;
    let ana = Ana::with(&word).await;
    ana.contacts().add(&rui(), id.fingerprint(), &home.address).await.unwrap();
    word.refuse("rui");
    let message = ana.writes(TERMS).await.unwrap();
    ana.delivers(&message).await;
}

#[tokio::test]
async fn a_message_goes_past_the_imposter_to_where_the_recipient_was() {
    let (word, id, eve) = (Word::default(), Id::new(), Id::new());
    let (home, imposter) = (recipient(&id).await, recipient(&eve).await);
    let ana = Ana::with(&word).await;
    ana.contacts().add(&rui(), id.fingerprint(), &home.address).await.unwrap();
    // The directory lies about both.
    word.claim("rui", Some(eve.fingerprint()), Some(&imposter.address));
    let message = ana.writes(TERMS).await.unwrap();
    ana.delivers(&message).await;
    assert_eq!(imposter.met().1, 0, "not a byte");
    assert_eq!(ana.pin(), Some(contact(id.fingerprint())));
    assert_eq!(ana.last_address().unwrap().address, home.address);
}

#[tokio::test]
async fn a_directory_that_is_wrong_about_the_key_changes_nothing() {
    let (word, id, eve) = (Word::default(), Id::new(), Id::new());
    let home = recipient(&id).await;
    let ana = Ana::with(&word).await;
    ana.contacts().trust(&rui(), id.fingerprint()).await.unwrap();
    word.claim("rui", Some(eve.fingerprint()), Some(&home.address));
    let message = ana.writes(TERMS).await.unwrap();
    ana.delivers(&message).await;
    assert_eq!(ana.pin(), Some(contact(id.fingerprint())));
    assert_eq!(ana.last_address(), Some(Known { address: home.address.clone(), loopback: true }));
}

#[tokio::test]
async fn only_an_imposter_there_is_told_of_with_both_keys() {
    let (id, eve) = (Id::new(), Id::new());
    let keys = [id.fingerprint().to_string(), eve.fingerprint().to_string()];
    for (listed, away) in [(true, false), (false, true), (false, false)] {
        let (word, imposter) = (Word::default(), recipient(&eve).await);
        let ana = Ana::with(&word).await;
        if listed {
            ana.contacts().trust(&rui(), id.fingerprint()).await.unwrap();
            word.claim("rui", Some(id.fingerprint()), Some(&imposter.address));
        } else {
            ana.contacts().add(&rui(), id.fingerprint(), &imposter.address).await.unwrap();
        }
        if away {
            word.away();
        }
        let message = ana.writes(TERMS).await.unwrap();
        for _ in 0..2 {
            let (step, standing) = ana.tries(&message).await;
            let other_key = Some(eve.fingerprint());
            assert_eq!(step, Step::Failed { retry_after: None, moved: false });
            assert_eq!((standing.state, standing.other_key), (State::Queued, other_key));
            let reason = standing.reason.unwrap();
            assert!(keys.iter().all(|key| reason.contains(key)), "{reason}");
        }
        assert_eq!(imposter.met().1, 0, "not a byte");
        assert_eq!(ana.pin(), Some(contact(id.fingerprint())));
        // What the user says counts at once, before the next try too.
        for (trusted, other) in [(&id, Some(eve.fingerprint())), (&eve, None)] {
            ana.contacts().trust(&rui(), trusted.fingerprint()).await.unwrap();
            let seen =
                ana.outbound.see_through(slice::from_ref(&message), BTreeMap::new(), Patience::FirstTry);
            assert_eq!(seen.await.unwrap()[0].other_key, other);
        }
        ana.delivers(&message).await;
    }
}

#[tokio::test]
async fn an_old_address_that_has_become_somebody_elses_counts_while_no_other_is_known() {
    let (word, id, eve) = (Word::default(), Id::new(), Id::new());
    let imposter = recipient(&eve).await;
    let ana = Ana::with(&word).await;
    ana.contacts().add(&rui(), id.fingerprint(), &imposter.address).await.unwrap();
    word.claim("rui", Some(id.fingerprint()), None);
    let message = ana.writes(TERMS).await.unwrap();
    let (step, standing) = ana.tries(&message).await;
    assert_eq!(step, Step::Failed { retry_after: None, moved: false });
    assert_eq!((standing.state, standing.other_key), (State::Queued, Some(eve.fingerprint())));
    // The directory knows better, though nobody answers there.
    word.claim("rui", Some(id.fingerprint()), Some(&address(NOWHERE)));
    let (_, standing) = ana.tries(&message).await;
    assert!(standing.reason.unwrap().contains(NOWHERE) && standing.other_key.is_none());
    assert_eq!(imposter.met().1, 0);
    assert_eq!(ana.last_address().unwrap().address, imposter.address, "nothing new was proved");
}

#[tokio::test]
async fn a_route_that_no_longer_holds_is_looked_up_once_more() {
    let (word, id, eve) = (Word::default(), Id::new(), Id::new());
    let (home, imposter) = (recipient(&id).await, recipient(&eve).await);
    let ana = Ana::with(&word).await;
    ana.contacts().trust(&rui(), id.fingerprint()).await.unwrap();
    word.claim("rui", Some(id.fingerprint()), Some(&imposter.address));
    ana.writes(TERMS).await.unwrap();
    let mut route = ana.outbound.resolve(&[rui()], false).await.unwrap().remove(&rui()).unwrap();
    word.claim("rui", Some(id.fingerprint()), Some(&home.address));
    let step = ana.outbound.courier.step(&rui(), &mut route).await.unwrap();
    assert!(matches!(step, Step::Settled { .. }));
    assert_eq!(route.listing().unwrap().address, home.address, "kept for what waits behind it");
}

#[tokio::test]
async fn without_tls_and_without_a_key_a_message_leaves_only_on_demand() {
    let (word, id, eve) = (Word::default(), Id::new(), Id::new());
    let plain = Site::answering(None, receipt).await;
    let anyone = recipient(&eve).await;
    for site in [&plain, &anyone] {
        let ana = Ana::with(&word).await;
        word.claim("rui", None, Some(&site.address));
        let message = ana.writes(INSECURE).await.unwrap();
        ana.delivers(&message).await;
        assert_eq!(ana.pin(), None, "nothing was proved");
    }
    // A key that is known is checked all the same, and the daemon that finds the row later checks as ever.
    let ana = Ana::with(&word).await;
    ana.contacts().trust(&rui(), id.fingerprint()).await.unwrap();
    let before = anyone.met().1;
    for terms in [INSECURE, TERMS] {
        let message = ana.writes(terms).await.unwrap();
        let (_, standing) = ana.tries(&message).await;
        assert_eq!(standing.other_key, Some(eve.fingerprint()));
    }
    assert_eq!(anyone.met().1, before);
}

#[tokio::test]
async fn who_was_written_to_before_it_had_a_key_is_pinned_when_the_message_leaves() {
    let (word, id) = (Word::default(), Id::new());
    let home = recipient(&id).await;
    let ana = Ana::with(&word).await;
    word.claim("rui", None, None);
    let draft = Draft { to: rui(), body: Body::try_from("oi".to_owned()).unwrap() };
    let message = ana.outbound.post(vec![draft], &BTreeMap::new(), TERMS).await.unwrap().remove(0);
    let (_, standing) = ana.tries(&message).await;
    assert_eq!(standing.state, State::Queued);
    word.claim("rui", None, Some(&home.address));
    let (_, standing) = ana.tries(&message).await;
    assert!(standing.reason.unwrap().contains("cannot be checked"));
    assert_eq!(home.met(), (0, 0));
    word.claim("rui", Some(id.fingerprint()), Some(&home.address));
    ana.delivers(&message).await;
    assert_eq!(ana.pin(), Some(contact(id.fingerprint())));
}

#[tokio::test]
async fn an_address_on_this_machine_is_the_word_of_a_directory_on_this_machine_or_the_users() {
    let (id, word) = (Id::new(), Word::default());
    let home = recipient(&id).await;
    let ana = Ana::with(&word).await;
    word.claim("rui", Some(id.fingerprint()), None);
    let message = ana.writes(TERMS).await.unwrap();
    // As if a directory elsewhere had said so.
    ana.contacts().reached_at(&rui(), id.fingerprint(), &home.address, false).await.unwrap();
    word.away();
    let (_, standing) = ana.tries(&message).await;
    assert!(standing.reason.unwrap().contains("loopback"));
    assert_eq!(home.met(), (0, 0));
    ana.contacts().add(&rui(), id.fingerprint(), &home.address).await.unwrap();
    ana.delivers(&message).await;
}

#[tokio::test]
async fn only_a_receipt_within_its_bounds_for_this_message_counts() {
    let id = Id::new();
    let other = |_: &str| {
        let other = json!({"id": uuid::Uuid::nil(), "received_at": "2026-11-22T09:30:00Z", "verified": true});
        response("201 Created", &other.to_string())
    };
    let long = |request: &str| {
        let receipt = receipt(request);
        let body = format!("{}{}", receipt.split_once("\r\n\r\n").unwrap().1, " ".repeat(4096));
        response("201 Created", &body)
    };
    let sites =
        [Site::answering(Some(id.itself()), other).await, Site::answering(Some(id.itself()), long).await];
    for site in sites {
        let ana = Ana::asking(None);
        ana.contacts().add(&rui(), id.fingerprint(), &site.address).await.unwrap();
        let message = ana.writes(TERMS).await.unwrap();
        assert_eq!(ana.tries(&message).await.1.state, State::Queued);
        assert!(site.met().1 > 0);
    }
}

#[tokio::test]
async fn what_has_expired_just_now_is_tried_again_at_once() {
    let word = Word::default();
    let ana = Ana::with(&word).await;
    word.claim("rui", Some(Id::new().fingerprint()), None);
    let message = ana.writes(Terms { lifetime: Duration::ZERO, ..TERMS }).await.unwrap();
    let Retried::Now(retried) =
        ana.outbound.retry(Which::These(vec![message.id]), TERMS.lifetime).await.unwrap()
    else {
        panic!("it is known")
    };
    assert!(matches!(retried[..], [(_, true)]), "{retried:?}");
}
