//! The peer's SQLite file: what it must be, and how it fails. Its tables belong to the rooms that own them.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use store::{Look, OpenError, Schema, Store, WriteError};

/// The file in the data directory.
pub const FILE: &str = "recado.db";

/// `RCDp` tells a peer's file from any other SQLite file.
const SCHEMA: Schema = Schema {
    application_id: i32::from_be_bytes(*b"RCDp"),
    migrations: &[
        include_str!("../../migrations/peer/0001_messages.sql"),
        include_str!("../../migrations/peer/0002_identity.sql"),
        include_str!("../../migrations/peer/0003_order.sql"),
        include_str!("../../migrations/peer/0004_repair.sql"),
        include_str!("../../migrations/peer/0005_counting.sql"),
        include_str!("../../migrations/peer/0006_history.sql"),
        include_str!("../../migrations/peer/0007_commands.sql"),
    ],
};

/// Opens the file in this data directory, making it at first.
pub fn open(data_dir: &Path) -> Result<Store, OpenError> {
    Store::open(&data_dir.join(FILE), &SCHEMA)
}

/// Opens the file in this data directory to look at it, if it is there and up to date. Changes nothing.
pub fn look(data_dir: &Path) -> Result<Option<Look>, OpenError> {
    Look::open(&data_dir.join(FILE), &SCHEMA)
}

/// A file as the program left it that had so many migrations: for tests.
#[cfg(test)]
pub(crate) fn of_old(data_dir: &Path, migrations: usize) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(data_dir.join(FILE)).unwrap();
    for sql in &SCHEMA.migrations[..migrations] {
        connection.execute_batch(sql).unwrap();
    }
    connection.pragma_update(None, "application_id", SCHEMA.application_id).unwrap();
    connection.pragma_update(None, "user_version", migrations).unwrap();
    connection
}

/// The file, and those that SQLite keeps beside it.
#[must_use]
pub fn files(data_dir: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| data_dir.join(format!("{FILE}{suffix}")))
}

/// The database could not do what it was asked. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No room on the disk.
    #[error("the disk is full: make room, and it works again by itself")]
    Full,
    /// A write did not reach the disk.
    #[error("the database cannot be written at the moment: {0}")]
    Unavailable(String),
    /// SQLite does not understand what the file says.
    #[error("recado.db in the data directory is damaged ({0}): keep a copy, and restore it from a backup")]
    Damaged(rusqlite::Error),
    /// A statement failed.
    #[error("the database answered with an error: {0}")]
    Statement(rusqlite::Error),
    /// A defect of ours.
    #[error("a defect in this program stopped the write; its log says where")]
    Defect,
}

impl From<WriteError<rusqlite::Error>> for Fault {
    fn from(error: WriteError<rusqlite::Error>) -> Self {
        match error {
            // A statement may fail by itself, in a transaction that goes on without it.
            WriteError::Refused(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Self::Full,
                Some(ErrorCode::SystemIoFailure | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
                    Self::Unavailable(error.to_string())
                }
                _ => error.into(),
            },
            WriteError::Full => Self::Full,
            WriteError::Unavailable(why) => Self::Unavailable(why),
            WriteError::Panicked => Self::Defect,
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error),
            _ => Self::Statement(error),
        }
    }
}
