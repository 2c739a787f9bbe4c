//! `peer delete` and `peer prune`: what was deleted never comes back, is told as received, and is in no file.

use std::fs;

use protocol::Slug;
use serde_json::{Value, json};

use super::harness::{Directory, Key, Peer, Process, new_token, until};

fn claimed(directory: &Directory, name: &str) -> Key {
    let key = Key::new();
    directory.register_with_key(name, "https://127.0.0.1:7101", &new_token(), key.fingerprint()).expect(201);
    key
}

fn message(from: &str, body: &str, seq: Option<u64>) -> Value {
    json!({"id": uuid::Uuid::now_v7(), "from": from, "body": body, "seq": seq})
}

/// The text of a member.
fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

/// What `--json` says was deleted.
#[track_caller]
fn deleted(rui: &Peer, arguments: &[&str]) -> u64 {
    let lines = rui.run(&[arguments, &["--json"]].concat()).expect(0).json::<Value>();
    assert_eq!(lines.len(), 1);
    lines[0]["deleted"].as_u64().unwrap()
}

#[test]
fn what_was_deleted_is_told_as_received_and_never_kept_again() {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    let zoe = claimed(&directory, "zoe");
    let (kept, plain) = (message("zoe", "keep me", Some(1)), message("ci", "plain", None));
    let lost = json!({"id": uuid::Uuid::now_v7(), "from": "zoe", "body": "lose me", "seq": 2,
        "sent_at": "2026-11-22T09:30:00Z", "reply_to": kept["id"]});
    rui.leave_with(&zoe, &kept).expect(201);
    let first = rui.leave_with(&zoe, &lost).expect(201).json();
    let first_plain = rui.leave(&plain).expect(201).json();
    assert_eq!(deleted(&rui, &["delete", text(&lost, "id"), text(&plain, "id")]), 2);
    assert_eq!(rui.inbox_bodies(), ["keep me"]);

    for round in 0..2 {
        let again = rui.leave_with(&zoe, &lost).expect(200).json();
        assert_eq!(again["received_at"], first["received_at"], "the first time");
        assert_eq!((&again["highest"], again.get("missing")), (&json!(2), None), "it counts as had");
        let again = rui.leave(&plain).expect(200).json();
        assert_eq!(again["received_at"], first_plain["received_at"]);
        for (member, other) in [
            ("body", json!("something else")),
            ("sent_at", json!("2026-11-22T09:30:01Z")),
            ("reply_to", Value::Null),
            ("reply_to", lost["id"].clone()),
        ] {
            let mut changed = lost.clone();
            changed[member] = other;
            rui.leave_with(&zoe, &changed).expect_problem(Slug::IdConflict);
        }
        let batch = rui.leave_batch(&zoe, &[lost.clone(), message("zoe", &format!("new {round}"), None)]);
        assert_eq!([&batch[0]["status"], &batch[1]["status"]], [&json!(200), &json!(201)]);
        rui.kill();
        rui.serve();
    }
    assert_eq!(rui.inbox_bodies(), ["keep me", "new 0", "new 1"]);
    rui.run(&["delete", text(&lost, "id")]).expect(1);

    // The same id of somebody else is another message.
    let mut eves = lost.clone();
    eves["from"] = json!("eve");
    rui.leave_with(&claimed(&directory, "eve"), &eves).expect(201);
}

#[test]
fn what_was_had_from_a_stranger_is_had_though_all_of_it_was_deleted() {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    rui.kill();
    rui.serve_with(&["--stranger-limit", "1,1KiB"]);
    let zoe = claimed(&directory, "zoe");
    let one = message("zoe", "one", Some(1));
    rui.leave_with(&zoe, &one).expect(201);
    rui.leave_with(&zoe, &message("zoe", "two", Some(2))).expect_problem(Slug::QuotaExceeded);
    assert_eq!(deleted(&rui, &["delete", text(&one, "id")]), 1);
    let three = rui.leave_with(&zoe, &message("zoe", "three", Some(3))).expect(201).json();
    assert_eq!(
        (&three["highest"], &three["missing"]),
        (&json!(3), &json!([[2, 2]])),
        "1 was had, and frees room"
    );
    // Nor does that change when the name is forgotten.
    assert_eq!(deleted(&rui, &["delete", text(&three, "id")]), 1);
    rui.run(&["forget", "zoe"]).expect(0);
    let again = rui.leave_with(&zoe, &one).expect(200).json();
    assert_eq!((&again["highest"], &again["missing"]), (&json!(3), &json!([[2, 2]])));
}

#[test]
fn what_waits_and_is_deleted_is_never_delivered_nor_missed() {
    let directory = Directory::start();
    let mut rui = Peer::claimed_but_offline(&directory, "rui");
    let ana = Peer::start(&directory, "ana");
    let [one, two, three] = ["one", "two", "three"].map(|text| ana.send("rui", text));
    assert_eq!(deleted(&ana, &["delete", &two.id, &one.id]), 2);
    assert_eq!(ana.sent().into_iter().map(|line| line.body).collect::<Vec<_>>(), ["three"]);
    rui.serve();
    ana.until_state_is(&three.id, "delivered");
    assert_eq!(rui.inbox_bodies(), ["three"]);
    let receipt =
        rui.leave_with(&ana.key(), &json!({"from": "ana", "body": "four", "seq": 4})).expect(201).json();
    assert_eq!(
        (&receipt["highest"], receipt.get("missing")),
        (&json!(4), None),
        "1 and 2 were told as closed"
    );
    ana.run(&["retry", &one.id]).expect(1);
}

#[test]
fn an_id_that_several_have_is_refused_with_a_list() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let (zoe, eve) = (claimed(&directory, "zoe"), claimed(&directory, "eve"));
    let (zoes, other) = (message("zoe", "mine", None), message("zoe", "another", None));
    let mut eves = zoes.clone();
    eves["from"] = json!("eve");
    rui.leave_with(&zoe, &zoes).expect(201);
    rui.leave_with(&zoe, &other).expect(201);
    rui.leave_with(&eve, &eves).expect(201);
    let id = text(&zoes, "id");
    let refused = rui.run(&["delete", text(&other, "id"), id]).expect(1);
    for part in ["from zoe", "from eve", "--from"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    assert_eq!(rui.inbox().len(), 3, "all or none");
    let unknown = uuid::Uuid::now_v7().to_string();
    rui.run(&["delete", text(&other, "id"), &unknown]).expect(1);
    rui.run(&["delete", id, "--from", "nobody"]).expect(1);
    rui.run(&["delete", "7"]).expect(2);
    rui.run(&["delete"]).expect(2);
    assert_eq!(rui.inbox().len(), 3, "all or none");
    rui.run(&["delete", id, "--from", "eve"]).expect(0);
    assert_eq!(rui.inbox_bodies(), ["mine", "another"]);
    rui.leave_with(&eve, &eves).expect(200);
    rui.run(&["delete", id, id]).expect(0);
    assert_eq!(rui.inbox_bodies(), ["another"]);

    // What the user says to themselves is there twice, and is theirs both times.
    let note = rui.send("rui", "a note");
    rui.until_inbox_is(&["another", "a note"]);
    rui.run(&["delete", &note.id]).expect(1);
    assert_eq!(deleted(&rui, &["delete", "--from", "rui", &note.id]), 2);
    assert_eq!(rui.lines(&["history"]).len(), 1);
}

/// Whether any file of the data directory holds this text.
fn is_somewhere(rui: &Peer, text: &str) -> bool {
    let files = fs::read_dir(rui.folder()).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).any(|path| {
        let bytes = fs::read(path).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn no_file_holds_a_text_that_was_deleted() {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    let zoe = claimed(&directory, "zoe");
    // One that has pages of its own, one that shares a page with others; words that only they have.
    let texts = [
        ("palimpsestlong ".repeat(2_000), "palimpsestlong"),
        ("palimpsestshort".to_owned(), "palimpsestshort"),
    ];
    let mut ids = Vec::new();
    for (number, (body, _)) in texts.iter().enumerate() {
        rui.leave_with(&zoe, &message("zoe", &format!("before {number}"), None)).expect(201);
        let left = message("zoe", body, None);
        rui.leave_with(&zoe, &left).expect(201);
        ids.push(text(&left, "id").to_owned());
        rui.leave_with(&zoe, &message("zoe", &format!("behind {number}"), None)).expect(201);
    }
    for (_, word) in &texts {
        assert!(is_somewhere(&rui, word));
        assert_eq!(rui.lines(&["search", word]).len(), 1);
    }
    assert_eq!(deleted(&rui, &["delete", &ids[0], &ids[1]]), 2);
    for (_, word) in &texts {
        assert!(rui.lines(&["search", word]).is_empty());
    }
    assert_eq!(rui.stop(), Some(0));
    for (_, word) in &texts {
        assert!(!is_somewhere(&rui, word), "{word}");
    }
    assert_eq!(rui.inbox_bodies(), ["before 0", "behind 0", "before 1", "behind 1"]);
}

/// Has the messages whose text begins so come, or be written, so many days ago.
fn age(rui: &Peer, begins: &str, days: i64) {
    for table in ["received", "sent"] {
        let older = format!("UPDATE {table} SET at = at - ?1 * 86400000 WHERE body GLOB ?2");
        rui.database().execute(&older, (days, format!("{begins}*"))).unwrap();
    }
}

#[test]
fn old_messages_are_pruned_but_not_what_waits() {
    let directory = Directory::start();
    let _zoe = Peer::claimed_but_offline(&directory, "zoe");
    let eve = Peer::start(&directory, "eve");
    let rui = Peer::start(&directory, "rui");
    let old = message("ci", "old from ci", None);
    rui.leave(&old).expect(201);
    rui.leave(&message("bot", "old from bot", None)).expect(201);
    rui.leave(&message("ci", "new from ci", None)).expect(201);
    rui.send("eve", "old, delivered");
    rui.send("zoe", "old, waits");
    rui.send("eve", "new, delivered");
    age(&rui, "old", 8);
    let all = rui.lines(&["history"]).len();
    for (flags, count) in
        [(&[][..], 3), (&["--with", "eve"], 1), (&["--with", "ci"], 1), (&["--with", "zoe"], 0)]
    {
        let dry = ["prune", "--older-than", "7d", "--dry-run"];
        let would = rui.run(&[&dry, flags].concat()).expect(0);
        assert!(would.stdout.contains(&format!("{count} message")), "{}", would.stdout);
    }
    assert_eq!(deleted(&rui, &["prune", "--older-than", "9d"]), 0);
    assert_eq!(rui.lines(&["history"]).len(), all);
    assert_eq!(deleted(&rui, &["prune", "--older-than", "7d", "--with", "bot"]), 1);
    assert_eq!(deleted(&rui, &["prune", "--older-than", "7d"]), 2);
    let bodies =
        |lines: Vec<super::harness::Line>| lines.into_iter().map(|line| line.body).collect::<Vec<_>>();
    assert_eq!(bodies(rui.lines(&["history"])), ["new from ci", "old, waits", "new, delivered"]);
    rui.leave(&old).expect(200);
    assert_eq!(rui.inbox_bodies(), ["new from ci"]);
    assert_eq!(eve.inbox().len(), 2, "the others keep theirs");
    for bad in [&["prune"][..], &["prune", "--older-than", "7"], &["prune", "--older-than", "-1d"]] {
        rui.run(bad).expect(2);
    }
    assert_eq!(deleted(&rui, &["prune", "--older-than", "0s"]), 2, "all but what waits");
    assert_eq!(bodies(rui.lines(&["history"])), ["old, waits"]);
}

#[test]
fn a_prune_that_is_killed_goes_on_where_it_was() {
    let directory = Directory::start();
    let mut rui = Peer::offline(&directory, "rui");
    rui.serve_with(&["--stranger-limit", "none"]);
    let zoe = claimed(&directory, "zoe");
    for batch in 0..16 {
        let messages: Vec<_> =
            (0..500).map(|number| message("zoe", &format!("old {batch}/{number}"), None)).collect();
        rui.leave_batch(&zoe, &messages);
    }
    rui.leave_with(&zoe, &message("zoe", "new", None)).expect(201);
    age(&rui, "old", 8);
    let prune = ["prune", "--older-than", "7d", "--json"];
    for _ in 0..2 {
        let before = rui.count_received();
        let mut process = Process::spawn("rui's prune", &mut rui.command(&prune));
        until("some of it is deleted", || (rui.count_received() < before).then_some(()));
        process.kill();
        let left = rui.count_received();
        assert_eq!((left - 1) % 200, 0, "whole commits: {left}");
    }
    let left = rui.count_received() as u64;
    assert_eq!(deleted(&rui, &prune[..3]), left - 1);
    assert_eq!(rui.inbox_bodies(), ["new"]);
    let kept: (u64, u64) = rui
        .database()
        .query_row("SELECT messages, bytes FROM kept", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(kept, (1, 3), "what is deleted is not counted");
}
