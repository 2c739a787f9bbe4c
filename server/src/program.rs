//! The name that the program was started under. A package installs it as `recado-directory`, beside `recado`; the texts call
//! the two `server` and `peer`.

use std::path::Path;
use std::sync::LazyLock;

use clap::Command;
use clap::builder::StyledStr;

static PACKAGED: LazyLock<bool> = LazyLock::new(|| {
    let started_as = std::env::args_os().next();
    let name = started_as.as_deref().and_then(|path| Path::new(path).file_name());
    name.is_some_and(|name| name == PACKAGE)
});

const PACKAGE: &str = "recado-directory";

/// Whether this is `recado-directory`.
#[must_use]
pub fn is_packaged() -> bool {
    *PACKAGED
}

/// A text of ours with the commands in it under the names that this user types.
#[must_use]
pub fn renamed(text: &str) -> String {
    if *PACKAGED { in_backticks(text) } else { text.to_owned() }
}

/// The commands, as they speak of themselves to this user.
#[must_use]
pub fn named(command: Command) -> Command {
    if *PACKAGED { packaged(command).name(PACKAGE).bin_name(PACKAGE) } else { command }
}

fn packaged(mut command: Command) -> Command {
    let text = |text: Option<&StyledStr>| text.map(|text| in_backticks(&text.to_string()));
    if let Some(about) = text(command.get_about()) {
        command = command.about(about);
    }
    if let Some(about) = text(command.get_long_about()) {
        command = command.long_about(about);
    }
    if let Some(examples) = command.get_before_help().map(ToString::to_string) {
        command = command.before_help(examples.split('\n').map(example).collect::<Vec<_>>().join("\n"));
    }
    let command = command.mut_args(|mut arg| {
        if let Some(help) = text(arg.get_help()) {
            arg = arg.help(help);
        }
        match text(arg.get_long_help()) {
            Some(help) => arg.long_help(help),
            None => arg,
        }
    });
    command.mut_subcommands(packaged)
}

/// A line to be typed, and the remark behind it.
fn example(line: &str) -> String {
    let (typed, remark) = line.trim_start().split_once("  ").unwrap_or((line.trim_start(), ""));
    let indent = &line[..line.len() - line.trim_start().len()];
    let gap = if remark.is_empty() { "" } else { "  " };
    if indent.is_empty() {
        return line.to_owned();
    }
    format!("{indent}{}{gap}{}", words(typed), in_backticks(remark))
}

fn in_backticks(text: &str) -> String {
    let spans = text.split('`').enumerate();
    let spans: Vec<_> =
        spans.map(|(at, span)| if at % 2 == 1 { words(span) } else { span.to_owned() }).collect();
    spans.join("`")
}

fn words(command: &str) -> String {
    let words = command.split(' ').map(|word| match word {
        "server" => PACKAGE,
        "peer" => "recado",
        other => other,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::config::Config;

    #[test]
    fn a_package_has_other_names_for_the_commands() {
        for (ours, theirs) in [
            ("see `server names list`", "see `recado-directory names list`"),
            ("a server, `peer serve`", "a server, `recado serve`"),
        ] {
            assert_eq!(in_backticks(ours), theirs);
        }
        let mut command = packaged(Config::command()).name(PACKAGE).bin_name(PACKAGE);
        let mut all = vec![command.render_long_help().to_string()];
        for name in ["names", "invite"] {
            all.push(command.find_subcommand_mut(name).unwrap().render_long_help().to_string());
        }
        for help in all {
            assert!(help.starts_with("Examples:\n  recado-directory"), "{help}");
            assert!(
                !help.contains("  server ") && !help.contains("`server") && !help.contains("`peer"),
                "{help}"
            );
        }
    }
}
