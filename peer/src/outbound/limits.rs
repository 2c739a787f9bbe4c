//! How much each recipient is handed at once: less where that was too much, more again when it went well, and one message
//! at a time to those who know no batches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::Name;
use protocol::batch::{LONGEST_BATCH, MOST_MESSAGES};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::locked;

/// For how long a recipient that knows no batches is not asked again.
const NO_BATCHES: Duration = Duration::from_hours(1);
/// So many requests in a row have to go well before more is tried.
const WELL_ENOUGH: u32 = 8;

/// Nothing smaller is worth cutting for.
const LEAST_BYTES: usize = 1024;

/// So many full batches are in memory at once. Who comes later cuts a small one, and waits for nobody.
const FULL_BATCHES: usize = 32;
/// A small batch, in bytes.
const SMALL: usize = 16 * 1024;

/// The most of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// In messages.
    pub messages: usize,
    /// In bytes, as encoded. A single message may be longer.
    pub bytes: usize,
}

impl Limit {
    /// No request is larger.
    pub const MOST: Self = Self { messages: MOST_MESSAGES, bytes: LONGEST_BATCH };
    /// One message at a time.
    pub const ONE: Self = Self { messages: 1, bytes: 0 };
    /// To begin with: 500 messages of the usual size, and what a slow line carries while a command waits for it.
    const FIRST: Self = Self { bytes: LONGEST_BATCH / 4, ..Self::MOST };

    fn halved(self) -> Self {
        Self { messages: (self.messages / 2).max(1), bytes: (self.bytes / 2).max(LEAST_BYTES) }
    }

    fn doubled(self) -> Self {
        Self { messages: self.messages * 2, bytes: self.bytes * 2 }.at_most(Self::MOST)
    }

    fn at_most(self, most: Self) -> Self {
        Self { messages: self.messages.min(most.messages), bytes: self.bytes.min(most.bytes) }
    }
}

/// What was learnt of each recipient since this process began. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Limits {
    learnt: Arc<Mutex<HashMap<Name, Learnt>>>,
    room: Arc<Semaphore>,
}

/// The right to make a batch of this size, for as long as it is kept.
#[derive(Debug)]
pub struct Portion {
    /// How much it may be.
    pub limit: Limit,
    _room: Option<OwnedSemaphorePermit>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { learnt: Arc::default(), room: Arc::new(Semaphore::new(FULL_BATCHES)) }
    }
}

#[derive(Debug, Clone, Copy)]
struct Learnt {
    limit: Limit,
    /// How many requests in a row went well with this limit.
    well: u32,
    /// Until then it gets one message at a time.
    singly_until: Option<Instant>,
}

impl Default for Learnt {
    fn default() -> Self {
        Self { limit: Limit::FIRST, well: 0, singly_until: None }
    }
}

impl Limits {
    /// How much this recipient is handed at once now: less, while many others are handed much.
    #[must_use]
    pub fn portion(&self, recipient: &Name, now: Instant) -> Portion {
        let room = Arc::clone(&self.room).try_acquire_owned().ok();
        let most = if room.is_some() { Limit::MOST } else { Limit { bytes: SMALL, ..Limit::MOST } };
        Portion { limit: self.of(recipient, now).at_most(most), _room: room }
    }

    fn of(&self, recipient: &Name, now: Instant) -> Limit {
        match locked(&self.learnt).get(recipient) {
            Some(Learnt { singly_until: Some(until), .. }) if now < *until => Limit::ONE,
            Some(learnt) => learnt.limit,
            None => Limit::FIRST,
        }
    }

    /// So much was too much.
    pub fn too_much(&self, recipient: &Name, tried: Limit) {
        self.learn(recipient, |learnt| {
            *learnt = Learnt { limit: learnt.limit.at_most(tried).halved(), well: 0, ..*learnt };
        });
    }

    /// It knows no batches.
    pub fn no_batches(&self, recipient: &Name, now: Instant) {
        self.learn(recipient, |learnt| learnt.singly_until = Some(now + NO_BATCHES));
    }

    /// A request came to its end as it should.
    pub fn went_well(&self, recipient: &Name) {
        self.learn(recipient, |learnt| {
            learnt.well += 1;
            if learnt.well >= WELL_ENOUGH {
                *learnt = Learnt { limit: learnt.limit.doubled(), well: 0, ..*learnt };
            }
        });
    }

    fn learn(&self, recipient: &Name, change: impl FnOnce(&mut Learnt)) {
        change(locked(&self.learnt).entry(recipient.clone()).or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rui() -> Name {
        "rui".parse().unwrap()
    }

    #[tokio::test]
    async fn too_much_is_halved_down_to_one_message_and_grows_again_when_it_goes_well() {
        let (limits, now) = (Limits::default(), Instant::now());
        assert_eq!(limits.of(&rui(), now), Limit::FIRST);
        limits.too_much(&rui(), Limit { messages: 40, bytes: 10_000 });
        assert_eq!(limits.of(&rui(), now), Limit { messages: 20, bytes: 5_000 }, "of what was tried");
        for _ in 0..6 {
            let tried = limits.of(&rui(), now);
            limits.too_much(&rui(), tried);
        }
        assert_eq!(limits.of(&rui(), now).messages, 1);
        limits.too_much(&rui(), Limit::ONE);
        assert_eq!(limits.of(&rui(), now).messages, 1, "never none");
        let grows = |times: u32| {
            (0..times).for_each(|_| limits.went_well(&rui()));
            limits.of(&rui(), now).messages
        };
        assert_eq!([grows(7), grows(1), grows(8), grows(7)], [1, 2, 4, 4]);
        let tried = limits.of(&rui(), now);
        limits.too_much(&rui(), tried);
        assert_eq!([grows(7), grows(1)], [2, 4], "in a row");
        assert_eq!(grows(8 * 20), Limit::MOST.messages);
        assert_eq!(limits.of(&"zé".parse().unwrap(), now), Limit::FIRST, "each for itself");
    }

    #[tokio::test]
    async fn who_knows_no_batches_is_asked_again_after_an_hour() {
        let (limits, now) = (Limits::default(), Instant::now());
        limits.no_batches(&rui(), now);
        limits.went_well(&rui());
        assert_eq!(limits.of(&rui(), now + NO_BATCHES / 2), Limit::ONE);
        assert_eq!(limits.of(&rui(), now + NO_BATCHES), Limit::FIRST);
    }

    #[tokio::test]
    async fn while_many_are_handed_much_the_others_are_handed_little_and_wait_for_nobody() {
        let (limits, now) = (Limits::default(), Instant::now());
        let mut many: Vec<_> = (0..FULL_BATCHES).map(|_| limits.portion(&rui(), now)).collect();
        assert!(many.iter().all(|portion| portion.limit == Limit::FIRST));
        assert_eq!(limits.portion(&rui(), now).limit, Limit { bytes: SMALL, ..Limit::FIRST });
        many.pop();
        assert_eq!(limits.portion(&rui(), now).limit, Limit::FIRST);
    }
}
