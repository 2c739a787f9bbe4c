//! Real sockets and raw bytes against a served router.
//!
//! - `slow`: clients that stall or drip, and that nobody else notices them
//! - `problems`: every error is a problem with a request id, hyper's and axum's own included
//! - `share`: how much one request, or one source, may take
//! - `observed`: what a program may count
//! - `tls`: who speaks it, who does not, who stalls
//! - `keys`: which key a client has proved, and who may do without TLS
//! - `life`: what a connection may keep open, who gets in, and how a listener shuts down

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so and stops")]

mod kit;

mod keys;
mod life;
mod observed;
mod problems;
mod share;
mod slow;
mod tls;
