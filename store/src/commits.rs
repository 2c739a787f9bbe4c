//! What can be measured of commits. Who measures, and how, is the program's affair.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

/// A commit that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// How many writes shared it.
    pub writes: usize,
    /// From the first write's start until all of them were on the disk.
    pub took: Duration,
}

type Observer = Box<dyn Fn(Commit) + Send + Sync>;

/// Who wants to know.
#[derive(Default)]
pub(crate) struct Commits {
    observer: OnceLock<Observer>,
}

impl Commits {
    pub(crate) fn observe(&self, observer: impl Fn(Commit) + Send + Sync + 'static) {
        drop(self.observer.set(Box::new(observer)));
    }

    pub(crate) fn tell(&self, commit: Commit) {
        if let Some(observer) = self.observer.get() {
            observer(commit);
        }
    }
}

impl fmt::Debug for Commits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Commits").field("observed", &self.observer.get().is_some()).finish()
    }
}
