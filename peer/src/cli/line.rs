//! From the words that the process was started with to a command that is ready to run: `config.toml` is read, the language
//! settled, the words parsed. What is wrong with them is said in the user's language, and so is help.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};

use super::exit::Failure;
use super::settings::file::{File, Unusable};
use super::settings::{self, Settings};
use super::{Arguments, Command, help, language, usage};

/// The commands that run beside a `config.toml` that cannot be used: they tell of it, or need nothing in it.
const WITHOUT_IT: [&str; 5] = ["config", "doctor", "help", "man", "completions"];

/// What to run; nothing if what was asked for has been shown already.
pub fn understand(words: &[OsString]) -> Result<Option<Arguments>, Failure> {
    let file = read(words);
    language::settle(words, || file.as_ref().ok()?.find(None, "lang")?.value.typed()?.parse().ok());
    let commands = Arguments::command();
    let (file, broken) = match checked(file, &commands) {
        Ok(file) => (file, None),
        Err(failure) => (File::default(), Some(failure)),
    };
    let mut commands = settings::applied(commands, &file);
    let mut parsed = commands.try_get_matches_from_mut(words);
    if matches!(&parsed, Ok(matches) if matches.subcommand_name().is_none()) && at_a_terminal() {
        let menu = words.iter().cloned().chain([OsString::from("menu")]);
        parsed = commands.try_get_matches_from_mut(menu);
    }
    match (parsed, broken) {
        (Err(error), _) if usage::is_asked_for(&error) => {
            show(words)?;
            Ok(None)
        }
        (Err(_), broken) => {
            // It may be good, and a variable or the file wrong.
            let good = settings::applied_where_good(Arguments::command(), &file).try_get_matches_from(words);
            match good {
                Ok(matches) if runs_without_it(&matches) => ready(words, file, broken, matches).map(Some),
                _ => Err(complaint(words, &file)),
            }
        }
        (Ok(matches), Some(broken)) if !runs_without_it(&matches) => Err(broken),
        (Ok(matches), broken) => ready(words, file, broken, matches).map(Some),
    }
}

/// What stands in `config.toml`.
fn read(words: &[OsString]) -> Result<File, Unusable> {
    settings::data_dir_of(words).map_or_else(|| Ok(File::default()), |place| File::read(&place))
}

/// What `config.toml` says, if all in it is known.
fn checked(file: Result<File, Unusable>, commands: &clap::Command) -> Result<File, Failure> {
    let file = file?;
    settings::check_keys(&file, commands)?;
    Ok(file)
}

fn runs_without_it(matches: &ArgMatches) -> bool {
    matches.subcommand_name().is_some_and(|name| WITHOUT_IT.contains(&name))
}

fn ready(
    words: &[OsString],
    file: File,
    mut broken: Option<Failure>,
    matches: ArgMatches,
) -> Result<Arguments, Failure> {
    let arguments = Arguments::from_arg_matches(&matches);
    let mut arguments = arguments.map_err(|error| usage::failure(&error, None))?;
    if arguments.global.json && matches!(arguments.command, Some(Command::Doctor(_))) {
        language::speak_english();
        // It was said before it was known to whom.
        broken = broken.and_then(|_| checked(read(words), &Arguments::command()).err());
    }
    arguments.global.settings = Settings::new(file, broken, matches);
    Ok(arguments)
}

/// Whether somebody sits here who can be asked.
fn at_a_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Prints the help, or the version, that these words ask for.
pub fn show(words: &[OsString]) -> Result<(), Failure> {
    match help::commands().try_get_matches_from(words) {
        Err(error) if usage::is_asked_for(&error) => {
            let text = error.render().ansi().to_string();
            Ok(write!(anstream::stdout().lock(), "{}", help::in_own_words(&text))?)
        }
        Err(error) => Err(usage::failure(&error, None)),
        Ok(_) => Ok(()),
    }
}

/// What is wrong: with the words, or else with what a variable or the file says.
fn complaint(words: &[OsString], file: &File) -> Failure {
    let command = command_of(words);
    match settings::bare(help::commands()).try_get_matches_from(words) {
        Err(error) => usage::failure(&error, command.as_deref()),
        Ok(_) => settings::check_values(&Arguments::command(), file, command.as_deref())
            .err()
            .unwrap_or_else(|| Failure::usage("")),
    }
}

/// The command that was typed, whatever is wrong with the rest.
fn command_of(words: &[OsString]) -> Option<String> {
    as_far_as_it_goes(words, &File::default())?.subcommand_name().map(str::to_owned)
}

/// What can be understood of a line that is wrong, or has not been typed to its end.
pub fn as_far_as_it_goes(words: &[OsString], file: &File) -> Option<ArgMatches> {
    settings::applied(Arguments::command(), file).ignore_errors(true).try_get_matches_from(words).ok()
}
