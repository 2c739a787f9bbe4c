//! The sender: who a message comes from, and whether it is taken. That is decided from what the connection proved, from
//! what this peer remembers of the name, and where that does not say, from what the directory does.

use std::net::IpAddr;

use protocol::{Fingerprint, Name};

use super::claims::Answer;
use crate::contacts::{Kind, Standing};

/// Who sent a message, as far as the connection tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The name that the message is sent under.
    pub name: Name,
    /// The key that the connection proved; its ids are a space of their own.
    pub key: Option<Fingerprint>,
    /// The IP address that the message came from.
    pub source: IpAddr,
}

/// Whose messages are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Accept {
    /// Everybody's who may use the name.
    #[default]
    Everyone,
    /// Those that are verified.
    Verified,
    /// Those of contacts.
    Contacts,
}

/// What comes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The name is pinned to the key that was proved.
    Verified,
    /// The name has no pin, and the directory says that the key which was proved is its: it is to be pinned.
    First,
    /// Nobody can say whose the name is.
    Unverified,
    /// It is not taken.
    Refused(Why),
    /// Only the directory can tell.
    Ask,
}

/// Why a message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The user blocked the name, or one that the key belongs to.
    Blocked,
    /// The name is pinned to another key.
    PinnedToAnother(Fingerprint),
    /// The directory says that the name has another key.
    ClaimedByAnother(Fingerprint),
    /// The name has a key, and none was proved.
    ProofRequired,
    /// Whether the name has a key cannot be found out at the moment.
    DirectoryNeeded,
    /// The user wants messages from fewer people.
    NotAccepted(Accept),
}

/// What comes of a message from somebody who proved this key and stands so. `answer` is what the directory said, if it was
/// asked; once it was, the verdict is never to ask it.
#[must_use]
pub fn judge(
    key: Option<Fingerprint>,
    standing: &Standing,
    answer: Option<Answer>,
    accept: Accept,
) -> Verdict {
    if standing.blocked {
        return Verdict::Refused(Why::Blocked);
    }
    let verdict = verdict(key, standing.pin.map(|pin| pin.fingerprint), answer);
    let is_contact = standing.pin.is_some_and(|pin| pin.kind != Kind::Seen);
    let accepted = match (verdict, accept) {
        (Verdict::Refused(_) | Verdict::Ask, _) | (_, Accept::Everyone) => true,
        (_, Accept::Verified) => verdict != Verdict::Unverified,
        (_, Accept::Contacts) => verdict == Verdict::Verified && is_contact,
    };
    if accepted { verdict } else { Verdict::Refused(Why::NotAccepted(accept)) }
}

/// What comes of a message by the keys alone: the one that was proved, the one that the name is pinned to, and the one that
/// the directory names.
fn verdict(key: Option<Fingerprint>, pin: Option<Fingerprint>, answer: Option<Answer>) -> Verdict {
    match (key, pin, answer) {
        (Some(key), Some(pin), _) if key == pin => Verdict::Verified,
        (Some(_), Some(pin), _) => Verdict::Refused(Why::PinnedToAnother(pin)),
        (None, Some(_), _) | (None, None, Some(Answer::Key(_))) => Verdict::Refused(Why::ProofRequired),
        (_, None, None) => Verdict::Ask,
        (Some(key), None, Some(Answer::Key(claimed))) if key == claimed => Verdict::First,
        (Some(_), None, Some(Answer::Key(claimed))) => Verdict::Refused(Why::ClaimedByAnother(claimed)),
        (None, None, Some(Answer::Away)) => Verdict::Refused(Why::DirectoryNeeded),
        (Some(_), None, Some(_))
        | (None, None, Some(Answer::NotConfigured | Answer::Unclaimed | Answer::WithoutKey)) => {
            Verdict::Unverified
        }
    }
}
