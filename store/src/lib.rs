//! One SQLite file: opened, checked, migrated, written in shared commits, read beside them.
//!
//! Both programs keep their file through this crate. It knows no table: whoever owns a table brings its SQL
//! as a job ([`Store::write`]) or as a query ([`Store::read`]), and the [`Schema`] brings the migrations.

#![forbid(unsafe_code)]

mod commits;
mod connection;
mod job;
mod leader;
mod look;
mod migrate;
mod open;
mod open_error;
mod reader;
mod tend;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

pub use commits::Commit;
pub use job::WriteError;
pub use look::Look;
pub use migrate::Schema;
pub use open_error::OpenError;
pub use reader::{CheckError, Watch};
pub use rusqlite;

/// An open file. Clones share it; the last one dropped closes it.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: leader::Queue,
    commits: commits::Commits,
    readers: reader::Readers,
    // Dropped after the readers: only a connection that can write carries the log back when it is the last.
    writer: Mutex<writer::Writer>,
}

impl Store {
    /// Opens `path`, creating it (mode 0600) when it is absent, and brings it up to `schema`. Blocks.
    ///
    /// A file that is refused is left as it was.
    pub fn open(path: &Path, schema: &Schema) -> Result<Store, OpenError> {
        let connection = open::open(path, schema)?;
        Ok(Store {
            shared: Arc::new(Shared {
                queue: leader::Queue::default(),
                commits: commits::Commits::default(),
                readers: reader::Readers::new(path),
                writer: Mutex::new(writer::Writer::new(path, connection)),
            }),
        })
    }

    /// Whether [`Store::open`] would find nothing to bring up to `schema`: not so if the file is older, new or absent. Changes
    /// nothing. Blocks.
    pub fn is_current(path: &Path, schema: &Schema) -> Result<bool, OpenError> {
        open::is_current(path, schema)
    }

    /// Runs `job` in a savepoint of its own and answers once its commit is on the disk. The task that waits first
    /// commits for all, which holds up what else this one task does (`join!`, `select!`), and no other.
    ///
    /// Jobs that wait at the same time share one commit, in the order in which they came. Dropping the future
    /// does not withdraw the job. A job must not wait for another write, which would wait for it. Constraints that
    /// are `DEFERRABLE` fail the whole commit, so use none.
    ///
    /// # Panics
    /// Outside a tokio runtime, and on a `LocalSet` of one with several threads.
    pub async fn write<T, E>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        self.write_then(job, |_| ()).await
    }

    /// As [`Store::write`]; `publish` runs after the commit and before the answer, in the order of the commits,
    /// and never for a job that was refused or undone: what is kept in memory can follow the file.
    ///
    /// It runs on the committing thread, so it must be short and must not wait for a write. A panic in it ends
    /// the process: memory would no longer be what the file says.
    ///
    /// # Panics
    /// As [`Store::write`].
    pub async fn write_then<T, E>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        publish: impl FnOnce(&mut T) + Send + 'static,
    ) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (request, answer) = job::request(job, publish);
        leader::submit(&self.shared, request).await;
        answer.await.unwrap_or_else(|_| Err(WriteError::Unavailable("the program is ending".into())))
    }

    /// Has `observer` told of every commit from now on, on the committing thread: it must be short. The first one stays.
    pub fn observe(&self, observer: impl Fn(Commit) + Send + Sync + 'static) {
        self.shared.commits.observe(observer);
    }

    /// Runs `query` on one snapshot, which holds every write that was answered before. Blocks, though never for
    /// a write. What the query itself writes is refused by SQLite.
    pub fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        self.shared.readers.read(query)
    }

    /// A cheap way to notice commits, whoever made them. Drop it before [`Store::close`].
    pub fn watch(&self) -> rusqlite::Result<Watch> {
        self.shared.readers.watch()
    }

    /// Reads the whole file and says whether its structure is sound. Blocks: about half a second a million rows.
    pub fn quick_check(&self) -> Result<(), CheckError> {
        self.shared.readers.quick_check()
    }

    /// Carries the write-ahead log back into the file, beside readers and writers; true when nothing is left.
    pub async fn checkpoint(&self) -> rusqlite::Result<bool> {
        tend::checkpoint(&self.shared).await
    }

    /// Carries the write-ahead log back and empties it, so that nothing is left in it of what was deleted; false if somebody
    /// is using it just now.
    pub async fn wipe_log(&self) -> rusqlite::Result<bool> {
        tend::wipe(&self.shared).await
    }

    /// Checkpoints whenever the file has been left alone for a few seconds, whoever wrote to it. Never returns:
    /// spawn it, and abort it before [`Store::close`].
    pub async fn tend(&self) {
        tend::tend(&self.shared, tend::TICK).await;
    }

    /// Finishes the commit that is under way, refuses later writes and closes the file. The last one out, of
    /// all processes, carries the write-ahead log back and removes it. Blocks.
    pub fn close(&self) {
        self.shared.readers.close();
        lock(&self.shared.writer).close();
    }
}

/// Locks although a holder panicked: what these locks guard is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
