//! The courier: takes the oldest messages that wait for a recipient, finds out where the recipient is, hands them over
//! and settles their case. One step is one batch; whoever repeats the step decides when.

use std::time::Duration;

use protocol::message::Receipt;
use protocol::{Fingerprint, Name};
use tokio::time::{Instant, timeout};

use super::batch::Batch;
use super::handover::{Fate, Handover};
use super::limits::{Limit, Limits};
use super::outbox::{Next, Outbox, Settlement};
use super::route::Route;
use super::transport::Transport;
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
    /// All messages of the step are settled: delivered, refused or expired. There may be more.
    Settled {
        /// The last word of the recipient on what it has, if it is known who said so.
        said: Option<Said>,
    },
    /// The recipient was not reached this time, or did not take all.
    Failed {
        /// After how long the recipient asked to be tried again.
        retry_after: Option<Duration>,
        /// Whether something was settled all the same.
        moved: bool,
    },
}

/// What a recipient says it has of what was ever sent to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The key by which it is known.
    pub key: Fingerprint,
    /// The last receipt of a batch: it knows of those before it.
    pub receipt: Receipt,
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
    /// How many at once.
    pub limits: Limits,
}

/// What was tried for one batch.
#[derive(Default)]
struct Tried {
    destinations: Vec<Destination>,
    /// What the most trusted place came to.
    outcome: Option<Handover>,
}

/// What came of handing a batch over, and who had to be there.
type Outcome = (Handover, Option<Fingerprint>);

impl Courier {
    /// Hands over the oldest messages for `recipient`, as many as go together. `route` is kept from step to step, so that
    /// a queue is delivered with one look-up; after a failure it says what was tried.
    pub async fn step(&self, recipient: &Name, route: &mut Route) -> Result<Step, Fault> {
        loop {
            let now = crate::now();
            let portion = self.limits.portion(recipient, Instant::now());
            let batch = match self.outbox.next_batch(recipient, portion.limit, now)? {
                Next::Nothing => return Ok(Step::Nothing),
                Next::Overdue => {
                    self.outbox.expire(now).await?;
                    return Ok(Step::Settled { said: None });
                }
                Next::Batch(batch) => batch,
            };
            let (handover, key) = self.hand_over(recipient, &batch, route).await?;
            // What is cut smaller goes at once.
            if !matches!(handover, Handover::TooMuch | Handover::NoBatches) {
                return self.settle(recipient, &batch, handover, key).await;
            }
        }
    }

    /// Hands this batch over wherever the recipient may be; if that is no longer where it was found, it is looked up once
    /// more. Gives the key that the one who answered has proved to have.
    pub(super) async fn hand_over(
        &self,
        recipient: &Name,
        batch: &Batch,
        route: &mut Route,
    ) -> Result<Outcome, Fault> {
        let looked_up_before = *route != Route::Unknown;
        let mut tried = Tried::default();
        let mut answered = self.attempt(recipient, batch, route, &mut tried).await?;
        if answered.is_none() && looked_up_before {
            *route = Route::Unknown;
            answered = self.attempt(recipient, batch, route, &mut tried).await?;
        }
        Ok(answered.unwrap_or_else(|| (in_vain(recipient, route, tried.outcome), None)))
    }

    /// Tries wherever the recipient may be and was not tried yet, until it answers for the messages there.
    async fn attempt(
        &self,
        recipient: &Name,
        batch: &Batch,
        route: &mut Route,
        tried: &mut Tried,
    ) -> Result<Option<Outcome>, Fault> {
        let known = self.contacts.last_address(recipient)?;
        if *route == Route::Unknown {
            *route = self.find(recipient, known.is_some()).await;
        }
        let key = self.key_of(recipient, route).await?;
        if !batch.is_for(key) {
            return Ok(None);
        }
        let mut first = None;
        for destination in route.destinations(known.as_ref(), key, batch.insecure()) {
            if tried.destinations.contains(&destination) {
                continue;
            }
            let handover = self.transport.hand_over(&destination, batch).await;
            tracing::debug!(%recipient, ?destination, messages = batch.items().len(), outcome = %handover, "tried to hand over");
            self.learn(recipient, batch, &handover);
            if matches!(handover, Handover::Answered { .. } | Handover::TooMuch | Handover::NoBatches) {
                self.reached(recipient, &destination).await?;
                return Ok(Some((handover, destination.expected.key())));
            }
            tried.destinations.push(destination);
            first = first.or(Some(handover));
        }
        tried.outcome = first.or(tried.outcome.take());
        Ok(None)
    }

    /// How much the recipient is to be handed at once from now on.
    fn learn(&self, recipient: &Name, batch: &Batch, handover: &Handover) {
        match handover {
            Handover::Answered { .. } => self.limits.went_well(recipient),
            Handover::NoBatches => self.limits.no_batches(recipient, Instant::now()),
            Handover::TooMuch => self.limits.too_much(recipient, batch.size()),
            Handover::Unclear { .. } if batch.is_array() => self.limits.too_much(recipient, batch.size()),
            _ => {}
        }
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
            return Route::Unheard(reason!("no directory is configured"));
        };
        let lookup = directory.lookup(recipient);
        let answer = if remembered { timeout(SHORT_PATIENCE, lookup).await } else { Ok(lookup.await) };
        match answer {
            Ok(Ok(Heard { said: Some(claim), here })) => Route::of_claim(claim, here),
            Ok(Ok(Heard { said: None, .. })) => Route::nobody_has(recipient),
            Ok(Err(error)) => Route::Unheard(error.to_string()),
            Err(_) => Route::Unheard(reason!("the directory {} did not answer in time", directory.url())),
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

    /// A step was given up before it came to its end.
    pub async fn given_up(&self, recipient: &Name) -> Result<(), Fault> {
        self.limits.too_much(recipient, Limit::MOST);
        self.outbox.postponed(recipient, reason!("{recipient} did not answer in time"), None).await
    }

    async fn settle(
        &self,
        recipient: &Name,
        batch: &Batch,
        handover: Handover,
        key: Option<Fingerprint>,
    ) -> Result<Step, Fault> {
        let (reason, other_key, retry_after) = match handover {
            Handover::Answered { fates, retry_after } => {
                let step = after(&fates, retry_after, key);
                let positions = batch.items().iter().map(|item| item.position);
                let closed = batch.closed().clone();
                let settlement = Settlement { fates: positions.zip(fates).collect(), closed, key };
                self.outbox.settle(recipient, settlement).await?;
                return Ok(step);
            }
            Handover::OtherKey { reason, presented } => (reason, Some(presented), None),
            Handover::Unreachable { reason, retry_after } => (reason, None, retry_after),
            Handover::Misdirected { reason } | Handover::Unclear { reason } => (reason, None, None),
            Handover::TooMuch | Handover::NoBatches => (handover.to_string(), None, None),
        };
        self.outbox.postponed(recipient, reason, other_key).await?;
        Ok(Step::Failed { retry_after, moved: false })
    }
}

/// What a step came to whose messages were answered for so, by one who has this key.
fn after(fates: &[Fate], retry_after: Option<Duration>, key: Option<Fingerprint>) -> Step {
    if fates.iter().any(|fate| matches!(fate, Fate::Postponed { .. })) {
        return Step::Failed { retry_after, moved: true };
    }
    let last = fates.iter().rev().find_map(|fate| match fate {
        Fate::Kept(receipt) => Some(receipt.clone()),
        _ => None,
    });
    Step::Settled { said: key.zip(last).map(|(key, receipt)| Said { key, receipt }) }
}

/// What to say when nobody answered for the messages.
fn in_vain(recipient: &Name, route: &Route, outcome: Option<Handover>) -> Handover {
    let retry_after = match &outcome {
        Some(Handover::Unreachable { retry_after, .. }) => *retry_after,
        _ => None,
    };
    let unreachable = |reason| Handover::Unreachable { reason, retry_after };
    match (route, outcome) {
        (_, Some(outcome @ Handover::OtherKey { .. })) => outcome,
        // That nobody answers where it was last is no news then.
        (Route::Offline(_), _) => unreachable(reason!("{recipient} is offline")),
        (_, Some(outcome)) => outcome,
        (Route::Unheard(why), None) => unreachable(why.clone()),
        (Route::Listed(listing), None) => unreachable(reason!(
            "{recipient} is listed at {} and cannot be checked there: `peer send --insecure` does without",
            listing.address
        )),
        (Route::Unknown, None) => unreachable(reason!("{recipient} has no known address")),
    }
}
