use clap::Args;
use protocol::link::LinkError;
use protocol::{Fingerprint, Link, Name};

use super::Global;
use super::contact::{refuse_own_key, refuse_own_name, report, wake};
use super::exit::{Exit, Failure};
use super::faults::Told as _;
use super::language::tr;
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
            Failure::usage(tr!("add-no-link", why = LinkError::told(&error))).hint(tr!("add-no-link-hint"))
        })?;
        let peer = global.open()?;
        refuse_own_name(&peer, link.name())?;
        refuse_own_key(&peer, link.fingerprint())?;
        let done = match peer.contacts.add(link.name(), link.fingerprint(), link.address()).await? {
            Added::New => tr!("add-added"),
            Added::Same => tr!("add-already"),
            Added::OtherKey(pinned) => return Err(other_key(link.name(), pinned, link.fingerprint())),
        };
        let details = [
            (tr!("contact-key"), link.fingerprint().to_string()),
            (tr!("contact-address"), link.address().to_string()),
        ];
        report(&peer, link.name(), &done, &details, output)?;
        wake(&peer, link.name())?;
        Ok(Exit::Done)
    }
}

fn other_key(name: &Name, pinned: Fingerprint, linked: Fingerprint) -> Failure {
    Failure::new(Exit::Failed, tr!("add-other-key", name = name))
        .detail(tr!("add-other-key-keys", pinned = pinned, linked = linked))
        .hint(tr!("add-other-key-hint", name = name, linked = linked))
}
