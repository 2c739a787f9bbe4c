//! What both ways need to keep messages that were imported: positions below those of all others, and what came of it.

use rusqlite::Connection;

/// Imported messages have the positions behind this one, in the order in which they were imported.
pub const BEFORE_ALL: i64 = -(1 << 53);

/// What came of a message that was to be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is kept now.
    New,
    /// It was kept before.
    Known,
    /// It was deleted here, and stays so.
    Deleted,
}

/// Positions being given to imported messages, below those of all others, in the transaction that keeps them.
#[derive(Debug)]
pub struct Positions {
    imported: i64,
}

impl Positions {
    /// Those behind the last one given to an imported message.
    pub fn begin(connection: &Connection) -> rusqlite::Result<Self> {
        let imported =
            connection.prepare_cached("SELECT imported FROM positions")?.query_row([], |row| row.get(0))?;
        Ok(Self { imported })
    }

    /// Gives the next one.
    pub fn give(&mut self) -> i64 {
        self.imported += 1;
        BEFORE_ALL + self.imported
    }

    /// Writes which one was the last.
    pub fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        connection.prepare_cached("UPDATE positions SET imported = ?1")?.execute([self.imported])?;
        Ok(())
    }
}
