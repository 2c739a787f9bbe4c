//! How messages are shown, wherever they are: one line each for programs; for people a line with time, names and
//! marks, and further lines of the text set back, so that no message can pass for two.

use std::io::{IsTerminal as _, Write as _};
use std::ops::ControlFlow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use protocol::{Fingerprint, Name};
use serde::Serialize;
use uuid::Uuid;

use super::exit::Failure;
use super::output::{ERROR, FAINT, GOOD, NAME, Output, WARNING, note};
use super::untrusted::{Untrusted, lines, shortened};
use crate::conversations::{Conversations, Direction, Entry, Query, State, Trust};

/// A message, with the members that every listing has.
#[derive(Serialize)]
struct Line<'a> {
    id: Uuid,
    direction: &'static str,
    from: &'a str,
    to: &'a str,
    body: &'a str,
    sent_at: Option<Timestamp>,
    received_at: Option<Timestamp>,
    verified: bool,
    fingerprint: Option<Fingerprint>,
    seq: Option<u64>,
    read: Option<bool>,
    state: Option<&'static str>,
    reason: Option<&'a str>,
}

/// Prints each message of the query; the positions of those that were unread.
pub fn print(conversations: &Conversations, query: &Query, output: &mut Output) -> Result<Vec<i64>, Failure> {
    print_with(conversations, query, None, output)
}

/// The same; of what is queued also when it is tried again, as seen from `now`.
pub fn print_with(
    conversations: &Conversations,
    query: &Query,
    now: Option<Timestamp>,
    output: &mut Output,
) -> Result<Vec<i64>, Failure> {
    let mut unread = Vec::new();
    let mut is_empty = true;
    let stopped = conversations.each(query, |entry| {
        is_empty = false;
        if entry.read == Some(false) {
            unread.push(entry.position);
        }
        match print_as_of(&entry, now, output) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => ControlFlow::Break(failure),
        }
    })?;
    if is_empty && std::io::stdout().is_terminal() {
        note("No messages.");
    }
    match stopped {
        Some(failure) => Err(failure),
        None => Ok(unread),
    }
}

/// Prints one message.
pub fn print_one(entry: &Entry, output: &mut Output) -> Result<(), Failure> {
    print_as_of(entry, None, output)
}

fn print_as_of(entry: &Entry, now: Option<Timestamp>, output: &mut Output) -> Result<(), Failure> {
    if output.json {
        return output.line(&Line {
            id: entry.id,
            direction: entry.direction.word(),
            from: &entry.from,
            to: &entry.to,
            body: &entry.body,
            sent_at: entry.sent_at,
            received_at: entry.received_at,
            verified: entry.verified,
            fingerprint: entry.fingerprint,
            seq: entry.seq,
            read: entry.read,
            state: entry.state.map(State::word),
            reason: entry.reason.as_deref(),
        });
    }
    let mark = if entry.read == Some(false) { "*" } else { " " };
    let time = local_time(entry);
    write!(output, "{GOOD}{mark}{GOOD:#} ")?;
    if output.ids {
        write!(output, "{FAINT}{}{FAINT:#}  ", entry.id)?;
    }
    write!(output, "{FAINT}{time}{FAINT:#}  ")?;
    match entry.direction {
        Direction::Received => {
            write!(output, "{NAME}{}{NAME:#}", Untrusted(&entry.from))?;
            if !entry.verified {
                write!(output, " {WARNING}(unverified, {}){WARNING:#}", origin(entry))?;
            }
        }
        Direction::Sent => write!(output, "to {NAME}{}{NAME:#}{}", Untrusted(&entry.to), fate(entry, now))?,
    }
    let mut text = lines(&entry.body);
    writeln!(output, ": {}", text.next().unwrap_or(Untrusted("")))?;
    for line in text {
        writeln!(output, "                    {FAINT}|{FAINT:#} {line}")?;
    }
    Ok(())
}

/// What is known of the sender of a message that is not verified.
fn origin(entry: &Entry) -> String {
    match (entry.fingerprint, &entry.source) {
        (Some(key), _) => format!("key {key:.8}…"),
        (None, Some(source)) => format!("from {}", Untrusted(source)),
        (None, None) => "from nowhere".to_owned(),
    }
}

/// Which messages are listed: those that may be anybody's are asked for, or left out where one name is meant.
pub fn trust(only_unverified: bool, partner: Option<&Name>) -> Trust {
    match (only_unverified, partner) {
        (true, _) => Trust::Unverified,
        (false, Some(_)) => Trust::Fitting,
        (false, None) => Trust::Any,
    }
}

/// Says how many messages a listing of one name leaves out, because whoever sent them did not prove to hold its key.
pub fn note_set_aside(conversations: &Conversations, query: &Query) -> Result<(), Failure> {
    let Some(name) = query.partner.as_ref().filter(|_| query.trust == Trust::Fitting) else { return Ok(()) };
    match conversations.set_aside(query)? {
        0 => {}
        1 => note(&format!(
            "One more message came under this name, and not from its key: `peer inbox --unverified --from {name}`"
        )),
        count => note(&format!(
            "{count} more messages came under this name, and not from its key: `peer inbox --unverified --from {name}`"
        )),
    }
    Ok(())
}

/// When the message came or left, in the user's zone.
fn local_time(entry: &Entry) -> String {
    let time = match entry.direction {
        Direction::Received => entry.received_at,
        Direction::Sent => entry.sent_at,
    };
    time.map_or_else(
        || " ".repeat("2026-11-22 09:30".len()),
        |time| time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}

/// What became of a message that was sent; nothing to say if all is well.
fn fate(entry: &Entry, now: Option<Timestamp>) -> String {
    let Some(state) = entry.state.filter(|state| *state != State::Delivered) else { return String::new() };
    let style = if state == State::Queued { WARNING } else { ERROR };
    let why = match (&entry.reason, entry.tries.unwrap_or(0)) {
        (Some(reason), 0) => format!(", {reason}"),
        (Some(reason), 1) => format!(" after 1 try, {reason}"),
        (Some(reason), tries) => format!(" after {tries} tries, {reason}"),
        (None, _) => String::new(),
    };
    let next = now.and_then(|now| next_try(entry.next_try?, now)).unwrap_or_default();
    format!(" {style}({}{}{next}){style:#}", state.word(), shortened(&why))
}

/// In how long it is tried again; nothing if that time has come.
fn next_try(at: Timestamp, now: Timestamp) -> Option<String> {
    let left = u64::try_from(at.as_millisecond() - now.as_millisecond()).ok().filter(|left| *left > 0)?;
    Some(match left.div_ceil(1_000) {
        seconds @ ..120 => format!(", next try in {seconds} s"),
        seconds => format!(", next try in {} min", seconds.div_ceil(60)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_the_next_try_is_rounded_up() {
        let now = Timestamp::from_second(1_000).unwrap();
        for (left, words) in [
            (-5, None),
            (0, None),
            (1, Some("1 s")),
            (1_000, Some("1 s")),
            (39_001, Some("40 s")),
            (119_000, Some("119 s")),
            (119_001, Some("2 min")),
            (300_000, Some("5 min")),
        ] {
            let at = Timestamp::from_millisecond(now.as_millisecond() + left).unwrap();
            assert_eq!(next_try(at, now), words.map(|words| format!(", next try in {words}")), "{left}");
        }
    }
}
