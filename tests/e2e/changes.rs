//! The list as it changes: events, with and without a break.

use std::thread;
use std::time::{Duration, Instant};

use protocol::Slug;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Directory, Event, Stream, new_token, until};

const HERE: &str = "http://127.0.0.1:7101";
const THERE: &str = "http://127.0.0.1:7102";

fn open(directory: &Directory, path: &str) -> Stream {
    directory.request(Method::GET, path).stream()
}

/// Goes on behind the event with this id.
fn resume(directory: &Directory, last: &str) -> Stream {
    directory.request(Method::GET, "/events").header("last-event-id", last).stream()
}

fn leave(directory: &Directory, token: &str) {
    directory.request(Method::DELETE, "/register").bearer(token).send().expect(204);
}

fn news(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

/// Whether this is a `reset`, after which the list is to be read again.
fn is_reset(event: &Event) -> bool {
    event.kind == "reset" && event.data == json!({})
}

#[test]
fn who_joins_changes_and_leaves_is_told_as_it_happens() {
    let directory = Directory::start();
    let (ana, rui) = (new_token(), new_token());
    directory.register("ana", HERE, &ana).expect(201);
    let mut stream = open(&directory, "/events");
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert_eq!(stream.header("cache-control"), Some("no-cache"));

    directory.register("ana", HERE, &ana).expect(200);
    directory.register("rui", HERE, &rui).expect(201);
    let joined = stream.event();
    assert_eq!(joined.kind, "joined", "a renewal is no news");
    assert_eq!(Some(&joined.data), directory.get("/peers").expect(200).json().get(1));

    directory.register("rui", THERE, &rui).expect(200);
    let changed = stream.event();
    assert_eq!((changed.kind.as_str(), &changed.data["address"]), ("changed", &json!(THERE)));
    let fresh = json!({"name": "rui", "address": THERE, "fresh": true});
    directory.request(Method::POST, "/register").bearer(&rui).json(&fresh).send().expect(200);
    let started = stream.event();
    assert_eq!((started.kind.as_str(), &started.data["name"]), ("changed", &json!("rui")));

    leave(&directory, &rui);
    leave(&directory, &rui);
    let left = stream.event();
    assert_eq!((left.kind.as_str(), &left.data), ("left", &started.data), "the record is its last");
    directory.register("rui", HERE, &rui).expect(201);
    let back = stream.event();
    assert_eq!(back.kind, "joined");
    let ids = [&joined, &changed, &started, &left, &back].map(|event| event.id);
    assert!(ids.is_sorted_by(|a, b| a < b) && ids[4] < 1 << 53, "{ids:?}");
}

#[test]
fn a_lease_that_ends_by_itself_is_told_too() {
    let directory = Directory::with(&["--ttl", "1s"]);
    let mut stream = open(&directory, "/events");
    let ana = new_token();
    directory.register("ana", HERE, &ana).expect(201);
    assert_eq!([stream.news(), stream.news()], [news("joined", "ana"), news("left", "ana")]);
    directory.register("ana", HERE, &ana).expect(201);
    assert_eq!(stream.news(), news("joined", "ana"));
}

#[test]
fn only_the_names_that_are_asked_for() {
    let directory = Directory::start();
    let mut stream = open(&directory, "/events?names=JO%C3%83O,rui");
    for name in ["ana", "joão", "bia", "rui"] {
        directory.register(name, HERE, &new_token()).expect(201);
    }
    assert_eq!([stream.news(), stream.news()], [news("joined", "joão"), news("joined", "rui")]);
    for (query, slug) in [
        ("names=", Slug::InvalidQuery),
        ("names=ana,", Slug::InvalidName),
        ("names=a%20b", Slug::InvalidName),
        ("names=ana&names=rui", Slug::InvalidQuery),
    ] {
        directory.get(&format!("/events?{query}")).expect_problem(slug);
    }
}

#[test]
fn who_reconnects_misses_nothing_or_is_told() {
    let mut directory = Directory::with(&["--max-events-behind", "3"]);
    let ana = new_token();
    let mut stream = open(&directory, "/events");
    directory.register("ana", HERE, &ana).expect(201);
    let first = stream.event();
    drop(stream);
    directory.register("ana", THERE, &ana).expect(200);
    leave(&directory, &ana);
    directory.register("ana", HERE, &ana).expect(201);

    let mut stream = resume(&directory, &first.id.to_string());
    let missed = [stream.event(), stream.event(), stream.event()];
    assert_eq!([0, 1, 2].map(|at| missed[at].kind.as_str()), ["changed", "left", "joined"]);
    assert_eq!(missed[2].id, first.id + 3);
    directory.register("ana", THERE, &ana).expect(200);
    let latest = stream.event();
    assert_eq!((latest.kind.as_str(), latest.id), ("changed", first.id + 4));

    // Four behind, from the future, and what was never an id.
    let future = (latest.id + 1).to_string();
    for last in [first.id.to_string().as_str(), &future, "0", "18446744073709551616", "-1", "ana", "é"] {
        let reset = resume(&directory, last).event();
        assert!(is_reset(&reset) && reset.id == latest.id, "{last}: {reset:?}");
    }
    // It goes on from there.
    let mut stream = resume(&directory, "0");
    stream.event();
    leave(&directory, &ana);
    assert_eq!(stream.event().id, latest.id + 1);
    let mut last = latest.id + 1;

    for kill in [true, false] {
        if kill {
            directory.kill();
        } else {
            assert_eq!(directory.stop(), Some(0));
        }
        directory.start_again();
        let mut stream = resume(&directory, &last.to_string());
        let reset = stream.event();
        assert!(is_reset(&reset) && reset.id > last, "ids grow over restarts: {reset:?} {last}");
        directory.register("ana", HERE, &ana).expect(201);
        last = stream.event().id;
        assert!(last > reset.id);
        leave(&directory, &ana);
    }
}

#[test]
fn the_events_and_the_list_say_the_same() {
    let directory = Directory::with(&["--ttl", "1s"]);
    let mut stream = open(&directory, "/events");
    let names = ["ana", "bia", "rui", "zeca"];
    thread::scope(|scope| {
        for name in names {
            let directory = &directory;
            scope.spawn(move || {
                let token = new_token();
                for port in 1..20 {
                    directory.register(name, &format!("http://127.0.0.1:{port}"), &token);
                    if port % 5 == 0 {
                        leave(directory, &token);
                    }
                }
            });
        }
    });
    let mut followed: Vec<Value> = Vec::new();
    let mut follow = |event: &Event| {
        let listed = followed.iter().position(|record| record["name"] == event.data["name"]);
        match (event.kind.as_str(), listed) {
            ("joined", None) => followed.push(event.data.clone()),
            ("changed", Some(at)) => followed[at] = event.data.clone(),
            ("left", Some(at)) => drop(followed.remove(at)),
            (kind, _) => panic!("{kind} does not fit: {event:?}"),
        }
        followed.sort_by_key(|record| record["name"].to_string());
        followed.is_empty()
    };
    // Until everybody's lease has ended: each joined four times, and left as often.
    let mut left = 0;
    while left < 4 * names.len() {
        let event = stream.event();
        left += usize::from(event.kind == "left");
        let empty = follow(&event);
        assert!(left < 4 * names.len() || empty);
    }
    assert_eq!(directory.get("/peers").expect(200).json(), json!([]));
}

#[test]
fn a_quiet_stream_shows_that_it_lives() {
    let directory = Directory::start();
    let opened = Instant::now();
    let mut stream = open(&directory, "/events?names=nobody");
    directory.register("ana", HERE, &new_token()).expect(201);
    let frame = stream.frame().expect("a comment");
    assert!(frame.starts_with(':') && opened.elapsed() >= Duration::from_secs(14), "{frame:?}");
}

#[test]
fn a_list_of_names_is_bounded() {
    let directory = Directory::start();
    let names = |count: usize, length: usize| {
        let names: Vec<_> = (0..count).map(|number| format!("{number:0length$}")).collect();
        format!("/events?names={}", names.join(","))
    };
    for most in [names(256, 4), names(64, 63)] {
        assert_eq!(directory.request(Method::HEAD, &most).send().status, 200, "{most}");
    }
    for over in [names(257, 4), names(66, 63), names(3000, 3)] {
        let refused = directory.get(&over).expect_problem(Slug::InvalidQuery);
        assert!(refused.text("detail").contains("256 names in 4096 bytes"), "{}", refused.text("detail"));
    }
}

#[test]
fn streams_have_places_that_are_given_back() {
    let directory = Directory::with(&["--max-streams", "2"]);
    let (first, _second) = (open(&directory, "/events"), open(&directory, "/events"));
    let refused = directory.get("/events").expect_problem(Slug::Unavailable);
    assert!(refused.header("retry-after").is_some());
    directory.get("/events?names=").expect_problem(Slug::InvalidQuery);
    drop(first);
    until("the place is free again", || {
        (directory.request(Method::HEAD, "/events").send().status == 200).then_some(())
    });
}

#[test]
fn one_network_does_not_take_every_stream() {
    let directory = Directory::with(&["--max-streams", "20", "--trusted-proxy", "127.0.0.1"]);
    let from = |source| directory.request(Method::GET, "/events").header("x-forwarded-for", source);
    let (first, _second) = (from("2001:db8::1").stream(), from("2001:db8::2").stream());
    let refused = from("2001:db8::3").send().expect_problem(Slug::RateLimited);
    assert!(
        refused.header("retry-after").is_some() && refused.text("detail").contains("2 of the event streams")
    );
    let _others = (from("2001:db8:0:1::1").stream(), from("192.0.2.1").stream());
    let _here: Vec<_> = (0..3).map(|_| open(&directory, "/events")).collect();
    drop(first);
    let again = || directory.request(Method::HEAD, "/events").header("x-forwarded-for", "2001:db8::3").send();
    until("there is a place in the share again", || (again().status == 200).then_some(()));
}

#[test]
fn sigterm_ends_streams_at_once() {
    let mut directory = Directory::start();
    let mut streams: Vec<_> = (0..20).map(|_| open(&directory, "/events")).collect();
    directory.register("ana", HERE, &new_token()).expect(201);
    for stream in &mut streams {
        assert_eq!(stream.news(), news("joined", "ana"));
    }
    let stopping = Instant::now();
    assert_eq!(directory.stop(), Some(0));
    assert!(stopping.elapsed() < Duration::from_secs(8), "open streams held up the end");
    streams.into_iter().for_each(Stream::ends);
}
