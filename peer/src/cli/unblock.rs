use clap::Args;
use protocol::Name;

use super::Global;
use super::contact::{known, report};
use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::Output;

/// Take messages from a blocked name again
#[derive(Args)]
#[command(before_help = "Examples:
  peer unblock mallory
  peer contacts            shows who is blocked")]
pub struct Unblock {
    /// Whose messages are taken again
    #[arg(value_name = "NAME")]
    name: Name,
}

impl Unblock {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        if !peer.contacts.unblock(&self.name).await? {
            known(&peer, &self.name)?;
            return Err(Failure::new(Exit::Failed, tr!("unblock-not-blocked", name = self.name))
                .hint(tr!("unblock-not-blocked-hint")));
        }
        report(&peer, &self.name, &tr!("unblock-unblocked"), &[], output)?;
        Ok(Exit::Done)
    }
}
