use std::ffi::OsString;
use std::io::Write as _;

use clap::{Arg, ArgAction, Args, Command, CommandFactory as _};

use super::exit::{Exit, Failure};
use super::language::{Language, find, language, program};
use super::{Arguments, line, settings};

/// Show how a command is used
#[derive(Args)]
#[command(before_help = "Examples:
  peer help            all commands
  peer help send       the same as `peer send --help`")]
pub struct Help {
    /// The command
    #[arg(value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Help {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let program = OsString::from(program::command());
        let words: Vec<_> =
            [program].into_iter().chain(self.command).chain([OsString::from("--help")]).collect();
        line::show(&words)?;
        Ok(Exit::Done)
    }
}

/// What clap itself says around our texts, and under which id that is translated. Nothing else can replace it.
const AROUND: [(&str, &str); 2] = [("Usage:", "help-around-usage"), ("[OPTIONS]", "help-around-options")];

/// All commands, as they speak of themselves to this user: in their language, under the name that they started the program by.
pub fn commands() -> Command {
    let commands = match language() {
        Language::English => Arguments::command(),
        Language::Portuguese => translated(Arguments::command(), &|id| find(id, None)),
    };
    if program::packaged() { renamed(commands).name(program::command()) } else { commands }
}

/// What clap has rendered, with what it says itself in the user's language.
pub fn in_own_words(rendered: &str) -> String {
    if language() == Language::English {
        return rendered.to_owned();
    }
    AROUND.iter().fold(rendered.to_owned(), |text, (english, id)| match find(id, None) {
        Some(translation) => text.replace(english, &translation),
        None => text,
    })
}

/// Says what could have been typed.
pub fn in_place_of_a_command() -> Exit {
    let help = commands().render_help();
    let _ = write!(anstream::stderr().lock(), "{}", in_own_words(&help.ansi().to_string()));
    Exit::Usage
}

/// Finds a text by its id.
type Texts<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The commands with all their texts from `texts`: what it does not have stays English.
fn translated(commands: Command, texts: &Texts<'_>) -> Command {
    let heading = texts("help-heading-commands").unwrap_or_default();
    let value = texts("help-heading-command").unwrap_or_default();
    let commands = one_translated(commands, texts);
    let commands = commands.mut_subcommands(|command| one_translated(command, texts));
    commands.subcommand_help_heading(heading).subcommand_value_name(value)
}

fn one_translated(mut command: Command, texts: &Texts<'_>) -> Command {
    let id = format!("help-{}", command.get_name());
    if let (Some(english), Some(about)) = (command.get_about(), texts(&id)) {
        let has_more = command.get_long_about().is_some_and(|long| long.to_string() != english.to_string());
        let more = if has_more { texts(&format!("{id}-long")) } else { None };
        command = command.long_about(
            more.map(|more| format!("{about}\n\n{}", paragraphs(&more))).unwrap_or(about.clone()),
        );
        command = command.about(about);
    }
    if command.get_before_help().is_some()
        && let (Some(heading), Some(examples)) =
            (texts("help-heading-examples"), texts(&format!("{id}-examples")))
    {
        command = command.before_help(format!("{heading}\n{}", aligned(&examples)));
    }
    if command.get_after_help().is_some()
        && let Some(after) = texts(&format!("{id}-after"))
    {
        command = command.after_help(after);
    }
    let of_flags = format!("help-{}", settings::table_of(command.get_name()));
    let command = command.mut_args(|arg| one_argument_translated(arg, &of_flags, texts));
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help);
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    command
        .disable_help_flag(true)
        .arg(with_text(help, "help-flag-help", texts))
        .disable_version_flag(true)
        .arg(with_text(version, "help-flag-version", texts))
}

fn one_argument_translated(arg: Arg, of_flags: &str, texts: &Texts<'_>) -> Arg {
    if arg.is_hide_set() || arg.get_help().is_none() {
        return arg;
    }
    with_text(arg.clone(), &format!("{of_flags}-{}", arg.get_id().as_str().replace('_', "-")), texts)
}

fn with_text(arg: Arg, id: &str, texts: &Texts<'_>) -> Arg {
    let heading = match arg.get_help_heading() {
        Some(heading) => heading.to_lowercase().replace(' ', "-"),
        None if arg.is_positional() => "arguments".to_owned(),
        None => "options".to_owned(),
    };
    let has_more = arg.get_long_help().is_some();
    let arg = match texts(&format!("help-heading-{heading}")) {
        Some(heading) => arg.help_heading(heading),
        None => arg,
    };
    let Some(text) = texts(id) else { return arg };
    let text = paragraphs(&text);
    let more = if has_more { texts(&format!("{id}-long")).map(|more| paragraphs(&more)) } else { None };
    let notes = notes(&arg, texts);
    let values = values(&arg, id, texts);
    // What is noted here clap would note in English.
    let takes_values = arg.get_action().takes_values();
    let arg = arg.hide_env(true).hide_default_value(takes_values).hide_possible_values(takes_values);
    let arg = if more.is_some() || values.is_some() {
        let below = Some(notes.join("\n")).filter(|notes| !notes.is_empty());
        let long: Vec<_> = [Some(text.clone()), more, values, below].into_iter().flatten().collect();
        arg.long_help(long.join("\n\n"))
    } else {
        arg
    };
    arg.help([text].into_iter().chain(notes).collect::<Vec<_>>().join(" "))
}

/// What else there is to know of an argument, each in brackets.
fn notes(arg: &Arg, texts: &Texts<'_>) -> Vec<String> {
    let note = |id, what: String| Some(format!("[{} {what}]", texts(id)?)).filter(|_| !what.is_empty());
    let variable = arg.get_env().map(|name| name.to_string_lossy().into_owned());
    let defaults = arg.get_default_values().iter().map(|value| value.to_string_lossy());
    let values = if arg.get_action().takes_values() { arg.get_possible_values() } else { Vec::new() };
    let values: Vec<_> = values.iter().map(|value| value.get_name().to_owned()).collect();
    [
        note("help-around-variable", variable.unwrap_or_default()),
        note("help-around-default", defaults.collect::<Vec<_>>().join(", ")),
        note("help-around-values", values.join(", ")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What each value of an argument means, in lines, if there is something to say of them.
fn values(arg: &Arg, id: &str, texts: &Texts<'_>) -> Option<String> {
    let values = arg.get_possible_values().into_iter().filter(|value| value.get_help().is_some());
    let lines = values.map(|value| {
        Some(format!("- {}: {}", value.get_name(), texts(&format!("{id}-{}", value.get_name()))?))
    });
    lines.collect::<Option<Vec<_>>>().map(|lines| lines.join("\n")).filter(|lines| !lines.is_empty())
}

/// Text whose lines end where paragraphs do: a catalogue breaks them for its reader.
fn paragraphs(text: &str) -> String {
    text.split("\n\n")
        .map(|paragraph| paragraph.split('\n').collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// Examples with all remarks in one column. A remark stands behind at least two blanks; what is only a remark goes on with the
/// one above.
fn aligned(examples: &str) -> String {
    let lines: Vec<(&str, &str)> = examples
        .lines()
        .map(|line| {
            let indented = line.starts_with("        ");
            let line = line.trim();
            match line.split_once("  ") {
                _ if indented => ("", line),
                Some((code, remark)) => (code, remark.trim_start()),
                None => (line, ""),
            }
        })
        .collect();
    let remarked = lines.iter().filter(|(_, remark)| !remark.is_empty());
    let column = remarked.map(|(code, _)| code.chars().count()).max().unwrap_or(0);
    let lines =
        lines.iter().map(|(code, remark)| format!("  {code:column$}    {remark}").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// The commands under the names that a package gives them, in all texts.
fn renamed(commands: Command) -> Command {
    one_renamed(commands).mut_subcommands(one_renamed)
}

fn one_renamed(mut command: Command) -> Command {
    let in_text = |text: Option<&clap::builder::StyledStr>| {
        text.map(|text| program::renamed(&text.to_string()).into_owned())
    };
    if let Some(text) = in_text(command.get_about()) {
        command = command.about(text);
    }
    if let Some(text) = in_text(command.get_long_about()) {
        command = command.long_about(text);
    }
    if let Some(examples) = command.get_before_help().map(ToString::to_string) {
        let (heading, lines) = examples.split_once('\n').unwrap_or((&examples, ""));
        let lines = lines.lines().map(|line| {
            let (code, remark) = line.trim_start().split_once("  ").unwrap_or((line.trim_start(), ""));
            let indent = &line[..line.len() - line.trim_start().len()];
            format!("{indent}{}  {}", program::in_a_line(code), program::renamed(remark))
        });
        let lines = aligned(&lines.collect::<Vec<_>>().join("\n"));
        command = command.before_help(format!("{heading}\n{lines}"));
    }
    command.mut_args(|mut arg| {
        if let Some(text) = in_text(arg.get_help()) {
            arg = arg.help(text);
        }
        match in_text(arg.get_long_help()) {
            Some(text) => arg.long_help(text),
            None => arg,
        }
    })
}

#[cfg(test)]
mod tests;
