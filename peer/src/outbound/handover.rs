//! What a recipient's answer means for the messages that it was handed. Decides, and does nothing.

use std::fmt;
use std::time::Duration;

use protocol::batch::Item as Said;
use protocol::message::Receipt;
use protocol::problem::{Body, clipped};
use protocol::{Fingerprint, Slug};
use uuid::Uuid;

/// What came of handing a batch over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// The recipient has said of at least one message whether it keeps it.
    Answered {
        /// What becomes of each message, in the order of the batch.
        fates: Vec<Fate>,
        /// When the recipient asked to be tried again with what it keeps not yet.
        retry_after: Option<Duration>,
    },
    /// The recipient takes no more than less than this at once.
    TooMuch,
    /// The recipient takes one message at a time.
    NoBatches,
    /// Whoever is at that address, it is not the recipient.
    Misdirected {
        /// Why, in its words.
        reason: String,
    },
    /// Whoever is at that address has not the recipient's key. Nothing of the messages was sent.
    OtherKey {
        /// Which keys.
        reason: String,
        /// The key that was shown.
        presented: Fingerprint,
    },
    /// They may have arrived, but nothing that came back says so. Fewer at once may fare better.
    Unclear {
        /// What came back instead.
        reason: String,
    },
    /// Not this time.
    Unreachable {
        /// Why not.
        reason: String,
        /// When the recipient asked to be tried again.
        retry_after: Option<Duration>,
    },
}

impl fmt::Display for Handover {
    /// In a line, without what the messages say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { fates, .. } => {
                let kept = fates.iter().filter(|fate| matches!(fate, Fate::Kept(_))).count();
                write!(f, "{kept} of {} kept", fates.len())
            }
            Self::TooMuch => f.write_str(&reason!("it takes fewer messages at once")),
            Self::NoBatches => f.write_str(&reason!("it takes one message at a time")),
            Self::Misdirected { reason }
            | Self::OtherKey { reason, .. }
            | Self::Unclear { reason }
            | Self::Unreachable { reason, .. } => f.write_str(reason),
        }
    }
}

/// What becomes of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The recipient keeps it.
    Kept(Receipt),
    /// The recipient will never keep it.
    Refused {
        /// Why, in its words.
        reason: String,
        /// Its answer's status.
        status: u16,
    },
    /// Not this time.
    Postponed {
        /// Why, in its words.
        reason: String,
    },
    /// It was its turn only if those before it had been kept.
    NotTried,
}

/// The answer to a request.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Its HTTP status.
    pub status: u16,
    /// Its body.
    pub body: &'a [u8],
    /// When it asks to be asked again.
    pub retry_after: Option<Duration>,
}

/// What this answer means for the messages with these ids: one as a single message, several as a batch.
#[must_use]
pub fn judge(ids: &[Uuid], answer: Answer<'_>) -> Handover {
    match (ids, answer.status) {
        ([id], 200 | 201) => match serde_json::from_slice::<Receipt>(answer.body) {
            Ok(receipt) if receipt.id == *id => answered(vec![Fate::Kept(receipt)], None),
            _ => unclear(reason!("the answer is not a receipt for this message")),
        },
        (_, 200) => match serde_json::from_slice::<Vec<Said>>(answer.body) {
            Ok(said) => in_turn(ids, said, answer.retry_after),
            Err(_) => unclear(reason!("the answer is not one to these messages")),
        },
        _ => refused(ids.len(), answer),
    }
}

fn answered(fates: Vec<Fate>, retry_after: Option<Duration>) -> Handover {
    Handover::Answered { fates, retry_after }
}

fn unclear(reason: String) -> Handover {
    Handover::Unclear { reason }
}

/// What an answer message by message means. It counts only if it is one to exactly these, in this order.
fn in_turn(ids: &[Uuid], said: Vec<Said>, retry_after: Option<Duration>) -> Handover {
    let of_another = |(id, said): (&Uuid, &Said)| match said {
        Said::New(receipt) | Said::Before(receipt) => receipt.id != *id,
        Said::Refused(_) | Said::Unreadable => false,
    };
    if said.len() != ids.len() || ids.iter().zip(&said).any(of_another) {
        return unclear(reason!("the answer is not one to these messages"));
    }
    let mut fates = Vec::with_capacity(said.len());
    // The first thing that keeps the recipient from taking what comes behind it, too.
    let mut stop = None;
    for said in said {
        let fate = match said {
            Said::New(receipt) | Said::Before(receipt) => Fate::Kept(receipt),
            _ if stop.is_some() => Fate::NotTried,
            Said::Unreadable => Fate::Postponed { reason: reason!("the answer says nothing of it") },
            Said::Refused(problem) => {
                let objection = Objection::of(problem.status, Some(&problem));
                if matches!(problem.status, 421 | 429 | 503 | 507) {
                    stop = Some((objection.meaning, objection.reason.clone()));
                }
                match objection.meaning {
                    Meaning::Final => Fate::Refused { reason: objection.reason, status: problem.status },
                    _ => Fate::Postponed { reason: objection.reason },
                }
            }
        };
        fates.push(fate);
    }
    if fates.iter().any(|fate| matches!(fate, Fate::Kept(_) | Fate::Refused { .. })) {
        return answered(fates, retry_after);
    }
    match stop {
        Some((Meaning::NotHere, reason)) => Handover::Misdirected { reason },
        Some((_, reason)) => Handover::Unreachable { reason, retry_after },
        None => {
            let first = fates.into_iter().find_map(|fate| match fate {
                Fate::Postponed { reason } => Some(reason),
                _ => None,
            });
            Handover::Unclear { reason: first.unwrap_or_default() }
        }
    }
}

/// What an answer to the request as a whole means.
fn refused(count: usize, answer: Answer<'_>) -> Handover {
    let Answer { status, body, retry_after } = answer;
    let problem = serde_json::from_slice::<Body<'_>>(body).ok();
    let Objection { meaning, reason } = Objection::of(status, problem.as_ref());
    match (status, meaning) {
        // Which of them conflicts is not said: fewer at once tell.
        (409 | 413, _) if count > 1 => Handover::TooMuch,
        (400 | 415 | 422, _) if count > 1 => Handover::NoBatches,
        // What it says of the sender holds for each of them.
        (_, Meaning::Final) => answered(vec![Fate::Refused { reason, status }; count], None),
        (_, Meaning::NotHere) => Handover::Misdirected { reason },
        (429 | 503 | 507, _) => Handover::Unreachable { reason, retry_after },
        (_, Meaning::NotNow) if retry_after.is_some() => Handover::Unreachable { reason, retry_after },
        (_, Meaning::NotNow) => Handover::Unclear { reason },
    }
}

/// What speaks against keeping a message.
struct Objection {
    meaning: Meaning,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// It will never be kept.
    Final,
    /// It speaks about the address, not about the message.
    NotHere,
    /// It may be kept another time.
    NotNow,
}

impl Objection {
    /// Only what is final for the message itself is final.
    fn of(status: u16, problem: Option<&Body<'_>>) -> Self {
        let slug = problem.and_then(|problem| Slug::from_urn(&problem.kind));
        let reason = match (slug, problem) {
            (Some(slug), Some(problem)) => {
                // It is kept, and shown with each message that it holds up.
                reason!("{}: {}", slug.word(), clipped(problem.detail.to_string()))
            }
            _ => reason!("the recipient answers {status}"),
        };
        let meaning = match (status, slug) {
            (421, _) => Meaning::NotHere,
            (409 | 413 | 422, _)
            | (403, Some(Slug::Blocked | Slug::NotAccepted | Slug::ProofRequired | Slug::KeyMismatch)) => {
                Meaning::Final
            }
            _ => Meaning::NotNow,
        };
        Self { meaning, reason }
    }
}

#[cfg(test)]
mod tests;
