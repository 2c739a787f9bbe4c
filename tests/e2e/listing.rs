//! The list of who is online: pages, tags, codings.

use std::collections::BTreeMap;
use std::thread;

use protocol::Slug;
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

/// Page after page, as each one's `Link` says.
fn walk(directory: &Directory, path: &str) -> Vec<Vec<String>> {
    let (mut pages, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let page = directory.get(&path).expect(200);
        next = page.header("link").map(|link| {
            let path = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
            path.unwrap_or_else(|| panic!("{link}")).to_owned()
        });
        pages.push(names(&page.json()));
    }
    pages
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|record| record["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_long_list_comes_in_pages() {
    let directory = Directory::start();
    let mut expected: Vec<_> = (0..2_500).map(|number| format!("worker-{number}")).collect();
    thread::scope(|scope| {
        for workers in expected.chunks(100) {
            let directory = &directory;
            scope.spawn(move || {
                for worker in workers {
                    directory.register(worker, "http://127.0.0.1:7101", &new_token()).expect(201);
                }
            });
        }
    });
    expected.sort();
    let lengths = |pages: &[Vec<String>]| pages.iter().map(Vec::len).collect::<Vec<_>>();
    let pages = walk(&directory, "/peers");
    assert_eq!(lengths(&pages), [1000, 1000, 500]);
    assert_eq!(pages.concat(), expected);
    assert_eq!(walk(&directory, "/peers?limit=10000"), [expected.clone()]);
    assert_eq!(lengths(&walk(&directory, "/peers?limit=1250")), [1250, 1250], "the last page is full");

    let after = walk(&directory, "/peers?after=WORKER-24&limit=700");
    assert_eq!(after.concat()[..], expected[expected.binary_search(&"worker-24".to_owned()).unwrap() + 1..]);
    let found = walk(&directory, "/peers?q=R-24&limit=50");
    assert_eq!((lengths(&found), &found[2][10]), (vec![50, 50, 11], &"worker-2499".to_owned()));
}

#[test]
fn a_part_of_a_name_finds_it_however_it_is_typed() {
    let directory = Directory::start();
    for name in ["ana", "joão", "joana", "太郎"] {
        directory.register(name, "http://127.0.0.1:7101", &new_token()).expect(201);
    }
    for (query, found) in [
        ("q=", vec!["ana", "joana", "joão", "太郎"]),
        ("q=ANA", vec!["ana", "joana"]),
        ("q=O%C3%83", vec!["joão"]),
        ("q=oa%CC%83", vec!["joão"]),
        ("q=%EF%BD%8A", vec!["joana", "joão"]),
        ("q=%E5%A4%AA", vec!["太郎"]),
        ("q=a%20b", vec![]),
        ("q=%2F", vec![]),
        ("q=jo&after=joana", vec!["joão"]),
        ("after=an", vec!["ana", "joana", "joão", "太郎"]),
    ] {
        assert_eq!(walk(&directory, &format!("/peers?{query}")).concat(), found, "{query}");
    }
    let pages = walk(&directory, "/peers?q=O%C3%83&limit=1");
    assert_eq!(pages, [["joão"]]);
    let first = directory.get("/peers?q=JO&limit=1").expect(200);
    assert_eq!(first.header("link"), Some("</peers?q=jo&limit=1&after=joana>; rel=\"next\""));
    for (query, slug) in [
        ("limit=0", Slug::InvalidQuery),
        ("limit=10001", Slug::InvalidQuery),
        ("limit=-1", Slug::InvalidQuery),
        ("limit=", Slug::InvalidQuery),
        ("limit=many", Slug::InvalidQuery),
        ("limit=1&limit=2", Slug::InvalidQuery),
        ("after=a%20b", Slug::InvalidName),
        ("after=", Slug::InvalidName),
    ] {
        directory.get(&format!("/peers?{query}")).expect_problem(slug);
    }
}

#[test]
fn each_coding_of_each_page_has_its_own_tag() {
    let directory = Directory::start();
    for name in ["ana", "rui", "zeca"] {
        directory.register(name, "http://127.0.0.1:7101", &new_token()).expect(201);
    }
    let get = |path: &str, coding: &str, known: &str| {
        let request = directory.request(Method::GET, path).header("accept-encoding", coding);
        request.header("if-none-match", known).send()
    };
    for path in ["/peers", "/peers?limit=2", "/peers?q=a"] {
        let plain = get(path, "gzip;q=0", "").expect(200);
        let gzip = get(path, "br, gzip;q=0.5", "").expect(200);
        assert_eq!((plain.header("content-encoding"), gzip.header("content-encoding")), (None, Some("gzip")));
        assert_eq!(gzip.decoded().unwrap().as_bytes(), plain.body);
        assert_eq!(plain.header("link"), gzip.header("link"));
        let tags = [&plain, &gzip].map(|answer| {
            assert!(answer.header("vary").unwrap().eq_ignore_ascii_case("accept-encoding"));
            answer.header("etag").unwrap().to_owned()
        });
        assert_ne!(tags[0], tags[1]);
        for (coding, known, status) in
            [("identity", 0, 304), ("gzip", 1, 304), ("identity", 1, 200), ("gzip", 0, 200)]
        {
            let answer = get(path, coding, &tags[known]).expect(status);
            assert_eq!(answer.header("vary"), plain.header("vary"));
        }
        let head = directory.request(Method::HEAD, path).header("accept-encoding", "gzip").send().expect(200);
        assert_eq!(head.header("etag"), Some(tags[1].as_str()));
        assert_eq!(head.header("content-length"), Some(gzip.body.len().to_string().as_str()));
    }
    // The page lists the same, but a further one follows.
    let before = directory.get("/peers?limit=3").expect(200);
    assert_eq!(before.header("link"), None);
    directory.register("zita", "http://127.0.0.1:7101", &new_token()).expect(201);
    let request = directory.request(Method::GET, "/peers?limit=3");
    let after = request.header("if-none-match", before.header("etag").unwrap()).send().expect(200);
    assert_eq!((after.header("link").is_some(), after.body), (true, before.body));
}
