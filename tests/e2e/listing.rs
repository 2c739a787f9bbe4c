//! The list of who is online, and its tag.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use super::harness::{Answer, Directory, new_token};

fn list(directory: &Directory, known: &str) -> Answer {
    directory.request(Method::GET, "/peers").header("if-none-match", known).send()
}

fn tag(directory: &Directory) -> String {
    directory.get("/peers").expect(200).header("etag").unwrap().to_owned()
}

fn leave(directory: &Directory, token: &str) {
    directory.request(Method::DELETE, "/register").bearer(token).send().expect(204);
}

#[test]
fn the_list_is_sorted_and_its_tag_holds_until_it_changes() {
    let directory = Directory::start();
    assert_eq!(directory.get("/peers").expect(200).json(), serde_json::json!([]));
    let (ana, rui, zeca) = (new_token(), new_token(), new_token());
    directory.register("rui", "http://127.0.0.1:7102", &rui).expect(201);
    directory.register("zeca", "http://127.0.0.1:7103", &zeca).expect(201);
    directory.register("ana", "http://127.0.0.1:7101", &ana).expect(201);
    assert_eq!(directory.online(), ["ana", "rui", "zeca"]);

    let first = tag(&directory);
    directory.register("ana", "http://127.0.0.1:7101", &ana).expect(200);
    let same = list(&directory, &first).expect(304);
    assert_eq!(same.header("etag"), Some(first.as_str()));
    list(&directory, &format!("\"another\", {first}")).expect(304);
    list(&directory, &format!("W/{first}")).expect(304);
    list(&directory, "*").expect(304);
    list(&directory, "\"another\"").expect(200);

    directory.register("ana", "http://127.0.0.1:7199", &ana).expect(200);
    let moved = list(&directory, &first).expect(200);
    assert_eq!(moved.json()[0]["address"], "http://127.0.0.1:7199");
    leave(&directory, &rui);
    let left = list(&directory, moved.header("etag").unwrap()).expect(200);
    assert_eq!(left.json().as_array().unwrap().len(), 2);
    directory.register("rui", "http://127.0.0.1:7102", &rui).expect(201);
    list(&directory, left.header("etag").unwrap()).expect(200);
    // Someone who went and came back came online at another time.
    list(&directory, moved.header("etag").unwrap()).expect(200);
}

#[test]
fn no_tag_ever_stands_for_two_lists_whatever_is_restarted() {
    let mut directory = Directory::start();
    let (ana, rui) = (new_token(), new_token());
    let mut seen: BTreeMap<String, Value> = BTreeMap::new();
    let mut note = |directory: &Directory| {
        let answer = directory.get("/peers").expect(200);
        let tag = answer.header("etag").unwrap().to_owned();
        let list = seen.entry(tag.clone()).or_insert_with(|| answer.json());
        assert_eq!(*list, answer.json(), "{tag} stands for two lists");
    };
    for round in 0..3 {
        note(&directory);
        directory.register("ana", "http://127.0.0.1:7101", &ana);
        note(&directory);
        if round % 2 == 0 {
            directory.kill();
            directory.start_again();
            note(&directory);
        }
        directory.register("rui", "http://127.0.0.1:7102", &rui);
        note(&directory);
        leave(&directory, &ana);
        note(&directory);
        leave(&directory, &rui);
        directory.kill();
        directory.start_again();
    }
    note(&directory);
}

#[test]
fn head_is_get_without_the_body() {
    let directory = Directory::start();
    directory.register("ana", "http://127.0.0.1:7101", &new_token()).expect(201);
    let head = directory.request(Method::HEAD, "/peers").send().expect(200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("etag"), Some(tag(&directory).as_str()));
}
