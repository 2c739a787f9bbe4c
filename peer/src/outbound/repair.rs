//! Repair: what a recipient has lost of what it had is sent to it again. This file decides, by what a receipt says;
//! `mending` does it.
//!
//! A receipt is a stranger's word. Whatever it says, and says again, a message is sent again at most once an hour, only to
//! the key that it was delivered to, by the key that it was delivered from; and a range is left where it was repaired within
//! the hour, so that a round which has not made it less ends it.

mod mending;

use std::time::Duration;

use protocol::message::Ranges;

pub use mending::Repair;

use super::outbox::closed::Range;

/// No message is sent again sooner.
pub const BETWEEN_REPAIRS: Duration = Duration::from_hours(1);
/// A counter that a recipient sets is below this, so that enough numbers are left whatever it says.
const HIGHEST_COUNT: u64 = 1 << 52;

/// What a recipient lacks by a receipt with these counts, where `delivered` is the highest number that was delivered to it:
/// ranges in ascending order, which neither touch nor overlap.
#[must_use]
pub fn lacking(highest: u64, missing: &Ranges, delivered: u64) -> Vec<Range> {
    let behind = (highest.saturating_add(1), delivered);
    let below = missing.iter().map(|(first, last)| (first, last.min(delivered)));
    merged(below.chain([behind]))
}

/// From which number on to count, if a recipient has had this one, which is above our own: none if that is too high to be
/// believed.
#[must_use]
pub fn counter(highest: u64) -> Option<u64> {
    (highest < HIGHEST_COUNT).then_some(highest)
}

/// The same numbers as ranges that neither touch nor overlap, in ascending order; those that end before they begin are none.
fn merged(ranges: impl Iterator<Item = Range>) -> Vec<Range> {
    let mut ranges: Vec<Range> = ranges.filter(|range| range.0 <= range.1).collect();
    ranges.sort_unstable();
    let mut merged: Vec<Range> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.0 <= last.1.saturating_add(1) => last.1 = last.1.max(range.1),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
