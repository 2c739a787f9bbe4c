//! Messages at a terminal: marks, time, name and text in columns, or where there is no room for these, the text below the
//! rest. Lines are broken here and not by the terminal: whatever begins a line of its own is ours, and all further text
//! of others stands behind a bar.

use std::io::Write as _;

use super::super::exit::Failure;
use super::super::output::{ERROR, FAINT, GOOD, NAME, Output, WARNING};
use super::super::untrusted::lines;
use super::super::width::{cell, fit, width, wrapped};
use super::{Telling, partner};
use crate::conversations::{Direction, Entry, State};

/// As many messages as tell how wide the names are.
const FIRST: usize = 200;
/// Room for two marks, and a space.
const MARKS: usize = 3;
/// Between columns.
const GAP: usize = 2;
/// Names shorter than this leave room for others to come.
const SHORTEST_NAME: usize = 6;
/// Text needs so many columns beside the rest, or stands below it.
const NARROWEST_TEXT: usize = 32;

/// A terminal that is being written to.
pub struct Screen {
    columns: usize,
    /// Messages that were not shown yet, since how wide the names are is not known before.
    held: Vec<Entry>,
    names: Option<usize>,
}

impl Screen {
    /// A terminal of this many columns.
    pub fn new(columns: usize) -> Self {
        Self { columns, held: Vec::new(), names: None }
    }

    /// The same, where nobody knows yet who will come.
    pub fn following(columns: usize) -> Self {
        Self { names: Some((columns / 8).max(SHORTEST_NAME)), ..Self::new(columns) }
    }

    /// Shows one message, now or with others.
    pub fn take(&mut self, entry: Entry, telling: &Telling, output: &mut Output) -> Result<(), Failure> {
        if self.names.is_some() {
            return self.print(&entry, telling, output);
        }
        self.held.push(entry);
        if self.held.len() < FIRST { Ok(()) } else { self.end(telling, output) }
    }

    /// Shows what was not shown yet.
    pub fn end(&mut self, telling: &Telling, output: &mut Output) -> Result<(), Failure> {
        let held = std::mem::take(&mut self.held);
        let widths = held.iter().map(|entry| {
            let (to, name) = partner(entry);
            width(&to) + width(&name)
        });
        let widest = widths.max().unwrap_or(0);
        self.names.get_or_insert(widest.clamp(SHORTEST_NAME, (self.columns / 4).max(SHORTEST_NAME)));
        held.iter().try_for_each(|entry| self.print(entry, telling, output))
    }

    fn print(&self, entry: &Entry, telling: &Telling, output: &mut Output) -> Result<(), Failure> {
        let lines = self.lines(entry, telling, output.ids);
        lines.iter().try_for_each(|line| Ok(writeln!(output, "{line}")?))
    }

    /// One message in lines that the terminal need not break.
    fn lines(&self, entry: &Entry, telling: &Telling, with_id: bool) -> Vec<String> {
        let times = telling.clock.width();
        let before_name = MARKS + times + GAP;
        let names = self.names.unwrap_or(SHORTEST_NAME);
        let text_at = before_name + names + GAP;
        let has_columns = text_at + NARROWEST_TEXT <= self.columns;
        let (text_at, notes_at) = if has_columns { (text_at, text_at) } else { (MARKS + GAP, MARKS) };
        // A name is cut only where the terminal ends: two might begin alike.
        let (to, name) = partner(entry);
        let is_beside = has_columns && width(&to) + width(&name) <= names;
        let names = if is_beside { names } else { self.columns.saturating_sub(before_name) };

        let mut text = lines(&entry.body).flat_map(|line| self.broken(&line.to_string(), text_at));
        let time = cell(&telling.time(entry), times);
        let mut heading =
            format!("{} {FAINT}{time}{FAINT:#}  {}", marks(entry), named(entry, names, is_beside));
        if is_beside {
            heading.extend(["  ", &text.next().unwrap_or_default()]);
        }
        let bar = format!("{:1$}{FAINT}|{FAINT:#} ", "", text_at - GAP);
        let mut all = vec![heading];
        all.extend(text.map(|line| format!("{bar}{line}")));
        if let Some((style, note)) = telling.note(entry) {
            // Parts of it are words of others: what is broken is set back further than any line of ours.
            let lines = self.broken(&note, notes_at + GAP);
            let indents = [notes_at].into_iter().chain(std::iter::repeat(notes_at + GAP));
            all.extend(
                lines.iter().zip(indents).map(|(line, at)| format!("{:at$}{style}{line}{style:#}", "")),
            );
        }
        if with_id {
            all.push(format!("{:notes_at$}{FAINT}{}{FAINT:#}", "", entry.id));
        }
        all
    }

    /// A text in lines that fit behind so many columns.
    fn broken(&self, text: &str, indent: usize) -> Vec<String> {
        // A column is room enough to go on, whatever the terminal says of itself.
        let room = self.columns.saturating_sub(indent).max(1);
        wrapped(text, room).into_iter().map(str::to_owned).collect()
    }
}

/// Who is on the other side, in at most so many columns, or in exactly so many.
fn named(entry: &Entry, columns: usize, fills: bool) -> String {
    let (to, name) = partner(entry);
    let name = fit(&name, columns.saturating_sub(width(&to)));
    let rest = if fills { columns.saturating_sub(width(&to) + width(&name)) } else { 0 };
    format!("{to}{NAME}{name}{NAME:#}{:rest$}", "")
}

/// What is to be seen of a message at a glance, in two columns: a star for what is new; a question mark for who it may be
/// from, dots for what waits, an exclamation mark for what will not arrive.
fn marks(entry: &Entry) -> String {
    let unread = if entry.read == Some(false) { "*" } else { " " };
    let (style, state) = match (entry.direction, entry.state) {
        (Direction::Received, _) if !entry.verified => (WARNING, "?"),
        (Direction::Sent, Some(State::Queued)) => (WARNING, "…"),
        (Direction::Sent, Some(State::Refused | State::Expired)) => (ERROR, "!"),
        (Direction::Received | Direction::Sent, _) => (FAINT, " "),
    };
    format!("{GOOD}{unread}{GOOD:#}{style}{state}{style:#}")
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::super::super::clock::Clock;
    use super::super::super::untrusted::harms;
    use super::*;

    fn telling() -> Telling {
        let now: Timestamp = "2026-11-22T09:30:00Z".parse().unwrap();
        Telling { clock: Clock::at(now.to_zoned(jiff::tz::TimeZone::UTC)), tries: Some(now) }
    }

    fn received(from: &str, body: &str) -> Entry {
        Entry {
            position: 1,
            id: Uuid::nil(),
            direction: Direction::Received,
            from: from.to_owned(),
            to: "rui".to_owned(),
            body: body.to_owned(),
            sent_at: None,
            received_at: Some("2026-11-22T09:28:00Z".parse().unwrap()),
            verified: true,
            fingerprint: None,
            source: None,
            seq: None,
            reply_to: None,
            read: Some(false),
            state: None,
            reason: None,
            tries: None,
            is_own_count: false,
            counted_by: None,
            delivered_to: None,
            delivered_as: None,
            next_try: None,
        }
    }

    fn queued(body: &str, reason: &str) -> Entry {
        Entry {
            direction: Direction::Sent,
            sent_at: Some("2026-11-21T09:28:00Z".parse().unwrap()),
            read: None,
            state: Some(State::Queued),
            reason: Some(reason.to_owned()),
            tries: Some(2),
            next_try: Some("2026-11-22T09:30:40Z".parse().unwrap()),
            ..received("ana", body)
        }
    }

    fn shown(entry: &Entry, columns: usize, names: usize) -> Vec<String> {
        let screen = Screen { columns, held: Vec::new(), names: Some(names) };
        screen.lines(entry, &telling(), false).iter().map(|line| strip_str(line).to_string()).collect()
    }

    #[test]
    fn a_message_stands_in_columns() {
        assert_eq!(
            shown(&received("ana", "lunch at one?\nor later"), 60, 6),
            ["*  2 min ago        ana     lunch at one?", "                          | or later"]
        );
        assert_eq!(
            shown(&queued("are you there?", "nobody answers at 127.0.0.1:7101"), 60, 6),
            [
                " … yesterday 09:28  to rui  are you there?",
                "                            queued after 2 tries, nobody",
                "                              answers at 127.0.0.1:7101,",
                "                              next try in 40 s"
            ]
        );
    }

    #[test]
    fn a_long_name_is_not_cut() {
        assert_eq!(
            shown(&received("maria.aparecida", "oi"), 60, 6),
            ["*  2 min ago        maria.aparecida", "                          | oi"]
        );
    }

    #[test]
    fn where_there_is_no_room_the_text_stands_below() {
        let unproved = Entry {
            verified: false,
            read: Some(true),
            ..received("太郎", "the build is green, and so am I")
        };
        assert_eq!(
            shown(&unproved, 34, 6),
            [
                " ? 2 min ago        太郎",
                "   | the build is green, and so am",
                "   | I",
                "   unverified, from nowhere"
            ]
        );
    }

    proptest! {
        /// What a line begins with is ours, and no line is broken by the terminal.
        #[test]
        fn nothing_of_others_can_pass_for_a_line_of_ours(
            body in r"[a-z *?!|:\n\r\t太é\u{301}\u{1b}\u{202e}👋]{1,300}",
            reason in r"[a-z *?!|:\n\r\t太\u{1b}]{0,300}",
            name in r"[a-z太é]{1,64}",
            columns in 40..140_usize,
            names in 6..20_usize,
        ) {
            for entry in [received(&name, &body), queued(&body, &reason)] {
                let lines = shown(&entry, columns, names);
                for line in &lines {
                    prop_assert!(width(line) <= columns, "{line:?} in {columns}");
                    prop_assert!(!line.chars().any(harms));
                }
                let of_message = shown(&Entry { reason: None, state: None, ..entry.clone() }, columns, names).len();
                for line in &lines[1..of_message] {
                    prop_assert!(line.trim_start().starts_with('|'), "{line:?}");
                }
                let notes = &lines[of_message..];
                let indent = |line: &str| line.len() - line.trim_start().len();
                prop_assert!(notes.iter().skip(1).all(|line| indent(line) > indent(&notes[0])), "{notes:?}");
            }
        }
    }
}
