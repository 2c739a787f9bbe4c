//! Those online, as every command that lists them shows them.

use std::io::Write as _;
use std::iter;

use anstyle::Style;
use comfy_table::{CellAlignment, Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use protocol::Fingerprint;
use protocol::directory::PeerRecord;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::output::{Output, WARNING, note};
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
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::OtherKey => "another key",
            Self::Unknown => "",
        }
    }
}

/// The directory of a peer that needs one.
pub(super) fn directory_of(peer: &Peer) -> Result<&Directory, Failure> {
    peer.directory.as_ref().ok_or_else(|| {
        Failure::new(Exit::DirectoryNeeded, "no directory is configured").hint("Name one with --server URL.")
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
        note("Nobody is online.");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["NAME", "ADDRESS", "ONLINE SINCE", "UNREAD", "KEY"]);
    for Online { record, standing, unread, .. } in online {
        table.add_row([
            named(record, peer),
            record.address.to_string(),
            local_time(record.online_since),
            unread.to_string(),
            standing.word().to_owned(),
        ]);
    }
    if let Some(unread) = table.column_mut(3) {
        unread.set_cell_alignment(CellAlignment::Right);
    }
    // The first line is the header.
    let styles = online.iter().map(|online| match online.standing {
        Standing::OtherKey => WARNING,
        Standing::Verified | Standing::Unknown => Style::new(),
    });
    for (line, style) in table.lines().zip(iter::once(Style::new()).chain(styles)) {
        writeln!(output, "{style}{}{style:#}", line.trim())?;
    }
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
        note(&format!("{name} is listed with another key than the one known here. If {name} has a new one:"));
        note(&format!("  peer trust {name} {listed}"));
    }
}

/// A record's name, with a mark if it is this peer's own.
pub(super) fn named(record: &PeerRecord, peer: &Peer) -> String {
    let you = if peer.name() == Some(&record.name) { " (you)" } else { "" };
    format!("{}{you}", Untrusted(record.name.as_str()))
}

/// A time in the user's zone.
pub(super) fn local_time(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
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
