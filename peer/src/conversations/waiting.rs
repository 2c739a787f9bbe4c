//! What waits to be delivered, told of each recipient once: for whoever looks after the whole.

use jiff::Timestamp;
use rusqlite::Connection;

/// What waits for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Whom it is for.
    pub to: String,
    /// How many messages wait.
    pub messages: u64,
    /// Why the first of them does, as of the last try; nothing before that.
    pub reason: Option<String>,
    /// When it is tried again, if not before.
    pub next_try: Option<Timestamp>,
}

/// What waits, by recipient.
pub fn waiting(connection: &Connection) -> rusqlite::Result<Vec<Waiting>> {
    let mut select = connection.prepare(
        "SELECT partner, count(*), max(reason), max(next_try_at) FROM messages
         WHERE direction = 'sent' AND state = 'queued' AND state <> 'delivered' GROUP BY partner ORDER BY partner",
    )?;
    let rows = select.query_map([], |row| {
        let next_try: Option<i64> = row.get(3)?;
        Ok(Waiting {
            to: row.get(0)?,
            messages: row.get(1)?,
            reason: row.get(2)?,
            next_try: next_try.and_then(|at| Timestamp::from_millisecond(at).ok()),
        })
    })?;
    rows.collect()
}

/// When the message that was received last was received.
pub fn last_received(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let mut select = connection.prepare(
        "SELECT received_at FROM messages WHERE direction = 'received' AND position > 0 ORDER BY position DESC LIMIT 1",
    )?;
    let mut rows = select.query([])?;
    let text: Option<String> = rows.next()?.map(|row| row.get(0)).transpose()?;
    Ok(text.and_then(|text| text.parse().ok()))
}
