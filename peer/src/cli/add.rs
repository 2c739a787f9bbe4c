use clap::Args;
use protocol::{Fingerprint, Link, Name};

use super::Global;
use super::contact::{refuse_own_key, refuse_own_name, report, wake};
use super::exit::{Exit, Failure};
use super::output::Output;
use crate::contacts::Added;

/// Make a contact of whoever a link leads to
///
/// Nothing is sent and no directory is asked. From then on this peer writes to the name only where it finds the key of
/// the link. A name that has another key here already is not changed: that is what `peer trust` is for.
///
/// Exit codes: 0 added, or a contact already; 1 the name has another key; 2 that is no link, or one to yourself.
#[derive(Args)]
#[command(before_help = "Examples:
  peer add 'recado:rui@192.0.2.7:7101#FINGERPRINT'     as `peer invite` printed it at rui's
  peer add 'LINK' && peer send rui 'lunch at one?'     two peers need no directory")]
pub struct Add {
    /// The link; in quotes, since a shell may see more in it
    #[arg(value_name = "LINK")]
    link: String,
}

impl Add {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let link: Link = self.link.trim().parse().map_err(|error| {
            Failure::usage(format!("that is no invitation: {error}")).hint(
                "`peer invite` prints it on the other side. Copy the whole line, and put it into quotes.",
            )
        })?;
        let peer = global.open()?;
        refuse_own_name(&peer, link.name())?;
        refuse_own_key(&peer, link.fingerprint())?;
        let done = match peer.contacts.add(link.name(), link.fingerprint(), link.address()).await? {
            Added::New => "added",
            Added::Same => "already a contact:",
            Added::OtherKey(pinned) => return Err(other_key(link.name(), pinned, link.fingerprint())),
        };
        let details = [("key", link.fingerprint().to_string()), ("address", link.address().to_string())];
        report(&peer, link.name(), done, &details, output)?;
        wake(&peer, link.name())?;
        Ok(Exit::Done)
    }
}

fn other_key(name: &Name, pinned: Fingerprint, linked: Fingerprint) -> Failure {
    Failure::new(Exit::Failed, format!("{name} has another key here than in this link; nothing was changed"))
        .detail(format!("here     {pinned}\nthe link {linked}"))
        .hint(format!(
            "Ask {name} over another channel whose key has changed. If it is theirs: peer trust {name} {linked}"
        ))
}
