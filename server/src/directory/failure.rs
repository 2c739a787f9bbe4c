//! Why the database did not do what was asked, as far as a client is concerned.

use rusqlite::{Error, ErrorCode};
use store::WriteError;

/// The database failed; nothing was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// It may work again by itself.
    #[error("the database cannot be used: {0}")]
    Unavailable(String),
    /// A mistake of ours.
    #[error("the database was misused: {0}")]
    Internal(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        use ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseLocked, FileLockingProtocolFailed, OutOfMemory, ReadOnly,
            SystemIoFailure,
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(
                CannotOpen
                | DatabaseBusy
                | DatabaseLocked
                | FileLockingProtocolFailed
                | OutOfMemory
                | ReadOnly
                | SystemIoFailure,
            ) => Self::Unavailable(error.to_string()),
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl From<WriteError<Error>> for Failure {
    fn from(error: WriteError<Error>) -> Self {
        match error {
            WriteError::Refused(error) => error.into(),
            WriteError::Full => Self::Full,
            WriteError::Unavailable(why) => Self::Unavailable(why),
            WriteError::Panicked => Self::Internal("a write panicked".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_our_own_mistakes() {
        let sqlite = |code| Error::SqliteFailure(ffi::Error::new(code), None);
        assert_eq!(Failure::from(sqlite(ffi::SQLITE_FULL)), Failure::Full);
        assert!(matches!(sqlite(ffi::SQLITE_IOERR_WRITE).into(), Failure::Unavailable(_)));
        assert!(matches!(sqlite(ffi::SQLITE_CONSTRAINT_UNIQUE).into(), Failure::Internal(_)));
        assert!(matches!(Error::QueryReturnedNoRows.into(), Failure::Internal(_)));
    }
}
