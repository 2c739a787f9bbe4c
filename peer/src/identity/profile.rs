//! What this peer calls itself, and where others are to dial it. Owns the table `profile`.

use protocol::{Address, Name};
use rusqlite::{Connection, OptionalExtension as _};
use store::Store;

use crate::database::Fault;

/// What this peer says of itself.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name.
    pub name: Name,
    /// Where others were last to dial it.
    pub address: Option<Address>,
}

/// The profile in this database; none before the peer was given a name.
pub fn read(store: &Store) -> Result<Option<Profile>, Fault> {
    Ok(store.read(read_by)?)
}

/// The same over a connection of the caller's.
pub fn read_by(connection: &Connection) -> rusqlite::Result<Option<Profile>> {
    let row: Option<(String, Option<String>)> = connection
        .prepare_cached("SELECT name, address FROM profile")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(row.and_then(|(name, address)| {
        Some(Profile { name: name.parse().ok()?, address: address.and_then(|address| address.parse().ok()) })
    }))
}

/// Gives this peer its name, or another one.
pub async fn rename(store: &Store, name: &Name) -> Result<(), Fault> {
    let name = name.clone();
    let write = store.write(move |connection| {
        connection.execute(
            "INSERT INTO profile (one, name) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET name = excluded.name",
            [name.as_str()],
        )
    });
    write.await?;
    Ok(())
}

/// Gives this peer its name unless it has one, in the transaction that needs it; whether the name is this one now.
pub fn settle_name(connection: &Connection, name: &Name) -> rusqlite::Result<bool> {
    connection.execute(
        "INSERT INTO profile (one, name) VALUES (1, ?1) ON CONFLICT (one) DO NOTHING",
        [name.as_str()],
    )?;
    connection.query_row("SELECT name = ?1 FROM profile", [name.as_str()], |row| row.get(0))
}

/// Remembers where others are to dial this peer.
pub async fn dialled_at(store: &Store, address: &Address) -> Result<(), Fault> {
    let address = address.to_string();
    let write = store.write(move |connection| {
        connection.execute("UPDATE profile SET address = ?1 WHERE address IS NOT ?1", [address])
    });
    write.await?;
    Ok(())
}
