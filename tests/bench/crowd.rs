//! Crowds: what a neighbour's requests take while thousands of others hang on the same listener, half-way through
//! theirs; and ten thousand peers that register at once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::client::{Connection, get};
use super::program::Program;
use super::{SPAN, registration};

/// How many hang.
const HANGING: usize = 3_000;

/// What another client's requests take while thousands hang.
pub async fn crowd() {
    println!(
        "\na neighbour's requests, {HANGING} others hanging, ms\nlistener   hanging    p50    p99    max"
    );
    let patient = ["handshake", "header", "body", "idle"]
        .map(|limit| [format!("--{limit}-timeout"), "1h".to_owned()])
        .concat();
    let directory = Program::directory_with(&patient);
    let peer = Program::peer_with("ana", &directory, &patient);
    for (what, program, post) in [("directory", &directory, "/register"), ("peer", &peer, "/messages")] {
        let alone = neighbour(program.address, SPAN).await;
        let clients = hang(program.address, post).await;
        let crowded = neighbour(program.address, SPAN).await;
        for (hanging, waits) in [(0, alone), (clients.len(), crowded)] {
            let [half, most, all] = [0.5, 0.99, 1.0].map(|share| waits.within(share));
            println!("{what:<10} {hanging:>7} {half:>6.2} {most:>6.2} {all:>6.2}");
        }
        clients.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// Ten thousand peers register at the same moment, each over a connection of its own.
pub async fn rush() {
    const PEERS: usize = 10_000;
    make_room();
    let directory = Program::directory();
    let mut connections = Vec::new();
    for peer in 0..PEERS {
        let connection = Connection::open(directory.address).await.unwrap();
        connections.push((connection, registration(&format!("worker-{peer}"))));
    }
    let resting = directory.resident();
    let begun = Instant::now();
    let asking: Vec<_> = connections
        .into_iter()
        .map(|(mut connection, request)| {
            tokio::spawn(async move {
                let status = connection.ask(&request).await.unwrap().0;
                (status, begun.elapsed().as_secs_f64(), connection)
            })
        })
        .collect();
    let (mut statuses, mut last, mut kept) = (BTreeMap::new(), 0.0_f64, Vec::new());
    for answer in asking {
        let (status, at, connection) = answer.await.unwrap();
        *statuses.entry(status).or_insert(0) += 1;
        last = last.max(at);
        kept.push(connection);
    }
    let full = directory.resident();
    drop(kept);
    tokio::time::sleep(SPAN).await;
    let after = directory.resident();
    println!(
        "\n{PEERS} peers register at once: {statuses:?}, the last answer after {last:.2} s\n\
         resident MiB: connected {resting:.1}, registered {full:.1}, hung up {after:.1}"
    );
}

/// How long one request took, in milliseconds, among a few hundred.
struct Waits {
    sorted: Vec<f64>,
}

impl Waits {
    /// The time within which this share of the requests was answered.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a share of a few hundred"
    )]
    fn within(&self, share: f64) -> f64 {
        let last = self.sorted.len() - 1;
        self.sorted[(last as f64 * share).ceil() as usize]
    }
}

/// A neighbour's requests for `span`, each over a connection of its own.
async fn neighbour(address: SocketAddr, span: Duration) -> Waits {
    let (begun, mut sorted) = (Instant::now(), Vec::new());
    while begun.elapsed() < span {
        let asked = Instant::now();
        let mut connection = Connection::open(address).await.unwrap();
        assert_eq!(connection.ask(&get("/health", "")).await.unwrap().0, 200);
        sorted.push(asked.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sorted.sort_by(f64::total_cmp);
    Waits { sorted }
}

/// Clients that hang for as long as this is kept, in every shape: nothing sent, half a head, half a body, idle after an
/// answer, half a TLS hello; and heads and bodies that go on to drip.
async fn hang(address: SocketAddr, post: &str) -> Vec<tokio::task::JoinHandle<()>> {
    make_room();
    let body = format!(
        "POST {post} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n["
    );
    let shapes: [(Vec<u8>, bool); 7] = [
        (Vec::new(), false),
        (b"GET /health HTTP/1.1\r\nhost: localhost\r\nx: ".to_vec(), false),
        (b"GET /health HTTP/1.1\r\nhost: localhost\r\nx: ".to_vec(), true),
        (body.clone().into_bytes(), false),
        (body.into_bytes(), true),
        (get("/health", ""), false),
        (vec![0x16, 0x03, 0x01, 0x02, 0x00, 0x01], false),
    ];
    let mut clients = Vec::new();
    for client in 0..HANGING {
        let (opening, drips) = &shapes[client % shapes.len()];
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(opening).await.unwrap();
        let drips = *drips;
        clients.push(tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(200)).await;
                if drips && stream.write_all(b"x").await.is_err() {
                    return;
                }
            }
        }));
    }
    clients
}

/// As many open files as the machine gives this process.
fn make_room() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}
