//! Under which name the program was started, and how it and the directory are called in what is said.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;

/// Whether the program was started as `recado`, under which name a package installs it.
static PACKAGED: OnceLock<bool> = OnceLock::new();

pub(super) fn settle(started_as: Option<&OsString>) {
    let name = started_as.and_then(|path| Path::new(path).file_name());
    let _ = PACKAGED.set(name.is_some_and(|name| name == "recado"));
}

/// Whether this program is `recado`, and the directory `recado-directory`.
#[must_use]
pub fn packaged() -> bool {
    PACKAGED.get().copied().unwrap_or_default()
}

/// What the user types to start this program.
#[must_use]
pub fn command() -> &'static str {
    if packaged() { "recado" } else { "peer" }
}

/// A text of ours with the commands in backticks under the names by which this user starts them.
#[must_use]
pub fn renamed(text: &str) -> Cow<'_, str> {
    if packaged() { Cow::Owned(in_package(text)) } else { Cow::Borrowed(text) }
}

fn in_package(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let spans: Vec<&str> = line.split('`').collect();
        let last = spans.len() - 1;
        // Between two of them is a command; behind one that has no other is not.
        let named = spans
            .iter()
            .enumerate()
            .map(|(at, span)| if at % 2 == 1 && at < last { in_a_line(span) } else { (*span).to_owned() });
        named.collect::<Vec<_>>().join("`")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line that a user types: programs are words of their own in it, perhaps behind a quote or a bracket. What stands in the
/// middle of a quotation is text.
#[must_use]
pub fn in_a_line(line: &str) -> String {
    let mut seen = 0;
    let words = line.split(' ').map(|word| {
        let quoted = seen % 2 == 1;
        seen += word.matches('\'').count();
        let bare = word.trim_start_matches(['"', '\'', '$', '(']);
        let opening = &word[..word.len() - bare.len()];
        match bare {
            _ if quoted => word.to_owned(),
            "peer" => format!("{opening}recado"),
            "server" => format!("{opening}recado-directory"),
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::in_package;

    #[test]
    fn only_commands_change_their_name() {
        for (ours, packaged) in [
            ("Type `peer peers`, peer.", "Type `recado peers`, peer."),
            ("`server` or --server URL", "`recado-directory` or --server URL"),
            (
                "`RECADO_INVITE=CODE peer serve --server URL`, `peer-1`",
                "`RECADO_INVITE=CODE recado serve --server URL`, `peer-1`",
            ),
            (
                "`peer send --all 'the server, and peer too'; sh -c 'peer inbox'`",
                "`recado send --all 'the server, and peer too'; sh -c 'recado inbox'`",
            ),
            ("an ` alone, peer\n`peer inbox`", "an ` alone, peer\n`recado inbox`"),
        ] {
            assert_eq!(in_package(ours), packaged);
        }
    }
}
