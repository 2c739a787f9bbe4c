//! `server man` and `server completions`: what a package installs beside the program.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Outcome;
use crate::config::Config;
use crate::program;

/// Print the page of the manual
#[derive(Debug, Clone, Args)]
#[command(before_help = "Examples:
  server man | man --local-file -    read it
  server man --out ./man1            one page for each command")]
pub struct Man {
    /// Write a page for each command into this folder instead
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let command = program::named(Config::command()).disable_help_subcommand(true);
        match &self.out {
            Some(folder) => write_all(command, folder)?,
            None => heard(clap_mangen::Man::new(command).render(&mut io::stdout()))?,
        }
        Ok(Outcome::Done)
    }
}

fn write_all(command: clap::Command, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}

/// Print what a shell needs to complete this command
#[derive(Debug, Clone, Args)]
#[command(before_help = "Examples:
  server completions bash > ~/.local/share/bash-completion/completions/server
  server completions fish > ~/.config/fish/completions/server.fish")]
pub struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let mut command = program::named(Config::command());
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        heard(io::Write::write_all(&mut io::stdout(), &script))?;
        Ok(Outcome::Done)
    }
}

/// Whoever reads no further has what they wanted.
fn heard(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
