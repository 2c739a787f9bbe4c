//! `server man` and `server completions`: what a package installs beside the program.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;

use super::Outcome;

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
    pub(super) fn run(&self, program: Command) -> anyhow::Result<Outcome> {
        let mut command = program.disable_help_subcommand(true);
        command.build();
        if let Some(folder) = &self.out {
            std::fs::create_dir_all(folder)?;
            write_all(&command, folder)?;
        } else {
            heard(io::stdout().write_all(&page(&command)?))?;
        }
        Ok(Outcome::Done)
    }
}

/// The page of a command, and those of the commands below it.
fn write_all(command: &Command, folder: &Path) -> io::Result<()> {
    std::fs::write(folder.join(format!("{}.1", title(command))), page(command)?)?;
    command.get_subcommands().try_for_each(|command| write_all(command, folder))
}

fn title(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

/// A page, in roff.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let page = clap_mangen::Man::new(command.clone()).title(title(command));
    let mut roff = Vec::new();
    page.render_title(&mut roff)?;
    page.render_name_section(&mut roff)?;
    page.render_synopsis_section(&mut roff)?;
    page.render_description_section(&mut roff)?;
    if let Some(examples) = command.get_before_help().map(ToString::to_string) {
        writeln!(roff, ".SH EXAMPLES\n.nf")?;
        for line in examples.lines().skip(1) {
            writeln!(roff, "\\&{}", line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq"))?;
        }
        writeln!(roff, ".fi")?;
    }
    page.render_options_section(&mut roff)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut roff)?;
    }
    Ok(roff)
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
    pub(super) fn run(&self, mut program: Command) -> anyhow::Result<Outcome> {
        let name = program.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, name, &mut script);
        heard(io::stdout().write_all(&script))?;
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
