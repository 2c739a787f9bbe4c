//! Refusals: what a sender is told whose message is not kept, and what there is to do about it.

use listener::Seldom;
use protocol::problem::{Problem, Slug};
use protocol::{Fingerprint, Name};

use super::quota::{Exceeded, Quota};
use super::sender::{Accept, Why};
use crate::database::Fault;

/// Why a message under this name, from one who proved this key, is not taken.
pub(super) fn of_sender(why: Why, name: &Name, key: Option<Fingerprint>) -> Problem {
    match why {
        Why::Blocked => Slug::Blocked.because("This peer's user has blocked you, and reads nothing that you send."),
        Why::PinnedToAnother(pin) => {
            let proved = key.map_or_else(|| "none".to_owned(), |key| key.to_string());
            Slug::KeyMismatch.because(format!(
                "Here {name} has another key than you proved. If it is {name}'s new one, tell the recipient, who can type: peer trust {name} {proved}. Otherwise send under a name of your own. The key here is {pin}.",
            ))
        }
        Why::ClaimedByAnother(claimed) => Slug::KeyMismatch.because(format!(
            "In the directory {name} has the key {claimed}, and you proved another. Send under the name that you registered with this key, or under one that nobody has.",
        )),
        Why::ProofRequired => Slug::ProofRequired.because(format!(
            "{name} has a key, so its messages come over https with that key's certificate: use `peer send`, or curl with `--cert identity.pem`. Without a key, send under a name that nobody has.",
        )),
        Why::DirectoryNeeded => {
            let way_out = match key {
                Some(_) => "Try again.",
                None => "Try again, or send over https with a certificate.",
            };
            let detail = format!(
                "Whether {name} has a key, and which, is for the directory to say, and it does not answer. {way_out}"
            );
            Slug::DirectoryNeeded.because(detail).retry_after(5)
        }
        Why::NotAccepted(Accept::Contacts) => Slug::NotAccepted.because(
            "This peer takes messages from its user's contacts only. Give the user your `peer invite` link some other way, to be added.",
        ),
        Why::NotAccepted(_) => Slug::NotAccepted.because(
            "This peer takes only messages whose sender is verified. Register your name with your key in the recipient's directory, and send with `peer send`.",
        ),
    }
}

/// Which quota is used up, and how it is freed or lifted.
pub(super) fn of_quota(exceeded: Exceeded) -> Problem {
    let (whose, quota, flag) = match exceeded {
        Exceeded::Unverified(quota) => {
            ("senders without a certificate, all together", quota, "--unverified-limit")
        }
        Exceeded::Stranger(quota) => ("one key that is no contact's", quota, "--stranger-limit"),
        Exceeded::Strangers(quota) => {
            ("all keys that are no contacts', together", quota, "--strangers-limit")
        }
    };
    let used_up = if quota == Quota::AtMost(0, 0) { "" } else { ", and that is used up" };
    let remedy = match exceeded {
        Exceeded::Unverified(_) => "or lifts the limit with that flag",
        Exceeded::Stranger(_) | Exceeded::Strangers(_) => {
            "lifts the limit with that flag, or makes a contact of you with `peer trust`"
        }
    };
    Slug::QuotaExceeded
        .because(format!(
            "This peer keeps {} of {whose} ({flag}){used_up}. Its user makes room with `peer delete` or `peer prune`, {remedy}. Try again later.",
            quota.in_words(),
        ))
        .retry_after(60)
}

/// The database could not keep it. A full disk lasts, and whoever sends on meanwhile writes no log.
pub(super) fn of_fault(fault: &Fault) -> Problem {
    static PASSING: Seldom = Seldom::new();
    static LASTING: Seldom = Seldom::new();
    let seldom = match fault {
        Fault::Full | Fault::Unavailable(_) => &PASSING,
        Fault::Damaged(_) | Fault::Statement(_) | Fault::Defect => &LASTING,
    };
    if let Some(silently) = seldom.happens() {
        tracing::error!(%fault, silently, "messages cannot be kept");
    } else {
        tracing::debug!(%fault, "a message could not be kept");
    }
    match fault {
        Fault::Full => Slug::StorageFull.because("This peer's disk is full. Try again later."),
        Fault::Unavailable(_) => Slug::Unavailable
            .because("This peer cannot write to its disk at the moment. Try again.")
            .retry_after(1),
        Fault::Damaged(_) | Fault::Statement(_) | Fault::Defect => {
            Slug::Internal.because("The message was not kept. Try again later.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_told_in_words_and_trust_to_those_who_can_be_trusted() {
        let quota = Quota::AtMost(3, 100);
        for (exceeded, can_be_trusted) in [
            (Exceeded::Unverified(quota), false),
            (Exceeded::Stranger(quota), true),
            (Exceeded::Strangers(quota), true),
        ] {
            let said = of_quota(exceeded).detail;
            assert!(said.contains("at most 3 messages and 100 bytes of "), "{said}");
            assert_eq!(said.contains("`peer trust`"), can_be_trusted, "{said}");
        }
        let said = of_quota(Exceeded::Stranger(Quota::AtMost(1_000, 16 << 20))).detail;
        assert!(said.contains("at most 1000 messages and 16MiB of one key"), "{said}");
        let said = of_quota(Exceeded::Strangers(Quota::AtMost(0, 0))).detail;
        assert!(said.contains("keeps nothing of all keys"), "{said}");
    }
}
