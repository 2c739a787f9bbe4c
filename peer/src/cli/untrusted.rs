//! Text from others, made harmless: nothing in it reaches a terminal as anything but characters to read.

use std::fmt::{self, Write as _};

use unicode_width::UnicodeWidthChar as _;

/// More marks than this on one character are shown as what they are, so that they cannot run over other lines.
const MOST_MARKS: usize = 8;

/// Text from others on one line: what could steer a terminal or reorder a line is escaped.
#[derive(Debug, Clone, Copy)]
pub struct Untrusted<'a>(pub &'a str);

/// A writer that lets nothing harmful through: for text of any origin that is formatted straight into it.
#[derive(Debug)]
pub struct Harmless<W>(pub W);

impl<W: fmt::Write> fmt::Write for Harmless<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut plain = 0;
        for (at, character) in text.char_indices().filter(|(_, character)| harms(*character)) {
            self.0.write_str(&text[plain..at])?;
            write!(self.0, "{}", character.escape_unicode())?;
            plain = at + character.len_utf8();
        }
        self.0.write_str(&text[plain..])
    }
}

/// Whether a character can steer a terminal, break a line or change the order in which a line is read.
#[must_use]
pub fn harms(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}'
            | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}

impl fmt::Display for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut marks = 0;
        for character in self.0.chars() {
            let is_mark = !harms(character) && character.width() == Some(0);
            marks = if is_mark { marks + 1 } else { 0 };
            if character == '\t' {
                f.write_str("    ")?;
            } else if harms(character) || marks > MOST_MARKS {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// The beginning of a text that others may have made long, harmless.
#[must_use]
pub fn shortened(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", Untrusted(&text[..end])),
        None => Untrusted(text).to_string(),
    }
}

/// The lines of a body, each harmless. A line end is the one control that a body may use.
pub fn lines(body: &str) -> impl Iterator<Item = Untrusted<'_>> {
    let body = body.strip_suffix('\n').unwrap_or(body);
    body.split('\n').map(|line| Untrusted(line.strip_suffix('\r').unwrap_or(line)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_shown() {
        for (sent, shown) in [
            ("oi, João 太郎 👋", "oi, João 太郎 👋"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("a\rb", "a\\u{d}b"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("safe\u{202e}txt.exe", "safe\\u{202e}txt.exe"),
            ("a\u{2028}b", "a\\u{2028}b"),
            ("a\tb", "a    b"),
        ] {
            assert_eq!(Untrusted(sent).to_string(), shown);
        }
        let stacked = format!("a{}", "\u{301}".repeat(20));
        assert_eq!(Untrusted(&stacked).to_string().matches("\\u{301}").count(), 12);
    }

    #[test]
    fn a_body_has_lines_and_nothing_else() {
        let shown: Vec<String> = lines("one\r\ntwo\n").map(|line| line.to_string()).collect();
        assert_eq!(shown, ["one", "two"]);
    }

    proptest! {
        #[test]
        fn nothing_harmful_comes_through(text: String) {
            prop_assert!(!Untrusted(&text).to_string().chars().any(harms));
            let mut written = String::new();
            write!(Harmless(&mut written), "{text}").unwrap();
            prop_assert!(!written.chars().any(harms));
        }
    }
}
