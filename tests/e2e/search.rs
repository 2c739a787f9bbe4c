//! `peer search`: by words, blind to case and accents, over everything that is kept, whoever has indexed it.

use serde_json::json;

use super::harness::{Directory, Key, Peer, new_token, until};

fn claimed(directory: &Directory, name: &str) -> Key {
    let key = Key::new();
    directory.register_with_key(name, "https://127.0.0.1:7101", &new_token(), key.fingerprint()).expect(201);
    key
}

#[track_caller]
fn found(rui: &Peer, arguments: &[&str]) -> Vec<String> {
    rui.lines(&[&["search"], arguments].concat()).into_iter().map(|line| line.body).collect()
}

#[test]
fn words_are_found_whatever_their_case_and_accents_and_nothing_in_them_means_anything() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    for body in [
        "A Reunião é amanhã às 9h",
        "reunia\u{303}o CANCELADA",
        "100% \"certo\" AND NOT errado* (ou -quase)",
        "uma linha\ne a reuniao na outra",
        "会議は明日",
        "ana@lima escreveu",
        "ÇA VA, l'été",
        "only a column: body:reuniao",
    ] {
        rui.leave(&json!({"from": "ci", "body": body})).expect(201);
    }
    let count = |words: &[&str]| found(&rui, words).len();
    for word in ["reuniao", "REUNIÃO", "reunia\u{303}o", "Reuniao"] {
        assert_eq!(count(&[word]), 4, "{word}");
    }
    assert_eq!(count(&["amanha", "reuniao"]), 1, "all of them, in any order");
    assert_eq!(count(&["amanha reuniao"]), 1, "quoted in the shell or not");
    assert_eq!(count(&["reuni"]), 0, "whole words");
    assert_eq!(count(&["reuniao*"]), 4, "what is between words is between words");
    assert_eq!(count(&["errado*"]), 1);
    assert_eq!(count(&["reuniao", "AND", "cancelada"]), 0, "AND is a word");
    assert_eq!(count(&["AND", "NOT"]), 1);
    assert_eq!(count(&["\"certo\""]), 1);
    assert_eq!(count(&["certo\""]), 1);
    assert_eq!(rui.run(&["search", "--json", "--", "(ou", "-quase)"]).expect(0).stdout.lines().count(), 1);
    assert_eq!(count(&["body:reuniao"]), 1, "next to each other");
    assert_eq!(count(&["ana@lima"]), 1);
    assert_eq!(count(&["lima@ana"]), 0);
    assert_eq!(count(&["ete"]), 1);
    assert_eq!(count(&["会議は明日"]), 1);
    assert_eq!(count(&["reuniao", "!!!"]), 0);
    let many = "a ".repeat(101);
    for none in [
        &["", " "][..],
        &[many.as_str()],
        &["--query", "\"open"],
        &["--query", "nope:x"],
        &["--query", "*id"],
        &["--query", "NEAR("],
        &[],
    ] {
        let refused = rui.run(&[&["search"], none].concat()).expect(2);
        assert!(refused.stdout.is_empty() && !refused.stderr.is_empty(), "{refused:?}");
    }
    assert_eq!(count(&["--query", "reuni*"]), 4);
    assert_eq!(count(&["--query", "reuniao NOT cancelada"]), 3);
    assert_eq!(count(&["--query", "amanhã OR cancelada"]), 2);
    assert_eq!(count(&["--query", "\"na outra\""]), 1);
    assert_eq!(rui.run(&["search", "nobody-wrote-this"]).expect(0).stdout, "");
}

#[test]
fn what_is_no_word_is_found_as_it_stands() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    for body in ["会議は明日", "100% \"certo\""] {
        rui.leave(&json!({"from": "ci", "body": body})).expect(201);
    }
    let count = |words: &[&str]| found(&rui, words).len();
    rui.leave(&json!({"from": "ci", "body": "🎉 party 🎉 50_000 C:\\x"})).expect(201);
    for (part, times) in [
        ("🎉", 1),
        ("%", 1),
        ("_", 1),
        ("\\", 1),
        ("会議", 1),
        ("明", 1),
        ("は明日", 1),
        ("明会", 0),
        ("%%", 0),
    ] {
        assert_eq!(count(&[part]), times, "{part}");
    }
    assert_eq!(count(&["🎉", "PARTY"]), 1);
}

#[test]
fn both_ways_are_searched_in_the_order_of_listings_and_by_name_and_part() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let _ana = Peer::start(&directory, "ana");
    let zoe = claimed(&directory, "zoe");
    rui.leave_with(&zoe, &json!({"from": "zoe", "body": "word one", "seq": 1})).expect(201);
    rui.leave_with(&zoe, &json!({"from": "zoe", "body": "word three", "seq": 3})).expect(201);
    rui.send("ana", "word to ana");
    rui.leave_with(&zoe, &json!({"from": "zoe", "body": "word two", "seq": 2})).expect(201);
    rui.leave(&json!({"from": "ci", "body": "word of ci"})).expect(201);
    let all = ["word one", "word two", "word three", "word to ana", "word of ci"];
    assert_eq!(found(&rui, &["word"]), all, "as they were written");
    assert_eq!(found(&rui, &["word", "--limit", "2"]), all[3..]);
    assert_eq!(found(&rui, &["word", "--from", "zoe"]), all[..3]);
    assert_eq!(found(&rui, &["word", "--to", "ana"]), ["word to ana"]);
    assert_eq!(found(&rui, &["word", "--from", "ana"]), Vec::<String>::new());
    assert_eq!(found(&rui, &["word", "--with", "ana"]), ["word to ana"]);
    assert_eq!(found(&rui, &["word", "--since", "today"]), all);
    assert_eq!(found(&rui, &["word", "--before", "today"]), Vec::<String>::new());
    let ids: Vec<_> = rui.lines(&["search", "word"]).into_iter().map(|line| line.id).collect();
    assert_eq!(found(&rui, &["word", "--since", &ids[1], "--before", &ids[4]]), all[2..4]);
    assert_eq!(found(&rui, &["word", "--before", &ids[3], "--limit", "2"]), all[1..3]);
    let shown = rui.run(&["search", "three", "--ids"]).expect(0).stdout;
    assert!(shown.contains(&ids[2]) && shown.contains("zoe: word three"), "{shown}");
    rui.run(&["search", "word", "--from", "zoe", "--to", "ana"]).expect(2);
    assert_eq!(
        rui.inbox().into_iter().filter(|line| line.read == Some(false)).count(),
        4,
        "searching reads nothing"
    );
}

/// How many texts are in the index.
fn indexed(rui: &Peer) -> i64 {
    rui.database().query_row("SELECT stored FROM indexed", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_running_peer_indexes_when_it_is_idle_and_whoever_searches_needs_no_waiting() {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    rui.leave(&json!({"from": "ci", "body": "first word"})).expect(201);
    until("the daemon has indexed it", || (indexed(&rui) == 1).then_some(()));
    let batch: Vec<_> =
        (0..450).map(|number| json!({"from": "ci", "body": format!("word {number}")})).collect();
    let answer = rui.leave(&json!(batch)).expect(200).json();
    assert_eq!(answer.as_array().unwrap().len(), 450);
    assert_eq!(found(&rui, &["word", "--limit", "1000"]).len(), 451, "though it is not idle yet");
    rui.leave(&json!({"from": "ci", "body": "last word"})).expect(201);
    rui.kill();
    assert_eq!(found(&rui, &["last", "word"]), ["last word"], "without it, too");
    rui.serve();
    assert_eq!(found(&rui, &["word"]).len(), 452, "each once");
}

#[test]
fn what_may_be_anybodys_is_found_and_not_as_somebodys() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    rui.leave(&json!({"from": "zoe", "body": "word of anybody"})).expect(201);
    let zoe = claimed(&directory, "zoe");
    rui.run(&["trust", "zoe", &zoe.fingerprint().to_string()]).expect(0);
    rui.leave_with(&zoe, &json!({"from": "zoe", "body": "word of zoe"})).expect(201);
    assert_eq!(found(&rui, &["word"]), ["word of anybody", "word of zoe"]);
    assert_eq!(found(&rui, &["word", "--from", "zoe"]), ["word of zoe"]);
    assert_eq!(found(&rui, &["word", "--with", "zoe"]), ["word of zoe"]);
    let shown = rui.run(&["search", "anybody"]).expect(0).stdout;
    assert!(shown.contains("unverified"), "{shown}");
}
