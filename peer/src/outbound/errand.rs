//! An errand: what a command does for messages that were just written down, until it can say what became of them. If a
//! running peer delivers, it is woken and watched; if nobody does, the command delivers itself, a round at a time, and
//! lets others have their turn between its rounds.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use futures_util::future::try_join_all;
use protocol::Name;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::Outbound;
use super::courier::Step;
use super::lock::{self, Attempt, Holder, Role};
use super::outbox::{Queued, Standing};
use super::repair::Repair;
use super::retry;
use super::route::Route;
use crate::conversations::State;
use crate::database::Fault;

/// How long a sender wants to see its message through.
#[derive(Debug, Clone, Copy)]
pub enum Patience {
    /// Until the first try has succeeded or failed, and at most a moment.
    FirstTry,
    /// Until the message is settled, and at most this long.
    Settled(Duration),
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

/// How long a first try may take before the sender is told that the message waits.
const FIRST_TRY: Duration = Duration::from_secs(5);
/// How long another command's turn is waited for: what it does not deliver would be left to nobody.
const TURN: Duration = Duration::from_secs(20);
/// How soon the outbox is looked at again while somebody else delivers, at first.
const SHORTEST_GLANCE: Duration = Duration::from_millis(2);
/// How soon the outbox is looked at again while somebody else delivers, at last.
const LONGEST_GLANCE: Duration = Duration::from_millis(50);
/// How often a running peer is woken, since it may have missed it.
const RING: Duration = Duration::from_millis(500);
/// The longest pause between two rounds: nothing else tells this command that a recipient is back.
const PAUSE: Duration = Duration::from_secs(2);

/// One command's messages, on their way.
pub(super) struct Errand<'a> {
    outbound: &'a Outbound,
    queued: &'a [Queued],
    patience: Patience,
    begun: Instant,
    deadline: Instant,
}

impl<'a> Errand<'a> {
    pub(super) fn new(outbound: &'a Outbound, queued: &'a [Queued], patience: Patience) -> Self {
        let begun = Instant::now();
        let longest = match patience {
            Patience::FirstTry => FIRST_TRY,
            Patience::Settled(longest) => longest,
        };
        Self { outbound, queued, patience, begun, deadline: begun + longest }
    }

    pub(super) async fn run(
        self,
        mut routes: BTreeMap<Name, Route>,
    ) -> Result<Vec<Standing>, SeeThroughError> {
        let mut watch = self.outbound.store.watch().map_err(Fault::from)?;
        let mut glance = SHORTEST_GLANCE;
        let mut next_ring = self.begun;
        let mut rounds = 0;
        loop {
            let (standings, open) = self.standings()?;
            if open.is_empty() {
                return Ok(standings);
            }
            let now = Instant::now();
            match lock::try_lock(&self.outbound.data_dir, Role::Command)? {
                Attempt::Held(lock) if rounds == 0 || now < self.deadline => {
                    self.round(&open, std::mem::take(&mut routes)).await?;
                    drop(lock);
                    rounds += 1;
                    if !self.standings()?.1.is_empty() {
                        let pause = retry::backoff(rounds, retry::random()).min(PAUSE);
                        sleep_until(self.deadline.min(Instant::now() + pause)).await;
                    }
                }
                Attempt::Taken(holder) if now < self.until(holder) => {
                    if let Some(holder) = holder.filter(|_| now >= next_ring) {
                        holder.ring();
                        next_ring = now + RING;
                    }
                    sleep_until(now + glance).await;
                    let moved = watch.changed().map_err(Fault::from)?;
                    glance = if moved { SHORTEST_GLANCE } else { (glance * 2).min(LONGEST_GLANCE) };
                }
                Attempt::Held(_) | Attempt::Taken(_) => return Ok(standings),
            }
        }
    }

    /// Until when whoever delivers is watched.
    fn until(&self, holder: Option<Holder>) -> Instant {
        match holder {
            Some(holder) if holder.role == Role::Daemon => self.deadline,
            _ => self.deadline.max(self.begun + TURN),
        }
    }

    /// What became of each message so far, and those that are worth waiting for.
    fn standings(&self) -> Result<(Vec<Standing>, Vec<&'a Queued>), Fault> {
        let standings: Vec<Standing> = self
            .queued
            .iter()
            .map(|message| self.outbound.courier.outbox.standing(message.position))
            .collect::<Result<_, Fault>>()?;
        let open =
            self.queued.iter().zip(&standings).filter(|(message, standing)| self.is_open(message, standing));
        let open = open.map(|(message, _)| message).collect();
        Ok((standings, open))
    }

    fn is_open(&self, message: &Queued, standing: &Standing) -> bool {
        standing.state == State::Queued
            && match self.patience {
                Patience::FirstTry => standing.failures == message.failures_before,
                Patience::Settled(_) => true,
            }
    }

    /// Delivers the queues of these messages' recipients side by side, each until its last message is settled or a try
    /// fails.
    async fn round(&self, open: &[&Queued], mut routes: BTreeMap<Name, Route>) -> Result<(), Fault> {
        let mut last: BTreeMap<&Name, &Queued> = BTreeMap::new();
        for message in open {
            let last = last.entry(&message.to).or_insert(message);
            if last.position < message.position {
                *last = message;
            }
        }
        let queues = last.into_values().map(|message| {
            let route = routes.remove(&message.to).unwrap_or_default();
            self.deliver_up_to(message, route)
        });
        let queues = try_join_all(queues.collect::<Vec<_>>());
        match self.patience {
            Patience::FirstTry => queues.await.map(drop),
            Patience::Settled(_) => {
                timeout_at(self.deadline, queues).await.map_or(Ok(()), |done| done.map(drop))
            }
        }
    }

    async fn deliver_up_to(&self, message: &Queued, mut route: Route) -> Result<(), Fault> {
        let courier = &self.outbound.courier;
        let mut repair = Repair::default();
        while courier.outbox.standing(message.position)?.state == State::Queued {
            // As long as a queue moves it is not cut short; a recipient that hangs keeps others from delivering.
            let turn = courier.turn(&message.to, &mut route, &mut repair);
            let Ok(step) = timeout(FIRST_TRY, turn).await else {
                courier.given_up(&message.to).await?;
                break;
            };
            if matches!(step?, Step::Failed { .. }) {
                break;
            }
        }
        self.repair(&message.to, &mut route, &mut repair).await
    }

    /// Repairs what the recipient has lost, for no longer than a first try takes: the rest is left for another time.
    async fn repair(&self, to: &Name, route: &mut Route, repair: &mut Repair) -> Result<(), Fault> {
        let end = self.deadline.min(Instant::now() + FIRST_TRY);
        while repair.is_under_way() && Instant::now() < end {
            let turn = self.outbound.courier.turn(to, route, repair);
            let Ok(step) = timeout_at(end, turn).await else { break };
            if matches!(step?, Step::Failed { .. }) {
                break;
            }
        }
        Ok(())
    }
}
