//! The HTTP side that both programs need: connections with a time limit on everything, JSON taken in at one border, and
//! every error answered as a problem. It leaves all routes, and what they mean, to the programs.
//!
//! In the order in which a request meets them: [`bind`](fn@bind) takes a port, [`serve`](fn@serve) accepts a connection, [`dressed`] is what every router wears,
//! [`Json`] and [`Query`] take in what was sent, and a [`Refusal`] is what comes back when that cannot be. [`Places`] bound what
//! one network may hold.

mod bind;
mod body;
mod client_key;
mod connection;
mod farewell;
mod flags;
mod forwarded;
mod json;
mod layers;
mod limits;
mod observer;
mod pace;
mod places;
mod query;
mod rate;
mod refusal;
mod seldom;
mod serve;
mod settings;
mod source;
mod supervisor;
mod tls;

pub use bind::bind;
pub use client_key::{ClientKey, Transport};
pub use flags::LimitFlags;
pub use json::{Document, Json, Shape};
pub use layers::{dressed, guarded};
pub use limits::Limits;
pub use observer::Observer;
pub use places::{Place, Places};
pub use query::Query;
pub use refusal::Refusal;
pub use seldom::Seldom;
pub use serve::serve;
pub use settings::Settings;
pub use source::{Source, TrustedProxy, TrustedProxyError};
pub use supervisor::Supervised;
pub use tls::{Plain, Tls, TlsError, install_provider, provider};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks although a holder panicked: what the locks here guard is whole between any two statements.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
