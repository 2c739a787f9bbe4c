//! What makes a message the same message, whether it is kept or was deleted.

use jiff::Timestamp;
use rusqlite::Row;
use sha2::{Digest as _, Sha256};

/// Who it says it is from, whom it is for, its text, when it says it was written, and what it answers.
pub(super) type Content = (String, String, String, Option<String>, Option<[u8; 16]>);

/// SHA-256 over what makes a message the same message.
pub(super) fn digest((from, to, body, sent_at, reply_to): &Content) -> [u8; 32] {
    let mut digest = Sha256::new();
    let reply_to = reply_to.as_ref().map(<[u8; 16]>::as_slice);
    let parts = [from, to, body].map(|part| Some(part.as_bytes()));
    for part in parts.into_iter().chain([sent_at.as_ref().map(String::as_bytes), reply_to]) {
        // No text is so long: what is not there differs from what is empty.
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        digest.update(length.to_be_bytes());
        digest.update(part.unwrap_or_default());
    }
    digest.finalize().into()
}

/// A time as this program stored it.
pub(super) fn timestamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}
