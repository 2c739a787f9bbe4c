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

/// The places of the messages that a sender wrote next to one which is imported.
#[derive(Debug, Clone, Copy, Default)]
pub struct Neighbours {
    /// That of the one before it.
    pub before: Option<i64>,
    /// That of the one behind it.
    pub behind: Option<i64>,
    /// Whether another one has its very number: then its sender counted anew, and nothing is known of their order.
    pub is_counted_twice: bool,
}

impl Neighbours {
    /// Where a message is listed that is imported to this position, below all that came here: there, but between its neighbours.
    #[must_use]
    pub fn place(self, position: i64) -> i64 {
        if self.is_counted_twice {
            return position;
        }
        let not_before = self.before.map_or(position, |before| before.max(position));
        self.behind.map_or(not_before, |behind| behind.min(not_before))
    }
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
