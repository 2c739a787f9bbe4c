//! The inbox: every message that was received, judged and kept once, in one transaction. Owns the table `received`.

mod place;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use protocol::Name;
use protocol::message::{Message, Receipt};
use rusqlite::{Connection, OptionalExtension as _, named_params};
use store::Store;
use tokio::sync::watch;
use uuid::Uuid;

use super::claims::Answer;
use super::had::{self, Had};
use super::quota::{Class, Exceeded, Quotas};
use super::sender::{Accept, Sender, Verdict, Why, judge, judge_unasked};
use crate::contacts::{Standing, mismatches, pins};
use crate::conversations::next_position;
use crate::database::Fault;

/// So many ranges of sequence numbers are kept of a contact's key.
const MOST_RANGES: usize = 1_000;
/// And of a stranger's, who could have as many keys as messages are kept of strangers.
const MOST_RANGES_OF_STRANGER: usize = 100;

/// What came of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is new, and on the disk now.
    New(Receipt),
    /// It was kept before: the first receipt again, with what was had since.
    Before(Receipt),
    /// Its id belongs to a message with other content.
    OtherContent,
    /// Its sender is not listened to.
    Refused(Why),
    /// As much is kept of such senders as may be.
    OverQuota(Exceeded),
}

/// On what terms messages are taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms {
    /// Whose.
    pub accept: Accept,
    /// How many.
    pub quotas: Quotas,
}

/// The messages that this peer received.
#[derive(Clone)]
pub struct Inbox {
    store: Store,
    arrivals: watch::Sender<()>,
}

impl Inbox {
    /// The inbox in this database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, arrivals: watch::Sender::new(()) }
    }

    /// Changes whenever this process has kept a new message.
    #[must_use]
    pub fn arrivals(&self) -> watch::Receiver<()> {
        self.arrivals.subscribe()
    }

    /// Keeps a message, if its sender is listened to, by what the directory says of the name now. Answers when it is on
    /// the disk, and not before.
    pub async fn keep(&self, letter: Arc<Letter>, answer: Answer) -> Result<Kept, Fault> {
        let arrivals = self.arrivals.clone();
        let write =
            self.store.write_then(move |connection| letter.keep(connection, answer), announcing(arrivals));
        Ok(write.await?)
    }

    /// The same, by what the directory said a moment ago, if anything; none if it has to be asked.
    pub async fn keep_unasked(
        &self,
        letter: Arc<Letter>,
        remembered: Option<Answer>,
    ) -> Result<Option<Kept>, Fault> {
        let announce = announcing(self.arrivals.clone());
        let write = self.store.write_then(
            move |connection| letter.keep_unasked(connection, remembered),
            move |kept: &mut Option<Kept>| kept.iter_mut().for_each(announce),
        );
        Ok(write.await?)
    }

    /// Marks messages as shown to the user.
    pub async fn mark_read(&self, positions: Vec<i64>) -> Result<(), Fault> {
        if positions.is_empty() {
            return Ok(());
        }
        let write = self.store.write(move |connection| {
            let mut mark =
                connection.prepare_cached("UPDATE received SET read = 1 WHERE position = ?1 AND read = 0")?;
            for position in positions {
                mark.execute([position])?;
            }
            Ok::<_, rusqlite::Error>(())
        });
        Ok(write.await?)
    }

    /// How many messages under each name were not shown yet; of a name that has a key, those that are verified. Blocks.
    pub fn unread(&self) -> Result<BTreeMap<String, u64>, Fault> {
        Ok(self.store.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT partner, count(*) FROM messages
                     WHERE direction = 'received' AND read = 0 AND aside = 0 GROUP BY partner",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })?)
    }
}

/// The parts of a message that make it the same message.
type Content = (String, String, String, Option<String>, Option<[u8; 16]>);

/// A message with all that decides what becomes of it.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Whom it is for, if it does not say.
    pub to: Name,
    /// Who sent it.
    pub sender: Sender,
    /// The message.
    pub message: Message,
    /// On what terms it is taken.
    pub terms: Terms,
    /// When it came.
    pub now: Timestamp,
}

/// Tells of what is new.
fn announcing(arrivals: watch::Sender<()>) -> impl Fn(&mut Kept) {
    move |kept| {
        if matches!(kept, Kept::New(_)) {
            arrivals.send_replace(());
        }
    }
}

impl Letter {
    fn keep(&self, connection: &Connection, answer: Answer) -> rusqlite::Result<Kept> {
        let standing = self.standing(connection)?;
        let verdict = judge(self.sender.key, &standing, answer, self.terms.accept);
        self.keep_as(connection, &standing, verdict)
    }

    /// Asks for the directory's word only where there is room for the message.
    fn keep_unasked(
        &self,
        connection: &Connection,
        remembered: Option<Answer>,
    ) -> rusqlite::Result<Option<Kept>> {
        let standing = self.standing(connection)?;
        if let Some(verdict) = judge_unasked(self.sender.key, &standing, remembered, self.terms.accept) {
            return self.keep_as(connection, &standing, verdict).map(Some);
        }
        if self.kept_before(connection)?.is_some() {
            return Ok(None);
        }
        Ok(self.exceeded(connection, &standing)?.map(Kept::OverQuota))
    }

    /// How the sender stands in this very transaction.
    fn standing(&self, connection: &Connection) -> rusqlite::Result<Standing> {
        pins::standing(connection, &self.sender.name, self.sender.key)
    }

    fn keep_as(
        &self,
        connection: &Connection,
        standing: &Standing,
        verdict: Verdict,
    ) -> rusqlite::Result<Kept> {
        let Sender { name, key, .. } = &self.sender;
        let (id, content) = (self.message.id.unwrap_or_else(Uuid::now_v7), self.content());
        let before = self.kept_before(connection)?;
        let is_verified = matches!(verdict, Verdict::Verified | Verdict::First);
        match (verdict, &before) {
            // Whatever became of its sender, it is kept, and who sends it again may know.
            (Verdict::Refused(_), Some((first, _))) if *first == content => {}
            (Verdict::Refused(why), _) => {
                if let (Why::PinnedToAnother(_), Some(key)) = (why, key) {
                    mismatches::note(connection, name, *key, self.now)?;
                }
                return Ok(Kept::Refused(why));
            }
            (_, Some((first, _))) if *first != content => return Ok(Kept::OtherContent),
            (_, Some(_)) => {}
            (_, None) => {
                if let Some(exceeded) = self.exceeded(connection, standing)? {
                    return Ok(Kept::OverQuota(exceeded));
                }
                self.insert(connection, id, content, !is_verified)?;
            }
        }
        match (verdict, key) {
            (Verdict::Verified, _) => pins::used(connection, name, standing, self.now)?,
            (Verdict::First, Some(key)) => pins::see(connection, name, *key, self.now)?,
            _ => {}
        }
        let Had { highest, missing } = self.had(connection, standing.vouched, before.is_some())?;
        let receipt = |received_at| Receipt { id, received_at, verified: is_verified, highest, missing };
        Ok(match before {
            Some((_, received_at)) => Kept::Before(receipt(received_at)),
            None => Kept::New(receipt(self.now)),
        })
    }

    /// The message of this sender with this id, if there is one.
    fn kept_before(&self, connection: &Connection) -> rusqlite::Result<Option<(Content, Timestamp)>> {
        self.message.id.map_or(Ok(None), |id| find(connection, self.space(), id))
    }

    /// The quota that this message would exceed.
    fn exceeded(&self, connection: &Connection, standing: &Standing) -> rusqlite::Result<Option<Exceeded>> {
        let class = Class::of(self.sender.key, standing.vouched);
        self.terms.quotas.exceeded(connection, class, self.message.body.as_str().len())
    }

    /// Whose ids these are.
    fn space(&self) -> &[u8] {
        self.sender.key.as_ref().map_or(&[][..], |key| &key.as_bytes()[..])
    }

    fn content(&self) -> Content {
        (
            self.sender.name.as_str().to_owned(),
            self.message.to.as_ref().unwrap_or(&self.to).as_str().to_owned(),
            self.message.body.as_str().to_owned(),
            self.message.sent_at.map(|time| time.to_string()),
            self.message.reply_to.map(Uuid::into_bytes),
        )
    }

    fn insert(
        &self,
        connection: &Connection,
        id: Uuid,
        content: Content,
        is_doubted: bool,
    ) -> rusqlite::Result<()> {
        let position = next_position(connection)?;
        let place = match (self.sender.key, self.message.seq) {
            (Some(key), Some(seq)) => place::of(connection, key, seq, position)?,
            _ => position,
        };
        let (from, to, body, sent_at, reply_to) = content;
        connection
            .prepare_cached(
                "INSERT INTO received (position, place, sender, id, from_name, to_name, body, sent_at, received_at,
                                       doubted, source, seq, reply_to)
                 VALUES (:position, :place, :sender, :id, :from, :to, :body, :sent_at, :received_at,
                         :doubted, :source, :seq, :reply_to)",
            )?
            .execute(named_params! {
                ":position": position,
                ":place": place,
                ":sender": self.space(),
                ":id": id.as_bytes(),
                ":from": from,
                ":to": to,
                ":body": body,
                ":sent_at": sent_at,
                ":received_at": self.now.to_string(),
                ":doubted": is_doubted,
                ":source": self.sender.source.ip().to_string(),
                ":seq": self.message.seq,
                ":reply_to": reply_to,
            })?;
        Ok(())
    }

    /// Counts what the message says of its sender's count; what was had from that key then. Nobody counts without one, and
    /// a stranger's repeats change nothing: they cost no write.
    fn had(&self, connection: &Connection, is_vouched: bool, is_repeat: bool) -> rusqlite::Result<Had> {
        let Some(key) = self.sender.key else { return Ok(Had::default()) };
        let Message { seq, closed, .. } = &self.message;
        match is_vouched {
            true => had::take(connection, key, *seq, closed, MOST_RANGES),
            false if is_repeat => had::of(connection, key),
            false => had::take(connection, key, *seq, closed, MOST_RANGES_OF_STRANGER),
        }
    }
}

fn find(connection: &Connection, space: &[u8], id: Uuid) -> rusqlite::Result<Option<(Content, Timestamp)>> {
    connection
        .prepare_cached(
            "SELECT from_name, to_name, body, sent_at, reply_to, received_at
             FROM received WHERE sender = ?1 AND id = ?2",
        )?
        .query_row((space, id.as_bytes()), |row| {
            let content = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            let received_at: String = row.get(5)?;
            let received_at = received_at.parse().map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(5, rusqlite::types::Type::Text, Box::new(error))
            })?;
            Ok((content, received_at))
        })
        .optional()
}

#[cfg(test)]
mod tests;
