//! Durable messages a second, when they come in batches over TLS from a key that the peer knows.

use uuid::Uuid;

use super::client::post;
use super::key::Key;
use super::program::Program;
use super::{ROUNDS, SPAN, claim, load_with, median};

/// Batches of growing size, one under way and four.
pub async fn batches() {
    println!(
        "\ndurable messages a second from keys, in batches ({ROUNDS} rounds of {SPAN:?}, median)\n   batch  one under way      four"
    );
    let no_limits =
        ["--stranger-limit", "--strangers-limit"].map(|flag| [flag.to_owned(), "none".to_owned()]).concat();
    for size in [1, 10, 100, 500] {
        let mut figures = [const { Vec::new() }; 2];
        for _ in 0..ROUNDS {
            for (figures, under_way) in figures.iter_mut().zip([1, 4]) {
                let directory = Program::directory();
                let peer = Program::peer_with("rui", &directory, &no_limits);
                figures.push(taken(&directory, &peer, size, under_way).await);
            }
        }
        let [one, four] = figures.map(median);
        println!("{size:>8} {one:>14.0} {four:>9.0}");
    }
}

/// Messages taken a second. A batch of one is an array all the same.
async fn taken(directory: &Program, peer: &Program, size: u64, under_way: usize) -> f64 {
    let key = Key::new();
    claim(directory, "keyed", &key).await;
    let requests = load_with(Some(key), peer.address, under_way, SPAN, move |at| {
        let message = |nth: u64| {
            format!(
                r#"{{"id":"{}","from":"keyed","to":"rui","body":"{}","sent_at":"2026-11-22T09:30:00Z","seq":{}}}"#,
                Uuid::now_v7(),
                "x".repeat(100),
                at * size + nth + 1
            )
        };
        let batch = (0..size).map(message).collect::<Vec<_>>().join(",");
        (post("/messages", "", &format!("[{batch}]")), 200)
    });
    #[expect(clippy::cast_precision_loss, reason = "at most 500")]
    let size = size as f64;
    requests.await * size
}
