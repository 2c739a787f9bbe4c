//! Quotas: how much is kept of those who are no contacts, so that nobody fills the disk. Owns the tables `kept` and
//! `strangers`. What is kept is counted here, once a transaction; what is deleted, and whose key becomes a contact's or ceases
//! to be one's, triggers of the schema count.

use std::fmt;
use std::str::FromStr;

use protocol::Fingerprint;
use protocol::size::Size;
use rusqlite::{Connection, OptionalExtension as _};

/// The most that is kept of somebody. Bytes are those of the bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// So much: so many messages, and so many bytes.
    AtMost(u64, u64),
    /// Everything.
    None,
}

/// The text is not a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write how many messages and how many bytes of text, as in 1000,16MiB; `none` for no limit, `0` to refuse them all"
)]
pub struct QuotaError;

/// What is kept of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Of all who prove no key, together.
    pub unverified: Quota,
    /// Of each key that is no contact's.
    pub stranger: Quota,
    /// Of all keys that are no contacts', together.
    pub strangers: Quota,
}

/// Whose quota a message counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// That of all who prove no key.
    Unverified,
    /// Those of this key, and of all that are no contacts'.
    Stranger(Fingerprint),
    /// Nobody's: a contact, or this peer itself.
    Contact,
}

/// Which quota is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exceeded {
    /// That of all who prove no key.
    Unverified(Quota),
    /// That of the sender's key.
    Stranger(Quota),
    /// That of all keys which are no contacts'.
    Strangers(Quota),
}

const MIB: u64 = 1 << 20;

impl Default for Quotas {
    fn default() -> Self {
        Self {
            unverified: Quota::AtMost(1_000, 16 * MIB),
            stranger: Quota::AtMost(1_000, 16 * MIB),
            strangers: Quota::AtMost(10_000, 256 * MIB),
        }
    }
}

impl Class {
    /// The class of a key, by whether it is a contact's or this peer's own.
    #[must_use]
    pub fn of(key: Option<Fingerprint>, is_vouched: bool) -> Self {
        match key {
            None => Self::Unverified,
            Some(_) if is_vouched => Self::Contact,
            Some(key) => Self::Stranger(key),
        }
    }
}

/// How much is kept of a class, counted on through the messages of one transaction.
#[derive(Debug)]
pub struct Room {
    quotas: Quotas,
    class: Class,
    /// Of the sender's key, or of all who prove none.
    of_sender: Kept,
    /// Of all keys that are no contacts'.
    of_strangers: Kept,
    /// What was not written yet.
    taken: Kept,
}

/// So many messages, and so many bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Kept(u64, u64);

impl Quotas {
    /// How much of this class is kept so far.
    pub fn room(&self, connection: &Connection, class: Class) -> rusqlite::Result<Room> {
        let (of_sender, of_strangers) = match class {
            Class::Contact => (Kept::default(), Kept::default()),
            Class::Unverified => (kept_of(connection, &[])?, Kept::default()),
            Class::Stranger(key) => (kept_of(connection, key.as_bytes())?, kept_of_strangers(connection)?),
        };
        Ok(Room { quotas: *self, class, of_sender, of_strangers, taken: Kept::default() })
    }
}

impl Room {
    /// Which quota would be exceeded by one message more with so many bytes.
    #[must_use]
    pub fn exceeded(&self, bytes: usize) -> Option<Exceeded> {
        let Quotas { unverified, stranger, strangers } = self.quotas;
        let (sender, all) = (self.of_sender.and(bytes), self.of_strangers.and(bytes));
        match self.class {
            Class::Contact => None,
            Class::Unverified => (!unverified.holds(sender)).then_some(Exceeded::Unverified(unverified)),
            Class::Stranger(_) if !stranger.holds(sender) => Some(Exceeded::Stranger(stranger)),
            Class::Stranger(_) => (!strangers.holds(all)).then_some(Exceeded::Strangers(strangers)),
        }
    }

    /// Counts one message more with so many bytes.
    pub fn take(&mut self, bytes: usize) {
        self.of_sender = self.of_sender.and(bytes);
        self.of_strangers = self.of_strangers.and(bytes);
        self.taken = self.taken.and(bytes);
    }

    /// Writes what was counted, as kept of this sender.
    pub fn write(self, connection: &Connection, sender: Option<Fingerprint>) -> rusqlite::Result<()> {
        let Kept(messages, bytes) = self.taken;
        if messages == 0 {
            return Ok(());
        }
        let sender = sender.as_ref().map_or(&[][..], |key| &key.as_bytes()[..]);
        connection
            .prepare_cached(
                "INSERT INTO kept (sender, messages, bytes) VALUES (?1, ?2, ?3)
                 ON CONFLICT (sender) DO UPDATE
                 SET messages = messages + excluded.messages, bytes = bytes + excluded.bytes",
            )?
            .execute((sender, messages, bytes))?;
        if let Class::Stranger(_) = self.class {
            connection
                .prepare_cached("UPDATE strangers SET messages = messages + ?1, bytes = bytes + ?2")?
                .execute((messages, bytes))?;
        }
        Ok(())
    }
}

/// Counts a message more with so many bytes as kept, whatever the quotas say; `is_vouched`: of a contact's key.
pub fn count(
    connection: &Connection,
    sender: Option<Fingerprint>,
    is_vouched: bool,
    bytes: usize,
) -> rusqlite::Result<()> {
    let quotas = Quotas { unverified: Quota::None, stranger: Quota::None, strangers: Quota::None };
    let mut room = quotas.room(connection, Class::of(sender, is_vouched))?;
    room.take(bytes);
    room.write(connection, sender)
}

impl Kept {
    /// And one message more with so many bytes.
    fn and(self, bytes: usize) -> Self {
        Self(self.0 + 1, self.1 + bytes as u64)
    }
}

fn kept_of(connection: &Connection, sender: &[u8]) -> rusqlite::Result<Kept> {
    let kept = connection
        .prepare_cached("SELECT messages, bytes FROM kept WHERE sender = ?1")?
        .query_row([sender], |row| Ok(Kept(row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(kept.unwrap_or_default())
}

fn kept_of_strangers(connection: &Connection) -> rusqlite::Result<Kept> {
    connection
        .prepare_cached("SELECT messages, bytes FROM strangers")?
        .query_row([], |row| Ok(Kept(row.get(0)?, row.get(1)?)))
}

impl Quota {
    fn holds(self, kept: Kept) -> bool {
        match self {
            Self::None => true,
            Self::AtMost(messages, bytes) => kept.0 <= messages && kept.1 <= bytes,
        }
    }

    /// As a sentence has it; as a flag takes it, it is the `Display`.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::AtMost(0, _) => "nothing".to_owned(),
            Self::AtMost(messages, bytes) => {
                let size = Size(usize::try_from(bytes).unwrap_or(usize::MAX)).to_string();
                let unit = if size.ends_with('B') { "" } else { " bytes" };
                format!("at most {messages} messages and {size}{unit}")
            }
            Self::None => "everything".to_owned(),
        }
    }
}

impl FromStr for Quota {
    type Err = QuotaError;

    fn from_str(text: &str) -> Result<Self, QuotaError> {
        match text {
            "none" => return Ok(Self::None),
            "0" => return Ok(Self::AtMost(0, 0)),
            _ => {}
        }
        let (messages, bytes) = text.split_once(',').ok_or(QuotaError)?;
        let is_number = !messages.is_empty() && messages.bytes().all(|byte| byte.is_ascii_digit());
        let messages = messages.parse().ok().filter(|messages| is_number && *messages > 0);
        let Size(bytes) = bytes.parse().map_err(|_| QuotaError)?;
        Ok(Self::AtMost(messages.ok_or(QuotaError)?, bytes as u64))
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::AtMost(0, 0) => f.write_str("0"),
            Self::AtMost(messages, bytes) => {
                write!(f, "{messages},{}", Size(usize::try_from(*bytes).unwrap_or(usize::MAX)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_read_as_it_is_shown() {
        for text in ["1000,16MiB", "1,1", "10000,256MiB", "none", "0"] {
            assert_eq!(text.parse::<Quota>().map(|quota| quota.to_string()), Ok(text.to_owned()));
        }
        for bad in [
            "",
            "1000",
            "1000,",
            ",16MiB",
            "0,16MiB",
            "10,0",
            "-1,1",
            "+1,1",
            "1, 1",
            "None",
            "00",
            "99999999999999999999,1",
        ] {
            assert_eq!(bad.parse::<Quota>(), Err(QuotaError), "{bad}");
        }
    }
}
