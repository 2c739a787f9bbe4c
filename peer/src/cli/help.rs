//! Help, in the user's language.

use std::io::Write as _;

use clap::{Command, CommandFactory as _};

use super::Arguments;
use super::exit::Exit;

/// All commands, as they speak of themselves.
pub fn commands() -> Command {
    Arguments::command()
}

/// What clap itself says around the texts.
pub fn in_own_words(help: &str) -> String {
    help.to_owned()
}

/// Says what could have been typed.
pub fn in_place_of_a_command() -> Exit {
    let help = commands().render_help();
    let _ = write!(anstream::stderr().lock(), "{}", in_own_words(&help.ansi().to_string()));
    Exit::Usage
}
