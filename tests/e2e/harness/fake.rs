//! Someone in a peer's or a directory's place who answers what the story says, or nothing at all, and remembers what
//! it was asked. It has a key, and speaks TLS and plain HTTP on one port.

mod conversation;
mod reply;

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use protocol::Fingerprint;
use serde_json::{Value, json};

use super::directory::Directory;
use super::http::Answer;
use super::key::Key;
use super::new_token;
use super::wait::until;
pub(crate) use reply::{Feed, Reply};

/// A listener; a clone is the same one.
#[derive(Clone)]
pub(crate) struct Fake {
    seen: Arc<Seen>,
    place: String,
    url: String,
    key: Key,
}

/// What a fake has seen of those who came.
#[derive(Default)]
struct Seen {
    calls: AtomicUsize,
    /// For each handshake that was completed, the key that was shown in it.
    handshakes: Mutex<Vec<Option<Fingerprint>>>,
    /// Bytes of requests, as they were before TLS hid them.
    heard: AtomicUsize,
    asked: Mutex<Vec<Asked>>,
}

/// One request to a fake.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Method and path, as in `GET /peers`.
    pub(crate) what: String,
    /// What stands behind the path's question mark.
    pub(crate) query: String,
    /// Names in lower case, and values.
    headers: Vec<(String, String)>,
    /// The JSON body, or null.
    pub(crate) body: Value,
    /// The key that was proved in the handshake.
    pub(crate) key: Option<Fingerprint>,
    /// It was answered, or whoever asked gave up.
    over: Arc<AtomicBool>,
}

impl Asked {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

impl Fake {
    /// Registers `name` at the directory, with a listener that replies as told.
    pub(crate) fn start(
        directory: &Directory,
        name: &str,
        reply: impl Fn(&Value) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let fake = Self::listen(reply);
        fake.register(directory, name, &new_token()).expect(201);
        fake
    }

    /// Listens without being registered.
    pub(crate) fn listen(reply: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Self {
        Self::answering(move |asked| reply(&asked.body))
    }

    /// Listens with this key: the same somebody at another place.
    pub(crate) fn with_key(key: &Key, reply: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", key, move |asked| reply(&asked.body))
    }

    /// Listens, and answers by method and path too.
    pub(crate) fn answering(reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", &Key::new(), reply)
    }

    /// Listens there as soon as the port is free, with this key.
    pub(crate) fn at(
        place: &str,
        key: &Key,
        reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = until(&format!("{place} is free"), || TcpListener::bind(place).ok());
        let place = listener.local_addr().unwrap().to_string();
        let url = format!("http://{place}");
        let fake = Self { seen: Arc::default(), place, url, key: key.clone() };
        let (this, reply) = (fake.clone(), Arc::new(reply));
        // The threads end with the test's process: a listener has nothing to clean up.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                this.seen.calls.fetch_add(1, Ordering::SeqCst);
                let (this, reply) = (this.clone(), Arc::clone(&reply));
                std::thread::spawn(move || {
                    conversation::converse(stream, &this.key, &this.seen, reply.as_ref());
                });
            }
        });
        fake
    }

    /// Its URL for those who speak plain HTTP, as to a directory.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its address as a peer's.
    pub(crate) fn address(&self) -> String {
        format!("https://{}", self.place)
    }

    /// Its key's fingerprint.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.key.fingerprint()
    }

    /// Registers it under this name.
    pub(crate) fn register(&self, directory: &Directory, name: &str, token: &str) -> Answer {
        directory.register_with_key(name, &self.address(), token, self.fingerprint())
    }

    /// What a directory lists of it under this name.
    pub(crate) fn record(&self, name: &str) -> Value {
        json!({
            "name": name,
            "address": self.address(),
            "fingerprint": self.fingerprint(),
            "online_since": "2026-11-22T09:30:00Z",
        })
    }

    /// The messages, or whatever else it was sent, in order of arrival; those of a batch one by one.
    pub(crate) fn received(&self) -> Vec<Value> {
        let asked = self.seen.asked.lock().unwrap();
        let messages = asked.iter().flat_map(|asked| match asked.body.as_array() {
            Some(batch) => batch.clone(),
            None => vec![asked.body.clone()],
        });
        messages.collect()
    }

    /// Whenever it was asked this, as in `GET /peers`.
    pub(crate) fn asked(&self, what: &str) -> Vec<Asked> {
        self.seen.asked.lock().unwrap().iter().filter(|asked| asked.what == what).cloned().collect()
    }

    /// How often it was asked this.
    pub(crate) fn times_asked(&self, what: &str) -> usize {
        self.asked(what).len()
    }

    /// Whether somebody waits for the answer to this at the moment.
    pub(crate) fn holds(&self, what: &str) -> bool {
        self.asked(what).iter().any(|asked| !asked.over.load(Ordering::SeqCst))
    }

    /// How many connections it was offered.
    pub(crate) fn calls(&self) -> usize {
        self.seen.calls.load(Ordering::SeqCst)
    }

    /// For each handshake that was completed, the key that was shown in it.
    pub(crate) fn handshakes(&self) -> Vec<Option<Fingerprint>> {
        self.seen.handshakes.lock().unwrap().clone()
    }

    /// How many bytes of requests it has read.
    pub(crate) fn heard(&self) -> usize {
        self.seen.heard.load(Ordering::SeqCst)
    }
}

/// Somebody without a key, as a directory lists them.
pub(crate) fn record(name: &str, url: &str) -> Value {
    json!({"name": name, "address": url, "fingerprint": null, "online_since": "2026-11-22T09:30:00Z"})
}
