//! Someone in a peer's place who answers what the story says, or nothing at all, and remembers what it was sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use protocol::Slug;
use serde_json::{Value, json};

use super::directory::Directory;
use super::new_token;

/// A listener registered under a name.
pub(crate) struct Fake {
    received: Arc<Mutex<Vec<Value>>>,
    url: String,
}

/// What a fake does with a message.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers with a status, header lines and a body.
    Answer(u16, String, String),
    /// Takes the message and never says anything.
    Silence,
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
            Self::Silence => Self::Silence,
        }
    }

    /// A problem of the closed list.
    pub(crate) fn problem(slug: Slug) -> Self {
        let body = serde_json::to_string(&slug.because("As the story says.").body()).unwrap();
        Self::answer(slug.status(), protocol::paths::PROBLEM_JSON, body)
    }

    /// A receipt for this message.
    pub(crate) fn receipt(message: &Value) -> Self {
        let receipt = json!({"id": message["id"], "received_at": "2026-11-22T09:30:00Z", "verified": false});
        Self::answer(201, "application/json", receipt.to_string())
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
        directory.register(name, &fake.url, &new_token()).expect(201);
        fake
    }

    /// Listens without being registered.
    pub(crate) fn listen(reply: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let (reply, kept) = (Arc::new(reply), Arc::clone(&received));
        // The threads end with the test's process: a listener has nothing to clean up.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (reply, kept) = (Arc::clone(&reply), Arc::clone(&kept));
                std::thread::spawn(move || converse(&stream, &kept, reply.as_ref()));
            }
        });
        Self { received, url }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The bodies of all messages that it was sent, in order of arrival.
    pub(crate) fn received(&self) -> Vec<Value> {
        self.received.lock().unwrap().clone()
    }
}

/// Answers request after request until the other side closes.
fn converse(stream: &TcpStream, kept: &Mutex<Vec<Value>>, reply: &dyn Fn(&Value) -> Reply) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(message) = read_request(&mut reader) {
        kept.lock().unwrap().push(message.clone());
        match reply(&message) {
            Reply::Answer(status, headers, body) => {
                let head =
                    format!("HTTP/1.1 {status} Told\r\n{headers}content-length: {}\r\n\r\n", body.len());
                if writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(body.as_bytes())).is_err()
                {
                    return;
                }
            }
            Reply::Silence => {
                // Holds the connection open until the other side gives up.
                let _ = reader.read(&mut [0; 1]);
                return;
            }
        }
    }
}

/// The JSON body of one request with `Content-Length`, or nothing when the connection ends.
fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).unwrap_or(Value::Null))
}
