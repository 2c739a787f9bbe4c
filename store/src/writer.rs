//! The one connection that writes: a round of jobs in one transaction, and the way back after a failure.
//! Which jobs make a round, and who is told, is the leader's affair.
//!
//! ```text
//!            a round fails                        reopened, checkpointed,
//!  Ready ───────────────────▶ Lost ──┐            a small write synced
//!    ▲                         ▲     │ next round ───────────────────────▶ Ready
//!    └── round kept            └─────┘ not yet: Full or Unavailable
//! ```

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::job::{Failure, Job, Verdict};
use crate::open;
use crate::open_error::OpenError;

/// How long failures are not said aloud again.
const SILENCE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    state: State,
    /// When a failure was last said aloud.
    complained: Option<Instant>,
    /// Whether that is still to be taken back aloud.
    complains: bool,
}

#[derive(Debug)]
enum State {
    Ready(Connection),
    Lost,
    Closed,
}

impl Writer {
    pub(crate) fn new(path: &Path, connection: Connection) -> Writer {
        Writer { path: path.to_owned(), state: State::Ready(connection), complained: None, complains: false }
    }

    /// One transaction for all. On an error nothing may be acknowledged, not even a refusal.
    pub(crate) fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Failure> {
        let connection = self.ready()?;
        let outcome = transact(connection, jobs);
        if let Err(failure) = &outcome {
            let is_news = self.is_news(Instant::now());
            let path = self.path.display();
            if is_news {
                tracing::error!(%path, ?failure, "a commit failed; reopening before the next");
            } else {
                tracing::debug!(%path, ?failure, "a commit failed; reopening before the next");
            }
            self.state = State::Lost;
        }
        outcome
    }

    /// Whether a failure is worth an error: a disk may stay full for long, with a commit that fails for every stranger's message.
    fn is_news(&mut self, now: Instant) -> bool {
        let is_news = self.complained.is_none_or(|at| now.saturating_duration_since(at) >= SILENCE);
        if is_news {
            self.complained = Some(now);
            self.complains = true;
        }
        is_news
    }

    pub(crate) fn close(&mut self) {
        self.state = State::Closed;
    }

    fn ready(&mut self) -> Result<&Connection, Failure> {
        if matches!(self.state, State::Lost) {
            self.state = State::Ready(reopen(&self.path)?);
            let path = self.path.display();
            if std::mem::take(&mut self.complains) {
                tracing::info!(%path, "the database can be written again");
            } else {
                tracing::debug!(%path, "the database can be written again");
            }
        }
        match &self.state {
            State::Ready(connection) => Ok(connection),
            State::Lost | State::Closed => Err(Failure::Unavailable("it is closed".into())),
        }
    }
}

#[cfg(test)]
impl Writer {
    /// For tests that count commits or make one fail.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        match &mut self.state {
            State::Ready(connection) => connection,
            State::Lost | State::Closed => panic!("no connection"),
        }
    }
}

fn transact(connection: &Connection, jobs: &mut [Box<dyn Job>]) -> Result<(), Failure> {
    execute(connection, "BEGIN IMMEDIATE")?;
    for job in jobs {
        run(connection, job.as_mut())?;
    }
    execute(connection, "COMMIT")
}

fn run(connection: &Connection, job: &mut dyn Job) -> Result<(), Failure> {
    execute(connection, "SAVEPOINT store_job")?;
    let verdict = job.run(connection);
    // SQLite answers a full disk, an I/O error or want of memory by undoing the whole transaction at times.
    if connection.is_autocommit() {
        let unknown = || Failure::Unavailable("SQLite undid the transaction".into());
        return Err(match verdict {
            Verdict::Undo(Some(reason)) => reason,
            Verdict::Undo(None) | Verdict::Keep => unknown(),
        });
    }
    if let Verdict::Undo(_) = verdict {
        execute(connection, "ROLLBACK TO store_job")?;
    }
    execute(connection, "RELEASE store_job")
}

fn execute(connection: &Connection, sql: &str) -> Result<(), Failure> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Opens the file anew and proves that it takes a write.
fn reopen(path: &Path) -> Result<Connection, Failure> {
    let connection = open::reopen(path).map_err(|error| match error {
        OpenError::Sqlite { source, .. } => Failure::from(source),
        other => Failure::Unavailable(other.to_string()),
    })?;
    // The kernel counts pages whose sync failed as clean, and does not write them again: frames in the log that
    // never reached the disk would cut off all that follow. So the log is carried back and begun anew.
    let busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy {
        return Err(Failure::Unavailable("another process reads the log, which must be begun anew".into()));
    }
    // Sets what is set already: the page goes through the log and is synced all the same.
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    connection.pragma_update(None, "user_version", version)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_an_error_once_a_minute() {
        let mut writer = Writer::new(Path::new("a.db"), Connection::open_in_memory().unwrap());
        let start = Instant::now();
        let news = [0, 0, 59, 60, 119, 500].map(|second| writer.is_news(start + Duration::from_secs(second)));
        assert_eq!(news, [true, false, false, true, false, true]);
    }
}
