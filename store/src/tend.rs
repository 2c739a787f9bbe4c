//! Checkpoints when nothing else is to be done: the log is carried back before somebody must wait for it.

use std::sync::Arc;
use std::time::Duration;

use crate::reader::Watch;
use crate::{Shared, connection};

/// How often the file is looked at. It counts as idle when nothing was committed from one look to the next.
pub(crate) const TICK: Duration = Duration::from_secs(2);

/// So long at most it waits for those who use the log just now.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) async fn tend(shared: &Arc<Shared>, tick: Duration) {
    let mut watch = None;
    // A log that an earlier process left behind counts too.
    let mut log = Log::Waiting;
    loop {
        tokio::time::sleep(tick).await;
        log = step(shared, &mut watch, log).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "checkpointing failed; trying again");
            Log::Waiting
        });
    }
}

/// Whether the log holds what the file does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Log {
    Waiting,
    CarriedBack,
}

async fn step(shared: &Arc<Shared>, watch: &mut Option<Watch>, log: Log) -> rusqlite::Result<Log> {
    let changed = match watch {
        Some(watch) => watch.changed()?,
        None => watch.insert(shared.readers.watch()?).changed()?,
    };
    match log {
        _ if changed => Ok(Log::Waiting),
        Log::CarriedBack => Ok(Log::CarriedBack),
        Log::Waiting if checkpoint(shared).await? => Ok(Log::CarriedBack),
        Log::Waiting => Ok(Log::Waiting),
    }
}

/// On a thread and a connection of its own, which gives its memory back: writers go on meanwhile.
pub(crate) async fn checkpoint(shared: &Arc<Shared>) -> rusqlite::Result<bool> {
    carry_back(shared, "PRAGMA wal_checkpoint(PASSIVE)", Duration::ZERO).await
}

/// The same, and the log is empty then. Writers wait for it.
pub(crate) async fn wipe(shared: &Arc<Shared>) -> rusqlite::Result<bool> {
    carry_back(shared, "PRAGMA wal_checkpoint(TRUNCATE)", PATIENCE).await
}

async fn carry_back(
    shared: &Arc<Shared>,
    pragma: &'static str,
    patience: Duration,
) -> rusqlite::Result<bool> {
    let path = shared.readers.path().to_owned();
    let work = tokio::task::spawn_blocking(move || {
        let connection = connection::checkpointing(&path)?;
        connection.busy_timeout(patience)?;
        connection.query_row(pragma, [], |row| {
            Ok(!row.get::<_, bool>(0)? && row.get::<_, i64>(1)? == row.get::<_, i64>(2)?)
        })
    });
    // Only a runtime that ends cancels it.
    work.await.unwrap_or(Ok(false))
}
