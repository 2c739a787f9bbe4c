use std::collections::BTreeSet;

use clap::Args;
use jiff::tz::TimeZone;
use protocol::Name;
use serde::Serialize;
use uuid::Uuid;

use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::Output;
use super::untrusted::Untrusted;
use super::{Global, confirm, part};
use crate::conversations::{Conversations, Direction, Entry};

/// Delete messages for good
///
/// A message that was deleted never comes back: if it is sent again, its sender is told that it was received, and nothing is
/// kept. One that waits to be delivered is not delivered any more.
///
/// The others keep theirs: deleting is for this peer only. `--ids` in a listing shows the ids. At a terminal it is asked before
/// anything is deleted. All of the messages are deleted, or none.
/// Exit codes: 0 deleted, 1 no such message, or several with the same id, 2 bad input.
#[derive(Args)]
#[command(before_help = "Examples:
  peer inbox --ids               which id it has
  peer delete 0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3
  peer delete --from ana 0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3")]
pub struct Delete {
    /// Which messages, by their ids
    #[arg(value_name = "ID", required = true, value_parser = id)]
    ids: Vec<Uuid>,
    /// Only what is from this name, where several messages have the same id
    #[arg(long, value_name = "NAME")]
    from: Option<Name>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What is printed for programs.
#[derive(Serialize)]
struct Line {
    deleted: u64,
}

impl Delete {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        let messages = self.chosen(&peer.conversations)?;
        if !self.yes && confirm::is_possible() {
            let list = messages.iter().map(described).collect::<Vec<_>>().join("\n");
            confirm::ask(&format!("{list}\n{}", tr!("delete-ask", count = messages.len())))?;
        }
        let messages = messages.iter().map(|entry| (entry.direction, entry.position)).collect();
        let archive = peer.archive();
        let deleted = archive.delete(messages).await?;
        archive.wipe().await;
        print(deleted, output)?;
        Ok(Exit::Done)
    }

    /// The messages that are meant: each id is one's, or that of several from the name which was given.
    fn chosen(&self, conversations: &Conversations) -> Result<Vec<Entry>, Failure> {
        let (mut chosen, mut unknown) = (Vec::new(), Vec::new());
        for id in self.ids.iter().copied().collect::<BTreeSet<_>>() {
            let mut found: Vec<_> = conversations.with_id(id)?.into_iter().map(|(entry, _)| entry).collect();
            if let Some(name) = &self.from {
                found.retain(|entry| entry.from == name.as_str());
                // Under a name that has a key, what its key says is meant; and what others say only if it says nothing.
                if found.iter().any(|entry| entry.verified) {
                    found.retain(|entry| entry.verified || entry.direction == Direction::Sent);
                }
            } else if found.len() > 1 {
                return Err(several(id, &found));
            }
            if found.is_empty() {
                unknown.push(id);
            }
            chosen.extend(found);
        }
        if unknown.is_empty() { Ok(chosen) } else { Err(part::unknown(&unknown)) }
    }
}

/// Says how many messages were deleted.
pub(super) fn print(deleted: u64, output: &mut Output) -> Result<(), Failure> {
    use std::io::Write as _;
    if output.json {
        return output.line(&Line { deleted });
    }
    writeln!(output, "{}", tr!("delete-done", count = deleted))?;
    Ok(())
}

fn several(id: Uuid, found: &[Entry]) -> Failure {
    let list = found.iter().map(described).collect::<Vec<_>>().join("\n");
    let name = found.first().map_or_else(String::new, |entry| Untrusted(&entry.from).to_string());
    Failure::new(Exit::Failed, tr!("delete-several", id = id, count = found.len())).detail(list).hint(tr!(
        "delete-several-hint",
        name = name,
        id = id
    ))
}

/// A message in a line: which one it is, not what it says.
fn described(entry: &Entry) -> String {
    let time = match entry.direction {
        Direction::Received => entry.received_at,
        Direction::Sent => entry.sent_at,
    };
    let time = time.map_or_else(String::new, |time| {
        time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
    });
    let (from, to) = (Untrusted(&entry.from), Untrusted(&entry.to));
    match (entry.direction, entry.verified) {
        (Direction::Sent, _) => tr!("delete-sent", time = time, to = to),
        (Direction::Received, true) => tr!("delete-received", time = time, from = from),
        (Direction::Received, false) => tr!("delete-received-unverified", time = time, from = from),
    }
}

fn id(text: &str) -> Result<Uuid, String> {
    Uuid::try_parse(text).map_err(|_| tr!("delete-no-id"))
}
