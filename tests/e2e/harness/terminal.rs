//! A command at a terminal: script(1) makes one, and what was written to it is kept.

use std::process::Command;

use super::peer::Finished;
use super::programs::clean;

/// What a command writes to a terminal that is so many columns wide, with all that steers it. Must end with 0.
#[track_caller]
pub(crate) fn at_terminal(command: &Command, columns: usize) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let quoted: Vec<_> =
        words.map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', r"'\''"))).collect();
    let line = format!("stty cols {columns} rows 50; exec {}", quoted.join(" "));
    let mut script = clean("script".as_ref());
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("TERM", "xterm");
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            script.env(name, value);
        }
    }
    let finished = Finished::of(&line, &mut script, "").expect(0);
    finished.stdout.replace("\r\n", "\n")
}

/// What is to be read of it: without styles.
pub(crate) fn unstyled(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |read, part| {
        let (_, rest) = part.split_once('m').expect("styles are all that steers the terminal");
        read + rest
    })
}
