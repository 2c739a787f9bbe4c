use clap::Args;

use super::exit::{Exit, Failure};
use super::output::Output;
use super::{Global, online, watch};

/// Show who is online
#[derive(Args)]
#[command(before_help = "Examples:
  peer peers                  who is online
  peer peers --watch --json   for a program that wants to know who comes and goes")]
pub struct Peers {
    /// Go on with who comes, changes and goes, until interrupted
    #[arg(long)]
    watch: bool,
}

impl Peers {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        if self.watch {
            return watch::watch(&peer, output).await;
        }
        online::print(&peer, output).await?;
        Ok(Exit::Done)
    }
}
