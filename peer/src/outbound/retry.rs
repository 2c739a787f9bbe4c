//! When to try again: exponential backoff with full jitter, so that those who failed together do not come back together.

use std::time::Duration;

/// The first wait is at most this.
const FIRST: Duration = Duration::from_secs(1);
/// No wait is longer.
const LONGEST: Duration = Duration::from_mins(5);

/// How long to wait after so many failures in a row, for a `random` number from 0 to 1.
///
/// Full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015): anything from nothing to the whole step.
#[must_use]
pub fn backoff(failures: u32, random: f64) -> Duration {
    let step = FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(LONGEST);
    step.mul_f64(random.clamp(0.0, 1.0))
}

/// This wait, or what the other side asked for if that is longer: its word counts, but for no more than our longest.
#[must_use]
pub fn at_least(asked_for: Option<Duration>, wait: Duration) -> Duration {
    wait.max(asked_for.unwrap_or_default().min(LONGEST))
}

/// A random number from 0 to 1; the middle, if the system has no randomness to give.
#[must_use]
pub fn random() -> f64 {
    getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_step_doubles_up_to_five_minutes() {
        let steps: Vec<u64> = (0..11).map(|failures| backoff(failures, 1.0).as_secs()).collect();
        assert_eq!(steps, [1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    }

    proptest! {
        #[test]
        fn any_wait_is_within_its_step(failures: u32, random in 0.0..=1.0) {
            prop_assert!(backoff(failures, random) <= backoff(failures, 1.0));
            prop_assert!(backoff(failures, random) <= LONGEST);
        }

        #[test]
        fn nobody_can_ask_for_silence(seconds: u64, failures: u32) {
            let wait = at_least(Some(Duration::from_secs(seconds)), backoff(failures, 1.0));
            prop_assert_eq!(wait.as_secs(), seconds.min(300).max(backoff(failures, 1.0).as_secs()));
        }

        #[test]
        fn randomness_is_a_fraction(_round in 0..100) {
            prop_assert!((0.0..=1.0).contains(&random()));
        }
    }
}
