//! What the user decides, and what is decided for the user.

use std::time::Duration;

use super::*;
use crate::database;

fn contacts() -> (tempfile::TempDir, Contacts) {
    let dir = tempfile::tempdir().unwrap();
    let store = database::open(dir.path()).unwrap();
    (dir, Contacts::new(store))
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn key(byte: u8) -> Fingerprint {
    Fingerprint::from_bytes([byte; 32])
}

fn address(port: u16) -> Address {
    format!("https://127.0.0.1:{port}").parse().unwrap()
}

fn pin(byte: u8, kind: Kind) -> Pin {
    Pin { fingerprint: key(byte), kind, proved: true }
}

/// A contact by its claim alone.
fn claimed(byte: u8) -> Pin {
    Pin { proved: false, ..pin(byte, Kind::Contact) }
}

impl Contacts {
    async fn see(&self, text: &str, byte: u8, now: Timestamp) {
        let who = name(text);
        self.store.write(move |connection| pins::see(connection, &who, key(byte), now)).await.unwrap();
    }

    async fn remember(&self, text: &str, expected: Option<Fingerprint>, address: Option<Address>) {
        let who = name(text);
        let write = self.store.write(move |connection| {
            super::remember(connection, &who, expected, address.as_ref(), false, Timestamp::UNIX_EPOCH)
        });
        write.await.unwrap();
    }

    async fn note(&self, text: &str, byte: u8, now: Timestamp) {
        let who = name(text);
        self.store.write(move |connection| mismatches::note(connection, &who, key(byte), now)).await.unwrap();
    }

    fn standing(&self, text: &str, byte: u8) -> Standing {
        self.store.read(|connection| standing(connection, &name(text), Some(key(byte)))).unwrap()
    }

    fn seen(&self) -> Vec<Name> {
        let seen = |contact: &Contact| contact.pin.is_some_and(|pin| pin.kind == Kind::Seen);
        self.list().unwrap().into_iter().filter(seen).map(|contact| contact.name).collect()
    }
}

#[tokio::test]
async fn the_first_word_to_somebody_pins_the_key_and_none_replaces_it() {
    let (_dir, contacts) = contacts();
    contacts.remember("rui", None, Some(address(1))).await;
    assert_eq!(contacts.pin(&name("rui")).unwrap(), None);
    assert!(contacts.known(&name("rui")).unwrap() && !contacts.known(&name("ana")).unwrap());
    contacts.remember("rui", Some(key(1)), Some(address(2))).await;
    assert_eq!(contacts.pin(&name("rui")).unwrap(), Some(claimed(1)));
    let known = Known { address: address(1), loopback: false };
    assert_eq!(contacts.last_address(&name("rui")).unwrap(), Some(known), "a listed address is no proof");
    contacts.remember("rui", Some(key(2)), None).await;
    assert_eq!(contacts.pin(&name("rui")).unwrap(), Some(claimed(1)));

    contacts.see("ana", 3, Timestamp::UNIX_EPOCH).await;
    contacts.remember("ana", Some(key(4)), None).await;
    assert_eq!(contacts.pin(&name("ana")).unwrap(), Some(pin(3, Kind::Seen)));
    contacts.remember("ana", Some(key(3)), None).await;
    assert_eq!(contacts.pin(&name("ana")).unwrap(), Some(pin(3, Kind::Contact)));
}

#[tokio::test]
async fn a_contact_is_added_once_and_its_key_is_changed_by_trust_only() {
    let (_dir, contacts) = contacts();
    let rui = name("rui");
    assert_eq!(contacts.add(&rui, key(1), &address(1)).await.unwrap(), Added::New);
    assert_eq!(contacts.add(&rui, key(1), &address(2)).await.unwrap(), Added::Same);
    assert_eq!(contacts.add(&rui, key(2), &address(3)).await.unwrap(), Added::OtherKey(key(1)));
    let known = Known { address: address(2), loopback: true };
    assert_eq!(contacts.last_address(&rui).unwrap(), Some(known));

    contacts.note("rui", 2, Timestamp::UNIX_EPOCH).await;
    assert_eq!(contacts.trust(&rui, key(1)).await.unwrap(), Trusted { before: Some(key(1)) });
    assert!(contacts.mismatch(&rui).unwrap().is_some(), "what was noted of another key stands");
    assert_eq!(contacts.trust(&rui, key(2)).await.unwrap(), Trusted { before: Some(key(1)) });
    assert_eq!(contacts.pin(&rui).unwrap(), Some(pin(2, Kind::Contact)));
    assert_eq!(contacts.mismatch(&rui).unwrap(), None);
    assert_eq!(contacts.trust(&rui, key(1)).await.unwrap(), Trusted { before: Some(key(2)) });
    assert_eq!(contacts.trust(&rui, key(1)).await.unwrap(), Trusted { before: Some(key(1)) });
    assert_eq!(contacts.pin(&rui).unwrap(), Some(pin(1, Kind::Contact)));

    contacts.see("ana", 3, Timestamp::UNIX_EPOCH).await;
    assert_eq!(contacts.add(&name("ana"), key(3), &address(1)).await.unwrap(), Added::New);
    assert_eq!(contacts.trust(&name("zé"), key(4)).await.unwrap(), Trusted { before: None });
    assert!(contacts.known(&name("zé")).unwrap());
}

#[tokio::test]
async fn a_block_holds_for_every_key_that_the_name_ever_had() {
    let (_dir, contacts) = contacts();
    let rui = name("rui");
    contacts.trust(&rui, key(1)).await.unwrap();
    contacts.trust(&rui, key(2)).await.unwrap();
    contacts.block(&rui).await.unwrap();
    for (who, byte, blocked) in [("rui", 9, true), ("ana", 1, true), ("ana", 2, true), ("ana", 3, false)] {
        assert_eq!(contacts.standing(who, byte).blocked, blocked, "{who} {byte}");
    }
    assert_eq!(contacts.forget(&rui).await.unwrap(), Forgotten::Blocked);
    assert_eq!((contacts.unblock(&rui).await.unwrap(), contacts.unblock(&rui).await.unwrap()), (true, false));
    assert_eq!(contacts.forget(&rui).await.unwrap(), Forgotten::Yes);
    assert_eq!(contacts.forget(&rui).await.unwrap(), Forgotten::Unknown);
    assert_eq!(contacts.standing("rui", 1), Standing::default());
    assert_eq!(contacts.list().unwrap(), []);
}

#[tokio::test]
async fn this_peers_own_name_is_in_no_listing_and_cannot_be_forgotten() {
    let (_dir, contacts) = contacts();
    let (ana, anita) = (name("ana"), name("anita"));
    contacts.add(&anita, key(7), &address(1)).await.unwrap();
    for own in [&ana, &anita, &anita] {
        contacts.pin_own(own, key(1)).await.unwrap();
        assert_eq!(contacts.pin(own).unwrap(), Some(pin(1, Kind::Own)));
    }
    assert_eq!(contacts.pin(&ana).unwrap(), None);
    assert_eq!(contacts.list().unwrap(), []);
    contacts.forget(&anita).await.unwrap();
    assert_eq!(contacts.pin(&anita).unwrap(), Some(pin(1, Kind::Own)));
    assert!(contacts.standing("zé", 1).vouched);
}

#[tokio::test]
async fn what_was_only_seen_is_dropped_when_it_was_not_used_for_long_and_what_is_blocked_stays() {
    let (_dir, contacts) = contacts();
    let day = Duration::from_hours(24);
    let start = Timestamp::UNIX_EPOCH;
    for (who, byte) in [("ana", 1), ("bia", 2), ("rui", 3), ("zé", 4)] {
        contacts.see(who, byte, start).await;
    }
    contacts.trust(&name("ana"), key(1)).await.unwrap();
    contacts.block(&name("bia")).await.unwrap();
    let rui = contacts.standing("rui", 3);
    let use_at = |now: Timestamp| {
        contacts.store.write(move |connection| pins::used(connection, &name("rui"), &rui, now))
    };
    use_at(start + day - Duration::from_millis(1)).await.unwrap();
    assert_eq!(contacts.standing("rui", 3), rui, "written once a day");
    use_at(start + day).await.unwrap();
    contacts.sweep(start + 90 * day - Duration::from_millis(1)).await.unwrap();
    assert_eq!(contacts.seen(), [name("bia"), name("rui"), name("zé")]);
    contacts.sweep(start + 90 * day).await.unwrap();
    assert_eq!(contacts.seen(), [name("bia"), name("rui")]);
    contacts.sweep(start + 91 * day).await.unwrap();
    assert_eq!(contacts.seen(), [name("bia")]);
    assert_eq!(contacts.pin(&name("ana")).unwrap(), Some(pin(1, Kind::Contact)));
}

#[tokio::test]
async fn a_clock_that_is_far_ahead_for_a_while_does_little_harm() {
    let (_dir, contacts) = contacts();
    let (now, day) = (Timestamp::from_second(2_000_000_000).unwrap(), Duration::from_hours(24));
    let fill = contacts.store.write(move |connection| {
        connection.execute(
            "INSERT INTO pins WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
             SELECT 'p' || i, randomblob(32), 'seen', ?1 + i, 1 FROM n",
            [now.as_millisecond() - 1_000],
        )
    });
    fill.await.unwrap();
    let ahead = now + 10_000 * day;
    contacts.see("rui", 1, ahead).await;
    assert_eq!(contacts.seen().len(), 301, "a first message drops none");
    contacts.sweep(ahead).await.unwrap();
    assert_eq!(contacts.seen().len(), 201);
    contacts.sweep(now).await.unwrap();
    assert_eq!(contacts.seen().len(), 201, "the clock is right again");
    for _ in 0..3 {
        contacts.sweep(now + 90 * day).await.unwrap();
    }
    assert_eq!(contacts.seen(), [], "what was used ahead of time counts as used then");
}

#[tokio::test]
async fn a_key_that_is_only_claimed_blocks_nobody_who_has_it() {
    let (_dir, contacts) = contacts();
    let mallory = name("mallory");
    contacts.remember("mallory", Some(key(1)), Some(address(1))).await;
    contacts.add(&name("rui"), key(1), &address(2)).await.unwrap();
    contacts.block(&mallory).await.unwrap();
    assert!(contacts.standing("mallory", 1).blocked && !contacts.standing("rui", 1).blocked);
    contacts.reached_at(&mallory, key(2), &address(1), false).await.unwrap();
    assert!(!contacts.standing("rui", 1).blocked, "another key was proved");
    contacts.reached_at(&mallory, key(1), &address(1), false).await.unwrap();
    assert!(contacts.standing("rui", 1).blocked, "proved at the very address that was known");
}

#[tokio::test]
async fn the_user_a_first_message_and_a_later_one_prove_a_key() {
    let (_dir, contacts) = contacts();
    for who in ["ana", "bia", "rui"] {
        contacts.remember(who, Some(key(1)), Some(address(1))).await;
        assert_eq!(contacts.pin(&name(who)).unwrap(), Some(claimed(1)));
    }
    contacts.add(&name("ana"), key(1), &address(1)).await.unwrap();
    contacts.trust(&name("bia"), key(1)).await.unwrap();
    let rui = contacts.standing("rui", 1);
    let used = contacts
        .store
        .write(move |connection| pins::used(connection, &name("rui"), &rui, Timestamp::UNIX_EPOCH));
    used.await.unwrap();
    for who in ["ana", "bia", "rui"] {
        assert_eq!(contacts.pin(&name(who)).unwrap(), Some(pin(1, Kind::Contact)), "{who}");
    }
}

#[tokio::test]
async fn of_too_many_that_were_seen_the_least_recently_used_goes() {
    let (_dir, contacts) = contacts();
    let fill = contacts.store.write(|connection| {
        connection.execute(
            "INSERT INTO pins WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
             SELECT 'p' || i, randomblob(32), 'seen', i, 1 FROM n",
            [],
        )
    });
    fill.await.unwrap();
    contacts.block(&name("p1")).await.unwrap();
    contacts.see("rui", 1, Timestamp::from_millisecond(10_001).unwrap()).await;
    assert!(contacts.pin(&name("p1")).unwrap().is_some(), "blocked");
    contacts.unblock(&name("p1")).await.unwrap();
    contacts.see("ana", 1, Timestamp::from_millisecond(10_002).unwrap()).await;
    let there = |who: &str| contacts.pin(&name(who)).unwrap().is_some();
    assert_eq!(["p1", "p2", "p3", "rui", "ana"].map(there), [false, false, true, true, true]);
    assert_eq!(contacts.seen().len(), 10_000);
}

#[tokio::test]
async fn another_key_is_noted_once_a_minute_and_a_thousand_names_are() {
    let (_dir, contacts) = contacts();
    let at = |second| Timestamp::from_second(second).unwrap();
    let rui = name("rui");
    let noted = || contacts.mismatch(&rui).unwrap().map(|noted| (noted.fingerprint, noted.at, noted.times));
    for (second, byte, times) in [(100, 1, 1), (160, 1, 2), (220, 2, 1)] {
        contacts.note("rui", byte, at(second)).await;
        assert_eq!(noted(), Some((key(byte), at(second), times)));
        contacts.note("rui", 9, at(second + 59)).await;
        assert_eq!(noted(), Some((key(byte), at(second), times)), "noted less than a minute ago");
    }
    contacts.note("rui", 1, at(50)).await;
    assert_eq!(noted(), Some((key(1), at(50), 1)), "the clock was set back");
    for second in 0..1_000 {
        contacts.note(&format!("p{second}"), 1, at(1_000 + second)).await;
    }
    assert_eq!(noted(), None);
    assert!(contacts.mismatch(&name("p0")).unwrap().is_some());
}

#[tokio::test]
async fn contacts_are_listed_by_name_with_all_that_is_remembered_of_them() {
    let (_dir, contacts) = contacts();
    contacts.add(&name("rui"), key(1), &address(1)).await.unwrap();
    contacts.note("rui", 2, Timestamp::UNIX_EPOCH).await;
    contacts.see("ana", 3, Timestamp::UNIX_EPOCH).await;
    contacts.block(&name("zé")).await.unwrap();
    contacts.remember("bia", None, None).await;
    let contact =
        |who: &str| Contact { name: name(who), pin: None, address: None, blocked: false, mismatch: None };
    let mismatch = Mismatch { fingerprint: key(2), at: Timestamp::UNIX_EPOCH, times: 1 };
    let expected = [
        Contact { pin: Some(pin(3, Kind::Seen)), ..contact("ana") },
        contact("bia"),
        Contact {
            pin: Some(pin(1, Kind::Contact)),
            address: Some(address(1)),
            mismatch: Some(mismatch),
            ..contact("rui")
        },
        Contact { blocked: true, ..contact("zé") },
    ];
    assert_eq!(contacts.list().unwrap(), expected);
}
