//! Whoever runs this program as a service, told how it is: systemd's protocol of `NOTIFY_SOCKET`. Where that is not set there
//! is nobody to tell.

use sd_notify::NotifyState;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// A supervisor that knows that the program serves, and hears from it as often as it asked to until this is dropped.
#[derive(Debug)]
pub struct Supervised {
    watchdog: Option<JoinHandle<()>>,
}

impl Supervised {
    /// Tells that the program is ready. In a runtime, which is what the signs of life come from.
    #[must_use]
    pub fn ready() -> Self {
        tell(&NotifyState::Ready);
        let watchdog = sd_notify::watchdog_enabled().filter(|patience| !patience.is_zero());
        let watchdog = watchdog.map(|patience| {
            tokio::spawn(async move {
                let mut ticks = interval(patience / 2);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    tell(&NotifyState::Watchdog);
                }
            })
        });
        Self { watchdog }
    }

    /// Tells that the program is ending.
    pub fn stopping(&self) {
        tell(&NotifyState::Stopping);
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        if let Some(watchdog) = &self.watchdog {
            watchdog.abort();
        }
    }
}

fn tell(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::warn!(%error, "the service manager could not be told how this program is");
    }
}
