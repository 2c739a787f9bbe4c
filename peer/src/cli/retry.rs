use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::Args;
use protocol::Name;
use uuid::Uuid;

use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::{Output, note};
use super::send;
use super::{Global, contact};
use crate::outbound::errand::Patience;
use crate::outbound::outbox::retried::{Retried, Which};

/// Send messages again that were refused or have expired
///
/// Each keeps its id and its place, so that nobody has it twice. What became of it is printed as by `peer send`; a message
/// that waits or was delivered already is left as it is.
///
/// `peer sent --json --state refused` shows the ids. A TIME is written 30s, 5m, 12h or 7d.
/// Exit codes: 0 delivered or queued, 1 no such message, 2 bad input, 3 not delivered in time (--wait), 4 refused by the
/// recipient again, 5 nothing is known of NAME, 7 another key than the recipient's answers at its address.
#[derive(Args)]
#[command(before_help = "Examples:
  peer retry --to rui            all that rui refused, or that expired before he was reached
  peer retry 0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3")]
pub struct Retry {
    /// Which messages, by their ids
    #[arg(value_name = "ID", required_unless_present = "to", conflicts_with = "to", value_parser = id)]
    ids: Vec<Uuid>,
    /// All that were refused by this name, or expired before it was reached
    #[arg(long, value_name = "NAME")]
    to: Option<Name>,
    /// Wait until they are delivered, 30s if no time is given, and fail otherwise
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "30s", value_parser = send::wait)]
    wait: Option<Duration>,
    /// Give up again if they could not be delivered for so long
    #[arg(long, env = "RECADO_EXPIRE", hide_env_values = true, value_name = "TIME", default_value = "7d", value_parser = protocol::duration::parse)]
    expire: Duration,
}

impl Retry {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        let outbound = peer.outbound()?;
        let which = match &self.to {
            Some(name) => Which::To(name.clone()),
            None => Which::These(self.ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()),
        };
        let retried = match outbound.retry(which, self.expire).await? {
            Retried::Now(retried) => retried,
            Retried::Unknown(ids) => return Err(unknown(&ids)),
        };
        if let (Some(name), true) = (&self.to, retried.is_empty()) {
            contact::known(&peer, name)?;
            note(&tr!("retry-nothing", name = name));
            return Ok(Exit::Done);
        }
        let left_alone: Vec<_> =
            retried.iter().filter(|(_, again)| !again).map(|(message, _)| message.id).collect();
        let messages: Vec<_> = retried.into_iter().map(|(message, _)| message).collect();
        let patience = self.wait.map_or(Patience::FirstTry, Patience::Settled);
        let waiting = send::waiting(patience);
        let standings = outbound.see_through(&messages, BTreeMap::new(), patience).await?;
        waiting.done();
        let fates: Vec<_> = messages.into_iter().zip(standings).collect();
        let exit = send::report(&outbound, &fates, patience, output)?;
        for id in left_alone {
            note(&tr!("retry-left-alone", id = id));
        }
        Ok(exit)
    }
}

fn id(text: &str) -> Result<Uuid, String> {
    Uuid::try_parse(text).map_err(|_| tr!("retry-id"))
}

fn unknown(ids: &[Uuid]) -> Failure {
    let ids: Vec<_> = ids.iter().map(Uuid::to_string).collect();
    let ids = ids.join(&tr!("faults-or"));
    Failure::new(Exit::Failed, tr!("retry-unknown", ids = ids)).hint(tr!("retry-unknown-hint"))
}
