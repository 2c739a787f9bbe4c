//! `server names`: who has claimed which name, and names freed by hand.

use std::path::Path;

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use protocol::Name;
use serde::Serialize;

use super::{Outcome, print, print_json};
use crate::directory::{Access, Entry, Office};
use crate::program;

/// Show the claimed names, or release some
#[derive(Debug, Clone, Args)]
#[command(before_help = "Examples:
  server names list           who has claimed which name
  server names show ana       what is known of one
  server names release ana    let somebody else have it")]
pub struct Names {
    #[command(subcommand)]
    action: Action,
    /// Print JSON, one object a line
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show all names, as the directory last wrote them down
    #[command(before_help = "Examples:
  server names list
  server names list --json | jq -r .name")]
    List,
    /// Show one name
    #[command(before_help = "Examples:
  server names show ana")]
    Show {
        /// Which one
        name: Name,
    },
    /// Free names, so that anybody may claim them
    ///
    /// A directory that runs on the database takes whoever held a name offline within a second. Its old holder, if it
    /// still runs, claims the name again at its next renewal unless somebody else was faster: stop it first, or have
    /// the new holder claim the name at once. In a private directory the old holder needs an invite for that.
    #[command(before_help = "Examples:
  server names release ana
  server names release ana rui")]
    Release {
        /// Which ones
        #[arg(required = true, value_name = "NAME")]
        names: Vec<Name>,
    },
}

#[derive(Serialize)]
struct Released<'a> {
    name: &'a Name,
    released: bool,
}

impl Names {
    pub(super) async fn run(&self, database: &Path) -> anyhow::Result<Outcome> {
        let access = match self.action {
            Action::List | Action::Show { .. } => Access::Look,
            Action::Release { .. } => Access::Change,
        };
        let office = Office::open(database, access).await?;
        match &self.action {
            Action::List => self.list(&office.names()?),
            Action::Show { name } => match office.name(name)? {
                Some(entry) => self.show(&entry),
                None => anyhow::bail!("nobody has claimed \"{name}\"; `server names list` shows all names"),
            },
            Action::Release { names } => {
                let unclaimed = office.release(names.clone()).await?;
                self.released(names, &unclaimed)
            }
        }
    }

    fn list(&self, entries: &[Entry]) -> anyhow::Result<Outcome> {
        if self.json {
            entries.iter().try_for_each(print_json)?;
            return Ok(Outcome::Done);
        }
        if entries.is_empty() {
            eprintln!("No names are claimed.");
            return Ok(Outcome::Done);
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["NAME", "STATE", "SINCE", "ADDRESS", "FINGERPRINT"]);
        for entry in entries {
            table.add_row([
                entry.name.clone(),
                state(entry).into(),
                since(entry),
                address(entry),
                key(entry),
            ]);
        }
        for line in table.lines() {
            print(line.trim())?;
        }
        Ok(Outcome::Done)
    }

    fn show(&self, entry: &Entry) -> anyhow::Result<Outcome> {
        if self.json {
            print_json(entry)?;
            return Ok(Outcome::Done);
        }
        print(&format!("name         {}", entry.name))?;
        print(&format!("state        {} since {}", state(entry), since(entry)))?;
        print(&format!("address      {}", address(entry)))?;
        print(&format!("fingerprint  {}", key(entry)))?;
        Ok(Outcome::Done)
    }

    fn released(&self, names: &[Name], unclaimed: &[Name]) -> anyhow::Result<Outcome> {
        for name in names {
            let released = !unclaimed.contains(name);
            if self.json {
                print_json(&Released { name, released })?;
            } else if released {
                print(&format!("released {name}"))?;
            }
            if !released {
                eprintln!(
                    "error: nobody has claimed \"{name}\"; {}",
                    program::renamed("`server names list` shows all names")
                );
            }
        }
        Ok(if unclaimed.is_empty() { Outcome::Done } else { Outcome::Incomplete })
    }
}

fn state(entry: &Entry) -> &'static str {
    if entry.online { "online" } else { "offline" }
}

fn since(entry: &Entry) -> String {
    let local = |time: Timestamp| time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
    entry.online_since.or(entry.offline_since).map_or_else(|| "-".into(), local)
}

fn address(entry: &Entry) -> String {
    entry.address.clone().unwrap_or_else(|| "-".into())
}

fn key(entry: &Entry) -> String {
    entry.fingerprint.map_or_else(|| "-".into(), |fingerprint| fingerprint.to_string())
}
