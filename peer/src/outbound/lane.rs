//! A lane: one recipient's queue. It repeats the courier's step, and after a failure waits, longer each time, unless the
//! user writes again or the directory lists the recipient otherwise than it was tried.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::{Fingerprint, Name};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::courier::{Courier, Step};
use super::retry;
use super::route::Route;

/// How long a lane rests when the peer's own database fails.
const REST_AFTER_FAULT: Duration = Duration::from_secs(1);
/// A directory that lists somebody anew again and again leads to no more tries than one in this time.
const BETWEEN_RETURNS: Duration = Duration::from_secs(1);

/// One recipient's queue, as the dispatcher and the lane's own task share it.
#[derive(Debug)]
pub struct Lane {
    recipient: Name,
    /// The highest count of the recipient's messages when the lane was last woken.
    last_seq: Mutex<u64>,
    written: Notify,
    returned: Notify,
    /// What was tried in vain, from then on until something is settled.
    tried: Mutex<Option<Route>>,
    /// The key that answered there, where another was expected.
    other_key: Mutex<Option<Fingerprint>>,
}

impl Lane {
    /// The lane of a recipient whose messages are counted up to this.
    #[must_use]
    pub fn new(recipient: Name, last_seq: u64) -> Self {
        Self {
            recipient,
            last_seq: Mutex::new(last_seq),
            written: Notify::new(),
            returned: Notify::new(),
            tried: Mutex::new(None),
            other_key: Mutex::new(None),
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

    /// The recipient's messages are counted up to this: if the user has written again, the lane is woken.
    pub fn counted(&self, last_seq: u64) {
        let before = std::mem::replace(&mut *locked(&self.last_seq), last_seq);
        if before < last_seq {
            self.written.notify_one();
        }
    }

    /// The key that answered in the recipient's place at the last try.
    pub fn other_key(&self) -> Option<Fingerprint> {
        *locked(&self.other_key)
    }

    /// The key that answered is the recipient's after all: the lane is woken.
    pub fn trusted(&self) {
        *locked(&self.other_key) = None;
        self.written.notify_one();
    }

    /// The directory lists the recipient there: if that is not where it was tried, the lane is woken, or will not wait.
    pub fn listed(&self, route: &Route) {
        if locked(&self.tried).as_ref() != Some(route) {
            self.returned.notify_one();
        }
    }

    /// Delivers what waits until nothing does, or until the peer stops. `stirred` is told when it begins to wait, and
    /// when it no longer does.
    pub async fn run(&self, courier: &Courier, stirred: &Notify, stop: CancellationToken) {
        let recipient = &self.recipient;
        let mut route = Route::default();
        let mut failures = 0_u32;
        let mut next_return = Instant::now();
        while !stop.is_cancelled() {
            let pause = match courier.step(recipient, &mut route).await {
                Ok(Step::Nothing) => return,
                Ok(Step::Settled) => {
                    failures = 0;
                    if locked(&self.tried).take().is_some() {
                        stirred.notify_one();
                    }
                    continue;
                }
                Ok(Step::Failed { retry_after, other_key }) => {
                    *locked(&self.other_key) = other_key;
                    failures = failures.saturating_add(1);
                    retry::at_least(retry_after, retry::backoff(failures, retry::random()))
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
