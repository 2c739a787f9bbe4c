//! Invites: codes that let new claims into a private directory. Only what a code hashes to is kept, in the table
//! `invites`, which is this file's. Who needs a code is decided elsewhere.

use std::fmt;
use std::num::NonZeroU32;

use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Result, params};
use sha2::{Digest as _, Sha256};

/// A code as text, to be shown once: 26 letters and digits.
pub struct InviteCode(String);

/// What is kept of a code: its SHA-256. Any text has one; most let nobody in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InviteHash([u8; 32]);

impl InviteCode {
    /// A new one, of 128 random bits.
    pub fn make() -> std::result::Result<Self, getrandom::Error> {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret)?;
        Ok(Self(BASE32_NOPAD.encode(&secret).to_ascii_lowercase()))
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> InviteHash {
        InviteHash::of(&self.0)
    }

    /// The text itself, for whoever is invited.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl InviteHash {
    /// Of a code that a client sent.
    #[must_use]
    pub fn of(code: &str) -> Self {
        Self(Sha256::digest(code).into())
    }
}

impl fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteCode(…)")
    }
}

impl fmt::Debug for InviteHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteHash(…)")
    }
}

pub(super) fn add(
    conn: &Connection,
    hash: &InviteHash,
    uses: NonZeroU32,
    expires_at: Timestamp,
) -> Result<()> {
    conn.prepare_cached("INSERT INTO invites (hash, uses_left, expires_at) VALUES (?1, ?2, ?3)")?
        .execute(params![hash.0, uses.get(), expires_at.as_millisecond()])?;
    Ok(())
}

/// Whether it lets somebody in at this time.
pub(super) fn is_good(conn: &Connection, hash: &InviteHash, now: Timestamp) -> Result<bool> {
    conn.prepare_cached("SELECT 1 FROM invites WHERE hash = ?1 AND expires_at > ?2")?
        .query_row(params![hash.0, now.as_millisecond()], |_| Ok(()))
        .optional()
        .map(|found| found.is_some())
}

/// Counts one use of a code that is good.
pub(super) fn spend(conn: &Connection, hash: &InviteHash) -> Result<()> {
    let last =
        conn.prepare_cached("DELETE FROM invites WHERE hash = ?1 AND uses_left = 1")?.execute([hash.0])?;
    if last == 0 {
        conn.prepare_cached("UPDATE invites SET uses_left = uses_left - 1 WHERE hash = ?1")?
            .execute([hash.0])?;
    }
    Ok(())
}

pub(super) fn forget_expired(conn: &Connection, now: Timestamp) -> Result<()> {
    conn.prepare_cached("DELETE FROM invites WHERE expires_at <= ?1")?.execute([now.as_millisecond()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::restart::empty;
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_code_is_good_for_its_uses_and_its_time() {
        let (conn, code) = (empty(), InviteCode::make().unwrap());
        let hash = code.hash();
        assert!(!is_good(&conn, &hash, at(0)).unwrap());
        add(&conn, &hash, NonZeroU32::new(2).unwrap(), at(10)).unwrap();
        for uses_left in [2, 1] {
            assert!(is_good(&conn, &InviteHash::of(code.as_str()), at(9)).unwrap(), "{uses_left}");
            assert!(!is_good(&conn, &hash, at(10)).unwrap(), "expired");
            spend(&conn, &hash).unwrap();
        }
        assert!(!is_good(&conn, &hash, at(9)).unwrap(), "used up");
    }

    #[test]
    fn what_has_expired_is_forgotten() {
        let conn = empty();
        for (code, expiry) in [("one", 10), ("other", 11)] {
            add(&conn, &InviteHash::of(code), NonZeroU32::MIN, at(expiry)).unwrap();
        }
        forget_expired(&conn, at(10)).unwrap();
        let kept: i64 = conn.query_row("SELECT count(*) FROM invites", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 1);
        assert!(is_good(&conn, &InviteHash::of("other"), at(0)).unwrap());
    }

    #[test]
    fn codes_can_be_typed_and_do_not_repeat() {
        let (one, other) = (InviteCode::make().unwrap(), InviteCode::make().unwrap());
        assert!(one.as_str().len() == 26 && one.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(one.as_str(), other.as_str());
        assert_eq!(format!("{one:?} {:?}", one.hash()), "InviteCode(…) InviteHash(…)");
    }
}
