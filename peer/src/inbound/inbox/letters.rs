//! Letters: messages of one sender that came together, and what is known of them before any is kept.

use jiff::Timestamp;
use protocol::Name;
use protocol::message::Message;
use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use super::super::quota::{Class, Room};
use super::super::sender::Sender;
use super::content::{Content, digest, timestamp};
use super::{Terms, deleted};
use crate::contacts::{Standing, pins};

/// A message that was kept before, be it deleted by now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    /// Whether it has the same content.
    pub(super) is_same: bool,
    /// When it came.
    pub(super) received_at: Timestamp,
}

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
    /// How the sender stands in this very transaction.
    pub(super) fn standing(&self, connection: &Connection) -> rusqlite::Result<Standing> {
        pins::standing(connection, &self.sender.name, self.sender.key)
    }

    /// How much is kept of such senders in this very transaction.
    pub(super) fn room(&self, connection: &Connection, standing: &Standing) -> rusqlite::Result<Room> {
        self.terms.quotas.room(connection, Class::of(self.sender.key, standing.vouched))
    }

    /// Whose ids these are.
    pub(super) fn space(&self) -> &[u8] {
        self.sender.key.as_ref().map_or(&[][..], |key| &key.as_bytes()[..])
    }

    /// What makes this one of the messages the same message.
    pub(super) fn content(&self, message: &Message) -> Content {
        (
            self.sender.name.as_str().to_owned(),
            message.to.as_ref().unwrap_or(&self.to).as_str().to_owned(),
            message.body.as_str().to_owned(),
            message.sent_at.map(|time| time.to_string()),
            message.reply_to.map(Uuid::into_bytes),
        )
    }

    /// What is known of a message of this sender with the id of this one, which has this content, if there was one ever.
    pub(super) fn kept_before(
        &self,
        connection: &Connection,
        message: &Message,
        content: &Content,
    ) -> rusqlite::Result<Option<Before>> {
        let Some(id) = message.id else { return Ok(None) };
        let kept = connection
            .prepare_cached(
                "SELECT from_name, to_name, body, sent_at, reply_to, received_at
                 FROM received WHERE sender = ?1 AND id = ?2",
            )?
            .query_row((self.space(), id.as_bytes()), |row| {
                let first: Content = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
                Ok(Before { is_same: first == *content, received_at: timestamp(row, 5)? })
            })
            .optional()?;
        if kept.is_some() {
            return Ok(kept);
        }
        let deleted = deleted::before(connection, self.space(), id)?;
        Ok(deleted
            .map(|(of_first, received_at)| Before { is_same: of_first == digest(content), received_at }))
    }
}
