//! A gate that holds up whoever comes to it until the story opens it.

use std::sync::{Arc, Condvar, Mutex};

use super::wait::DEADLINE;

/// Closed at first; a clone is the same one.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// Lets everyone through who waits, and everyone who will come.
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// Waits until it is open.
    pub(crate) fn pass(&self) {
        let (open, opened) = &*self.0;
        let waited = opened.wait_timeout_while(open.lock().unwrap(), DEADLINE, |open| !*open);
        drop(waited.unwrap());
    }
}
