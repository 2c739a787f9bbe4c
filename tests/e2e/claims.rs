//! Claims, tokens and names at the directory.

use std::sync::Barrier;
use std::thread;

use protocol::Slug;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Answer, Directory, new_token};

const ADDRESS: &str = "http://127.0.0.1:7101";

fn register(directory: &Directory, token: Option<&str>, body: &Value) -> Answer {
    let request = directory.request(Method::POST, "/register").json(body);
    token.into_iter().fold(request, super::harness::Request::bearer).send()
}

fn deregister(directory: &Directory, token: &str, query: &str) -> Answer {
    directory.request(Method::DELETE, &format!("/register{query}")).bearer(token).send()
}

#[test]
fn a_claim_without_a_token_is_given_one_once() {
    let directory = Directory::start();
    let body = json!({"name": "JOÃO", "address": ADDRESS, "colour": "red"});
    let claimed = register(&directory, None, &body).expect(201);
    let token = claimed.text("token");
    assert_eq!(claimed.text("name"), "joão");
    assert_eq!(claimed.header("location"), Some("/peers/jo%C3%A3o"));
    assert_eq!(claimed.json()["ttl_seconds"], 60);
    directory.get(claimed.header("location").unwrap()).expect(200);

    let renewed = register(&directory, Some(&token), &body).expect(200);
    assert!(renewed.json().get("token").is_none(), "said once");
    assert_eq!(renewed.json()["online_since"], claimed.json()["online_since"]);
    register(&directory, None, &body).expect_problem(Slug::NameTaken);
    let files = [directory.database(), directory.database().with_extension("db-wal")];
    for file in files.iter().filter(|file| file.exists()) {
        let bytes = std::fs::read(file).unwrap();
        let kept = bytes.windows(token.len()).any(|window| window == token.as_bytes());
        assert!(!kept, "the token itself is in {}", file.display());
    }
}

#[test]
fn a_name_belongs_to_its_token() {
    let directory = Directory::start();
    let (ana, rui) = (new_token(), new_token());
    directory.register("ana", ADDRESS, &ana).expect(201);
    directory.register("ana", ADDRESS, &rui).expect_problem(Slug::NameTaken);
    directory.register("ANA", ADDRESS, &rui).expect_problem(Slug::NameTaken);
    directory.register("rui", ADDRESS, &ana).expect_problem(Slug::TokenInUse);
    directory.register("rui", ADDRESS, &rui).expect(201);
    directory.register("ana", "http://127.0.0.1:7102", &ana).expect(200);
    assert_eq!(directory.get("/peers/ana").expect(200).json()["address"], "http://127.0.0.1:7102");
}

#[test]
fn a_fresh_start_is_online_anew() {
    let directory = Directory::start();
    let token = new_token();
    let first = directory.register("ana", ADDRESS, &token).expect(201).text("online_since");
    let renew = |fresh| {
        let body = json!({"name": "ana", "address": ADDRESS, "fresh": fresh});
        register(&directory, Some(&token), &body).expect(200).text("online_since")
    };
    assert_eq!(renew(false), first);
    assert_ne!(renew(true), first);
}

#[test]
fn a_fingerprint_never_changes() {
    let directory = Directory::start();
    let token = new_token();
    let (one, other) = ("a".repeat(52), format!("b{}", "a".repeat(51)));
    let with = |fingerprint: Value| {
        register(
            &directory,
            Some(&token),
            &json!({"name": "ana", "address": ADDRESS, "fingerprint": fingerprint}),
        )
    };
    assert_eq!(with(Value::Null).expect(201).json()["fingerprint"], Value::Null);
    assert_eq!(with(json!(one)).expect(200).json()["fingerprint"], json!(one), "it may gain one");
    with(json!(other)).expect_problem(Slug::FingerprintChanged);
    with(json!(one)).expect(200);
    directory.register("ana", ADDRESS, &token);
    assert_eq!(directory.get("/peers/ana").json()["fingerprint"], json!(one), "and keeps it");

    deregister(&directory, &token, "").expect(204);
    with(json!(other)).expect_problem(Slug::FingerprintChanged);
    deregister(&directory, &token, "?forget=true").expect(204);
    with(json!(other)).expect(201);
}

#[test]
fn going_offline_keeps_the_claim_and_forgetting_frees_it() {
    let directory = Directory::start();
    let (ana, other) = (new_token(), new_token());
    directory.register("ana", ADDRESS, &ana).expect(201);

    for token in [None, Some(&other)] {
        let request = directory.request(Method::DELETE, "/register");
        let request = token.into_iter().fold(request, |request, token| request.bearer(token));
        let answer = request.send().expect_problem(Slug::TokenUnknown);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    deregister(&directory, &ana, "?forget=perhaps").expect_problem(Slug::InvalidQuery);
    assert_eq!(directory.online(), ["ana"]);

    deregister(&directory, &ana, "").expect(204);
    deregister(&directory, &ana, "?forget=false").expect(204);
    assert!(directory.online().is_empty());
    let claim = directory.get("/peers/ana").expect(200).json();
    assert_eq!(claim, json!({"name": "ana", "fingerprint": null, "online": false}));
    directory.register("ana", ADDRESS, &other).expect_problem(Slug::NameTaken);
    directory.register("ana", ADDRESS, &ana).expect(201);

    deregister(&directory, &ana, "?forget=true").expect(204);
    directory.get("/peers/ana").expect_problem(Slug::UnknownName);
    deregister(&directory, &ana, "").expect_problem(Slug::TokenUnknown);
    directory.register("ana", ADDRESS, &other).expect(201);
    directory.register("rui", ADDRESS, &ana).expect(201);
}

#[test]
fn the_unspecified_host_is_where_the_request_came_from() {
    let directory = Directory::start();
    let claimed = directory.register("ana", "http://0.0.0.0:7101", &new_token()).expect(201);
    assert_eq!(claimed.text("address"), "http://127.0.0.1:7101");
    let claimed = directory.register("rui", "http://[::]:7101", &new_token()).expect(201);
    assert_eq!(claimed.text("address"), "http://127.0.0.1:7101");
}

#[test]
fn each_wrong_claim_is_its_problem() {
    let directory = Directory::start();
    let token = new_token();
    let long = "a".repeat(65);
    for name in ["", "ana lima", "a/b", "..", "p\u{0430}ypal", "a\u{202e}b", &long] {
        directory.register(name, ADDRESS, &token).expect_problem(Slug::InvalidName);
    }
    for address in [
        "",
        "127.0.0.1:7101",
        "ftp://127.0.0.1:7101",
        "http://127.0.0.1",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://ana@127.0.0.1:7101",
        "http://127.0.0.1:7101/path",
        "http://127.0.0.1:7101?q",
        "http://169.254.1.1:7101",
        "http://[::ffff:169.254.1.1]:7101",
        "http://0xa9fe0101:7101",
        "http://[fe80::1]:7101",
        "http://224.0.0.1:7101",
        "http://255.255.255.255:7101",
    ] {
        directory.register("ana", address, &token).expect_problem(Slug::InvalidAddress);
    }
    let body = json!({"name": "ana", "address": ADDRESS, "fingerprint": "short"});
    register(&directory, Some(&token), &body).expect_problem(Slug::InvalidFingerprint);
    for token in ["t".repeat(31), "t".repeat(257), format!("{} {}", "t".repeat(20), "t".repeat(20))] {
        directory.register("ana", ADDRESS, &token).expect_problem(Slug::InvalidToken);
    }
    for token in ["t".repeat(32), "!~".repeat(128)] {
        let name = format!("n{}", token.len());
        directory.register(&name, ADDRESS, &token).expect(201);
    }
    for body in [json!({}), json!([]), json!({"name": "ana"}), json!({"name": 7, "address": ADDRESS})] {
        let answer = register(&directory, Some(&token), &body);
        assert!(matches!(answer.status, 400 | 422), "{body}: {answer:?}");
    }
    let post = |body: &str| {
        directory
            .request(Method::POST, "/register")
            .header("content-type", "application/json")
            .bytes(body)
            .send()
    };
    post("{\"name\":").expect_problem(Slug::BadJson);
    post(&" ".repeat(2 * 1024 * 1024)).expect_problem(Slug::TooLarge);
    let form = directory.request(Method::POST, "/register").bytes("name=ana").send();
    form.expect_problem(Slug::UnsupportedMediaType);
    for path in ["/peers/a%20b", "/peers/%00", "/peers/a%2Fb"] {
        directory.get(path).expect_problem(Slug::InvalidName);
    }
    directory.get("/peers/%FF").expect_problem(Slug::BadRequest);
    directory.get("/peers/zeca").expect_problem(Slug::UnknownName);
    directory.get("/").expect_problem(Slug::NotFound);
}

#[test]
fn of_64_who_claim_at_once_one_gets_the_name() {
    let directory = Directory::start();
    let together = Barrier::new(64);
    let claim = || {
        together.wait();
        directory.register("ana", ADDRESS, &new_token()).status
    };
    let statuses: Vec<u16> = thread::scope(|scope| {
        let threads: Vec<_> = (0..64).map(|_| scope.spawn(claim)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let count = |status| statuses.iter().filter(|seen| **seen == status).count();
    assert_eq!((count(201), count(409)), (1, 63), "{statuses:?}");
}
