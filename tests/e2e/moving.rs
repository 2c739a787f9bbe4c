//! `peer export` and `peer import`: the history on another machine, faithful, again and again; and files that are not what
//! they say.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::harness::{Directory, Key, Line, Peer, Process, new_token, until};

fn claimed(directory: &Directory, name: &str) -> Key {
    let key = Key::new();
    directory.register_with_key(name, "https://127.0.0.1:7101", &new_token(), key.fingerprint()).expect(201);
    key
}

fn message(from: &str, body: &str, seq: Option<u64>) -> Value {
    json!({"id": uuid::Uuid::now_v7(), "from": from, "body": body, "seq": seq})
}

/// What was exported, a line each.
fn exported(peer: &Peer) -> String {
    peer.run(&["export"]).expect(0).stdout
}

/// What `--json` says of an import from standard input: new, known, deleted.
#[track_caller]
fn imported(peer: &Peer, lines: &str) -> [u64; 3] {
    let said = peer.run_with_input(&["import", "--json", "-"], lines).expect(0).json::<Value>();
    assert_eq!(said.len(), 1);
    ["imported", "known", "deleted"].map(|count| said[0][count].as_u64().unwrap())
}

fn bodies(lines: Vec<Line>) -> Vec<String> {
    lines.into_iter().map(|line| line.body).collect()
}

/// Ana has written to and heard from zoe, heard from a program, and was refused; nothing of hers waits.
fn ana_with_a_past(directory: &Directory) -> (Peer, Peer) {
    let zoe = Peer::start(directory, "zoe");
    let ana = Peer::start(directory, "ana");
    for text in ["oi, zoe", "tudo bem?"] {
        ana.send("zoe", text);
    }
    zoe.send("ana", "tudo\nbem \u{1b}[31m\u{202e} \"sim\"");
    ana.until_inbox_is(&["tudo\nbem \u{1b}[31m\u{202e} \"sim\""]);
    let plain = json!({"from": "ci", "body": "build 7", "sent_at": "2026-11-22T09:30:00.123456789+01:00",
        "reply_to": uuid::Uuid::now_v7()});
    ana.leave(&plain).expect(201);
    ana.run(&["inbox", "--limit", "1"]).expect(0);
    zoe.run(&["block", "ana"]).expect(0);
    assert_eq!(ana.run(&["send", "zoe", "hm?"]).code, Some(4));
    zoe.run(&["unblock", "ana"]).expect(0);
    (ana, zoe)
}

#[test]
fn the_history_moves_to_another_machine_and_is_the_same_there() {
    let directory = Directory::start();
    let (mut ana, zoe) = ana_with_a_past(&directory);
    let lines = exported(&ana);
    assert_eq!(lines.lines().count(), 5, "one message a line, and nothing else");
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    for member in [
        "id",
        "direction",
        "from",
        "to",
        "body",
        "sent_at",
        "received_at",
        "verified",
        "fingerprint",
        "seq",
        "read",
        "state",
        "reason",
        "source",
        "reply_to",
        "tries",
        "delivered_to",
        "delivered_as",
    ] {
        assert!(first.get(member).is_some(), "{member} in {first}");
    }
    assert!(!lines.contains(['\u{1b}', '\u{202e}']), "nothing that harms a terminal");
    assert_eq!(ana.stop(), Some(0));

    // With the key, on another machine.
    let mut moved = Peer::offline(&directory, "ana");
    fs::copy(ana.folder().join("identity.pem"), moved.folder().join("identity.pem")).unwrap();
    assert_eq!(imported(&moved, &lines), [5, 0, 0]);
    assert_eq!(exported(&moved), lines, "byte by byte");
    assert_eq!(imported(&moved, &lines), [0, 5, 0]);
    assert_eq!(exported(&moved), lines);
    for listing in [&["history"][..], &["inbox"], &["sent"], &["history", "zoe"], &["search", "bem"]] {
        let json = |peer: &Peer| peer.run(&[listing, &["--json"]].concat()).expect(0).stdout;
        assert_eq!(json(&moved), json(&ana), "{listing:?}");
    }

    // It goes on where it was: zoe is a contact, and the count goes on.
    fs::copy(ana.folder().join("tokens.json"), moved.folder().join("tokens.json")).unwrap();
    moved.serve();
    let contacts = moved.run(&["contacts", "--json"]).expect(0).json::<Value>();
    let of_zoe = contacts.iter().find(|contact| contact["name"] == "zoe").unwrap();
    assert_eq!((&of_zoe["fingerprint"], &of_zoe["contact"]), (&json!(zoe.fingerprint()), &json!(true)));
    let next = moved.send("zoe", "daqui");
    moved.until_state_is(&next.id, "delivered");
    assert_eq!(moved.sent().last().unwrap().seq, Some(4));
    assert_eq!(bodies(moved.lines(&["history"])).last().unwrap(), "daqui", "behind what was imported");
    zoe.send("ana", "para lá");
    until("zoe's answer is there", || (moved.inbox().len() == 3).then_some(()));

    // With another key it is somebody else's past, and byte by byte the same.
    let other = Peer::offline(&directory, "other");
    assert_eq!(imported(&other, &lines), [5, 0, 0]);
    assert_eq!(exported(&other), lines);
}

#[test]
fn what_waited_there_is_not_sent_by_two_and_can_be_tried_again() {
    let directory = Directory::start();
    let mut rui = Peer::claimed_but_offline(&directory, "rui");
    let ana = Peer::offline(&directory, "ana");
    for text in ["one", "two"] {
        ana.run(&["send", "--name", "ana", "rui", text]);
    }
    assert_eq!(ana.count_sent("queued"), 2);
    let lines = exported(&ana);
    let bia = Peer::start(&directory, "bia");
    assert_eq!(imported(&bia, &lines), [2, 0, 0]);
    let sent = bia.sent();
    assert!(
        sent.iter().all(|line| line.state.as_deref() == Some("expired") && line.reason.is_some()),
        "{sent:?}"
    );
    rui.serve();
    let new = bia.send("rui", "from bia");
    bia.until_state_is(&new.id, "delivered");
    assert_eq!(rui.inbox_bodies(), ["from bia"]);
    bia.run(&["retry", &sent[1].id, "--wait"]).expect(0);
    rui.until_inbox_is(&["from bia", "two"]);
    assert!(rui.inbox().iter().all(|line| line.verified && line.from == "bia"));
    assert_eq!(rui.inbox().iter().map(|line| line.seq).collect::<Vec<_>>(), [Some(1), Some(2)]);
}

#[test]
fn what_was_deleted_stays_so_and_what_is_imported_is_nobodys_news() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let zoe = claimed(&directory, "zoe");
    for number in 1..=4 {
        ana.leave_with(&zoe, &message("zoe", &format!("z/{number}"), Some(number))).expect(201);
    }
    let note = ana.send("ana", "to myself");
    ana.until_state_is(&note.id, "delivered");
    let (lines, listed) = (exported(&ana), ana.lines(&["history"]));
    let follow =
        Process::spawn("ana's follow", &mut ana.command(&["inbox", "--json", "--follow", "--limit", "0"]));
    ana.run(&["delete", &listed[1].id, &listed[2].id]).expect(0);
    ana.run(&["delete", "--from", "ana", &note.id]).expect(0);
    assert_eq!(imported(&ana, &lines), [0, 2, 4]);
    // Somebody else's export, with what is new here.
    let other = Peer::offline(&directory, "other");
    assert_eq!(imported(&other, &lines), [6, 0, 0]);
    other.run(&["delete", &listed[0].id]).expect(0);
    assert_eq!(imported(&other, &lines), [0, 5, 1]);
    let past = json!({"id": uuid::Uuid::now_v7(), "direction": "received", "from": "old", "to": "ana", "body": "from the past",
        "received_at": "2020-01-01T00:00:00Z"}).to_string();
    assert_eq!(imported(&ana, &past), [1, 0, 0]);
    assert_eq!(bodies(ana.lines(&["history"])), ["from the past", "z/1", "z/4"]);
    ana.leave_with(&zoe, &message("zoe", "news", Some(5))).expect(201);
    follow.shows("news");
    assert!(!follow.stdout().contains("from the past"), "{}", follow.stdout());
    // It is searched, pruned and deleted as everything else.
    assert_eq!(bodies(ana.lines(&["search", "past"])), ["from the past"]);
    ana.run(&["prune", "--older-than", "365d"]).expect(0);
    assert_eq!(imported(&ana, &past), [0, 0, 1]);
    assert!(ana.lines(&["search", "past"]).is_empty());
}

/// In whichever parts and order a file is imported, each sender's messages are listed as they were written.
#[test]
fn each_senders_messages_stay_in_order_in_whichever_parts_they_are_imported() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let (zoe, eva) = (claimed(&directory, "zoe"), claimed(&directory, "eva"));
    let _rui = Peer::claimed_but_offline(&directory, "rui");
    for number in 1..=12_u64 {
        ana.leave_with(&zoe, &message("zoe", &format!("zoe/{number:02}"), Some(number))).expect(201);
        ana.leave_with(&eva, &message("eva", &format!("eva/{number:02}"), Some(number))).expect(201);
        ana.send("rui", &format!("rui/{number:02}"));
    }
    let lines: Vec<String> = exported(&ana).lines().map(|line| format!("{line}\n")).collect();
    let part = |range: std::ops::Range<usize>| lines[range].concat();
    for parts in [
        vec![part(18..36), part(0..18)],
        vec![part(12..24), part(24..36), part(0..12)],
        vec![part(24..36), part(0..12), part(12..24)],
        lines.iter().rev().cloned().collect(),
    ] {
        let other = Peer::offline(&directory, "other");
        // What came here of zoe already, by the same key.
        for lines in parts {
            imported(&other, &lines);
        }
        let listed = bodies(other.lines(&["history"]));
        for who in ["zoe", "eva", "rui"] {
            let of: Vec<_> = listed.iter().filter(|body| body.starts_with(who)).collect();
            assert!(of.is_sorted() && of.len() == 12, "{of:?}");
        }
    }
    // An old backup that goes on, and then gets what it lacks.
    let mut old = Peer::start(&directory, "old");
    for number in [1, 2, 14] {
        old.leave_with(&zoe, &message("zoe", &format!("zoe/{number:02}"), Some(number))).expect(201);
    }
    old.kill();
    let newer: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("zoe/") && !line.contains("zoe/01") && !line.contains("zoe/02"))
        .cloned()
        .collect();
    assert_eq!(imported(&old, &newer.concat()), [10, 0, 0]);
    let all: Vec<_> = (1..=12).chain([14]).map(|number| format!("zoe/{number:02}")).collect();
    assert_eq!(old.inbox_bodies(), all);
}

fn file(peer: &Peer, name: &str, bytes: &[u8]) -> PathBuf {
    let path = peer.folder().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// A line that was received, changed so.
fn received(change: impl Fn(&mut Value)) -> String {
    let mut line = json!({"id": uuid::Uuid::now_v7(), "direction": "received", "from": "zoe", "to": "ana", "body": "oi",
        "received_at": "2026-11-22T09:30:00Z", "read": false, "colour": "red", "nested": {"a": [1, 2]}});
    change(&mut line);
    line.to_string()
}

fn with(member: &str, value: &Value) -> String {
    received(|line| line[member] = value.clone())
}

fn without(member: &str) -> String {
    received(|line| drop(line.as_object_mut().unwrap().remove(member)))
}

fn sent_with(member: &str, value: &Value) -> String {
    let mut line = json!({"id": uuid::Uuid::now_v7(), "direction": "sent", "from": "ana", "to": "zoe", "body": "oi",
        "sent_at": "2026-11-22T09:30:00Z", "seq": 1, "state": "delivered"});
    line[member] = value.clone();
    line.to_string()
}

/// Lines that are no messages.
fn bad_lines() -> Vec<Vec<u8>> {
    let mut bad: Vec<Vec<u8>> = [
        with("id", &json!("7")),
        with("id", &json!(7)),
        without("id"),
        with("direction", &json!("sideways")),
        without("direction"),
        with("from", &json!("a b")),
        with("from", &json!("")),
        without("from"),
        with("to", &json!(null)),
        with("body", &json!("")),
        with("body", &json!("a\u{0}b")),
        with("body", &json!("x".repeat(65_537))),
        with("body", &json!(["oi"])),
        without("body"),
        with("received_at", &json!("yesterday")),
        without("received_at"),
        with("had", &json!([[0, 1]])),
        with("had", &json!([[2, 1]])),
        with("had", &json!([1])),
        with("had", &json!(vec![[1, 1]; 1_001])),
        with("sent_at", &json!(1_234)),
        with("seq", &json!(0)),
        with("seq", &json!(-1)),
        with("seq", &json!(1.5)),
        with("seq", &json!(9_007_199_254_740_992_u64)),
        with("fingerprint", &json!("abc")),
        with("verified", &json!("yes")),
        with("read", &json!("no")),
        with("source", &json!("; rm")),
        with("reply_to", &json!("x")),
        sent_with("state", &json!("lost")),
        sent_with("state", &json!(null)),
        sent_with("seq", &json!(null)),
        sent_with("sent_at", &json!(null)),
        sent_with("delivered_to", &json!("abc")),
        sent_with("tries", &json!(-1)),
        "{".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "oi".to_owned(),
        format!("{} {}", received(|_| ()), received(|_| ())),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect();
    bad.push(
        received(|_| ())
            .replace("oi", "o\u{fffd}")
            .into_bytes()
            .into_iter()
            .map(|byte| if byte == 0xbf { 0xff } else { byte })
            .collect(),
    );
    bad.push(vec![b'x'; 1 << 20]);
    bad.push([&received(|_| ()).into_bytes()[..], &vec![b' '; 1 << 20]].concat());
    bad
}

#[test]
fn a_line_that_is_no_message_ends_the_import_and_says_which() {
    let directory = Directory::start();
    let ana = Peer::offline(&directory, "ana");
    let mut kept = 0;
    for line in &bad_lines() {
        // One before and one behind; the one behind is not imported.
        let lines = [received(|_| ()).as_bytes(), b"\n\n", line, b"\n", received(|_| ()).as_bytes()].concat();
        let file = file(&ana, "bad.jsonl", &lines);
        let ended = ana.run(&["import", file.to_str().unwrap()]).expect(1);
        kept += 1;
        let shown: String = String::from_utf8_lossy(line).chars().take(100).collect();
        assert!(ended.stderr.contains("bad.jsonl, line 3"), "{shown}: {}", ended.stderr);
        assert_eq!(ana.count_received(), kept, "{shown}");
        assert!(!ended.stderr.contains("defect"), "{}", ended.stderr);
    }
    assert_eq!(ana.count_sent("delivered"), 0);
    // Mended, it goes on; and what is twice in a file is there once.
    let twice = received(|_| ());
    let lines = format!(
        "{twice}\r\n{twice}\n{}\n{}",
        sent_with("seq", &json!(1)),
        twice.replace("\"oi\"", "\"other\"")
    );
    assert_eq!(imported(&ana, &lines), [2, 2, 0]);
    assert_eq!(imported(&ana, ""), [0, 0, 0]);
    let longest = with("body", &json!("\u{1}".repeat(65_536)));
    assert_eq!(imported(&ana, &longest), [1, 0, 0], "as long as a body may be, however it is written");
    ana.run(&["import", "/nonexistent/file"]).expect(1);
    ana.run(&["import", "/"]).expect(1);
    ana.run(&["import"]).expect(2);
    assert_eq!(
        imported(&ana, &format!("\u{feff}{}", received(|_| ()))),
        [1, 0, 0],
        "as some editors begin a file"
    );
}

#[test]
fn verified_is_a_matter_of_keys_whatever_a_file_says() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let (zoe, old, eve) = (Key::new(), Key::new(), claimed(&directory, "eve"));
    ana.leave_with(&eve, &message("eve", "here", None)).expect(201);
    let mut count = 0;
    let mut line = |from: &str, key: Option<&Key>, verified: bool| {
        count += 1;
        json!({"id": uuid::Uuid::now_v7(), "direction": "received", "from": from, "to": "ana", "body": format!("{count}"),
            "received_at": "2026-11-22T09:30:00Z", "verified": verified, "seq": count,
            "fingerprint": key.map(|key| key.fingerprint().to_string())}).to_string()
    };
    let lines = [
        line("forged", None, true),
        line("zoe", Some(&old), true),
        line("zoe", Some(&zoe), true),
        line("zoe", Some(&eve), false),
        line("eve", Some(&zoe), true),
        line("bot", None, false),
        line("ana", Some(&zoe), true),
    ];
    let said = ana.run_with_input(&["import", "-"], &lines.join("\n")).expect(0);
    let verified: Vec<(String, bool)> =
        ana.lines(&["inbox"]).into_iter().map(|line| (line.body, line.verified)).collect();
    let expected =
        [("1", false), ("2", true), ("3", true), ("4", false), ("5", false), ("6", false), ("7", false)];
    let expected: Vec<_> = expected.into_iter().map(|(body, verified)| (body.to_owned(), verified)).collect();
    assert_eq!(verified[..7], expected);
    assert_eq!(verified[7], ("here".to_owned(), true), "what came here stays what it was");
    let [zoes, eves] = [&zoe, &eve].map(|key| key.fingerprint().to_string());
    assert!(said.stderr.contains(&format!("zoe has the key {zoes}")), "{}", said.stderr);
    assert!(said.stderr.contains(&format!("eve has the key {eves} here and {zoes}")), "{}", said.stderr);
    let contacts = ana.run(&["contacts", "--json"]).expect(0).json::<Value>();
    let of_zoe = contacts.iter().find(|contact| contact["name"] == "zoe").unwrap();
    assert_eq!((&of_zoe["fingerprint"], &of_zoe["contact"]), (&json!(zoes), &json!(false)), "only seen");
    assert!(contacts.iter().all(|contact| contact["name"] != "forged" && contact["name"] != "bot"));
    assert_eq!(bodies(ana.lines(&["inbox", "--from", "zoe"])), ["2", "3"]);
    assert_eq!(bodies(ana.lines(&["inbox", "--unverified"])), ["1", "4", "5", "6", "7"]);
    // What was said under the key that zoe had is no word for her now.
    ana.leave_with(&old, &message("zoe", "late", None)).expect_problem(protocol::Slug::KeyMismatch);
    // Quotas count what is imported.
    let kept: u64 = ana.database().query_row("SELECT sum(messages) FROM kept", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 8);
}

#[test]
fn what_was_had_moves_along_so_that_what_was_deleted_does_not_come_back() {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    let ana = Peer::start(&directory, "ana");
    for number in 1..=5 {
        ana.send("rui", &format!("a/{number}"));
    }
    rui.until_inbox_is(&["a/1", "a/2", "a/3", "a/4", "a/5"]);
    let ids: Vec<_> = rui.inbox().into_iter().map(|line| line.id).collect();
    rui.run(&["delete", &ids[0], &ids[1], &ids[3]]).expect(0);
    let lines = exported(&rui);
    let had: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["had"].clone()).collect();
    assert_eq!(had, [Value::Null, json!([[1, 5]])], "on the last line of each key");
    assert_eq!(rui.stop(), Some(0));

    let mut moved = Peer::offline(&directory, "rui");
    for file in ["identity.pem", "tokens.json"] {
        fs::copy(rui.folder().join(file), moved.folder().join(file)).unwrap();
    }
    assert_eq!(imported(&moved, &lines), [2, 0, 0]);
    assert_eq!(exported(&moved), lines);
    moved.serve();
    directory.until_online("rui", true);
    let six = ana.send("rui", "a/6");
    ana.until_state_is(&six.id, "delivered");
    let receipt =
        moved.leave_with(&ana.key(), &json!({"from": "ana", "body": "a/7", "seq": 7})).expect(201).json();
    assert_eq!((&receipt["highest"], receipt.get("missing")), (&json!(7), None), "ana has nothing to repair");
    assert_eq!(moved.inbox_bodies(), ["a/3", "a/5", "a/6", "a/7"]);
}

#[test]
fn whose_key_is_whose_is_known_when_all_of_a_file_is() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let (old, new) = (claimed(&directory, "old-zoe"), Key::new());
    let line = |body: &str, key: &Key| {
        with("body", &json!(body)).replacen(
            '{',
            &format!("{{\"verified\":true,\"fingerprint\":\"{}\",", key.fingerprint()),
            1,
        )
    };
    let (first, second) = (line("first", &old), line("second", &new));
    let broken = format!("{first}\nno message\n{second}\n");
    ana.run_with_input(&["import", "-"], &broken).expect(1);
    assert_eq!(ana.inbox_bodies(), ["first"]);
    assert_eq!(imported(&ana, &format!("{first}\n{second}\n")), [1, 1, 0]);
    assert!(ana.inbox().iter().all(|line| line.verified), "{:?}", ana.inbox());
    let doubted: u64 = ana
        .database()
        .query_row("SELECT count(*) FROM received WHERE doubted = 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(doubted, 0);
    let contacts = ana.run(&["contacts", "--json"]).expect(0).json::<Value>();
    let of_zoe = contacts.iter().find(|contact| contact["name"] == "zoe").unwrap();
    assert_eq!(of_zoe["fingerprint"], json!(new.fingerprint().to_string()));
}

#[test]
fn a_sender_that_counted_anew_is_listed_as_before() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let zoe = claimed(&directory, "zoe");
    for (number, text) in [(1, "1"), (2, "2"), (3, "3"), (2, "2 anew"), (4, "4")] {
        ana.leave_with(&zoe, &message("zoe", text, Some(number))).expect(201);
    }
    let other = Peer::offline(&directory, "other");
    assert_eq!(imported(&other, &exported(&ana)), [5, 0, 0]);
    assert_eq!(other.inbox_bodies(), ana.inbox_bodies());
    assert_eq!(other.inbox_bodies(), ["1", "2", "3", "2 anew", "4"]);
}

#[test]
fn a_file_is_its_owners_alone_and_whole_or_not_there() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    ana.leave(&json!({"from": "ci", "body": "secret"})).expect(201);
    let path = ana.folder().join("history.jsonl");
    fs::write(&path, "what was there").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    ana.run(&["export", path.to_str().unwrap()]).expect(0);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&path).unwrap(), exported(&ana));
    assert_eq!(ana.run(&["export", "-"]).expect(0).stdout, exported(&ana));
    ana.run(&["export", "/nonexistent/history.jsonl"]).expect(1);
    ana.run(&["export", ana.folder().to_str().unwrap()]).expect(1);
    for ours in ["recado.db", "identity.pem", "tokens.json"] {
        let path = ana.folder().join(ours);
        let before = fs::read(&path).unwrap();
        ana.run(&["export", path.to_str().unwrap()]).expect(2);
        assert!(ours.starts_with("recado") || fs::read(&path).unwrap() == before, "{ours}");
    }
    assert_eq!(ana.inbox()[0].read, Some(false), "exporting reads nothing");
}

#[test]
fn an_import_that_is_killed_goes_on_where_it_was() {
    let directory = Directory::start();
    let ana = Peer::offline(&directory, "ana");
    let key = Key::new().fingerprint().to_string();
    let line = |number: u64| {
        json!({"id": uuid::Uuid::from_u128(u128::from(number) + 1), "direction": "received", "from": "zoe", "to": "ana",
            "body": format!("z/{number:05}"), "received_at": "2026-11-22T09:30:00Z", "verified": true, "seq": number,
            "fingerprint": key}).to_string()
    };
    let lines: Vec<_> = (1..=8_000).map(line).collect();
    let path = file(&ana, "past.jsonl", lines.join("\n").as_bytes());
    ana.run(&["inbox"]).expect(0);
    for _ in 0..2 {
        let before = ana.count_received();
        let mut process =
            Process::spawn("ana's import", &mut ana.command(&["import", path.to_str().unwrap()]));
        until("some of it is imported", || (ana.count_received() > before).then_some(()));
        process.kill();
        assert_eq!(ana.count_received() % 1_000, 0, "whole commits");
    }
    let before = ana.count_received() as u64;
    assert_eq!(imported(&ana, &lines.join("\n")), [8_000 - before, before, 0]);
    let listed = ana.inbox();
    assert!(listed.iter().all(|line| line.verified));
    let listed = bodies(listed);
    assert!(listed.is_sorted() && listed.len() == 8_000);
}
