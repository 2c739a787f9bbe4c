//! Opening: nothing is written to a file before it is known to be ours, and each refusal says what to do.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Mutex;

use rusqlite::{Connection, ErrorCode};

use crate::connection::patiently;
use crate::migrate::{Header, Schema, migrate};
use crate::open_error::OpenError;
use crate::{connection, lock};

/// The writer's connection to a file that is ours and up to date.
pub(crate) fn open(path: &Path, schema: &Schema) -> Result<Connection, OpenError> {
    create(path).map_err(|error| OpenError::from_system(path, error))?;
    inspect(path, schema)?;
    let connection = connection::migrating(path)?;
    migrate(&connection, path, schema)?;
    connection::writing(connection, path)
}

/// Whether the file is ours, and up to date already.
pub(crate) fn is_current(path: &Path, schema: &Schema) -> Result<bool, OpenError> {
    is_up_to(path, schema, connection::reading)
}

/// The same by what such a connection reads.
pub(crate) fn is_up_to(
    path: &Path,
    schema: &Schema,
    connect: impl FnOnce(&Path) -> rusqlite::Result<Connection>,
) -> Result<bool, OpenError> {
    if fs::metadata(path).map_or(0, |metadata| metadata.len()) == 0 {
        return Ok(false);
    }
    inspect(path, schema)?;
    // What a running program wrote last may stand in the log alone.
    let header = connect(path).and_then(|connection| patiently(|| Header::read(&connection)));
    let header = header.map_err(|error| OpenError::from_sqlite(path, error))?;
    header.missing(path, schema).map(<[_]>::is_empty)
}

/// The same for a file that was open before.
pub(crate) fn reopen(path: &Path) -> Result<Connection, OpenError> {
    connection::writing(connection::migrating(path)?, path)
}

/// Creates the file if there is none, for its owner alone: SQLite gives its log the same mode.
fn create(path: &Path) -> io::Result<()> {
    // Closing a file drops every lock that the process holds on it, so nobody here may open it meanwhile.
    static CREATING: Mutex<()> = Mutex::new(());
    let _alone = lock(&CREATING);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(_created) => sync_directory(path),
    }
}

/// A file that a power cut takes out of its directory again was never durable.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if cfg!(unix) { fs::File::open(directory)?.sync_all() } else { Ok(()) }
}

/// Looks without touching: an empty file is new, any other must be ours.
fn inspect(path: &Path, schema: &Schema) -> Result<(), OpenError> {
    let metadata = fs::metadata(path).map_err(|error| OpenError::from_system(path, error))?;
    if !metadata.is_file() {
        return Err(OpenError::Foreign { path: path.to_owned(), why: "it is not a regular file".into() });
    }
    if metadata.permissions().readonly() {
        return Err(OpenError::ReadOnly { path: path.to_owned() });
    }
    if metadata.len() == 0 {
        return Ok(());
    }
    match connection::looking(path).and_then(|connection| Header::read(&connection)) {
        Ok(header) => header.missing(path, schema).map(drop),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(OpenError::from_sqlite(path, error))
        }
        // The rest may stand in the log, or another process be carrying it back: decided under lock.
        Err(_) => Ok(()),
    }
}
