//! A served router and clients that write bytes. Every wait has a deadline; none is shorter than a slow machine needs.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use listener::{ClientKey, Json, Limits, Query, Settings, Shape, Source, Transport};
use protocol::problem::Slug;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// A limit that tests run into.
pub(crate) const SHORT: Duration = Duration::from_millis(200);
/// A limit that no test runs into, and the deadline of every wait.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) const ROOMY: Limits = Limits {
    connections: 100,
    per_source: 100,
    requests: NonZeroU32::MAX,
    body_bytes: 1024,
    header_bytes: 16 * 1024,
    headers: 64,
    handshake: Duration::from_mins(1),
    header: Duration::from_mins(1),
    body: Duration::from_mins(1),
    idle: Duration::from_mins(1),
    request: Duration::from_mins(1),
    drain: Duration::from_mins(1),
};

/// What the handlers tell the tests, and wait for.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    pub(crate) entered: Notify,
    pub(crate) go_on: Notify,
    pub(crate) dropped: Notify,
}

struct TellsDrop(Arc<Signals>);

impl Drop for TellsDrop {
    fn drop(&mut self) {
        self.0.dropped.notify_one();
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Note {
    text: String,
}

impl Shape for Note {
    const SLUG: Slug = Slug::InvalidMessage;
}

#[derive(Deserialize)]
struct Page {
    limit: u32,
}

fn router(signals: Arc<Signals>) -> Router {
    let router = Router::new()
        .route("/hello", get(async || "hello"))
        .route("/source", get(async |source: Source| source.ip().to_string()))
        .route("/key", get(key))
        .route("/note", post(async |Json(note): Json<Note>| Answer(note)))
        .route("/bytes", post(async |bytes: Bytes| bytes))
        .route("/ignore", post(async || "not read"))
        .route("/page", get(async |Query(page): Query<Page>| page.limit.to_string()))
        .route("/panic", get(async || -> &'static str { panic!("as asked") }))
        .route("/wait", get(wait))
        .route("/events", get(events))
        .route("/dribble", get(dribble))
        .route("/endless", get(endless))
        .route("/news", get(async |signals| ([(CONTENT_TYPE, "text/event-stream")], endless(signals).await)))
        .with_state(signals);
    listener::dressed(router)
}

async fn key(ClientKey(key): ClientKey, transport: Transport) -> String {
    let key = key.map_or("none".to_owned(), |fingerprint| fingerprint.to_string());
    format!("{key} {transport:?}")
}

async fn wait(State(signals): State<Arc<Signals>>) -> &'static str {
    signals.entered.notify_one();
    signals.go_on.notified().await;
    "waited"
}

/// One event whenever a test says so.
async fn events(signals: State<Arc<Signals>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/event-stream")], dribble(signals).await)
}

/// The same, as any other answer.
async fn dribble(State(signals): State<Arc<Signals>>) -> Body {
    Body::from_stream(futures_util::stream::unfold(signals, async |signals| {
        signals.go_on.notified().await;
        Some((Ok::<_, std::io::Error>("data: event\n\n"), signals))
    }))
}

/// As much as anybody will read.
async fn endless(State(signals): State<Arc<Signals>>) -> Body {
    let chunk = Bytes::from(vec![b'.'; 64 * 1024]);
    Body::from_stream(futures_util::stream::unfold(TellsDrop(signals), move |tells| {
        let chunk = chunk.clone();
        async { Some((Ok::<_, std::io::Error>(chunk), tells)) }
    }))
}

pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) signals: Arc<Signals>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

impl Site {
    pub(crate) async fn open(settings: impl Into<Settings>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let signals = Arc::<Signals>::default();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let served = listener::serve(listener, router(signals.clone()), settings.into(), shutdown);
        let served = tokio::spawn(served);
        Self { address, signals, stop: Some(stop), served }
    }

    pub(crate) async fn client(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap(), unread: Vec::new() }
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(&self, request: impl AsRef<[u8]>) -> Response {
        let mut client = self.client().await;
        client.send(request).await;
        client.response().await
    }

    pub(crate) async fn serves_others(&self) {
        assert_eq!(self.ask("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await.body, "hello");
    }

    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub(crate) async fn has_ended(self) {
        within("serve to return", self.served).await.unwrap();
    }
}

pub(crate) async fn within<F: IntoFuture>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(LONG, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    unread: Vec<u8>,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within("the server to take bytes", self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Sends a byte every few milliseconds until the server has had enough, and gives what it said.
    pub(crate) async fn drip(&mut self, byte: u8) -> String {
        let (mut from, mut to) = self.stream.split();
        let mut said = Vec::new();
        let dripping = async {
            let mut pause = tokio::time::interval(SHORT / 10);
            while to.write_all(&[byte]).await.is_ok() {
                pause.tick().await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            read = within("the server to hang up", from.read_to_end(&mut said)) => { read.unwrap(); }
            () = dripping => {}
        }
        String::from_utf8(said).unwrap()
    }

    /// All that the server says before it hangs up.
    pub(crate) async fn rest(&mut self) -> String {
        let mut said = std::mem::take(&mut self.unread);
        within("the server to hang up", self.stream.read_to_end(&mut said)).await.unwrap();
        String::from_utf8(said).unwrap()
    }

    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.unread.windows(end.len()).position(|window| window == end.as_bytes()) {
                let rest = self.unread.split_off(at + end.len());
                return String::from_utf8(std::mem::replace(&mut self.unread, rest)).unwrap();
            }
            let read = within(end, self.stream.read_buf(&mut self.unread)).await.unwrap();
            assert_ne!(read, 0, "hung up after {:?}", String::from_utf8_lossy(&self.unread));
        }
    }

    /// One response with a content length; the connection stays open.
    pub(crate) async fn response(&mut self) -> Response {
        let mut response = Response::from_head(&self.read_until("\r\n\r\n").await);
        let length: usize = response.header("content-length").unwrap().parse().unwrap();
        while self.unread.len() < length {
            assert_ne!(within("a body", self.stream.read_buf(&mut self.unread)).await.unwrap(), 0);
        }
        response.body = String::from_utf8(self.unread.drain(..length).collect()).unwrap();
        response
    }
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    fn from_head(head: &str) -> Self {
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: String::new() }
    }

    pub(crate) fn whole(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no response: {text:?}"));
        Self { body: body.to_owned(), ..Self::from_head(head) }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// Asserts that this is a problem as all are, and gives its detail.
    #[track_caller]
    pub(crate) fn problem(&self, slug: Slug) -> String {
        assert_eq!(self.status, slug.status(), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()), "{self:?}");
        assert!(self.header("date").is_some_and(|date| date.ends_with(" GMT")), "{self:?}");
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body["type"], slug.urn(), "{self:?}");
        assert_eq!(body["status"], slug.status(), "{self:?}");
        body["detail"].as_str().unwrap().to_owned()
    }
}
