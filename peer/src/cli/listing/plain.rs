//! Messages as text that goes elsewhere than to a terminal.

use std::io::Write as _;

use super::super::exit::Failure;
use super::super::output::{FAINT, GOOD, NAME, Output};
use super::super::untrusted::{Untrusted, lines};
use super::{Telling, partner};
use crate::conversations::Entry;

/// Prints one message: whatever is ours stands before the first colon, whatever is theirs behind it or behind a bar.
pub fn print(entry: &Entry, telling: &Telling, output: &mut Output) -> Result<(), Failure> {
    let mark = if entry.read == Some(false) { "*" } else { " " };
    write!(output, "{GOOD}{mark}{GOOD:#} ")?;
    if output.ids {
        write!(output, "{FAINT}{}{FAINT:#}  ", entry.id)?;
    }
    let (to, name) = partner(entry);
    let time = telling.time(entry);
    write!(output, "{FAINT}{time:16}{FAINT:#}  {to}{NAME}{name}{NAME:#}")?;
    if let Some((style, note)) = telling.note(entry) {
        write!(output, " {style}({note}){style:#}")?;
    }
    let mut text = lines(&entry.body);
    writeln!(output, ": {}", text.next().unwrap_or(Untrusted("")))?;
    for line in text {
        writeln!(output, "                    {FAINT}|{FAINT:#} {line}")?;
    }
    Ok(())
}
