//! Kill -9 under load: nothing that was acknowledged to anyone is lost, shown twice, or out of order.
//!
//! Each story kills at a random moment (`RECADO_SEED` repeats it) and proves that something was under way just then.

use std::collections::{BTreeMap, BTreeSet};

use super::harness::{Line, long};

/// The directory dies while names are claimed and people write.
mod directory;

/// The receiver dies while 32 programs leave messages at once.
mod receiver;

/// Many who post at once, and who kills when.
mod load;

/// The sender's daemon, and its commands, die while it delivers.
mod sender;

/// How many times a story kills.
fn rounds() -> usize {
    if long() { 15 } else { 3 }
}

/// Fails unless every acknowledged text is in the listing exactly once, and nothing is there twice.
#[track_caller]
fn every_acknowledged_once(listing: &[Line], acknowledged: impl IntoIterator<Item = String>) {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for line in listing {
        *times.entry(&line.body).or_default() += 1;
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "shown twice: {twice:?}");
    let acknowledged: Vec<_> = acknowledged.into_iter().collect();
    let lost: Vec<_> = acknowledged.iter().filter(|body| !times.contains_key(body.as_str())).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged are lost: {lost:?}", lost.len(), acknowledged.len());
    let ids: BTreeSet<_> = listing.iter().map(|line| &line.id).collect();
    assert_eq!(ids.len(), listing.len(), "an id is shown twice");
}

/// Fails unless the messages of each writer (`writer/number` in the text) are listed in the order of their numbers.
#[track_caller]
fn each_writer_in_order(listing: &[Line]) {
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for line in listing {
        let (writer, number) = line.body.split_once('/').unwrap();
        let number = number.parse().unwrap();
        if let Some(before) = last.insert(writer, number) {
            assert!(before < number, "{writer}'s {number} is listed behind {before}");
        }
    }
}

/// Runs on the way out, also when the story fails: writers must not write for ever.
struct Finally<F: FnMut()>(F);

impl<F: FnMut()> Drop for Finally<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
