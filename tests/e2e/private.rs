//! A private directory: invites for new names, tokens for readers.

use std::thread;

use protocol::Slug;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Answer, Directory, Finished, Stream, new_token, server_command};

const ADDRESS: &str = "http://127.0.0.1:7101";

fn claim(directory: &Directory, name: &str, token: &str, invite: Option<&str>) -> Answer {
    let body = json!({"name": name, "address": ADDRESS, "invite": invite});
    directory.request(Method::POST, "/register").bearer(token).json(&body).send()
}

fn invite(directory: &Directory, flags: &[&str]) -> String {
    let finished = directory.run(&[&["invite"], flags].concat()).expect(0);
    finished.stdout.strip_suffix('\n').expect("one line").to_owned()
}

#[test]
fn a_new_name_needs_an_invite_and_an_old_one_does_not() {
    let mut directory = Directory::with(&["--private"]);
    let (ana, rui, zeca) = (new_token(), new_token(), new_token());
    let missing = claim(&directory, "ana", &ana, None).expect_problem(Slug::InviteRequired);
    assert!(missing.text("detail").contains("server invite"));
    claim(&directory, "ana", &ana, Some("guess")).expect_problem(Slug::InviteRequired);
    // Made while the directory runs, by another process.
    let code = invite(&directory, &[]);
    claim(&directory, "ana", &ana, Some(&code)).expect(201);
    claim(&directory, "rui", &rui, Some(&code)).expect_problem(Slug::InviteRequired);
    claim(&directory, "ana", &rui, Some(&code)).expect_problem(Slug::NameTaken);
    claim(&directory, "ana", &ana, None).expect(200);
    directory.request(Method::DELETE, "/register").bearer(&ana).send().expect(204);
    claim(&directory, "ana", &ana, None).expect(201);

    directory.stop();
    let made: Vec<Value> =
        directory.run(&["invite", "--uses", "2", "--expires", "1h", "--json"]).expect(0).json();
    let code = made[0]["invite"].as_str().unwrap().to_owned();
    assert_eq!(made[0]["uses"], 2);
    assert!(made[0]["expires_at"].is_string());
    let expired = invite(&directory, &["--expires", "1ms"]);
    directory.start_again();
    claim(&directory, "rui", &rui, Some(&expired)).expect_problem(Slug::InviteRequired);
    claim(&directory, "rui", &rui, Some(&code)).expect(201);
    claim(&directory, "zeca", &zeca, Some(&code)).expect(201);
    claim(&directory, "bia", &new_token(), Some(&code)).expect_problem(Slug::InviteRequired);
    let database = std::fs::read(directory.database()).unwrap();
    assert!(!database.windows(code.len()).any(|window| window == code.as_bytes()), "the code itself is kept");
}

#[test]
fn of_many_who_claim_at_once_as_many_get_in_as_the_invite_has_uses() {
    let directory = Directory::with(&["--private"]);
    let code = invite(&directory, &["--uses", "7"]);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let claim = |number: u32| claim(&directory, &format!("n{number}"), &new_token(), Some(&code)).status;
        let threads: Vec<_> = (0..32).map(|number| scope.spawn(move || claim(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let count = |status| statuses.iter().filter(|seen| **seen == status).count();
    assert_eq!((count(201), count(403)), (7, 25), "{statuses:?}");
}

#[test]
fn only_who_holds_a_name_may_read() {
    let directory = Directory::with(&["--private", "--retention-unkeyed", "2s"]);
    let code = invite(&directory, &["--uses", "2"]);
    let (ana, rui) = (new_token(), new_token());
    claim(&directory, "ana", &ana, Some(&code)).expect(201);
    claim(&directory, "rui", &rui, Some(&code)).expect(201);
    let read = |path: &str, token: Option<&str>| {
        let request = directory.request(Method::GET, path);
        token.into_iter().fold(request, super::harness::Request::bearer).send()
    };
    let stranger = new_token();
    for path in ["/peers", "/peers?limit=1", "/peers/ana", "/peers/zeca", "/events"] {
        for token in [None, Some(stranger.as_str()), Some("short")] {
            let refused = read(path, token).expect_problem(Slug::TokenUnknown);
            assert_eq!(refused.header("www-authenticate"), Some("Bearer"), "{path}");
        }
    }
    let list = read("/peers", Some(&ana)).expect(200);
    assert_eq!(list.header("cache-control"), Some("private, no-cache"));
    assert_eq!(read("/peers/rui", Some(&ana)).expect(200).header("cache-control"), Some("private, no-cache"));
    read("/peers/zeca", Some(&ana)).expect_problem(Slug::UnknownName);
    let mut changes = directory.request(Method::GET, "/events").bearer(&ana).stream();
    assert_eq!(changes.header("cache-control"), Some("private, no-cache"));
    let etag = list.header("etag").unwrap();
    let again = directory.request(Method::GET, "/peers").bearer(&ana).header("if-none-match", etag).send();
    assert_eq!(again.expect(304).header("cache-control"), Some("private, no-cache"));
    // Offline, and still a holder; then the claim lapses.
    directory.request(Method::DELETE, "/register").bearer(&rui).send().expect(204);
    assert_eq!(changes.news(), ("left".into(), "rui".into()));
    read("/peers", Some(&rui)).expect(200);
    super::harness::until("rui's claim has lapsed", || {
        let answer = read("/peers", Some(&rui));
        (answer.status == 401).then(|| answer.expect_problem(Slug::TokenUnknown))
    });
    directory.request(Method::PUT, "/peers").send().expect_problem(Slug::MethodNotAllowed);
    for path in ["/health", "/openapi.yaml"] {
        directory.get(path).expect(200);
    }
}

#[test]
fn a_stream_ends_with_the_claim_of_its_reader() {
    let directory = Directory::with(&["--private", "--retention-unkeyed", "1s"]);
    let code = invite(&directory, &["--uses", "5"]);
    let tokens = ["ana", "rui", "zeca", "bia"].map(|name| {
        let token = new_token();
        claim(&directory, name, &token, Some(&code)).expect(201);
        token
    });
    let open = |token: &String| directory.request(Method::GET, "/events").bearer(token).stream();
    let [mut ana, mut rui, mut zeca, mut bia] = tokens.each_ref().map(open);
    let leave = |path: &str, token: &str| {
        directory.request(Method::DELETE, path).bearer(token).send().expect(204);
    };
    // That they are gone may be the last thing that they see themselves; a comment would say that the stream lives on.
    let ends = |stream: &mut Stream, who: &str| {
        while let Some(frame) = stream.frame() {
            assert!(frame.starts_with("event: left"), "{who}: {frame}");
        }
    };
    directory.run(&["names", "release", "ana"]).expect(0);
    ends(&mut ana, "ana, released");
    leave("/register?forget=true", &tokens[1]);
    ends(&mut rui, "rui, who gave it up");
    leave("/register", &tokens[2]);
    ends(&mut zeca, "zeca, who stayed away");
    claim(&directory, "hugo", &new_token(), Some(&code)).expect(201);
    for (what, who) in [("left", "ana"), ("left", "rui"), ("left", "zeca"), ("joined", "hugo")] {
        assert_eq!(bia.news(), (what.into(), who.into()), "who holds a name reads on");
    }
}

#[test]
fn an_open_directory_asks_for_no_invite_and_counts_none() {
    let mut directory = Directory::start();
    let code = invite(&directory, &[]);
    claim(&directory, "ana", &new_token(), Some(&code)).expect(201);
    claim(&directory, "rui", &new_token(), Some("anything")).expect(201);
    directory.stop();
    directory.start_again_with(&["--private"]);
    claim(&directory, "zeca", &new_token(), Some(&code)).expect(201);
}

#[test]
fn an_invite_may_come_before_the_directory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.db");
    let mut command = server_command();
    let finished = Finished::of("server invite", command.args(["invite", "--db"]).arg(&path), "").expect(0);
    assert_eq!(finished.stdout.trim_end().len(), 26);
    assert!(finished.stderr.contains("new"), "says that it made the database: {}", finished.stderr);
}
