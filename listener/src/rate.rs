//! How much each source may ask for in a time. Which sources are counted is for the caller to say.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::Source;

/// After how many questions those are forgotten who have their whole share again: what is remembered stays in proportion to
/// what is asked.
const SWEEP: u32 = 1024;

/// A rate per source, IPv6 by /64.
#[derive(Debug)]
pub(crate) struct Rate {
    taken: DefaultKeyedRateLimiter<IpAddr>,
    asked: AtomicU32,
}

impl Rate {
    /// `count` in each `period`, all of them at once if need be.
    pub(crate) fn new(count: NonZeroU32, period: Duration) -> Self {
        let pause = (period / count.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(pause).unwrap_or(Quota::per_second(count)).allow_burst(count);
        Self { taken: RateLimiter::keyed(quota), asked: AtomicU32::new(0) }
    }

    /// Takes one for this source, or says after how many seconds there is one.
    pub(crate) fn take(&self, source: Source) -> Result<(), u32> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.taken.retain_recent();
        }
        self.taken.check_key(&source.network()).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            wait.as_millis().div_ceil(1000).clamp(1, u32::MAX.into()).try_into().unwrap_or(u32::MAX)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(number: u32) -> Source {
        Source::connected((IpAddr::from(number.to_be_bytes()), 1).into(), &[])
    }

    fn rate(count: u32, period: Duration) -> Rate {
        Rate::new(count.try_into().unwrap(), period)
    }

    #[test]
    fn each_source_has_its_share_and_is_told_when_there_is_more() {
        let rate = rate(2, Duration::from_hours(2));
        assert_eq!([rate.take(source(1)), rate.take(source(1))], [Ok(()), Ok(())]);
        assert!(matches!(rate.take(source(1)), Err(3500..=3600)));
        assert_eq!(rate.take(source(2)), Ok(()));
    }

    #[test]
    fn a_wait_is_never_no_wait() {
        let rate = rate(1000, Duration::from_secs(1));
        let refused = (0..100_000).find_map(|_| rate.take(source(1)).err());
        assert_eq!(refused, Some(1));
    }

    #[test]
    fn who_has_its_whole_share_again_is_forgotten() {
        let rate = rate(1000, Duration::from_micros(1));
        for number in 0..100 * SWEEP {
            let _ = rate.take(source(number));
        }
        assert!(rate.taken.len() <= 2 * SWEEP as usize, "{}", rate.taken.len());
    }
}
