//! The transport: hands one message over to the peer at an address, and says what it answered.

use std::time::Duration;

use jiff::Timestamp;
use protocol::message::{Message, Receipt};
use protocol::problem::Body;
use protocol::{Fingerprint, Slug, paths};
use reqwest::StatusCode;

use crate::client::{Destination, Peers, bounded, innermost, other_key, retry_after};

/// A receipt comes within this, or it counts as none.
const PATIENCE: Duration = Duration::from_secs(10);
/// A receipt is no longer than this.
const LONGEST_RECEIPT: usize = 4 * 1024;

/// What came of handing a message over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// The recipient keeps it.
    Accepted {
        /// Since when, by its own clock.
        received_at: Timestamp,
    },
    /// The recipient will never keep it.
    Refused {
        /// Why, in its words.
        reason: String,
    },
    /// Whoever is at that address, it is not the recipient.
    Misdirected {
        /// Why, in its words.
        reason: String,
    },
    /// Whoever is at that address has not the recipient's key. Nothing of the message was sent.
    OtherKey {
        /// Which keys.
        reason: String,
        /// The key that was shown.
        presented: Fingerprint,
    },
    /// Not this time. The message may have arrived all the same.
    Unreachable {
        /// Why not.
        reason: String,
        /// When the recipient asked to be tried again.
        retry_after: Option<Duration>,
    },
}

/// Hands messages over.
#[derive(Debug, Clone)]
pub struct Transport {
    peers: Peers,
}

impl Transport {
    /// A transport over this client.
    #[must_use]
    pub fn new(peers: Peers) -> Self {
        Self { peers }
    }

    /// Hands `message` over to whoever is expected at this destination, and to nobody else.
    pub async fn hand_over(&self, destination: &Destination, message: &Message) -> Handover {
        let address = &destination.address;
        let answer = match self.peers.post(destination, paths::MESSAGES, message, PATIENCE).await {
            Ok(answer) => answer,
            Err(error) => {
                return match other_key(&error) {
                    Some(keys) => {
                        let reason = format!("{address} is not the recipient: {keys}");
                        Handover::OtherKey { reason, presented: keys.presented }
                    }
                    None => unreachable(format!("no answer from {address}: {}", innermost(&error)), None),
                };
            }
        };
        let (status, retry_after) = (answer.status(), retry_after(&answer));
        match bounded(answer, LONGEST_RECEIPT).await {
            Ok(bytes) => judge(message, status, &bytes, retry_after),
            Err(error) => unreachable(format!("no receipt from {address}: {error}"), None),
        }
    }
}

fn unreachable(reason: String, retry_after: Option<Duration>) -> Handover {
    Handover::Unreachable { reason, retry_after }
}

/// What the answer means for this message. Only what is final for the message itself refuses it.
fn judge(message: &Message, status: StatusCode, bytes: &[u8], retry_after: Option<Duration>) -> Handover {
    if matches!(status, StatusCode::OK | StatusCode::CREATED) {
        return match serde_json::from_slice::<Receipt>(bytes) {
            Ok(receipt) if Some(receipt.id) == message.id => {
                Handover::Accepted { received_at: receipt.received_at }
            }
            _ => unreachable("the answer is not a receipt for this message".to_owned(), None),
        };
    }
    let problem = serde_json::from_slice::<Body<'_>>(bytes).ok();
    let slug = problem.as_ref().and_then(|problem| Slug::from_urn(&problem.kind));
    let reason = match (slug, &problem) {
        (Some(slug), Some(problem)) => format!("{}: {}", slug.word(), problem.detail),
        _ => format!("the recipient answers {status}"),
    };
    match (status.as_u16(), slug) {
        (421, _) => Handover::Misdirected { reason },
        (409 | 413 | 422, _)
        | (403, Some(Slug::Blocked | Slug::NotAccepted | Slug::ProofRequired | Slug::KeyMismatch)) => {
            Handover::Refused { reason }
        }
        _ => unreachable(reason, retry_after),
    }
}

#[cfg(test)]
mod tests {
    use protocol::message::{Body as Text, Ranges};
    use uuid::Uuid;

    use super::*;

    fn message() -> Message {
        Message {
            id: Some(Uuid::from_u128(7)),
            from: "ana".parse().unwrap(),
            to: Some("rui".parse().unwrap()),
            body: Text::try_from("oi".to_owned()).unwrap(),
            sent_at: None,
            seq: Some(1),
            closed: Ranges::default(),
            reply_to: None,
        }
    }

    fn judged(status: u16, body: &str) -> Handover {
        judge(&message(), StatusCode::from_u16(status).unwrap(), body.as_bytes(), None)
    }

    fn problem(slug: Slug) -> String {
        serde_json::to_string(&slug.because("Because.").body()).unwrap()
    }

    #[test]
    fn only_a_receipt_for_this_message_counts() {
        let receipt = |id: u128| {
            format!(
                r#"{{"id":"{}","received_at":"2026-11-22T09:30:00Z","verified":false}}"#,
                Uuid::from_u128(id)
            )
        };
        assert!(matches!(judged(201, &receipt(7)), Handover::Accepted { .. }));
        assert!(matches!(judged(200, &receipt(7)), Handover::Accepted { .. }));
        assert!(matches!(judged(201, &receipt(8)), Handover::Unreachable { .. }));
        assert!(matches!(judged(204, ""), Handover::Unreachable { .. }));
        assert!(matches!(judged(200, "<html>"), Handover::Unreachable { .. }));
    }

    #[test]
    fn each_problem_is_final_or_not() {
        for slug in Slug::ALL {
            let handover = judged(slug.status(), &problem(*slug));
            let refused = matches!(handover, Handover::Refused { .. });
            let final_for_the_message = matches!(
                slug,
                Slug::Blocked
                    | Slug::NotAccepted
                    | Slug::ProofRequired
                    | Slug::KeyMismatch
                    | Slug::IdConflict
                    | Slug::NameTaken
                    | Slug::TokenInUse
                    | Slug::FingerprintChanged
                    | Slug::TooLarge
                    | Slug::InvalidName
                    | Slug::InvalidAddress
                    | Slug::InvalidFingerprint
                    | Slug::InvalidToken
                    | Slug::InvalidMessage
                    | Slug::InvalidQuery
            );
            assert_eq!(refused, final_for_the_message, "{}", slug.word());
            assert_eq!(matches!(handover, Handover::Misdirected { .. }), *slug == Slug::Misdirected);
        }
        assert!(matches!(judged(403, "forbidden by a proxy"), Handover::Unreachable { .. }));
    }
}
