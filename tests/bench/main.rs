//! `cargo bench -p tests`: how fast the two programs are, as ratios taken in one run on one machine. Name the disk when
//! you quote them. Words behind `--` choose the parts: messages,
//! batches, queue, repair, peers, registrations, crowd, rush, send, memory.
#![expect(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a measurement that goes wrong ends, and figures are rounded anyway"
)]

#[path = "../e2e/harness/anyone.rs"]
mod anyone;
mod baseline;
mod batches;
mod client;
#[path = "../e2e/harness/copies.rs"]
mod copies;
mod crowd;
mod key;
mod program;
mod proxy;
mod queue;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use client::{Connection, get, post};
use key::Key;
use program::{Program, binary};
use uuid::Uuid;

/// How long each figure is measured.
const SPAN: Duration = Duration::from_secs(3);
/// How often the two sides of a ratio take turns.
const ROUNDS: usize = 3;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let [first, database] = words.as_slice()
        && first == "baseline"
    {
        return runtime.block_on(baseline::serve(Path::new(database)));
    }
    let built =
        Command::new(env!("CARGO")).args(["build", "--release", "-q", "-p", "peer", "-p", "server"]).status();
    assert!(built.unwrap().success(), "the programs do not build");
    let chosen = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    if chosen("messages") {
        runtime.block_on(messages());
    }
    if chosen("batches") {
        runtime.block_on(batches::batches());
    }
    if chosen("queue") {
        queue::queue(&runtime);
    }
    if chosen("repair") {
        queue::repair();
    }
    if chosen("peers") {
        runtime.block_on(peers());
    }
    if chosen("registrations") {
        runtime.block_on(registrations());
    }
    if chosen("crowd") {
        runtime.block_on(crowd::crowd());
    }
    if chosen("rush") {
        runtime.block_on(crowd::rush());
    }
    if chosen("send") {
        send();
    }
    if chosen("memory") {
        memory();
    }
}

/// Durable messages accepted a second, next to one commit for each message: without TLS, and over it from a key that the
/// peer has pinned.
async fn messages() {
    println!(
        "durable messages accepted a second ({ROUNDS} rounds of {SPAN:?}, median)\nsenders      peer  with a key  one commit each  ratio"
    );
    let no_limits = ["--unverified-limit", "--stranger-limit", "--strangers-limit"]
        .map(|flag| [flag.to_owned(), "none".to_owned()])
        .concat();
    for senders in [1, 16, 64, 256] {
        let mut pairs = Vec::new();
        for _ in 0..ROUNDS {
            let directory = Program::directory();
            let (peer, baseline) = (Program::peer_with("ana", &directory, &no_limits), Program::baseline());
            let key = Key::new();
            claim(&directory, "keyed", &key).await;
            let plain = accepts(&peer, senders, None).await;
            let keyed = accepts(&peer, senders, Some(key)).await;
            pairs.push([plain, keyed, accepts(&baseline, senders, None).await]);
        }
        let [plain, keyed, baseline] =
            [0, 1, 2].map(|column| median(pairs.iter().map(|row| row[column]).collect()));
        let ratio = median(pairs.iter().map(|[plain, _, baseline]| plain / baseline).collect());
        println!("{senders:>7} {plain:>9.0} {keyed:>11.0} {baseline:>16.0} {ratio:>6.1}");
    }
}

async fn accepts(program: &Program, senders: usize, key: Option<Key>) -> f64 {
    let from = if key.is_some() { "keyed" } else { "bench" };
    load_with(key, program.address, senders, SPAN, move |at| {
        let body = format!(
            r#"{{"id":"{}","from":"{from}","body":"{}","sent_at":"2026-11-22T09:30:00Z","seq":{}}}"#,
            Uuid::now_v7(),
            "x".repeat(100),
            at + 1
        );
        (post("/messages", "", &body), 201)
    })
    .await
}

/// Claims a name with a key.
async fn claim(directory: &Program, name: &str, key: &Key) {
    let body = format!(
        r#"{{"name":"{name}","address":"https://127.0.0.1:7101","fingerprint":"{}"}}"#,
        key.fingerprint
    );
    let mut connection = Connection::open(directory.address).await.unwrap();
    assert_eq!(connection.ask(&post("/register", "", &body)).await.unwrap().0, 201);
}

/// Lists of those online a second: whole, compressed, unchanged, and the page that is sent if nothing is said.
async fn peers() {
    const WHOLE: &str = "/peers?limit=10000";
    println!("\nGET /peers a second, 64 connections\n  online      list      gzip       304  first page");
    for online in [10, 1_000, 10_000] {
        let directory = Program::directory();
        register(&directory, online).await;
        let mut connection = Connection::open(directory.address).await.unwrap();
        let (_, answer) = connection.ask(&get(WHOLE, "")).await.unwrap();
        let answer = String::from_utf8_lossy(answer).into_owned();
        let etag = answer.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
        let condition = format!("if-none-match: {etag}\r\n");
        let requests = [
            (WHOLE, "", 200),
            (WHOLE, "accept-encoding: gzip\r\n", 200),
            (WHOLE, condition.as_str(), 304),
            ("/peers", "", 200),
        ];
        let mut figures = [0.0; 4];
        for (figure, (path, headers, status)) in figures.iter_mut().zip(requests) {
            let request = get(path, headers);
            *figure = load(directory.address, 64, SPAN, move |_| (request.clone(), status)).await;
        }
        let [list, gzip, unchanged, first] = figures;
        println!("{online:>8} {list:>9.0} {gzip:>9.0} {unchanged:>9.0} {first:>11.0}");
    }
}

/// New claims and renewals a second.
async fn registrations() {
    println!("\nregistrations a second\nin flight    claims  renewals");
    for in_flight in [1, 64] {
        let directory = Program::directory();
        let claims =
            load(directory.address, in_flight, SPAN, |at| (registration(&at.to_string()), 201)).await;
        let renewals =
            load(directory.address, in_flight, SPAN, |at| (registration(&format!("r{}", at % 64)), 0)).await;
        println!("{in_flight:>9} {claims:>9.0} {renewals:>9.0}");
    }
}

async fn register(directory: &Program, count: usize) {
    let mut connection = Connection::open(directory.address).await.unwrap();
    for at in 0..count {
        assert_eq!(connection.ask(&registration(&format!("worker-{at}"))).await.unwrap().0, 201);
    }
}

fn registration(name: &str) -> Vec<u8> {
    let body = format!(r#"{{"name":"{name}","address":"http://127.0.0.1:7101"}}"#);
    post("/register", &format!("authorization: Bearer {name:-<40}\r\n"), &body)
}

/// One `peer send` as a whole process, with and without a peer that runs; without one, its handshake is in it.
fn send() {
    println!("\none `peer send` as a whole process, median of 31\nsender's peer        ms");
    let directory = Program::directory();
    let _rui = Program::peer("rui", &directory);
    let running = Program::peer("ana", &directory);
    let alone = tempfile::tempdir().unwrap();
    for (what, name, data_dir) in
        [("runs", "ana", running.folder.path().join("ana")), ("does not run", "bia", alone.path().to_owned())]
    {
        let mut times = Vec::new();
        for _ in 0..31 {
            let begun = Instant::now();
            let sent = Command::new(binary("peer"))
                .args(["send", "rui", "oi", "--name", name, "--server", &directory.url, "--data-dir"])
                .arg(&data_dir)
                .output()
                .unwrap();
            times.push(begun.elapsed().as_secs_f64() * 1e3);
            let [said, complaint] = [&sent.stdout, &sent.stderr].map(|said| String::from_utf8_lossy(said));
            assert_eq!(said, "delivered rui\n", "{complaint}");
        }
        println!("{what:<13} {:>9.1}", median(times));
    }
}

/// What both programs keep resident, and how soon they are ready.
fn memory() {
    println!("\nat rest          MiB  ms to ready");
    let begun = Instant::now();
    let directory = Program::directory();
    let directory_ready = begun.elapsed();
    let begun = Instant::now();
    let peer = Program::peer("ana", &directory);
    let peer_ready = begun.elapsed();
    for (what, program, ready) in [("directory", &directory, directory_ready), ("peer", &peer, peer_ready)] {
        println!("{what:<12} {:>7.1} {:>12.0}", program.resident(), ready.as_secs_f64() * 1e3);
    }
}

/// Requests answered a second over so many connections; each answer must have the status that goes with its request.
async fn load<F>(address: SocketAddr, connections: usize, span: Duration, request: F) -> f64
where
    F: Fn(u64) -> (Vec<u8>, u16) + Send + Sync + 'static + Clone,
{
    load_with(None, address, connections, span, request).await
}

/// The same over TLS, if there is a key to show.
async fn load_with<F>(
    key: Option<Key>,
    address: SocketAddr,
    connections: usize,
    span: Duration,
    request: F,
) -> f64
where
    F: Fn(u64) -> (Vec<u8>, u16) + Send + Sync + 'static + Clone,
{
    let mut opened = Vec::new();
    for _ in 0..connections {
        let connection = match &key {
            Some(key) => Connection::open_with(&key.connector, address).await,
            None => Connection::open(address).await,
        };
        opened.push(connection.unwrap());
    }
    let (count, next) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let begun = Instant::now();
    let tasks: Vec<_> = opened
        .into_iter()
        .map(|mut connection| {
            let (count, next, request) = (Arc::clone(&count), Arc::clone(&next), request.clone());
            tokio::spawn(async move {
                while begun.elapsed() < span {
                    let (bytes, expected) = request(next.fetch_add(1, Ordering::Relaxed));
                    let (status, answer) = connection.ask(&bytes).await.unwrap();
                    let fits = status == expected || expected == 0 && (200..300).contains(&status);
                    assert!(fits, "{}", String::from_utf8_lossy(answer));
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    count.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
