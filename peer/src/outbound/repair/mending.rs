//! Mending: the steps of a repair, by turns with what waits for the same recipient, so that neither holds up the other for
//! more than a batch.

use std::time::Duration;

use protocol::{Fingerprint, Name};
use tokio::time::Instant;

use super::{counter, lacking};
use crate::database::Fault;
use crate::outbound::batch::Batch;
use crate::outbound::courier::{Courier, Said, Step};
use crate::outbound::handover::{Fate, Handover};
use crate::outbound::outbox::Settlement;
use crate::outbound::outbox::closed::Range;
use crate::outbound::route::Route;

/// A repair waits for its recipient no longer than a message does that the user says nothing else of.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// What whoever delivers to a recipient knows of its losses from step to step. What was sent again stands in the outbox:
/// when this is lost, the recipient's next receipt begins it anew.
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
    /// What it lacks, in ascending order.
    lacking: Vec<Range>,
    begun: Instant,
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
            (Step::Settled { said: Some(said) }, _) => self.hear(recipient, said, repair).await?,
            (Step::Nothing, Some(failed)) => return Ok(failed),
            (Step::Nothing, None) if repair.is_under_way() => {
                return self.mend(recipient, route, repair).await;
            }
            _ => {}
        }
        Ok(step)
    }

    /// Sends the next batch of what is lacking again. A try that fails does not end the repair: the next one is
    /// waited for as with the queue.
    async fn mend(&self, recipient: &Name, route: &mut Route, repair: &mut Repair) -> Result<Step, Fault> {
        repair.rests = true;
        while let Some(UnderWay { key, lacking, begun }) = &repair.under_way {
            let is_still_theirs = self.contacts.pin(recipient)?.is_some_and(|pin| pin.fingerprint == *key);
            if !is_still_theirs || begun.elapsed() > LONGEST {
                repair.under_way = None;
                break;
            }
            let portion = self.limits.portion(recipient, Instant::now());
            let next = self.outbox.batch_again(recipient, *key, lacking, portion.limit, crate::now())?;
            let Some(batch) = next else {
                self.outbox.tell_again(recipient, *key, lacking).await?;
                repair.under_way = None;
                break;
            };
            let (handover, _) = self.hand_over(recipient, &batch, route).await?;
            tracing::debug!(%recipient, messages = batch.items().len(), outcome = %handover, "sent again what was lost");
            let retry_after = match handover {
                Handover::TooMuch | Handover::NoBatches => continue,
                Handover::Answered { fates, retry_after } => {
                    return self.answered(recipient, &batch, fates, retry_after, repair).await;
                }
                Handover::Unreachable { retry_after, .. } => retry_after,
                Handover::OtherKey { .. } | Handover::Misdirected { .. } | Handover::Unclear { .. } => None,
            };
            return Ok(Step::Failed { retry_after, moved: false });
        }
        Ok(Step::Settled { said: None })
    }

    /// The recipient has answered for messages that were sent again.
    async fn answered(
        &self,
        recipient: &Name,
        batch: &Batch,
        fates: Vec<Fate>,
        retry_after: Option<Duration>,
        repair: &mut Repair,
    ) -> Result<Step, Fault> {
        let Some(key) = repair.under_way.as_ref().map(|under_way| under_way.key) else {
            return Ok(Step::Settled { said: None });
        };
        let (mut kept, mut last, mut is_all) = (0, None, true);
        for fate in &fates {
            match fate {
                Fate::Kept(receipt) => {
                    kept += 1;
                    last = Some(Said { key, receipt: receipt.clone() });
                }
                Fate::Refused { .. } => {}
                Fate::Postponed { .. } | Fate::NotTried => is_all = false,
            }
        }
        let positions = batch.items().iter().map(|item| item.position);
        let fates = positions.zip(fates).collect();
        let settlement = Settlement { fates, closed: batch.closed().clone(), key: Some(key) };
        self.outbox.repaired(recipient, settlement, crate::now()).await?;
        tracing::info!(%recipient, kept, "the recipient had lost messages: they were sent again");
        if let Some(said) = last {
            self.hear(recipient, &said, repair).await?;
        }
        Ok(if is_all { Step::Settled { said: None } } else { Step::Failed { retry_after, moved: false } })
    }

    /// What a recipient says it has: it may have lost something, or have more than was ever counted here.
    async fn hear(&self, recipient: &Name, said: &Said, repair: &mut Repair) -> Result<(), Fault> {
        let Some(highest) = said.receipt.highest else { return Ok(()) };
        let account = self.outbox.account(recipient, said.key)?;
        if let Some(highest) = counter(highest).filter(|highest| *highest > account.last_seq) {
            tracing::info!(%recipient, highest, "counting on from what the recipient has had");
            self.outbox.count_on(recipient, highest).await?;
        }
        let lacking = lacking(highest, &said.receipt.missing, account.delivered);
        let begun = repair.under_way.take().filter(|under_way| under_way.key == said.key);
        if !lacking.is_empty() {
            let begun = begun.map_or_else(Instant::now, |under_way| under_way.begun);
            repair.under_way = Some(UnderWay { key: said.key, lacking, begun });
        }
        Ok(())
    }
}
