//! The dispatcher of a running peer: one lane for each recipient for whom something waits, so that none holds up
//! another. A lane repeats the courier's step, and waits longer after each failure; it is woken early when the user
//! writes again, or when the directory lists its recipient anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use protocol::Name;
use protocol::directory::PeerRecord;
use tokio::sync::Notify;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::courier::{Courier, Route, Step};
use super::directory::List;
use super::outbox::Outbox;
use super::retry;
use crate::database::Fault;

/// How often the directory is asked while somebody waits for a recipient to return.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(1);
/// How often messages whose time has run out are looked for.
const BETWEEN_EXPIRIES: Duration = Duration::from_secs(30);
/// How long a message that is under way may take when the peer stops.
const LONGEST_FAREWELL: Duration = Duration::from_secs(10);
/// How long a lane rests when the peer's own database fails.
const REST_AFTER_FAULT: Duration = Duration::from_secs(1);

/// Delivers everything that waits, for as long as the peer runs.
pub struct Dispatcher {
    courier: Courier,
    wake: Arc<Notify>,
    lanes: HashMap<Name, Arc<Lane>>,
    running: JoinSet<()>,
    /// Whose lane each running task is.
    whose: HashMap<task::Id, Name>,
    /// At most one look at the directory, beside everything else: it may be slow.
    asking: JoinSet<List>,
    online: List,
}

/// One recipient's queue, as the dispatcher and the lane's own task share it.
struct Lane {
    nudge: Notify,
    /// The highest count of the recipient's messages when the lane was last woken.
    last_seq: Mutex<u64>,
    /// What was tried in vain, while the lane waits after a failure.
    tried: Mutex<Option<Route>>,
}

impl Dispatcher {
    /// A dispatcher that looks into the outbox whenever `wake` is notified.
    #[must_use]
    pub fn new(courier: Courier, wake: Arc<Notify>) -> Self {
        Self {
            courier,
            wake,
            lanes: HashMap::new(),
            running: JoinSet::new(),
            whose: HashMap::new(),
            asking: JoinSet::new(),
            online: List::default(),
        }
    }

    /// Delivers until `stop` says so, then lets what is under way finish.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ask = interval(BETWEEN_QUESTIONS);
        ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let expiring = tokio::spawn(expire_again_and_again(self.courier.outbox.clone()));
        loop {
            if let Err(fault) = self.open_lanes(&stop) {
                tracing::error!(%fault, "the outbox could not be read");
            }
            tokio::select! {
                () = self.wake.notified() => {}
                Some(ended) = self.running.join_next_with_id() => self.close_lane(ended),
                Some(list) = self.asking.join_next() => self.nudge_returned(list.unwrap_or_default()),
                _ = ask.tick(), if !self.lanes.is_empty() => self.ask_who_is_back(),
                () = stop.cancelled() => break,
            }
        }
        expiring.abort();
        let finished =
            timeout(LONGEST_FAREWELL, async { while self.running.join_next().await.is_some() {} }).await;
        if finished.is_err() {
            tracing::warn!("a delivery did not end in time; it is tried again at the next start");
        }
    }

    fn open_lanes(&mut self, stop: &CancellationToken) -> Result<(), Fault> {
        for waiting in self.courier.outbox.waiting()? {
            if let Some(lane) = self.lanes.get(&waiting.name) {
                let before = std::mem::replace(&mut *locked(&lane.last_seq), waiting.last_seq);
                if before < waiting.last_seq {
                    lane.nudge.notify_one();
                }
                continue;
            }
            let lane = Arc::new(Lane {
                nudge: Notify::new(),
                last_seq: Mutex::new(waiting.last_seq),
                tried: Mutex::new(None),
            });
            self.lanes.insert(waiting.name.clone(), Arc::clone(&lane));
            let (courier, recipient, stop) = (self.courier.clone(), waiting.name.clone(), stop.clone());
            let task = self.running.spawn(async move { lane.run(&courier, &recipient, stop).await });
            self.whose.insert(task.id(), waiting.name);
        }
        Ok(())
    }

    fn close_lane(&mut self, ended: Result<(task::Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "a delivery ended with a defect");
                error.id()
            }
        };
        if let Some(name) = self.whose.remove(&id) {
            self.lanes.remove(&name);
        }
    }

    /// Asks the directory who is online, if somebody waits for a recipient to return and it is not being asked already.
    fn ask_who_is_back(&mut self) {
        let anyone_waits = self.lanes.values().any(|lane| locked(&lane.tried).is_some());
        let Some(directory) = self.courier.directory.clone().filter(|_| anyone_waits) else { return };
        if !self.asking.is_empty() {
            return;
        }
        let mut online = std::mem::take(&mut self.online);
        self.asking.spawn(async move {
            if let Err(error) = directory.refresh(&mut online).await {
                tracing::debug!(%error, "the directory was asked in vain who is back");
            }
            online
        });
    }

    /// Wakes the lanes whose recipient the directory lists otherwise than when it was tried in vain.
    fn nudge_returned(&mut self, online: List) {
        for (name, lane) in &self.lanes {
            let tried = locked(&lane.tried).clone();
            let Ok(listed) = online.peers.binary_search_by(|record| record.name.cmp(name)) else { continue };
            if tried.is_some_and(|tried| tried != route_to(&online.peers[listed])) {
                lane.nudge.notify_one();
            }
        }
        self.online = online;
    }
}

async fn expire_again_and_again(outbox: Outbox) {
    let mut tick = interval(BETWEEN_EXPIRIES);
    loop {
        tick.tick().await;
        match outbox.expire(crate::now()).await {
            Ok(0) => {}
            Ok(expired) => tracing::info!(expired, "messages expired before their recipients were reached"),
            Err(fault) => tracing::error!(%fault, "messages could not be marked as expired"),
        }
    }
}

fn route_to(record: &PeerRecord) -> Route {
    Route::Listed(record.address.clone(), record.online_since)
}

impl Lane {
    /// Delivers what waits for `recipient` until nothing does, or until the peer stops.
    async fn run(&self, courier: &Courier, recipient: &Name, stop: CancellationToken) {
        let mut route = Route::default();
        let mut failures = 0_u32;
        while !stop.is_cancelled() {
            let pause = match courier.step(recipient, &mut route).await {
                Ok(Step::Nothing) => return,
                Ok(Step::Settled) => {
                    failures = 0;
                    continue;
                }
                Ok(Step::Failed { retry_after }) => {
                    failures = failures.saturating_add(1);
                    retry::backoff_of(failures, retry_after)
                }
                Err(fault) => {
                    tracing::error!(%fault, %recipient, "a delivery stopped at this peer's own database");
                    REST_AFTER_FAULT
                }
            };
            *locked(&self.tried) = Some(std::mem::take(&mut route));
            tokio::select! {
                () = sleep(pause) => {}
                () = self.nudge.notified() => {}
                () = stop.cancelled() => {}
            }
            *locked(&self.tried) = None;
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
