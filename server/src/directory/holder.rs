//! Those who may read only while they hold a name, and go on reading for long: when to ask again whether they still do.

use std::time::Duration;

use tokio::select;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::Directory;
use super::token::TokenHash;

/// Nobody is told when a retention is over, so it is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// One who was seen to hold a name.
#[derive(Debug)]
pub struct Holder {
    directory: Directory,
    token: TokenHash,
    gone: watch::Receiver<()>,
    looks: Interval,
}

impl Directory {
    /// Whoever reads with this token from now on.
    #[must_use]
    pub fn holder(&self, token: TokenHash) -> Holder {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Holder { directory: self.clone(), token, gone: self.shared.gone.subscribe(), looks }
    }
}

impl Holder {
    /// Waits until it is worth asking whether the claim is still there: at once the first time, and later when claims were
    /// given up or released. What was not waited for to the end is not lost.
    pub async fn doubt(&mut self) {
        select! {
            // The directory, which has the other end, is held here.
            _ = self.gone.changed() => {}
            _ = self.looks.tick() => {}
        }
    }

    /// Whether the token holds a name. When the database cannot say, nobody does.
    pub async fn holds(&self) -> bool {
        self.directory.knows(self.token).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "a reader's claim could not be looked up; its stream ends");
            false
        })
    }
}
