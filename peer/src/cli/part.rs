//! Which part of a listing is asked for: since and before a time or a message, and the last so many of that.

use std::str::FromStr;

use clap::Args;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::Output;
use crate::conversations::{Bound, Conversations, Query, Spot};

/// What every listing takes.
#[derive(Args, Default)]
pub struct Part {
    /// Only what is listed from this time on, or behind the message with this ID
    ///
    /// A time is a date, alone or with an hour (2026-10-01, 2026-10-01T09:30, in your zone), `today`, `yesterday`, or how long
    /// ago that is (90m, 12h, 7d).
    #[arg(long, value_name = "TIME|ID")]
    pub since: Option<When>,
    /// Only what is listed before this time, or before the message with this ID; with --limit a page back
    #[arg(long, value_name = "TIME|ID")]
    pub before: Option<When>,
    /// Only the last so many
    #[arg(long, value_name = "COUNT", value_parser = str::parse::<u32>, allow_negative_numbers = true)]
    pub limit: Option<u32>,
    /// Show each message's id
    #[arg(long)]
    pub ids: bool,
}

/// A time, or a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The time.
    Time(Timestamp),
    /// The message's id.
    Id(Uuid),
}

impl Part {
    /// How it is shown.
    pub fn show(&self, output: &mut Output) {
        output.ids = self.ids;
    }

    /// The query, for this part of what it asks for.
    pub fn of(&self, query: Query, conversations: &Conversations) -> Result<Query, Failure> {
        let bound = |when: Option<When>, pick: fn(Vec<Spot>) -> Option<Spot>| match when {
            None => Ok(None),
            Some(When::Time(time)) => Ok(Some(Bound::Time(time))),
            Some(When::Id(id)) => {
                let spots = conversations.with_id(id)?.into_iter().map(|(_, spot)| spot);
                pick(spots.collect()).map(Bound::Message).map(Some).ok_or_else(|| unknown(&[id]))
            }
        };
        // Where several messages have the id, nothing is left out that was not shown.
        let since = bound(self.since, |spots| spots.into_iter().min())?;
        let before = bound(self.before, |spots| spots.into_iter().max())?;
        Ok(Query { since, before, last: self.limit, ..query })
    }

    /// The position behind which everything was stored after the message that was named, if one was.
    pub fn stored_behind(&self, conversations: &Conversations) -> Result<Option<i64>, Failure> {
        let Some(When::Id(id)) = self.since else { return Ok(None) };
        let positions = conversations.with_id(id)?.into_iter().map(|(entry, _)| entry.position);
        positions.min().map(Some).ok_or_else(|| unknown(&[id]))
    }
}

/// No message has one of these ids.
pub fn unknown(ids: &[Uuid]) -> Failure {
    let listed: Vec<_> = ids.iter().map(Uuid::to_string).collect();
    Failure::new(Exit::Failed, tr!("part-unknown", ids = listed.join(", "), count = ids.len()))
        .hint(tr!("part-unknown-hint"))
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() == 36
            && let Ok(id) = Uuid::try_parse(text)
        {
            return Ok(Self::Id(id));
        }
        time(text, crate::now(), &TimeZone::system()).map(Self::Time).ok_or_else(|| tr!("part-no-time"))
    }
}

/// The time that a text means, now and here.
fn time(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let begin_of = |date: jiff::civil::Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp());
    let today = now.to_zoned(zone.clone()).date();
    match text {
        "today" | "hoje" => return begin_of(today),
        "yesterday" | "ontem" => return begin_of(today.yesterday().ok()?),
        _ => {}
    }
    if let Ok(ago) = protocol::duration::parse(text) {
        return now.checked_sub(ago).ok();
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    // A month is its first day.
    let month = text.len() == "2026-10".len() && text.as_bytes()[4] == b'-';
    let text = if month { format!("{text}-01") } else { text.to_owned() };
    let time: DateTime = text.parse().ok()?;
    Some(time.to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_write_them() {
        let now: Timestamp = "2026-11-22T01:30:00Z".parse().unwrap();
        let zone = TimeZone::get("America/Sao_Paulo").unwrap();
        for (text, expected) in [
            ("2026-10-01", "2026-10-01T03:00:00Z"),
            ("2026-10", "2026-10-01T03:00:00Z"),
            ("2026-10-01T09:30", "2026-10-01T12:30:00Z"),
            ("2026-10-01 09:30:15", "2026-10-01T12:30:15Z"),
            ("2026-10-01T09:30:00Z", "2026-10-01T09:30:00Z"),
            ("2026-10-01T09:30:00.5+02:00", "2026-10-01T07:30:00.5Z"),
            ("today", "2026-11-21T03:00:00Z"),
            ("hoje", "2026-11-21T03:00:00Z"),
            ("yesterday", "2026-11-20T03:00:00Z"),
            ("7d", "2026-11-15T01:30:00Z"),
            ("90m", "2026-11-22T00:00:00Z"),
        ] {
            assert_eq!(time(text, now, &zone), Some(expected.parse().unwrap()), "{text}");
        }
        for bad in
            ["", "2026", "2026-13", "2026-13-01", "2026-02-30", "tomorrow", "7", "-7d", "0s", "0192f0c1"]
        {
            assert_eq!(time(bad, now, &zone), None, "{bad}");
        }
        let id = "0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3";
        assert_eq!(id.parse(), Ok(When::Id(Uuid::try_parse(id).unwrap())));
        assert!("0192f0c12d3e7a4b8c5d6e7f8091a2b3".parse::<When>().is_err());
    }
}
