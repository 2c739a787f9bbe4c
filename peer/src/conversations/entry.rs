//! One message as it was kept, read from the view `messages`: which way it went, and what became of it. Which messages
//! are listed is for `conversations`.

use jiff::Timestamp;
use protocol::Fingerprint;
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use uuid::Uuid;

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To this peer.
    Received,
    /// From this peer.
    Sent,
}

/// What became of a message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Written down, and waiting for its recipient.
    Queued,
    /// The recipient has answered that it keeps the message.
    Delivered,
    /// The recipient has answered that it never will.
    Refused,
    /// Its time ran out before the recipient was reached.
    Expired,
}

impl State {
    /// Every state, as they are listed in help.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Delivered, Self::Refused, Self::Expired];

    /// The word for it, the same in the database, in JSON and on the screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Self::ALL.into_iter().find(|state| state.word() == word).ok_or(FromSqlError::InvalidType)
    }
}

impl FromSql for Direction {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        [Self::Received, Self::Sent]
            .into_iter()
            .find(|direction| direction.word() == word)
            .ok_or(FromSqlError::InvalidType)
    }
}

impl Direction {
    /// The word for it, the same in the database and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
        }
    }
}

/// A message as it was kept. Names are text here: what was once accepted is shown, whatever the rules say today.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its handle here; it grows in the order of storing.
    pub position: i64,
    /// The message's id.
    pub id: Uuid,
    /// Which way it went.
    pub direction: Direction,
    /// Who says that they wrote it.
    pub from: String,
    /// Whom it is for.
    pub to: String,
    /// The text.
    pub body: String,
    /// When it was written, by the sender's clock.
    pub sent_at: Option<Timestamp>,
    /// When it was kept, by the receiver's clock.
    pub received_at: Option<Timestamp>,
    /// Whether the sender proved to hold the key of the name.
    pub verified: bool,
    /// The key that the other side proved to hold.
    pub fingerprint: Option<Fingerprint>,
    /// The IP address that it came from; only what was received.
    pub source: Option<String>,
    /// The sender's count.
    pub seq: Option<u64>,
    /// The message that this one answers.
    pub reply_to: Option<Uuid>,
    /// Whether it was shown to the user; only what was received.
    pub read: Option<bool>,
    /// What became of it; only what was sent.
    pub state: Option<State>,
    /// Why it is where it is; only what was sent.
    pub reason: Option<String>,
    /// How often it was handed over; only what was sent.
    pub tries: Option<u32>,
    /// Whether `seq` is this peer's own count; only what was sent.
    pub is_own_count: bool,
    /// The key whose count `seq` is, if it is another's and known; only what was sent.
    pub counted_by: Option<Fingerprint>,
    /// The key that gave the receipt, if it was checked; only what was sent.
    pub delivered_to: Option<Fingerprint>,
    /// The key that the receipt was given to.
    pub delivered_as: Option<Fingerprint>,
    /// When its recipient is tried again, if not before; only what waits.
    pub next_try: Option<Timestamp>,
}

impl Entry {
    /// Reads a row of the view `messages`.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let id: [u8; 16] = row.get("id")?;
        Ok(Self {
            position: row.get("position")?,
            id: Uuid::from_bytes(id),
            direction: row.get("direction")?,
            from: row.get("from_name")?,
            to: row.get("to_name")?,
            body: row.get("body")?,
            sent_at: timestamp(row.get("sent_at")?),
            received_at: timestamp(row.get("received_at")?),
            verified: row.get("verified")?,
            fingerprint: key(row, "fingerprint")?,
            source: row.get::<_, Option<String>>("source")?.filter(|source| !source.is_empty()),
            seq: row.get("seq")?,
            reply_to: row.get::<_, Option<[u8; 16]>>("reply_to")?.map(Uuid::from_bytes),
            read: row.get("read")?,
            state: row.get("state")?,
            reason: row.get("reason")?,
            tries: row.get("tries")?,
            is_own_count: row.get_ref("counted_by")?.as_blob_or_null()?.is_some_and(<[u8]>::is_empty),
            counted_by: key(row, "counted_by")?,
            delivered_to: key(row, "delivered_to")?,
            delivered_as: key(row, "delivered_as")?,
            next_try: row
                .get::<_, Option<i64>>("next_try_at")?
                .and_then(|at| Timestamp::from_millisecond(at).ok()),
        })
    }
}

/// A key, if there is one.
fn key(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Fingerprint>> {
    let bytes = row.get_ref(column)?.as_blob_or_null()?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(Fingerprint::from_bytes))
}

/// A time as it was stored by this program.
fn timestamp(text: Option<String>) -> Option<Timestamp> {
    text.and_then(|text| text.parse().ok())
}
