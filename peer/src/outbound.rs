//! Outbound: the way of a message that the user sends. It is written into the outbox; the courier asks the directory
//! where the recipient is, and the transport hands it over. A running peer does so through its dispatcher; without
//! one, the command that sends delivers itself.

pub mod outbox;

pub mod errand;

pub mod lock;

pub mod dispatcher;

pub mod lane;

pub mod lookout;

pub mod ears;

pub mod courier;

pub mod limits;

pub mod batch;

pub mod repair;

pub mod route;

pub mod follower;

pub mod transport;

pub mod handover;

pub mod retry;

pub mod presence;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use protocol::address::Scheme;
use protocol::directory::PeerRecord;
use protocol::{Address, Fingerprint, Name};
use store::Store;

use crate::contacts::{Kind, Known, pins};
use crate::database::Fault;
use crate::directory::{DirectoryError, Heard};
use crate::{contacts, identity};
use courier::Courier;
use errand::{Patience, SeeThroughError};
use lock::Role;
use outbox::retried::{self, Retried, Which};
use outbox::{Draft, EXPIRED_AT_ONCE, Queued, Standing, Terms};
use route::Route;

/// Sends for the user.
#[derive(Clone)]
pub struct Outbound {
    name: Name,
    data_dir: PathBuf,
    courier: Courier,
    store: Store,
}

/// Why nothing was written down.
#[derive(Debug, thiserror::Error)]
pub enum Unsendable {
    /// Nobody has these names.
    #[error("nobody has the name {}", .0.iter().map(Name::as_str).collect::<Vec<_>>().join(" or "))]
    Unknown(Vec<Name>),
    /// Nobody was ever written to under this name, and there is no directory to ask.
    #[error("{0} was never written to from here, and no directory is configured")]
    NeverMet(Name),
    /// It cannot be checked who has the name: no key of it is known, or it is listed without TLS, there.
    #[error("it cannot be checked who {name} is: {}", unchecked(.at.as_ref()))]
    Unchecked {
        /// The name.
        name: Name,
        /// Where the directory lists it.
        at: Option<Address>,
    },
    /// Another process has just given this peer another name.
    #[error("this peer has just been given another name")]
    Renamed,
    /// Only the directory could have told.
    #[error(transparent)]
    DirectoryNeeded(DirectoryError),
    /// The peer's own database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

fn unchecked(at: Option<&Address>) -> String {
    match at {
        Some(address) if address.scheme() == Scheme::Http => {
            format!("the directory lists it at {address}, without TLS")
        }
        _ => "the directory knows no key of it, and neither does this peer".to_owned(),
    }
}

impl Outbound {
    /// The way out of the peer with this name, whose lock is in `data_dir` and whose database is `store`.
    #[must_use]
    pub fn new(name: Name, data_dir: PathBuf, courier: Courier, store: Store) -> Self {
        Self { name, data_dir, courier, store }
    }

    /// Where each of these recipients is, as far as that is known; an error if one of them is nobody. `insecure`: nor
    /// need it be possible to check who is there.
    pub async fn resolve(
        &self,
        recipients: &[Name],
        insecure: bool,
    ) -> Result<BTreeMap<Name, Route>, Unsendable> {
        let mut routes = BTreeMap::new();
        let mut unknown = Vec::new();
        let resolved = recipients.iter().map(|name| self.resolve_one(name, insecure));
        for (name, found) in recipients.iter().zip(join_all(resolved).await) {
            match found {
                Ok(route) => drop(routes.insert(name.clone(), route)),
                Err(Unsendable::Unknown(names)) => unknown.extend(names),
                Err(error) => return Err(error),
            }
        }
        if unknown.is_empty() { Ok(routes) } else { Err(Unsendable::Unknown(unknown)) }
    }

    async fn resolve_one(&self, name: &Name, insecure: bool) -> Result<Route, Unsendable> {
        let contacts = &self.courier.contacts;
        let is_contact = contacts.pin(name)?.is_some_and(|pin| pin.kind != Kind::Seen);
        // Nothing that the directory says would change what is written down: it is asked where the message leaves.
        let may_be_found = |last: Known| last.address.scheme() == Scheme::Https;
        if is_contact && contacts.last_address(name)?.is_some_and(may_be_found) {
            return Ok(Route::Unknown);
        }
        // Who is written to unchecked has no pin.
        let needs_no_directory = is_contact || (insecure && contacts.known(name)?);
        let route = match &self.courier.directory {
            None if needs_no_directory => Route::Unheard(reason!("no directory is configured")),
            None => return Err(Unsendable::NeverMet(name.clone())),
            Some(directory) => match directory.lookup(name).await {
                Ok(Heard { said: Some(claim), here }) => Route::of_claim(claim, here),
                Ok(_) if needs_no_directory => Route::nobody_has(name),
                Ok(_) => return Err(Unsendable::Unknown(vec![name.clone()])),
                Err(error) if needs_no_directory => Route::Unheard(error.to_string()),
                Err(error) => return Err(Unsendable::DirectoryNeeded(error)),
            },
        };
        if insecure || self.can_be_checked(name, &route)? {
            return Ok(route);
        }
        Err(Unsendable::Unchecked {
            name: name.clone(),
            at: route.listing().map(|listing| listing.address.clone()),
        })
    }

    /// Where those are whom the directory lists; besides, who of them is left out, since it cannot be checked who they
    /// are.
    pub fn routes_to(
        &self,
        listed: Heard<Vec<PeerRecord>>,
        insecure: bool,
    ) -> Result<(BTreeMap<Name, Route>, Vec<Name>), Unsendable> {
        let Heard { said: listed, here } = listed;
        let (mut routes, mut left_out) = (BTreeMap::new(), Vec::new());
        for record in listed {
            let name = record.name.clone();
            let route = Route::of_record(record, here);
            if insecure || self.can_be_checked(&name, &route)? {
                routes.insert(name, route);
            } else {
                left_out.push(name);
            }
        }
        Ok((routes, left_out))
    }

    /// Whether a key is known that this recipient has to have, and it is not listed at nothing but an address without TLS.
    fn can_be_checked(&self, name: &Name, route: &Route) -> Result<bool, Fault> {
        let contacts = &self.courier.contacts;
        let key = contacts.pin(name)?.map(|pin| pin.fingerprint).or(route.claimed_key());
        if key.is_none() || route.listing().is_none() {
            return Ok(key.is_some());
        }
        Ok(!route.destinations(contacts.last_address(name)?.as_ref(), key, false).is_empty())
    }

    /// The key that this recipient has to have, if it is known.
    pub fn pinned_key(&self, name: &Name) -> Result<Option<Fingerprint>, Fault> {
        Ok(self.courier.contacts.pin(name)?.map(|pin| pin.fingerprint))
    }

    /// Writes all these messages down, or none: from here on nothing loses them. The first ones settle who this peer is,
    /// and whom the user writes to is a contact.
    pub async fn post(
        &self,
        drafts: Vec<Draft>,
        routes: &BTreeMap<Name, Route>,
        terms: Terms,
    ) -> Result<Vec<Queued>, Unsendable> {
        let (from, routes, now) = (self.name.clone(), routes.clone(), crate::now());
        let write = self.store.write(move |connection| {
            if !identity::profile::settle_name(connection, &from)? {
                return Ok(None);
            }
            let write_down = |draft: &Draft| {
                let route = routes.get(&draft.to).unwrap_or(&Route::Unknown);
                let pin = pins::current(connection, &draft.to)?;
                let key = pin.map(|pin| pin.fingerprint).or(route.claimed_key());
                let (address, here) =
                    route.listing().map_or((None, false), |listed| (Some(&listed.address), listed.here));
                contacts::remember(connection, &draft.to, key, address, here, now)?;
                outbox::enqueue(connection, &from, draft, now, terms)
            };
            drafts.iter().map(write_down).collect::<Result<_, _>>().map(Some)
        });
        write.await.map_err(Fault::from)?.ok_or(Unsendable::Renamed)
    }

    /// Queues messages again that were refused or have expired, be it just now, each for as long as a new one.
    pub async fn retry(&self, which: Which, lifetime: Duration) -> Result<Retried, Fault> {
        let now = crate::now();
        while self.courier.outbox.expire(now).await? == EXPIRED_AT_ONCE {}
        let from = self.name.clone();
        let write =
            self.store.write(move |connection| retried::retry(connection, &from, &which, now, lifetime));
        Ok(write.await?)
    }

    /// Sees messages through: by whoever delivers for this data directory, or by itself if nobody does. `routes` is
    /// where their recipients were found just before.
    pub async fn see_through(
        &self,
        queued: &[Queued],
        routes: BTreeMap<Name, Route>,
        patience: Patience,
    ) -> Result<Vec<Standing>, SeeThroughError> {
        let mut standings = errand::Errand::new(self, queued, patience).run(routes).await?;
        for (message, standing) in queued.iter().zip(&mut standings) {
            self.judge_by_now(&message.to, standing)?;
        }
        Ok(standings)
    }

    /// A key that was another one at the last try may be the one that the user trusts by now.
    fn judge_by_now(&self, to: &Name, standing: &mut Standing) -> Result<(), Fault> {
        if standing.other_key.is_some() && standing.other_key == self.pinned_key(to)? {
            standing.other_key = None;
        }
        Ok(())
    }

    /// Whether a running peer will go on delivering for this data directory.
    pub fn daemon_runs(&self) -> io::Result<bool> {
        Ok(lock::holder(&self.data_dir)?.is_some_and(|holder| holder.role == Role::Daemon))
    }
}

#[cfg(test)]
mod tests;
