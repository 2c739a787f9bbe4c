//! Opening: nothing is written to a file before it is known to be ours, and each refusal says what to do.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::{Connection, ErrorCode};

use crate::migrate::{Header, Schema, migrate};
use crate::{connection, lock};

/// Why a file was not opened. It is left as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not SQLite's, or another program's.
    #[error("{} is not a database of this program: {why}; name another file, or move this one away", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What gave it away.
        why: String,
    },
    /// Written by a later version of this program.
    #[error("{} is of version {found}, this program knows up to {known}; run a newer version of the program", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i32,
        /// The latest version that is known here.
        known: usize,
    },
    /// It, or the file system it is on, cannot be written.
    #[error("{} is read-only; make the file writable (chmod u+w), or name another", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// SQLite does not understand its contents.
    #[error("{} is damaged ({source}); move it away with its -wal file, and restore a backup if there is one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite stumbled over.
        source: rusqlite::Error,
    },
    /// The directory is missing, or no file can be created in it.
    #[error("{} cannot be opened ({source}); its directory must exist and be writable", path.display())]
    Directory {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// SQLite did not accept a setting that the promises rest on.
    #[error("{} does not take {name} = {wanted} (it has {found}); put it on a local file system", path.display())]
    Setting {
        /// The file.
        path: PathBuf,
        /// The pragma.
        name: &'static str,
        /// What was asked for.
        wanted: String,
        /// What it is instead.
        found: String,
    },
    /// A migration failed, and none was applied.
    #[error("{} cannot be brought to version {number} ({source}); it is unchanged, please report this", path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// Which migration, counted from 1.
        number: usize,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The system failed to look at the file.
    #[error("{} cannot be opened ({source}); check the disk and the path", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite failed: a full disk, an I/O error, a lock held for too long.
    #[error("{} cannot be opened ({source}); check the disk, and whether another program holds the file", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl OpenError {
    pub(crate) fn from_sqlite(path: &Path, source: rusqlite::Error) -> OpenError {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => {
                OpenError::Foreign { path, why: "it is not an SQLite file".into() }
            }
            Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path, source },
            Some(ErrorCode::ReadOnly) => OpenError::ReadOnly { path },
            Some(ErrorCode::CannotOpen) => OpenError::Directory { path, source: source.into() },
            _ => OpenError::Sqlite { path, source },
        }
    }

    fn from_system(path: &Path, source: io::Error) -> OpenError {
        use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
        let path = path.to_owned();
        match source.kind() {
            NotFound | NotADirectory | PermissionDenied | ReadOnlyFilesystem => {
                OpenError::Directory { path, source: source.into() }
            }
            _ => OpenError::Io { path, source },
        }
    }
}

/// The writer's connection to a file that is ours and up to date.
pub(crate) fn open(path: &Path, schema: &Schema) -> Result<Connection, OpenError> {
    create(path).map_err(|error| OpenError::from_system(path, error))?;
    inspect(path, schema)?;
    let connection = connection::migrating(path)?;
    migrate(&connection, path, schema)?;
    connection::writing(connection, path)
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
