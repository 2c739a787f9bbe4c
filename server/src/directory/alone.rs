//! One directory for one database: a second would give every lease another grace, and list what the first does not.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Held for as long as a directory runs on a database. The kernel lets go of it when the process ends.
#[derive(Debug)]
pub(super) struct Alone {
    _file: File,
}

/// Whether this is the only directory on the database.
pub(super) fn claim(database: &Path) -> io::Result<Option<Alone>> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(PathBuf::from(path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Alone { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
