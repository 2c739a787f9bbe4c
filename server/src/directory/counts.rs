//! What has happened to claims and leases since the directory started, counted where memory changes, and how many there
//! are. Who shows the numbers is no affair of the directory's.

use super::{Directory, Failure, claims, lock};

/// What happened since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// New claims.
    pub claims: u64,
    /// Names that came online.
    pub joins: u64,
    /// Leases lengthened by memory alone.
    pub renewals: u64,
    /// Leases given up, or lost with a released name.
    pub departures: u64,
    /// Leases that ended by themselves.
    pub expirations: u64,
}

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Leases that run.
    pub online: usize,
    /// Those who read events.
    pub streams: usize,
    /// Since the start.
    pub counts: Counts,
    /// Events since the start.
    pub events: u64,
}

impl Directory {
    /// How things stand in memory.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let (streams, events) = self.shared.events.count();
        let online = lock(&self.shared.online);
        Standing { online: online.count(), streams, counts: online.counts, events }
    }

    /// How many names are claimed.
    pub async fn count_names(&self) -> Result<u64, Failure> {
        self.look_up(|conn, _| claims::count(conn)).await
    }

    /// Has `observer` told of every commit; see [`store::Store::observe`].
    pub fn observe_commits(&self, observer: impl Fn(store::Commit) + Send + Sync + 'static) {
        self.store.observe(observer);
    }
}
