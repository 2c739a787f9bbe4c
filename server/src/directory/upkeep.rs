//! What the directory does without being asked: it ends leases, writes down what memory did on its own, keeps the clock
//! while a grace runs, and frees names. When it stops, all of that once more.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};

use super::claims;
use super::clock::{self, Precision, WRITE_EVERY};
use super::online::Unwritten;
use super::{Directory, invites, lock, restart};

/// Renewals wait this long for each other, commit and all less than a second.
const WRITE_PAUSE: Duration = Duration::from_millis(750);
/// How often names are freed at least, and at most.
const FREE_EVERY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(10));

impl Directory {
    /// Keeps the directory in order. Never returns: spawn it, and abort it before [`Directory::close`].
    pub async fn tend(&self) {
        tokio::join!(
            self.store.tend(),
            self.end_leases(),
            self.write_down(),
            self.write_clock(),
            self.free_names(),
            self.follow_releases()
        );
    }

    /// Writes down what memory did on its own, and the clock exactly, and closes the database.
    pub async fn close(&self) {
        let shared = &self.shared;
        let now = shared.now();
        let unwritten = {
            let mut online = lock(&shared.online);
            online.end(now.running);
            online.take_unwritten()
        };
        let written = self.store.write(move |conn| {
            restart::write(conn, &unwritten, now)?;
            clock::write(conn, now.running, Precision::Exact)
        });
        if let Err(error) = written.await {
            tracing::error!(%error, "the last renewals could not be written down");
        }
        let store = self.store.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || store.close()).await {
            tracing::error!(%error, "the database could not be closed");
        }
        drop(lock(&shared.alone).take());
    }

    /// Ends each lease within milliseconds of its time.
    async fn end_leases(&self) {
        let shared = &self.shared;
        loop {
            let next = lock(&shared.online).next_end();
            match next {
                // One that begins meanwhile ends later than all that run.
                Some(end) => sleep(shared.clock.now().until(end)).await,
                None => shared.joined.notified().await,
            }
            lock(&shared.online).end(shared.clock.now());
            shared.unwritten.notify_one();
        }
    }

    /// The first renewal of a quiet second is written at once, those that follow it together.
    async fn write_down(&self) {
        loop {
            self.shared.unwritten.notified().await;
            self.write_unwritten().await;
            sleep(WRITE_PAUSE.min(self.shared.rules.ttl / 8)).await;
        }
    }

    async fn write_unwritten(&self) {
        let shared = Arc::clone(&self.shared);
        let unwritten = lock(&shared.online).take_unwritten();
        if unwritten == Unwritten::default() {
            return;
        }
        let (kept, now) = (unwritten.clone(), shared.now());
        if let Err(error) = self.store.write(move |conn| restart::write(conn, &unwritten, now)).await {
            tracing::error!(%error, "renewals could not be written down; trying again");
            lock(&shared.online).put_back(kept);
            shared.unwritten.notify_one();
        }
    }

    async fn write_clock(&self) {
        let Some(until) = self.shared.graced_until else { return };
        let mut ticks = interval(WRITE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = self.shared.clock.now();
            match self.store.write(move |conn| clock::write(conn, now, Precision::AtLeast)).await {
                Ok(()) if now >= until => return,
                Ok(()) => {}
                Err(error) => tracing::error!(%error, "the clock could not be written down; trying again"),
            }
        }
    }

    async fn free_names(&self) {
        let retention = self.shared.rules.retention;
        let shortest = retention.keyed.min(retention.unkeyed);
        let mut ticks = interval((shortest / 4).clamp(FREE_EVERY.0, FREE_EVERY.1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let wall = self.shared.now().wall;
            let freeing = self.store.write(move |conn| {
                invites::forget_expired(conn, wall)?;
                claims::forget_lapsed(conn, retention, wall)
            });
            match freeing.await {
                Ok(0) => {}
                Ok(freed) => tracing::info!(freed, "names whose retention is over are free"),
                Err(error) => tracing::error!(%error, "names could not be freed; trying again"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Instant;

    use super::super::{Arrival, Options, Request, Retention, TokenHash, leases};
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    async fn open(folder: &Path, ttl: Duration) -> Directory {
        let retention = Retention { keyed: ttl, unkeyed: ttl };
        let options = Options { ttl, retention, ..Options::new(folder.join("directory.db")) };
        Directory::open(&options).await.unwrap()
    }

    fn ana() -> Request {
        Request {
            name: "ana".parse().unwrap(),
            address: "http://192.0.2.7:1".parse().unwrap(),
            fingerprint: None,
            token: TokenHash::of(&[b'a'; 40]).unwrap(),
            fresh: false,
            invite: None,
            network: None,
        }
    }

    async fn until(what: &str, condition: impl AsyncFn() -> bool) -> Duration {
        let began = Instant::now();
        while !condition().await {
            assert!(began.elapsed() < DEADLINE, "{what} takes too long");
            sleep(Duration::from_millis(5)).await;
        }
        began.elapsed()
    }

    #[tokio::test]
    async fn a_lease_ends_by_itself_and_then_the_name_is_free() {
        let (folder, ttl) = (tempfile::tempdir().unwrap(), Duration::from_millis(400));
        let directory = open(folder.path(), ttl).await;
        let tending = directory.clone();
        let upkeep = tokio::spawn(async move { tending.tend().await });
        for _ in 0..2 {
            let began = Instant::now();
            assert_eq!(directory.register(ana()).await.unwrap().arrival, Arrival::Joined);
            until("the end of the lease", async || lock(&directory.shared.online).list().listings.is_empty())
                .await;
            let lasted = began.elapsed();
            assert!(lasted >= ttl && lasted < ttl + Duration::from_secs(1), "{lasted:?}");
        }
        let claims = async || directory.store.read(|conn| claims::by_name(conn, "ana")).unwrap();
        until("its note", async || claims().await.is_none_or(|claim| claim.offline_since.is_some())).await;
        until("freeing the name", async || claims().await.is_none()).await;
        assert_eq!(directory.find(ana().name).await, Ok(None));
        upkeep.abort();
    }

    #[tokio::test]
    async fn a_renewal_is_written_down_within_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let directory = open(folder.path(), Duration::from_mins(1)).await;
        let tending = directory.clone();
        let upkeep = tokio::spawn(async move { tending.tend().await });
        let lease = || directory.store.read(|conn| leases::by_name(conn, &ana().name)).unwrap();
        let written = || lease().map(|lease| lease.ends);
        directory.register(ana()).await.unwrap();
        for _ in 0..2 {
            let before = written();
            let later = async || {
                let renewed = directory.register(ana()).await.unwrap();
                assert_eq!(renewed.arrival, Arrival::Stayed);
                written() > before
            };
            let took = until("writing a renewal", later).await;
            assert!(took < Duration::from_secs(2), "{took:?}");
        }
        upkeep.abort();
    }

    #[tokio::test]
    async fn closing_writes_what_only_memory_knew() {
        let folder = tempfile::tempdir().unwrap();
        let directory = open(folder.path(), Duration::from_mins(1)).await;
        directory.register(ana()).await.unwrap();
        let before = directory.store.read(|conn| leases::by_name(conn, &ana().name)).unwrap();
        until("time", async || {
            directory.register(ana()).await.unwrap();
            lock(&directory.shared.online).ends(&ana().name) > before.map(|lease| lease.ends)
        })
        .await;
        let (ends, now) = (lock(&directory.shared.online).ends(&ana().name), directory.shared.now());
        directory.close().await;
        let conn = rusqlite::Connection::open(folder.path().join("directory.db")).unwrap();
        let after = leases::by_name(&conn, &ana().name).unwrap();
        assert_eq!(after.map(|lease| lease.ends), ends);
        let exact: bool = conn.query_row("SELECT exact FROM clock", [], |row| row.get(0)).unwrap();
        assert!(exact && clock::resume(&conn).unwrap() >= now.running);
    }
}
