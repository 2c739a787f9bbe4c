//! A QR code in a terminal: half blocks, two rows of modules a line. Blocks are what is light, so that it is dark on
//! light, as scanners want it, on a dark terminal also without colour; with colour it is so on any.

use std::io::{self, Write};

use anstyle::{Ansi256Color, Color, Style};
use qrcode::render::unicode::Dense1x2;
use qrcode::types::QrError;
use qrcode::{EcLevel, QrCode};

/// White on black out of the colour cube, which no theme changes.
const WHITE_ON_BLACK: Style = Style::new()
    .fg_color(Some(Color::Ansi256(Ansi256Color(231))))
    .bg_color(Some(Color::Ansi256(Ansi256Color(16))));

/// The lines of the code that says `text`, with the margin that scanners need.
fn lines(text: &str) -> Result<String, QrError> {
    // A screen has no dirt and no folds: the least correction makes the smallest code.
    let code = QrCode::with_error_correction_level(text, EcLevel::L)?;
    Ok(code
        .render::<Dense1x2>()
        .light_color(Dense1x2::Dark)
        .dark_color(Dense1x2::Light)
        .module_dimensions(1, 1)
        .build())
}

/// Draws the code that says `text`. One that is too long for any code is not drawn.
pub fn draw(text: &str, to: &mut impl Write) -> io::Result<()> {
    let Ok(lines) = lines(text) else { return Ok(()) };
    // The style ends with each line: a terminal would paint the rest of the line with it.
    lines.lines().try_for_each(|line| writeln!(to, "{WHITE_ON_BLACK}{line}{WHITE_ON_BLACK:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "recado:jo%C3%A3o@192.0.2.7:7101#cq4wp5l4oklbzn5k7bdw3xnuqzvjn3ggmvmx3mdl6xqbtxjgwbka";
    const MARGIN: usize = 4;

    /// Which modules a drawing shows as dark.
    fn dark(lines: &str) -> Vec<Vec<bool>> {
        let both = |line: &str| {
            let halves = line.chars().map(|block| match block {
                '█' => (false, false),
                '▀' => (false, true),
                '▄' => (true, false),
                ' ' => (true, true),
                other => panic!("{other:?} is no half block"),
            });
            let (upper, lower) = halves.unzip();
            [upper, lower]
        };
        lines.lines().flat_map(both).collect()
    }

    #[test]
    fn the_drawing_is_the_code_with_its_margin() {
        let code = QrCode::with_error_correction_level(LINK, EcLevel::L).unwrap();
        let drawn = dark(&lines(LINK).unwrap());
        let width = code.width() + 2 * MARGIN;
        assert!(drawn.iter().all(|row| row.len() == width));
        // The number of rows is odd, so half a line is left over below.
        assert_eq!(drawn.len(), width + 1);
        for (y, row) in drawn.iter().take(width).enumerate() {
            for (x, is_dark) in row.iter().enumerate() {
                let inside = |at: usize| at.checked_sub(MARGIN).filter(|at| *at < code.width());
                let expected = inside(x).zip(inside(y)).is_some_and(|at| code[at] == qrcode::Color::Dark);
                assert_eq!(*is_dark, expected, "column {x}, row {y}");
            }
        }
    }

    #[test]
    fn a_link_fits_a_terminal_and_a_novel_is_not_drawn() {
        assert!(lines(LINK).unwrap().lines().all(|line| line.chars().count() <= 80));
        let mut drawn = Vec::new();
        draw(&"a".repeat(5000), &mut drawn).unwrap();
        assert_eq!(drawn, b"");
        draw(LINK, &mut drawn).unwrap();
        let drawn = String::from_utf8(drawn).unwrap();
        assert!(drawn.lines().all(|line| line.starts_with("\u{1b}[") && line.ends_with("\u{1b}[0m")));
    }
}
