//! A batch: an array of messages, taken apart so that each stands for itself, and what became of each put together again in
//! the same order.

use std::fmt;

use listener::Document;
use protocol::batch::{Item, LONGEST_BATCH, MOST_MESSAGES};
use protocol::message::{LONGEST_ENCODED, Message, Unparsed};
use protocol::{Name, Problem, Slug};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Messages of one sender, or what is wrong with each, in order.
#[derive(Debug)]
pub(super) struct Batch {
    /// Who sent them; none if no item says a name.
    pub from: Option<Name>,
    /// One for each item of the array.
    pub items: Vec<Result<Message, Problem>>,
}

impl Batch {
    /// Whether a body is to be read as a batch: an array of any kind.
    pub(super) fn is_one(document: &Document) -> bool {
        document.0.trim_ascii_start().starts_with(b"[")
    }

    /// Takes an array apart. What is refused here is refused as a whole.
    pub(super) fn parse(document: &Document) -> Result<Self, Problem> {
        if document.0.len() > LONGEST_BATCH {
            let length = document.0.len();
            return Err(too_large(&format!("This one has {length} bytes.")));
        }
        let Elements { first, count } = document.parse(Slug::InvalidMessage)?;
        match count {
            0 => {
                return Err(
                    Slug::InvalidMessage.because("An empty array is no batch. Send at least one message.")
                );
            }
            1..=MOST_MESSAGES => {}
            _ => return Err(too_large(&format!("This one has {count} messages."))),
        }
        let mut from = None;
        let mut items = Vec::with_capacity(first.len());
        for element in first {
            let element = Document(document.0.slice_ref(element.get().as_bytes()));
            let item = message(&element);
            let signed =
                item.as_ref().map_or_else(|_| signature(&element), |message| Some(message.from.clone()));
            match (&from, signed) {
                (None, signed) => from = signed,
                (Some(one), Some(other)) if *one != other => {
                    return Err(Slug::InvalidMessage.because(format!(
                        "A batch has one sender, and this one has several: {one} and {other}. Send a batch for each."
                    )));
                }
                _ => {}
            }
            items.push(item);
        }
        Ok(Self { from, items })
    }
}

/// One message, a JSON object.
pub(super) fn message(document: &Document) -> Result<Message, Problem> {
    let length = document.0.len();
    if length > LONGEST_ENCODED {
        return Err(Slug::TooLarge.because(format!(
            "A message has at most {LONGEST_ENCODED} bytes as encoded; this one has {length}. Send it in parts."
        )));
    }
    // An array would be read member by member, as if it were an object without names.
    let parsed = if Batch::is_one(document) {
        let array = document.parse::<IgnoredAny>(Slug::InvalidMessage);
        array.and_then(|_| Err(Slug::InvalidMessage.because("An array within an array is no message.")))
    } else {
        document.parse::<Unparsed>(Slug::InvalidMessage)
    };
    let unparsed = parsed.map_err(|problem| Problem {
        detail: format!(
            "{} A message is an object such as {{\"from\":\"ci\",\"body\":\"oi\"}}.",
            problem.detail
        )
        .into(),
        ..problem
    })?;
    Message::try_from(unparsed)
}

/// Who signed what is no message.
fn signature(document: &Document) -> Option<Name> {
    #[derive(Deserialize)]
    struct Signed {
        from: String,
    }
    if Batch::is_one(document) {
        return None;
    }
    document.parse::<Signed>(Slug::InvalidMessage).ok()?.from.parse().ok()
}

fn too_large(what: &str) -> Problem {
    Slug::TooLarge.because(format!(
        "A batch has at most {MOST_MESSAGES} messages and {LONGEST_BATCH} bytes. {what} Send them in several."
    ))
}

/// The elements of an array, not yet parsed; of one that is too long only so many as show that.
struct Elements<'a> {
    first: Vec<&'a RawValue>,
    count: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array;

        impl<'de> Visitor<'de> for Array {
            type Value = Elements<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of messages")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Elements<'de>, A::Error> {
                let mut first = Vec::new();
                while first.len() < MOST_MESSAGES {
                    match elements.next_element()? {
                        Some(element) => first.push(element),
                        None => return Ok(Elements { count: first.len(), first }),
                    }
                }
                let mut count = first.len();
                while elements.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Elements { first, count })
            }
        }

        deserializer.deserialize_seq(Array)
    }
}

/// What is answered for a batch.
#[derive(Debug)]
pub(super) struct Answers {
    /// What became of each item, in order.
    pub items: Vec<Item>,
    /// What was said of the first that is to come another time, and so of all behind it.
    pub not_now: Option<Problem>,
}

/// What is answered for a batch: its problems where there are any, and in the places between them what became of the
/// messages. After the first answer that says "not now" all are the same, so that the sender's order holds. There is none if
/// less is said than was asked.
pub(super) fn in_order(
    problems: Vec<Option<Problem>>,
    kept: impl IntoIterator<Item = Result<Item, Problem>>,
) -> Option<Answers> {
    let count = problems.len();
    let mut kept = kept.into_iter();
    let mut items = Vec::with_capacity(count);
    for problem in problems {
        let problem = match problem.map_or_else(|| kept.next(), |problem| Some(Err(problem)))? {
            Ok(item) => {
                items.push(item);
                continue;
            }
            Err(problem) => problem,
        };
        let item = Item::refused(&problem);
        if matches!(problem.slug.status(), 429 | 503 | 507) {
            items.resize(count, item);
            return Some(Answers { items, not_now: Some(problem) });
        }
        items.push(item);
    }
    Some(Answers { items, not_now: None })
}

#[cfg(test)]
mod tests;
