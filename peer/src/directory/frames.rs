//! A stream of Server-Sent Events, cut into its events as the WHATWG's HTML standard says (9.2.6), within bounds. What
//! they mean is for `events`.

/// No line, and no event's data, is longer: what a directory tells has a tenth of it.
const LONGEST: usize = 16 * 1024;

/// Takes bytes as they come.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    /// The line so far.
    line: Vec<u8>,
    /// The last line ended with a carriage return: a line feed right behind it ends no other.
    after_return: bool,
    begun: bool,
    event: String,
    data: String,
    id: String,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// Its name; none is as good as any other that is not known.
    pub(super) event: String,
    /// Its data, without the last line end.
    pub(super) data: String,
    /// The id that was given last, with this event or before it.
    pub(super) id: String,
}

/// A line or an event is longer than any that makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it sent an event of more than {LONGEST} bytes")]
pub(super) struct TooLong;

impl Cutter {
    /// The events that end within these bytes.
    pub(super) fn cut(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, TooLong> {
        let mut frames = Vec::new();
        for byte in bytes {
            let pair = std::mem::replace(&mut self.after_return, *byte == b'\r') && *byte == b'\n';
            match byte {
                b'\n' if pair => {}
                b'\r' | b'\n' => frames.extend(self.end_line()?),
                _ if self.line.len() == LONGEST => return Err(TooLong),
                _ => self.line.push(*byte),
            }
        }
        Ok(frames)
    }

    fn end_line(&mut self) -> Result<Option<Frame>, TooLong> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let is_first = !std::mem::replace(&mut self.begun, true);
        let line = line.strip_prefix('\u{feff}').filter(|_| is_first).unwrap_or(&line);
        if line.is_empty() {
            return Ok(self.end_event());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "data" if self.data.len() + value.len() >= LONGEST => return Err(TooLong),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            // Comments, which say that the stream is alive; and how soon to come back, which is ours to decide.
            _ => {}
        }
        Ok(None)
    }

    fn end_event(&mut self) -> Option<Frame> {
        let (event, mut data) = (std::mem::take(&mut self.event), std::mem::take(&mut self.data));
        // An event without data is none, though its id counts.
        data.pop()?;
        Some(Frame { event, data, id: self.id.clone() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(event: &str, data: &str, id: &str) -> Frame {
        Frame { event: event.to_owned(), data: data.to_owned(), id: id.to_owned() }
    }

    fn cut(text: &str) -> Vec<Frame> {
        Cutter::default().cut(text.as_bytes()).unwrap()
    }

    #[test]
    fn events_are_what_the_standard_says() {
        for (text, frames) in [
            ("data: a\n\n", vec![frame("", "a", "")]),
            ("data:a\r\rdata: b\r\n\r\n", vec![frame("", "a", ""), frame("", "b", "")]),
            ("\u{feff}data: a\n\n", vec![frame("", "a", "")]),
            ("data: a\n\u{feff}data: b\n\n", vec![frame("", "a", "")]),
            (": alive\n\n:\nevent: joined\nid: 7\ndata: {}\n\n", vec![frame("joined", "{}", "7")]),
            ("data: a\ndata\ndata:  b: c\n\n", vec![frame("", "a\n\n b: c", "")]),
            ("event: left\n\ndata: a\n\n", vec![frame("", "a", "")]),
            (
                "id: 7\n\ndata: a\n\nid\ndata: b\n\nid: 8\0\ndata: c\n\n",
                vec![frame("", "a", "7"), frame("", "b", ""), frame("", "c", "")],
            ),
            ("retry: 1\nDATA: a\nnonsense\ndata: b\n\n", vec![frame("", "b", "")]),
            ("data: never ended\n", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(cut(text), frames, "{text:?}");
        }
    }

    #[test]
    fn neither_a_line_nor_an_event_grows_without_end() {
        let longest = "x".repeat(LONGEST - "data:".len());
        assert_eq!(cut(&format!("data:{longest}\n\n")).len(), 1);
        let mut cutter = Cutter::default();
        let endless = [b'x'; LONGEST];
        assert_eq!(cutter.cut(&endless), Ok(vec![]));
        assert_eq!(cutter.cut(b"x"), Err(TooLong));
        for line in ["data\n", "data: and so on\n"] {
            let mut cutter = Cutter::default();
            assert!((0..=LONGEST).any(|_| cutter.cut(line.as_bytes()) == Err(TooLong)), "{line}");
        }
        let comments = ": alive\n".repeat(LONGEST);
        assert_eq!(cut(&format!("{comments}data: a\n\n")).len(), 1, "comments are not kept");
    }

    proptest! {
        #[test]
        fn however_the_bytes_come_the_events_are_the_same(
            lines in prop::collection::vec(
                ("(data|event|id|retry|:)?: ?[aé\u{feff}:]{0,3}", "(\n|\r|\r\n){1,3}"), 0..12
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let text: String = lines.into_iter().flat_map(|(line, end)| [line, end]).collect();
            let whole = cut(&text);
            let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            places.extend([0, text.len()]);
            places.sort_unstable();
            let mut cutter = Cutter::default();
            let pieces = places.windows(2).map(|place| &text.as_bytes()[place[0]..place[1]]);
            let pieces: Vec<_> = pieces.flat_map(|piece| cutter.cut(piece).unwrap()).collect();
            prop_assert_eq!(pieces, whole);
        }

        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            let _ = Cutter::default().cut(&bytes);
        }
    }
}
