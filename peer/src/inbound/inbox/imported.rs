//! What was received elsewhere and is imported: kept as it was there, unless it is known or was deleted here.

use jiff::Timestamp;
use protocol::message::Body;
use protocol::{Fingerprint, Name};
use rusqlite::{Connection, named_params};
use uuid::Uuid;

use super::super::had::Range;
use super::{deleted, place};
use crate::conversations::imported::{Outcome, Positions};

/// A message that was received elsewhere.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its id, of the ids of `key`, or of all who proved none.
    pub id: Uuid,
    /// Who says that they wrote it.
    pub from: Name,
    /// Whom it was for.
    pub to: Name,
    /// The text.
    pub body: Body,
    /// When it was written, by the sender's clock.
    pub sent_at: Option<Timestamp>,
    /// When it was received there.
    pub received_at: Timestamp,
    /// Whether the key was the name's there.
    pub verified: bool,
    /// The key that the sender proved there.
    pub key: Option<Fingerprint>,
    /// The sender's count.
    pub seq: Option<u64>,
    /// Whether it was shown.
    pub read: bool,
    /// The message that it answers.
    pub reply_to: Option<Uuid>,
    /// The IP address that it came from.
    pub source: String,
    /// What was had there from `key` in all, if this is the message that tells it.
    pub had: Vec<Range>,
}

/// Keeps a message, in the transaction of all that come with it. No quota is asked.
pub fn keep(
    connection: &Connection,
    received: &Received,
    is_doubted: bool,
    positions: &mut Positions,
) -> rusqlite::Result<Outcome> {
    let space = received.key.as_ref().map_or(&[][..], |key| &key.as_bytes()[..]);
    let is_known = connection
        .prepare_cached("SELECT 1 FROM received WHERE sender = ?1 AND id = ?2")?
        .exists((space, received.id.as_bytes()))?;
    if is_known {
        return Ok(Outcome::Known);
    }
    if deleted::before(connection, space, received.id)?.is_some() {
        return Ok(Outcome::Deleted);
    }
    let position = positions.give();
    let place = match (received.key, received.seq) {
        (Some(key), Some(seq)) => place::of_imported(connection, key, seq, position)?,
        _ => position,
    };
    connection
        .prepare_cached(
            "INSERT INTO received (position, place, sender, id, from_name, to_name, body, sent_at, received_at,
                                   at, doubted, source, seq, reply_to, read)
             VALUES (:position, :place, :sender, :id, :from, :to, :body, :sent_at, :received_at,
                     :at, :doubted, :source, :seq, :reply_to, :read)",
        )?
        .execute(named_params! {
            ":position": position,
            ":place": place,
            ":sender": space,
            ":id": received.id.as_bytes(),
            ":from": received.from.as_str(),
            ":to": received.to.as_str(),
            ":body": received.body.as_str(),
            ":sent_at": received.sent_at.map(|time| time.to_string()),
            ":received_at": received.received_at.to_string(),
            ":at": received.received_at.as_millisecond(),
            ":doubted": is_doubted,
            ":source": received.source,
            ":seq": received.seq,
            ":reply_to": received.reply_to.map(Uuid::into_bytes),
            ":read": received.read,
        })?;
    Ok(Outcome::New)
}

/// Takes the doubt from some messages under this name that are signed by this key, which is one of the name's: how many.
pub fn believe(
    connection: &Connection,
    name: &Name,
    key: Fingerprint,
    most: usize,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE received SET doubted = 0 WHERE position IN
             (SELECT position FROM received WHERE from_name = ?1 AND sender = ?2 AND doubted = 1 LIMIT ?3)",
        )?
        .execute((name.as_str(), key.as_bytes(), most))
}
