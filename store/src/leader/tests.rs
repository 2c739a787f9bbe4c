//! Writes that meet in one commit, and what happens to the others when one of them, its client, or the commit fails.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::ROUND;
use crate::{Schema, Store, WriteError, lock};

const SCHEMA: Schema = Schema {
    application_id: 0x5245_4361,
    migrations: &["CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
                   CREATE TABLE reply (note INTEGER REFERENCES note DEFERRABLE INITIALLY DEFERRED) STRICT;"],
};
const DEADLINE: Duration = Duration::from_secs(20);

struct Desk {
    store: Store,
    directory: TempDir,
}

fn desk() -> Desk {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("notes.db"), &SCHEMA).unwrap();
    Desk { store, directory }
}

impl Desk {
    fn notes(&self) -> Vec<String> {
        let query = |connection: &Connection| {
            let mut statement = connection.prepare("SELECT text FROM note ORDER BY id")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        self.store.read(query).unwrap()
    }

    /// Counts the commits of the connection that writes now.
    fn count_commits(&self) -> Arc<AtomicUsize> {
        let commits = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&commits);
        let hook = move || {
            counter.fetch_add(1, Ordering::SeqCst);
            false
        };
        lock(&self.store.shared.writer).connection().commit_hook(Some(hook)).unwrap();
        commits
    }

    /// Makes every commit of the connection that writes now fail.
    fn fail_commits(&self) {
        lock(&self.store.shared.writer).connection().commit_hook(Some(|| true)).unwrap();
    }

    fn spawn<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> JoinHandle<Result<T, WriteError<rusqlite::Error>>> {
        let store = self.store.clone();
        tokio::spawn(async move { store.write(job).await })
    }
}

fn note(connection: &Connection, text: &str) -> rusqlite::Result<i64> {
    connection.execute("INSERT INTO note (text) VALUES (?1)", [text])?;
    Ok(connection.last_insert_rowid())
}

fn refusal() -> rusqlite::Error {
    rusqlite::Error::QueryReturnedNoRows
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn threads(count: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(count).enable_all().build().unwrap()
}

/// Runs the future up to its first wait: the job is in the queue then.
fn begin<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) {
    assert!(matches!(future.poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.expect("answered before the deadline")
}

#[test]
fn writes_that_wait_together_share_commits_of_bounded_size() {
    let desk = desk();
    let commits = desk.count_commits();
    let (told, sizes) = mpsc::channel();
    desk.store.observe(move |commit| told.send(commit.writes).unwrap());
    one_thread().block_on(async {
        let writes: Vec<_> =
            (0..=ROUND).map(|_| desk.spawn(|connection| note(connection, "hello"))).collect();
        for write in writes {
            in_time(write).await.unwrap().unwrap();
        }
    });
    assert_eq!(commits.load(Ordering::SeqCst), 2);
    assert_eq!(sizes.try_iter().collect::<Vec<_>>(), [ROUND, 1]);
    assert_eq!(desk.notes().len(), ROUND + 1);
}

#[test]
fn a_refused_job_undoes_only_itself() {
    let desk = desk();
    let commits = desk.count_commits();
    one_thread().block_on(async {
        let alice = desk.spawn(|connection| note(connection, "alice"));
        let mallory = desk.spawn(|connection| {
            note(connection, "mallory")?;
            Err::<i64, _>(refusal())
        });
        let bob = desk.spawn(|connection| note(connection, "bob"));
        assert_eq!(in_time(alice).await.unwrap(), Ok(1));
        assert_eq!(in_time(mallory).await.unwrap(), Err(WriteError::Refused(refusal())));
        assert_eq!(in_time(bob).await.unwrap(), Ok(2));
    });
    assert_eq!(desk.notes(), ["alice", "bob"]);
    assert_eq!(commits.load(Ordering::SeqCst), 1);
}

#[test]
fn a_job_that_panics_ends_no_other() {
    let desk = desk();
    one_thread().block_on(async {
        let alice = desk.spawn(|connection| note(connection, "alice"));
        let mallory = desk.spawn(|connection| {
            note(connection, "mallory")?;
            panic!("a job's own panic");
            #[expect(unreachable_code)]
            Ok(0)
        });
        let bob = desk.spawn(|connection| note(connection, "bob"));
        assert_eq!(in_time(alice).await.unwrap(), Ok(1));
        assert_eq!(in_time(mallory).await.unwrap(), Err(WriteError::Panicked));
        assert_eq!(in_time(bob).await.unwrap(), Ok(2));
        assert_eq!(in_time(desk.spawn(|connection| note(connection, "later"))).await.unwrap(), Ok(3));
    });
    assert_eq!(desk.notes(), ["alice", "bob", "later"]);
}

#[test]
fn publishing_follows_the_order_of_the_commits_and_precedes_the_answer() {
    let desk = desk();
    let published = Arc::new(std::sync::Mutex::new(Vec::new()));
    threads(4).block_on(async {
        let writes: Vec<_> = (0..400)
            .map(|number| {
                let (store, published) = (desk.store.clone(), Arc::clone(&published));
                tokio::spawn(async move {
                    let log = Arc::clone(&published);
                    let job = move |connection: &Connection| {
                        let id = note(connection, "hello")?;
                        if number % 7 == 0 { Err(refusal()) } else { Ok(id) }
                    };
                    let answer = store.write_then(job, move |id| log.lock().unwrap().push(*id)).await;
                    assert_eq!(answer.is_err(), number % 7 == 0);
                    assert!(answer.is_err() || published.lock().unwrap().contains(&answer.unwrap()));
                })
            })
            .collect();
        for write in writes {
            in_time(write).await.unwrap();
        }
    });
    let published = published.lock().unwrap();
    let stored: Vec<i64> = (1..=i64::try_from(desk.notes().len()).unwrap()).collect();
    assert_eq!(*published, stored);
}

#[test]
fn a_client_that_goes_away_while_it_leads_takes_nobody_along() {
    let desk = desk();
    one_thread().block_on(async {
        let mut alice = Box::pin(desk.store.write(|connection| note(connection, "alice")));
        let mut bob = Box::pin(desk.store.write(|connection| note(connection, "bob")));
        let mut carol = pin!(desk.store.write(|connection| note(connection, "carol")));
        begin(alice.as_mut());
        begin(bob.as_mut());
        begin(carol.as_mut());
        drop(alice);
        drop(bob);
        assert_eq!(in_time(carol).await, Ok(3));
    });
    assert_eq!(desk.notes(), ["alice", "bob", "carol"]);
}

#[test]
fn a_runtime_that_ends_while_it_leads_leaves_nobody_waiting() {
    let desk = desk();
    let ending = one_thread();
    let mut alice = Box::pin(desk.store.write(|connection| note(connection, "alice")));
    ending.block_on(async { begin(alice.as_mut()) });
    one_thread().block_on(async {
        let mut bob = pin!(desk.store.write(|connection| note(connection, "bob")));
        begin(bob.as_mut());
        ending.shutdown_background();
        drop(alice);
        assert!(matches!(in_time(bob).await, Err(WriteError::Unavailable(_))));
        assert_eq!(in_time(desk.spawn(|connection| note(connection, "carol"))).await.unwrap(), Ok(1));
    });
    assert_eq!(desk.notes(), ["carol"]);
}

/// A job that says when it runs and waits until it is told to go on.
fn held() -> (impl FnOnce(&Connection) -> rusqlite::Result<i64> + Send, mpsc::Receiver<()>, mpsc::Sender<()>)
{
    let ((runs, running), (go, gone)) = (mpsc::channel(), mpsc::channel());
    let job = move |connection: &Connection| {
        runs.send(()).unwrap();
        gone.recv_timeout(DEADLINE).unwrap();
        note(connection, "held")
    };
    (job, running, go)
}

#[test]
fn a_leader_is_answered_after_its_own_round() {
    let desk = desk();
    let commits = desk.count_commits();
    threads(2).block_on(async {
        let (first, first_runs, first_go) = held();
        let (second, second_runs, second_go) = held();
        let first = desk.spawn(first);
        first_runs.recv_timeout(DEADLINE).unwrap();
        let mut second = pin!(desk.store.write(second));
        begin(second.as_mut());
        first_go.send(()).unwrap();
        second_runs.recv_timeout(DEADLINE).unwrap();
        assert_eq!(in_time(first).await.unwrap(), Ok(1));
        second_go.send(()).unwrap();
        assert_eq!(in_time(second).await, Ok(2));
    });
    assert_eq!(commits.load(Ordering::SeqCst), 2);
}

#[test]
fn a_slow_commit_stops_no_other_task() {
    let desk = desk();
    threads(1).block_on(async {
        let (job, running, go) = held();
        let slow = desk.spawn(job);
        running.recv_timeout(DEADLINE).unwrap();
        // The only worker is committing; this task runs all the same, and lets the commit go on.
        in_time(tokio::spawn(async move { go.send(()).unwrap() })).await.unwrap();
        assert_eq!(in_time(slow).await.unwrap(), Ok(1));
    });
}

#[test]
fn after_a_failed_commit_nobody_is_told_yes_and_the_file_is_reopened() {
    let desk = desk();
    desk.fail_commits();
    one_thread().block_on(async {
        let alice = desk.spawn(|connection| note(connection, "alice"));
        let bob = desk.spawn(|_| Err::<i64, _>(refusal()));
        assert!(matches!(in_time(alice).await.unwrap(), Err(WriteError::Unavailable(_))));
        assert!(matches!(in_time(bob).await.unwrap(), Err(WriteError::Unavailable(_))));
        assert_eq!(in_time(desk.spawn(|connection| note(connection, "carol"))).await.unwrap(), Ok(1));
    });
    assert_eq!(desk.notes(), ["carol"]);
}

#[test]
fn publishing_never_follows_a_failed_commit() {
    let desk = desk();
    one_thread().block_on(async {
        // The reference leads nowhere, which SQLite finds out when it commits.
        let job = |connection: &Connection| connection.execute("INSERT INTO reply (note) VALUES (99)", []);
        let answer = desk.store.write_then(job, |_| panic!("published")).await;
        assert!(matches!(answer, Err(WriteError::Unavailable(_))));
    });
}

#[test]
fn as_long_as_the_file_cannot_be_reopened_nothing_is_kept() {
    let desk = desk();
    let (path, away) = (desk.directory.path().join("notes.db"), desk.directory.path().join("away.db"));
    one_thread().block_on(async {
        desk.fail_commits();
        assert!(desk.spawn(|connection| note(connection, "alice")).await.unwrap().is_err());
        std::fs::rename(&path, &away).unwrap();
        for _ in 0..2 {
            let answer = in_time(desk.spawn(|connection| note(connection, "bob"))).await.unwrap();
            assert!(matches!(answer, Err(WriteError::Unavailable(_))), "{answer:?}");
            assert!(!path.exists());
        }
        std::fs::rename(&away, &path).unwrap();
        assert_eq!(in_time(desk.spawn(|connection| note(connection, "carol"))).await.unwrap(), Ok(1));
    });
    assert_eq!(desk.notes(), ["carol"]);
}

#[test]
fn the_reopened_file_proves_that_it_takes_a_write() {
    let desk = desk();
    one_thread().block_on(async {
        desk.fail_commits();
        assert!(desk.spawn(|connection| note(connection, "alice")).await.unwrap().is_err());
        // Keeps the log in being when the connection that failed is closed.
        let _watch = desk.store.watch().unwrap();
        assert_eq!(in_time(desk.spawn(|_| Ok(()))).await.unwrap(), Ok(()));
    });
    let log = desk.directory.path().join("notes.db-wal");
    assert_ne!(std::fs::metadata(log).unwrap().len(), 0, "begun anew, and no job wrote: this is the proof");
}

#[test]
fn a_full_disk_keeps_nothing_of_the_round_and_heals_by_itself() {
    let desk = desk();
    one_thread().block_on(async {
        let limit = |connection: &Connection| {
            let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
            connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))
        };
        in_time(desk.spawn(limit)).await.unwrap().unwrap();
        let small = desk.spawn(|connection| note(connection, "small"));
        let large = desk.spawn(|connection| note(connection, &"large".repeat(10_000)));
        assert_eq!(in_time(small).await.unwrap(), Err(WriteError::Full));
        assert_eq!(in_time(large).await.unwrap(), Err(WriteError::Full));
        assert!(desk.notes().is_empty());
        in_time(desk.spawn(|connection| note(connection, &"large".repeat(10_000)))).await.unwrap().unwrap();
    });
}

#[test]
fn after_closing_nothing_is_written_and_no_log_is_left() {
    let desk = desk();
    one_thread().block_on(async {
        in_time(desk.spawn(|connection| note(connection, "alice"))).await.unwrap().unwrap();
        desk.store.close();
        let late = in_time(desk.spawn(|connection| note(connection, "late"))).await.unwrap();
        assert!(matches!(late, Err(WriteError::Unavailable(_))));
    });
    let names: Vec<_> =
        std::fs::read_dir(desk.directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["notes.db"]);
}

#[test]
fn a_panic_while_publishing_ends_the_process() {
    const CHILD: &str = "STORE_TEST_PANIC_WHILE_PUBLISHING";
    if std::env::var_os(CHILD).is_some() {
        let desk = desk();
        let write = desk.store.write_then(|connection| note(connection, "alice"), |_| panic!("publishing"));
        drop(one_thread().block_on(write));
        return;
    }
    // What the child makes it does not live to remove.
    let folder = tempfile::tempdir().unwrap();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "leader::tests::a_panic_while_publishing_ends_the_process"])
        .env(CHILD, "1")
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    // A test that merely fails would exit with 101.
    assert_eq!(child.status.code(), None, "{child:?}");
}

#[test]
fn an_idle_file_is_checkpointed() {
    let desk = desk();
    let path = desk.directory.path().join("notes.db");
    let carried_back =
        || crate::connection::looking(&path)?.query_row("SELECT count(*) FROM note", [], |row| row.get(0));
    one_thread().block_on(async {
        in_time(desk.spawn(|connection| note(connection, "alice"))).await.unwrap().unwrap();
        assert_ne!(carried_back(), Ok(1), "all is in the log still");
        let shared = Arc::clone(&desk.store.shared);
        let tending = tokio::spawn(async move { crate::tend::tend(&shared, Duration::from_millis(1)).await });
        for expected in 1..3 {
            let condition = async {
                while carried_back() != Ok(expected) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            in_time(condition).await;
            in_time(desk.spawn(|connection| note(connection, "bob"))).await.unwrap().unwrap();
        }
        tending.abort();
    });
}
