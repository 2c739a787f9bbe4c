//! Many programs that post at once, each on a connection of its own, until they are told to stop; and the one of them
//! that pulls the trigger the moment it is answered.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::super::harness::{Key, Trigger, Wire, until};

/// What all writers share.
pub(super) struct Load {
    /// The host and port at which the program listens now.
    place: RwLock<String>,
    over: AtomicBool,
    acknowledged: AtomicUsize,
    /// Requests that were sent and never answered.
    cut_off: AtomicUsize,
    /// At how many acknowledgements whom to kill.
    armed: Mutex<Option<(usize, Trigger)>>,
}

/// What one writer posts, and again under the same id until it is acknowledged.
pub(super) struct Post {
    /// What the story remembers when this is acknowledged.
    pub(super) text: String,
    pub(super) path: &'static str,
    /// Further header lines, each with its line end.
    pub(super) headers: String,
    pub(super) body: Value,
}

impl Load {
    pub(super) fn on(place: &str) -> Self {
        Self {
            place: RwLock::new(place.to_owned()),
            over: AtomicBool::new(false),
            acknowledged: AtomicUsize::new(0),
            cut_off: AtomicUsize::new(0),
            armed: Mutex::new(None),
        }
    }

    /// Ends all writers.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// Has the program killed by the writer that gets the so-many-th acknowledgement from now, the moment it does;
    /// returns when that has cut someone off.
    pub(super) fn kill_after(&self, acknowledgements: usize, trigger: Trigger) {
        let before = self.cut_off.load(Ordering::SeqCst);
        let moment = self.acknowledged.load(Ordering::SeqCst) + acknowledgements;
        *self.armed.lock().unwrap() = Some((moment, trigger));
        until("the kill has cut someone off", || {
            (self.cut_off.load(Ordering::SeqCst) > before).then_some(())
        });
        eprintln!(
            "killed at {moment}: {} acknowledged, {} cut off",
            self.acknowledged.load(Ordering::SeqCst),
            self.cut_off.load(Ordering::SeqCst) - before
        );
    }

    /// The program listens here from now on.
    pub(super) fn moved_to(&self, place: &str) {
        place.clone_into(&mut self.place.write().unwrap());
    }

    /// One writer, with a key or without: posts one after the other, each until it is acknowledged. Gives the texts of
    /// those that were.
    pub(super) fn write(&self, key: Option<&Key>, post: impl Fn(usize) -> Post) -> Vec<String> {
        let mut wire = None;
        let mut acknowledged = Vec::new();
        for number in 0.. {
            let post = post(number);
            while !self.try_post(&mut wire, key, &post) {
                if self.over.load(Ordering::SeqCst) {
                    return acknowledged;
                }
                // Nobody listens until the program is back.
                thread::sleep(Duration::from_millis(5));
            }
            acknowledged.push(post.text);
            if self.over.load(Ordering::SeqCst) {
                break;
            }
        }
        acknowledged
    }

    fn try_post(&self, wire: &mut Option<Wire>, key: Option<&Key>, post: &Post) -> bool {
        if wire.is_none() {
            *wire = Wire::connect(&self.place.read().unwrap(), key).ok();
        }
        let Some(open) = wire else { return false };
        if let Ok(status) = open.post(post.path, &post.headers, &post.body) {
            self.acknowledge();
            assert!(matches!(status, 200 | 201), "{status} for {}", post.body);
            true
        } else {
            self.cut_off.fetch_add(1, Ordering::SeqCst);
            *wire = None;
            false
        }
    }

    fn acknowledge(&self) {
        let so_far = self.acknowledged.fetch_add(1, Ordering::SeqCst) + 1;
        let mut armed = self.armed.lock().unwrap();
        if let Some((_, trigger)) = armed.take_if(|(moment, _)| so_far >= *moment) {
            trigger.pull();
        }
    }
}
