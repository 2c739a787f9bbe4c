//! Outbound: the way of a message that the user sends. It is written into the outbox; the courier asks the directory
//! where the recipient is, and the transport hands it over. A running peer does so through its dispatcher; without
//! one, the command that sends delivers itself.

pub mod outbox;

pub mod errand;

pub mod lock;

pub mod dispatcher;

pub mod courier;

pub mod directory;

pub mod transport;

pub mod client;

pub mod retry;

pub mod presence;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use protocol::Name;
use store::Store;

use crate::database::Fault;
use courier::{Courier, Route};
use directory::DirectoryError;
use errand::{Patience, SeeThroughError};
use lock::{Attempt, Role};
use outbox::{Draft, Queued, Standing};

/// Sends for the user.
#[derive(Clone)]
pub struct Outbound {
    /// Who sends.
    pub name: Name,
    /// Where the lock of the one who delivers is.
    pub data_dir: PathBuf,
    /// What is delivered, and how.
    pub courier: Courier,
    /// Where it is seen that somebody else has delivered.
    pub store: Store,
}

/// Why nothing was written down.
#[derive(Debug, thiserror::Error)]
pub enum Unsendable {
    /// Nobody has these names.
    #[error("nobody has the name {}", .0.iter().map(Name::as_str).collect::<Vec<_>>().join(" or "))]
    Unknown(Vec<Name>),
    /// Only the directory could have told.
    #[error(transparent)]
    DirectoryNeeded(DirectoryError),
    /// The peer's own database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Outbound {
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
        let known = self.courier.contacts.knows(name)?;
        let route = match answer {
            Ok(Some(claim)) => match (claim.address, claim.online_since) {
                (Some(address), Some(since)) => Route::Listed(address, since),
                _ => Route::Unknown,
            },
            Ok(None) | Err(DirectoryError::Away(..)) if known => Route::Unknown,
            Ok(None) => return Err(Unsendable::Unknown(vec![name.clone()])),
            Err(error) => return Err(Unsendable::DirectoryNeeded(error)),
        };
        Ok((name.clone(), route))
    }

    /// Writes the messages down: from here on nothing loses them.
    pub async fn post(
        &self,
        drafts: Vec<Draft>,
        routes: &BTreeMap<Name, Route>,
        lifetime: Duration,
    ) -> Result<Vec<Queued>, Fault> {
        let remember = try_join_all(drafts.iter().map(|draft| {
            let address = match routes.get(&draft.to) {
                Some(Route::Listed(address, _)) => Some(address),
                _ => None,
            };
            self.courier.contacts.remember(&draft.to, address)
        }));
        let enqueue = self.courier.outbox.enqueue(&self.name, drafts.clone(), crate::now(), lifetime);
        let (queued, _) = tokio::try_join!(enqueue, remember)?;
        Ok(queued)
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
        Ok(
            matches!(lock::try_lock(&self.data_dir, Role::Command)?, Attempt::Taken(Some(holder)) if holder.role == Role::Daemon),
        )
    }
}
