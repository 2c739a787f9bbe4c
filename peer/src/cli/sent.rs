use clap::Args;
use protocol::Name;

use super::Global;
use super::exit::{Exit, Failure};
use super::language::tr;
use super::listing;
use super::output::Output;
use super::part::Part;
use crate::conversations::{Direction, Query, State};

/// Show what was sent, and what became of it
#[derive(Args)]
#[command(before_help = "Examples:
  peer sent --state queued      what still waits, and why
  peer sent --to rui --since 7d")]
pub struct Sent {
    /// Only to this name
    #[arg(long, value_name = "NAME")]
    to: Option<Name>,
    /// Only what came to this: queued, delivered, refused or expired
    #[arg(long, value_parser = state)]
    state: Option<State>,
    #[command(flatten)]
    part: Part,
}

fn state(word: &str) -> Result<State, String> {
    State::ALL
        .into_iter()
        .find(|state| state.word() == word)
        .ok_or_else(|| tr!("sent-no-state", states = State::ALL.map(State::word).join(", ")))
}

impl Sent {
    pub(super) fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let query = Query {
            direction: Some(Direction::Sent),
            partner: self.to,
            state: self.state,
            ..Query::default()
        };
        let peer = global.open()?;
        self.part.show(output);
        let query = self.part.of(query, &peer.conversations)?;
        // What was to be tried by one who has died since is tried by nobody.
        let runs = peer.outbound().is_ok_and(|outbound| outbound.daemon_runs().unwrap_or(false));
        listing::print_with(&peer.conversations, &query, runs.then(crate::now), output)?;
        Ok(Exit::Done)
    }
}
