//! Times as people read them, in their zone: at a terminal as one says them ("2 min ago", "yesterday 09:15"), elsewhere in
//! digits that sort and that a script can search for.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::language::tr;
use super::output::Output;
use super::width::width;

/// The time as it is while something is shown, so that all of one listing is told from the same moment.
pub struct Clock {
    now: Zoned,
    manner: Manner,
}

/// How times are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// `2026-11-22 09:30`.
    Digits,
    /// As is said of what stays on the screen: the day in a word, the hour.
    Standing,
    /// As is said just now: the same, and of the last hour how long ago.
    Now,
}

impl Clock {
    /// For a listing that is read at once.
    pub fn for_listing(output: &Output) -> Self {
        Self::new(output, Manner::Now)
    }

    /// For lines that are read when somebody looks: "2 min ago" would be wrong soon.
    pub fn for_following(output: &Output) -> Self {
        Self::new(output, Manner::Standing)
    }

    fn new(output: &Output, manner: Manner) -> Self {
        let manner = if output.columns().is_some() { manner } else { Manner::Digits };
        Self { now: crate::now().to_zoned(TimeZone::system()), manner }
    }

    /// As for a listing that was asked for then.
    #[cfg(test)]
    pub fn at(now: Zoned) -> Self {
        Self { now, manner: Manner::Now }
    }

    /// A time in the user's zone.
    pub fn tell(&self, time: Timestamp) -> String {
        const MINUTE: i64 = 60;
        const HOUR: i64 = 60 * MINUTE;
        let ago = self.now.timestamp().as_second() - time.as_second();
        let time = time.to_zoned(self.now.time_zone().clone());
        match (self.manner, ago) {
            (Manner::Digits, _) => time.strftime("%Y-%m-%d %H:%M").to_string(),
            (Manner::Now, 0..MINUTE) => tr!("clock-just-now"),
            (Manner::Now, MINUTE..HOUR) => tr!("clock-minutes-ago", minutes = ago / MINUTE),
            (Manner::Now | Manner::Standing, _) => self.tell_day(&time),
        }
    }

    fn tell_day(&self, time: &Zoned) -> String {
        let (today, day) = (self.now.date(), time.date());
        let hour = time.strftime("%H:%M");
        if day == today {
            tr!("clock-today", hour = hour)
        } else if day.tomorrow().is_ok_and(|next| next == today) {
            tr!("clock-yesterday", hour = hour)
        } else if day.year() == today.year() {
            tr!("clock-day", day = day.day(), month = month(day), hour = hour)
        } else {
            day.to_string()
        }
    }

    /// The columns that the longest time takes.
    pub fn width(&self) -> usize {
        let hour = "09:15";
        let longest = match self.manner {
            Manner::Digits => vec!["2026-11-22 09:30".to_owned()],
            Manner::Standing | Manner::Now => vec![
                tr!("clock-just-now"),
                tr!("clock-today", hour = hour),
                tr!("clock-yesterday", hour = hour),
                tr!("clock-day", day = 22, month = month(self.now.date()), hour = hour),
            ],
        };
        longest.iter().map(|time| width(time)).max().unwrap_or(0)
    }
}

fn month(day: Date) -> String {
    tr!("clock-month", month = day.month())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(now: &str, manner: Manner) -> Clock {
        Clock { now: now.parse().unwrap(), manner }
    }

    #[test]
    fn a_time_is_told_as_one_says_it() {
        let now = "2026-03-01T14:30:00-03:00[America/Sao_Paulo]";
        for (time, said, standing) in [
            ("2026-03-01T14:30:00-03:00", "just now", "today 14:30"),
            ("2026-03-01T14:29:01-03:00", "just now", "today 14:29"),
            ("2026-03-01T14:29:00-03:00", "1 min ago", "today 14:29"),
            ("2026-03-01T13:30:01-03:00", "59 min ago", "today 13:30"),
            ("2026-03-01T13:30:00-03:00", "today 13:30", "today 13:30"),
            ("2026-03-01T03:00:00Z", "today 00:00", "today 00:00"),
            ("2026-03-01T02:59:00Z", "yesterday 23:59", "yesterday 23:59"),
            ("2026-02-28T09:15:00-03:00", "yesterday 09:15", "yesterday 09:15"),
            ("2026-02-27T09:15:00-03:00", "27 Feb 09:15", "27 Feb 09:15"),
            ("2025-12-31T23:59:00-03:00", "2025-12-31", "2025-12-31"),
            ("2026-03-01T14:31:00-03:00", "today 14:31", "today 14:31"),
            ("2027-03-01T14:30:01-03:00", "2027-03-01", "2027-03-01"),
        ] {
            let time: Timestamp = time.parse().unwrap();
            assert_eq!(clock(now, Manner::Now).tell(time), said, "{time}");
            assert_eq!(clock(now, Manner::Standing).tell(time), standing, "{time}");
        }
        let time = "2026-03-01T17:29:00Z".parse().unwrap();
        assert_eq!(clock(now, Manner::Digits).tell(time), "2026-03-01 14:29");
    }

    /// Where a night has no midnight, or an hour comes twice, a day is still a day.
    #[test]
    fn a_day_is_one_of_the_calendar() {
        let clock = clock("2018-11-05T00:30:00-02:00[America/Sao_Paulo]", Manner::Now);
        assert_eq!(clock.tell("2018-11-04T03:00:00Z".parse().unwrap()), "yesterday 01:00");
        assert_eq!(clock.tell("2018-11-04T02:59:00Z".parse().unwrap()), "3 Nov 23:59");
    }
}
