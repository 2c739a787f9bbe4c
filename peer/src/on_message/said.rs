//! What a command says on standard error, for the log: line by line, and not without end.

use tokio::io::{AsyncRead, AsyncReadExt as _};
use uuid::Uuid;

/// How much of a line is told.
const LONGEST_LINE: usize = 500;
/// How many lines are told.
const MOST_LINES: usize = 50;

/// Logs what comes, to its end.
pub async fn log(mut from: impl AsyncRead + Unpin, id: Uuid) {
    let mut lines = Lines::default();
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        lines.take(&piece[..length], |line| tell(id, line));
    }
    lines.end(|line| tell(id, line));
}

fn tell(id: Uuid, line: &str) {
    tracing::info!(%id, line, "the command of --on-message says");
}

/// Lines being cut from what comes in pieces.
#[derive(Debug, Default)]
struct Lines {
    line: Vec<u8>,
    told: usize,
}

impl Lines {
    fn take(&mut self, piece: &[u8], mut tell: impl FnMut(&str)) {
        for byte in piece {
            match byte {
                b'\n' => self.tell(&mut tell),
                // One more than is told says that there was more.
                _ if self.line.len() <= LONGEST_LINE => self.line.push(*byte),
                _ => {}
            }
        }
    }

    fn end(&mut self, mut tell: impl FnMut(&str)) {
        if !self.line.is_empty() {
            self.tell(&mut tell);
        }
    }

    fn tell(&mut self, tell: &mut impl FnMut(&str)) {
        self.told = self.told.saturating_add(1);
        match self.told {
            ..=MOST_LINES if self.line.len() > LONGEST_LINE => {
                tell(&format!("{}…", String::from_utf8_lossy(&self.line[..LONGEST_LINE])));
            }
            ..=MOST_LINES => tell(String::from_utf8_lossy(&self.line).trim_end_matches('\r')),
            _ if self.told == MOST_LINES + 1 => tell("… and more, which is not told"),
            _ => {}
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pieces: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut told) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.take(piece, |line| told.push(line.to_owned()));
        }
        lines.end(|line| told.push(line.to_owned()));
        told
    }

    #[test]
    fn lines_come_in_any_pieces() {
        assert_eq!(told(&[b"on", b"e\r\ntwo\n", b"\xff three"]), ["one", "two", "\u{fffd} three"]);
        assert_eq!(told(&[]), Vec::<String>::new());
    }

    #[test]
    fn neither_a_line_nor_their_number_is_without_end() {
        let long = told(&[&[b'x'; 10_000]]);
        assert_eq!(long, [format!("{}…", "x".repeat(LONGEST_LINE))]);
        assert_eq!(told(&[&[b'x'; LONGEST_LINE]]), ["x".repeat(LONGEST_LINE)]);
        let many = told(&[&b"x\n".repeat(1_000)]);
        assert_eq!(many.len(), MOST_LINES + 1);
        assert_eq!(many.last().unwrap(), "… and more, which is not told");
    }
}
