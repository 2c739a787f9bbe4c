//! What the directory is asked and what it answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Address, Fingerprint, Name, Secret};

/// The body of `POST /register`, as a peer sends it.
#[derive(Debug, Clone, Serialize)]
pub struct Registration {
    /// The name to claim, or to renew.
    pub name: Name,
    /// Where the peer can be dialled; an unspecified host means "where you see me".
    pub address: Address,
    /// The fingerprint of the peer's key, once it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// The code that a private directory asks for with a new claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite: Option<Secret>,
    /// The peer has just started.
    pub fresh: bool,
}

/// What an event of `GET /events` says of the record that is its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The peer came online.
    Joined,
    /// It has another address or fingerprint, or was started anew.
    Changed,
    /// It went offline; the record is its last.
    Left,
}

impl Change {
    /// The event that stands for no change: read `GET /peers` again, something may have been missed.
    pub const RESET: &str = "reset";

    /// The event's name on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Changed => "changed",
            Self::Left => "left",
        }
    }

    /// The change that an event's name stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Joined, Self::Changed, Self::Left].into_iter().find(|change| change.word() == word)
    }
}

/// One who is online, as `GET /peers` lists it. Nothing in it changes when a lease is renewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerRecord {
    /// The claimed name.
    pub name: Name,
    /// Where the peer says it can be dialled.
    pub address: Address,
    /// The fingerprint of the claim: a hint, never a proof.
    pub fingerprint: Option<Fingerprint>,
    /// When the peer came online, or said that it had just started.
    pub online_since: Timestamp,
}

/// The answer to `POST /register`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Registered {
    /// What is listed now.
    #[serde(flatten)]
    pub record: PeerRecord,
    /// When the lease ends, in wall time as it stood; for information.
    pub expires_at: Timestamp,
    /// How long the lease lasts, in seconds of the directory's running time.
    pub ttl_seconds: u64,
    /// The token that the directory made for a new claim; said once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
}

/// The answer to `GET /peers/{name}`: any claimed name, online or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The claimed name.
    pub name: Name,
    /// The fingerprint of the claim.
    pub fingerprint: Option<Fingerprint>,
    /// Whether its lease runs.
    pub online: bool,
    /// Where the peer says it can be dialled, when online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Since when, when online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online_since: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_of_a_registration_shows_no_secret() {
        let (name, address): (Name, Address) =
            ("ana".parse().unwrap(), "https://192.0.2.7:1".parse().unwrap());
        let secret = || Some(Secret::from("xyzzy".to_owned()));
        let asked = Registration {
            name: name.clone(),
            address: address.clone(),
            fingerprint: None,
            invite: secret(),
            fresh: true,
        };
        let answered = Registered {
            record: PeerRecord { name, address, fingerprint: None, online_since: Timestamp::UNIX_EPOCH },
            expires_at: Timestamp::UNIX_EPOCH,
            ttl_seconds: 60,
            token: secret(),
        };
        let said = [serde_json::to_string(&asked).unwrap(), serde_json::to_string(&answered).unwrap()];
        let logged = format!("{asked:?} {answered:?}");
        assert!(said.iter().all(|said| said.contains("\"xyzzy\"")) && !logged.contains("xyzzy"), "{logged}");
    }
}
