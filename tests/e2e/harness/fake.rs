//! Someone in a peer's or a directory's place who answers what the story says, or nothing at all, and remembers what
//! it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::Slug;
use serde_json::{Value, json};

use super::directory::Directory;
use super::new_token;

/// A listener; a clone is the same one.
#[derive(Clone)]
pub(crate) struct Fake {
    asked: Arc<Mutex<Vec<Asked>>>,
    url: String,
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
    /// It was answered, or whoever asked gave up.
    over: Arc<AtomicBool>,
}

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
    fn behind(&self, read: usize) -> (Vec<u8>, bool) {
        let fed = self.0.lock().unwrap();
        (fed.bytes[read..].to_vec(), fed.ended)
    }
}

impl Asked {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
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

    /// A receipt for this message.
    pub(crate) fn receipt(message: &Value) -> Self {
        let receipt = json!({"id": message["id"], "received_at": "2026-11-22T09:30:00Z", "verified": false});
        Self::answer(201, "application/json", receipt.to_string())
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
    pub(crate) fn online(name: &str, url: &str) -> Self {
        let claim =
            json!({"name": name, "online": true, "address": url, "online_since": "2026-11-22T09:30:00Z"});
        Self::answer(200, "application/json", claim.to_string())
    }

    /// A directory's answer to a look-up of someone who is not.
    pub(crate) fn offline(name: &str) -> Self {
        Self::answer(200, "application/json", json!({"name": name, "online": false}).to_string())
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
        Self::answering(move |asked| reply(&asked.body))
    }

    /// Listens, and answers by method and path too.
    pub(crate) fn answering(reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (reply, kept) = (Arc::new(reply), Arc::clone(&asked));
        // The threads end with the test's process: a listener has nothing to clean up.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (reply, kept) = (Arc::clone(&reply), Arc::clone(&kept));
                std::thread::spawn(move || converse(&stream, &kept, reply.as_ref()));
            }
        });
        Self { asked, url }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The bodies of all messages that it was sent, in order of arrival.
    pub(crate) fn received(&self) -> Vec<Value> {
        self.asked.lock().unwrap().iter().map(|asked| asked.body.clone()).collect()
    }

    /// Whenever it was asked this, as in `GET /peers`.
    pub(crate) fn asked(&self, what: &str) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.what == what).cloned().collect()
    }

    /// How often it was asked this.
    pub(crate) fn times_asked(&self, what: &str) -> usize {
        self.asked(what).len()
    }

    /// Whether somebody waits for the answer to this at the moment.
    pub(crate) fn holds(&self, what: &str) -> bool {
        self.asked(what).iter().any(|asked| !asked.over.load(Ordering::SeqCst))
    }
}

/// Somebody as a directory lists them.
pub(crate) fn record(name: &str, url: &str) -> Value {
    json!({"name": name, "address": url, "fingerprint": null, "online_since": "2026-11-22T09:30:00Z"})
}

/// Answers request after request until the other side closes.
fn converse(stream: &TcpStream, kept: &Mutex<Vec<Asked>>, reply: &dyn Fn(&Asked) -> Reply) {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read_request(&mut reader) {
        kept.lock().unwrap().push(asked.clone());
        let goes_on = match reply(&asked) {
            Reply::Answer(status, headers, body) => answer(stream, status, &headers, &body).is_ok(),
            Reply::Events(feed) => {
                let _ = stream_events(stream, &mut reader, &feed);
                false
            }
            Reply::Silence => {
                // Holds the connection open until the other side gives up.
                let _ = reader.read(&mut [0; 1]);
                false
            }
        };
        asked.over.store(true, Ordering::SeqCst);
        if !goes_on {
            return;
        }
    }
}

fn answer(mut stream: &TcpStream, status: u16, headers: &str, body: &str) -> std::io::Result<()> {
    // RFC 9110, 8.6: a 204 has no length.
    let length = if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    // At once: what is written in two pieces waits 40 ms for the acknowledgement of the first.
    stream.write_all(format!("HTTP/1.1 {status} Told\r\n{headers}{length}\r\n{body}").as_bytes())
}

/// Says what the feed says until it ends or the other side gives up.
fn stream_events(
    mut stream: &TcpStream,
    reader: &mut BufReader<&TcpStream>,
    feed: &Feed,
) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 Told\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")?;
    // The other side says nothing more: what comes back is its end, or nothing in this time.
    stream.set_read_timeout(Some(Duration::from_millis(5)))?;
    let mut said = 0;
    loop {
        let (news, ended) = feed.behind(said);
        stream.write_all(&news)?;
        said += news.len();
        match reader.read(&mut [0; 1]) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock && !ended => {}
            _ => return Ok(()),
        }
    }
}

/// One request with `Content-Length`, or nothing when the connection ends.
fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Asked> {
    let (mut what, mut query) = (String::new(), String::new());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if what.is_empty() {
            let request = line.trim_end_matches(" HTTP/1.1");
            let (asked, rest) = request.split_once('?').unwrap_or((request, ""));
            (what, query) = (asked.to_owned(), rest.to_owned());
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Some(Asked { what, query, headers, body, over: Arc::default() })
}
