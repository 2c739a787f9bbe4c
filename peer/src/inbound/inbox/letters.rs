//! Letters: messages that came together. Their sender is judged in the transaction that keeps them, once for all.

use jiff::Timestamp;
use protocol::Name;
use protocol::message::Message;
use rusqlite::Connection;

use super::super::claims::Answer;
use super::super::quota::{Class, Room};
use super::super::sender::{Sender, Verdict, Why, judge, judge_unasked};
use super::keeping::{Keeping, kept_before};
use super::{Kept, Terms};
use crate::contacts::{Standing, mismatches, pins};

/// Messages of one sender that came together, with all that decides what becomes of them.
#[derive(Debug, Clone)]
pub struct Letters {
    /// Whom they are for, if they do not say.
    pub to: Name,
    /// Who sent them.
    pub sender: Sender,
    /// The messages, in order.
    pub messages: Vec<Message>,
    /// On what terms they are taken.
    pub terms: Terms,
    /// When they came.
    pub now: Timestamp,
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
        if kept_before(connection, self, first)?.is_some() {
            return Ok(None);
        }
        let exceeded = self.room(connection, &standing)?.exceeded(first.body.as_str().len());
        Ok(exceeded.map(|exceeded| vec![Kept::OverQuota(exceeded); self.messages.len()]))
    }

    /// How the sender stands in this very transaction.
    fn standing(&self, connection: &Connection) -> rusqlite::Result<Standing> {
        pins::standing(connection, &self.sender.name, self.sender.key)
    }

    /// How much is kept of such senders in this very transaction.
    pub(super) fn room(&self, connection: &Connection, standing: &Standing) -> rusqlite::Result<Room> {
        self.terms.quotas.room(connection, Class::of(self.sender.key, standing.vouched))
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
