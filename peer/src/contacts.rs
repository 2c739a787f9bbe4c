//! Contacts: whom the user wrote to, and where they were last. Owns the table `contacts`.

use protocol::{Address, Name};
use rusqlite::{Connection, OptionalExtension as _};
use store::Store;

use crate::database::Fault;

/// The contacts of this peer.
#[derive(Clone)]
pub struct Contacts {
    store: Store,
}

impl Contacts {
    /// The contacts in this database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Remembers where a name is.
    pub async fn seen_at(&self, name: &Name, address: &Address) -> Result<(), Fault> {
        let (name, address) = (name.clone(), address.clone());
        Ok(self.store.write(move |connection| remember(connection, &name, Some(&address))).await?)
    }

    /// Whether the user ever wrote to this name.
    pub fn knows(&self, name: &Name) -> Result<bool, Fault> {
        Ok(self.store.read(|connection| {
            connection.prepare_cached("SELECT 1 FROM contacts WHERE name = ?1")?.exists([name.as_str()])
        })?)
    }

    /// Where this name was last, if it was ever seen.
    pub fn last_address(&self, name: &Name) -> Result<Option<Address>, Fault> {
        let address: Option<Option<String>> = self.store.read(|connection| {
            connection
                .prepare_cached("SELECT address FROM contacts WHERE name = ?1")?
                .query_row([name.as_str()], |row| row.get(0))
                .optional()
        })?;
        Ok(address.flatten().and_then(|address| address.parse().ok()))
    }
}

/// Remembers a name, and its address where one is known, in the transaction that needs it.
pub fn remember(connection: &Connection, name: &Name, address: Option<&Address>) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO contacts (name, address) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET address = excluded.address
             WHERE excluded.address IS NOT NULL AND excluded.address IS NOT address",
        )?
        .execute((name.as_str(), address.map(ToString::to_string)))?;
    Ok(())
}
