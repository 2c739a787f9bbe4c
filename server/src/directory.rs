//! The directory itself: who has which name, who is online, and what a request changes about it. Decisions are made and
//! kept in the database and published here in the order of the commits; HTTP knows this page and nothing behind it.

mod decision;
mod token;

mod claims;
mod clock;
mod invites;
mod leases;

mod claimants;
mod registration;

mod counts;
mod events;
mod listing;
mod online;

mod list;
mod page;
mod shelf;

mod failure;
mod holder;

mod alone;
mod opening;
mod releases;
mod restart;
mod upkeep;

mod office;

#[cfg(test)]
mod replay;
#[cfg(test)]
mod simulation;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use protocol::Name;
use protocol::directory::{Claim, PeerRecord};
use store::Store;
use tokio::sync::{Notify, Semaphore, watch};

pub use claims::Retention;
pub use counts::{Counts, Standing};
pub use decision::{Arrival, Invitation, Refusal, Request};
pub use events::{EventLimits, NoPlace, Reader, Since};
pub use failure::Failure;
pub use holder::Holder;
pub use invites::{InviteCode, InviteHash};
pub use list::Selection;
pub use office::{Access, Entry, Office};
pub use opening::{OpenError, Options};
pub use page::Page;
pub use registration::Parting;
pub use token::{Token, TokenError, TokenHash};

use claimants::Claimants;
use clock::{Clock, Moment};
use events::Events;
use online::Online;
use registration::{Admitted, Now, Rules};
use shelf::Shelf;

/// A running directory. Clones share it.
#[derive(Debug, Clone)]
pub struct Directory {
    store: Store,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: Clock,
    rules: Rules,
    claimants: Mutex<Claimants>,
    /// Until when the clock has to be written down: the end of the last grace.
    graced_until: Option<Moment>,
    /// How often names had been released by hand when this run began.
    releases: u64,
    online: Mutex<Online>,
    events: Events,
    shelf: Arc<Shelf>,
    /// Told when claims were given up or released. Those that lapse are free without a word.
    gone: watch::Sender<()>,
    /// A lease began where there may have been none.
    joined: Notify,
    /// Memory knows what the database does not.
    unwritten: Notify,
    /// Lookups wait for one of the connections that the store keeps, rather than each open one.
    lookups: Arc<Semaphore>,
    /// Let go when the directory closes.
    alone: Mutex<Option<alone::Alone>>,
}

/// An answer to a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// What is listed.
    pub record: PeerRecord,
    /// Whether that is news.
    pub arrival: Arrival,
    /// When the lease ends if the wall clock goes on as it does.
    pub expires_at: Timestamp,
}

/// Why a registration failed.
#[derive(Debug)]
pub enum RegisterError {
    /// The request cannot be granted.
    Refused(Refusal),
    /// Nothing was kept.
    Failed(Failure),
}

impl Directory {
    /// How long a lease lasts.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.shared.rules.ttl
    }

    /// Claims a name, comes online, changes or renews.
    pub async fn register(&self, request: Request) -> Result<Registered, RegisterError> {
        if let Some(renewed) = self.renew(&request) {
            return Ok(renewed);
        }
        let (deciding, publishing) = (Arc::clone(&self.shared), Arc::clone(&self.shared));
        let decided = self.store.write_then(
            move |conn| deciding.decide(conn, &request),
            move |decided| {
                if let Ok(admitted) = decided {
                    publishing.publish(admitted);
                }
            },
        );
        let admitted = decided
            .await
            .map_err(|error| RegisterError::Failed(error.into()))?
            .map_err(RegisterError::Refused)?;
        Ok(self.shared.registered(admitted.listed.record, admitted.listed.ends, admitted.arrival))
    }

    /// A renewal that changes nothing is granted by memory alone.
    fn renew(&self, request: &Request) -> Option<Registered> {
        let shared = &self.shared;
        let renewed = lock(&shared.online).renew(request, shared.clock.now(), shared.rules.ttl)?;
        shared.unwritten.notify_one();
        Some(shared.registered(renewed.record, renewed.ends, Arrival::Stayed))
    }

    /// Takes the token's name offline, if the token holds one: `None` if not.
    pub async fn leave(&self, token: TokenHash, parting: Parting) -> Result<Option<()>, Failure> {
        let (deciding, publishing) = (Arc::clone(&self.shared), Arc::clone(&self.shared));
        let left = self.store.write_then(
            move |conn| registration::leave(conn, &token, parting, deciding.now(), deciding.rules.retention),
            move |left| {
                if let Some(name) = left {
                    lock(&publishing.online).leave(name);
                    if parting == Parting::Claim {
                        publishing.gone.send_replace(());
                    }
                }
            },
        );
        Ok(left.await?.map(drop))
    }

    /// Those online whom the selection is about.
    pub async fn page(&self, selection: &Selection) -> Result<Arc<Page>, Failure> {
        self.shared.shelf.page(&self.shared.online, selection).await
    }

    /// A page that the selection gave, compressed with gzip.
    pub async fn gzip(&self, selection: &Selection, page: &Arc<Page>) -> Result<Bytes, Failure> {
        self.shared.shelf.gzip(selection, page).await
    }

    /// What happens to the list.
    pub fn events(&self, since: Since) -> Result<Reader, NoPlace> {
        self.shared.events.read(since)
    }

    /// How many may read events at the same time.
    #[must_use]
    pub fn event_places(&self) -> usize {
        self.shared.events.places()
    }

    /// Ends all reading of events.
    pub fn end_events(&self) {
        self.shared.events.close();
    }

    /// A claimed name, online or not. Only who is offline is looked up in the database.
    pub async fn find(&self, name: Name) -> Result<Option<Claim>, Failure> {
        if let Some(record) = lock(&self.shared.online).find(&name, self.shared.clock.now()) {
            let PeerRecord { name, address, fingerprint, online_since } = record;
            let (address, online_since) = (Some(address), Some(online_since));
            return Ok(Some(Claim { name, fingerprint, online: true, address, online_since }));
        }
        let wanted = name.clone();
        let claim = self.look_up(move |conn, shared| {
            let claim = claims::by_name(conn, wanted.as_str())?;
            Ok(claim.filter(|claim| !claim.has_lapsed(shared.rules.retention, shared.now().wall)))
        });
        let offline =
            |fingerprint| Claim { name, fingerprint, online: false, address: None, online_since: None };
        Ok(claim.await?.map(|claim| offline(claim.fingerprint)))
    }

    /// Whether only those may read who hold a name.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.shared.rules.private
    }

    /// Whether the token holds a name, online or not. Only who is offline is looked up in the database.
    pub async fn knows(&self, token: TokenHash) -> Result<bool, Failure> {
        if lock(&self.shared.online).knows(&token) {
            return Ok(true);
        }
        let claim = self.look_up(move |conn, shared| {
            let claim = claims::by_token(conn, &token)?;
            Ok(claim.filter(|(_, claim)| !claim.has_lapsed(shared.rules.retention, shared.now().wall)))
        });
        Ok(claim.await?.is_some())
    }

    /// Reads the database on a thread that may wait, when it is this task's turn. Whoever asked may have left by then; the
    /// turn is over when the thread is done.
    async fn look_up<T: Send + 'static>(
        &self,
        query: impl FnOnce(&rusqlite::Connection, &Shared) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let (store, shared) = (self.store.clone(), Arc::clone(&self.shared));
        let turn = Arc::clone(&self.shared.lookups).acquire_owned().await;
        let found = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            store.read(|conn| query(conn, &shared))
        });
        Ok(found.await.map_err(|error| Failure::Internal(error.to_string()))??)
    }
}

impl Shared {
    fn now(&self) -> Now {
        let wall = Timestamp::now();
        let wall = Timestamp::from_millisecond(wall.as_millisecond()).unwrap_or(wall);
        Now { running: self.clock.now(), wall }
    }

    fn decide(
        &self,
        conn: &rusqlite::Connection,
        request: &Request,
    ) -> rusqlite::Result<Result<Admitted, Refusal>> {
        let remembered = lock(&self.online).ends(&request.name);
        let now = self.now();
        let turn = || match request.network {
            Some(network) => lock(&self.claimants).claim(network, now.running),
            None => Ok(()),
        };
        registration::register(conn, request, remembered, now, &self.rules, turn)
    }

    /// The lease counts from here, not from before the commit, so that a slow disk shortens none.
    fn publish(&self, admitted: &mut Admitted) {
        admitted.listed.ends = self.clock.now().after(self.rules.ttl);
        lock(&self.online).join(admitted.clone());
        self.joined.notify_one();
    }

    fn registered(&self, record: PeerRecord, ends: Moment, arrival: Arrival) -> Registered {
        let now = self.now();
        let left = now.running.until(ends).min(self.rules.ttl);
        Registered { record, arrival, expires_at: now.wall.checked_add(left).unwrap_or(now.wall) }
    }
}

/// Locks although a holder panicked: what these locks guard is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
