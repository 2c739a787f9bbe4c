//! What waits for a recipient, made into what is handed over next.

use jiff::Timestamp;
use protocol::Name;
use protocol::message::{Body, Message, Ranges};
use rusqlite::Row;
use uuid::Uuid;

use super::{Outbox, closed, unreadable};
use crate::database::Fault;
use crate::outbound::batch::{Batch, Item, Packer};
use crate::outbound::limits::Limit;

/// What is to be done next for a recipient.
#[derive(Debug, Clone)]
pub enum Next {
    /// Nothing waits for it.
    Nothing,
    /// The time of its oldest message has run out.
    Overdue,
    /// This is to be handed over.
    Batch(Batch),
}

/// What waits for a recipient, in order.
pub(super) const NEXT: &str =
    "SELECT position, id, from_name, body, sent_at, seq, reply_to, expires_at, insecure
     FROM sent WHERE state = 'queued' AND to_name = ?1 ORDER BY position LIMIT ?2";

impl Outbox {
    /// What is to be handed over to this recipient next: the oldest messages that wait for it, as many as go together.
    /// Blocks; no more of them are read than that.
    pub fn next_batch(&self, to: &Name, limit: Limit, now: Timestamp) -> Result<Next, Fault> {
        Ok(self.store.read(|connection| {
            let mut select = connection.prepare_cached(NEXT)?;
            let mut rows = select.query((to.as_str(), limit.messages))?;
            let mut packer = Packer::new(limit);
            while let Some(row) = rows.next()? {
                let pending = pending(row, to)?;
                if pending.expires_at <= now {
                    if packer.is_empty() {
                        return Ok(Next::Overdue);
                    }
                    break;
                }
                let Pending { item, mut message, insecure, .. } = pending;
                if packer.is_empty() {
                    message.closed = closed::riding(connection, to)?;
                }
                if !packer.pack(item, &message, insecure).map_err(|error| unreadable(3, error))? {
                    break;
                }
            }
            Ok(packer.packed().map_or(Next::Nothing, Next::Batch))
        })?)
    }
}

/// A message as it is read to be handed over.
pub(super) struct Pending {
    pub(super) item: Item,
    pub(super) message: Message,
    expires_at: Timestamp,
    insecure: bool,
}

/// Reads a message from its columns, in the order of [`NEXT`].
pub(super) fn pending(row: &Row<'_>, to: &Name) -> rusqlite::Result<Pending> {
    let (id, reply_to): ([u8; 16], Option<[u8; 16]>) = (row.get(1)?, row.get(6)?);
    let (from, body, sent_at): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
    let expires_at: i64 = row.get(7)?;
    Ok(Pending {
        item: Item { position: row.get(0)?, id: Uuid::from_bytes(id) },
        message: Message {
            id: Some(Uuid::from_bytes(id)),
            from: from.parse().map_err(|error| unreadable(2, error))?,
            to: Some(to.clone()),
            body: Body::try_from(body).map_err(|error| unreadable(3, error))?,
            sent_at: Some(sent_at.parse().map_err(|error| unreadable(4, error))?),
            seq: Some(row.get(5)?),
            closed: Ranges::default(),
            reply_to: reply_to.map(Uuid::from_bytes),
        },
        expires_at: Timestamp::from_millisecond(expires_at).unwrap_or(Timestamp::MAX),
        insecure: row.get(8)?,
    })
}
