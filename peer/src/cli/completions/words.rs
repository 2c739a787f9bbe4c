//! What stands on a line that is to be completed, and what can come next on it.

use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use protocol::Name;

use super::names;
use crate::cli::{help, language};
use crate::conversations::State;

/// The commands of the line behind `--`, with what completes their arguments.
pub fn commands(line: &[OsString]) -> Command {
    let words: Vec<OsString> = line.iter().skip_while(|word| *word != "--").skip(1).cloned().collect();
    language::settle(&words, || None);
    let commands = help::commands();
    let all: Vec<String> = commands.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    // Flags come where one was begun, or where nothing else could: some shells put them before all names.
    let flags_wanted = word_to_complete(&words).is_some_and(|word| word.as_bytes().starts_with(b"-"));
    let completed = |arg: Arg| {
        let is_hidden = arg.is_hide_set() || !(flags_wanted || arg.is_positional());
        completed(arg.hide(is_hidden), &words, &all)
    };
    let without_own_flags = |command: Command| {
        if flags_wanted { command } else { command.disable_help_flag(true).disable_version_flag(true) }
    };
    without_own_flags(commands).mut_args(completed).mut_subcommands(|command| {
        let sends = command.get_name() == "send";
        without_own_flags(command).mut_args(|arg| match arg.get_id().as_str() {
            "to" if sends => arg.add(ArgValueCompleter::new(list_of_names(words.clone()))),
            _ => completed(arg),
        })
    })
}

/// The word that the shell asks for: it says which, or it is the last.
fn word_to_complete(words: &[OsString]) -> Option<&OsString> {
    let told = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
    words.get(told.unwrap_or(words.len().saturating_sub(1)))
}

/// Whatever is parsed as a name is somebody's, but that which this peer is to have.
fn completed(arg: Arg, words: &[OsString], commands: &[String]) -> Arg {
    let is_name = arg.get_value_parser().type_id() == TypeId::of::<Name>();
    if is_name && arg.get_long() != Some("name") {
        let words = words.to_vec();
        return arg.add(ArgValueCompleter::new(move |typed: &OsStr| one_of(names::all(&words), "", typed)));
    }
    let values: Vec<String> = match arg.get_id().as_str() {
        "lang" => vec!["en".to_owned(), "pt".to_owned()],
        "state" => State::ALL.map(|state| state.word().to_owned()).into(),
        "command" => commands.to_vec(),
        _ => return arg,
    };
    arg.add(ArgValueCompleter::new(move |typed: &OsStr| one_of(values.clone(), "", typed)))
}

/// A list of names, of which the last is completed.
fn list_of_names(words: Vec<OsString>) -> impl Fn(&OsStr) -> Vec<CompletionCandidate> + Send + Sync {
    move |typed: &OsStr| {
        let Some(typed) = typed.to_str() else { return Vec::new() };
        let (before, last) = typed.rsplit_once(',').map_or(("", typed), |(before, last)| (before, last));
        let chosen: Vec<_> = before.split(',').collect();
        let others = names::all(&words).into_iter().filter(|name| !chosen.contains(&name.as_str()));
        let before = if before.is_empty() { String::new() } else { format!("{before},") };
        one_of(others.collect(), &before, OsStr::new(last))
    }
}

/// Those values that go on what was typed, each behind what stands before it.
fn one_of(values: Vec<String>, before: &str, typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let fitting = values.into_iter().filter(|value| value.starts_with(typed.as_ref()));
    fitting.map(|value| CompletionCandidate::new(format!("{before}{value}"))).collect()
}
