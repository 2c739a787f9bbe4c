use clap::Args;
use protocol::Name;

use super::Global;
use super::contact::{refuse_own_name, report, unknown};
use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::{Output, note};
use crate::contacts::Forgotten;

/// Forget a name's keys, and where it was
///
/// Its messages are kept, as unverified ones. To this peer the name is then a stranger's: the next who writes under it,
/// or whom the directory names, may have another key. If somebody has a new key, `peer trust` is what you want.
#[derive(Args)]
#[command(before_help = "Examples:
  peer forget rui")]
pub struct Forget {
    /// Whom to forget
    #[arg(value_name = "NAME")]
    name: Name,
}

impl Forget {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        let name = &self.name;
        refuse_own_name(&peer, name)?;
        match peer.contacts.forget(name).await? {
            Forgotten::Yes => {
                report(&peer, name, &tr!("forget-forgot"), &[], output)?;
                note(&tr!("forget-kept"));
                Ok(Exit::Done)
            }
            Forgotten::Blocked => Err(Failure::new(Exit::Failed, tr!("forget-blocked", name = name))
                .hint(tr!("forget-blocked-hint", name = name))),
            Forgotten::Unknown => Err(unknown(&peer, name)),
        }
    }
}
