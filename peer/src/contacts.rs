//! Contacts: whose name is whose, as far as this peer remembers it, whom the user knows, and whom the user blocks.
//!
//! A name's key is pinned: as *seen* by a first message that proved it, as a *contact*'s by the user. The one is dropped when
//! it was not used for long, the other changes by [`Contacts::trust`] only. Each table has a file of its own; here is what
//! takes several of them.

pub mod known;

pub mod mismatches;

pub mod pins;

use std::path::Path;

use jiff::Timestamp;
use protocol::{Address, Fingerprint, Name};
use rusqlite::Connection;
use store::Store;

use crate::database::{self, Fault};
use crate::identity::profile;
pub use known::Known;
pub use mismatches::Mismatch;
pub use pins::{Kind, Pin, Standing, standing};

/// The contacts of this peer, and all others whose keys it remembers.
#[derive(Clone)]
pub struct Contacts {
    store: Store,
}

/// A name that is pinned, known or blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The name.
    pub name: Name,
    /// Its key.
    pub pin: Option<Pin>,
    /// Where it last was.
    pub address: Option<Address>,
    /// Whether it may leave no messages.
    pub blocked: bool,
    /// The key that spoke under the name though it has another one.
    pub mismatch: Option<Mismatch>,
}

/// What came of adding a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// The name was no contact before.
    New,
    /// It was one already, with the same key.
    Same,
    /// It has another key: nothing was changed.
    OtherKey(Fingerprint),
}

/// What trusting a key came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trusted {
    /// The key that the name had before.
    pub before: Option<Fingerprint>,
}

/// What came of forgetting a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgotten {
    /// It is forgotten.
    Yes,
    /// It is blocked, which would be forgotten too: nothing was changed.
    Blocked,
    /// Nothing was remembered.
    Unknown,
}

impl Contacts {
    /// The contacts in this database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The key of this name, if it has one. Blocks.
    pub fn pin(&self, name: &Name) -> Result<Option<Pin>, Fault> {
        Ok(self.store.read(|connection| pins::current(connection, name))?)
    }

    /// Whether the user ever wrote to this name, or added it. Blocks.
    pub fn known(&self, name: &Name) -> Result<bool, Fault> {
        Ok(self.store.read(|connection| known::is_known(connection, name))?)
    }

    /// Where this name was last, if that is remembered. Blocks.
    pub fn last_address(&self, name: &Name) -> Result<Option<Known>, Fault> {
        Ok(self.store.read(|connection| known::last_address(connection, name))?)
    }

    /// The key that spoke under this name though it has another one. Blocks.
    pub fn mismatch(&self, name: &Name) -> Result<Option<Mismatch>, Fault> {
        Ok(self.store.read(|connection| mismatches::of(connection, name))?)
    }

    /// Remembers that a name was reached at this address, by whoever proved to have this key; `loopback`: it may be dialled
    /// there though it is this machine.
    pub async fn reached_at(
        &self,
        name: &Name,
        fingerprint: Fingerprint,
        address: &Address,
        loopback: bool,
    ) -> Result<(), Fault> {
        let here = Known { address: address.clone(), loopback };
        // Nearly always it is where it was.
        if self.last_address(name)?.as_ref() == Some(&here) && self.pin(name)?.is_none_or(|pin| pin.proved) {
            return Ok(());
        }
        let name = name.clone();
        let write = self.store.write(move |connection| {
            pins::prove(connection, &name, fingerprint)?;
            known::set(connection, &name, &here.address, here.loopback)
        });
        Ok(write.await?)
    }

    /// Makes a contact of a name that the user wrote to before it had a key, unless it has another one by now.
    pub async fn expect(&self, name: &Name, fingerprint: Fingerprint) -> Result<(), Fault> {
        let (name, now) = (name.clone(), crate::now());
        let write = self
            .store
            .write(move |connection| remember(connection, &name, Some(fingerprint), None, false, now));
        Ok(write.await?)
    }

    /// Makes a contact of a name, as the user was told that it is; never replaces a key.
    pub async fn add(
        &self,
        name: &Name,
        fingerprint: Fingerprint,
        address: &Address,
    ) -> Result<Added, Fault> {
        let (name, address, now) = (name.clone(), address.clone(), crate::now());
        let write = self.store.write(move |connection| {
            let before = pins::current(connection, &name)?;
            if let Some(other) = before.filter(|pin| pin.fingerprint != fingerprint) {
                return Ok(Added::OtherKey(other.fingerprint));
            }
            known::set(connection, &name, &address, true)?;
            pins::vouch(connection, &name, fingerprint, now)?;
            let was_contact = before.is_some_and(|pin| pin.kind != Kind::Seen);
            Ok::<_, rusqlite::Error>(if was_contact { Added::Same } else { Added::New })
        });
        Ok(write.await?)
    }

    /// Makes this the key of a contact, whatever key it had. What came from the old one stays what it was. Not for this
    /// peer's own name.
    pub async fn trust(&self, name: &Name, fingerprint: Fingerprint) -> Result<Trusted, Fault> {
        let (name, now) = (name.clone(), crate::now());
        let write = self.store.write(move |connection| {
            let before = pins::current(connection, &name)?.map(|pin| pin.fingerprint);
            if before.is_some_and(|before| before != fingerprint) {
                pins::retire(connection, &name)?;
            }
            known::fill_in(connection, &name, None, false)?;
            pins::vouch(connection, &name, fingerprint, now)?;
            mismatches::settle(connection, &name, fingerprint)?;
            Ok::<_, rusqlite::Error>(Trusted { before })
        });
        Ok(write.await?)
    }

    /// All that is remembered of a name. Blocks.
    pub fn contact(&self, name: &Name) -> Result<Contact, Fault> {
        Ok(self.store.read(|connection| {
            Ok(Contact {
                name: name.clone(),
                pin: pins::current(connection, name)?,
                address: known::last_address(connection, name)?.map(|last| last.address),
                blocked: pins::is_blocked(connection, name)?,
                mismatch: mismatches::of(connection, name)?,
            })
        })?)
    }

    /// Takes no messages from a name any more, nor from any key that was ever proved under it. Not for this
    /// peer's own name.
    pub async fn block(&self, name: &Name) -> Result<(), Fault> {
        let name = name.clone();
        Ok(self.store.write(move |connection| pins::block(connection, &name)).await?)
    }

    /// Takes messages from a name again; whether it was blocked.
    pub async fn unblock(&self, name: &Name) -> Result<bool, Fault> {
        let name = name.clone();
        Ok(self.store.write(move |connection| pins::unblock(connection, &name)).await?)
    }

    /// Forgets a name's keys and where it was; its messages are kept. A blocked name is not forgotten. Not for this peer's
    /// own name.
    pub async fn forget(&self, name: &Name) -> Result<Forgotten, Fault> {
        let name = name.clone();
        let write = self.store.write(move |connection| {
            if pins::is_blocked(connection, &name)? {
                return Ok(Forgotten::Blocked);
            }
            let pinned = pins::forget(connection, &name)?;
            let known = known::forget(connection, &name)?;
            mismatches::drop(connection, &name)?;
            Ok::<_, rusqlite::Error>(if pinned || known { Forgotten::Yes } else { Forgotten::Unknown })
        });
        Ok(write.await?)
    }

    /// Pins this peer's own name to its key, so that nobody else can speak under it.
    pub async fn pin_own(&self, name: &Name, fingerprint: Fingerprint) -> Result<(), Fault> {
        let own = Some(Pin { fingerprint, kind: Kind::Own, proved: true });
        if self.pin(name)? == own {
            return Ok(());
        }
        let (name, now) = (name.clone(), crate::now());
        Ok(self.store.write(move |connection| pins::own(connection, &name, fingerprint, now)).await?)
    }

    /// Drops the pins that were only seen, and not used for long.
    pub async fn sweep(&self, now: Timestamp) -> Result<(), Fault> {
        Ok(self.store.write(move |connection| pins::sweep(connection, now)).await?)
    }

    /// Everybody who is pinned, known or blocked, by name; this peer itself is not among them. Blocks.
    pub fn list(&self) -> Result<Vec<Contact>, Fault> {
        Ok(self.store.read(list)?)
    }
}

/// Everybody who is known in a data directory, and its own peer's name. Nothing is made there or changed; where that cannot be
/// read so, it is nobody.
pub fn names_in(data_dir: &Path) -> (Vec<Name>, Option<Name>) {
    let Ok(Some(look)) = database::look(data_dir) else { return <_>::default() };
    let contacts = look.read(list).unwrap_or_default();
    let own = look.read(profile::read_by).ok().flatten();
    (contacts.into_iter().map(|contact| contact.name).collect(), own.map(|own| own.name))
}

/// Remembers whom the user writes to, in the transaction that writes the message down. With a key the name becomes a
/// contact, unless it has another key; an address is taken where none is known.
pub fn remember(
    connection: &Connection,
    name: &Name,
    expected: Option<Fingerprint>,
    address: Option<&Address>,
    loopback: bool,
    now: Timestamp,
) -> rusqlite::Result<()> {
    known::fill_in(connection, name, address, loopback)?;
    let Some(expected) = expected else { return Ok(()) };
    match pins::current(connection, name)? {
        Some(pin) if pin.fingerprint != expected || pin.kind != Kind::Seen => Ok(()),
        _ => pins::believe(connection, name, expected, now),
    }
}

/// What came of learning a key of a name from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// It is the name's now.
    New,
    /// It is or was the name's already, or the name is this peer's own.
    Known,
    /// The name has another key: nothing was changed.
    OtherKey(Fingerprint),
}

/// Learns from elsewhere that a name had this key, later than those which were learned of it before. A name that has none gets
/// it, as a contact if the user wrote to it; so does one whose key was learned just so (`replaces`). Any other name keeps its
/// key.
pub fn meet(
    connection: &Connection,
    name: &Name,
    key: Fingerprint,
    is_contact: bool,
    replaces: bool,
    now: Timestamp,
) -> rusqlite::Result<Met> {
    let pin = |connection| {
        if is_contact {
            pins::vouch(connection, name, key, now)
        } else {
            pins::see(connection, name, key, now)
        }
    };
    match pins::current(connection, name)? {
        Some(Pin { kind: Kind::Own, .. }) => Ok(Met::Known),
        Some(before) if before.fingerprint == key => {
            if is_contact && before.kind == Kind::Seen {
                pin(connection)?;
            }
            Ok(Met::Known)
        }
        Some(_) if replaces => {
            pins::retire(connection, name)?;
            pin(connection)?;
            Ok(Met::New)
        }
        Some(_) if pins::is_or_was(connection, name, key)? => Ok(Met::Known),
        Some(other) => Ok(Met::OtherKey(other.fingerprint)),
        None => {
            pin(connection)?;
            Ok(Met::New)
        }
    }
}

fn list(connection: &Connection) -> rusqlite::Result<Vec<Contact>> {
    let mut pins = pins::all(connection)?;
    let mut known = known::all(connection)?;
    let blocked = pins::all_blocked(connection)?;
    let mut mismatches = mismatches::all(connection)?;
    let own: Vec<_> = pins.extract_if(.., |_, pin| pin.kind == Kind::Own).map(|(name, _)| name).collect();
    let mut names: Vec<Name> = pins.keys().chain(known.keys()).chain(&blocked).cloned().collect();
    names.sort();
    names.dedup();
    names.retain(|name| !own.contains(name));
    let contact = |name: Name| Contact {
        pin: pins.remove(&name),
        address: known.remove(&name).flatten(),
        blocked: blocked.contains(&name),
        mismatch: mismatches.remove(&name),
        name,
    };
    Ok(names.into_iter().map(contact).collect())
}

#[cfg(test)]
mod tests;
