//! Those online, as every command that lists them shows them.

use std::io::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use protocol::directory::PeerRecord;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::output::{Output, note};
use crate::directory::Directory;
use crate::peer::Peer;

/// One who is online, for programs.
#[derive(Serialize)]
pub(super) struct Online<'a> {
    #[serde(flatten)]
    pub record: &'a PeerRecord,
    pub verified: bool,
    pub unread: u64,
}

/// The directory of a peer that needs one.
pub(super) fn directory_of(peer: &Peer) -> Result<&Directory, Failure> {
    peer.directory.as_ref().ok_or_else(|| {
        Failure::new(Exit::DirectoryNeeded, "no directory is configured").hint("Name one with --server URL.")
    })
}

/// Prints who is online.
pub(super) async fn print(peer: &Peer, output: &mut Output) -> Result<(), Failure> {
    let records = directory_of(peer)?.peers().await?;
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
    let known = |record: &'a PeerRecord| Online {
        record,
        verified: false,
        unread: unread.remove(record.name.as_str()).unwrap_or(0),
    };
    Ok(records.into_iter().map(known).collect())
}

/// Prints those who are online as a table.
pub(super) fn table(online: &[Online<'_>], peer: &Peer, output: &mut Output) -> Result<(), Failure> {
    if online.is_empty() {
        note("Nobody is online.");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["NAME", "ADDRESS", "ONLINE SINCE", "UNREAD"]);
    for Online { record, unread, .. } in online {
        table.add_row([
            named(record, peer),
            record.address.to_string(),
            local_time(record.online_since),
            unread.to_string(),
        ]);
    }
    if let Some(unread) = table.column_mut(3) {
        unread.set_cell_alignment(CellAlignment::Right);
    }
    for line in table.lines() {
        writeln!(output, "{}", line.trim())?;
    }
    Ok(())
}

/// A record's name, with a mark if it is this peer's own.
pub(super) fn named(record: &PeerRecord, peer: &Peer) -> String {
    let you = if peer.name() == Some(&record.name) { " (you)" } else { "" };
    format!("{}{you}", record.name)
}

/// A time in the user's zone.
pub(super) fn local_time(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}
