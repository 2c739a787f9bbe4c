//! A program leaves a message as curl would, rightly and in every wrong way.

use std::sync::Barrier;
use std::thread;

use protocol::Slug;
use protocol::message::{LONGEST_BODY, LONGEST_ENCODED};
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Answer, Directory, Peer};

fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

#[test]
fn the_same_message_again_is_the_same_receipt() {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    let message = json!({
        "id": new_id(), "from": "ci", "to": "rui", "body": "green", "sent_at": "2026-11-22T09:30:00Z", "seq": 4,
        "reply_to": new_id(),
    });
    let first = rui.leave(&message).expect(201).json();
    assert_eq!(first["id"], message["id"]);
    assert_eq!(first["verified"], false);
    assert_eq!(rui.leave(&message).expect(200).json(), first);

    let same = |change: &dyn Fn(&mut Value)| {
        let mut message = message.clone();
        change(&mut message);
        message
    };
    let times = same(&|message| message["sent_at"] = json!("2026-11-22T06:30:00.000-03:00"));
    let no_to = same(&|message| message["to"] = Value::Null);
    let spelt = same(&|message| message["from"] = json!("CI"));
    let other_seq = same(&|message| message["seq"] = json!(5));
    let more = same(&|message| message["colour"] = json!("red"));
    for again in [times, no_to, spelt, other_seq, more] {
        assert_eq!(rui.leave(&again).expect(200).json(), first, "{again}");
    }

    rui.kill();
    rui.serve();
    assert_eq!(rui.leave(&message).expect(200).json(), first, "after a restart too");
    assert_eq!(rui.inbox_bodies(), ["green"]);
}

#[test]
fn the_same_id_with_other_content_is_a_conflict() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let message = json!({"id": new_id(), "from": "ci", "body": "green", "sent_at": "2026-11-22T09:30:00Z"});
    rui.leave(&message).expect(201);
    for (member, other) in [
        ("from", json!("cd")),
        ("body", json!("red")),
        ("sent_at", json!("2026-11-22T09:30:01Z")),
        ("sent_at", Value::Null),
        ("reply_to", json!(new_id())),
    ] {
        let mut changed = message.clone();
        changed[member] = other;
        rui.leave(&changed).expect_problem(Slug::IdConflict);
    }
    assert_eq!(rui.inbox_bodies(), ["green"]);
}

#[test]
fn an_id_is_made_when_it_is_left_out() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let message = json!({"from": "ci", "body": "twice"});
    let (first, second) = (rui.leave(&message).expect(201), rui.leave(&message).expect(201));
    assert_ne!(first.text("id"), second.text("id"));
    let ids: Vec<_> = rui.inbox().into_iter().map(|line| line.id).collect();
    assert_eq!(ids, [first.text("id"), second.text("id")]);
}

#[test]
fn many_repeats_at_once_are_one_message() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let message = json!({"id": new_id(), "from": "ci", "body": "once"});
    let together = Barrier::new(32);
    let answers: Vec<Answer> = thread::scope(|scope| {
        let leave = || {
            together.wait();
            rui.leave(&message)
        };
        let threads: Vec<_> = (0..32).map(|_| scope.spawn(leave)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 1);
    let first = answers[0].json();
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 201) && answer.json() == first));
    assert_eq!(rui.inbox_bodies(), ["once"]);
}

#[test]
fn each_wrong_message_is_its_problem() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    for (message, slug) in [
        (json!({"from": "ci", "to": "ana", "body": "x"}), Slug::Misdirected),
        (json!({"from": "ci", "body": "x".repeat(LONGEST_BODY + 1)}), Slug::TooLarge),
        (json!({"from": "c i", "body": "x"}), Slug::InvalidName),
        (json!({"from": "p\u{0430}ypal", "body": "x"}), Slug::InvalidName),
        (json!({"from": "ci", "to": "a/b", "body": "x"}), Slug::InvalidName),
        (json!({"from": "ci", "body": ""}), Slug::InvalidMessage),
        (json!({"from": "ci", "body": "a\0b"}), Slug::InvalidMessage),
        (json!({"from": "ci", "body": "x", "id": "7"}), Slug::InvalidMessage),
        (json!({"from": "ci", "body": "x", "sent_at": "yesterday"}), Slug::InvalidMessage),
        (json!({"from": "ci", "body": "x", "seq": 0}), Slug::InvalidMessage),
        (json!({"from": "ci", "body": "x", "seq": 9_007_199_254_740_992_u64}), Slug::InvalidMessage),
        (json!({"from": "ci", "body": "x", "reply_to": "y"}), Slug::InvalidMessage),
    ] {
        rui.leave(&message).expect_problem(slug);
    }
    assert!(rui.inbox().is_empty());
}

#[test]
fn what_has_not_the_shape_of_a_message_is_refused_without_harm() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let post = |body: Vec<u8>| {
        rui.request(Method::POST, "/messages").header("content-type", "application/json").bytes(body).send()
    };
    for body in [
        &b""[..],
        b"{",
        b"oi",
        b"{\"from\":\"ci\",\"body\":\"x\"} trailing",
        b"{\"from\":\"ci\",\"body\":\"\xff\"}",
    ] {
        post(body.to_vec()).expect_problem(Slug::BadJson);
    }
    for body in [
        &b"7"[..],
        b"null",
        b"{}",
        b"[]",
        b"{\"from\":\"ci\"}",
        b"{\"from\":7,\"body\":\"x\"}",
        b"{\"from\":\"ci\",\"body\":\"x\",\"seq\":-1}",
    ] {
        let answer = post(body.to_vec());
        assert!(matches!(answer.status, 400 | 422), "{}: {answer:?}", String::from_utf8_lossy(body));
    }
    let deep = "[".repeat(200_000);
    assert!(matches!(post(deep.into_bytes()).status, 400 | 422));
    post(vec![b' '; LONGEST_ENCODED + 1]).expect_problem(Slug::TooLarge);
    assert!(rui.inbox().is_empty());
    rui.get("/health").expect(200);
}

#[test]
fn the_longest_body_fits_in_any_encoding() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let body = "\u{1}".repeat(LONGEST_BODY);
    // serde_json writes each of these characters in six bytes.
    let message = json!({"from": "ci", "body": body});
    assert!(message.to_string().len() > 6 * LONGEST_BODY);
    rui.leave(&message).expect(201);
    assert_eq!(rui.inbox_bodies(), [body]);
}

#[test]
fn only_json_is_taken() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let message = json!({"from": "ci", "body": "oi"}).to_string();
    for media_type in ["application/x-www-form-urlencoded", "text/plain", "application/jsonp", "json"] {
        let answer = rui
            .request(Method::POST, "/messages")
            .header("content-type", media_type)
            .bytes(message.clone())
            .send()
            .expect_problem(Slug::UnsupportedMediaType);
        assert!(answer.text("detail").contains("--json"), "says what to do");
    }
    rui.request(Method::POST, "/messages")
        .bytes(message.clone())
        .send()
        .expect_problem(Slug::UnsupportedMediaType);
    for media_type in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json"] {
        rui.request(Method::POST, "/messages")
            .header("content-type", media_type)
            .bytes(message.clone())
            .send()
            .expect(201);
    }
}

#[test]
fn no_message_can_be_read_from_the_port() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let id = rui.leave(&json!({"from": "ci", "body": "a secret"})).expect(201).text("id");
    for path in
        ["/", "/inbox", "/peers", "/register", "/messages/", &format!("/messages/{id}"), "/api/messages"]
    {
        rui.get(path).expect_problem(Slug::NotFound);
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = rui.request(method, "/messages").send().expect_problem(Slug::MethodNotAllowed);
        assert_eq!(answer.header("allow"), Some("POST"));
    }
}

#[test]
fn a_request_id_is_kept_or_made() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let answer = rui.request(Method::GET, "/identity").header("x-request-id", "build-42").send().expect(200);
    assert_eq!(answer.header("x-request-id"), Some("build-42"));
    let identity = answer.json();
    assert_eq!((&identity["name"], &identity["fingerprint"]), (&json!("rui"), &json!(rui.fingerprint())));
    let made = |answer: &Answer| answer.header("x-request-id").unwrap().to_owned();
    assert_ne!(made(&rui.get("/health")), made(&rui.get("/health")));
}
