//! The courier: takes the oldest message that waits for a recipient, finds out where the recipient is, hands the
//! message over and settles the case. One step is one message; whoever repeats the step decides when.

use jiff::Timestamp;
use protocol::{Address, Name};

use super::outbox::{Outbox, Pending};
use super::transport::{Handover, Transport};
use crate::contacts::Contacts;
use crate::database::Fault;
use crate::directory::{Directory, DirectoryError};

/// What one step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing waits for this recipient.
    Nothing,
    /// One message is settled: delivered, refused or expired. There may be more.
    Settled,
    /// The recipient was not reached this time.
    Failed {
        /// After how long the recipient asked to be tried again.
        retry_after: Option<std::time::Duration>,
    },
}

/// Where a recipient is, as far as this delivery knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Route {
    /// Not looked up yet, or not any more.
    #[default]
    Unknown,
    /// The directory lists it there, since then.
    Listed(Address, Timestamp),
    /// The directory is away; the recipient was last there.
    Remembered(Address),
}

impl Route {
    /// Where the directory lists the recipient.
    #[must_use]
    pub fn listed(&self) -> Option<&Address> {
        match self {
            Self::Listed(address, _) => Some(address),
            Self::Unknown | Self::Remembered(_) => None,
        }
    }

    fn address(&self) -> Option<&Address> {
        match self {
            Self::Unknown => None,
            Self::Listed(address, _) | Self::Remembered(address) => Some(address),
        }
    }
}

/// Delivers what waits.
#[derive(Clone)]
pub struct Courier {
    /// What waits.
    pub outbox: Outbox,
    /// Where recipients were last.
    pub contacts: Contacts,
    /// Where recipients are; none is configured with `--server none`.
    pub directory: Option<Directory>,
    /// How messages are handed over.
    pub transport: Transport,
}

impl Courier {
    /// Hands over the oldest message for `recipient`. `route` is kept from step to step, so that a queue is
    /// delivered with one look-up; after a failure it says what was tried.
    pub async fn step(&self, recipient: &Name, route: &mut Route) -> Result<Step, Fault> {
        let Some(pending) = self.outbox.oldest(recipient)? else {
            return Ok(Step::Nothing);
        };
        let now = crate::now();
        if pending.expires_at <= now {
            self.outbox.expire(now).await?;
            return Ok(Step::Settled);
        }
        let looked_up_before = *route != Route::Unknown;
        let mut handover = self.attempt(recipient, &pending, route).await?;
        if looked_up_before && matches!(handover, Handover::Misdirected { .. } | Handover::Unreachable { .. })
        {
            let tried = std::mem::take(route);
            if let Ok(found) = self.find(recipient).await? {
                *route = found;
            }
            if !matches!(*route, Route::Unknown) && *route != tried {
                handover = self.attempt(recipient, &pending, route).await?;
            }
        }
        self.settle(recipient, &pending, handover).await
    }

    async fn attempt(
        &self,
        recipient: &Name,
        pending: &Pending,
        route: &mut Route,
    ) -> Result<Handover, Fault> {
        if *route == Route::Unknown {
            match self.find(recipient).await? {
                Ok(found) => *route = found,
                Err(reason) => return Ok(Handover::Unreachable { reason, retry_after: None }),
            }
        }
        match route.address() {
            Some(address) => Ok(self.transport.hand_over(address, &pending.message).await),
            None => Ok(Handover::Unreachable {
                reason: format!("{recipient} has no known address"),
                retry_after: None,
            }),
        }
    }

    /// Where the recipient is, or why that is not known. The directory's word counts; without it, the last one does.
    async fn find(&self, recipient: &Name) -> Result<Result<Route, String>, Fault> {
        let answer = match &self.directory {
            Some(directory) => directory.lookup(recipient).await,
            None => Ok(None),
        };
        match answer {
            Ok(Some(claim)) => match (claim.address, claim.online_since) {
                (Some(address), Some(since)) => {
                    self.contacts.reached_at(recipient, &address, false).await?;
                    Ok(Ok(Route::Listed(address, since)))
                }
                _ => Ok(Err(format!("{recipient} is offline"))),
            },
            Ok(None) if self.directory.is_some() => {
                Ok(Err(format!("nobody has the name {recipient} at the moment")))
            }
            Ok(None) => self.remembered(recipient, "no directory is configured".to_owned()),
            Err(error @ DirectoryError::Away { .. }) => self.remembered(recipient, error.to_string()),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    fn remembered(&self, recipient: &Name, otherwise: String) -> Result<Result<Route, String>, Fault> {
        Ok(self
            .contacts
            .last_address(recipient)?
            .map(|known| Route::Remembered(known.address))
            .ok_or(otherwise))
    }

    async fn settle(&self, recipient: &Name, pending: &Pending, handover: Handover) -> Result<Step, Fault> {
        let position = pending.position;
        tracing::debug!(%recipient, position, outcome = ?handover, "tried to hand over");
        match handover {
            Handover::Accepted { received_at } => {
                self.outbox.delivered(position, received_at).await?;
                Ok(Step::Settled)
            }
            Handover::Refused { reason } => {
                self.outbox.refused(position, reason).await?;
                Ok(Step::Settled)
            }
            Handover::Misdirected { reason } => {
                self.outbox.postponed(recipient, position, reason).await?;
                Ok(Step::Failed { retry_after: None })
            }
            Handover::Unreachable { reason, retry_after } => {
                self.outbox.postponed(recipient, position, reason).await?;
                Ok(Step::Failed { retry_after })
            }
        }
    }
}
