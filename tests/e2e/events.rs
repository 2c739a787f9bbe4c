//! Ana waits for Rui at the directory's events, and only then.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use protocol::Slug;
use serde_json::{Value, json};

use super::harness::{Asked, Directory, Fake, Feed, Key, Peer, Reply, new_token, record, until};

/// Whoever leaves a message looks its recipient up, and so does the daemon before it tries.
const LEAVING: usize = 2;

/// A directory in which everybody is online at a place that is busy for an hour, until they move: whoever only tries
/// again comes back in minutes.
struct Town {
    directory: Fake,
    busy: Fake,
    home: Fake,
    moved: Arc<Mutex<Vec<String>>>,
}

impl Town {
    /// What its directory answers to `GET /events` is for the story to say.
    fn build(events: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let key = Key::new();
        let busy = Fake::with_key(&key, |_| Reply::problem(Slug::Unavailable).with("retry-after", "3600"));
        let home = Fake::with_key(&key, Reply::receipt);
        let moved = Arc::new(Mutex::new(Vec::<String>::new()));
        let (names, places) = (Arc::clone(&moved), (busy.clone(), home.clone()));
        let listed = move |name: &str| {
            let moved = names.lock().unwrap().iter().any(|moved| moved == name);
            if moved { places.1.record(name) } else { places.0.record(name) }
        };
        let directory = Fake::answering(move |asked| match asked.what.as_str() {
            "POST /register" => Reply::listed(&asked.body, 60),
            "DELETE /register" => Reply::answer(204, "application/json", ""),
            "GET /events" => events(asked),
            "GET /peers" => Reply::list(&["hugo", "rui"].map(&listed)),
            what => Reply::online(&listed(what.trim_start_matches("GET /peers/"))),
        });
        Self { directory, busy, home, moved }
    }

    /// Its directory opens every stream that it is asked for, each with a feed of its own, in their order.
    fn streaming() -> (Self, Arc<Mutex<Vec<Feed>>>) {
        let feeds = Arc::new(Mutex::new(Vec::<Feed>::new()));
        let opened = Arc::clone(&feeds);
        let town = Self::build(move |_| {
            let feed = Feed::default();
            opened.lock().unwrap().push(feed.clone());
            Reply::Events(feed)
        });
        (town, feeds)
    }

    /// Ana, who has just left a message for `name`, which waits.
    fn ana_waits_for(&self, name: &str) -> (Peer, String) {
        let mut ana = Peer::of(self.directory.url(), "ana");
        ana.serve();
        let sent = ana.send(name, "when you have time");
        assert_eq!(sent.state, "queued");
        (ana, sent.id)
    }

    fn moves(&self, name: &str) -> Value {
        self.moved.lock().unwrap().push(name.to_owned());
        self.home.record(name)
    }

    /// Until the daemon has looked for `name` so many times, besides what was asked when the message was left.
    fn until_looked_for(&self, name: &str, times: usize) {
        self.until_asked(&format!("GET /peers/{name}"), LEAVING + times);
    }

    /// How often it has by now.
    fn looked_for(&self, name: &str) -> usize {
        self.directory.times_asked(&format!("GET /peers/{name}")) - LEAVING
    }

    fn until_asked(&self, what: &str, times: usize) {
        until(&format!("{what} is asked {times} times"), || {
            (self.directory.times_asked(what) >= times).then_some(())
        });
    }
}

#[test]
fn a_return_is_told_and_nobody_asks() {
    let feed = Feed::default();
    let told = feed.clone();
    let town = Town::build(move |_| Reply::Events(told.clone()));
    let mut bystander = Peer::of(town.directory.url(), "zeca");
    bystander.serve();
    let (ana, message) = town.ana_waits_for("rui");
    // Rui is looked for behind the opened stream, so that nothing is missed in between.
    town.until_looked_for("rui", 1);
    let opened = town.directory.asked("GET /events");
    assert_eq!(opened.len(), 1, "nobody else waits");
    assert_eq!(opened[0].query, "names=rui");
    assert_eq!(opened[0].header("last-event-id"), None);

    feed.say(": alive\n\n");
    feed.tell("changed", 7, &town.moves("rui"));
    ana.until_state_is(&message, "delivered");
    assert_eq!(town.looked_for("rui"), 2, "the stream told it, and then it was tried");
    assert_eq!(town.directory.times_asked("GET /peers"), 0, "nobody reads the whole list");
    assert_eq!(town.busy.received().len(), 1, "it asked to be left alone");
    until("the stream is closed", || (!town.directory.holds("GET /events")).then_some(()));
}

#[test]
fn whoever_is_waited_for_anew_is_followed_too() {
    let (town, feeds) = Town::streaming();
    let (ana, to_rui) = town.ana_waits_for("rui");
    town.until_looked_for("rui", 1);
    let to_hugo = ana.send("hugo", "and you").id;
    town.until_looked_for("hugo", 1);
    town.until_looked_for("rui", 2);
    let asked = town.directory.asked("GET /events");
    assert_eq!(asked.last().unwrap().query, "names=hugo%2Crui");

    let feed = feeds.lock().unwrap().last().unwrap().clone();
    feed.tell("changed", 1, &town.moves("hugo"));
    ana.until_state_is(&to_hugo, "delivered");
    assert!(town.directory.holds("GET /events"), "rui is still waited for");
    feed.tell("changed", 2, &town.moves("rui"));
    ana.until_state_is(&to_rui, "delivered");
    assert_eq!((town.looked_for("hugo"), town.looked_for("rui")), (2, 3), "then each was tried");
    until("the stream is closed", || (!town.directory.holds("GET /events")).then_some(()));
}

#[test]
fn where_streams_are_full_it_is_asked_and_the_stream_tried_later() {
    let (feed, full) = (Feed::default(), Arc::new(Mutex::new(true)));
    let (told, turn) = (feed.clone(), Arc::clone(&full));
    let town = Town::build(move |_| {
        let full = *turn.lock().unwrap();
        if full { Reply::problem(Slug::Unavailable) } else { Reply::Events(told.clone()) }
    });
    let (ana, to_rui) = town.ana_waits_for("rui");
    town.until_looked_for("rui", 3);
    assert!(town.directory.times_asked("GET /events") >= 1, "the stream comes first");
    town.moves("rui");
    ana.until_state_is(&to_rui, "delivered");

    *full.lock().unwrap() = false;
    let to_hugo = ana.send("hugo", "and you").id;
    until("the stream is tried again", || town.directory.holds("GET /events").then_some(()));
    feed.tell("changed", 1, &town.moves("hugo"));
    ana.until_state_is(&to_hugo, "delivered");
}

#[test]
fn a_directory_says_how_long_its_streams_are_full() {
    let town = Town::build(|_| Reply::problem(Slug::Unavailable).with("retry-after", "3600"));
    let (ana, to_rui) = town.ana_waits_for("rui");
    // Once a second: without a word, a stream is tried again after 8 s at most.
    town.until_looked_for("rui", 12);
    assert_eq!(town.directory.times_asked("GET /events"), 1);
    town.moves("rui");
    ana.until_state_is(&to_rui, "delivered");
}

#[test]
fn a_stream_that_ends_is_gone_on_with_where_it_ended() {
    let (town, feeds) = Town::streaming();
    let (ana, message) = town.ana_waits_for("rui");
    town.until_looked_for("rui", 1);
    let feed = |number: usize| feeds.lock().unwrap()[number].clone();
    feed(0).tell("left", 41, &town.busy.record("rui"));
    feed(0).end();
    town.until_asked("GET /events", 2);
    assert_eq!(town.directory.asked("GET /events")[1].header("last-event-id"), Some("41"));
    feed(1).tell("joined", 42, &town.moves("rui"));
    ana.until_state_is(&message, "delivered");
    assert_eq!(town.looked_for("rui"), 2, "nothing was missed");
}

#[test]
fn behind_a_stream_that_ended_without_a_word_it_is_asked_again() {
    let (town, feeds) = Town::streaming();
    let (ana, message) = town.ana_waits_for("rui");
    town.until_looked_for("rui", 1);
    town.moves("rui");
    feeds.lock().unwrap()[0].end();
    ana.until_state_is(&message, "delivered");
    let streams = town.directory.asked("GET /events");
    assert!(streams.len() == 2 && streams[1].header("last-event-id").is_none(), "{streams:?}");
    assert_eq!(town.looked_for("rui"), 3);
}

#[test]
fn a_directory_cannot_make_a_peer_knock_without_end() {
    let feed = Feed::default();
    let told = feed.clone();
    let town = Town::build(move |_| Reply::Events(told.clone()));
    let (ana, message) = town.ana_waits_for("rui");
    town.until_looked_for("rui", 1);
    let begun = Instant::now();
    let mut id = 0;
    until("rui is tried four times", || {
        id += 1;
        // What is told is another place each time; what is looked up is the busy one.
        feed.tell("changed", id, &record("rui", &format!("http://127.0.0.1:{}", 7000 + id % 100)));
        (town.busy.received().len() >= 4).then_some(())
    });
    // Once before, once when told, and then once a second.
    assert!(begun.elapsed() >= Duration::from_secs(2), "within {:?}", begun.elapsed());
    feed.tell("changed", id + 1, &town.moves("rui"));
    ana.until_state_is(&message, "delivered");
}

#[test]
fn a_reset_means_that_it_is_asked_again() {
    let feed = Feed::default();
    let told = feed.clone();
    let town = Town::build(move |_| Reply::Events(told.clone()));
    let (ana, message) = town.ana_waits_for("rui");
    town.until_looked_for("rui", 1);
    town.moves("rui");
    feed.tell("reset", 1 << 40, &json!({}));
    ana.until_state_is(&message, "delivered");
    assert_eq!(town.looked_for("rui"), 3);
}

#[test]
fn a_stream_that_makes_no_sense_is_not_relied_upon() {
    let elsewhere = Fake::listen(|_| Reply::Events(Feed::default()));
    let location = format!("{}/events", elsewhere.url());
    let streamed = |fill: fn(&Feed)| {
        let feed = Feed::default();
        fill(&feed);
        Reply::Events(feed)
    };
    let replies = [
        ("a line without an end", streamed(|feed| feed.say("x".repeat(1 << 20)))),
        ("an event without an end", streamed(|feed| feed.say("data: x\n".repeat(1 << 17)))),
        ("no JSON", streamed(|feed| feed.say("event: joined\ndata: rui\n\n"))),
        ("no name", streamed(|feed| feed.tell("joined", 1, &record("a/b", "http://127.0.0.1:1")))),
        ("no stream for long", streamed(Feed::end)),
        ("a page", Reply::answer(200, "text/html", "<h1>It works!</h1>")),
        ("a redirect", Reply::answer(307, "text/plain", "").with("location", &location)),
        ("an older directory", Reply::problem(Slug::NotFound)),
    ];
    thread::scope(|scope| {
        for (what, reply) in replies {
            scope.spawn(move || {
                let begun = Instant::now();
                let town = Town::build(move |_| reply.clone());
                let (ana, message) = town.ana_waits_for("rui");
                town.until_looked_for("rui", 6);
                town.moves("rui");
                ana.until_state_is(&message, "delivered");
                let tried = town.directory.times_asked("GET /events");
                // One is followed by another at once, that by none for 4 s, and so on.
                let most = 2 + begun.elapsed().as_secs() / 4;
                assert!((1..=most).contains(&(tried as u64)), "{what}: {tried} streams, not {most}");
            });
        }
    });
    assert!(elsewhere.received().is_empty(), "redirects are not followed");
}

#[test]
fn the_real_directory_tells_of_a_return() {
    let mut directory = Directory::with(&["-v"]);
    let ana = Peer::start(&directory, "ana");
    let token = new_token();
    let key = Key::new();
    let busy = Fake::with_key(&key, |_| Reply::problem(Slug::Unavailable).with("retry-after", "3600"));
    busy.register(&directory, "rui", &token).expect(201);
    let asked = |log: &str, path: &str| log.matches(&format!("method=GET path=\"{path}\"")).count();
    let log = directory.process().stderr();
    assert_eq!(asked(&log, "/events"), 0, "nobody waits");
    let lists = asked(&log, "/peers");
    let lookups = |log: &str| asked(log, "/peers/rui");
    let sent = ana.send("rui", "when you are back");
    assert_eq!(sent.state, "queued");
    directory.process().stderr_until("that rui is looked for", |log| (lookups(log) > LEAVING).then_some(()));

    let back = Fake::with_key(&key, Reply::receipt);
    back.register(&directory, "rui", &token).expect(200);
    ana.until_state_is(&sent.id, "delivered");
    assert_eq!(busy.received().len(), 1, "it asked to be left alone");
    let log = directory.process().stderr();
    assert_eq!((asked(&log, "/events"), lookups(&log)), (1, LEAVING + 2), "the stream told it");
    assert_eq!(asked(&log, "/peers"), lists, "nobody reads the whole list");
    until("no stream is open", || {
        let metrics = directory.get("/metrics").expect(200);
        String::from_utf8_lossy(&metrics.body)
            .lines()
            .any(|line| line == "recado_directory_streams 0")
            .then_some(())
    });
}

#[test]
fn a_directory_that_starts_again_is_followed_on() {
    let mut directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let token = new_token();
    let key = Key::new();
    let busy = Fake::with_key(&key, |_| Reply::problem(Slug::Unavailable).with("retry-after", "3600"));
    busy.register(&directory, "rui", &token).expect(201);
    let sent = ana.send("rui", "when you are back");
    assert_eq!(sent.state, "queued");
    directory.kill();
    directory.start_again();
    let back = Fake::with_key(&key, Reply::receipt);
    back.register(&directory, "rui", &token).expect(200);
    ana.until_state_is(&sent.id, "delivered");
    assert_eq!(busy.received().len(), 1, "it asked to be left alone");
}
