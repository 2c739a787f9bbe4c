//! A batch as it travels: messages of one sender in one request, and what became of each in the answer.

use std::borrow::Cow;

use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::message::Receipt;
use crate::problem::{Body, Problem, clipped};

/// The most messages of a batch.
pub const MOST_MESSAGES: usize = 500;
/// The most bytes of a batch as encoded.
pub const LONGEST_BATCH: usize = 1024 * 1024;

/// What became of one message of a batch: a receipt or a problem, with the status that the message would have been
/// answered with on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// `201`: it is new, and kept.
    New(Receipt),
    /// `200`: it was kept before.
    Before(Receipt),
    /// Any other status: it is not kept now.
    Refused(Body<'static>),
    /// Neither a receipt nor a problem: it says nothing about the message.
    Unreadable,
}

impl Item {
    /// This problem, with as much of its detail as a batch has room for.
    #[must_use]
    pub fn refused(problem: &Problem) -> Self {
        let Body { kind, title, status, detail } = problem.body();
        Self::Refused(Body {
            kind: Cow::Owned(kind.into_owned()),
            title: Cow::Owned(title.into_owned()),
            status,
            detail: Cow::Owned(clipped(detail.into_owned())),
        })
    }
}

/// A receipt beside its status.
#[derive(Serialize)]
struct Kept<'a> {
    status: u16,
    #[serde(flatten)]
    receipt: &'a Receipt,
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::New(receipt) => Kept { status: 201, receipt }.serialize(serializer),
            Self::Before(receipt) => Kept { status: 200, receipt }.serialize(serializer),
            Self::Refused(problem) => problem.serialize(serializer),
            Self::Unreadable => Err(S::Error::custom("what could not be read cannot be written")),
        }
    }
}

/// Takes any value: an item that is odd spoils none of the others.
impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let said = Value::deserialize(deserializer)?;
        let text = |member: &str| said.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        let status = said.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        Ok(match status {
            Some(201) => Receipt::deserialize(&said).map_or(Self::Unreadable, Self::New),
            Some(200) => Receipt::deserialize(&said).map_or(Self::Unreadable, Self::Before),
            Some(status @ 400..=599) => Self::Refused(Body {
                kind: text("type").into(),
                title: text("title").into(),
                status,
                detail: text("detail").into(),
            }),
            _ => Self::Unreadable,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::Slug;
    use crate::message::Ranges;
    use crate::problem::LONGEST_DETAIL;

    fn receipt() -> Receipt {
        Receipt {
            id: Uuid::from_u128(7),
            received_at: "2026-11-22T09:30:00Z".parse().unwrap(),
            verified: true,
            highest: Some(9),
            missing: Ranges::try_from(vec![[3, 4]]).unwrap(),
        }
    }

    fn written(item: &Item) -> Value {
        serde_json::to_value(item).unwrap()
    }

    #[test]
    fn an_item_is_a_receipt_or_a_problem_with_its_status() {
        assert_eq!(
            written(&Item::New(receipt())),
            json!({
                "status": 201,
                "id": "00000000-0000-0000-0000-000000000007",
                "received_at": "2026-11-22T09:30:00Z",
                "verified": true,
                "highest": 9,
                "missing": [[3, 4]],
            })
        );
        let bare = Receipt { highest: None, missing: Ranges::default(), ..receipt() };
        assert_eq!(
            written(&Item::Before(bare)),
            json!({
                "status": 200,
                "id": "00000000-0000-0000-0000-000000000007",
                "received_at": "2026-11-22T09:30:00Z",
                "verified": true,
            })
        );
        assert_eq!(
            written(&Item::refused(&Slug::IdConflict.because("Choose another."))),
            json!({
                "type": "urn:recado:problem:id-conflict",
                "title": "The id belongs to another message",
                "status": 409,
                "detail": "Choose another.",
            })
        );
    }

    #[test]
    fn each_item_is_read_for_itself() {
        let problem = Slug::IdConflict.because("Choose another.");
        let receipt_of = |status: u16| {
            let mut item = written(&Item::New(receipt()));
            item["status"] = status.into();
            item
        };
        let wild = json!({"status": 201, "id": receipt().id, "received_at": receipt().received_at, "verified": true, "highest": -1, "missing": 7});
        let items = json!([
            receipt_of(201),
            receipt_of(200),
            written(&Item::refused(&problem)),
            {"status": 429},
            {"status": 403, "type": 7, "detail": ["x"]},
            wild,
            {"status": 201, "id": 7},
            receipt_of(204),
            {"status": 70_000},
            {"status": "201"},
            {},
            null,
            [],
            "201",
        ]);
        let read: Vec<Item> = serde_json::from_str(&items.to_string()).unwrap();
        let refused = |status: u16| {
            Item::Refused(Body { kind: "".into(), title: "".into(), status, detail: "".into() })
        };
        let uncounted = Receipt { highest: None, missing: Ranges::default(), ..receipt() };
        let known = [
            Item::New(receipt()),
            Item::Before(receipt()),
            Item::refused(&problem),
            refused(429),
            refused(403),
            Item::New(uncounted),
        ];
        assert_eq!(read[..known.len()], known);
        assert!(read[known.len()..].iter().all(|item| *item == Item::Unreadable), "{read:?}");
        assert!(serde_json::to_value(&read).is_err(), "nothing was read of some");
    }

    proptest! {
        #[test]
        fn a_detail_fits_and_ends_at_a_character(detail in "[aé漢🌊]{0,200}") {
            let Item::Refused(problem) = Item::refused(&Slug::Internal.because(detail.clone())) else { panic!() };
            prop_assert!(problem.detail.len() <= LONGEST_DETAIL);
            let Some(kept) = problem.detail.strip_suffix('…') else {
                prop_assert_eq!(problem.detail, detail);
                return Ok(());
            };
            prop_assert!(detail.starts_with(kept) && kept.len() > LONGEST_DETAIL - 8);
        }

        #[test]
        fn what_is_written_is_what_is_read(detail in "\\PC{0,80}", is_new: bool) {
            let kept = if is_new { Item::New } else { Item::Before };
            for item in [Item::refused(&Slug::QuotaExceeded.because(detail)), kept(receipt())] {
                prop_assert_eq!(serde_json::from_str::<Item>(&serde_json::to_string(&item).unwrap()).unwrap(), item);
            }
        }
    }
}
