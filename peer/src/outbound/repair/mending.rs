//! Mending: the steps of a repair, by turns with what waits for the same recipient, so that neither holds up the other for
//! more than a batch.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::{Fingerprint, Name};
use tokio::time::Instant;

use super::{BETWEEN_REPAIRS, Lack, Progress, counter};
use crate::database::Fault;
use crate::outbound::courier::{Courier, Said, Step};
use crate::outbound::handover::{Fate, Handover};
use crate::outbound::outbox::Settlement;
use crate::outbound::outbox::repaired::{Account, Claimed};
use crate::outbound::route::Route;

/// So many tries in a row may fail before a repair is left for later.
const MOST_FAILURES: u32 = 5;
/// A repair that was left so is not begun anew sooner.
const AFTER_FAILURES: Duration = Duration::from_mins(5);

/// What whoever delivers to a recipient knows of its losses from step to step. A clone would repair twice.
#[derive(Debug, Default)]
pub struct Repair {
    under_way: Option<UnderWay>,
    /// It is the turn of what waits.
    rests: bool,
}

#[derive(Debug)]
struct UnderWay {
    /// Whose losses these are.
    key: Fingerprint,
    lack: Lack,
    /// What is sent again next.
    claimed: VecDeque<Claimed>,
    failures: u32,
}

impl Repair {
    /// Whether something is being repaired.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }
}

impl Courier {
    /// One step of a recipient's whole traffic: what waits for it and what it has lost, by turns.
    pub async fn turn(
        &self,
        recipient: &Name,
        route: &mut Route,
        repair: &mut Repair,
    ) -> Result<Step, Fault> {
        let mut failed = None;
        if !std::mem::take(&mut repair.rests) && repair.is_under_way() {
            match self.mend(recipient, route, repair).await? {
                step @ Step::Failed { .. } => failed = Some(step),
                step => return Ok(step),
            }
        }
        let step = self.step(recipient, route).await?;
        match (&step, failed) {
            (Step::Settled { said: Some(said) }, _) => self.hear(recipient, said, &[], repair).await?,
            (Step::Nothing, Some(failed)) => return Ok(failed),
            (Step::Nothing, None) if repair.is_under_way() => {
                return self.mend(recipient, route, repair).await;
            }
            _ => {}
        }
        Ok(step)
    }

    /// Sends the next batch of what is lacking again.
    async fn mend(&self, recipient: &Name, route: &mut Route, repair: &mut Repair) -> Result<Step, Fault> {
        repair.rests = true;
        loop {
            let Some(under_way) = &mut repair.under_way else { return Ok(Step::Settled { said: None }) };
            let key = under_way.key;
            if self.contacts.pin(recipient)?.is_none_or(|pin| pin.fingerprint != key) {
                self.leave(repair).await?;
                continue;
            }
            if under_way.claimed.is_empty() {
                let lacking = under_way.lack.ranges().to_vec();
                under_way.claimed = self.outbox.claim(recipient, key, lacking, crate::now()).await?;
                if under_way.claimed.is_empty() {
                    self.outbox.tell_again(recipient, under_way.lack.ranges()).await?;
                    repair.under_way = None;
                    continue;
                }
            }
            let portion = self.limits.portion(recipient, Instant::now());
            let next = self.outbox.batch_again(recipient, key, &mut under_way.claimed, portion.limit)?;
            let Some((batch, sent)) = next else { continue };
            let (handover, by) = self.hand_over(recipient, &batch, route).await?;
            tracing::debug!(%recipient, messages = sent.len(), outcome = %handover, "sent again what was lost");
            let (fates, retry_after) = match handover {
                Handover::Answered { fates, retry_after } => (fates, retry_after),
                Handover::TooMuch | Handover::NoBatches => {
                    put_back(&mut under_way.claimed, sent);
                    continue;
                }
                Handover::Unreachable { retry_after, .. } => {
                    return self.failed(recipient, sent, retry_after, repair).await;
                }
                Handover::OtherKey { .. } | Handover::Misdirected { .. } | Handover::Unclear { .. } => {
                    return self.failed(recipient, sent, None, repair).await;
                }
            };
            let (closed, positions) = (batch.closed().clone(), sent.iter().map(|sent| sent.position));
            let settlement = Settlement { fates: positions.zip(fates.clone()).collect(), closed, key: by };
            self.outbox.repaired(recipient, settlement).await?;
            return self.answered(recipient, sent, fates, retry_after, repair).await;
        }
    }

    /// The recipient has answered for messages that were sent again.
    async fn answered(
        &self,
        recipient: &Name,
        sent: Vec<Claimed>,
        fates: Vec<Fate>,
        retry_after: Option<Duration>,
        repair: &mut Repair,
    ) -> Result<Step, Fault> {
        let Some(under_way) = &mut repair.under_way else { return Ok(Step::Settled { said: None }) };
        let (mut taken, mut postponed, mut last) = (Vec::new(), Vec::new(), None);
        for (sent, fate) in sent.into_iter().zip(fates) {
            match fate {
                Fate::Kept(receipt) => {
                    taken.push(sent.seq);
                    last = Some(Said { key: under_way.key, receipt });
                }
                Fate::Postponed { .. } | Fate::NotTried => postponed.push(sent),
                Fate::Refused { .. } => {}
            }
        }
        if let Some(said) = last {
            under_way.failures = 0;
            self.hear(recipient, &said, &taken, repair).await?;
        } else if postponed.is_empty() {
            self.in_vain(recipient, repair).await?;
        }
        if postponed.is_empty() {
            return Ok(Step::Settled { said: None });
        }
        self.failed(recipient, postponed, retry_after, repair).await
    }

    /// These messages were not taken this time.
    async fn failed(
        &self,
        recipient: &Name,
        sent: Vec<Claimed>,
        retry_after: Option<Duration>,
        repair: &mut Repair,
    ) -> Result<Step, Fault> {
        if let Some(under_way) = &mut repair.under_way {
            under_way.failures += 1;
            if under_way.failures < MOST_FAILURES {
                put_back(&mut under_way.claimed, sent);
            } else {
                self.outbox.no_repair_before(recipient, crate::now() + AFTER_FAILURES).await?;
                self.leave(repair).await?;
            }
        }
        Ok(Step::Failed { retry_after, moved: false })
    }

    /// What a recipient says it has, after the messages with these numbers were taken again: it may have lost something, or
    /// have more than was ever counted here.
    pub(super) async fn hear(
        &self,
        recipient: &Name,
        said: &Said,
        taken_again: &[u64],
        repair: &mut Repair,
    ) -> Result<(), Fault> {
        let Some(highest) = said.receipt.highest else { return Ok(()) };
        let account = self.outbox.account(recipient, said.key)?;
        if let Some(highest) = counter(highest).filter(|highest| *highest > account.last_seq) {
            tracing::info!(%recipient, highest, "counting on from what the recipient has had");
            self.outbox.count_on(recipient, highest).await?;
        }
        let lack = Lack::of(highest, &said.receipt.missing, account.delivered);
        if repair.under_way.as_ref().is_some_and(|under_way| under_way.key != said.key) {
            self.leave(repair).await?;
        }
        match &mut repair.under_way {
            Some(under_way) => match under_way.lack.progress(taken_again, &lack) {
                Progress::Less => under_way.lack = lack,
                Progress::None => self.in_vain(recipient, repair).await?,
            },
            None if lack.is_empty() => {}
            None => self.begin(recipient, said.key, lack, account, repair).await?,
        }
        Ok(())
    }

    /// Begins to repair, if anything may be sent again now.
    async fn begin(
        &self,
        recipient: &Name,
        key: Fingerprint,
        lack: Lack,
        account: Account,
        repair: &mut Repair,
    ) -> Result<(), Fault> {
        let now = crate::now();
        // A clock that was set back is not waited for.
        let rests = account.no_repair_before.is_some_and(|end| now < end && end <= now + BETWEEN_REPAIRS);
        if !rests && self.outbox.is_repairable(recipient, key, lack.ranges(), now)? {
            tracing::info!(%recipient, lacking = ?lack.ranges(), "the recipient has lost messages: they are sent again");
            repair.under_way = Some(UnderWay { key, lack, claimed: VecDeque::new(), failures: 0 });
            return Ok(());
        }
        self.outbox.tell_again(recipient, lack.ranges()).await
    }

    /// What was sent again has not made the lack less.
    async fn in_vain(&self, recipient: &Name, repair: &mut Repair) -> Result<(), Fault> {
        tracing::info!(%recipient, "what was sent again has changed nothing: nothing more is, for an hour");
        self.outbox.no_repair_before(recipient, crate::now() + BETWEEN_REPAIRS).await?;
        self.leave(repair).await
    }

    /// Leaves a repair as it is.
    pub async fn leave(&self, repair: &mut Repair) -> Result<(), Fault> {
        match repair.under_way.take() {
            Some(under_way) => self.outbox.release(under_way.claimed).await,
            None => Ok(()),
        }
    }
}

/// These come first again.
fn put_back(claimed: &mut VecDeque<Claimed>, sent: Vec<Claimed>) {
    sent.into_iter().rev().for_each(|sent| claimed.push_front(sent));
}
