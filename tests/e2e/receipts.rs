//! What a receipt tells a sender with a key: what was had from it, and what is missing. And how much of whom is kept.

use protocol::Slug;
use serde_json::{Value, json};

use super::harness::{Directory, Key, Peer, new_token};

fn claimed(directory: &Directory, name: &str) -> Key {
    let key = Key::new();
    directory.register_with_key(name, "https://127.0.0.1:7101", &new_token(), key.fingerprint()).expect(201);
    key
}

#[test]
fn a_receipt_counts_what_was_had_from_the_key() {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    let zoe = claimed(&directory, "zoe");
    let leave = |rui: &Peer, members: Value| {
        let mut message = json!({"id": uuid::Uuid::now_v7(), "from": "zoe", "body": "oi"});
        message.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let receipt = rui.leave_with(&zoe, &message).expect(201).json();
        (receipt["highest"].clone(), receipt["missing"].clone())
    };
    assert_eq!(leave(&rui, json!({})), (Value::Null, Value::Null), "it never counted");
    assert_eq!(leave(&rui, json!({"seq": 1})), (json!(1), Value::Null));
    assert_eq!(leave(&rui, json!({"seq": 4})), (json!(4), json!([[2, 3]])));
    assert_eq!(leave(&rui, json!({"seq": 9})), (json!(9), json!([[2, 3], [5, 8]])));
    assert_eq!(leave(&rui, json!({"seq": 3, "closed": [[5, 7]]})), (json!(9), json!([[2, 2], [8, 8]])));
    rui.kill();
    rui.serve();
    assert_eq!(leave(&rui, json!({"seq": 2})), (json!(9), json!([[8, 8]])), "after a restart too");
    // A number that was had refuses nothing: ids decide.
    assert_eq!(leave(&rui, json!({"seq": 2})), (json!(9), json!([[8, 8]])));
    assert_eq!(leave(&rui, json!({"seq": 8})), (json!(9), Value::Null));
    // Without a key nothing is counted.
    let plain = rui.leave(&json!({"from": "ci", "body": "oi", "seq": 3})).expect(201).json();
    assert!(plain.get("highest").is_none() && plain.get("missing").is_none(), "{plain}");
    for closed in
        [json!([[0, 1]]), json!([[2, 1]]), json!([[1, 9_007_199_254_740_992_u64]]), json!(vec![[1, 1]; 17])]
    {
        let message = json!({"from": "zoe", "body": "oi", "closed": closed});
        rui.leave_with(&zoe, &message).expect_problem(Slug::InvalidMessage);
    }
}

#[test]
fn a_repeat_is_told_how_it_is_now() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let zoe = claimed(&directory, "zoe");
    let first = json!({"id": uuid::Uuid::now_v7(), "from": "zoe", "body": "one", "seq": 1});
    assert_eq!(rui.leave_with(&zoe, &first).expect(201).json()["highest"], 1);
    rui.leave_with(&zoe, &json!({"from": "zoe", "body": "three", "seq": 3})).expect(201);
    let again = rui.leave_with(&zoe, &first).expect(200).json();
    assert_eq!((&again["highest"], &again["missing"]), (&json!(3), &json!([[2, 2]])));
}

/// The quota of a class is full; the others have room, and a repeat needs none.
#[test]
fn each_class_of_senders_has_its_own_room() {
    let directory = Directory::start();
    let mut rui = Peer::offline(&directory, "rui");
    rui.serve_with(&[
        "--unverified-limit",
        "2,1KiB",
        "--stranger-limit",
        "2,1KiB",
        "--strangers-limit",
        "3,1MiB",
    ]);
    let friend = Peer::start(&directory, "friend");
    rui.send("friend", "you are a contact");
    let (zoe, eve) = (claimed(&directory, "zoe"), claimed(&directory, "eve"));
    let full = |answer: super::harness::Answer| {
        let refused = answer.expect_problem(Slug::QuotaExceeded);
        assert!(refused.header("retry-after").is_some());
        refused.text("detail")
    };
    let message = |from: &str| json!({"id": uuid::Uuid::now_v7(), "from": from, "body": "oi"});
    let first = message("ci");
    rui.leave(&first).expect(201);
    rui.leave(&message("cd")).expect(201);
    assert!(full(rui.leave(&message("ce"))).contains("--unverified-limit"));
    rui.leave(&first).expect(200);

    rui.leave_with(&zoe, &message("zoe")).expect(201);
    rui.leave_with(&zoe, &message("zoe")).expect(201);
    assert!(full(rui.leave_with(&zoe, &message("zoe"))).contains("--stranger-limit"));
    let long = json!({"from": "eve", "body": "x".repeat(1025)});
    assert!(full(rui.leave_with(&eve, &long)).contains("--stranger-limit"), "bytes count too");
    rui.leave_with(&eve, &message("eve")).expect(201);
    assert!(full(rui.leave_with(&eve, &message("eve"))).contains("--strangers-limit"));

    for number in 0..5 {
        assert_eq!(friend.send("rui", &format!("{number}")).state, "delivered", "a contact has all room");
    }
    // Who becomes a contact is a stranger no more, and leaves the room to others.
    rui.run(&["trust", "zoe", &zoe.fingerprint().to_string()]).expect(0);
    rui.leave_with(&zoe, &message("zoe")).expect(201);
    rui.leave_with(&eve, &message("eve")).expect(201);
}

#[test]
fn a_limit_of_0_refuses_its_class_and_none_lifts_it() {
    let directory = Directory::start();
    let mut rui = Peer::offline(&directory, "rui");
    rui.serve_with(&["--unverified-limit", "0", "--stranger-limit", "none", "--strangers-limit", "none"]);
    let zoe = claimed(&directory, "zoe");
    rui.leave(&json!({"from": "ci", "body": "oi"})).expect_problem(Slug::QuotaExceeded);
    rui.leave_with(&zoe, &json!({"from": "zoe", "body": "oi"})).expect(201);
    assert_eq!(rui.inbox().len(), 1);
}

#[test]
fn who_is_accepted_is_for_the_user_to_say() {
    let directory = Directory::start();
    let friend = Peer::start(&directory, "friend");
    let mut rui = Peer::start(&directory, "rui");
    rui.send("friend", "you are a contact");
    let zoe = claimed(&directory, "zoe");
    let plain = json!({"from": "ci", "body": "oi"});
    let verified = json!({"from": "zoe", "body": "oi"});
    let of_friend = json!({"from": "friend", "body": "oi"});
    for (accept, statuses) in
        [("everyone", [201, 201, 201]), ("verified", [403, 201, 201]), ("contacts", [403, 403, 201])]
    {
        rui.kill();
        rui.serve_with(&["--accept", accept]);
        let answers =
            [rui.leave(&plain), rui.leave_with(&zoe, &verified), rui.leave_with(&friend.key(), &of_friend)];
        for (answer, status) in answers.into_iter().zip(statuses) {
            if status == 403 {
                answer.expect_problem(Slug::NotAccepted);
            } else {
                answer.expect(status);
            }
        }
    }
    // A block counts before all that, for the name and for its keys under any name.
    rui.run(&["block", "zoe"]).expect(0);
    rui.kill();
    rui.serve();
    rui.leave_with(&zoe, &verified).expect_problem(Slug::Blocked);
    rui.leave_with(&zoe, &json!({"from": "zoe-too", "body": "oi"})).expect_problem(Slug::Blocked);
    rui.leave(&verified).expect_problem(Slug::Blocked);
    rui.run(&["unblock", "zoe"]).expect(0);
    rui.leave_with(&zoe, &verified).expect(201);
}
