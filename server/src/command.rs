//! What an operator does with a directory's database, one file a command. Each works beside a running directory, which
//! heeds it within a second, and without one.

mod invite;
mod names;
mod paper;

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;

/// What to do instead of serving.
#[derive(Debug, Clone, Subcommand)]
#[expect(missing_docs, reason = "the help of a command is the comment of its arguments")]
pub enum Command {
    Names(names::Names),
    Invite(invite::Invite),
    Man(paper::Man),
    Completions(paper::Completions),
}

impl Command {
    /// Does it with the database, where one is needed, and says whether all of it could be done. `program`: all flags and commands.
    pub async fn run(
        &self,
        database: impl FnOnce() -> anyhow::Result<PathBuf>,
        program: clap::Command,
    ) -> anyhow::Result<Outcome> {
        match self {
            Self::Names(names) => names.run(&database()?).await,
            Self::Invite(invite) => invite.run(&database()?).await,
            Self::Man(man) => man.run(program),
            Self::Completions(completions) => completions.run(program),
        }
    }
}

/// How a command ended that knew what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All was done.
    Done,
    /// Some of it could not be, as it has said.
    Incomplete,
    /// It was interrupted twice, and waited for nothing any more.
    Interrupted,
}

/// One line on standard output. Whoever reads no further has what they wanted.
fn print(line: &str) -> io::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// The same for programs.
fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(print(&serde_json::to_string(value)?)?)
}
