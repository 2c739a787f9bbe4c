//! Presence: keeps this peer listed in its directory for as long as it runs, and takes it off when it stops.

use std::time::Duration;

use protocol::directory::{Registered, Registration};
use protocol::{Address, Name, Slug};
use store::Store;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::directory::{Directory, DirectoryError};
use super::retry;
use crate::identity::{self, Tokens};

/// How long to wait before a name that somebody else has is asked for again.
const TAKEN: Duration = Duration::from_mins(5);
/// How long to wait before a directory that is away is tried again: at most this, at first less.
const AWAY: Duration = Duration::from_secs(10);
/// What deregistering may take when the peer stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the first registration came to.
#[derive(Debug)]
pub enum First {
    /// The directory lists this peer.
    Listed,
    /// The directory is away; it is tried again.
    Away,
    /// The directory refused.
    Refused(DirectoryError),
}

/// This peer in its directory.
pub struct Presence {
    /// Where it is to be listed.
    pub directory: Directory,
    /// The secrets of this peer's claims, where it is remembered that the directory has accepted this one.
    pub tokens: Tokens,
    /// The secret of this claim.
    pub token: String,
    /// The name that is claimed.
    pub name: Name,
    /// Where others are to dial; an unspecified host means "where you see me".
    pub address: Address,
    /// Where it is remembered that, and where, the directory lists this peer.
    pub store: Store,
}

impl Presence {
    /// Registers and renews until `stop` says so, then deregisters. What the first try came to goes to `first`.
    pub async fn keep(mut self, first: oneshot::Sender<First>, stop: CancellationToken) {
        let mut first = Some(first);
        let mut failures = 0;
        let mut fresh = true;
        while !stop.is_cancelled() {
            let answer = self.register(fresh).await;
            let pause = match &answer {
                Ok(registered) => {
                    if failures > 0 {
                        tracing::info!(directory = %self.directory.url(), "listed in the directory again");
                    }
                    (fresh, failures) = (false, 0);
                    // A third of the lease, give or take a tenth, so that peers that started together spread.
                    Duration::from_secs(registered.ttl_seconds)
                        .div_f64(3.0)
                        .mul_f64(0.9 + 0.2 * retry::random())
                }
                Err(error) => {
                    failures += 1;
                    self.pause_after(error, failures)
                }
            };
            if let Some(first) = first.take() {
                // Whoever asked may have stopped waiting: the peer serves on without its directory.
                let _ = first.send(match answer {
                    Ok(_) => First::Listed,
                    Err(DirectoryError::Away(..)) => First::Away,
                    Err(error) => First::Refused(error),
                });
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
        match tokio::time::timeout(FAREWELL, self.directory.deregister(&self.token)).await {
            Ok(Ok(())) => tracing::info!("taken off the directory's list"),
            Ok(Err(error)) => tracing::info!(%error, "still listed until the lease ends"),
            Err(_) => tracing::info!("still listed until the lease ends: the directory did not answer"),
        }
    }

    async fn register(&mut self, fresh: bool) -> Result<Registered, DirectoryError> {
        let registration =
            Registration { name: self.name.clone(), address: self.address.clone(), fingerprint: None, fresh };
        let registered = self.directory.register(&registration, &self.token).await?;
        if fresh {
            if let Err(error) = self.tokens.mark_claimed(&self.directory.url().to_string()) {
                tracing::error!(%error, "it could not be remembered that the directory has accepted the name");
            }
            tracing::info!(address = %registered.record.address, directory = %self.directory.url(), "listed in the directory");
            if let Err(fault) = identity::listed_at(&self.store, &registered.record.address).await {
                tracing::error!(%fault, "the listed address could not be remembered");
            }
        }
        Ok(registered)
    }

    /// Says what is wrong, once for each row of failures, and how long to wait.
    fn pause_after(&self, error: &DirectoryError, failures: u32) -> Duration {
        match error {
            DirectoryError::Away(..) => {
                if failures == 1 {
                    tracing::warn!(%error, "not listed; serving on, and trying again");
                }
                retry::backoff(failures, retry::random()).min(AWAY)
            }
            DirectoryError::Refused { slug: Slug::NameTaken, .. } => {
                // At the first start it is an error, and said as one.
                if failures == 1 && self.tokens.claimed_at(&self.directory.url().to_string()) {
                    tracing::warn!(name = %self.name, "somebody else has this name in the directory: not listed; serving on, and trying again every 5 minutes");
                }
                TAKEN
            }
            DirectoryError::Refused { .. } => {
                if failures == 1 {
                    tracing::warn!(%error, address = %self.address, "not listed; serving on, and trying again every 5 minutes");
                }
                TAKEN
            }
        }
    }
}
