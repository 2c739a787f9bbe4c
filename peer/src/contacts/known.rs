//! Whom the user wrote to or added, and where they last were. Owns the table `known`.

use std::collections::BTreeMap;

use protocol::{Address, Name};
use rusqlite::{Connection, OptionalExtension as _};

/// Where somebody last was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The address.
    pub address: Address,
    /// Whether it may be dialled though it is this machine.
    pub loopback: bool,
}

/// Whether the user ever wrote to this name, or added it.
pub(super) fn is_known(connection: &Connection, name: &Name) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM known WHERE name = ?1")?.exists([name.as_str()])
}

/// Where this name was last.
pub(super) fn last_address(connection: &Connection, name: &Name) -> rusqlite::Result<Option<Known>> {
    let row: Option<(Option<String>, bool)> = connection
        .prepare_cached("SELECT address, loopback FROM known WHERE name = ?1")?
        .query_row([name.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(row.and_then(|(address, loopback)| Some(Known { address: address?.parse().ok()?, loopback })))
}

/// Knows the name, and its address if none was known.
pub fn fill_in(
    connection: &Connection,
    name: &Name,
    address: Option<&Address>,
    loopback: bool,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO known (name, address, loopback) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET address = excluded.address, loopback = excluded.loopback
             WHERE known.address IS NULL AND excluded.address IS NOT NULL",
        )?
        .execute((name.as_str(), address.map(ToString::to_string), loopback))?;
    Ok(())
}

/// Knows the name at this address.
pub(super) fn set(
    connection: &Connection,
    name: &Name,
    address: &Address,
    loopback: bool,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO known (name, address, loopback) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET address = excluded.address, loopback = excluded.loopback",
        )?
        .execute((name.as_str(), address.to_string(), loopback))?;
    Ok(())
}

/// Forgets the name; whether it was known.
pub(super) fn forget(connection: &Connection, name: &Name) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM known WHERE name = ?1", [name.as_str()])? > 0)
}

/// Everybody, with the address where one is known.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<BTreeMap<Name, Option<Address>>> {
    let mut select = connection.prepare("SELECT name, address FROM known")?;
    let rows: rusqlite::Result<Vec<(String, Option<String>)>> =
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect();
    let parsed = |(name, address): (String, Option<String>)| {
        Some((name.parse().ok()?, address.and_then(|address| address.parse().ok())))
    };
    Ok(rows?.into_iter().filter_map(parsed).collect())
}
