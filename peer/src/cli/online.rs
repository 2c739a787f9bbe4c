//! Those online, as every command that lists them shows them.

use std::io::Write as _;

use anstyle::Style;
use protocol::Fingerprint;
use protocol::directory::PeerRecord;
use serde::Serialize;

use super::clock::Clock;
use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::{FAINT, GOOD, NAME, Output, WARNING, note};
use super::table::{Cell, Table};
use super::untrusted::Untrusted;
use crate::contacts::Pin;
use crate::directory::Directory;
use crate::peer::Peer;

/// One who is online, for programs.
#[derive(Serialize)]
pub(super) struct Online<'a> {
    #[serde(flatten)]
    pub record: &'a PeerRecord,
    pub verified: bool,
    #[serde(skip)]
    pub standing: Standing,
    pub unread: u64,
}

/// How the key that the directory lists goes with the one that this peer remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// They are the same, and it was proved.
    Verified,
    /// This peer remembers another one.
    OtherKey,
    /// This peer remembers none, or the directory lists none, or nobody has proved it yet.
    Unknown,
}

impl Standing {
    fn of(listed: Option<Fingerprint>, pin: Option<Pin>) -> Self {
        match (listed, pin) {
            (Some(listed), Some(pin)) if listed != pin.fingerprint => Self::OtherKey,
            (Some(_), Some(pin)) if pin.proved => Self::Verified,
            _ => Self::Unknown,
        }
    }

    /// What people are shown of it.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Verified => tr!("online-verified"),
            Self::OtherKey => tr!("online-other-key"),
            Self::Unknown => String::new(),
        }
    }

    /// In which style.
    pub(super) fn style(self) -> Style {
        match self {
            Self::Verified => GOOD,
            Self::OtherKey => WARNING,
            Self::Unknown => Style::new(),
        }
    }
}

/// The directory of a peer that needs one.
pub(super) fn directory_of(peer: &Peer) -> Result<&Directory, Failure> {
    peer.directory.as_ref().ok_or_else(|| {
        Failure::new(Exit::DirectoryNeeded, tr!("online-no-directory")).hint(tr!("online-no-directory-hint"))
    })
}

/// Prints who is online.
pub(super) async fn print(peer: &Peer, output: &mut Output) -> Result<(), Failure> {
    let records = directory_of(peer)?.peers().await?.said;
    let online = with_unread(&records, peer)?;
    if output.json {
        return online.iter().try_for_each(|online| output.line(online));
    }
    table(&online, peer, output)
}

/// Records, each with what this peer knows of the name.
pub(super) fn with_unread<'a>(
    records: impl IntoIterator<Item = &'a PeerRecord>,
    peer: &Peer,
) -> Result<Vec<Online<'a>>, Failure> {
    let mut unread = peer.inbox.unread()?;
    let known = |record: &'a PeerRecord| {
        let standing = Standing::of(record.fingerprint, peer.contacts.pin(&record.name)?);
        Ok(Online {
            record,
            verified: standing == Standing::Verified,
            standing,
            unread: unread.remove(record.name.as_str()).unwrap_or(0),
        })
    };
    records.into_iter().map(known).collect()
}

/// Prints those who are online as a table.
pub(super) fn table(online: &[Online<'_>], peer: &Peer, output: &mut Output) -> Result<(), Failure> {
    if online.is_empty() {
        note(&tr!("online-nobody"));
        return Ok(());
    }
    let clock = Clock::for_listing(output);
    let mut table = Table::default();
    table.titles([
        tr!("online-title-name"),
        tr!("online-title-address"),
        tr!("online-title-since"),
        tr!("online-title-unread"),
        tr!("online-title-key"),
    ]);
    for Online { record, standing, unread, .. } in online {
        table.row([
            Cell::new(named(record, peer)).styled(NAME),
            Cell::new(record.address.to_string()).giving_way(),
            Cell::new(clock.tell(record.online_since)).styled(FAINT),
            unread_cell(*unread),
            Cell::new(standing.in_words()).styled(standing.style()),
        ]);
    }
    table.print(output)?;
    output.flush()?;
    for online in online {
        warn(online, peer);
    }
    Ok(())
}

/// Tells of one who is listed with another key than the one that is remembered: either the directory is wrong, or they have
/// a new one.
pub(super) fn warn(online: &Online<'_>, peer: &Peer) {
    let PeerRecord { name, fingerprint, .. } = online.record;
    // Whoever serves under a name that is claimed with another key is told so where it matters.
    if let (Standing::OtherKey, Some(listed)) = (online.standing, fingerprint)
        && peer.name() != Some(name)
    {
        let name = Untrusted(name.as_str());
        note(&tr!("online-listed-with-another-key", name = name, key = listed));
    }
}

/// A record's name, with a mark if it is this peer's own.
pub(super) fn named(record: &PeerRecord, peer: &Peer) -> String {
    let name = Untrusted(record.name.as_str());
    if peer.name() == Some(&record.name) { tr!("online-you", name = name) } else { name.to_string() }
}

/// How many messages were not read yet: what is new stands out.
pub(super) fn unread_cell(unread: u64) -> Cell {
    Cell::number(unread).styled(if unread == 0 { FAINT } else { GOOD })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contacts::Kind;

    #[test]
    fn a_listed_key_is_held_against_the_one_that_is_remembered() {
        let key = |byte| Fingerprint::from_bytes([byte; 32]);
        let pin = |byte, kind| Some(Pin { fingerprint: key(byte), kind, proved: true });
        let claimed = |byte| Some(Pin { fingerprint: key(byte), kind: Kind::Contact, proved: false });
        for (listed, pin, standing) in [
            (Some(key(1)), pin(1, Kind::Contact), Standing::Verified),
            (Some(key(1)), pin(1, Kind::Seen), Standing::Verified),
            (Some(key(1)), pin(1, Kind::Own), Standing::Verified),
            (Some(key(1)), pin(2, Kind::Contact), Standing::OtherKey),
            (Some(key(1)), pin(2, Kind::Seen), Standing::OtherKey),
            (Some(key(1)), pin(2, Kind::Own), Standing::OtherKey),
            (Some(key(1)), claimed(1), Standing::Unknown),
            (Some(key(1)), claimed(2), Standing::OtherKey),
            (Some(key(1)), None, Standing::Unknown),
            (None, pin(1, Kind::Contact), Standing::Unknown),
            (None, None, Standing::Unknown),
        ] {
            assert_eq!(Standing::of(listed, pin), standing, "{listed:?} {pin:?}");
        }
    }
}
