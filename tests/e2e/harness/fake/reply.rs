//! What a fake says to a request.

use std::sync::{Arc, Mutex};

use protocol::{Fingerprint, Slug};
use serde_json::{Value, json};

/// What a fake does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers with a status, header lines and a body.
    Answer(u16, String, String),
    /// Answers with an event stream of what the feed was given and will be, until it ends.
    Events(Feed),
    /// Takes the request and never says anything.
    Silence,
}

/// What is said to everyone whose answer it is; a clone is the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Feed(Arc<Mutex<Fed>>);

#[derive(Debug, Default)]
struct Fed {
    bytes: Vec<u8>,
    ended: bool,
}

impl Feed {
    /// Says this, as it is.
    pub(crate) fn say(&self, text: impl AsRef<[u8]>) {
        self.0.lock().unwrap().bytes.extend_from_slice(text.as_ref());
    }

    /// Tells an event of somebody.
    pub(crate) fn tell(&self, event: &str, id: u64, record: &Value) {
        self.say(format!("event: {event}\nid: {id}\ndata: {record}\n\n"));
    }

    /// Ends all streams.
    pub(crate) fn end(&self) {
        self.0.lock().unwrap().ended = true;
    }

    /// What was said behind so many bytes, and whether that is all.
    pub(super) fn behind(&self, read: usize) -> (Vec<u8>, bool) {
        let fed = self.0.lock().unwrap();
        (fed.bytes[read..].to_vec(), fed.ended)
    }
}

impl Reply {
    /// A status, a media type and a body.
    pub(crate) fn answer(status: u16, media_type: &str, body: impl Into<String>) -> Self {
        Self::Answer(status, format!("content-type: {media_type}\r\n"), body.into())
    }

    /// The same with another header.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        match self {
            Self::Answer(status, headers, body) => {
                Self::Answer(status, format!("{headers}{name}: {value}\r\n"), body)
            }
            other => other,
        }
    }

    /// A problem of the closed list.
    pub(crate) fn problem(slug: Slug) -> Self {
        let body = serde_json::to_string(&slug.because("As the story says.").body()).unwrap();
        Self::answer(slug.status(), protocol::paths::PROBLEM_JSON, body)
    }

    /// A receipt for this message, or for each of this batch.
    pub(crate) fn receipt(request: &Value) -> Self {
        let receipt = |message: &Value| {
            json!({
                "status": 201, "id": message["id"], "received_at": "2026-11-22T09:30:00Z", "verified": false,
            })
        };
        let (status, receipts) = match request.as_array() {
            Some(batch) => (200, batch.iter().map(receipt).collect()),
            None => (201, receipt(request)),
        };
        Self::answer(status, "application/json", receipts.to_string())
    }

    /// A directory's answer to this registration.
    pub(crate) fn listed(registration: &Value, ttl_seconds: u64) -> Self {
        let listed = json!({
            "name": registration["name"],
            "address": registration["address"],
            "online_since": "2026-11-22T09:30:00Z",
            "expires_at": "2026-11-22T09:31:00Z",
            "ttl_seconds": ttl_seconds,
        });
        Self::answer(200, "application/json", listed.to_string())
    }

    /// A directory's list of those who are online.
    pub(crate) fn list(records: &[Value]) -> Self {
        Self::answer(200, "application/json", Value::from(records).to_string())
    }

    /// A directory's answer to a look-up of someone who is online.
    pub(crate) fn online(record: &Value) -> Self {
        let mut claim = record.clone();
        claim["online"] = json!(true);
        Self::answer(200, "application/json", claim.to_string())
    }

    /// A directory's answer to a look-up of someone who is not.
    pub(crate) fn offline(name: &str) -> Self {
        let claim = json!({"name": name, "online": false, "fingerprint": Fingerprint::from_bytes([7; 32])});
        Self::answer(200, "application/json", claim.to_string())
    }
}
