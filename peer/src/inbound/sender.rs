//! The sender: who a message comes from, and whether it is taken. That is decided from what the connection proved, from
//! what this peer remembers of the name, and where that does not say, from what the directory does.

use listener::Source;
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
    /// Where the message came from.
    pub source: Source,
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

/// What comes of a message from somebody who proved this key and stands so, by what the directory says now.
#[must_use]
pub fn judge(key: Option<Fingerprint>, standing: &Standing, answer: Answer, accept: Accept) -> Verdict {
    by_pin(key, standing, accept).unwrap_or_else(|| by_claim(key, answer, accept))
}

/// What comes of it, if that can be said without asking the directory. What it said a moment ago is enough to take a
/// message, and not to refuse one for good: the name may have been claimed since.
#[must_use]
pub fn judge_unasked(
    key: Option<Fingerprint>,
    standing: &Standing,
    remembered: Option<Answer>,
    accept: Accept,
) -> Option<Verdict> {
    by_pin(key, standing, accept).or_else(|| {
        let answer = remembered?;
        let verdict = by_claim(key, answer, accept);
        (answer == Answer::NotConfigured || !matches!(verdict, Verdict::Refused(_))).then_some(verdict)
    })
}

/// What is settled by what this peer remembers of the name and the key.
fn by_pin(key: Option<Fingerprint>, standing: &Standing, accept: Accept) -> Option<Verdict> {
    if standing.blocked {
        return Some(Verdict::Refused(Why::Blocked));
    }
    let pin = standing.pin?;
    Some(match key {
        None => Verdict::Refused(Why::ProofRequired),
        Some(key) if key != pin.fingerprint => Verdict::Refused(Why::PinnedToAnother(pin.fingerprint)),
        Some(_) if accept == Accept::Contacts && pin.kind == Kind::Seen => {
            Verdict::Refused(Why::NotAccepted(accept))
        }
        Some(_) => Verdict::Verified,
    })
}

/// What comes of a message under a name that has no pin.
fn by_claim(key: Option<Fingerprint>, answer: Answer, accept: Accept) -> Verdict {
    let verdict = match (key, answer) {
        (Some(key), Answer::Key(claimed) | Answer::KeyBefore(claimed)) if key == claimed => Verdict::First,
        (Some(_), Answer::Key(claimed)) => return Verdict::Refused(Why::ClaimedByAnother(claimed)),
        (None, Answer::Key(_)) => return Verdict::Refused(Why::ProofRequired),
        (_, Answer::KeyBefore(_)) | (None, Answer::Away) => {
            return Verdict::Refused(Why::DirectoryNeeded);
        }
        (_, Answer::NotConfigured | Answer::Unclaimed | Answer::WithoutKey) | (Some(_), Answer::Away) => {
            Verdict::Unverified
        }
    };
    match (verdict, accept) {
        (_, Accept::Everyone) | (Verdict::First, Accept::Verified) => verdict,
        // It may be the sender's name: that is no reason to refuse the message for good.
        (_, Accept::Verified) if answer == Answer::Away => Verdict::Refused(Why::DirectoryNeeded),
        _ => Verdict::Refused(Why::NotAccepted(accept)),
    }
}
