//! Connections that only read: a few are kept, more are opened when all are in use, so that no read waits for
//! another or for a write.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::{Connection, ErrorCode};

use crate::{connection, lock};

/// Kept while idle; each costs up to 0.5 MiB of cache.
const KEPT: usize = 4;

#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    /// `None` once closed: late reads still work, and leave nothing open.
    idle: Mutex<Option<Vec<Connection>>>,
}

/// What the check of a whole file found.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The file's structure is broken; SQLite's findings, a line each.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The check itself could not be made.
    #[error("the database cannot be checked: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl Readers {
    pub(crate) fn new(path: &Path) -> Readers {
        Readers { path: path.to_owned(), idle: Mutex::new(Some(Vec::new())) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let idle = lock(&self.idle).as_mut().and_then(Vec::pop);
        let connection = idle.map_or_else(|| connection::reading(&self.path), Ok)?;
        connection.prepare_cached("BEGIN")?.execute([])?;
        let answer = query(&connection);
        // A connection whose snapshot does not end is not lent again.
        let ended = connection.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([]));
        if ended.is_ok()
            && let Some(idle) = lock(&self.idle).as_mut()
            && idle.len() < KEPT
        {
            idle.push(connection);
        }
        answer
    }

    pub(crate) fn quick_check(&self) -> Result<(), CheckError> {
        findings(self.read(quick_check))
    }

    pub(crate) fn watch(&self) -> rusqlite::Result<Watch> {
        let connection = connection::reading(&self.path)?;
        let seen = data_version(&connection)?;
        Ok(Watch { connection, seen })
    }

    pub(crate) fn close(&self) {
        lock(&self.idle).take();
    }
}

/// What SQLite finds in a whole file, a line each.
pub(crate) fn quick_check(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = connection.prepare("PRAGMA quick_check(10)")?;
    check.query_map([], |row| row.get(0))?.collect()
}

/// What that means.
pub(crate) fn findings(found: rusqlite::Result<Vec<String>>) -> Result<(), CheckError> {
    match found {
        Ok(lines) if lines == ["ok"] => Ok(()),
        Ok(lines) => Err(CheckError::Damaged(lines.join("\n"))),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            Err(CheckError::Damaged(error.to_string()))
        }
        Err(error) => Err(CheckError::Sqlite(error)),
    }
}

/// Notices commits to the file, by this process or another, without asking any table.
#[derive(Debug)]
pub struct Watch {
    connection: Connection,
    seen: i64,
}

impl Watch {
    /// Whether anything was committed since the last call that said so, or since the watch began. May say so
    /// once too often. A few microseconds.
    pub fn changed(&mut self) -> rusqlite::Result<bool> {
        let now = data_version(&self.connection)?;
        Ok(std::mem::replace(&mut self.seen, now) != now)
    }
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}
