use clap::Args;
use protocol::Name;

use super::Global;
use super::contact::{refuse_own_name, report};
use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::{Output, note};

/// Take no messages from a name any more
///
/// What comes under the name is refused, and so is what comes with any key that the name ever had here, whatever name it
/// comes under. The sender is told. What is kept of it stays, and you can still write to the name.
#[derive(Args)]
#[command(before_help = "Examples:
  peer block mallory
  peer unblock mallory     takes it back")]
pub struct Block {
    /// Whose messages are refused; it need not be a contact
    #[arg(value_name = "NAME")]
    name: Name,
}

impl Block {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        refuse_own_name(&peer, &self.name)?;
        peer.contacts.block(&self.name).await?;
        report(&peer, &self.name, &tr!("block-blocked"), &[], output)?;
        if peer.contacts.pin(&self.name)?.is_none_or(|pin| !pin.proved) {
            note(&tr!("block-only-the-name"));
        }
        Ok(Exit::Done)
    }
}
