//! Eve speaks under names that have a key, in every way that a program without it has: nothing of hers is kept under them.

use protocol::Slug;
use protocol::paths::MESSAGES;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Answer, Directory, Fake, Key, Peer, Program, Reply, Request, raw};

const FORGED: &str = "this is not what it seems";

fn forged(from: &str) -> Value {
    json!({"from": from, "body": FORGED})
}

fn over_tls(rui: &Peer, key: Option<&Key>, message: &Value) -> Answer {
    let url = format!("https://{}", rui.place());
    let request = Request::new(Program::Peer, Method::POST, &url, MESSAGES).json(message);
    key.map_or_else(
        || Request::new(Program::Peer, Method::POST, &url, MESSAGES).json(message),
        |key| request.showing(key),
    )
    .send()
}

/// Nothing that was forged is anywhere under this name.
#[track_caller]
fn clean(rui: &Peer, name: &str) {
    for listing in
        [&["inbox"][..], &["inbox", "--from", name], &["history", name], &["inbox", "--unverified"]]
    {
        let lines = rui.lines(listing);
        let found = lines.iter().find(|line| line.from == name && line.body == FORGED);
        assert!(found.is_none(), "{listing:?}: {found:?}");
    }
    let peers: Vec<Value> = rui.run(&["peers", "--json"]).expect(0).json();
    let unread = peers.iter().find(|record| record["name"] == name).map(|record| record["unread"].clone());
    assert!(unread.is_none_or(|unread| unread == 0));
}

#[test]
fn nobody_speaks_under_a_name_that_has_a_key() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    // A contact, one who is only seen, one who has never written, and rui himself.
    rui.send("ana", "hello");
    let seen = Peer::start(&directory, "seen");
    seen.send("rui", "hello");
    rui.run(&["inbox"]).expect(0);
    let silent = Peer::start(&directory, "silent");
    for name in [ana.name(), seen.name(), silent.name(), rui.name()] {
        rui.leave(&forged(name)).expect_problem(Slug::ProofRequired);
        over_tls(&rui, None, &forged(name)).expect_problem(Slug::ProofRequired);
        over_tls(&rui, Some(&Key::new()), &forged(name)).expect_problem(Slug::KeyMismatch);
        let spelt = name.to_uppercase();
        rui.leave(&forged(&spelt)).expect_problem(Slug::ProofRequired);
        clean(&rui, name);
    }
    let identity = rui.get("/identity").expect(200).json();
    assert_eq!(
        (&identity["name"], identity["fingerprint"].as_str()),
        (&json!("rui"), Some(rui.fingerprint().as_str()))
    );
    // What nobody has is free for a script.
    assert_eq!(rui.leave(&json!({"from": "ci", "body": "green"})).expect(201).json()["verified"], false);
}

#[test]
fn with_its_directory_away_a_peer_takes_nothing_without_a_key() {
    let mut directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    ana.send("rui", "hello");
    rui.run(&["inbox"]).expect(0);
    directory.kill();
    rui.leave(&forged("ana")).expect_problem(Slug::ProofRequired);
    let unknown = rui.leave(&forged("silent")).expect_problem(Slug::DirectoryNeeded);
    assert!(unknown.header("retry-after").is_some());
    over_tls(&rui, Some(&Key::new()), &forged("ana")).expect_problem(Slug::KeyMismatch);
    assert_eq!(ana.send("rui", "and again").state, "delivered", "contacts need no directory");
    let bodies: Vec<_> = rui.lines(&["inbox", "--from", "ana"]).into_iter().map(|line| line.body).collect();
    assert_eq!(bodies, ["hello", "and again"]);
    assert_eq!(rui.inbox().len(), 2);
    // Who has a key may still be somebody: it is kept, and shown as what it is.
    assert_eq!(over_tls(&rui, Some(&Key::new()), &forged("zeca")).expect(201).json()["verified"], false);
    assert!(rui.run(&["inbox", "--unverified"]).expect(0).stdout.contains("unverified, key "));
}

#[test]
fn without_any_directory_the_pins_hold() {
    let directory = Directory::start();
    let (ana, mut rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    ana.send("rui", "hello");
    rui.run(&["inbox"]).expect(0);
    rui.kill();
    rui.asks("none");
    rui.serve();
    rui.leave(&forged("ana")).expect_problem(Slug::ProofRequired);
    rui.leave(&forged("rui")).expect_problem(Slug::ProofRequired);
    over_tls(&rui, Some(&Key::new()), &forged("ana")).expect_problem(Slug::KeyMismatch);
    let receipt = rui.leave_with(&ana.key(), &json!({"from": "ana", "body": "it is me"})).expect(201);
    assert_eq!(receipt.json()["verified"], true);
    assert_eq!(rui.leave(&forged("ci")).expect(201).json()["verified"], false);
    let bodies: Vec<_> = rui.lines(&["history", "ana"]).into_iter().map(|line| line.body).collect();
    assert_eq!(bodies, ["hello", "it is me"]);
}

/// Unverified ones are shown as such, and hidden where somebody with that name is meant.
#[test]
fn what_was_left_before_a_name_had_a_key_is_never_its_later() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    rui.leave(&forged("zoe")).expect(201);
    assert_eq!(rui.lines(&["inbox", "--from", "zoe"]).len(), 1, "nobody is zoe yet");
    let shown = rui.run(&["inbox"]).expect(0).stdout;
    assert!(shown.contains("(unverified, from 127.0.0.1)"), "{shown}");
    rui.leave(&forged("zoe")).expect(201);

    let zoe = Peer::start(&directory, "zoe");
    super::harness::until("the claim is seen", || {
        let receipt = rui.leave_with(
            &zoe.key(),
            &json!({"id": "0193507c-6a80-7aaa-8000-000000000001", "from": "zoe", "body": "it is me"}),
        );
        receipt.json()["verified"].as_bool().filter(|verified| *verified)
    });
    for listing in [["inbox", "--from", "zoe"].as_slice(), &["history", "zoe"]] {
        let bodies: Vec<_> = rui.lines(listing).into_iter().map(|line| line.body).collect();
        assert_eq!(bodies, ["it is me"], "{listing:?}");
        let said = rui.run(&[listing, &["--json"]].concat()).expect(0).stderr;
        assert!(said.contains("--unverified"), "{said}");
    }
    let peers: Vec<Value> = rui.run(&["peers", "--json"]).expect(0).json();
    let zoe = peers.iter().find(|record| record["name"] == "zoe").unwrap();
    assert_eq!((&zoe["unread"], &zoe["verified"]), (&json!(1), &json!(true)));
    assert_eq!(rui.lines(&["inbox", "--unverified"]).len(), 2);
}

/// A web page can make a browser send to this machine, and no more than that.
#[test]
fn no_web_page_leaves_a_message() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let body = json!({"from": "ci", "body": "from a page"}).to_string();
    let post = |target: &str, headers: &str| {
        let length = body.len();
        let request = format!(
            "POST {target} HTTP/1.1\r\n{headers}content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        raw(Program::Peer, &rui.plain(), ("POST", "/messages"), request.as_bytes())
    };
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:7101",
        "192.0.2.7",
        "0.0.0.0",
        "xlocalhost",
        "",
    ] {
        let refused = post("/messages", &format!("host: {host}\r\n"));
        assert!(matches!(refused.status, 400 | 403), "{host}: {refused:?}");
        if !host.is_empty() {
            refused.expect_problem(Slug::BrowserRefused);
        }
    }
    post("http://evil.example/messages", "host: localhost\r\n").expect_problem(Slug::BrowserRefused);
    post("/messages", "").expect(400);
    for header in
        ["origin: http://localhost", "origin: null", "sec-fetch-site: same-origin", "sec-fetch-site: none"]
    {
        post("/messages", &format!("host: localhost\r\n{header}\r\n")).expect_problem(Slug::BrowserRefused);
    }
    let url = format!("https://{}", rui.place());
    let over_tls =
        Request::new(Program::Peer, Method::POST, &url, MESSAGES).header("origin", "https://evil.example");
    over_tls.json(&json!({"from": "ci", "body": "from a page"})).send().expect_problem(Slug::BrowserRefused);
    // Wherever it asks.
    rui.request(Method::GET, "/identity")
        .header("host", "evil.example")
        .send()
        .expect_problem(Slug::BrowserRefused);
    rui.request(Method::GET, "/nowhere")
        .header("host", "evil.example")
        .send()
        .expect_problem(Slug::BrowserRefused);
    assert!(rui.inbox().is_empty());
    for host in ["localhost", "LOCALHOST:1", "localhost.", "127.0.0.1", "127.9.9.9:80", "[::1]", "[::1]:7101"]
    {
        post("/messages", &format!("host: {host}\r\n")).expect(201);
    }
    assert_eq!(rui.inbox().len(), 7);
}

/// A directory that takes its time: the first to be pinned is whom it names, whoever asks.
#[test]
fn of_a_hundred_first_messages_from_two_keys_one_key_is_verified() {
    let (zoe, eve) = (Key::new(), Key::new());
    let claimed = json!({"name": "zoe", "online": false, "fingerprint": zoe.fingerprint()}).to_string();
    let directory = Fake::answering(move |asked| match asked.what.as_str() {
        "POST /register" => Reply::listed(&asked.body, 60),
        "DELETE /register" => Reply::answer(204, "application/json", ""),
        "GET /peers/zoe" => {
            // Slow, within the time that a receiver waits.
            std::thread::sleep(std::time::Duration::from_millis(300));
            Reply::answer(200, "application/json", &claimed)
        }
        _ => Reply::problem(Slug::UnknownName),
    });
    let mut rui = Peer::of(directory.url(), "rui");
    rui.serve();
    let together = std::sync::Barrier::new(100);
    std::thread::scope(|scope| {
        for number in 0..100 {
            let (rui, together, key, hers) =
                if number % 2 == 0 { (&rui, &together, &zoe, true) } else { (&rui, &together, &eve, false) };
            scope.spawn(move || {
                together.wait();
                let answer = rui.leave_with(key, &json!({"from": "zoe", "body": format!("{hers} {number}")}));
                if hers {
                    assert_eq!(answer.expect(201).json()["verified"], true);
                } else {
                    answer.expect_problem(Slug::KeyMismatch);
                }
            });
        }
    });
    let lines = rui.inbox();
    assert_eq!(lines.len(), 50);
    assert!(lines.iter().all(|line| line.verified && line.body.starts_with("true")));
    let asked = directory.times_asked("GET /peers/zoe");
    assert!(
        asked <= 2,
        "asked {asked} times: the others wait for an answer, and nobody is refused by an old one"
    );
    let contacts: Vec<Value> = rui.run(&["contacts", "--json"]).expect(0).json();
    let pins: Vec<_> = contacts.iter().filter(|contact| contact["name"] == "zoe").collect();
    assert_eq!(pins.len(), 1);
    assert_eq!(pins[0]["fingerprint"], zoe.fingerprint().to_string());
    assert_eq!(pins[0]["mismatch"]["fingerprint"], eve.fingerprint().to_string());
}
