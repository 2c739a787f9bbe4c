//! The test kit speaks the product: a `Directory`, a `Peer`, what was sent and what is in the inbox.
//!
//! Everything is a real process with its own temporary folder, on a port that the system picked. Every wait has a
//! deadline, and when a story fails, the logs of all its processes are printed.

mod anyone;
mod chance;
mod contract;
mod copies;
mod directory;
mod fake;
mod fault;
mod gate;
mod http;
mod key;
mod peer;
mod process;
mod programs;
mod python;
mod recipient;
mod stream;
mod terminal;
mod wait;
mod wire;

pub(crate) use chance::Chance;
pub(crate) use contract::CONTRACT;
pub(crate) use directory::Directory;
pub(crate) use fake::{Asked, Fake, Feed, Reply, record};
pub(crate) use fault::inject;
pub(crate) use gate::Gate;
pub(crate) use http::{Answer, Program, Request, raw};
pub(crate) use key::Key;
pub(crate) use peer::{Damage, Finished, Line, Peer, Recipe, Sent};
pub(crate) use process::{Process, Signal, Trigger};
pub(crate) use programs::{clean, peer_command, program_named, root, server_command};
pub(crate) use python::python_tool;
pub(crate) use recipient::{Claim, MESSAGES, Recipient};
pub(crate) use stream::{Event, Stream};
pub(crate) use terminal::{at_terminal, unstyled};
pub(crate) use wait::{DEADLINE, until};
pub(crate) use wire::Wire;

/// A token that nobody else uses.
pub(crate) fn new_token() -> String {
    format!("token-{}", uuid::Uuid::now_v7().simple())
}

/// Whether `tests/run --long` asked for longer rounds.
pub(crate) fn long() -> bool {
    std::env::var_os("RECADO_LONG").is_some()
}
