//! Repair: what a recipient has lost of what it had is sent to it again. This file decides, by what a receipt says;
//! `mending` does it.
//!
//! A receipt is a stranger's word. Whatever it says, and says again, a message is sent again at most once an hour, only to
//! the key that it was delivered to, and a round that brings no progress ends the repair for an hour.

mod mending;

use std::time::Duration;

use protocol::message::Ranges;

pub use mending::Repair;

use super::outbox::closed::Range;

/// No message is sent again sooner, nor anything after a round in vain.
pub const BETWEEN_REPAIRS: Duration = Duration::from_hours(1);
/// A counter that a recipient sets is below this, so that enough numbers are left whatever it says.
const HIGHEST_COUNT: u64 = 1 << 52;

/// What a recipient lacks of the numbers up to the highest one that was delivered to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// In ascending order; they neither touch nor overlap.
    ranges: Vec<Range>,
    /// The lowest number of which anything is known: only the highest ranges are told.
    from: u64,
    /// The highest number that was delivered.
    delivered: u64,
}

/// What became of the lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// What was delivered again is no longer lacking, and nothing else is that was not before.
    Less,
    /// It is not less, or there is something new in it.
    None,
}

impl Lack {
    /// What is lacking by a receipt with these counts, where `delivered` is the highest number that was delivered to whoever
    /// gave it.
    #[must_use]
    pub fn of(highest: u64, missing: &Ranges, delivered: u64) -> Self {
        let told: Vec<Range> = missing.iter().collect();
        let is_all = told.len() < Ranges::MOST;
        let from = told.iter().map(|range| range.0).min().filter(|_| !is_all).unwrap_or(1);
        let behind = (highest.saturating_add(1), delivered);
        let below = told.into_iter().map(|(first, last)| (first, last.min(delivered)));
        Self { ranges: merged(below.chain([behind])), from, delivered }
    }

    /// Whether nothing is lacking.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// What is lacking, in ascending order.
    #[must_use]
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// What came of it, if this is what is lacking after the messages with these numbers were taken, again or for the first
    /// time.
    #[must_use]
    pub fn progress(&self, taken: &[u64], after: &Self) -> Progress {
        let lacks_still = taken.iter().any(|seq| after.ranges.iter().any(|range| contains(*range, *seq)));
        // What was not told before, or not delivered yet, cannot be compared.
        let comparable = (self.from, self.delivered);
        let mut known = self.ranges.iter().copied().peekable();
        let is_new = after.ranges.iter().filter_map(|range| intersection(*range, comparable)).any(|range| {
            while known.next_if(|known| known.1 < range.0).is_some() {}
            known.peek().is_none_or(|known| !(known.0 <= range.0 && range.1 <= known.1))
        });
        if lacks_still || is_new { Progress::None } else { Progress::Less }
    }
}

/// From which number on to count, if a recipient has had this one, which is above our own: none if that is too high to be
/// believed.
#[must_use]
pub fn counter(highest: u64) -> Option<u64> {
    (highest < HIGHEST_COUNT).then_some(highest)
}

fn contains(range: Range, number: u64) -> bool {
    (range.0..=range.1).contains(&number)
}

/// What two ranges have in common.
fn intersection(one: Range, other: Range) -> Option<Range> {
    let common = (one.0.max(other.0), one.1.min(other.1));
    (common.0 <= common.1).then_some(common)
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
