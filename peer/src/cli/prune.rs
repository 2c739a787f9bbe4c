use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use protocol::Name;
use protocol::duration::DurationError;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::{Output, note};
use super::progress::Progress;
use super::{Global, confirm, delete};
use crate::archive::{Deleted, Old};

/// Delete old messages for good
///
/// All that was received, or was sent and is settled, longer ago than TIME; read or not. What waits to be delivered stays. As
/// with `peer delete`, nothing of it ever comes back.
///
/// At a terminal it is asked before anything is deleted. Interrupted, it has deleted the oldest: again, and it goes on. A TIME
/// is written 12h, 7d or 365d.
#[derive(Args)]
#[command(before_help = "Examples:
  peer prune --older-than 365d --dry-run   how many that would be
  peer prune --older-than 365d
  peer prune --older-than 30d --with ci    only what ci sent or was sent")]
pub struct Prune {
    /// How old a message has to be; 0s for all
    #[arg(long, value_name = "TIME", value_parser = age)]
    older_than: Duration,
    /// Only with this name on the other side
    #[arg(long, value_name = "NAME")]
    with: Option<Name>,
    /// Delete nothing, and say how many messages it would be
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What `--dry-run` prints for programs.
#[derive(Serialize)]
struct WouldDelete {
    would_delete: u64,
}

/// A duration, or none at all.
fn age(text: &str) -> Result<Duration, DurationError> {
    if text == "0s" { Ok(Duration::ZERO) } else { protocol::duration::parse(text) }
}

impl Prune {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        let before = crate::now().checked_sub(self.older_than).unwrap_or(Timestamp::MIN);
        let (archive, old) = (peer.archive(), Old { before, with: self.with });
        let asks = !self.yes && confirm::is_possible();
        let counted = archive.count_old(&old)?;
        if self.dry_run {
            return would_delete(counted, output);
        }
        if asks && counted.messages > 0 {
            let question = tr!("prune-ask", count = counted.messages, unread = counted.unread);
            confirm::ask(&question)?;
        }
        let progress = Progress::new(Some(counted.messages), tr!("prune-progress"));
        archive.begin_deleting(counted.messages).await?;
        let mut all = Deleted::default();
        loop {
            let deleted = archive.delete_old(old.clone()).await?;
            if deleted.messages == 0 {
                break;
            }
            progress.step(deleted.messages);
            all = Deleted { messages: all.messages + deleted.messages, unread: all.unread + deleted.unread };
        }
        progress.done();
        if all.messages > 0 {
            archive.wipe().await;
        }
        delete::print(all.messages, output)?;
        if all.unread > 0 {
            note(&tr!("prune-unread", count = all.unread));
        }
        Ok(Exit::Done)
    }
}

fn would_delete(counted: Deleted, output: &mut Output) -> Result<Exit, Failure> {
    use std::io::Write as _;
    if output.json {
        output.line(&WouldDelete { would_delete: counted.messages })?;
    } else {
        writeln!(output, "{}", tr!("prune-would", count = counted.messages, unread = counted.unread))?;
    }
    Ok(Exit::Done)
}
