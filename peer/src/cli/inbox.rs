use std::io::Write as _;
use std::pin::pin;

use clap::Args;
use protocol::Name;

use super::Global;
use super::exit::{Exit, Failure};
use super::follow::Follower;
use super::listing::{self, Listing};
use super::output::{Output, reader_gone};
use super::part::Part;
use crate::conversations::{Direction, Query};
use crate::peer::Peer;

/// Show what was received, oldest first
///
/// A star marks what is unread. Showing it as text marks it as read; `--json` does so only with --mark-read.
///
/// A program that answers goes on where it ended with `--follow --unread --mark-read`: nothing is missed, and what was shown
/// but not marked yet when it was killed is shown once more. Or it keeps the last id itself: `--follow --since ID`.
#[derive(Args)]
#[command(before_help = "Examples:
  peer inbox --unread           what is new
  peer inbox --from ana         only ana's
  peer inbox --since yesterday  what came yesterday and today
  peer inbox --unverified       what anybody may have sent
  peer inbox --follow --unread --mark-read --json
                                for a program that answers")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Inbox {
    /// Only from this name
    #[arg(long, value_name = "NAME")]
    from: Option<Name>,
    /// Only what was not shown yet
    #[arg(long)]
    unread: bool,
    /// Only those whose sender did not prove to hold the key of the name. What came so under a name that has a key is
    /// shown here, and not with --from
    #[arg(long)]
    unverified: bool,
    #[command(flatten)]
    part: Part,
    /// Go on with what comes in, whichever program keeps it; with --since ID all that was stored after that message
    #[arg(long, conflicts_with = "before")]
    follow: bool,
    /// With --json: mark what is shown as read
    #[arg(long)]
    mark_read: bool,
}

impl Inbox {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        self.part.show(output);
        let marks = !output.json || self.mark_read;
        let query = Query {
            direction: Some(Direction::Received),
            trust: listing::trust(self.unverified, self.from.as_ref()),
            partner: self.from,
            unread: self.unread,
            ..Query::default()
        };
        // What comes in between is listed or followed, whichever sees it first: the position tells.
        let mut after = peer.conversations.last_position()?;
        let resumed = if self.follow { self.part.stored_behind(&peer.conversations)? } else { None };
        if let Some(behind) = resumed {
            // Whatever is listed before that message and came later was not seen either.
            after = behind;
        } else {
            let part = self.part.of(Query { up_to: Some(after), ..query.clone() }, &peer.conversations)?;
            let unread = listing::print(&peer.conversations, &part, output)?;
            mark(&peer, marks, unread, output).await?;
            listing::note_set_aside(&peer.conversations, &part)?;
        }
        if self.follow {
            let mut follower = Follower::behind(&peer, Query { unread: false, ..query }, after)?;
            let mut gone = pin!(reader_gone());
            let mut listing = Listing::following(output);
            loop {
                let entries = tokio::select! {
                    entries = follower.next() => entries?,
                    () = &mut gone => return Ok(Exit::Done),
                };
                listing.show(&entries, output)?;
                let unread =
                    entries.iter().filter(|entry| entry.read == Some(false)).map(|entry| entry.position);
                mark(&peer, marks, unread.collect(), output).await?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Marks as read what has really been shown.
async fn mark(peer: &Peer, marks: bool, unread: Vec<i64>, output: &mut Output) -> Result<(), Failure> {
    output.flush()?;
    if marks {
        peer.inbox.mark_read(unread).await?;
    }
    Ok(())
}
