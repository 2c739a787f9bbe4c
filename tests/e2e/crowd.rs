//! Crowds: three thousand clients that hang, in every shape, on every listener, are closed in their limits while others are
//! answered; and ten thousand peers that register at once are all let in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::harness::{DEADLINE, Directory, Peer};
use super::https::{certified, curl, flags};

const HANGING: usize = 3_000;
const REGISTERING: usize = 10_000;

/// Limits short enough for a test, each of another length, so that one cannot stand in for another.
const LIMITS: [&str; 8] =
    ["--handshake-timeout", "2s", "--header-timeout", "3s", "--body-timeout", "4s", "--idle-timeout", "5s"];

/// What a port speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    Http,
    Tls,
    /// Either, told by the first byte.
    Both,
}

/// How a client hangs.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Silent,
    HalfHead,
    DrippedHead,
    HalfBody,
    DrippedBody,
    Idle,
    HalfHello,
}

/// The first bytes of a TLS 1.3 `ClientHello`: a record of 512 bytes is announced, and begins.
const HELLO: &[u8] = &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];

impl Shape {
    const ALL: [Self; 7] = [
        Self::Silent,
        Self::HalfHead,
        Self::DrippedHead,
        Self::HalfBody,
        Self::DrippedBody,
        Self::Idle,
        Self::HalfHello,
    ];

    /// What it sends before it hangs.
    fn opening(self, post: &str) -> Vec<u8> {
        match self {
            Self::Silent => Vec::new(),
            Self::HalfHead | Self::DrippedHead => b"GET /health HTTP/1.1\r\nhost: localhost\r\nx-slow: ".to_vec(),
            Self::HalfBody | Self::DrippedBody => format!(
                "POST {post} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n[\""
            )
            .into_bytes(),
            Self::Idle => b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
            Self::HalfHello => HELLO.to_vec(),
        }
    }

    /// What goes on to trickle.
    fn drip(self) -> Option<u8> {
        matches!(self, Self::DrippedHead | Self::DrippedBody).then_some(b'x')
    }

    /// Those that a port meets: on one for TLS, the other shapes come later, within it.
    fn on(speech: Speech) -> &'static [Self] {
        match speech {
            Speech::Http | Speech::Both => &Self::ALL,
            Speech::Tls => &[Self::Silent, Self::HalfHello],
        }
    }

    /// The status that it is answered with before it is closed, and not before which time: its limit.
    fn end(self, speech: Speech) -> (Option<u16>, Duration) {
        match self {
            Self::HalfHello if speech != Speech::Http => (None, Duration::from_secs(2)),
            Self::Silent => (None, Duration::from_secs(2)),
            Self::HalfHead | Self::DrippedHead => (Some(408), Duration::from_secs(3)),
            Self::HalfBody | Self::DrippedBody => (Some(408), Duration::from_secs(4)),
            Self::Idle => (Some(200), Duration::from_secs(5)),
            // On a port that speaks no TLS this is no HTTP either, and said to be so at once.
            Self::HalfHello => (Some(400), Duration::ZERO),
        }
    }
}

/// One client's whole life: what it was answered, and how long it hung.
async fn hang(
    mut stream: TcpStream,
    begun: Instant,
    shape: Shape,
    post: &'static str,
) -> (Shape, Option<u16>, Duration) {
    stream.write_all(&shape.opening(post)).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let dripping = tokio::spawn(async move {
        let Some(byte) = shape.drip() else { return std::future::pending().await };
        loop {
            sleep(Duration::from_millis(250)).await;
            if writer.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    });
    let mut said = Vec::new();
    // A reset instead of an end is the same to a client that hangs.
    let closed = timeout(DEADLINE, reader.read_to_end(&mut said)).await;
    dripping.abort();
    assert!(closed.is_ok(), "a client was never closed: {shape:?}");
    let status = said.get(9..12).and_then(|status| std::str::from_utf8(status).ok()?.parse().ok());
    (shape, status, begun.elapsed())
}

/// Lets the crowd hang on a listener, while somebody else asks for something all the time.
async fn crowd(address: SocketAddr, speech: Speech, post: &'static str, ask: impl AsyncFn()) {
    make_room();
    let shapes = Shape::on(speech);
    let mut crowd = JoinSet::new();
    for client in 0..HANGING {
        // Its time runs from when it is accepted. One after the other: of a flood, the kernel would drop some that say
        // nothing without a word to either side.
        let begun = Instant::now();
        let stream = TcpStream::connect(address).await.unwrap();
        crowd.spawn(hang(stream, begun, shapes[client % shapes.len()], post));
    }
    let over = AtomicBool::new(false);
    let neighbour = async {
        let mut answered = 0;
        while !over.load(Ordering::Relaxed) {
            timeout(DEADLINE, ask()).await.expect("an answer");
            answered += 1;
            sleep(Duration::from_millis(10)).await;
        }
        answered
    };
    let closing = async {
        while let Some(end) = crowd.join_next().await {
            let (shape, status, lasted) = end.unwrap();
            let (expected, limit) = shape.end(speech);
            assert_eq!(status, expected, "{shape:?}");
            assert!(lasted >= limit, "{shape:?} was closed early, after {lasted:?}");
        }
        over.store(true, Ordering::Relaxed);
    };
    let (answered, ()) = tokio::join!(neighbour, closing);
    assert!(answered > 20, "others were answered {answered} times meanwhile");
}

/// Each client is an open file of this process.
fn make_room() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).unwrap();
    let most = limit.maximum.unwrap_or(u64::MAX);
    assert!(most > 12_000, "these stories need 12,000 open files, and `ulimit -Hn` says {most}");
}

fn address(url: &str) -> SocketAddr {
    url.split_once("://").unwrap().1.parse().unwrap()
}

/// A request over a connection of its own.
async fn health(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_hangs_on_the_directory_is_closed_and_holds_up_nobody() {
    let directory = Directory::with(&LIMITS);
    let address = address(directory.url());
    crowd(address, Speech::Http, "/register", async || health(address).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_hangs_on_a_peer_is_closed_and_holds_up_nobody() {
    let directory = Directory::start();
    let mut ana = Peer::offline(&directory, "ana");
    ana.serve_with(&LIMITS);
    let address = address(ana.url());
    crowd(address, Speech::Both, "/messages", async || health(address).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_hangs_before_tls_is_closed_and_holds_up_nobody() {
    let folder = certified();
    let [certificate, key] = flags(folder.path());
    let directory = Directory::with(&[&LIMITS[..], &[&certificate, &key]].concat());
    let (url, trusted) = (format!("{}/health", directory.url()), folder.path().join("certificate.pem"));
    let ask = async || {
        let (url, trusted) = (url.clone(), trusted.display().to_string());
        let asked = tokio::task::spawn_blocking(move || curl(&["--cacert", &trusted, &url])).await.unwrap();
        assert!(asked.1 && asked.0.contains("ok"), "{asked:?}");
    };
    crowd(address(directory.url()), Speech::Tls, "/register", ask).await;
}

/// Registers over a connection of its own, once `all` have theirs, and gives the status.
async fn register(address: SocketAddr, peer: usize, all: Arc<Barrier>) -> String {
    let body = format!(r#"{{"name":"worker-{peer}","address":"http://127.0.0.1:7101"}}"#);
    let token = format!("{peer:x>40}");
    let request = format!(
        "POST /register HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    all.wait().await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    said.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_peers_register_at_once_and_all_are_let_in() {
    make_room();
    let directory = Directory::start();
    let address = address(directory.url());
    let all = Arc::new(Barrier::new(REGISTERING));
    let mut peers: JoinSet<_> =
        (0..REGISTERING).map(|peer| register(address, peer, Arc::clone(&all))).collect();
    while let Some(answer) = peers.join_next().await {
        assert_eq!(answer.unwrap(), "HTTP/1.1 201 Created");
    }
    let list = tokio::task::spawn_blocking(move || directory.get("/peers?limit=10000").expect(200).json());
    assert_eq!(list.await.unwrap().as_array().unwrap().len(), REGISTERING);
}
