//! Outbound: the way of a message that the user sends. It is written into the outbox; the courier asks the directory
//! where the recipient is, and the transport hands it over. A running peer does so through its dispatcher; without
//! one, the command that sends delivers itself.

pub mod outbox;

pub mod lock;

pub mod dispatcher;

pub mod courier;

pub mod directory;

pub mod transport;

pub mod retry;

pub mod presence;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use protocol::Name;
use store::Store;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::conversations::State;
use crate::database::Fault;
use courier::{Courier, Route, Step};
use directory::DirectoryError;
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

/// How long a sender wants to see its message through.
#[derive(Debug, Clone, Copy)]
pub enum Patience {
    /// Until the first try has succeeded or failed, and at most a moment.
    FirstTry,
    /// Until the message is settled, and at most this long.
    Settled(Duration),
}

/// How long a first try that somebody else makes is watched.
const FIRST_TRY: Duration = Duration::from_secs(5);
/// How often the outbox is looked at while somebody else delivers: at first, and at last.
const GLANCE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));

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

    /// Sees messages through: by whoever delivers for this data directory, or by itself if nobody does.
    pub async fn see_through(
        &self,
        queued: &[Queued],
        routes: &BTreeMap<Name, Route>,
        patience: Patience,
    ) -> Result<Vec<Standing>, SeeThroughError> {
        let deadline = Instant::now()
            + match patience {
                Patience::FirstTry => FIRST_TRY,
                Patience::Settled(longest) => longest,
            };
        let mut watch = self.store.watch().map_err(Fault::from)?;
        let mut glance = GLANCE.0;
        loop {
            let standings = self.standings(queued)?;
            let open =
                queued.iter().zip(&standings).any(|(message, standing)| is_open(message, standing, patience));
            if !open || Instant::now() >= deadline {
                return Ok(standings);
            }
            match lock::try_lock(&self.data_dir, Role::Command)? {
                Attempt::Held(_lock) => self.deliver(queued, routes, patience, deadline).await?,
                Attempt::Taken(holder) => {
                    if let Some(holder) = holder {
                        holder.ring();
                    }
                    sleep_until(deadline.min(Instant::now() + glance)).await;
                    glance = if watch.changed().map_err(Fault::from)? {
                        GLANCE.0
                    } else {
                        (glance * 2).min(GLANCE.1)
                    };
                }
            }
        }
    }

    /// Whether a running peer will go on delivering for this data directory.
    pub fn daemon_runs(&self) -> io::Result<bool> {
        Ok(
            matches!(lock::try_lock(&self.data_dir, Role::Command)?, Attempt::Taken(Some(holder)) if holder.role == Role::Daemon),
        )
    }

    fn standings(&self, queued: &[Queued]) -> Result<Vec<Standing>, Fault> {
        queued.iter().map(|message| self.courier.outbox.standing(message.position)).collect()
    }

    /// Delivers the queues of these messages' recipients side by side, each in order.
    async fn deliver(
        &self,
        queued: &[Queued],
        routes: &BTreeMap<Name, Route>,
        patience: Patience,
        deadline: Instant,
    ) -> Result<(), Fault> {
        try_join_all(queued.iter().map(|message| {
            let route = routes.get(&message.to).cloned().unwrap_or_default();
            self.deliver_up_to(message, route, patience, deadline)
        }))
        .await?;
        Ok(())
    }

    /// Delivers one recipient's queue until this message is settled, or until patience ends.
    async fn deliver_up_to(
        &self,
        message: &Queued,
        mut route: Route,
        patience: Patience,
        deadline: Instant,
    ) -> Result<(), Fault> {
        let mut failures = 0;
        loop {
            let standing = self.courier.outbox.standing(message.position)?;
            if !is_open(message, &standing, patience) {
                return Ok(());
            }
            // A try is never cut short for the first answer: its own limits end it, and it may have arrived.
            let step = self.courier.step(&message.to, &mut route);
            let step = match patience {
                Patience::FirstTry => step.await?,
                Patience::Settled(_) => match timeout_at(deadline, step).await {
                    Ok(step) => step?,
                    Err(_) => return Ok(()),
                },
            };
            if let Step::Failed { retry_after } = step {
                route = Route::Unknown;
                failures += 1;
                let pause = retry::backoff_of(failures, retry_after);
                if matches!(patience, Patience::Settled(_)) {
                    sleep(pause.min(deadline.saturating_duration_since(Instant::now()))).await;
                }
            }
            if matches!(patience, Patience::Settled(_)) && Instant::now() >= deadline {
                return Ok(());
            }
        }
    }
}

/// Seeing a message through failed on this side. The message is written down all the same.
#[derive(Debug, thiserror::Error)]
pub enum SeeThroughError {
    /// The peer's own database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The lock of the one who delivers could not be tried.
    #[error("the lock in the data directory cannot be used: {0}")]
    Lock(#[from] io::Error),
}

fn is_open(message: &Queued, standing: &Standing, patience: Patience) -> bool {
    standing.state == State::Queued
        && match patience {
            Patience::FirstTry => standing.failures == message.failures_before,
            Patience::Settled(_) => true,
        }
}
