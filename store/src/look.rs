//! A look into a file without changing anything: neither it, nor what stands beside it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::migrate::Schema;
use crate::open_error::OpenError;
use crate::reader::{CheckError, findings};
use crate::{connection, open};

/// An open file that is only looked at.
#[derive(Debug)]
pub struct Look {
    connection: Connection,
}

impl Look {
    /// Opens `path` to look at it, if it is there and up to `schema`. Blocks.
    pub fn open(path: &Path, schema: &Schema) -> Result<Option<Self>, OpenError> {
        if !path.exists() || !open::is_up_to(path, schema, reading)? {
            return Ok(None);
        }
        let connection = reading(path).map_err(|error| OpenError::from_sqlite(path, error))?;
        Ok(Some(Self { connection }))
    }

    /// Runs `query` on one snapshot. Blocks.
    pub fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        self.connection.execute_batch("BEGIN")?;
        let answer = query(&self.connection);
        self.connection.execute_batch("ROLLBACK")?;
        answer
    }

    /// Reads the whole file and says whether its structure is sound. Blocks: about half a second a million rows.
    pub fn quick_check(&self) -> Result<(), CheckError> {
        findings(self.read(crate::reader::quick_check))
    }
}

/// Where there is no log, nobody has the file open, and a connection that may take locks would begin one.
fn reading(path: &Path) -> rusqlite::Result<Connection> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if PathBuf::from(log).exists() { connection::reading(path) } else { connection::looking(path) }
}
