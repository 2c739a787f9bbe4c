//! Which messages are asked for, and the SQL that finds them by their indexes.

use jiff::Timestamp;
use protocol::Name;
use rusqlite::Row;
use rusqlite::types::Value;

use super::{Direction, PAGE, State};

/// Which messages to list, by whether it is known who they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// All of them.
    #[default]
    Any,
    /// All but those under a name that has a key, from somebody who did not prove to hold it.
    Fitting,
    /// Those received from somebody who did not prove to hold a key that the name has or had.
    Unverified,
}

/// Where a part of a listing begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// At this time: that by which messages are shown.
    Time(Timestamp),
    /// At this message, which is not part of it.
    Message(Spot),
}

/// Which messages to list. Everything, if nothing is asked for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only this way.
    pub direction: Option<Direction>,
    /// Only with this name on the other side.
    pub partner: Option<Name>,
    /// Only what was received and not shown yet.
    pub unread: bool,
    /// Only what is trusted, or not trusted, so far.
    pub trust: Trust,
    /// Only what was sent and came to this.
    pub state: Option<State>,
    /// Only what was stored up to this position.
    pub up_to: Option<i64>,
    /// Only what is listed from here on.
    pub since: Option<Bound>,
    /// Only what is listed up to here.
    pub before: Option<Bound>,
    /// Only the last so many.
    pub last: Option<u32>,
}

/// A spot in the order of listings: that of a message, or the one before all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    place: i64,
    /// 0 where the sender does not count: nothing else stands in such a place.
    seq: i64,
    position: i64,
}

impl Spot {
    /// Before everything.
    pub(super) const FIRST: Self = Self { place: i64::MIN, seq: 0, position: 0 };

    /// Before everything that is listed in this place.
    pub(super) const fn before_place(place: i64) -> Self {
        Self { place: place.saturating_sub(1), seq: i64::MAX, position: i64::MAX }
    }

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            place: row.get("place")?,
            seq: row.get::<_, Option<i64>>("seq")?.unwrap_or(0),
            position: row.get("position")?,
        })
    }
}

/// One page of a listing.
pub(super) fn listing(query: &Query, size: usize) -> String {
    format!(
        "SELECT * FROM messages WHERE {} ORDER BY place, seq, position LIMIT {size}",
        conditions(query, "partner")
    )
}

/// The spot of the message before the last so many.
pub(super) fn listing_backwards(query: &Query) -> String {
    format!(
        "SELECT place, seq, position FROM messages WHERE {}
         ORDER BY place DESC, seq DESC, position DESC LIMIT 1 OFFSET :last",
        conditions(query, "partner")
    )
}

/// The positions of the last so many messages that are found, by their words if there are any, and have all these parts; the
/// last one first. Where words decide, the pluses have those looked at, and nothing else.
pub(super) fn search(query: &Query, by_words: bool, parts: &[String]) -> String {
    let (place, partner) = if by_words { ("+place", "+partner") } else { ("place", "partner") };
    let mut sql =
        format!("SELECT position FROM messages WHERE {}{}", part(query, place), filters(query, partner));
    if by_words {
        sql.push_str(
            " AND position IN (SELECT rowid FROM words WHERE words MATCH :words
                               UNION ALL SELECT value FROM json_each(:others))",
        );
    }
    for part in parts {
        sql.extend([" AND body LIKE ", part, " ESCAPE '\\'"]);
    }
    sql + " ORDER BY place DESC, seq DESC, position DESC LIMIT :last"
}

/// How many messages of a query there are that do not fit.
pub(super) fn aside(query: &Query) -> String {
    format!("SELECT count(*) FROM messages WHERE {} AND aside = 1", conditions(query, "partner"))
}

/// One page of what was stored since. The plus keeps SQLite from sorting all that was ever said to or by one name.
pub(super) fn since(query: &Query) -> String {
    format!(
        "SELECT * FROM messages WHERE position > :since{} ORDER BY position LIMIT {PAGE}",
        filters(query, "+partner")
    )
}

/// The part of the order of listings that is asked for, and what is asked for in it. `position`, by which nothing is listed,
/// is not to be searched by, nor is the end but by its place.
fn conditions(query: &Query, partner: &str) -> String {
    part(query, "place") + &filters(query, partner)
}

/// The part of the order of listings that is asked for.
fn part(query: &Query, place: &str) -> String {
    let mut sql = format!(
        "{place} <= :top AND +position <= :up_to AND ({place}, seq, position) > (:place, :seq, :position)"
    );
    if let Some(Bound::Message(_)) = query.before {
        sql.push_str(" AND (+place, seq, position) < (:top, :top_seq, :top_position)");
    }
    sql
}

/// Only fixed text becomes SQL; what was typed is bound. Conditions that do not apply are left out, so that those which
/// do can use their index.
fn filters(query: &Query, partner: &str) -> String {
    let mut sql = String::new();
    match query.direction {
        Some(Direction::Received) => sql.push_str(" AND direction = 'received'"),
        Some(Direction::Sent) => sql.push_str(" AND direction = 'sent'"),
        None => {}
    }
    if query.unread {
        sql.push_str(" AND direction = 'received' AND read = 0");
    }
    match query.trust {
        Trust::Any => {}
        Trust::Fitting => sql.push_str(" AND aside = 0"),
        // `doubted` is what an index knows, and holds for each that is not verified.
        Trust::Unverified => sql.push_str(" AND direction = 'received' AND doubted = 1 AND verified = 0"),
    }
    if query.partner.is_some() {
        sql.extend([" AND ", partner, " = :partner"]);
    }
    if let Some(state) = query.state {
        sql.extend([" AND state = '", state.word(), "'"]);
        if state != State::Delivered {
            // What an index knows.
            sql.push_str(" AND state <> 'delivered'");
        }
    }
    if let Some(Bound::Time(_)) = query.since {
        sql.push_str(" AND +at >= :since_time");
    }
    if let Some(Bound::Time(_)) = query.before {
        sql.push_str(" AND +at < :before_time");
    }
    sql
}

/// What [`conditions`] have to be bound to. `behind`: the spot behind which to list; `top`: the last place.
pub(super) fn values(query: &Query, behind: Spot, top: i64) -> Vec<(&'static str, Value)> {
    let mut values = filter_values(query);
    values.extend([
        (":up_to", query.up_to.unwrap_or(i64::MAX).into()),
        (":place", behind.place.into()),
        (":seq", behind.seq.into()),
        (":position", behind.position.into()),
    ]);
    match query.before {
        Some(Bound::Message(end)) => values.extend([
            (":top", end.place.into()),
            (":top_seq", end.seq.into()),
            (":top_position", end.position.into()),
        ]),
        _ => values.push((":top", top.into())),
    }
    values
}

/// What [`filters`] have to be bound to.
pub(super) fn filter_values(query: &Query) -> Vec<(&'static str, Value)> {
    let mut values = Vec::new();
    if let Some(partner) = &query.partner {
        values.push((":partner", Value::from(partner.as_str().to_owned())));
    }
    if let Some(Bound::Time(since)) = query.since {
        values.push((":since_time", in_milliseconds(since).into()));
    }
    if let Some(Bound::Time(before)) = query.before {
        values.push((":before_time", in_milliseconds(before).into()));
    }
    values
}

/// The first millisecond that is not before this time.
pub(super) fn in_milliseconds(time: Timestamp) -> i64 {
    let whole = time.as_millisecond();
    let is_later = Timestamp::from_millisecond(whole).is_ok_and(|whole| whole < time);
    whole + i64::from(is_later)
}
