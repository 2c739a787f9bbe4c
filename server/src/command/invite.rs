//! `server invite`: a code for somebody who is to claim a name in a private directory.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::{Outcome, print, print_json};
use crate::directory::{Access, Office};

/// Make an invite, and print its code
///
/// A directory that runs with --private takes a new name only with such a code (`RECADO_INVITE=CODE peer serve`). Only a
/// hash of it is kept, so it cannot be shown again. An open directory asks for none and counts none.
#[derive(Debug, Clone, Args)]
#[command(before_help = "Examples:
  server invite                          a code for one name, good for seven days
  server invite --uses 5 --expires 1d    a code for five names, good for a day")]
pub struct Invite {
    /// How many names may be claimed with it
    #[arg(long, value_name = "N", default_value = "1")]
    uses: NonZeroU32,
    /// How long it is good
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = protocol::duration::parse)]
    expires: Duration,
    /// Print a JSON object instead
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Made<'a> {
    invite: &'a str,
    uses: NonZeroU32,
    expires_at: Timestamp,
}

impl Invite {
    pub(super) async fn run(&self, database: &Path) -> anyhow::Result<Outcome> {
        if !database.exists() {
            eprintln!("note: {} is new; start the directory on it with --db", database.display());
        }
        let office = Office::open(database, Access::Make).await?;
        let (code, expires_at) = office.invite(self.uses, self.expires).await?;
        if self.json {
            print_json(&Made { invite: code.as_str(), uses: self.uses, expires_at })?;
        } else {
            print(code.as_str())?;
        }
        Ok(Outcome::Done)
    }
}
