//! Pins: each name's key as this peer remembers it, and the names that the user blocks. Owns the tables `pins` and
//! `blocked`.
//!
//! ```text
//!               (first message)            (the user writes, adds, trusts)
//!  no pin ───────────────────────▶ seen ───────────────────────▶ contact
//!    ▲ ▲                            │ │                           │    │ (the user trusts another key)
//!    │ └── unused for long ─────────┘ └─────────┐     ┌───────────┘    │
//!    └──── forgotten by the user ◀──────────────┴─────┴── former ◀─────┘
//! ```

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use protocol::{Fingerprint, Name};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row};

/// So many pins are kept that were only seen: those of blocked names count, and stay.
const MOST_SEEN: usize = 10_000;
/// A pin that was only seen is kept for so long after its last use.
const SEEN_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);
/// That a pin was used is written down once in so long.
const USE_NOTED: SignedDuration = SignedDuration::from_hours(24);
/// So many pins at most are judged by their age in one sweep: a clock that is wrong for an hour does little harm.
const SWEPT_AT_ONCE: usize = 100;

/// Why a name has the key that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is this peer's own name.
    Own,
    /// A first message proved it.
    Seen,
    /// The user wrote to it, added it or trusted it.
    Contact,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Seen => "seen",
            Self::Contact => "contact",
        }
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        let all = [Self::Own, Self::Seen, Self::Contact];
        all.into_iter().find(|kind| kind.word() == word).ok_or(FromSqlError::InvalidType)
    }
}

/// The key that a name has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// The key.
    pub fingerprint: Fingerprint,
    /// Why it is this one.
    pub kind: Kind,
    /// Whether its holder proved it under the name, or the user vouched for it; else the name's claim says so, and no more.
    pub proved: bool,
}

/// How a sender stands with this peer: what is asked in the transaction that keeps its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// The key of the name.
    pub pin: Option<Pin>,
    /// When that was last written down as used, in milliseconds since 1970.
    used_at: i64,
    /// Whether the user blocked the name, or any name under which the sender's key was ever proved.
    pub blocked: bool,
    /// Whether the sender's key is a contact's or this peer's own, under whatever name.
    pub vouched: bool,
}

/// How somebody with this name and key stands.
pub fn standing(
    connection: &Connection,
    name: &Name,
    key: Option<Fingerprint>,
) -> rusqlite::Result<Standing> {
    let mut select = connection.prepare_cached(
        "SELECT pin.fingerprint, pin.kind, pin.used_at, pin.proved,
                EXISTS (SELECT 1 FROM blocked WHERE name = ?1)
                OR EXISTS (SELECT 1 FROM pins JOIN blocked USING (name) WHERE fingerprint = ?2 AND proved = 1),
                EXISTS (SELECT 1 FROM pins WHERE fingerprint = ?2 AND kind IN ('own', 'contact'))
         FROM (SELECT 1) LEFT JOIN pins AS pin ON pin.name = ?1 AND pin.kind <> 'former'",
    )?;
    select.query_row((name.as_str(), key.as_ref().map(Fingerprint::as_bytes)), |row| {
        let fingerprint: Option<[u8; 32]> = row.get(0)?;
        let kind: Option<Kind> = row.get(1)?;
        let proved = row.get::<_, Option<bool>>(3)?.unwrap_or_default();
        let pin = fingerprint.map(Fingerprint::from_bytes).zip(kind);
        Ok(Standing {
            pin: pin.map(|(fingerprint, kind)| Pin { fingerprint, kind, proved }),
            used_at: row.get::<_, Option<i64>>(2)?.unwrap_or_default(),
            blocked: row.get(4)?,
            vouched: row.get(5)?,
        })
    })
}

/// Pins a key that a first message proved; the name has none.
pub fn see(
    connection: &Connection,
    name: &Name,
    fingerprint: Fingerprint,
    now: Timestamp,
) -> rusqlite::Result<()> {
    set(connection, name, Pin { fingerprint, kind: Kind::Seen, proved: true }, now)?;
    make_room(connection)
}

/// Notes that its holder used the pin, if that was not noted lately.
pub fn used(
    connection: &Connection,
    name: &Name,
    standing: &Standing,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let Some(pin) = standing.pin else { return Ok(()) };
    if !pin.proved {
        prove(connection, name, pin.fingerprint)?;
    }
    let now = now.as_millisecond();
    if pin.kind == Kind::Seen && now.saturating_sub(standing.used_at) >= milliseconds(USE_NOTED) {
        connection
            .prepare_cached("UPDATE pins SET used_at = ?2 WHERE name = ?1 AND kind = 'seen'")?
            .execute((name.as_str(), now))?;
    }
    Ok(())
}

/// Notes that the holder of this key has the name.
pub(super) fn prove(connection: &Connection, name: &Name, fingerprint: Fingerprint) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE pins SET proved = 1 WHERE name = ?1 AND fingerprint = ?2 AND proved = 0")?
        .execute((name.as_str(), fingerprint.as_bytes()))?;
    Ok(())
}

/// The key of the name.
pub fn current(connection: &Connection, name: &Name) -> rusqlite::Result<Option<Pin>> {
    connection
        .prepare_cached("SELECT fingerprint, kind, proved FROM pins WHERE name = ?1 AND kind <> 'former'")?
        .query_row([name.as_str()], pin)
        .optional()
}

/// Whether this is a key that the name has or had.
pub fn is_or_was(connection: &Connection, name: &Name, key: Fingerprint) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM pins WHERE name = ?1 AND fingerprint = ?2")?
        .exists((name.as_str(), key.as_bytes()))
}

/// Remembers that the name had this key before the one that it has.
pub fn had_before(
    connection: &Connection,
    name: &Name,
    fingerprint: Fingerprint,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO pins (name, fingerprint, kind, used_at, proved) VALUES (?1, ?2, 'former', ?3, 1)
             ON CONFLICT (name, fingerprint) DO NOTHING",
        )?
        .execute((name.as_str(), fingerprint.as_bytes(), now.as_millisecond()))?;
    Ok(())
}

/// Whether this is a contact's key or this peer's own, under whatever name.
pub fn is_vouched(connection: &Connection, key: Fingerprint) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM pins WHERE fingerprint = ?1 AND kind IN ('own', 'contact')")?
        .exists([key.as_bytes()])
}

/// Makes a contact of the name with this key, as its claim says; it has no other.
pub(super) fn believe(
    connection: &Connection,
    name: &Name,
    fingerprint: Fingerprint,
    now: Timestamp,
) -> rusqlite::Result<()> {
    set(connection, name, Pin { fingerprint, kind: Kind::Contact, proved: false }, now)
}

/// Makes a contact of the name with this key, as the user says; it has no other.
pub(super) fn vouch(
    connection: &Connection,
    name: &Name,
    fingerprint: Fingerprint,
    now: Timestamp,
) -> rusqlite::Result<()> {
    set(connection, name, Pin { fingerprint, kind: Kind::Contact, proved: true }, now)
}

/// Pins this peer's own name. What it was called before, or who else was, is remembered as former.
pub(super) fn own(
    connection: &Connection,
    name: &Name,
    fingerprint: Fingerprint,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection.execute("UPDATE pins SET kind = 'former' WHERE kind = 'own'", [])?;
    retire(connection, name)?;
    set(connection, name, Pin { fingerprint, kind: Kind::Own, proved: true }, now)
}

/// Makes the key of the name one that it had.
pub(super) fn retire(connection: &Connection, name: &Name) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE pins SET kind = 'former' WHERE name = ?1 AND kind <> 'former'")?
        .execute([name.as_str()])?;
    Ok(())
}

/// A contact or this peer itself does not become one who was only seen, nor what was proved what is only claimed.
fn set(connection: &Connection, name: &Name, pin: Pin, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO pins (name, fingerprint, kind, used_at, proved) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (name, fingerprint) DO UPDATE
             SET kind = CASE WHEN kind IN ('seen', 'former') THEN excluded.kind ELSE kind END,
                 used_at = excluded.used_at, proved = max(proved, excluded.proved)
             WHERE kind IN ('seen', 'former') OR proved < excluded.proved",
        )?
        .execute((
            name.as_str(),
            pin.fingerprint.as_bytes(),
            pin.kind.word(),
            now.as_millisecond(),
            pin.proved,
        ))?;
    Ok(())
}

/// Drops what was only seen and not used for long; what was used at a time ahead of now counts as used now.
pub(super) fn sweep(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let now = now.as_millisecond();
    connection
        .prepare_cached(
            "UPDATE pins SET used_at = ?1 WHERE (name, fingerprint) IN
             (SELECT name, fingerprint FROM pins WHERE kind = 'seen' AND used_at > ?1 ORDER BY used_at DESC LIMIT ?2)",
        )?
        .execute((now, SWEPT_AT_ONCE))?;
    connection
        .prepare_cached(
            "DELETE FROM pins WHERE (name, fingerprint) IN
             (SELECT name, fingerprint FROM pins WHERE kind = 'seen' AND used_at <= ?1
              AND name NOT IN (SELECT name FROM blocked) ORDER BY used_at LIMIT ?2)",
        )?
        .execute((now.saturating_sub(milliseconds(SEEN_FOR)), SWEPT_AT_ONCE))?;
    make_room(connection)
}

/// Drops the least recently used of what was only seen and is too much.
fn make_room(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM pins WHERE kind = 'seen' AND name NOT IN (SELECT name FROM blocked) AND (name, fingerprint) IN
             (SELECT name, fingerprint FROM pins WHERE kind = 'seen' ORDER BY used_at DESC LIMIT -1 OFFSET ?1)",
        )?
        .execute([MOST_SEEN])?;
    Ok(())
}

/// Drops all keys of the name, but this peer's own; whether there were any.
pub(super) fn forget(connection: &Connection, name: &Name) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM pins WHERE name = ?1 AND kind <> 'own'", [name.as_str()])? > 0)
}

/// Blocks the name.
pub(super) fn block(connection: &Connection, name: &Name) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO blocked (name) VALUES (?1) ON CONFLICT DO NOTHING", [name.as_str()])?;
    Ok(())
}

/// Takes the block away; whether there was one.
pub(super) fn unblock(connection: &Connection, name: &Name) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM blocked WHERE name = ?1", [name.as_str()])? > 0)
}

/// Whether the name is blocked.
pub(super) fn is_blocked(connection: &Connection, name: &Name) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM blocked WHERE name = ?1")?.exists([name.as_str()])
}

/// The names that are blocked.
pub(super) fn all_blocked(connection: &Connection) -> rusqlite::Result<BTreeSet<Name>> {
    let mut select = connection.prepare("SELECT name FROM blocked")?;
    let names: rusqlite::Result<Vec<String>> = select.query_map([], |row| row.get(0))?.collect();
    Ok(names?.into_iter().filter_map(|name| name.parse().ok()).collect())
}

/// The key of each name.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<BTreeMap<Name, Pin>> {
    let mut select =
        connection.prepare("SELECT fingerprint, kind, proved, name FROM pins WHERE kind <> 'former'")?;
    let rows: rusqlite::Result<Vec<(String, Pin)>> =
        select.query_map([], |row| Ok((row.get(3)?, pin(row)?)))?.collect();
    let parsed = |(name, pin): (String, Pin)| Some((name.parse().ok()?, pin));
    Ok(rows?.into_iter().filter_map(parsed).collect())
}

fn pin(row: &Row<'_>) -> rusqlite::Result<Pin> {
    Ok(Pin { fingerprint: Fingerprint::from_bytes(row.get(0)?), kind: row.get(1)?, proved: row.get(2)? })
}

fn milliseconds(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
