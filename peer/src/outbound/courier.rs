//! The courier: takes the oldest message that waits for a recipient, finds out where the recipient is, hands the
//! message over and settles the case. One step is one message; whoever repeats the step decides when.

use std::time::Duration;

use protocol::{Fingerprint, Name};
use tokio::time::timeout;

use super::outbox::{Outbox, Pending};
use super::route::Route;
use super::transport::{Handover, Transport};
use crate::client::{Destination, Expected};
use crate::contacts::Contacts;
use crate::database::Fault;
use crate::directory::{Directory, Heard};

/// How long the directory is waited for where a recipient may be found without it.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);

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
        retry_after: Option<Duration>,
    },
}

/// Delivers what waits.
#[derive(Clone)]
pub struct Courier {
    /// What waits.
    pub outbox: Outbox,
    /// Which keys recipients have, and where they were last.
    pub contacts: Contacts,
    /// Where recipients are; none is configured with `--server none`.
    pub directory: Option<Directory>,
    /// How messages are handed over.
    pub transport: Transport,
}

/// What was tried for one message.
#[derive(Default)]
struct Tried {
    destinations: Vec<Destination>,
    /// What the most trusted place came to.
    outcome: Option<Handover>,
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
        let mut tried = Tried::default();
        let mut taken = self.attempt(recipient, &pending, route, &mut tried).await?;
        if taken.is_none() && looked_up_before {
            *route = Route::Unknown;
            taken = self.attempt(recipient, &pending, route, &mut tried).await?;
        }
        let (handover, by) =
            taken.unwrap_or_else(|| (in_vain(recipient, route, tried.outcome), Expected::Anyone));
        self.settle(recipient, &pending, handover, by).await
    }

    /// Tries wherever the recipient may be and was not tried yet, until the message is taken or refused there; by whom.
    async fn attempt(
        &self,
        recipient: &Name,
        pending: &Pending,
        route: &mut Route,
        tried: &mut Tried,
    ) -> Result<Option<(Handover, Expected)>, Fault> {
        let known = self.contacts.last_address(recipient)?;
        if *route == Route::Unknown {
            *route = self.find(recipient, known.is_some()).await;
        }
        let key = self.key_of(recipient, route).await?;
        let mut first = None;
        for destination in route.destinations(known.as_ref(), key, pending.insecure) {
            if tried.destinations.contains(&destination) {
                continue;
            }
            let handover = self.transport.hand_over(&destination, &pending.message).await;
            tracing::debug!(%recipient, ?destination, outcome = ?handover, "tried to hand over");
            if matches!(handover, Handover::Accepted { .. } | Handover::Refused { .. }) {
                self.reached(recipient, &destination).await?;
                return Ok(Some((handover, destination.expected)));
            }
            tried.destinations.push(destination);
            first = first.or(Some(handover));
        }
        tried.outcome = first.or(tried.outcome.take());
        Ok(None)
    }

    /// The key that the recipient has to have: the pinned one. A message may be older than the recipient's key; then its
    /// claim's key is pinned before it leaves, since the user wrote to that name.
    async fn key_of(&self, recipient: &Name, route: &Route) -> Result<Option<Fingerprint>, Fault> {
        if let Some(pin) = self.contacts.pin(recipient)? {
            return Ok(Some(pin.fingerprint));
        }
        let Some(claimed) = route.claimed_key() else { return Ok(None) };
        self.contacts.expect(recipient, claimed).await?;
        Ok(self.contacts.pin(recipient)?.map(|pin| pin.fingerprint))
    }

    /// What the directory says of the recipient. Where another place is `remembered` it is not waited for long: a key is
    /// checked there all the same.
    async fn find(&self, recipient: &Name, remembered: bool) -> Route {
        let Some(directory) = &self.directory else {
            return Route::Unheard("no directory is configured".to_owned());
        };
        let lookup = directory.lookup(recipient);
        let answer = if remembered { timeout(SHORT_PATIENCE, lookup).await } else { Ok(lookup.await) };
        match answer {
            Ok(Ok(Heard { said: Some(claim), here })) => Route::of_claim(claim, here),
            Ok(Ok(Heard { said: None, .. })) => Route::nobody_has(recipient),
            Ok(Err(error)) => Route::Unheard(error.to_string()),
            Err(_) => Route::Unheard(format!("the directory {} did not answer in time", directory.url())),
        }
    }

    /// Remembers where the recipient was reached, if a handshake has proved that it was.
    async fn reached(&self, recipient: &Name, destination: &Destination) -> Result<(), Fault> {
        let Destination { address, expected, loopback } = destination;
        match expected {
            Expected::Key(key) => self.contacts.reached_at(recipient, *key, address, *loopback).await,
            Expected::Anyone => Ok(()),
        }
    }

    async fn settle(
        &self,
        recipient: &Name,
        pending: &Pending,
        handover: Handover,
        by: Expected,
    ) -> Result<Step, Fault> {
        let position = pending.position;
        match handover {
            Handover::Accepted { received_at } => {
                let key = match by {
                    Expected::Key(key) => Some(key),
                    Expected::Anyone => None,
                };
                self.outbox.delivered(position, received_at, key).await?;
                Ok(Step::Settled)
            }
            Handover::Refused { reason } => {
                self.outbox.refused(position, reason).await?;
                Ok(Step::Settled)
            }
            Handover::Misdirected { reason } => {
                self.outbox.postponed(recipient, position, reason, None).await?;
                Ok(Step::Failed { retry_after: None })
            }
            Handover::OtherKey { reason, presented } => {
                self.outbox.postponed(recipient, position, reason, Some(presented)).await?;
                Ok(Step::Failed { retry_after: None })
            }
            Handover::Unreachable { reason, retry_after } => {
                self.outbox.postponed(recipient, position, reason, None).await?;
                Ok(Step::Failed { retry_after })
            }
        }
    }
}

/// What to say when nobody took the message.
fn in_vain(recipient: &Name, route: &Route, outcome: Option<Handover>) -> Handover {
    let retry_after = match &outcome {
        Some(Handover::Unreachable { retry_after, .. }) => *retry_after,
        _ => None,
    };
    let unreachable = |reason| Handover::Unreachable { reason, retry_after };
    match (route, outcome) {
        (_, Some(outcome @ Handover::OtherKey { .. })) => outcome,
        // That nobody answers where it was last is no news then.
        (Route::Offline(_), _) => unreachable(format!("{recipient} is offline")),
        (_, Some(outcome)) => outcome,
        (Route::Unheard(why), None) => unreachable(why.clone()),
        (Route::Listed(listing), None) => unreachable(format!(
            "{recipient} is listed at {} and cannot be checked there: `peer send --insecure` does without",
            listing.address
        )),
        (Route::Unknown, None) => unreachable(format!("{recipient} has no known address")),
    }
}
