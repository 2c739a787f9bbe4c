//! Whose file it is and how old: the header is judged, then brought up to date in one transaction.
//! What the migrations say is their owners' affair.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, ffi};

use crate::connection::patiently;
use crate::open_error::OpenError;

/// What a program expects of its file.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Marks the file as this program's (`PRAGMA application_id`). Not 0, which is everybody's.
    pub application_id: i32,
    /// SQL texts in order; `PRAGMA user_version` says how many the file has had. Foreign keys are not enforced
    /// while they run, and checked after.
    pub migrations: &'static [&'static str],
}

/// What a file says of itself.
#[derive(Debug)]
pub(crate) struct Header {
    application_id: i32,
    version: i32,
    empty: bool,
}

impl Header {
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Header> {
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let (application_id, version) = (number("application_id")?, number("user_version")?);
        // Not asked of a file that is ours: the look at it takes no lock, and only a single page is whole then.
        let empty = application_id == 0 && objects(connection)? == 0;
        Ok(Header { application_id, version, empty })
    }

    /// The migrations that are missing, unless the file is none of ours or from a later program.
    pub(crate) fn missing(&self, path: &Path, schema: &Schema) -> Result<&'static [&'static str], OpenError> {
        let new = self.application_id == 0 && self.version == 0 && self.empty;
        if self.application_id != schema.application_id && !new {
            let why =
                format!("its application id is {:#x}, not {:#x}", self.application_id, schema.application_id);
            return Err(OpenError::Foreign { path: path.to_owned(), why });
        }
        usize::try_from(self.version).ok().and_then(|applied| schema.migrations.get(applied..)).ok_or_else(
            || OpenError::Newer {
                path: path.to_owned(),
                found: self.version,
                known: schema.migrations.len(),
            },
        )
    }
}

/// Applies what is missing, all or nothing. Of several processes that open the file at once, one does it.
pub(crate) fn migrate(connection: &Connection, path: &Path, schema: &Schema) -> Result<(), OpenError> {
    let failed = |error| OpenError::from_sqlite(path, error);
    let header = patiently(|| Header::read(connection)).map_err(failed)?;
    if header.application_id == schema.application_id && header.missing(path, schema)?.is_empty() {
        // Makes SQLite read and understand all of the schema.
        return objects(connection).map(drop).map_err(failed);
    }
    let transaction = patiently(|| Transaction::new_unchecked(connection, TransactionBehavior::Immediate))
        .map_err(failed)?;
    let header = Header::read(&transaction).map_err(failed)?;
    let missing = header.missing(path, schema)?;
    let applied = schema.migrations.len() - missing.len();
    for (offset, sql) in missing.iter().enumerate() {
        transaction.execute_batch(sql).map_err(|source| OpenError::Migration {
            path: path.to_owned(),
            number: applied + offset + 1,
            source,
        })?;
    }
    let broken = count(&transaction, "SELECT count(*) FROM pragma_foreign_key_check").map_err(failed)?;
    if broken > 0 {
        let error = ffi::Error::new(ffi::SQLITE_CONSTRAINT_FOREIGNKEY);
        let source = rusqlite::Error::SqliteFailure(error, Some(format!("{broken} rows refer to nothing")));
        return Err(OpenError::Migration { path: path.to_owned(), number: schema.migrations.len(), source });
    }
    finish(transaction, schema).map_err(failed)
}

fn finish(transaction: Transaction<'_>, schema: &Schema) -> rusqlite::Result<()> {
    transaction.pragma_update(None, "application_id", schema.application_id)?;
    transaction.pragma_update(None, "user_version", schema.migrations.len().to_string())?;
    transaction.commit()
}

fn objects(connection: &Connection) -> rusqlite::Result<i64> {
    count(connection, "SELECT count(*) FROM sqlite_schema")
}

fn count(connection: &Connection, sql: &str) -> rusqlite::Result<i64> {
    connection.query_row(sql, [], |row| row.get(0))
}
