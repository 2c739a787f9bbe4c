//! The judge: who sent a message. It decides from what the connection proved, never from the message's word alone.
//!
//! Connections prove nothing yet: they carry no keys. So every sender is unverified.

use std::net::IpAddr;

use listener::Source;
use protocol::message::Message;
use protocol::{Fingerprint, Name};

/// Who sent a message, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The name that the message is shown under.
    pub name: Name,
    /// The key that the connection proved; its ids are a space of their own.
    pub key: Option<Fingerprint>,
    /// Whether the name is known to belong to that key.
    pub verified: bool,
    /// The IP address that the message came from.
    pub source: IpAddr,
}

/// Judges senders.
#[derive(Debug, Clone, Copy)]
pub struct Judge;

impl Judge {
    /// Who sent this message over a connection from `source`.
    #[must_use]
    pub fn sender_of(self, message: &Message, source: Source) -> Sender {
        Sender { name: message.from.clone(), key: None, verified: false, source: source.ip() }
    }
}
