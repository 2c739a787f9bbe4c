//! A peer's database from behind: queues that were long in the making, old backups put back, a WAL that was damaged.

use std::fs;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt as _;

use rusqlite::Connection;

use super::super::copies;
use super::{Peer, Sent};

/// The database as it was once.
pub(crate) struct Backup(Vec<(&'static str, Vec<u8>)>);

/// What a database consists of on the disk. SQLite makes anew what else it needs.
const FILES: [&str; 2] = ["recado.db", "recado.db-wal"];

/// What happens to the end of a WAL.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Damage {
    /// It was never written.
    Cut,
    /// One bit is another one.
    Flip,
}

impl Peer {
    /// Has so many messages wait for `to`, `TEXT/1` up to `TEXT/COUNT`, all but the first without a command of their own.
    /// The first has to find its recipient away.
    #[track_caller]
    pub(crate) fn queue(&self, to: &str, text: &str, count: usize) {
        let first = self.send(to, &format!("{text}/1"));
        assert_eq!(first.state, "queued");
        self.queue_behind(&first, text, 2..=count);
    }

    /// Has further messages wait behind this one, each like it but for its text, `TEXT/NUMBER`, its id and its count.
    pub(crate) fn queue_behind(&self, first: &Sent, text: &str, numbers: RangeInclusive<usize>) {
        copies::queue(&mut self.database(), first.id.parse().unwrap(), text, numbers);
    }

    /// The database, opened as the programs do.
    pub(crate) fn database(&self) -> Connection {
        let database = Connection::open(self.folder().join(FILES[0])).unwrap();
        database.busy_timeout(super::super::wait::DEADLINE).unwrap();
        // Never less durable than the peer's own commits.
        database.pragma_update(None, "synchronous", "FULL").unwrap();
        database
    }

    /// How many messages were sent that are in this state.
    pub(crate) fn count_sent(&self, state: &str) -> usize {
        let count = "SELECT count(*) FROM sent WHERE state = ?1";
        self.database().query_row(count, [state], |row| row.get(0)).unwrap()
    }

    /// How many messages were received.
    pub(crate) fn count_received(&self) -> usize {
        self.database().query_row("SELECT count(*) FROM received", [], |row| row.get(0)).unwrap()
    }

    /// The database as it stands on the disk; its daemon must not run.
    pub(crate) fn backup(&self) -> Backup {
        assert!(self.daemon.is_none(), "who copies a file in use gets no backup");
        let read = |file: &'static str| Some((file, fs::read(self.folder().join(file)).ok()?));
        Backup(FILES.into_iter().filter_map(read).collect())
    }

    /// Puts a backup in the place of the database. The key is none of its business.
    pub(crate) fn restore(&self, backup: &Backup) {
        assert!(self.daemon.is_none(), "who replaces a file in use harms it");
        for file in [FILES[0], FILES[1], "recado.db-shm"] {
            let _ = fs::remove_file(self.folder().join(file));
        }
        for (file, bytes) in &backup.0 {
            fs::write(self.folder().join(file), bytes).unwrap();
        }
    }

    /// Damages the WAL of a peer that was killed, in the middle of what was not moved into the database yet. Gives whether
    /// there was anything.
    pub(crate) fn damage_wal(&self, damage: Damage) -> bool {
        /// A frame is a page behind so many bytes, and the first one stands behind the WAL's own head.
        const FRAME_HEAD: u64 = 24;
        const WAL_HEAD: u64 = 32;
        assert!(self.daemon.is_none(), "its daemon is dead");
        // https://www.sqlite.org/walformat.html: what the processes shared says how far the WAL goes, and how far of that
        // was moved.
        let shared = fs::read(self.folder().join("recado.db-shm")).unwrap();
        let number = |at: usize| u32::from_ne_bytes(shared[at..at + 4].try_into().unwrap());
        let (frames, moved) = (number(16), number(96));
        if frames <= moved {
            return false;
        }
        let wal = fs::OpenOptions::new().read(true).write(true).open(self.folder().join(FILES[1])).unwrap();
        let mut head = [0; 12];
        wal.read_exact_at(&mut head, 0).unwrap();
        let page = u32::from_be_bytes(head[8..].try_into().unwrap());
        let frame = u64::from(moved.midpoint(frames));
        let at = WAL_HEAD + frame * (FRAME_HEAD + u64::from(page));
        match damage {
            Damage::Cut => wal.set_len(at).unwrap(),
            Damage::Flip => {
                let mut byte = [0];
                wal.read_exact_at(&mut byte, at + FRAME_HEAD + 100).unwrap();
                wal.write_all_at(&[byte[0] ^ 1], at + FRAME_HEAD + 100).unwrap();
            }
        }
        true
    }
}
