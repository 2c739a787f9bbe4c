//! What the directory does without being asked: it ends leases, writes down what memory did on its own, keeps the clock
//! while a grace runs, and frees names. When it stops, all of that once more.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};

use super::claims;
use super::clock::{self, Precision, WRITE_EVERY};
use super::online::Unwritten;
use super::{Directory, lock, restart};

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
            self.free_names()
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
            sleep(WRITE_PAUSE.min(self.shared.ttl / 8)).await;
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
        let retention = self.shared.retention;
        let shortest = retention.keyed.min(retention.unkeyed);
        let mut ticks = interval((shortest / 4).clamp(FREE_EVERY.0, FREE_EVERY.1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let wall = self.shared.now().wall;
            match self.store.write(move |conn| claims::forget_lapsed(conn, retention, wall)).await {
                Ok(0) => {}
                Ok(freed) => tracing::info!(freed, "names whose retention is over are free"),
                Err(error) => tracing::error!(%error, "names could not be freed; trying again"),
            }
        }
    }
}
