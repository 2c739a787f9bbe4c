//! A message as it travels, and the receipt that answers it.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::name::NameError;
use crate::{Name, Problem, Slug};

/// The most bytes of a message's body, as text.
pub const LONGEST_BODY: usize = 65_536;
/// The most bytes of one message as encoded: a body may need six bytes for each of its own.
pub const LONGEST_ENCODED: usize = 512 * 1024;
/// The highest sequence number: the largest integer that every JSON reader holds exactly.
pub const HIGHEST_SEQ: u64 = (1 << 53) - 1;

/// A message that was parsed: nothing in it can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Made by the sender, or by the receiver if it was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Who says that they wrote it.
    pub from: Name,
    /// Whom it is for; this peer, if it was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Name>,
    /// The text.
    pub body: Body,
    /// When the sender wrote it, by the sender's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// The sender's count of its messages to this name, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The counts of messages that the sender will never deliver.
    #[serde(skip_serializing_if = "Ranges::is_empty")]
    pub closed: Ranges,
    /// The message that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Uuid>,
}

/// Ranges of sequence numbers, each from its first to its last: at most 16, in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<[u64; 2]>")]
pub struct Ranges(Vec<[u64; 2]>);

/// Why numbers are not ranges of sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangesError {
    /// More than 16.
    #[error("a message has at most {most} ranges; this one has {0}", most = Ranges::MOST)]
    TooMany(usize),
    /// One that begins before 1, ends before it begins, or ends behind the highest number.
    #[error("[{0}, {1}] is not a range [first, last] with 1 <= first <= last <= {HIGHEST_SEQ}")]
    Range(u64, u64),
}

impl Ranges {
    /// The most ranges that travel with a message or a receipt.
    pub const MOST: usize = 16;

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each first and last number.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().map(|[first, last]| (*first, *last))
    }
}

impl TryFrom<Vec<[u64; 2]>> for Ranges {
    type Error = RangesError;

    fn try_from(ranges: Vec<[u64; 2]>) -> Result<Self, RangesError> {
        if ranges.len() > Self::MOST {
            return Err(RangesError::TooMany(ranges.len()));
        }
        match ranges.iter().find(|[first, last]| !(1 <= *first && first <= last && *last <= HIGHEST_SEQ)) {
            Some([first, last]) => Err(RangesError::Range(*first, *last)),
            None => Ok(Self(ranges)),
        }
    }
}

/// The text of a message: 1 to 65,536 bytes of UTF-8, any characters but NUL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Body(String);

/// Why a text is not a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Nothing in it.
    #[error("a message has at least one character")]
    Empty,
    /// More than 65,536 bytes.
    #[error("a message has at most {LONGEST_BODY} bytes; this one has {0}")]
    TooLong(usize),
    /// A NUL character.
    #[error("a message cannot contain the NUL character")]
    Nul,
}

impl Body {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Body {
    type Error = BodyError;

    fn try_from(text: String) -> Result<Self, BodyError> {
        if text.is_empty() {
            Err(BodyError::Empty)
        } else if text.len() > LONGEST_BODY {
            Err(BodyError::TooLong(text.len()))
        } else if text.contains('\0') {
            Err(BodyError::Nul)
        } else {
            Ok(Self(text))
        }
    }
}

impl From<Body> for String {
    fn from(body: Body) -> Self {
        body.0
    }
}

/// A message as it was sent, before anything in it was believed.
#[derive(Debug, Deserialize)]
#[serde(expecting = "one message, a JSON object")]
pub struct Unparsed {
    #[serde(default)]
    id: Option<String>,
    from: String,
    #[serde(default)]
    to: Option<String>,
    body: String,
    #[serde(default)]
    sent_at: Option<String>,
    #[serde(default)]
    seq: Option<u64>,
    /// Of any length: a pair would be read no further than its end, and what comes then be no JSON.
    #[serde(default)]
    closed: Option<Vec<Vec<u64>>>,
    #[serde(default)]
    reply_to: Option<String>,
}

impl TryFrom<Unparsed> for Message {
    type Error = Problem;

    fn try_from(message: Unparsed) -> Result<Self, Problem> {
        Ok(Self {
            id: message.id.map(|text| uuid("id", &text)).transpose()?,
            from: message.from.parse().map_err(|error| invalid_name("from", &error))?,
            to: message
                .to
                .map(|text| text.parse())
                .transpose()
                .map_err(|error| invalid_name("to", &error))?,
            body: Body::try_from(message.body).map_err(|error| match error {
                BodyError::TooLong(_) => Slug::TooLarge.because(format!("{error}. Send it in parts.")),
                BodyError::Empty | BodyError::Nul => invalid(format!("`body`: {error}.")),
            })?,
            sent_at: message.sent_at.map(|text| timestamp(&text)).transpose()?,
            seq: message.seq.map(sequence).transpose()?,
            closed: message.closed.map_or_else(|| Ok(Ranges::default()), closed)?,
            reply_to: message.reply_to.map(|text| uuid("reply_to", &text)).transpose()?,
        })
    }
}

fn invalid(detail: String) -> Problem {
    Slug::InvalidMessage.because(detail)
}

fn invalid_name(member: &str, error: &NameError) -> Problem {
    Slug::InvalidName.because(format!("`{member}`: {error}."))
}

fn uuid(member: &str, text: &str) -> Result<Uuid, Problem> {
    // The type reads other spellings too; the wire has one, so that what is answered is what was sent.
    if text.len() == 36
        && let Ok(id) = Uuid::try_parse(text)
    {
        return Ok(id);
    }
    Err(invalid(format!(
        "`{member}` is not a UUID such as 0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3. Leave `id` out to have one made."
    )))
}

fn timestamp(text: &str) -> Result<Timestamp, Problem> {
    text.parse()
        .map_err(|_| invalid("`sent_at` is not an RFC 3339 time such as 2026-11-22T09:30:00Z.".to_owned()))
}

fn closed(ranges: Vec<Vec<u64>>) -> Result<Ranges, Problem> {
    let pairs: Result<Vec<[u64; 2]>, _> = ranges.into_iter().map(<[u64; 2]>::try_from).collect();
    let pairs = pairs.map_err(|other| {
        invalid(format!("`closed`: a range is [first, last]; this one has {} numbers.", other.len()))
    })?;
    Ranges::try_from(pairs).map_err(|error| invalid(format!("`closed`: {error}.")))
}

fn sequence(seq: u64) -> Result<u64, Problem> {
    if (1..=HIGHEST_SEQ).contains(&seq) {
        Ok(seq)
    } else {
        Err(invalid(format!("`seq` counts from 1 to {HIGHEST_SEQ}.")))
    }
}

/// The answer to a message that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The message's id.
    pub id: Uuid,
    /// When it was first kept.
    pub received_at: Timestamp,
    /// Whether the receiver knows that the sender holds the key of the name.
    pub verified: bool,
    /// The highest count that the receiver has had from the sender's key.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "highest")]
    pub highest: Option<u64>,
    /// The counts below it that the receiver has not had: the highest of them, if there are many ranges.
    #[serde(default, skip_serializing_if = "Ranges::is_empty", deserialize_with = "ranges")]
    pub missing: Ranges,
}

/// A receipt is one whatever else it says: a highest count that cannot be is none.
fn highest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let said = serde_json::Value::deserialize(deserializer)?;
    Ok(said.as_u64().filter(|highest| (1..=HIGHEST_SEQ).contains(highest)))
}

/// A receipt is one whatever else it says: ranges that cannot be are none.
fn ranges<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ranges, D::Error> {
    let said = serde_json::Value::deserialize(deserializer)?;
    Ok(Ranges::deserialize(said).unwrap_or_default())
}

/// The answer to `GET /identity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What the peer is called.
    pub name: Name,
    /// The fingerprint of its key, once it has one.
    pub fingerprint: Option<crate::Fingerprint>,
    /// The version of the program.
    pub version: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Message, Problem> {
        Message::try_from(serde_json::from_str::<Unparsed>(text).unwrap())
    }

    fn slug(text: &str) -> Slug {
        parse(text).unwrap_err().slug
    }

    #[test]
    fn the_least_message_has_a_sender_and_a_body() {
        let message = parse(r#"{"from":"CI","body":"oi","colour":"red"}"#).unwrap();
        assert_eq!(message.from.as_str(), "ci");
        assert_eq!(message.body.as_str(), "oi");
        assert_eq!(
            (message.id, message.to, message.sent_at, message.seq, message.reply_to),
            (None, None, None, None, None)
        );
        assert!(parse(r#"{"from":"ci","body":"oi","to":null,"seq":null,"id":null}"#).is_ok());
    }

    #[test]
    fn each_bad_member_is_refused_by_its_problem() {
        assert_eq!(slug(r#"{"from":"a b","body":"x"}"#), Slug::InvalidName);
        assert_eq!(slug(r#"{"from":"a","to":"","body":"x"}"#), Slug::InvalidName);
        assert_eq!(slug(r#"{"from":"a","body":""}"#), Slug::InvalidMessage);
        assert_eq!(slug(r#"{"from":"a","body":"x\u0000"}"#), Slug::InvalidMessage);
        assert_eq!(slug(r#"{"from":"a","body":"x","id":"7"}"#), Slug::InvalidMessage);
        assert_eq!(
            slug(r#"{"from":"a","body":"x","id":"{0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3}"}"#),
            Slug::InvalidMessage
        );
        assert_eq!(slug(r#"{"from":"a","body":"x","sent_at":"yesterday"}"#), Slug::InvalidMessage);
        assert_eq!(slug(r#"{"from":"a","body":"x","seq":0}"#), Slug::InvalidMessage);
        assert_eq!(slug(r#"{"from":"a","body":"x","seq":9007199254740992}"#), Slug::InvalidMessage);
        for closed in [
            "[[0,1]]",
            "[[2,1]]",
            "[[1]]",
            "[[1,2,3]]",
            "[[1,9007199254740992]]",
            &format!("[{}[1,1]]", "[1,1],".repeat(16)),
        ] {
            assert_eq!(
                slug(&format!(r#"{{"from":"a","body":"x","closed":{closed}}}"#)),
                Slug::InvalidMessage
            );
        }
        let most =
            format!(r#"{{"from":"a","body":"x","closed":[{}[1,9007199254740991]]}}"#, "[2,2],".repeat(15));
        assert_eq!(parse(&most).unwrap().closed.iter().last(), Some((1, HIGHEST_SEQ)));
        let long = serde_json::json!({"from": "a", "body": "x".repeat(LONGEST_BODY + 1)}).to_string();
        assert_eq!(slug(&long), Slug::TooLarge);
        let longest = serde_json::json!({"from": "a", "body": "x".repeat(LONGEST_BODY)}).to_string();
        assert!(parse(&longest).is_ok());
    }

    #[test]
    fn one_time_has_many_spellings_and_is_compared_as_parsed() {
        let spelt =
            |text: &str| parse(&format!(r#"{{"from":"a","body":"x","sent_at":"{text}"}}"#)).unwrap().sent_at;
        assert_eq!(spelt("2026-11-22T09:30:00Z"), spelt("2026-11-22T06:30:00.000-03:00"));
    }

    #[test]
    fn a_receipt_is_one_whatever_it_says_of_counts() {
        let receipt = |more: &str| {
            let text = format!(
                r#"{{"id":"0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3","received_at":"2026-11-22T09:30:00Z","verified":true{more}}}"#
            );
            let receipt: Receipt = serde_json::from_str(&text).unwrap();
            (receipt.highest, receipt.missing.iter().collect::<Vec<_>>())
        };
        assert_eq!(receipt(""), (None, vec![]));
        assert_eq!(receipt(r#","highest":7,"missing":[[2,3],[5,5]]"#), (Some(7), vec![(2, 3), (5, 5)]));
        for wild in ["0", "-1", "1e300", "9007199254740992", "\"7\"", "null", "[]"] {
            assert_eq!(
                receipt(&format!(r#","highest":{wild},"missing":[[2,3]]"#)),
                (None, vec![(2, 3)]),
                "{wild}"
            );
        }
        for wild in ["[[3,2]]", "[[0,1]]", "[1]", "[[1,2,3]]", "7", "null"] {
            assert_eq!(receipt(&format!(r#","highest":7,"missing":{wild}"#)), (Some(7), vec![]), "{wild}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_is_what_is_parsed(body in "[^\0]{1,200}", seq in proptest::option::of(1..=HIGHEST_SEQ), closed in proptest::collection::vec((1..=HIGHEST_SEQ / 2, 0..=HIGHEST_SEQ / 2).prop_map(|(first, more)| [first, first + more]), 0..=16), id: u128) {
            let message = Message {
                id: Some(Uuid::from_u128(id)),
                from: "ana".parse().unwrap(),
                to: Some("rui".parse().unwrap()),
                body: Body::try_from(body).unwrap(),
                sent_at: Some("2026-11-22T09:30:00.5Z".parse().unwrap()),
                seq,
                closed: Ranges::try_from(closed).unwrap(),
                reply_to: None,
            };
            prop_assert_eq!(parse(&serde_json::to_string(&message).unwrap()), Ok(message));
        }
    }
}
