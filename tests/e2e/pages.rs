//! A list of many pages, and one that has no end.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::harness::{Fake, Finished, Peer, Process, Reply, record};

const PLACE: &str = "http://127.0.0.1:7101";

/// The page that is asked for with this `after`, and the link to the next.
fn page(names: &[&str], next: &str) -> Reply {
    let records: Vec<_> = names.iter().map(|name| record(name, PLACE)).collect();
    let page = Reply::list(&records).with("etag", &format!("\"{}\"", names.join("-")));
    if next.is_empty() { page } else { page.with("link", &format!("<{next}>; rel=\"next\"")) }
}

fn listed(finished: &Finished) -> Vec<String> {
    let lines = finished.json::<Value>();
    lines.iter().map(|line| line["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn all_pages_are_read_and_everyone_is_listed_once() {
    let directory = Fake::answering(|asked| match asked.query.as_str() {
        "limit=10000" => page(&["ana", "rui"], "/peers?limit=10000&after=rui"),
        // It contradicts itself and is out of order: that is its affair.
        "limit=10000&after=rui" => page(&["zeca", "rui", "hugo"], "?after=zeca"),
        "after=zeca" => page(&["\u{592a}\u{90ce}"], ""),
        query => panic!("{query} was not offered"),
    });
    let finished = Peer::of(directory.url(), "ana").run(&["peers", "--json"]).expect(0);
    assert_eq!(listed(&finished), ["ana", "hugo", "rui", "zeca", "太郎"]);
    let asked = directory.asked("GET /peers");
    assert!(asked.iter().all(|asked| asked.header("accept-encoding") == Some("gzip")), "{asked:?}");
}

#[test]
fn a_list_without_end_is_given_up() {
    let count = Arc::new(Mutex::new(0));
    let directory = Fake::answering(move |_| {
        let mut count = count.lock().unwrap();
        *count += 1;
        page(&["ana"], &format!("/peers?after=ana&round={count}"))
    });
    let finished = Peer::of(directory.url(), "ana").run(&["peers"]).expect(6);
    assert!(finished.stderr.contains("pages"), "{}", finished.stderr);
    assert_eq!(directory.times_asked("GET /peers"), 100);
}

#[test]
fn a_list_that_drips_is_given_up() {
    let directory = Fake::answering(|_| {
        // Each page comes in time, and all of them in a minute.
        thread::sleep(Duration::from_millis(600));
        page(&["ana"], "/peers?after=ana")
    });
    let finished = Peer::of(directory.url(), "ana").run(&["peers"]).expect(6);
    assert!(finished.stderr.contains("in time"), "{}", finished.stderr);
    assert!(directory.times_asked("GET /peers") < 100, "before its end");
}

#[test]
fn a_list_that_goes_on_elsewhere_is_not_followed() {
    let elsewhere = Fake::listen(|_| page(&["rui"], ""));
    let places = [
        format!("{}/peers?after=ana", elsewhere.url()),
        elsewhere.url().replace("http:", "") + "/peers",
        "/register".to_owned(),
        "/peers/ana".to_owned(),
        "http://[".to_owned(),
    ];
    for place in places {
        let link = place.clone();
        let directory = Fake::answering(move |_| page(&["ana"], &link));
        let finished = Peer::of(directory.url(), "ana").run(&["peers"]).expect(6);
        assert!(finished.stderr.contains("elsewhere"), "{place}: {}", finished.stderr);
        assert_eq!(directory.times_asked("GET /peers"), 1, "{place}");
    }
    assert!(elsewhere.received().is_empty());
}

#[test]
fn each_page_is_asked_for_with_its_own_tag() {
    let second = Arc::new(Mutex::new(vec!["rui"]));
    let names = Arc::clone(&second);
    let directory = Fake::answering(move |asked| {
        let names = names.lock().unwrap().clone();
        let (names, next) = match (asked.what.as_str(), asked.query.as_str()) {
            ("GET /peers", "limit=10000") => (vec!["ana"], "/peers?after=ana"),
            ("GET /peers", _) => (names, ""),
            _ => return Reply::problem(protocol::Slug::NotFound),
        };
        let tag = format!("\"{}\"", names.join("-"));
        if asked.header("if-none-match") == Some(&tag) {
            // RFC 9110, 15.4.5: what the page says of itself beside its tag may be left out.
            return Reply::Answer(304, format!("etag: {tag}\r\n"), String::new());
        }
        page(&names, next)
    });
    let ana = Peer::of(directory.url(), "ana");
    let mut watch = Process::spawn("the watch", &mut ana.command(&["peers", "--watch", "--json"]));
    watch.shows("rui");
    let asked = directory.times_asked("GET /peers");
    super::harness::until("unchanged pages", || {
        (directory.times_asked("GET /peers") >= asked + 4).then_some(())
    });
    let tags: Vec<_> = directory
        .asked("GET /peers")
        .iter()
        .skip(2)
        .map(|asked| asked.header("if-none-match").map(str::to_owned))
        .collect();
    assert!(tags.iter().all(Option::is_some), "{tags:?}");
    *second.lock().unwrap() = vec!["hugo", "rui"];
    watch.shows("hugo");
    watch.kill();
    let lines: Vec<Value> = watch.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> =
        lines.iter().map(|line| (line["event"].as_str().unwrap(), line["name"].as_str().unwrap())).collect();
    assert_eq!(seen, [("online", "ana"), ("online", "rui"), ("joined", "hugo")]);
}
