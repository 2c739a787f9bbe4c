//! How messages are shown, wherever they are: one line each for programs; for people a line with marks, time and names,
//! and further lines of the text set back, so that no message can pass for two. At a terminal they stand in columns
//! (`screen`); elsewhere each begins on a line of its own, as scripts search for them (`plain`).

mod plain;
mod screen;

use std::io::IsTerminal as _;
use std::ops::ControlFlow;

use jiff::Timestamp;
use protocol::{Fingerprint, Name};
use serde::Serialize;
use uuid::Uuid;

use super::clock::Clock;
use super::exit::Failure;
use super::language::{reasons, tr};
use super::output::{ERROR, Output, WARNING, note};
use super::send::said;
use super::untrusted::{Untrusted, shortened};
use crate::conversations::{Conversations, Direction, Entry, Query, State, Trust};
use anstyle::Style;
use screen::Screen;

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
    let mut listing = Listing::new(Clock::for_listing(output), now, output);
    let stopped = conversations.each(query, |entry| {
        is_empty = false;
        if entry.read == Some(false) {
            unread.push(entry.position);
        }
        match listing.take(entry, output) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => ControlFlow::Break(failure),
        }
    })?;
    if let Some(failure) = stopped {
        return Err(failure);
    }
    listing.end(output)?;
    if is_empty && std::io::stdout().is_terminal() {
        note(&tr!("listing-none"));
    }
    Ok(unread)
}

/// Messages on their way to whoever reads them.
pub struct Listing {
    screen: Option<Screen>,
    telling: Telling,
}

/// What everything is told by.
struct Telling {
    clock: Clock,
    /// The moment from which the next try is counted, if there will be one.
    tries: Option<Timestamp>,
}

impl Listing {
    /// Messages that are shown at once. Their listing has to be [ended](Self::end).
    pub fn at_once(output: &Output) -> Self {
        Self::new(Clock::for_listing(output), None, output)
    }

    /// Messages that are shown as they come.
    pub fn following(output: &Output) -> Self {
        let screen = output.columns().map(Screen::following);
        Self { screen, ..Self::new(Clock::for_following(output), None, output) }
    }

    fn new(clock: Clock, tries: Option<Timestamp>, output: &Output) -> Self {
        Self { screen: output.columns().map(Screen::new), telling: Telling { clock, tries } }
    }

    /// Shows one message, now or when the listing ends.
    pub fn take(&mut self, entry: Entry, output: &mut Output) -> Result<(), Failure> {
        if output.json {
            return output.line(&Line::of(&entry));
        }
        match &mut self.screen {
            Some(screen) => screen.take(entry, &self.telling, output),
            None => plain::print(&entry, &self.telling, output),
        }
    }

    /// Shows what was not shown yet.
    pub fn end(&mut self, output: &mut Output) -> Result<(), Failure> {
        self.screen.as_mut().map_or(Ok(()), |screen| screen.end(&self.telling, output))
    }

    /// Shows what has just come.
    pub fn show(&mut self, arrived: &[Entry], output: &mut Output) -> Result<(), Failure> {
        self.telling.clock = Clock::for_following(output);
        arrived.iter().try_for_each(|entry| self.take(entry.clone(), output))?;
        self.end(output)
    }
}

impl<'a> Line<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
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
        }
    }
}

impl Telling {
    /// When the message came or left.
    fn time(&self, entry: &Entry) -> String {
        let time = match entry.direction {
            Direction::Received => entry.received_at,
            Direction::Sent => entry.sent_at,
        };
        time.map(|time| self.clock.tell(time)).unwrap_or_default()
    }

    /// What wants to be known of the message besides its text; nothing if all is well.
    fn note(&self, entry: &Entry) -> Option<(Style, String)> {
        match entry.direction {
            Direction::Received if entry.verified => None,
            Direction::Received => Some((WARNING, tr!("listing-unverified", origin = origin(entry)))),
            Direction::Sent => fate(entry, self.tries),
        }
    }
}

/// The name on the other side, harmless, and what stands before it.
fn partner(entry: &Entry) -> (String, String) {
    match entry.direction {
        Direction::Received => (String::new(), Untrusted(&entry.from).to_string()),
        Direction::Sent => (tr!("listing-to"), Untrusted(&entry.to).to_string()),
    }
}

/// What is known of the sender of a message that is not verified.
fn origin(entry: &Entry) -> String {
    match (entry.fingerprint, &entry.source) {
        (Some(key), _) => tr!("listing-from-key", key = format!("{key:.8}…")),
        (None, Some(source)) => tr!("listing-from-address", address = Untrusted(source)),
        (None, None) => tr!("listing-from-nowhere"),
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
        count => note(&tr!("listing-set-aside", count = count, name = name)),
    }
    Ok(())
}

/// What became of a message that was sent; nothing to say if all is well.
fn fate(entry: &Entry, now: Option<Timestamp>) -> Option<(Style, String)> {
    let state = entry.state.filter(|state| *state != State::Delivered)?;
    let style = if state == State::Queued { WARNING } else { ERROR };
    let state = said(state);
    let state = match (&entry.reason, entry.tries.unwrap_or(0)) {
        (None, _) | (_, 0) => state,
        (Some(_), tries) => tr!("listing-after-tries", state = state, tries = tries),
    };
    let why = entry.reason.as_deref().map(|reason| shortened(&reasons::of_message(&entry.to, reason)));
    let next = now.and_then(|now| next_step(entry, now));
    // A sentence of the other side's goes on here.
    let why = why.map(|why| if next.is_some() { why.trim_end_matches('.').to_owned() } else { why });
    let all: Vec<_> = [Some(state), why, next].into_iter().flatten().collect();
    Some((style, all.join(", ")))
}

/// What is to be done, or in how long it is tried again.
fn next_step(entry: &Entry, now: Timestamp) -> Option<String> {
    let at = entry.next_try?;
    match entry.reason.as_deref().and_then(reasons::other_key) {
        Some(key) => Some(tr!("listing-other-key", name = shortened(&entry.to), key = shortened(key))),
        None => next_try(at, now),
    }
}

/// In how long it is tried again; nothing if that time has come.
fn next_try(at: Timestamp, now: Timestamp) -> Option<String> {
    let left = u64::try_from(at.as_millisecond() - now.as_millisecond()).ok().filter(|left| *left > 0)?;
    Some(match left.div_ceil(1_000) {
        seconds @ ..120 => tr!("listing-next-try-seconds", seconds = seconds),
        seconds => tr!("listing-next-try-minutes", minutes = seconds.div_ceil(60)),
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
            assert_eq!(next_try(at, now), words.map(|words| format!("next try in {words}")), "{left}");
        }
    }
}
