//! A program leaves many messages at once: taken in order, committed together, answered one by one.

use protocol::Slug;
use protocol::batch::{LONGEST_BATCH, MOST_MESSAGES};
use protocol::message::{LONGEST_BODY, LONGEST_ENCODED};
use protocol::problem::LONGEST_DETAIL;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Answer, Directory, Key, Peer, inject, new_token};

/// Zoe, who has a key, and a name at the directory.
fn zoe(directory: &Directory) -> Key {
    let key = Key::new();
    directory.register_with_key("zoe", "https://127.0.0.1:7101", &new_token(), key.fingerprint()).expect(201);
    key
}

fn message(text: &str, seq: usize) -> Value {
    json!({"id": uuid::Uuid::now_v7(), "from": "zoe", "to": "rui", "body": text, "seq": seq})
}

/// Zoe's messages `1` up to `count`.
fn messages(count: usize) -> Vec<Value> {
    (1..=count).map(|number| message(&number.to_string(), number)).collect()
}

fn statuses(items: &[Value]) -> Vec<u64> {
    items.iter().map(|item| item["status"].as_u64().unwrap()).collect()
}

/// The body as it is, over plain HTTP.
fn post(rui: &Peer, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    rui.request(Method::POST, "/messages").header("content-type", media_type).bytes(body).send()
}

#[test]
fn a_batch_is_kept_in_order_and_answered_message_by_message() {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    let zoe = zoe(&directory);
    let batch = messages(MOST_MESSAGES);
    let first = rui.leave_batch(&zoe, &batch);
    for (item, message) in first.iter().zip(&batch) {
        assert_eq!((&item["status"], &item["id"]), (&json!(201), &message["id"]));
        assert_eq!(item["verified"], true);
    }
    let last = first.last().unwrap();
    assert_eq!((&last["highest"], last.get("missing")), (&json!(MOST_MESSAGES), None));
    let bodies: Vec<_> = (1..=MOST_MESSAGES).map(|number| number.to_string()).collect();
    assert_eq!(rui.inbox_bodies(), bodies);

    // Nothing was waited for before the answer, and nothing is kept twice.
    rui.kill();
    assert_eq!(rui.inbox_bodies(), bodies, "committed before it was answered");
    rui.serve();
    let again = rui.leave_batch(&zoe, &batch);
    for (again, first) in again.iter().zip(&first) {
        assert_eq!(again["status"], 200);
        assert_eq!((&again["id"], &again["received_at"]), (&first["id"], &first["received_at"]));
        assert_eq!(again["highest"], MOST_MESSAGES);
    }
    assert_eq!(rui.inbox_bodies(), bodies);
}

#[test]
fn a_batch_of_one_is_a_batch_and_needs_no_key() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let answer = rui.leave(&json!([{"from": "ci", "body": "alone"}])).expect(200).json();
    let [item] = answer.as_array().unwrap().as_slice() else { panic!("{answer}") };
    assert_eq!((&item["status"], &item["verified"]), (&json!(201), &json!(false)));
    assert!(item.get("highest").is_none(), "without a key nothing is counted: {item}");
    // One name in two spellings is one sender; and the same text twice is two messages.
    let twice = json!([{"from": "ci", "body": "twice"}, {"from": "CI", "body": "twice"}]);
    let answer = rui.leave(&twice).expect(200).json();
    assert_eq!(statuses(answer.as_array().unwrap()), [201, 201]);
    assert_ne!(answer[0]["id"], answer[1]["id"]);
    assert_eq!(rui.inbox_bodies(), ["alone", "twice", "twice"]);
}

#[test]
fn a_bad_message_spoils_no_other() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let zoe = zoe(&directory);
    let kept = message("kept before", 1);
    rui.leave_with(&zoe, &kept).expect(201);
    let with = |member: &str, value: Value| {
        let mut changed = message("bad", 90);
        changed[member] = value;
        changed
    };
    let mut other_content = kept.clone();
    other_content["body"] = json!("other content");
    for (bad, slug) in [
        (json!(7), Slug::InvalidMessage),
        (json!(null), Slug::InvalidMessage),
        (json!("oi"), Slug::InvalidMessage),
        (json!([]), Slug::InvalidMessage),
        (json!([kept]), Slug::InvalidMessage),
        (json!({}), Slug::InvalidMessage),
        (json!({"from": "zoe"}), Slug::InvalidMessage),
        (with("to", json!("ana")), Slug::Misdirected),
        (with("to", json!("r/ui")), Slug::InvalidName),
        (with("from", json!(format!("z oe{}", "\u{e9}".repeat(4000)))), Slug::InvalidName),
        (with("body", json!("")), Slug::InvalidMessage),
        (with("body", json!("a\0b")), Slug::InvalidMessage),
        (with("body", json!("x".repeat(LONGEST_BODY + 1))), Slug::TooLarge),
        (with("more", json!("x".repeat(LONGEST_ENCODED))), Slug::TooLarge),
        (with("id", json!("7")), Slug::InvalidMessage),
        (with("seq", json!(0)), Slug::InvalidMessage),
        (with("seq", json!(-1)), Slug::InvalidMessage),
        (with("sent_at", json!("yesterday")), Slug::InvalidMessage),
        (with("closed", json!([[2, 1]])), Slug::InvalidMessage),
        (other_content, Slug::IdConflict),
    ] {
        let seq = rui.inbox().len() + 1;
        let batch = [message("before", seq), bad.clone(), message("behind", seq + 1)];
        let items = rui.leave_batch(&zoe, &batch);
        assert_eq!(statuses(&items), [201, u64::from(slug.status()), 201], "{items:?}");
        assert_eq!(items[1]["type"], slug.urn(), "{bad}");
        let detail = items[1]["detail"].as_str().unwrap();
        assert!((1..=LONGEST_DETAIL).contains(&detail.len()), "{} bytes: {detail}", detail.len());
        assert_eq!(items[2]["highest"], seq + 1);
        let bodies = rui.inbox_bodies();
        assert_eq!(bodies[bodies.len() - 2..], ["before", "behind"]);
    }
}

#[test]
fn what_is_no_batch_is_refused_whole() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let json = "application/json";
    let of = |from: &str| json!({"from": from, "body": "x"});
    rui.leave(&json!([])).expect_problem(Slug::InvalidMessage);
    rui.leave(&json!([of("ci"), of("cd")])).expect_problem(Slug::InvalidMessage);
    let too_many = vec![of("ci"); MOST_MESSAGES + 1];
    rui.leave(&Value::from(too_many)).expect_problem(Slug::TooLarge);
    post(&rui, json, format!("{}[]", " ".repeat(LONGEST_BATCH))).expect_problem(Slug::TooLarge);
    for broken in ["[", "[{}", "[{\"from\":\"ci\",\"body\":\"x\"},]", "[] []"] {
        post(&rui, json, broken).expect_problem(Slug::BadJson);
    }
    post(&rui, "text/plain", json!([of("ci")]).to_string()).expect_problem(Slug::UnsupportedMediaType);
    // What a batch may be together, one message may not be alone.
    let long = json!({"from": "ci", "body": "x", "more": "x".repeat(LONGEST_ENCODED)});
    rui.leave(&long).expect_problem(Slug::TooLarge);
    assert!(rui.inbox().is_empty());

    // As large as it may be, to the byte.
    let item = |more: usize| json!({"from": "ci", "body": "x", "more": "y".repeat(more)}).to_string();
    let halves = |more: usize| format!("[{},{}]", item(LONGEST_BATCH / 2 - item(0).len() - 2), item(more));
    let rest = LONGEST_BATCH - halves(0).len();
    assert!(item(rest).len() <= LONGEST_ENCODED);
    assert_eq!(halves(rest).len(), LONGEST_BATCH);
    let answer = post(&rui, json, halves(rest)).expect(200).json();
    assert_eq!(statuses(answer.as_array().unwrap()), [201, 201]);
    post(&rui, json, halves(rest + 1)).expect_problem(Slug::TooLarge);
    assert_eq!(rui.inbox().len(), 2);
}

#[test]
fn an_id_that_comes_twice_in_a_batch_is_one_message() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let zoe = zoe(&directory);
    let one = message("one", 1);
    let mut other = one.clone();
    other["body"] = json!("another text");
    let items = rui.leave_batch(&zoe, &[one.clone(), one.clone(), other, message("two", 2), one]);
    assert_eq!(statuses(&items), [201, 200, 409, 201, 200]);
    assert_eq!(items[0]["received_at"], items[1]["received_at"]);
    assert_eq!(rui.inbox_bodies(), ["one", "two"]);
}

#[test]
fn holes_and_what_is_closed_are_told_with_the_last_message() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let zoe = zoe(&directory);
    let items = rui.leave_batch(&zoe, &[message("two", 2), message("five", 5), message("nine", 9)]);
    let last = items.last().unwrap();
    assert_eq!((&last["highest"], &last["missing"]), (&json!(9), &json!([[1, 1], [3, 4], [6, 8]])));
    let mut closing = message("one", 1);
    closing["closed"] = json!([[6, 7], [3, 3]]);
    let items = rui.leave_batch(&zoe, &[closing, message("eight", 8)]);
    let last = items.last().unwrap();
    assert_eq!((&last["highest"], &last["missing"]), (&json!(9), &json!([[4, 4]])));
    // A message that is not taken closes nothing either.
    let mut refused = message("", 11);
    refused["closed"] = json!([[4, 4]]);
    let items = rui.leave_batch(&zoe, &[refused, message("ten", 10)]);
    assert_eq!(statuses(&items), [422, 201]);
    assert_eq!((&items[1]["highest"], &items[1]["missing"]), (&json!(10), &json!([[4, 4]])));
}

#[test]
fn who_may_leave_nothing_is_told_so_for_each_message() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let (owner, thief) = (zoe(&directory), Key::new());
    rui.leave_with(&owner, &message("it is me", 1)).expect(201);
    let mut batch = messages(3);
    batch[1]["body"] = json!("");
    let said = |items: Vec<Value>| items.iter().map(|item| item["type"].clone()).collect::<Vec<_>>();
    let urns = |slug: Slug| [slug.urn(), Slug::InvalidMessage.urn(), slug.urn()];
    assert_eq!(said(rui.leave_batch(&thief, &batch)), urns(Slug::KeyMismatch));
    let answer = rui.leave(&Value::from(batch.clone())).expect(200).json();
    assert_eq!(said(answer.as_array().unwrap().clone()), urns(Slug::ProofRequired));
    rui.run(&["block", "zoe"]).expect(0);
    assert_eq!(said(rui.leave_batch(&owner, &batch)), urns(Slug::Blocked));
    assert_eq!(rui.inbox_bodies(), ["it is me"]);
    rui.run(&["unblock", "zoe"]).expect(0);
    assert_eq!(statuses(&rui.leave_batch(&owner, &batch)), [201, 422, 201]);
}

/// Messages count against the quota within their batch, and behind the first that finds no room all others wait.
#[test]
fn nothing_overtakes_what_found_no_room() {
    let directory = Directory::start();
    let mut rui = Peer::offline(&directory, "rui");
    rui.serve_with(&["--stranger-limit", "3,1KiB"]);
    let zoe = zoe(&directory);
    let mut batch = messages(6);
    batch[5] = batch[0].clone();
    batch.push(json!("no message"));
    let items = rui.leave_batch(&zoe, &batch);
    assert_eq!(statuses(&items), [201, 201, 201, 429, 429, 429, 429]);
    assert!(items[3..].iter().all(|item| item["type"] == Slug::QuotaExceeded.urn()), "{items:?}");
    assert_eq!(rui.inbox_bodies(), ["1", "2", "3"]);
    let answer = rui.leave_with(&zoe, &json!(batch)).expect(200);
    assert_eq!(answer.header("retry-after"), Some("60"), "when to come with the rest");
    // What is kept already needs no room; the rest leaves when there is some, in its order.
    assert_eq!(statuses(&rui.leave_batch(&zoe, &batch[..4])), [200, 200, 200, 429]);
    rui.run(&["trust", "zoe", &zoe.fingerprint().to_string()]).expect(0);
    assert_eq!(statuses(&rui.leave_batch(&zoe, &batch[3..6])), [201, 201, 200]);
    assert_eq!(rui.inbox_bodies(), ["1", "2", "3", "4", "5"]);
}

#[test]
fn a_long_message_that_finds_no_room_is_not_overtaken_by_a_short_one() {
    let directory = Directory::start();
    let mut rui = Peer::offline(&directory, "rui");
    rui.serve_with(&["--stranger-limit", "100,1KiB"]);
    let zoe = zoe(&directory);
    let batch = [message("short", 1), message(&"long".repeat(300), 2), message("short too", 3)];
    assert_eq!(statuses(&rui.leave_batch(&zoe, &batch)), [201, 429, 429]);
    assert_eq!(rui.inbox_bodies(), ["short"]);
}

/// A fault meets a batch: what is kept already is told, nothing else is acknowledged, and nothing of it is there.
fn a_fault_meets_a_batch(calls: &str, fault: &str, refusal: Slug) {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    let zoe = zoe(&directory);
    let mut batch = messages(5);
    rui.leave_with(&zoe, &batch[0]).expect(201);
    let Some(strace) = inject(&mut rui, calls, fault) else { return };
    let items = rui.leave_batch(&zoe, &batch);
    assert_eq!(statuses(&items)[1..], [u64::from(refusal.status()); 4]);
    assert!(items[1..].iter().all(|item| item["type"] == refusal.urn()), "{items:?}");
    rui.get("/health").expect(200);
    strace.end();
    assert_eq!(rui.inbox_bodies(), ["1"]);
    batch.remove(2);
    assert_eq!(statuses(&rui.leave_batch(&zoe, &batch)), [200, 201, 201, 201]);
    rui.kill();
    rui.serve();
    assert_eq!(rui.inbox_bodies(), ["1", "2", "4", "5"]);
}

#[test]
fn a_full_disk_takes_no_message_of_a_batch() {
    a_fault_meets_a_batch("pwrite64", "error=ENOSPC", Slug::StorageFull);
}

#[test]
fn a_disk_that_fails_takes_no_message_of_a_batch() {
    a_fault_meets_a_batch("fsync,fdatasync", "error=EIO", Slug::Unavailable);
}
