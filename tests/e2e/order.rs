//! The order of listings: as each sender wrote, whenever it came.

use serde_json::{Value, json};

use super::harness::{Directory, Key, Peer, Process, new_token};

fn claimed(directory: &Directory, name: &str) -> Key {
    let key = Key::new();
    directory.register_with_key(name, "https://127.0.0.1:7101", &new_token(), key.fingerprint()).expect(201);
    key
}

fn message(from: &str, seq: Option<u64>) -> Value {
    let body = seq.map_or_else(|| format!("{from} uncounted"), |seq| format!("{from}/{seq}"));
    let mut message = json!({"id": uuid::Uuid::now_v7(), "from": from, "body": body});
    if let Some(seq) = seq {
        message["seq"] = json!(seq);
    }
    message
}

/// The texts in a listing.
fn listed(rui: &Peer, arguments: &[&str]) -> Vec<String> {
    rui.lines(arguments).into_iter().map(|line| line.body).collect()
}

#[test]
fn a_late_message_is_listed_where_its_sender_wrote_it() {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    let (zoe, eva) = (claimed(&directory, "zoe"), claimed(&directory, "eva"));
    let follow = Process::spawn("rui's follow", &mut rui.command(&["inbox", "--json", "--follow"]));
    let arrivals = [
        ("zoe", Some(1)),
        ("eva", Some(1)),
        ("zoe", Some(5)),
        ("zoe", None),
        ("eva", Some(2)),
        ("zoe", Some(3)),
        ("zoe", Some(9)),
        ("zoe", Some(4)),
        ("eva", Some(3)),
        ("zoe", Some(2)),
    ];
    for (from, seq) in arrivals {
        let key = if from == "zoe" { &zoe } else { &eva };
        rui.leave_with(key, &message(from, seq)).expect(201);
    }
    let all =
        ["zoe/1", "eva/1", "zoe/2", "zoe/3", "zoe/4", "zoe/5", "zoe uncounted", "eva/2", "zoe/9", "eva/3"];
    assert_eq!(listed(&rui, &["inbox"]), all);
    assert_eq!(listed(&rui, &["history"]), all);
    let zoes: Vec<_> = all.into_iter().filter(|text| text.starts_with("zoe")).collect();
    assert_eq!(listed(&rui, &["inbox", "--from", "zoe"]), zoes);
    assert_eq!(listed(&rui, &["history", "zoe"]), zoes);
    for limit in 1..all.len() {
        let last = all[all.len() - limit..].to_vec();
        assert_eq!(listed(&rui, &["inbox", "--limit", &limit.to_string()]), last, "the last {limit}");
        assert_eq!(listed(&rui, &["history", "--limit", &limit.to_string()]), last, "the last {limit}");
    }

    // Who follows is told as they came, each once.
    let as_they_came: Vec<_> =
        arrivals.iter().map(|(from, seq)| message(from, *seq)["body"].as_str().unwrap().to_owned()).collect();
    let followed = follow.stdout_until("all of them", |output| {
        (output.lines().count() >= arrivals.len()).then(|| output.to_owned())
    });
    let followed: Vec<_> = followed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["body"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(followed, as_they_came);

    rui.kill();
    rui.serve();
    assert_eq!(listed(&rui, &["inbox"]), all, "after a restart too");
}

#[test]
fn a_batch_that_comes_late_is_listed_as_it_was_written() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let zoe = claimed(&directory, "zoe");
    let batch = |seqs: &[u64]| seqs.iter().map(|seq| message("zoe", Some(*seq))).collect::<Vec<_>>();
    let expect = |seqs: &[u64]| {
        let texts: Vec<_> = seqs.iter().map(|seq| format!("zoe/{seq}")).collect();
        assert_eq!(listed(&rui, &["inbox"]), texts);
    };
    rui.leave_batch(&zoe, &batch(&[7, 6, 8]));
    expect(&[6, 7, 8]);
    rui.leave_batch(&zoe, &batch(&[1, 4, 3, 9]));
    expect(&[1, 3, 4, 6, 7, 8, 9]);
    rui.leave_batch(&zoe, &batch(&[5, 2]));
    expect(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

/// Numbers are one key's own: a name without a key, or another key, moves nothing.
#[test]
fn nobody_is_placed_among_the_messages_of_another() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let (zoe, eva) = (claimed(&directory, "zoe"), claimed(&directory, "eva"));
    rui.leave_with(&zoe, &message("zoe", Some(5))).expect(201);
    rui.leave_with(&eva, &message("eva", Some(2))).expect(201);
    rui.leave(&message("ci", Some(9))).expect(201);
    rui.leave(&message("cd", Some(1))).expect(201);
    rui.leave_with(&eva, &message("eva", Some(1))).expect(201);
    assert_eq!(listed(&rui, &["inbox"]), ["zoe/5", "eva/1", "eva/2", "ci/9", "cd/1"]);
}

/// A conversation goes back and forth; what comes late is placed among the answers as it was written.
#[test]
fn the_history_of_both_sides_takes_in_what_is_late() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let zoe = rui.key();
    let from_rui = |seq: u64| json!({"id": uuid::Uuid::now_v7(), "from": "rui", "body": format!("rui/{seq}"), "seq": seq});
    ana.leave_with(&zoe, &from_rui(1)).expect(201);
    assert_eq!(ana.send("rui", "ana/1").state, "delivered");
    ana.leave_with(&zoe, &from_rui(3)).expect(201);
    assert_eq!(ana.send("rui", "ana/2").state, "delivered");
    ana.leave_with(&zoe, &from_rui(2)).expect(201);
    let both = ["rui/1", "ana/1", "rui/2", "rui/3", "ana/2"];
    assert_eq!(listed(&ana, &["history", "rui"]), both);
    assert_eq!(listed(&ana, &["history"]), both);
    assert_eq!(listed(&ana, &["inbox"]), ["rui/1", "rui/2", "rui/3"]);
}
