//! Why a file is not opened: each reason with what is wrong and what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

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

    pub(crate) fn from_system(path: &Path, source: io::Error) -> OpenError {
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
