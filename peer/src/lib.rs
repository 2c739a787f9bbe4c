//! The peer: it receives messages straight from other peers, sends straight to theirs, keeps every one of them in its
//! own SQLite file, and shows them.
//!
//! A message's way, and the order in which to read: `cli::send` → `outbound` (outbox, courier, directory, transport) ⇒
//! `inbound` (endpoint, sender, inbox) → `cli::inbox`.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why something came to nothing, in English, put together as by `format!`. It is logged, kept with messages and given to
/// programs so; a face says it in the user's language, which is why each of these texts stands in its catalogue too.
macro_rules! reason {
    ($($text:tt)*) => { format!($($text)*) };
}

pub mod cli;

pub mod outbound;

pub mod inbound;

pub mod on_message;

pub mod directory;

pub mod client;

pub mod archive;

pub mod conversations;

pub mod contacts;

pub mod identity;

pub mod peer;

pub mod serving;

pub(crate) mod doctor;

pub mod database;

/// Locks although a holder panicked: what the locks here guard is whole between any two statements.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When it is, to the millisecond: what people and databases can compare by eye.
#[must_use]
pub fn now() -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
