//! The dispatcher of a running peer: one lane for each recipient for whom something waits, so that none holds up
//! another. It opens lanes when the user writes, and wakes them when their recipients are back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use protocol::Name;
use protocol::directory::PeerRecord;
use tokio::sync::Notify;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;

use super::courier::Courier;
use super::ears::Ears;
use super::lane::{Acquaintance, Lane};
use super::lookout::Lookout;
use super::outbox::{EXPIRED_AT_ONCE, Outbox, Waiting};
use super::route::Route;
use crate::database::Fault;
use crate::directory::Heard;

/// How often messages whose time has run out are looked for.
const BETWEEN_EXPIRIES: Duration = Duration::from_secs(30);
/// How long a message that is under way may take when the peer stops.
const LONGEST_FAREWELL: Duration = Duration::from_secs(10);

/// Delivers everything that waits, for as long as the peer runs.
pub struct Dispatcher {
    courier: Courier,
    wake: Arc<Notify>,
    lanes: HashMap<Name, Arc<Lane>>,
    ears: Ears,
    running: JoinSet<()>,
    /// Whose lane each running task is.
    whose: HashMap<task::Id, Name>,
    /// Some lane began to wait for its recipient, or no longer does.
    stirred: Arc<Notify>,
}

impl Dispatcher {
    /// A dispatcher that looks into the outbox whenever `wake` is notified.
    #[must_use]
    pub fn new(courier: Courier, wake: Arc<Notify>) -> Self {
        Self {
            courier,
            wake,
            lanes: HashMap::new(),
            ears: Ears::default(),
            running: JoinSet::new(),
            whose: HashMap::new(),
            stirred: Arc::default(),
        }
    }

    /// Who is to tell it of those from whom something came.
    #[must_use]
    pub fn ears(&self) -> Ears {
        self.ears.clone()
    }

    /// Delivers until `stop` says so, then lets what is under way finish.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut lookout = self.courier.directory.clone().map(Lookout::new);
        let expiring = tokio::spawn(expire_again_and_again(self.courier.outbox.clone()));
        self.open_lanes(&stop);
        loop {
            tokio::select! {
                () = self.wake.notified() => {
                    self.open_lanes(&stop);
                    self.tell_lanes();
                }
                Some(ended) = self.running.join_next_with_id() => {
                    self.close_lane(ended, &stop);
                    self.look_out(lookout.as_ref());
                }
                () = self.stirred.notified() => self.look_out(lookout.as_ref()),
                Some(listed) = next(&mut lookout) => self.wake_lanes(listed),
                () = stop.cancelled() => break,
            }
        }
        expiring.abort();
        drop(lookout);
        let finished =
            timeout(LONGEST_FAREWELL, async { while self.running.join_next().await.is_some() {} }).await;
        if finished.is_err() {
            tracing::warn!("a delivery did not end in time; it is tried again at the next start");
        }
    }

    fn open_lanes(&mut self, stop: &CancellationToken) {
        let waiting = self.courier.outbox.waiting().unwrap_or_else(|fault| {
            tracing::error!(%fault, "the outbox could not be read");
            Vec::new()
        });
        for waiting in waiting {
            self.open_lane(waiting, stop);
        }
    }

    fn open_lane(&mut self, waiting: Waiting, stop: &CancellationToken) {
        let Waiting { name, asked } = waiting;
        if let Some(lane) = self.lanes.get(&name) {
            return lane.counted(asked);
        }
        let known = self.acquaintance(&name).inspect_err(|fault| {
            tracing::error!(%fault, "the contacts could not be read");
        });
        let lane = Arc::new(Lane::new(name.clone(), asked, known.ok()));
        self.lanes.insert(name.clone(), Arc::clone(&lane));
        self.ears.open(&lane);
        let (courier, stirred, stop) = (self.courier.clone(), Arc::clone(&self.stirred), stop.clone());
        let task = self.running.spawn(async move { lane.run(&courier, &stirred, stop).await });
        self.whose.insert(task.id(), name);
    }

    /// Whoever rang may have said who a recipient is, or where.
    fn tell_lanes(&self) {
        for lane in self.lanes.values() {
            match self.acquaintance(lane.recipient()) {
                Ok(known) => lane.acquainted(known),
                Err(fault) => return tracing::error!(%fault, "the contacts could not be read"),
            }
        }
    }

    /// Who this recipient has to be, and where it was last.
    fn acquaintance(&self, recipient: &Name) -> Result<Acquaintance, Fault> {
        let contacts = &self.courier.contacts;
        let pin = contacts.pin(recipient)?;
        Ok((pin.map(|pin| pin.fingerprint), contacts.last_address(recipient)?))
    }

    fn close_lane(&mut self, ended: Result<(task::Id, ()), JoinError>, stop: &CancellationToken) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "a delivery ended with a defect");
                error.id()
            }
        };
        let Some(name) = self.whose.remove(&id) else { return };
        self.lanes.remove(&name);
        self.ears.close(&name);
        // Something may have been written since the lane found nothing.
        match self.courier.outbox.waiting_for(&name) {
            Ok(waiting) => waiting.into_iter().for_each(|waiting| self.open_lane(waiting, stop)),
            Err(fault) => tracing::error!(%fault, "the outbox could not be read"),
        }
    }

    fn look_out(&self, lookout: Option<&Lookout>) {
        if let Some(lookout) = lookout {
            let waiting = self.lanes.iter().filter(|(_, lane)| lane.waits());
            lookout.look_for(waiting.map(|(name, _)| name.clone()).collect());
        }
    }

    fn wake_lanes(&self, listed: Heard<Vec<PeerRecord>>) {
        let Heard { said: listed, here } = listed;
        for record in listed {
            if let Some(lane) = self.lanes.get(&record.name) {
                lane.listed(&Route::of_record(record, here));
            }
        }
    }
}

/// The next ones who are listed; nobody ever where there is no directory.
async fn next(lookout: &mut Option<Lookout>) -> Option<Heard<Vec<PeerRecord>>> {
    match lookout {
        Some(lookout) => lookout.next().await,
        None => None,
    }
}

async fn expire_again_and_again(outbox: Outbox) {
    let mut tick = interval(BETWEEN_EXPIRIES);
    loop {
        tick.tick().await;
        while expire_some(&outbox).await {}
    }
}

/// Gives up on some of the messages whose time has run out. Whether there may be more.
async fn expire_some(outbox: &Outbox) -> bool {
    match outbox.expire(crate::now()).await {
        Ok(0) => false,
        Ok(expired) => {
            tracing::info!(expired, "messages expired before their recipients were reached");
            expired == EXPIRED_AT_ONCE
        }
        Err(fault) => {
            tracing::error!(%fault, "messages could not be marked as expired");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Id, Peers};
    use crate::contacts::Contacts;
    use crate::database;
    use crate::outbound::limits::Limits;
    use crate::outbound::transport::Transport;

    #[tokio::test]
    async fn contacts_that_cannot_be_read_wake_no_lane() {
        let dir = tempfile::tempdir().unwrap();
        let store = database::open(dir.path()).unwrap();
        let courier = Courier {
            outbox: Outbox::new(store.clone(), Id::new().fingerprint()),
            contacts: Contacts::new(store.clone()),
            directory: None,
            transport: Transport::new(Peers::new(Id::new().itself()).unwrap()),
            limits: Limits::default(),
        };
        let rui: Name = "rui".parse().unwrap();
        let address = "https://192.0.2.7:7101".parse().unwrap();
        courier.contacts.add(&rui, Id::new().fingerprint(), &address).await.unwrap();
        let mut dispatcher = Dispatcher::new(courier, Arc::default());
        let known = dispatcher.acquaintance(&rui).unwrap();
        let lane = Arc::new(Lane::new(rui.clone(), 1, Some(known)));
        dispatcher.lanes.insert(rui.clone(), Arc::clone(&lane));
        let rename =
            |statement: &'static str| store.write(move |connection| connection.execute(statement, []));
        rename("ALTER TABLE known RENAME TO lost").await.unwrap();
        dispatcher.tell_lanes();
        rename("ALTER TABLE lost RENAME TO known").await.unwrap();
        dispatcher.tell_lanes();
        assert!(!lane.was_woken(), "nothing has changed");
        dispatcher.courier.contacts.trust(&rui, Id::new().fingerprint()).await.unwrap();
        dispatcher.tell_lanes();
        assert!(lane.was_woken());
    }
}
