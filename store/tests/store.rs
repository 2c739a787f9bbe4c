//! The store from outside, as the programs see it: opening (by one, by many, and of files that are not ours),
//! then reading beside writes. Failing commits and clients that go away are tested beside the code.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which clippy does not take for tests"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use store::rusqlite::{self, Connection};
use store::{CheckError, OpenError, Schema, Store, WriteError};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const NOTES: &str = "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT";
const FIRST: Schema = Schema { application_id: 0x5245_4361, migrations: &[NOTES] };
const SECOND: Schema =
    Schema { application_id: 0x5245_4361, migrations: &[NOTES, "ALTER TABLE note ADD COLUMN read INTEGER"] };

struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("notes.db")
    }

    fn open(&self) -> Store {
        Store::open(&self.file(), &FIRST).unwrap()
    }

    /// Every file with its contents and the time of its last change.
    fn contents(&self) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
        let entries = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        let look = |path: PathBuf| {
            let found = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap());
            (path, found)
        };
        entries.map(look).collect()
    }

    /// Opens the file, which must be refused, and checks that nothing in the directory was touched.
    fn refused(&self, schema: &Schema) -> OpenError {
        let before = self.contents();
        let error = Store::open(&self.file(), schema).unwrap_err();
        let mut after = self.contents();
        // SQLite may leave an empty log and its shared memory beside a file that has a log by nature.
        let side = |path: &Path, bytes: &[u8]| bytes.is_empty() || path.extension().unwrap() == "db-shm";
        after.retain(|path, (bytes, _)| before.contains_key(path) || !side(path, bytes));
        assert!(after == before, "touched: {error}");
        assert!(error.to_string().contains(&self.file().display().to_string()), "{error}");
        error
    }

    /// A copy in which nobody closed the file.
    fn left_by_a_crash(&self) -> Place {
        let copy = Place::new();
        for name in ["notes.db", "notes.db-wal"] {
            fs::copy(self.0.path().join(name), copy.0.path().join(name)).unwrap();
        }
        copy
    }

    fn sql(&self, sql: &str) -> Connection {
        let connection = Connection::open(self.file()).unwrap();
        connection.execute_batch(sql).unwrap();
        connection
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn write(store: &Store, text: &str) -> Result<usize, WriteError<rusqlite::Error>> {
    let text = text.to_owned();
    let job =
        move |connection: &Connection| connection.execute("INSERT INTO note (text) VALUES (?1)", [text]);
    runtime().block_on(store.write(job))
}

fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM note", [], |row| row.get(0))
}

fn pragma(connection: &Connection, name: &str) -> String {
    let value: rusqlite::types::Value = connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
    match value {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn a_new_file_is_private_and_syncs_every_commit() {
    let place = Place::new();
    let store = place.open();
    write(&store, "hello").unwrap();
    #[cfg(unix)]
    for suffix in ["", "-wal", "-shm"] {
        let file = place.0.path().join(format!("notes.db{suffix}"));
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    let names = ["journal_mode", "synchronous", "foreign_keys", "application_id", "user_version"];
    let job =
        move |connection: &Connection| Ok::<_, rusqlite::Error>(names.map(|name| pragma(connection, name)));
    let found = runtime().block_on(store.write(job)).unwrap();
    assert_eq!(found, ["wal", "2", "1", &FIRST.application_id.to_string(), "1"]);
}

#[test]
fn migrations_that_are_missing_are_applied_once() {
    let place = Place::new();
    write(&place.open(), "before").unwrap();
    for _ in 0..2 {
        let store = Store::open(&place.file(), &SECOND).unwrap();
        let unread = |connection: &Connection| {
            connection
                .query_row("SELECT count(*) FROM note WHERE read IS NULL", [], |row| row.get::<_, i64>(0))
        };
        assert_eq!(store.read(unread).unwrap(), 1);
    }
    assert!(matches!(place.refused(&FIRST), OpenError::Newer { found: 2, known: 1, .. }));
}

#[test]
fn a_migration_that_fails_leaves_the_file_as_it_was() {
    let place = Place::new();
    place.open().close();
    for third in
        ["CREATE TABLE half (id INTEGER); CREATE TABLE note (id INTEGER)", "INSERT INTO reply VALUES (99)"]
    {
        let reply = "CREATE TABLE reply (note INTEGER REFERENCES note)";
        let migrations: &[&str] = Box::leak(Box::new([NOTES, reply, third]));
        let before = fs::read(place.file()).unwrap();
        let schema = Schema { migrations, ..FIRST };
        assert!(matches!(Store::open(&place.file(), &schema), Err(OpenError::Migration { number: 3, .. })));
        assert!(fs::read(place.file()).unwrap() == before);
    }
    place.open();
}

#[test]
fn a_rebuilt_table_keeps_what_refers_to_it() {
    let place = Place::new();
    let reply = "CREATE TABLE reply (note INTEGER REFERENCES note ON DELETE CASCADE);
                 INSERT INTO note VALUES (1, 'hello'); INSERT INTO reply VALUES (1)";
    let rebuild =
        "CREATE TABLE fresh (id INTEGER PRIMARY KEY, text TEXT) STRICT; INSERT INTO fresh SELECT * FROM note;
                   DROP TABLE note; ALTER TABLE fresh RENAME TO note";
    let migrations: &[&str] = Box::leak(Box::new([NOTES, reply, rebuild]));
    let store = Store::open(&place.file(), &Schema { migrations, ..FIRST }).unwrap();
    let replies = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM reply", [], |row| row.get::<_, i64>(0))
    };
    assert_eq!(store.read(replies).unwrap(), 1);
}

#[test]
fn files_that_are_not_ours_are_refused_untouched() {
    let place = Place::new();
    fs::write(place.file(), "short").unwrap();
    assert!(matches!(place.refused(&FIRST), OpenError::Foreign { .. }));
    fs::write(place.file(), "Dear diary, this is no database.\n".repeat(500)).unwrap();
    assert!(matches!(place.refused(&FIRST), OpenError::Foreign { .. }));
    fs::remove_file(place.file()).unwrap();

    drop(place.sql("CREATE TABLE theirs (id INTEGER)"));
    assert!(matches!(place.refused(&FIRST), OpenError::Foreign { .. }), "no application id, though a table");
    drop(place.sql("DROP TABLE theirs; PRAGMA application_id = 7"));
    assert!(matches!(place.refused(&FIRST), OpenError::Foreign { .. }), "another's application id");
    fs::remove_file(place.file()).unwrap();

    let _theirs = place.sql("PRAGMA journal_mode = WAL; CREATE TABLE theirs (id INTEGER)");
    assert!(matches!(place.left_by_a_crash().refused(&FIRST), OpenError::Foreign { .. }), "all in its log");
}

#[test]
fn a_newer_version_that_only_the_log_tells_is_refused_untouched() {
    let place = Place::new();
    place.open().close();
    let _newer = Store::open(&place.file(), &SECOND).unwrap();
    assert!(matches!(place.left_by_a_crash().refused(&FIRST), OpenError::Newer { found: 2, known: 1, .. }));
}

#[test]
fn files_that_cannot_be_written_are_refused_untouched() {
    let place = Place::new();
    place.open().close();
    let mut permissions = fs::metadata(place.file()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(place.file(), permissions).unwrap();
    assert!(matches!(place.refused(&FIRST), OpenError::ReadOnly { .. }));

    let missing = place.0.path().join("no such directory/notes.db");
    assert!(matches!(Store::open(&missing, &FIRST), Err(OpenError::Directory { .. })));
    assert!(matches!(Store::open(place.0.path(), &FIRST), Err(OpenError::Foreign { .. })));
}

#[test]
fn damage_is_found_at_once_in_the_schema_and_by_the_check_elsewhere() {
    let place = Place::new();
    let store = place.open();
    for _ in 0..20 {
        write(&store, &"hello".repeat(1000)).unwrap();
    }
    store.quick_check().unwrap();
    store.close();
    let whole = fs::read(place.file()).unwrap();
    let spoil = |at: usize| {
        let mut spoilt = whole.clone();
        spoilt[at..at + 100].fill(0xff);
        fs::write(place.file(), spoilt).unwrap();
    };

    spoil(4096);
    let store = place.open();
    assert!(matches!(store.quick_check(), Err(CheckError::Damaged(_))));
    store.close();
    // The schema's own page, behind the header.
    spoil(100);
    assert!(matches!(place.refused(&FIRST), OpenError::Damaged { .. }));
}

#[test]
fn a_file_that_was_half_carried_back_is_opened() {
    let place = Place::new();
    let store = place.open();
    write(&store, "hello").unwrap();
    assert!(runtime().block_on(store.checkpoint()).unwrap());
    let crashed = place.left_by_a_crash();
    // The first page says that there is a second, which only the log holds.
    fs::OpenOptions::new().write(true).open(crashed.file()).unwrap().set_len(4096).unwrap();
    assert_eq!(crashed.open().read(count), Ok(1));
}

/// Not a test of its own: one of the processes below.
#[test]
fn one_of_many_processes() {
    if let Some(path) = std::env::var_os("STORE_TEST_FILE") {
        let store = Store::open(Path::new(&path), &FIRST).unwrap();
        write(&store, "hello").unwrap();
        store.close();
    }
}

#[test]
fn forty_processes_may_open_a_new_file_at_once() {
    let place = Place::new();
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "one_of_many_processes", "--nocapture"])
            .env("STORE_TEST_FILE", place.file())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..40).map(|_| start()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(place.open().read(count).unwrap(), 40);
}

#[test]
fn many_stores_in_one_process_may_open_a_new_file_at_once() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let store = place.open();
                for _ in 0..10 {
                    write(&store, "hello").unwrap();
                }
                store.close();
            });
        }
    });
    let store = place.open();
    assert_eq!(store.read(count).unwrap(), 160);
    store.quick_check().unwrap();
}

#[test]
fn a_read_waits_for_no_write_and_sees_what_was_answered() {
    let place = Place::new();
    let store = place.open();
    write(&store, "first").unwrap();
    let beside = store.clone();
    let seen_meanwhile = move |connection: &Connection| {
        connection.execute("INSERT INTO note (text) VALUES ('second')", [])?;
        beside.read(count)
    };
    assert_eq!(runtime().block_on(store.write(seen_meanwhile)), Ok(1));
    assert_eq!(store.read(count), Ok(2));
}

#[test]
fn a_read_is_one_snapshot_and_writes_nothing() {
    let place = Place::new();
    let store = place.open();
    let twice = |connection: &Connection| {
        let before = count(connection)?;
        write(&store, "meanwhile").unwrap();
        Ok((before, count(connection)?))
    };
    assert_eq!(store.read(twice), Ok((0, 0)));
    assert!(store.read(|connection| connection.execute("DELETE FROM note", [])).is_err());
    assert_eq!(store.read(count), Ok(1));
}

#[test]
fn a_watch_notices_this_process_and_others() {
    let place = Place::new();
    let (ours, theirs) = (place.open(), place.open());
    let mut watch = ours.watch().unwrap();
    assert!(!watch.changed().unwrap());
    for store in [&ours, &theirs] {
        write(store, "hello").unwrap();
        assert!(watch.changed().unwrap());
        assert!(!watch.changed().unwrap());
    }
}
