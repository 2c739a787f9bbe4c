use std::io::Write as _;

use clap::Args;
use protocol::Name;

use super::Global;
use super::exit::{Exit, Failure};
use super::listing;
use super::output::Output;
use super::part::Part;
use crate::conversations::Query;

/// Show both sides of a conversation, or of all
#[derive(Args)]
#[command(before_help = "Examples:
  peer history ana --limit 20
  peer history ana --since 2026-10 --before 2026-11
  peer history --json > everything.jsonl")]
pub struct History {
    /// Only with this name
    name: Option<Name>,
    /// Only what was received from senders who did not prove to hold the key of the name
    #[arg(long)]
    unverified: bool,
    #[command(flatten)]
    part: Part,
}

impl History {
    pub(super) fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let trust = listing::trust(self.unverified, self.name.as_ref());
        let query = Query { partner: self.name, trust, ..Query::default() };
        let conversations = global.open()?.conversations;
        self.part.show(output);
        let query = self.part.of(query, &conversations)?;
        listing::print(&conversations, &query, output)?;
        output.flush()?;
        listing::note_set_aside(&conversations, &query)?;
        Ok(Exit::Done)
    }
}
