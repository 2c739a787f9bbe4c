//! What is said once in a while, however often it happens: strangers write no log.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::locked;

/// How long it is not said again.
const SILENCE: Duration = Duration::from_mins(1);

/// Something that is said at most once a minute.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<Option<Said>>);

#[derive(Debug)]
struct Said {
    at: Instant,
    silently: u64,
}

impl Seldom {
    /// Not said yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// It has happened: `Some` if it is to be said, with how often it has happened since without a word.
    pub fn happens(&self) -> Option<u64> {
        self.happens_at(Instant::now())
    }

    fn happens_at(&self, now: Instant) -> Option<u64> {
        let mut said = locked(&self.0);
        if let Some(said) = said.as_mut().filter(|said| now.saturating_duration_since(said.at) < SILENCE) {
            said.silently += 1;
            return None;
        }
        let before = said.replace(Said { at: now, silently: 0 });
        Some(before.map_or(0, |said| said.silently))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_a_minute_and_counted_meanwhile() {
        let (seldom, start) = (Seldom::new(), Instant::now());
        let said = [0, 0, 1, 59, 60, 61, 119, 120, 500]
            .map(|second| seldom.happens_at(start + Duration::from_secs(second)));
        assert_eq!(said, [Some(0), None, None, None, Some(3), None, None, Some(2), Some(0)]);
    }
}
