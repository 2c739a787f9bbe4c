//! A batch: what leaves for one recipient in one request. Each message is encoded once, into the request's own body, and
//! the batch ends before the limit does.

use bytes::Bytes;
use protocol::message::{Message, Ranges};
use protocol::{Fingerprint, Name};
use uuid::Uuid;

use super::limits::Limit;

/// One message of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Its handle in the outbox.
    pub position: i64,
    /// Its id.
    pub id: Uuid,
}

/// Messages in the order in which they were written, as they are handed over. There is at least one.
#[derive(Debug, Clone)]
pub struct Batch {
    items: Vec<Item>,
    closed: Ranges,
    insecure: bool,
    only_for: Option<Fingerprint>,
    /// As a JSON array, also if it is a single message.
    array: Bytes,
}

impl Batch {
    /// The messages.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What the first message says will never be delivered.
    #[must_use]
    pub fn closed(&self) -> &Ranges {
        &self.closed
    }

    /// Where the recipient cannot be checked, anyone may have them: the user has said so of each.
    #[must_use]
    pub fn insecure(&self) -> bool {
        self.insecure
    }

    /// Whether it may be handed to whoever has this key.
    #[must_use]
    pub fn is_for(&self, key: Option<Fingerprint>) -> bool {
        self.only_for.is_none() || self.only_for == key
    }

    /// Whether it is more than one message, and so is sent as an array.
    #[must_use]
    pub fn is_array(&self) -> bool {
        self.items.len() > 1
    }

    /// How much it is.
    #[must_use]
    pub fn size(&self) -> Limit {
        Limit { messages: self.items.len(), bytes: self.array.len() }
    }

    /// The request's body: an array, or a single message as an object.
    #[must_use]
    pub fn body(&self) -> Bytes {
        if self.is_array() { self.array.clone() } else { self.array.slice(1..self.array.len() - 1) }
    }
}

/// Packs messages into a batch, one after another, until one does not go with those before it.
#[derive(Debug)]
pub struct Packer {
    limit: Limit,
    items: Vec<Item>,
    array: Vec<u8>,
    /// Of the first message.
    from: Option<Name>,
    closed: Ranges,
    insecure: bool,
    only_for: Option<Fingerprint>,
}

impl Packer {
    /// An empty batch within this limit.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        Self {
            limit,
            items: Vec::new(),
            array: Vec::new(),
            from: None,
            closed: Ranges::default(),
            insecure: false,
            only_for: None,
        }
    }

    /// The same for nobody but the one who has this key, whoever has the recipient's name.
    #[must_use]
    pub fn only_for(key: Fingerprint, limit: Limit) -> Self {
        Self { only_for: Some(key), ..Self::new(limit) }
    }

    /// Whether nothing was packed yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Packs this message, whose id is `item`'s, if it goes with those before it and the limit is kept; the first one goes
    /// in any case. Whether it was packed; if not, nothing more is to be.
    pub fn pack(&mut self, item: Item, message: &Message, insecure: bool) -> serde_json::Result<bool> {
        let before = self.array.len();
        if self.is_empty() {
            self.from = Some(message.from.clone());
            self.closed = message.closed.clone();
            self.insecure = insecure;
        } else {
            // Encoded it is longer than its text: what cannot fit is not encoded to see that.
            let fits = self.items.len() < self.limit.messages
                && self.within_limit(before + message.body.as_str().len());
            if !fits || self.from.as_ref() != Some(&message.from) || self.insecure != insecure {
                return Ok(false);
            }
        }
        self.array.push(if self.is_empty() { b'[' } else { b',' });
        serde_json::to_writer(&mut self.array, message)?;
        if !self.is_empty() && !self.within_limit(self.array.len()) {
            self.array.truncate(before);
            return Ok(false);
        }
        self.items.push(item);
        Ok(true)
    }

    /// Whether an array that is this long without its end is no longer than it may be.
    fn within_limit(&self, length: usize) -> bool {
        length < self.limit.bytes
    }

    /// What was packed, if anything was.
    #[must_use]
    pub fn packed(self) -> Option<Batch> {
        let Self { items, mut array, closed, insecure, only_for, .. } = self;
        array.push(b']');
        (!items.is_empty()).then(|| Batch { items, closed, insecure, only_for, array: array.into() })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    pub fn message(seq: u64, body: String) -> Message {
        Message {
            id: Some(Uuid::from_u128(seq.into())),
            from: "ana".parse().unwrap(),
            to: Some("rui".parse().unwrap()),
            body: body.try_into().unwrap(),
            sent_at: None,
            seq: Some(seq),
            closed: Ranges::default(),
            reply_to: None,
        }
    }

    /// The first of these messages that go together.
    pub fn packed<'a>(limit: Limit, messages: impl IntoIterator<Item = &'a (Message, bool)>) -> Batch {
        let mut packer = Packer::new(limit);
        for (message, insecure) in messages {
            let item = Item { position: 0, id: message.id.unwrap() };
            if !packer.pack(item, message, *insecure).unwrap() {
                break;
            }
        }
        packer.packed().unwrap()
    }

    fn sequence_numbers(batch: &Batch) -> Vec<u64> {
        let value: Value = serde_json::from_slice(&batch.body()).unwrap();
        let items = if batch.is_array() { value.as_array().unwrap().clone() } else { vec![value] };
        assert_eq!(items.len(), batch.items().len());
        for (item, value) in batch.items().iter().zip(&items) {
            assert_eq!(value["id"], item.id.to_string());
        }
        items.iter().map(|item| item["seq"].as_u64().unwrap()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_the_sizes_all_leave_in_order_and_within_the_limit(
            sizes in prop::collection::vec(prop_oneof![8 => 1..40_usize, 4 => 1..2_000_usize, 1 => 60_000..65_536_usize], 1..40),
            flags in prop::collection::vec(any::<bool>(), 40),
            quotes: bool,
            most in 1..20_usize,
            bytes in prop_oneof![300..5_000_usize, 100_000..400_000_usize],
        ) {
            let limit = Limit { messages: most, bytes };
            let text = |size| if quotes { "\"" } else { "x" }.repeat(size);
            let messages: Vec<_> = sizes.iter().zip(&flags).enumerate()
                .map(|(index, (size, flag))| (message(index as u64 + 1, text(*size)), *flag)).collect();
            let mut left = &messages[..];
            while !left.is_empty() {
                let batch = packed(limit, left);
                let count = batch.items().len();
                let (taken, rest) = left.split_at(count);
                let expected: Vec<u64> = taken.iter().map(|(message, _)| message.seq.unwrap()).collect();
                prop_assert_eq!(sequence_numbers(&batch), expected, "in order, none left out");
                prop_assert!(count <= most);
                prop_assert!(count == 1 || batch.body().len() <= bytes);
                prop_assert!(taken.iter().all(|(_, insecure)| *insecure == batch.insecure()));
                if let Some((next, insecure)) = rest.first() {
                    let with_next = batch.size().bytes + 1 + serde_json::to_vec(next).unwrap().len();
                    let goes_with_it = *insecure == batch.insecure() && count < most && with_next <= bytes;
                    prop_assert!(!goes_with_it, "it ends where it has to");
                }
                left = rest;
            }
        }
    }

    #[test]
    fn a_message_that_is_longer_than_the_limit_goes_alone_as_an_object() {
        let longest = (message(1, "\u{1}".repeat(65_536)), false);
        let other = (message(2, "oi".into()), false);
        let small = Limit { messages: 500, bytes: 1_000 };
        for batch in [packed(small, [&longest, &other]), packed(Limit::ONE, [&longest, &other])] {
            assert_eq!((batch.items().len(), batch.body()[0]), (1, b'{'));
        }
        assert_eq!(packed(small, [&other, &longest]).items().len(), 1);
        assert_eq!(packed(Limit::MOST, [&longest, &other]).items().len(), 2);
    }

    #[test]
    fn a_batch_may_be_exactly_as_long_as_the_limit() {
        let messages = [(message(1, "oi".into()), false), (message(2, "oi".into()), false)];
        let both = packed(Limit::MOST, &messages).body().len();
        for (bytes, count) in [(both - 1, 1), (both, 2)] {
            assert_eq!(packed(Limit { messages: 2, bytes }, &messages).items().len(), count);
        }
    }

    #[test]
    fn what_comes_of_another_name_goes_for_itself() {
        let mut other = message(2, "oi".into());
        other.from = "ana.lima".parse().unwrap();
        let batch = packed(Limit::MOST, &[(message(1, "oi".into()), false), (other, false)]);
        assert_eq!(batch.items().len(), 1);
    }
}
