//! What a command prints: results to standard output, as text for people or as one JSON object a line for programs;
//! everything else to standard error.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use tokio::sync::oneshot;

use super::exit::Failure;
use super::language::tr;
use super::untrusted::harms;

/// Names of people.
pub const NAME: Style = Style::new().bold();
/// Times, and what matters less.
pub const FAINT: Style = Style::new().dimmed();
/// What wants a second look.
pub const WARNING: Style = AnsiColor::Yellow.on_default();
/// What went wrong.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What went well.
pub const GOOD: Style = AnsiColor::Green.on_default();

/// Where a command's results go.
pub struct Output {
    stream: BufWriter<AutoStream<Stdout>>,
    /// Whether the results are for programs.
    pub json: bool,
    /// Whether listings show the id of each message as text too.
    pub ids: bool,
    columns: Option<usize>,
}

impl Output {
    /// Standard output, with colour as chosen.
    #[must_use]
    pub fn new(json: bool, color: ColorChoice) -> Self {
        let stdout = io::stdout();
        let columns = (!json && stdout.is_terminal()).then(|| columns_of(&stdout));
        Self { stream: BufWriter::new(AutoStream::new(stdout, color)), json, ids: false, columns }
    }

    /// How wide the terminal is that people read this on; nothing if it goes elsewhere, or is for programs.
    #[must_use]
    pub fn columns(&self) -> Option<usize> {
        self.columns
    }

    /// Prints one line for programs.
    pub fn line<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        Ok(write_line(&mut self.stream, value)?)
    }
}

/// Writes one line for programs, wherever it goes.
pub fn write_line<T: Serialize>(writer: &mut impl Write, value: &T) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *writer, Harmless)).map_err(io::Error::from)?;
    writer.write_all(b"\n")
}

/// The columns of a terminal.
fn columns_of(terminal: &Stdout) -> usize {
    /// What a terminal has that does not say.
    const USUAL: usize = 80;
    let size = rustix::termios::tcgetwinsize(terminal).ok();
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(USUAL)
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// JSON in which whatever could harm a terminal is written as an escape.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (at, character) in fragment.char_indices().filter(|(_, character)| harms(*character)) {
            writer.write_all(&fragment.as_bytes()[plain..at])?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = at + character.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }
}

/// Says what went wrong, and what to do about it.
pub fn complain(failure: &Failure) {
    let mut stderr = anstream::stderr().lock();
    // Nobody is left to tell if this fails.
    if let Some(message) = &failure.message {
        let _ = writeln!(
            stderr,
            "{ERROR}{}{ERROR:#} {}",
            tr!("output-error"),
            super::untrusted::Untrusted(message)
        );
    }
    for line in failure.detail.iter().flat_map(|detail| detail.lines()) {
        let _ = writeln!(stderr, "  {line}");
    }
    if let Some(hint) = &failure.hint {
        let _ = writeln!(stderr, "{FAINT}{}{FAINT:#} {hint}", tr!("output-hint"));
    }
}

/// Says something beside the results.
pub fn note(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Waits until nobody reads standard output any more, if it is a pipe: who only writes now and then would not notice.
pub async fn reader_gone() {
    let (tell, gone) = oneshot::channel();
    // Nothing else can wait for a pipe without changing it for whoever shares it.
    std::thread::spawn(move || {
        let stdout = io::stdout();
        // An error is told of whether it is asked for or not, and asking for nothing tells of nothing else.
        let mut pipe = [PollFd::new(&stdout, PollFlags::empty())];
        while poll(&mut pipe, None) == Err(Errno::INTR) {}
        if pipe[0].revents().contains(PollFlags::ERR) {
            let _ = tell.send(());
        }
    });
    if gone.await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(text: &str) -> String {
        let mut bytes = Vec::new();
        text.serialize(&mut Serializer::with_formatter(&mut bytes, Harmless)).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_could_harm_a_terminal_is_escaped() {
        assert_eq!(json("a\u{9b}31m\u{202e}é太"), "\"a\\u009b31m\\u202eé太\"");
        assert_eq!(json("\u{e0041}"), "\"\\udb40\\udc41\"");
    }

    proptest! {
        #[test]
        fn it_stays_the_same_text(text: String) {
            let line = json(&text);
            prop_assert!(!line.chars().any(harms));
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }
}
