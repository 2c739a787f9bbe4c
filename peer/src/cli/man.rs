use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, Command, ValueHint};
use clap_mangen::Man as Page;

use super::exit::{Exit, Failure};
use super::language::{program, tr};
use super::output::Output;
use super::{help, suggest};

/// Print a page of the manual
///
/// Without COMMAND it is that of the program itself. What is printed is for `man -l -`, or for a file.
#[derive(Args)]
#[command(before_help = "Examples:
  peer man | man -l -                      the page of the program
  peer man send | man -l -                 that of a command
  peer man --out ~/.local/share/man/man1   all pages, for `man peer` and `man peer-send`")]
pub struct Man {
    /// The page of this command
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
    /// Write all pages into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "command")]
    out: Option<PathBuf>,
}

/// What a page says of the whole system that its commands belong to.
const MANUAL: &str = "Recado";

impl Man {
    pub(super) fn run(self, output: &mut Output) -> Result<Exit, Failure> {
        let mut commands = help::commands();
        commands.build();
        if let Some(folder) = &self.out {
            write_all(&commands, folder).map_err(|error| {
                let folder = super::untrusted::Untrusted(&folder.to_string_lossy()).to_string();
                Failure::new(Exit::Failed, tr!("man-not-written", folder = folder, error = error))
            })?;
            return Ok(Exit::Done);
        }
        let page = match &self.command {
            None => page(&commands, &commands)?,
            Some(name) => {
                let command = commands.find_subcommand(name).ok_or_else(|| no_command(name, &commands))?;
                page(command, &commands)?
            }
        };
        output.write_all(page.as_bytes())?;
        Ok(Exit::Done)
    }
}

fn no_command(name: &str, commands: &Command) -> Failure {
    let hint = suggest::among(name, commands.get_subcommands().map(Command::get_name));
    Failure::usage(tr!("usage-no-command", word = name)).hint(hint)
}

/// Writes the page of each command, for everybody to read.
fn write_all(commands: &Command, folder: &Path) -> std::io::Result<()> {
    if !folder.exists() {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    }
    for command in [commands].into_iter().chain(commands.get_subcommands()) {
        let file = folder.join(format!("{}.1", title(command)));
        fs::write(&file, page(command, commands)?)?;
        fs::set_permissions(&file, Permissions::from_mode(0o644))?;
    }
    Ok(())
}

/// What a page is called.
fn title(command: &Command) -> String {
    match command.get_name() {
        name if name == program::command() => name.to_owned(),
        name => format!("{}-{name}", program::command()),
    }
}

/// The page of a command, in roff.
fn page(command: &Command, commands: &Command) -> std::io::Result<String> {
    let title = title(command);
    let (whole, version) = (command.get_name() == commands.get_name(), env!("CARGO_PKG_VERSION"));
    let named = command.clone().display_name(title.clone()).subcommand_help_heading(tr!("man-commands"));
    let page = Page::new(named).title(title).source(format!("{MANUAL} {version}")).manual(MANUAL);
    let mut roff = Vec::new();
    page.render_title(&mut roff)?;
    page.render_name_section(&mut roff)?;
    page.render_synopsis_section(&mut roff)?;
    page.render_description_section(&mut roff)?;
    if let Some(examples) = command.get_before_help() {
        as_it_stands(&tr!("man-examples"), &below_the_first_line(&examples.to_string()), &mut roff)?;
    }
    page.render_options_section(&mut roff)?;
    if let Some(after) = command.get_after_help().map(ToString::to_string) {
        let heading = after.lines().next().unwrap_or_default().trim_end_matches(':').to_uppercase();
        as_it_stands(&heading, &below_the_first_line(&after), &mut roff)?;
    }
    if whole {
        page.render_subcommands_section(&mut roff)?;
        as_it_stands(&tr!("man-exit-status"), &tr!("man-exit-codes"), &mut roff)?;
        as_it_stands(&tr!("man-environment"), &tr!("man-variables"), &mut roff)?;
        as_it_stands(&tr!("man-files"), &tr!("man-paths"), &mut roff)?;
    } else {
        as_it_stands(&tr!("man-see-also"), &format!("{}(1)", program::command()), &mut roff)?;
    }
    Ok(in_own_words(&String::from_utf8_lossy(&roff)))
}

fn below_the_first_line(text: &str) -> String {
    text.split_once('\n').map(|(_, below)| below.to_owned()).unwrap_or_default()
}

/// A section whose lines are kept as they are.
fn as_it_stands(heading: &str, text: &str, roff: &mut Vec<u8>) -> std::io::Result<()> {
    writeln!(roff, ".SH \"{heading}\"\n.nf")?;
    for line in text.lines() {
        writeln!(roff, "\\&{}", line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq"))?;
    }
    writeln!(roff, ".fi")
}

/// What the library has rendered, with our own headings, its preamble once, and signs that roff would make quotes of.
fn in_own_words(page: &str) -> String {
    let (mut lines, mut begun) = (Vec::new(), false);
    for line in page.lines() {
        let preamble = line.starts_with(".ie ") || line.starts_with(".el ");
        if preamble && begun {
            continue;
        }
        begun |= !preamble;
        lines.push(match line {
            ".SH NAME" => format!(".SH \"{}\"", tr!("man-name")),
            ".SH SYNOPSIS" => format!(".SH \"{}\"", tr!("man-synopsis")),
            ".SH DESCRIPTION" => format!(".SH \"{}\"", tr!("man-description")),
            line => line.replace('`', "\\(ga").replace('~', "\\(ti").replace('^', "\\(ha"),
        });
    }
    lines.join("\n") + "\n"
}
