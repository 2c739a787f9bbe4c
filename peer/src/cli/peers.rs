use std::io::Write as _;

use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use jiff::tz::TimeZone;
use protocol::directory::PeerRecord;
use serde::Serialize;

use super::Global;
use super::exit::{Exit, Failure};
use super::output::{Output, note};
use crate::outbound::directory::Directory;
use crate::peer::Peer;

/// Show who is online
#[derive(Args)]
pub struct Peers {}

/// One who is online, for programs.
#[derive(Serialize)]
struct Online<'a> {
    #[serde(flatten)]
    record: &'a PeerRecord,
    verified: bool,
    unread: u64,
}

impl Peers {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        print(&global.open()?, output).await?;
        Ok(Exit::Done)
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
    let records = directory_of(peer)?.peers().await?;
    let mut unread = peer.inbox.unread()?;
    let online: Vec<Online<'_>> = records
        .iter()
        .map(|record| Online {
            record,
            verified: false,
            unread: unread.remove(record.name.as_str()).unwrap_or(0),
        })
        .collect();
    if output.json {
        return online.iter().try_for_each(|online| output.line(online));
    }
    if online.is_empty() {
        note("Nobody is online.");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["NAME", "ADDRESS", "ONLINE SINCE", "UNREAD"]);
    for Online { record, unread, .. } in online {
        let since = record.online_since.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
        let you = if peer.name() == Some(&record.name) { " (you)" } else { "" };
        table.add_row([
            format!("{}{you}", record.name),
            record.address.to_string(),
            since,
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
