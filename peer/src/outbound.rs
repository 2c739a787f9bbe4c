//! Outbound: the way of a message that the user sends. It is written into the outbox; the courier asks the directory
//! where the recipient is, and the transport hands it over. A running peer does so through its dispatcher; without
//! one, the command that sends delivers itself.

pub mod outbox;

pub mod errand;

pub mod lock;

pub mod dispatcher;

pub mod lane;

pub mod lookout;

pub mod courier;

pub mod follower;

pub mod transport;

pub mod retry;

pub mod presence;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use protocol::Name;
use store::Store;

use crate::database::Fault;
use crate::directory::DirectoryError;
use crate::{contacts, identity};
use courier::{Courier, Route};
use errand::{Patience, SeeThroughError};
use lock::Role;
use outbox::{Draft, Queued, Standing};

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

impl Outbound {
    /// The way out of the peer with this name, whose lock is in `data_dir` and whose database is `store`.
    #[must_use]
    pub fn new(name: Name, data_dir: PathBuf, courier: Courier, store: Store) -> Self {
        Self { name, data_dir, courier, store }
    }

    /// Where each of these recipients is, as far as that is known; an error if one of them is nobody.
    pub async fn resolve(&self, recipients: &[Name]) -> Result<BTreeMap<Name, Route>, Unsendable> {
        let mut routes = BTreeMap::new();
        let mut unknown = Vec::new();
        for found in join_all(recipients.iter().map(|name| self.resolve_one(name))).await {
            match found {
                Ok((name, route)) => drop(routes.insert(name, route)),
                Err(Unsendable::Unknown(names)) => unknown.extend(names),
                Err(error) => return Err(error),
            }
        }
        if unknown.is_empty() { Ok(routes) } else { Err(Unsendable::Unknown(unknown)) }
    }

    async fn resolve_one(&self, name: &Name) -> Result<(Name, Route), Unsendable> {
        let answer = match &self.courier.directory {
            Some(directory) => directory.lookup(name).await,
            None => Ok(None),
        };
        let known = self.courier.contacts.known(name)?;
        let route = match answer {
            Ok(Some(claim)) => match (claim.address, claim.online_since) {
                (Some(address), Some(since)) => Route::Listed(address, since),
                _ => Route::Unknown,
            },
            Ok(None) | Err(DirectoryError::Away { .. }) if known => Route::Unknown,
            Ok(None) if self.courier.directory.is_none() => return Err(Unsendable::NeverMet(name.clone())),
            Ok(None) => return Err(Unsendable::Unknown(vec![name.clone()])),
            Err(error) => return Err(Unsendable::DirectoryNeeded(error)),
        };
        Ok((name.clone(), route))
    }

    /// Writes all these messages down, or none: from here on nothing loses them. The first ones settle who this peer is.
    pub async fn post(
        &self,
        drafts: Vec<Draft>,
        routes: &BTreeMap<Name, Route>,
        lifetime: Duration,
    ) -> Result<Vec<Queued>, Unsendable> {
        let (from, routes, now) = (self.name.clone(), routes.clone(), crate::now());
        let write = self.store.write(move |connection| {
            if !identity::settle_name(connection, &from)? {
                return Ok(None);
            }
            let write_down = |draft: &Draft| {
                let listed = routes.get(&draft.to).and_then(Route::listed);
                contacts::remember(connection, &draft.to, None, listed, false, now)?;
                outbox::enqueue(connection, &from, draft, now, lifetime)
            };
            drafts.iter().map(write_down).collect::<Result<_, _>>().map(Some)
        });
        write.await.map_err(Fault::from)?.ok_or(Unsendable::Renamed)
    }

    /// Sees messages through: by whoever delivers for this data directory, or by itself if nobody does. `routes` is
    /// where their recipients were found just before.
    pub async fn see_through(
        &self,
        queued: &[Queued],
        routes: BTreeMap<Name, Route>,
        patience: Patience,
    ) -> Result<Vec<Standing>, SeeThroughError> {
        errand::Errand::new(self, queued, patience).run(routes).await
    }

    /// Whether a running peer will go on delivering for this data directory.
    pub fn daemon_runs(&self) -> io::Result<bool> {
        Ok(lock::holder(&self.data_dir)?.is_some_and(|holder| holder.role == Role::Daemon))
    }
}
