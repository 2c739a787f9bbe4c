//! How connections are set up. Each setting is read back: one that did not take is an error, not a hope.
//! What is in the file, and whether it is ours, others ask.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::open_error::OpenError;

/// How long a lock of another process is waited for: forty `peer send` may write at once.
const BUSY: Duration = Duration::from_secs(10);

/// What the writer's connection sets, sizes in pages or, where negative, in KiB.
const WRITER: &[(&str, i64)] = &[
    ("synchronous", 2), // FULL
    ("foreign_keys", 1),
    // What is deleted is written over.
    ("secure_delete", 1),
    ("cache_size", -2048),
    ("mmap_size", 0),
    // 16 MiB of log, then overwritten: a sync that lengthens the file also commits the file system's journal.
    ("wal_autocheckpoint", 4000),
    // Above that, so that only what an outsize transaction left is cut off.
    ("journal_size_limit", 32 << 20),
];

const READER: &[(&str, i64)] = &[("query_only", 1), ("cache_size", -512), ("mmap_size", 0)];

/// In WAL mode and for migrations only: rebuilding a table drops it, and with foreign keys enforced that would
/// delete what refers to it.
pub(crate) fn migrating(path: &Path) -> Result<Connection, OpenError> {
    let failed = |error| OpenError::from_sqlite(path, error);
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    if connection.is_readonly("main").map_err(failed)? {
        return Err(OpenError::ReadOnly { path: path.to_owned() });
    }
    set(&connection, path, &[("foreign_keys", 0)])?;
    // A file that turns out to be another's keeps its log.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    let mode = patiently(|| {
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))
    });
    match mode.map_err(failed)?.as_str() {
        "wal" => Ok(connection),
        other => Err(OpenError::Setting {
            path: path.to_owned(),
            name: "journal_mode",
            wanted: "wal".into(),
            found: other.to_owned(),
        }),
    }
}

/// For the writer, once the file is known and up to date.
pub(crate) fn writing(connection: Connection, path: &Path) -> Result<Connection, OpenError> {
    set(&connection, path, WRITER)?;
    let closing = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
    closing.map_err(|error| OpenError::from_sqlite(path, error))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// For a reader, which can write nothing.
pub(crate) fn reading(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    for (name, value) in READER {
        connection.pragma_update(None, name, value)?;
    }
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// For a checkpoint beside the writer.
pub(crate) fn checkpointing(path: &Path) -> rusqlite::Result<Connection> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// For a look at a file that may not be ours: takes no lock, reads no log, creates nothing beside it. SQLite
/// does the reading because closing the file by other means would drop the locks that this process holds on it.
pub(crate) fn looking(path: &Path) -> rusqlite::Result<Connection> {
    use std::fmt::Write as _;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte));
            }
            _ => drop(write!(uri, "%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    connect(Path::new(&uri), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    // Plans do not depend on what is bound. Otherwise SQLite parses and plans some cached statements anew each time, since
    // giving one back clears its bindings: a join of two small tables took 65 µs instead of 6.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

fn set(connection: &Connection, path: &Path, settings: &[(&'static str, i64)]) -> Result<(), OpenError> {
    for &(name, wanted) in settings {
        let found = patiently(|| {
            connection.pragma_update(None, name, wanted)?;
            // `mmap_size` answers nothing where SQLite was built without it.
            connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0))
        })
        .map_err(|error| OpenError::from_sqlite(path, error))?;
        if found != wanted {
            let (wanted, found) = (wanted.to_string(), found.to_string());
            return Err(OpenError::Setting { path: path.to_owned(), name, wanted, found });
        }
    }
    Ok(())
}

/// Tries again while others hold the file. SQLite's own timeout does not cover the change to WAL mode, nor
/// the moment in which the last process of several closes.
pub(crate) fn patiently<T>(mut attempt: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let deadline = Instant::now() + BUSY;
    loop {
        match attempt() {
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(5));
            }
            outcome => return outcome,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use ErrorCode::{DatabaseBusy, DatabaseLocked, FileLockingProtocolFailed};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked | FileLockingProtocolFailed))
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_cached_statement_is_planned_once_whatever_is_bound() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let connection = writing(migrating_new(&path), &path).unwrap();
        connection
            .execute_batch("CREATE TABLE a (x, y); CREATE INDEX a_x ON a (x); CREATE TABLE b (y PRIMARY KEY)")
            .unwrap();
        for bound in 1..10 {
            let mut join =
                connection.prepare_cached("SELECT 1 FROM a JOIN b USING (y) WHERE x = ?1 LIMIT ?1").unwrap();
            assert!(!join.exists([bound]).unwrap());
            assert_eq!(join.get_status(StatementStatus::RePrepare), 0, "time {bound}");
        }
    }

    fn migrating_new(path: &Path) -> Connection {
        std::fs::File::create(path).unwrap();
        migrating(path).unwrap()
    }
}
