//! Keeping: what becomes of each message of a sender who was judged, one after the other, in the transaction that keeps them.

use jiff::Timestamp;
use protocol::message::{Message, Receipt};
use rusqlite::{Connection, OptionalExtension as _, named_params};
use uuid::Uuid;

use super::super::had::{Count, Had};
use super::super::quota::Room;
use super::super::sender::Verdict;
use super::letters::Letters;
use super::{Kept, place};
use crate::contacts::Standing;
use crate::conversations::Positions;

/// So many ranges of sequence numbers are kept of a contact's key.
const MOST_RANGES: usize = 1_000;
/// And of a stranger's, who could have as many keys as messages are kept of strangers.
const MOST_RANGES_OF_STRANGER: usize = 100;

/// Messages being kept, one after the other, and what changes from one to the next.
pub(super) struct Keeping<'a> {
    letters: &'a Letters,
    connection: &'a Connection,
    standing: &'a Standing,
    verdict: Verdict,
    room: Room,
    positions: Positions,
    /// Nobody counts without a key.
    count: Option<Count<'a>>,
    received_at: String,
    source: String,
}

impl<'a> Keeping<'a> {
    pub(super) fn begin(
        letters: &'a Letters,
        connection: &'a Connection,
        standing: &'a Standing,
        verdict: Verdict,
    ) -> rusqlite::Result<Self> {
        let most = if standing.vouched { MOST_RANGES } else { MOST_RANGES_OF_STRANGER };
        let count = letters.sender.key.map(|key| Count::of(connection, key, most)).transpose()?;
        Ok(Self {
            letters,
            connection,
            standing,
            verdict,
            room: letters.room(connection, standing)?,
            positions: Positions::begin(connection)?,
            count,
            received_at: letters.now.to_string(),
            source: letters.sender.source.ip().to_string(),
        })
    }

    /// What becomes of the next one.
    pub(super) fn keep(&mut self, message: &Message) -> rusqlite::Result<Kept> {
        let (id, content) = (message.id.unwrap_or_else(Uuid::now_v7), content(self.letters, message));
        let before = kept_before(self.connection, self.letters, message)?;
        let is_verified = matches!(self.verdict, Verdict::Verified | Verdict::First);
        match (self.verdict, &before) {
            // Whatever became of its sender, it is kept, and who sends it again may know.
            (Verdict::Refused(_), Some((first, _))) if *first == content => {}
            (Verdict::Refused(why), _) => return Ok(Kept::Refused(why)),
            (_, Some((first, _))) if *first != content => return Ok(Kept::OtherContent),
            (_, Some(_)) => {}
            (_, None) => {
                let bytes = message.body.as_str().len();
                if let Some(exceeded) = self.room.exceeded(bytes) {
                    return Ok(Kept::OverQuota(exceeded));
                }
                self.insert(id, content, message.seq, !is_verified)?;
                self.room.take(bytes);
            }
        }
        let Had { highest, missing } = self.had(message, before.is_some())?;
        let receipt = |received_at| Receipt { id, received_at, verified: is_verified, highest, missing };
        Ok(match before {
            Some((_, received_at)) => Kept::Before(receipt(received_at)),
            None => Kept::New(receipt(self.letters.now)),
        })
    }

    /// Writes what was counted.
    pub(super) fn end(mut self) -> rusqlite::Result<()> {
        self.count.as_mut().map_or(Ok(()), Count::write)?;
        self.room.write(self.connection, self.letters.sender.key)?;
        self.positions.write(self.connection)
    }

    fn insert(
        &mut self,
        id: Uuid,
        content: Content,
        seq: Option<u64>,
        is_doubted: bool,
    ) -> rusqlite::Result<()> {
        let position = self.positions.give();
        let place = match (&self.count, seq) {
            (Some(count), Some(seq)) if count.is_past(seq) => {
                place::of(self.connection, count.key(), seq, position)?
            }
            _ => position,
        };
        let (from, to, body, sent_at, reply_to) = content;
        self.connection
            .prepare_cached(
                "INSERT INTO received (position, place, sender, id, from_name, to_name, body, sent_at, received_at,
                                       doubted, source, seq, reply_to)
                 VALUES (:position, :place, :sender, :id, :from, :to, :body, :sent_at, :received_at,
                         :doubted, :source, :seq, :reply_to)",
            )?
            .execute(named_params! {
                ":position": position,
                ":place": place,
                ":sender": space(self.letters),
                ":id": id.as_bytes(),
                ":from": from,
                ":to": to,
                ":body": body,
                ":sent_at": sent_at,
                ":received_at": self.received_at,
                ":doubted": is_doubted,
                ":source": self.source,
                ":seq": seq,
                ":reply_to": reply_to,
            })?;
        Ok(())
    }

    /// Counts what the message says of its sender's count; what was had from that key then. A stranger's repeats change
    /// nothing: they cost no write.
    fn had(&mut self, message: &Message, is_repeat: bool) -> rusqlite::Result<Had> {
        let Some(count) = &mut self.count else { return Ok(Had::default()) };
        if self.standing.vouched || !is_repeat {
            count.take(message.seq, &message.closed)?;
        }
        Ok(count.had())
    }
}

/// The parts of a message that make it the same message.
pub(super) type Content = (String, String, String, Option<String>, Option<[u8; 16]>);

fn content(letters: &Letters, message: &Message) -> Content {
    (
        letters.sender.name.as_str().to_owned(),
        message.to.as_ref().unwrap_or(&letters.to).as_str().to_owned(),
        message.body.as_str().to_owned(),
        message.sent_at.map(|time| time.to_string()),
        message.reply_to.map(Uuid::into_bytes),
    )
}

/// Whose ids these are.
fn space(letters: &Letters) -> &[u8] {
    letters.sender.key.as_ref().map_or(&[][..], |key| &key.as_bytes()[..])
}

/// The message of this sender with the id of this one, if there is one, and when it came.
pub(super) fn kept_before(
    connection: &Connection,
    letters: &Letters,
    message: &Message,
) -> rusqlite::Result<Option<(Content, Timestamp)>> {
    let Some(id) = message.id else { return Ok(None) };
    connection
        .prepare_cached(
            "SELECT from_name, to_name, body, sent_at, reply_to, received_at
             FROM received WHERE sender = ?1 AND id = ?2",
        )?
        .query_row((space(letters), id.as_bytes()), |row| {
            let content = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            let received_at: String = row.get(5)?;
            let received_at = received_at.parse().map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(5, rusqlite::types::Type::Text, Box::new(error))
            })?;
            Ok((content, received_at))
        })
        .optional()
}
