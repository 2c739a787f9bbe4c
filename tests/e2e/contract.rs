//! Code and openapi.yaml say the same: operations, members, statuses, problems, methods, routes.
//!
//! Besides, the kit's HTTP client holds every answer of every story against the contract.

use std::collections::BTreeSet;

use protocol::Slug;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Answer, CONTRACT, Directory, Peer, Program, new_token, raw, root};

/// Does what an operation is for. The kit checks the answer; this says that it is a good one.
fn exercise(id: &str, directory: &Directory, peer: &Peer) -> Vec<Answer> {
    let token = new_token();
    match id {
        "register" => vec![
            directory.register("bia", "http://127.0.0.1:7101", &token).expect(201),
            directory.register("bia", "http://127.0.0.1:7101", &token).expect(200),
        ],
        "deregister" => {
            directory.register("zeca", "http://127.0.0.1:7101", &token).expect(201);
            vec![directory.request(Method::DELETE, "/register").bearer(&token).send().expect(204)]
        }
        "listPeers" => {
            let list = directory.get("/peers").expect(200);
            let tag = list.header("etag").unwrap();
            let same = directory.request(Method::GET, "/peers").header("if-none-match", tag).send();
            vec![same.expect(304), list]
        }
        // The stream itself has no end; tests/e2e/changes.rs reads it.
        "events" => vec![directory.request(Method::HEAD, "/events").send().expect(200)],
        "metrics" => ["text/plain", "application/openmetrics-text"]
            .map(|accept| {
                directory.request(Method::GET, "/metrics").header("accept", accept).send().expect(200)
            })
            .into(),
        "findPeer" => vec![directory.get("/peers/rui").expect(200)],
        "leaveMessage" => {
            let message = json!({"id": uuid::Uuid::now_v7(), "from": "ci", "body": "oi"});
            vec![peer.leave(&message).expect(201), peer.leave(&message).expect(200)]
        }
        "identity" => vec![peer.get("/identity").expect(200)],
        "health" => vec![peer.get("/health").expect(200), directory.get("/health").expect(200)],
        "contract" => vec![peer.get("/openapi.yaml").expect(200), directory.get("/openapi.yaml").expect(200)],
        other => panic!("a new operation, {other}: say here how to exercise it"),
    }
}

#[test]
fn each_documented_operation_is_there_with_every_good_status() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    for operation in CONTRACT.operations() {
        let seen: BTreeSet<_> =
            exercise(operation.id, &directory, &rui).into_iter().map(|answer| answer.status).collect();
        let documented: BTreeSet<u16> = operation
            .responses
            .keys()
            .map(|status| status.parse().unwrap())
            .filter(|status| *status < 400)
            .collect();
        assert_eq!(seen, documented, "{}", operation.id);
    }
    let served = directory.get("/openapi.yaml").body;
    assert_eq!(served, std::fs::read(root().join("openapi.yaml")).unwrap());
    assert_eq!(served, rui.get("/openapi.yaml").body);
}

#[test]
fn a_method_that_is_not_in_the_contract_is_405_with_those_that_are() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let request = |program, method, path: &str| match program {
        Program::Directory => directory.request(method, path),
        Program::Peer => rui.request(method, path),
    };
    let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"];
    for program in [Program::Directory, Program::Peer] {
        for template in CONTRACT.document()["paths"].as_object().unwrap().keys() {
            let path = template.replace("{name}", "rui");
            let mut allowed: BTreeSet<_> = CONTRACT
                .at(program, &path)
                .into_iter()
                .map(|operation| operation.method.to_string())
                .collect();
            if allowed.contains("GET") {
                allowed.insert("HEAD".to_owned());
            }
            for method in methods.iter().filter(|method| !allowed.contains(**method)) {
                let answer = request(program, method.parse().unwrap(), &path).send();
                if allowed.is_empty() {
                    // The other program's path.
                    answer.expect(404);
                    continue;
                }
                let answer = answer.expect(405);
                let allow = answer.header("allow").unwrap_or_default();
                let listed: BTreeSet<_> = allow.split(',').map(|method| method.trim().to_owned()).collect();
                assert_eq!(listed, allowed, "{method} {path} on {program:?}");
            }
        }
    }
}

#[test]
fn the_closed_list_of_problems_is_the_code_s() {
    let listed: Vec<_> =
        CONTRACT.document()["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
            .as_array()
            .unwrap()
            .iter()
            .map(|urn| urn.as_str().unwrap().to_owned())
            .collect();
    let coded: Vec<_> = Slug::ALL.iter().map(|slug| slug.urn()).collect();
    assert_eq!(listed, coded);

    // Each slug that a status lists goes with that status.
    for (status, response) in responses() {
        let content = &response["content"]["application/problem+json"];
        let kinds = strings_under(&content["schema"]["properties"]["type"]);
        assert_eq!(kinds.is_empty(), *status < *"400", "{status}: {}", response["description"]);
        for kind in kinds {
            let slug = Slug::from_urn(&kind).unwrap_or_else(|| panic!("{kind} is not in the list"));
            assert_eq!(slug.status().to_string(), status, "{kind}");
        }
    }
}

#[test]
fn every_example_is_valid() {
    let mut checked = 0;
    let mut check = |media_type: &str, media: &Value| {
        let examples = media["examples"].as_object().expect("examples");
        for (name, example) in examples {
            let value = &example["value"];
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            CONTRACT.valid_body(media_type, media, &text).unwrap_or_else(|why| panic!("{name}: {why}"));
            checked += 1;
        }
    };
    for (_, response) in responses() {
        for (media_type, media) in response["content"].as_object().into_iter().flatten() {
            if media_type.ends_with("json") || media_type == "text/event-stream" {
                check(media_type, media);
            }
        }
    }
    for path in CONTRACT.document()["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            if let Some(media) = operation.pointer("/requestBody/content/application~1json") {
                check("application/json", media);
            }
        }
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn problem_examples_have_the_title_of_their_slug() {
    for (_, response) in responses() {
        let examples = response["content"]["application/problem+json"]["examples"].as_object();
        for example in examples.into_iter().flat_map(serde_json::Map::values) {
            let slug = Slug::from_urn(example["value"]["type"].as_str().unwrap()).unwrap();
            assert_eq!(example["value"]["title"], slug.title());
        }
    }
}

#[test]
fn the_routes_in_the_code_are_those_of_the_contract() {
    for (file, program) in
        [("server/src/http.rs", Program::Directory), ("peer/src/inbound/endpoint.rs", Program::Peer)]
    {
        let code = std::fs::read_to_string(root().join(file)).unwrap();
        let coded = code.matches(".route(").count();
        let documented: BTreeSet<_> = CONTRACT
            .operations()
            .into_iter()
            .filter(|operation| operation.programs.contains(&program))
            .map(|operation| operation.path)
            .collect();
        assert_eq!(coded, documented.len(), "{file} has other routes than {documented:?}");
        for path in protocol_paths(&code) {
            assert!(documented.contains(path), "{file} serves {path}, which is not in openapi.yaml");
        }
    }
}

/// The paths of the wire that a piece of code names.
fn protocol_paths(code: &str) -> impl Iterator<Item = &'static str> {
    use protocol::paths::{EVENTS, HEALTH, IDENTITY, MESSAGES, METRICS, OPENAPI, PEERS, REGISTER};
    [
        ("paths::REGISTER", REGISTER),
        ("paths::PEERS", PEERS),
        ("paths::EVENTS", EVENTS),
        ("paths::METRICS", METRICS),
        ("paths::MESSAGES", MESSAGES),
        ("paths::IDENTITY", IDENTITY),
        ("paths::HEALTH", HEALTH),
        ("paths::OPENAPI", OPENAPI),
    ]
    .into_iter()
    .filter_map(move |(word, path)| code.contains(word).then_some(path))
}

#[test]
fn what_is_hardly_http_is_answered_by_the_contract_too() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let health = ("GET", "/health");
    let many = "x: y\r\n".repeat(90);
    let long = format!("x: {}\r\n", "y".repeat(40_000));
    for (program, url) in [(Program::Directory, directory.url()), (Program::Peer, &rui.plain())] {
        for (request, status) in [
            ("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_owned(), 200),
            ("HELO example.org\r\n\r\n".to_owned(), 400),
            ("GET /health HTTP/1.1\r\nbad header\r\n\r\n".to_owned(), 400),
            ("GET /health HTTP/9.9\r\nhost: localhost\r\n\r\n".to_owned(), 400),
            (format!("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{many}\r\n"), 413),
            (format!("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{long}\r\n"), 413),
        ] {
            raw(program, url, health, request.as_bytes()).expect(status);
        }
        let nowhere = ("GET", "/nowhere");
        raw(program, url, nowhere, b"GET /nowhere HTTP/1.0\r\nhost: localhost\r\n\r\n").expect(404);
        let brewed = b"BREW /health HTTP/1.0\r\nhost: localhost\r\n\r\n";
        raw(program, url, ("BREW", "/health"), brewed).expect(405);
    }
    let twice =
        b"POST /messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n12345";
    raw(Program::Peer, &rui.plain(), ("POST", "/messages"), twice).expect(400);
}

/// Every documented response with its status, references followed.
fn responses() -> Vec<(String, &'static Value)> {
    let everywhere = CONTRACT.document()["x-everywhere"].as_object().unwrap();
    let operations = CONTRACT.operations();
    operations
        .iter()
        .map(|operation| operation.responses)
        .chain([everywhere])
        .flatten()
        .map(|(status, response)| (status.clone(), CONTRACT.resolve(response)))
        .collect()
}

fn strings_under(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(strings_under).collect(),
        Value::Object(members) => members.values().flat_map(strings_under).collect(),
        _ => Vec::new(),
    }
}
