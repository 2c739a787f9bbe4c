//! Durable messages a second, for 1 to 256 tasks that each write one message after the other: through the
//! store, and beside it with a commit for each message, on the same file system in the same run.
//!
//! `cargo run --release -p store --example throughput -- DIRECTORY [THREADS]`: a directory on a real disk, and
//! how many runtime threads (2; 0 is tokio's current-thread runtime).

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use store::rusqlite::{self, Connection};
use store::{Schema, Store, WriteError};

const SCHEMA: Schema = Schema {
    application_id: 0x7468_726f,
    migrations: &[
        "CREATE TABLE message (id INTEGER PRIMARY KEY, sender TEXT NOT NULL, body TEXT NOT NULL) STRICT;",
    ],
};
const TASKS: [usize; 4] = [1, 16, 64, 256];
const LASTING: Duration = Duration::from_secs(2);
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("name a directory on a real disk")?);
    let threads = arguments.next().map_or(Ok(2), |threads| threads.parse())?;
    let mut builder = match threads {
        0 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(threads.max(1)).build()?;
    println!("{:<24}{:>6}{:>12}{:>10}{:>10}", "", "tasks", "messages/s", "p50 ms", "p99 ms");
    report("a commit each", 1, &alone(&fresh(&directory, "alone")?)?);
    for tasks in TASKS {
        let store = Store::open(&fresh(&directory, "shared")?, &SCHEMA)?;
        report("the store", tasks, &runtime.block_on(together(&store, tasks))?);
        store.close();
    }
    Ok(())
}

fn fresh(directory: &Path, name: &str) -> Outcome<PathBuf> {
    std::fs::create_dir_all(directory)?;
    let path = directory.join(format!("throughput-{name}.db"));
    for suffix in ["", "-wal", "-shm"] {
        let file = directory.join(format!("throughput-{name}.db{suffix}"));
        if file.exists() {
            std::fs::remove_file(file)?;
        }
    }
    Ok(path)
}

fn insert(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("INSERT INTO message (sender, body) VALUES (?1, ?2)")?;
    statement.execute(["alice", &"x".repeat(200)]).map(drop)
}

/// What SQLite does by itself, with the store's settings.
fn alone(path: &Path) -> Outcome<Vec<Duration>> {
    Store::open(path, &SCHEMA)?.close();
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000")?;
    let (mut times, start) = (Vec::new(), Instant::now());
    while start.elapsed() < LASTING {
        let begun = Instant::now();
        insert(&connection)?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

async fn together(store: &Store, tasks: usize) -> Outcome<Vec<Duration>> {
    let start = Instant::now();
    let running: Vec<_> =
        (0..tasks).map(|_| tokio::spawn(one_after_the_other(store.clone(), start))).collect();
    let mut times = Vec::new();
    for task in running {
        times.extend(task.await??);
    }
    Ok(times)
}

async fn one_after_the_other(
    store: Store,
    start: Instant,
) -> Result<Vec<Duration>, WriteError<rusqlite::Error>> {
    let mut times = Vec::new();
    while start.elapsed() < LASTING {
        let begun = Instant::now();
        store.write(insert).await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

fn report(name: &str, tasks: usize, times: &[Duration]) {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let percentile =
        |percent| sorted.get(sorted.len() * percent / 100).map_or(0.0, Duration::as_secs_f64) * 1e3;
    let a_second = u128::try_from(sorted.len()).unwrap_or(0) * 1000 / LASTING.as_millis();
    println!("{name:<24}{tasks:>6}{a_second:>12}{:>10.2}{:>10.2}", percentile(50), percentile(99));
}
