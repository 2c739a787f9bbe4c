//! Keeping: the sender of letters is judged, once for all, in the transaction that keeps them; then what becomes of each, one
//! after the other.

use protocol::message::{Message, Receipt};
use rusqlite::{Connection, named_params};
use uuid::Uuid;

use super::super::claims::Answer;
use super::super::had::{Count, Had};
use super::super::quota::Room;
use super::super::sender::{Sender, Verdict, Why, judge, judge_unasked};
use super::content::Content;
use super::letters::Letters;
use super::{Kept, place};
use crate::contacts::{Standing, mismatches, pins};
use crate::conversations::Positions;

/// So many ranges of sequence numbers are kept of a contact's key.
pub const MOST_RANGES: usize = 1_000;
/// And of a stranger's, who could have as many keys as messages are kept of strangers.
pub const MOST_RANGES_OF_STRANGER: usize = 100;

/// Messages being kept, one after the other, and what changes from one to the next.
struct Keeping<'a> {
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
    fn begin(
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
    fn keep(&mut self, message: &Message) -> rusqlite::Result<Kept> {
        let (id, content) = (message.id.unwrap_or_else(Uuid::now_v7), self.letters.content(message));
        let before = self.letters.kept_before(self.connection, message, &content)?;
        let is_verified = matches!(self.verdict, Verdict::Verified | Verdict::First);
        match (self.verdict, &before) {
            // Whatever became of its sender, it is kept, and who sends it again may know.
            (Verdict::Refused(_), Some(before)) if before.is_same => {}
            (Verdict::Refused(why), _) => return Ok(Kept::Refused(why)),
            (_, Some(before)) if !before.is_same => return Ok(Kept::OtherContent),
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
            Some(before) => Kept::Before(receipt(before.received_at)),
            None => Kept::New(receipt(self.letters.now)),
        })
    }

    /// Writes what was counted.
    fn end(mut self) -> rusqlite::Result<()> {
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
                                       at, doubted, source, seq, reply_to)
                 VALUES (:position, :place, :sender, :id, :from, :to, :body, :sent_at, :received_at,
                         :at, :doubted, :source, :seq, :reply_to)",
            )?
            .execute(named_params! {
                ":position": position,
                ":place": place,
                ":sender": self.letters.space(),
                ":id": id.as_bytes(),
                ":from": from,
                ":to": to,
                ":body": body,
                ":sent_at": sent_at,
                ":received_at": self.received_at,
                ":at": self.letters.now.as_millisecond(),
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

impl Letters {
    /// What comes of each, by what the directory says of the sender's name.
    pub(super) fn keep(&self, connection: &Connection, answer: Answer) -> rusqlite::Result<Vec<Kept>> {
        let standing = self.standing(connection)?;
        let verdict = judge(self.sender.key, &standing, answer, self.terms.accept);
        self.keep_as(connection, &standing, verdict)
    }

    /// The same, by what the directory said a moment ago; none if it has to be asked. That is only so where there is room
    /// for the first message: if there is none, there is none for those behind it.
    pub(super) fn keep_unasked(
        &self,
        connection: &Connection,
        remembered: Option<Answer>,
    ) -> rusqlite::Result<Option<Vec<Kept>>> {
        let standing = self.standing(connection)?;
        if let Some(verdict) = judge_unasked(self.sender.key, &standing, remembered, self.terms.accept) {
            return self.keep_as(connection, &standing, verdict).map(Some);
        }
        let Some(first) = self.messages.first() else { return Ok(Some(Vec::new())) };
        if self.kept_before(connection, first, &self.content(first))?.is_some() {
            return Ok(None);
        }
        let exceeded = self.room(connection, &standing)?.exceeded(first.body.as_str().len());
        Ok(exceeded.map(|exceeded| vec![Kept::OverQuota(exceeded); self.messages.len()]))
    }

    fn keep_as(
        &self,
        connection: &Connection,
        standing: &Standing,
        verdict: Verdict,
    ) -> rusqlite::Result<Vec<Kept>> {
        let Sender { name, key, .. } = &self.sender;
        let mut keeping = Keeping::begin(self, connection, standing, verdict)?;
        let mut all = Vec::with_capacity(self.messages.len());
        for message in &self.messages {
            let kept = keeping.keep(message)?;
            let holds_up = kept.holds_up();
            all.push(kept);
            if holds_up {
                break;
            }
        }
        keeping.end()?;
        if let Some(last) = all.last().cloned() {
            all.resize(self.messages.len(), last);
        }
        let any_kept = all.iter().any(|kept| matches!(kept, Kept::New(_) | Kept::Before(_)));
        match (verdict, key) {
            (Verdict::Verified, _) if any_kept => pins::used(connection, name, standing, self.now)?,
            (Verdict::First, Some(key)) if any_kept => pins::see(connection, name, *key, self.now)?,
            (Verdict::Refused(Why::PinnedToAnother(_)), Some(key))
                if all.iter().any(|kept| matches!(kept, Kept::Refused(_))) =>
            {
                mismatches::note(connection, name, *key, self.now)?;
            }
            _ => {}
        }
        Ok(all)
    }
}
