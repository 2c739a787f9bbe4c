//! A lane: one recipient's queue. It repeats the courier's turns, and after a failure waits, longer each time, unless the
//! user writes again, the directory lists the recipient otherwise than it was tried, or something comes from it.

use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use protocol::{Fingerprint, Name};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::courier::{Courier, Step};
use super::repair::Repair;
use super::retry;
use super::route::Route;
use crate::contacts::Known;
use crate::locked;

/// How long a lane rests when the peer's own database fails.
const REST_AFTER_FAULT: Duration = Duration::from_secs(1);
/// However often somebody is listed anew, or heard of, that leads to no more tries than one in this time.
const BETWEEN_RETURNS: Duration = Duration::from_secs(1);

/// Who a recipient has to be, and where it was last, as far as this peer remembers.
pub type Acquaintance = (Option<Fingerprint>, Option<Known>);

/// One recipient's queue, as the dispatcher and the lane's own task share it.
#[derive(Debug)]
pub struct Lane {
    recipient: Name,
    /// How often the user had asked for something to be delivered when the lane was last woken.
    asked: Mutex<u64>,
    written: Notify,
    returned: Notify,
    /// What was tried in vain, from then on until something is settled.
    tried: Mutex<Option<Route>>,
    /// Who the recipient is and where it was last, as far as that could be read.
    known: Mutex<Option<Acquaintance>>,
}

impl Lane {
    /// The lane of a recipient for whom so much was asked, and who is known as this, if that could be read.
    #[must_use]
    pub fn new(recipient: Name, asked: u64, known: Option<Acquaintance>) -> Self {
        Self {
            recipient,
            asked: Mutex::new(asked),
            written: Notify::new(),
            returned: Notify::new(),
            tried: Mutex::new(None),
            known: Mutex::new(known),
        }
    }

    /// Whose queue it is.
    pub fn recipient(&self) -> &Name {
        &self.recipient
    }

    /// Whether its recipient was tried in vain.
    pub fn waits(&self) -> bool {
        locked(&self.tried).is_some()
    }

    /// So much was asked for the recipient: if the user has written since, or has messages tried again, the lane is woken.
    pub fn counted(&self, asked: u64) {
        let before = std::mem::replace(&mut *locked(&self.asked), asked);
        if before < asked {
            self.written.notify_one();
        }
    }

    /// The recipient is known as this: if the user has trusted another key or given another address, the lane is woken.
    pub fn acquainted(&self, known: Acquaintance) {
        let mut before = locked(&self.known);
        if before.as_ref() != Some(&known) {
            *before = Some(known);
            self.written.notify_one();
        }
    }

    /// Whether it was woken since the last time that this was asked.
    #[cfg(test)]
    pub fn was_woken(&self) -> bool {
        use futures_util::FutureExt as _;
        self.written.notified().now_or_never().is_some()
    }

    /// The directory lists the recipient there: if that is not where it was tried, the lane is woken, or will not wait.
    pub fn listed(&self, route: &Route) {
        if locked(&self.tried).as_ref() != Some(route) {
            self.returned.notify_one();
        }
    }

    /// Something came from the recipient: the lane is woken, or will not wait.
    pub fn heard(&self) {
        self.returned.notify_one();
    }

    /// Tells the user when the recipient is tried again.
    async fn tell_next_try(&self, courier: &Courier, pause: Duration) {
        let next_try = crate::now().saturating_add(pause).unwrap_or(Timestamp::MAX);
        if let Err(fault) = courier.outbox.waits_until(&self.recipient, next_try).await {
            tracing::debug!(%fault, recipient = %self.recipient, "when it is tried again is not written down");
        }
    }

    /// Delivers what waits until nothing does, or until the peer stops. `stirred` is told when it begins to wait, and
    /// when it no longer does.
    pub async fn run(&self, courier: &Courier, stirred: &Notify, stop: CancellationToken) {
        let recipient = &self.recipient;
        let mut route = Route::default();
        let mut repair = Repair::default();
        let mut failures = 0_u32;
        let mut next_return = Instant::now();
        while !stop.is_cancelled() {
            let pause = match courier.turn(recipient, &mut route, &mut repair).await {
                Ok(Step::Nothing) => return,
                Ok(Step::Settled { .. }) => {
                    failures = 0;
                    if locked(&self.tried).take().is_some() {
                        stirred.notify_one();
                    }
                    continue;
                }
                Ok(Step::Failed { retry_after, moved }) => {
                    failures = if moved { 1 } else { failures.saturating_add(1) };
                    let pause = retry::at_least(retry_after, retry::backoff(failures, retry::random()));
                    self.tell_next_try(courier, pause).await;
                    pause
                }
                Err(fault) => {
                    tracing::error!(%fault, %recipient, "a delivery stopped at this peer's own database");
                    REST_AFTER_FAULT
                }
            };
            *locked(&self.tried) = Some(std::mem::take(&mut route));
            stirred.notify_one();
            let returned = async {
                self.returned.notified().await;
                sleep_until(next_return).await;
                Instant::now() + BETWEEN_RETURNS
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = self.written.notified() => {}
                next = returned => next_return = next,
                () = stop.cancelled() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_woken_when_the_user_says_who_its_recipient_is_or_where() {
        let key = |byte| Some(Fingerprint::from_bytes([byte; 32]));
        let place = |port: u16| {
            let address = format!("https://192.0.2.7:{port}").parse().unwrap();
            Some(Known { address, loopback: false })
        };
        let lane = Lane::new("rui".parse().unwrap(), 1, Some((key(1), place(1))));
        for (known, is_woken) in [
            ((key(1), place(1)), false),
            ((key(2), place(1)), true),
            ((key(2), place(1)), false),
            ((key(2), place(2)), true),
            ((None, None), true),
            ((None, None), false),
        ] {
            lane.acquainted(known.clone());
            assert_eq!(lane.was_woken(), is_woken, "{known:?}");
        }
    }
}
