//! How much room text takes on a terminal: columns, not characters. Everything here is harmless text already.

use unicode_width::UnicodeWidthChar as _;

/// What stands for the rest of a text that was cut.
const CUT: char = '…';

/// The columns that a text takes at most: a terminal that joins characters to one sign needs fewer.
pub fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// The columns that a character takes at most.
fn columns_of(character: char) -> usize {
    // It asks for the sign before it as a picture, which is wider.
    if character == '\u{FE0F}' { 1 } else { character.width().unwrap_or(0) }
}

/// The text in exactly so many columns: filled with spaces, or cut with an ellipsis.
pub fn cell(text: &str, columns: usize) -> String {
    let mut text = fit(text, columns);
    text.extend(std::iter::repeat_n(' ', columns.saturating_sub(width(&text))));
    text
}

/// The same, with the text at the right.
pub fn cell_right(text: &str, columns: usize) -> String {
    let text = fit(text, columns);
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(&text))))
}

/// The text in at most so many columns: cut with an ellipsis where it is longer.
pub fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let (mut kept, _) = split(text, columns.saturating_sub(1));
    kept = kept.trim_end();
    if columns == 0 { String::new() } else { format!("{kept}{CUT}") }
}

/// The text in lines of at most so many columns, broken at spaces where there are any. A character that is wider than that
/// stands alone.
pub fn wrapped(text: &str, columns: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while width(rest) > columns {
        let (fitting, behind) = split(rest, columns);
        // A space that would begin the next line ends this one.
        let whole_words =
            if behind.starts_with(' ') { fitting.len() } else { fitting.rfind(' ').unwrap_or(0) };
        let end = match whole_words {
            0 if fitting.is_empty() => rest.chars().next().map_or(rest.len(), char::len_utf8),
            0 => fitting.len(),
            end => end,
        };
        lines.push(&rest[..end]);
        rest = rest[end..].strip_prefix(' ').unwrap_or(&rest[end..]);
    }
    if lines.is_empty() || !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// As much of a text as fits into so many columns, with what belongs to its last character, and the rest.
fn split(text: &str, columns: usize) -> (&str, &str) {
    let mut taken = 0;
    for (at, character) in text.char_indices() {
        taken += columns_of(character);
        if taken > columns {
            return text.split_at(at);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cell_is_as_wide_as_it_is_said_to_be() {
        for (text, columns, shown) in [
            ("ana", 5, "ana  "),
            ("joão", 4, "joão"),
            ("太郎", 5, "太郎 "),
            ("太郎", 4, "太郎"),
            ("太郎", 3, "太…"),
            ("太郎", 2, "… "),
            ("ana lima", 5, "ana… "),
            ("joa\u{303}o", 3, "jo…"),
            ("❤\u{fe0f}\u{fe0f}", 3, "❤\u{fe0f}\u{fe0f}"),
            ("ana", 1, "…"),
            ("ana", 0, ""),
            ("", 2, "  "),
        ] {
            assert_eq!(cell(text, columns), shown, "{text} in {columns}");
        }
        assert_eq!(cell_right("12", 4), "  12");
    }

    #[test]
    fn lines_break_at_spaces() {
        for (text, columns, lines) in [
            ("lunch at one?", 20, &["lunch at one?"][..]),
            ("lunch at one?", 8, &["lunch at", "one?"]),
            ("lunch at one?", 7, &["lunch", "at one?"]),
            ("https://example.org", 8, &["https://", "example.", "org"]),
            ("a  b", 2, &["a ", "b"]),
            ("太郎さん", 3, &["太", "郎", "さ", "ん"]),
            ("太郎", 1, &["太", "郎"]),
            ("", 4, &[""]),
        ] {
            assert_eq!(wrapped(text, columns), lines, "{text} in {columns}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_it_may(text in r"[a-z太é\u{301}👋 ]{0,40}", columns in 2..20_usize) {
            prop_assert_eq!(width(&cell(&text, columns)), columns);
            for line in wrapped(&text, columns) {
                prop_assert!(width(line) <= columns, "{:?}", line);
            }
        }

        #[test]
        fn breaking_loses_nothing_but_spaces(text in r"[a-z太é\u{301}👋 ]{0,40}", columns in 1..20_usize) {
            let whole = |text: &str| text.replace(' ', "");
            prop_assert_eq!(whole(&wrapped(&text, columns).concat()), whole(&text));
        }
    }
}
