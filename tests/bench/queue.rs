//! What waits for a recipient who comes back, from outbox to inbox; and what a recipient lost who restored a backup.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::program::{Program, binary};
use super::proxy::{Between, Proxy};
use super::{ROUNDS, copies, median};

const QUEUED: usize = 10_000;
const LOST: usize = 1_000;

/// How many messages wait.
const QUEUE: &str = "SELECT count(*) FROM sent WHERE state = 'queued'";

/// Ana, who writes to rui. Neither of them runs.
struct Pair {
    directory: Program,
    ana: Arc<TempDir>,
    rui: Arc<TempDir>,
}

impl Pair {
    /// Both have run once, so that each has a key and a name.
    fn new() -> Self {
        let directory = Program::directory();
        let [ana, rui] = ["ana", "rui"].map(|name| Arc::clone(&Program::peer(name, &directory).folder));
        Self { directory, ana, rui }
    }

    fn ana(&self) -> Program {
        Program::peer_in(Arc::clone(&self.ana), "ana", &self.directory, &[])
    }

    /// With room for everything.
    fn rui(&self, flags: &[String]) -> Program {
        let limits = ["--stranger-limit", "none", "--strangers-limit", "none"].map(str::to_owned);
        Program::peer_in(Arc::clone(&self.rui), "rui", &self.directory, &[&limits, flags].concat())
    }

    fn data(&self, name: &str) -> PathBuf {
        let folder = if name == "ana" { &self.ana } else { &self.rui };
        folder.path().join(name)
    }

    fn database(&self, name: &str) -> PathBuf {
        self.data(name).join("recado.db")
    }

    /// Ana writes one message, whatever becomes of it.
    fn send(&self, text: &str) {
        let sent = Command::new(binary("peer"))
            .args(["send", "rui", text, "--server", &self.directory.url, "--data-dir"])
            .arg(self.data("ana"))
            .output()
            .unwrap();
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    }

    /// Has so many messages wait for rui, who is away.
    fn queue(&self, count: usize) {
        self.send("a message of some length, as people write them to each other all day/1");
        let mut database = Connection::open(self.database("ana")).unwrap();
        let first = "SELECT id FROM sent ORDER BY position DESC LIMIT 1";
        let first: [u8; 16] = database.query_row(first, [], |row| row.get(0)).unwrap();
        let text = "a message of some length, as people write them to each other all day";
        copies::queue(&mut database, Uuid::from_bytes(first), text, 2..=count);
    }
}

/// Ten thousand wait; both come, and all is delivered.
pub fn queue(runtime: &Runtime) {
    println!(
        "\n{QUEUED} queued messages, from the start of the sender until all are delivered (median of {ROUNDS})\nrecipient                    seconds  a second"
    );
    for (what, proxy) in [
        ("takes batches", None),
        ("takes batches, proxied", Some(true)),
        ("takes no batches, proxied", Some(false)),
    ] {
        let seconds = median((0..ROUNDS).map(|_| delivered(runtime, proxy)).collect());
        println!("{what:<26} {seconds:>9.2} {:>9.0}", QUEUED as f64 / seconds);
    }
}

/// How long it takes, with somebody between who passes batches on or not.
fn delivered(runtime: &Runtime, batches: Option<bool>) -> f64 {
    let pair = Pair::new();
    pair.queue(QUEUED);
    let proxy = batches.map(|batches| {
        let proxy = runtime.block_on(Proxy::bind());
        let (advertised, address) = (format!("https://{}", proxy.address), free_address());
        let [sender, recipient] = ["ana", "rui"].map(|name| pair.data(name).join("identity.pem"));
        let between = Between { sender, recipient, address, batches };
        let flags = ["--listen".to_owned(), address.to_string(), "--advertise".to_owned(), advertised];
        (runtime.spawn(proxy.run(between)), flags)
    });
    let rui = pair.rui(proxy.as_ref().map_or(&[], |(_, flags)| flags));
    let begun = Instant::now();
    let ana = pair.ana();
    until_counted(&pair.database("ana"), QUEUE, 0);
    let seconds = begun.elapsed().as_secs_f64();
    until_counted(&pair.database("rui"), "SELECT count(*) FROM received", QUEUED);
    if let Some((proxy, _)) = proxy {
        proxy.abort();
    }
    drop((ana, rui));
    seconds
}

/// A thousand are lost at the recipient; the sender is told with the next message, and sends them again.
pub fn repair() {
    println!("\n{LOST} messages lost at the recipient, until they are there again (median of {ROUNDS})");
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let pair = Pair::new();
        let backup: Vec<_> = files(&pair.database("rui")).map(|file| (fs::read(&file).ok(), file)).collect();
        pair.queue(LOST);
        let rui = pair.rui(&[]);
        let ana = pair.ana();
        until_counted(&pair.database("rui"), "SELECT count(*) FROM received", LOST);
        // Only what ana knows to be delivered is repaired.
        until_counted(&pair.database("ana"), QUEUE, 0);
        drop(rui);
        for (bytes, file) in backup {
            match bytes {
                Some(bytes) => fs::write(file, bytes).unwrap(),
                None => drop(fs::remove_file(file)),
            }
        }
        let rui = pair.rui(&[]);
        let begun = Instant::now();
        pair.send("are you there again?");
        until_counted(&pair.database("rui"), "SELECT count(*) FROM received", LOST + 1);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        drop((ana, rui));
    }
    println!("with the message that tells of it: {:.0} ms", median(times));
}

/// A database and what belongs to it.
fn files(database: &Path) -> impl Iterator<Item = PathBuf> {
    ["", "-wal", "-shm"].into_iter().map(|end| PathBuf::from(format!("{}{end}", database.display())))
}

/// Waits until a peer's database counts so many.
fn until_counted(database: &Path, query: &str, wanted: usize) {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let begun = Instant::now();
    while connection.query_row(query, [], |row| row.get::<_, usize>(0)).unwrap() != wanted {
        assert!(begun.elapsed() < Duration::from_mins(5), "{query} is not {wanted}");
        sleep(Duration::from_millis(1));
    }
}

/// Where nobody listens at the moment.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
