//! What waits for one recipient leaves in batches: in order, each message once, whatever the recipient says to which.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use protocol::Slug;
use protocol::batch::{LONGEST_BATCH, MOST_MESSAGES};
use serde_json::{Value, json};

use super::harness::{Claim, Directory, Fake, Key, Peer, Recipient, Reply, Sent, new_token, until};

fn texts(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("ana/{number}")).collect()
}

#[track_caller]
fn until_nothing_waits(ana: &Peer) {
    until("nothing waits", || (ana.count_sent("queued") == 0).then_some(()));
}

/// Opened once for good.
fn switch() -> (Arc<AtomicBool>, Arc<AtomicBool>) {
    let switch = Arc::new(AtomicBool::new(false));
    (Arc::clone(&switch), switch)
}

#[test]
fn ten_thousand_that_wait_are_delivered_in_order_and_once() {
    const COUNT: usize = 10_000;
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let mut rui = Peer::claimed_but_offline(&directory, "rui");
    ana.queue("rui", "ana", COUNT);
    rui.serve_with(&["--stranger-limit", "none", "--strangers-limit", "none"]);
    ana.serve();
    until_nothing_waits(&ana);
    assert_eq!(ana.count_sent("delivered"), COUNT);
    let inbox = rui.inbox();
    let bodies: Vec<_> = inbox.iter().map(|line| line.body.clone()).collect();
    assert!(bodies == texts(COUNT), "all of them, once, in order: {} are there", bodies.len());
    assert!(inbox.iter().zip(1..).all(|(line, seq)| line.seq == Some(seq) && line.verified));
}

#[test]
fn no_batch_is_larger_than_it_may_be_and_one_is_under_way() {
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let claim = Claim::offline(&directory, "rui");
    ana.queue("rui", "ana", 1200);
    ana.queue("rui", &"\u{1}".repeat(20_000), 60);
    let rui = Recipient::who().comes(&directory, &claim);
    ana.serve();
    until_nothing_waits(&ana);
    let all: Vec<_> = ana.sent().into_iter().map(|line| line.body).collect();
    assert!(rui.kept() == all, "in order");
    assert!(rui.repeats().is_empty(), "{:?}", rui.repeats().len());
    assert_eq!(rui.fake().handshakes().len(), 1, "one kept connection, so one at a time");
    let asked = rui.fake().asked("POST /messages");
    assert_eq!(rui.requests()[..2], [Some(MOST_MESSAGES); 2]);
    let sizes: Vec<usize> =
        asked.iter().map(|asked| asked.header("content-length").unwrap().parse().unwrap()).collect();
    assert!(sizes.iter().all(|size| *size <= LONGEST_BATCH), "{sizes:?}");
    // It begins with less; sixty of 120 kB are seven full ones.
    assert!(sizes.iter().any(|size| *size > LONGEST_BATCH * 3 / 4), "{sizes:?}");
    assert!(sizes.len() <= 3 + 3 * 7, "{:?} {sizes:?}", rui.requests());
}

#[test]
fn one_message_is_no_batch() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let rui = Recipient::start(&directory, "rui");
    for text in ["one", "two"] {
        assert_eq!(ana.send("rui", text).state, "delivered");
    }
    assert_eq!(rui.requests(), [None, None]);
}

#[test]
fn a_batch_that_is_too_large_is_halved() {
    const ROOM: usize = 20_000;
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let claim = Claim::offline(&directory, "rui");
    ana.queue("rui", "ana", 400);
    let rui = Recipient::who().answering(|asked| {
        let length: usize = asked.header("content-length").unwrap().parse().unwrap();
        (length > ROOM).then(|| Reply::problem(Slug::TooLarge))
    });
    let rui = rui.comes(&directory, &claim);
    ana.serve();
    until_nothing_waits(&ana);
    assert_eq!((rui.kept(), rui.repeats().len()), (texts(400), 0));
    let requests = rui.requests();
    // It takes 90 at a time; a limit that recovers may be told again now and then.
    assert!(requests.len() <= 40, "{requests:?}");
    assert!(requests.iter().all(|messages| *messages != Some(1)), "{requests:?}");

    // One message that is too large by itself is the sender's misfortune, and only that.
    let mut command = ana.command(&["send", "--json", "rui", &"x".repeat(ROOM)]);
    let refused = super::harness::Finished::of("a long message", &mut command, "").expect(4);
    assert_eq!(refused.json::<Sent>()[0].state, "refused");
    assert_eq!(ana.send("rui", "and on").state, "delivered");
}

#[test]
fn a_recipient_that_knows_no_batches_gets_messages_one_by_one() {
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let answers =
        [("mia", Slug::BadJson), ("rui", Slug::UnsupportedMediaType), ("eva", Slug::InvalidMessage)];
    let claims = answers.map(|(name, _)| Claim::offline(&directory, name));
    for (name, _) in answers {
        ana.queue(name, "ana", 20);
    }
    let recipients: Vec<_> = claims
        .iter()
        .zip(answers)
        .map(|(claim, (_, slug))| {
            let old =
                Recipient::who().answering(move |asked| asked.body.is_array().then(|| Reply::problem(slug)));
            old.comes(&directory, claim)
        })
        .collect();
    ana.serve();
    until_nothing_waits(&ana);
    for recipient in recipients {
        assert_eq!((recipient.kept(), recipient.repeats().len()), (texts(20), 0));
        let requests = recipient.requests();
        assert_eq!(requests[0], Some(20));
        assert_eq!(requests[1..], [None; 20], "asked once whether it knows batches");
    }
}

#[test]
fn what_comes_behind_the_first_that_has_to_wait_waits_too() {
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let answers = [("mia", Slug::QuotaExceeded), ("rui", Slug::Unavailable), ("eva", Slug::StorageFull)];
    let claims = answers.map(|(name, _)| Claim::offline(&directory, name));
    for (name, _) in answers {
        ana.queue(name, "ana", 20);
    }
    let (room, turn) = switch();
    let recipients: Vec<_> = claims
        .iter()
        .zip(answers)
        .map(|(claim, (_, slug))| {
            let room = Arc::clone(&room);
            let full = Recipient::who().refusing(move |message| {
                (message["body"] == "ana/7" && !room.load(Ordering::SeqCst)).then_some(slug)
            });
            full.comes(&directory, claim)
        })
        .collect();
    ana.serve();
    until("what had room is delivered", || (ana.count_sent("delivered") == 3 * 6).then_some(()));
    for (name, slug) in answers {
        let lines = until("a reason", || {
            let lines = ana.lines(&["sent", "--to", name, "--state", "queued"]);
            lines[0].reason.is_some().then_some(lines)
        });
        assert_eq!(lines.iter().map(|line| line.body.clone()).collect::<Vec<_>>(), texts(20)[6..]);
        assert!(lines[0].reason.as_ref().unwrap().contains(slug.word()), "{:?}", lines[0]);
    }
    turn.store(true, Ordering::SeqCst);
    until_nothing_waits(&ana);
    for recipient in recipients {
        assert_eq!((recipient.kept(), recipient.repeats().len()), (texts(20), 0));
    }
}

#[test]
fn one_that_is_refused_holds_up_no_other_and_leaves_no_hole() {
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let claim = Claim::offline(&directory, "rui");
    ana.queue("rui", "ana", 6);
    let (busy, turn) = switch();
    let rui = Recipient::who()
        .answering(move |asked| {
            let first_try = asked.body["body"] == "behind" && !turn.swap(true, Ordering::SeqCst);
            first_try.then(|| Reply::problem(Slug::Unavailable))
        })
        .refusing(|message| match message["body"].as_str().unwrap() {
            "ana/2" => Some(Slug::NotAccepted),
            "ana/3" => Some(Slug::IdConflict),
            "ana/5" => Some(Slug::TooLarge),
            _ => None,
        });
    let rui = rui.comes(&directory, &claim);
    ana.serve();
    until_nothing_waits(&ana);
    assert_eq!(rui.kept(), ["ana/1", "ana/4", "ana/6"]);
    for (number, slug) in [(2, Slug::NotAccepted), (3, Slug::IdConflict), (5, Slug::TooLarge)] {
        let line = ana.sent().remove(number - 1);
        assert_eq!(line.state.as_deref(), Some("refused"));
        assert!(line.reason.as_ref().unwrap().contains(slug.word()), "{line:?}");
    }
    // The numbers that will never come ride along until somebody has taken them, and no longer.
    let sent = ana.send("rui", "behind");
    ana.until_state_is(&sent.id, "delivered");
    assert!(busy.load(Ordering::SeqCst), "it was refused for the moment once");
    assert_eq!(ana.send("rui", "and on").state, "delivered");
    let closed: Vec<_> = rui.fake().received()[6..]
        .iter()
        .map(|message| (message["body"].clone(), message["closed"].clone()))
        .collect();
    let ranges = json!([[2, 3], [5, 5]]);
    assert_eq!(
        closed,
        [(json!("behind"), ranges.clone()), (json!("behind"), ranges), (json!("and on"), Value::Null)]
    );
}

#[test]
fn one_that_expired_leaves_no_hole() {
    let directory = Directory::start();
    let mut ana = Peer::start(&directory, "ana");
    let claim = Claim::offline(&directory, "rui");
    let late = ana.run(&["send", "--json", "--expire", "1s", "rui", "late"]).expect(0);
    ana.until_state_is(&late.json::<Sent>()[0].id, "expired");
    ana.kill();
    assert_eq!(ana.send("rui", "in time").state, "queued");
    let rui = Recipient::who().comes(&directory, &claim);
    ana.serve();
    until_nothing_waits(&ana);
    let [message] = rui.arrived().try_into().unwrap();
    assert_eq!((&message["body"], &message["closed"]), (&json!("in time"), &json!([[1, 1]])));
}

#[test]
fn one_that_expired_among_others_is_left_out() {
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let claim = Claim::offline(&directory, "rui");
    for (text, expire) in [("ana/1", "7d"), ("ana/2", "1s"), ("ana/3", "7d"), ("ana/4", "1s")] {
        ana.run(&["send", "--expire", expire, "rui", text]).expect(0);
    }
    let last = "SELECT max(expires_at) FROM sent WHERE body = 'ana/4'";
    let over: i64 = ana.database().query_row(last, [], |row| row.get(0)).unwrap();
    until("their time is over", || (jiff::Timestamp::now().as_millisecond() > over).then_some(()));
    let rui = Recipient::who().comes(&directory, &claim);
    ana.serve();
    until_nothing_waits(&ana);
    assert_eq!(rui.kept(), ["ana/1", "ana/3"]);
    let states: Vec<_> = ana.sent().into_iter().map(|line| line.state.unwrap()).collect();
    assert_eq!(states, ["delivered", "expired", "delivered", "expired"]);
    assert_eq!(ana.send("rui", "ana/5").state, "delivered");
    assert_eq!(rui.lacks(), [[0; 2]; 0], "what will never come is closed");
}

fn answer(items: Vec<Value>) -> Reply {
    Reply::answer(200, "application/json", Value::from(items).to_string())
}

#[test]
fn what_is_no_answer_to_a_batch_counts_for_nothing() {
    type Spoil = fn(Vec<Value>) -> Reply;
    let ways: [(&str, Spoil); 8] = [
        ("none", |_| answer(Vec::new())),
        ("fewer", |items| answer(items[1..].to_vec())),
        ("more", |items| answer([&items[..], &items[..1]].concat())),
        ("swapped", |mut items| {
            items.swap(0, 1);
            answer(items)
        }),
        ("others", |items| {
            let id = uuid::Uuid::now_v7().to_string();
            answer(
                items
                    .into_iter()
                    .map(|item| json!({"status": 201, "id": id, "received_at": item["received_at"]}))
                    .collect(),
            )
        }),
        ("single", |items| Reply::answer(200, "application/json", items[0].to_string())),
        ("chatty", |items| {
            Reply::answer(200, "application/json", Value::from(items).to_string() + &" ".repeat(1024 * 1024))
        }),
        ("page", |_| Reply::answer(200, "text/html", "<h1>It works!</h1>")),
    ];
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let claims = ways.map(|(name, _)| Claim::offline(&directory, name));
    for (name, _) in ways {
        ana.queue(name, "ana", 5);
    }
    let (healthy, turn) = switch();
    let recipients = claims.iter().zip(ways).map(|(claim, (_, spoil))| {
        let healthy = Arc::clone(&healthy);
        let ill = Recipient::who().answering(move |asked| {
            let receipt = |message: &Value| {
                json!({
                    "status": 201, "id": message["id"], "received_at": "2026-11-22T09:30:00Z", "verified": true,
                })
            };
            let spoilt = || match asked.body.as_array() {
                Some(batch) => spoil(batch.iter().map(receipt).collect()),
                None => Reply::problem(Slug::Unavailable),
            };
            (!healthy.load(Ordering::SeqCst)).then(spoilt)
        });
        ill.comes(&directory, claim)
    });
    let recipients: Vec<_> = recipients.collect();
    ana.serve();
    for (name, _) in ways {
        let first = || ana.lines(&["sent", "--to", name]).remove(0).reason;
        until(&format!("{name} was tried"), first);
    }
    assert_eq!((ana.count_sent("delivered"), ana.count_sent("queued")), (0, 5 * ways.len()));
    turn.store(true, Ordering::SeqCst);
    until_nothing_waits(&ana);
    assert_eq!(ana.count_sent("delivered"), 5 * ways.len());
    for recipient in recipients {
        assert_eq!((recipient.kept(), recipient.repeats().len()), (texts(5), 0));
    }
}

/// Rui says at length why not, of two messages of a batch and of a single one.
#[test]
fn why_a_message_is_not_kept_is_kept_in_short() {
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let claim = Claim::offline(&directory, "rui");
    ana.queue("rui", "ana", MOST_MESSAGES);
    let at_length = |slug: Slug, bytes| serde_json::to_value(slug.because("x".repeat(bytes)).body()).unwrap();
    let rui = Recipient::who().answering(move |asked| {
        let batch = asked.body.as_array().expect("a batch");
        let mut items = vec![json!({"status": 429}); batch.len()];
        items[0] = at_length(Slug::NotAccepted, batch.len() * 400);
        items[1] = at_length(Slug::Unavailable, batch.len() * 400);
        Some(answer(items))
    });
    rui.comes(&directory, &claim);
    ana.serve();
    until("one is refused", || (ana.count_sent("refused") > 0).then_some(()));
    ana.kill();
    let is_short = |reason: &str| reason.len() < 300 && reason.contains(": xxx") && reason.ends_with('…');
    let reasons: Vec<_> = ana.sent().into_iter().filter_map(|line| line.reason).take(2).collect();
    assert!(reasons.iter().all(|reason| is_short(reason)), "{reasons:?}");

    Fake::start(&directory, "eva", move |_| {
        let problem = at_length(Slug::InvalidMessage, 3_000).to_string();
        Reply::answer(422, protocol::paths::PROBLEM_JSON, problem)
    });
    let refused = ana.run(&["send", "--json", "eva", "oi"]).expect(4).json::<Sent>().remove(0);
    assert!(is_short(&refused.reason.unwrap()));
}

/// The address is rui's no more: first somebody with another key answers there, then one with his key who is not rui.
#[test]
fn what_waits_is_not_given_to_somebody_else() {
    let directory = Directory::start();
    let mut ana = Peer::claimed_but_offline(&directory, "ana");
    let claim = Claim::offline(&directory, "rui");
    ana.queue("rui", "ana", 10);
    let moved = Recipient::who().refusing(|_| Some(Slug::Misdirected)).comes(&directory, &claim);
    ana.serve();
    until("the wrong one was tried", || (!moved.requests().is_empty()).then_some(()));
    assert_eq!(ana.count_sent("queued"), 10);
    let real = Recipient::who().comes(&directory, &claim);
    until_nothing_waits(&ana);
    assert_eq!((real.kept(), real.repeats().len()), (texts(10), 0));
    assert_eq!(ana.count_sent("delivered"), 10);

    let impostor = Recipient::who().listen("127.0.0.1:0", &Key::new());
    directory
        .register_with_key("eva", &impostor.fake().address(), &new_token(), Key::new().fingerprint())
        .expect(201);
    ana.run(&["send", "eva", "for your eyes"]).expect(7);
    assert_eq!(impostor.fake().heard(), 0, "not a byte");
}

/// Rui has said that he wants to be left alone for longer than this story lasts; then he writes himself.
#[test]
fn who_writes_is_there() {
    let ana = {
        let mut ana = Peer::of("none", "ana");
        ana.serve();
        ana
    };
    let (awake, turn) = switch();
    let key = Key::new();
    let rui = Recipient::who().answering(move |_| {
        let tired = !awake.load(Ordering::SeqCst);
        tired.then(|| Reply::problem(Slug::Unavailable).with("retry-after", "300"))
    });
    let rui = rui.listen("127.0.0.1:0", &key);
    let place = rui.fake().address();
    let link = format!("recado:rui@{}#{}", place.trim_start_matches("https://"), key.fingerprint());
    ana.run(&["add", &link]).expect(0);
    let sent = ana.send("rui", "are you there?");
    assert_eq!(sent.state, "queued");
    turn.store(true, Ordering::SeqCst);
    ana.leave_with(&key, &json!({"from": "rui", "body": "I am"})).expect(201);
    ana.until_state_is(&sent.id, "delivered");
    assert_eq!(rui.kept(), ["are you there?"]);
}
