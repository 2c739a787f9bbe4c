//! Durations as flags and configuration write them, the same for both programs: `60s`, `5m`, `12h`, `7d`.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// The text is not a duration, or not one that can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a duration such as 500ms, 60s, 5m, 12h or 7d, more than zero and at most 36500d")]
pub struct DurationError;

/// No lease, backoff or retention needs more, and wall times stay representable.
const LONGEST: Duration = Duration::from_hours(36_500 * 24);

/// A duration with its unit (`ms`, `s`, `m`, `h`, `d`; `1h30m` too), more than zero and at most a hundred years.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let span: Span = text.parse().map_err(|_| DurationError)?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| DurationError)?;
    Duration::try_from(duration)
        .ok()
        .filter(|duration| (Duration::from_nanos(1)..=LONGEST).contains(duration))
        .ok_or(DurationError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_required_and_bounds_hold() {
        for (text, seconds) in [("60s", 60), ("5m", 300), ("12h", 43_200), ("7d", 604_800), ("1h30m", 5_400)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        for bad in ["", "60", "-5s", "0s", "s", "1y", "36501d", "99999999999999d", "5 parsecs"] {
            assert_eq!(parse(bad), Err(DurationError), "{bad}");
        }
    }
}
