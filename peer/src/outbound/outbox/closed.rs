//! The sequence numbers under which a recipient will never be delivered anything: their messages were refused, expired or
//! deleted, or the number was never given. It is told them, so that it does not miss them. Owns the table `closed`.

use std::collections::BTreeMap;

use protocol::Name;
use protocol::message::{HIGHEST_SEQ, Ranges};
use rusqlite::Connection;

/// The first and the last number of a range.
pub type Range = (u64, u64);

/// Which of a recipient's closed numbers.
#[derive(Debug, Clone, Copy)]
enum Which {
    /// All of them.
    All = 0,
    /// Those that the recipient has still to be told.
    Due = 1,
}

/// Closes the numbers of a range, in the transaction that makes them so: the recipient is told with the next message.
pub fn close(connection: &Connection, to: &Name, range: Range) -> rusqlite::Result<()> {
    add(connection, to, Which::All, range)?;
    add(connection, to, Which::Due, range)
}

/// Closes the numbers of a range that the recipient does not miss.
pub fn skip(connection: &Connection, to: &Name, range: Range) -> rusqlite::Result<()> {
    add(connection, to, Which::All, range)
}

/// Takes the numbers of a range out again: their messages are to be delivered after all.
pub fn reopen(connection: &Connection, to: &Name, range: Range) -> rusqlite::Result<()> {
    subtract(connection, to, Which::All, range)?;
    subtract(connection, to, Which::Due, range)
}

/// Numbers of several recipients, gathered into ranges: each of a recipient's runs costs as much as one number.
#[derive(Debug, Default)]
pub struct Runs(BTreeMap<Name, Vec<Range>>);

impl Runs {
    /// One number more; a recipient's make long runs if they come in ascending order.
    pub fn push(&mut self, to: Name, number: u64) {
        let runs = self.0.entry(to).or_default();
        match runs.last_mut() {
            Some(run) if run.1 + 1 == number => run.1 = number,
            _ => runs.push((number, number)),
        }
    }

    /// Whose they are.
    pub fn recipients(&self) -> impl Iterator<Item = &Name> {
        self.0.keys()
    }

    /// Does this with each range.
    pub fn each(&self, mut act: impl FnMut(&Name, Range) -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        self.0.iter().try_for_each(|(to, runs)| runs.iter().try_for_each(|run| act(to, *run)))
    }
}

/// What the next message to this recipient tells it: as many ranges as travel with one message, the lowest first.
pub fn riding(connection: &Connection, to: &Name) -> rusqlite::Result<Ranges> {
    let due = overlapping(connection, to, Which::Due, (1, HIGHEST_SEQ))?;
    let due: Vec<_> = due.into_iter().map(|(first, last)| [first, last]).collect();
    Ok(Ranges::try_from(due).unwrap_or_default())
}

/// The recipient keeps a message that told it these ranges: it need not be told again.
pub fn taken(connection: &Connection, to: &Name, told: &Ranges) -> rusqlite::Result<()> {
    told.iter().try_for_each(|range| subtract(connection, to, Which::Due, range))
}

/// What is closed of these ranges: at most as many parts of each as travel with one message.
pub fn within(connection: &Connection, to: &Name, ranges: &[Range]) -> rusqlite::Result<Vec<Range>> {
    let mut closed = Vec::new();
    for range in ranges {
        let parts = overlapping(connection, to, Which::All, *range)?;
        closed.extend(parts.into_iter().map(|(first, last)| (first.max(range.0), last.min(range.1))));
    }
    Ok(closed)
}

/// The recipient is told this range with the next message: nothing is delivered to it under these numbers.
pub fn tell(connection: &Connection, to: &Name, range: Range) -> rusqlite::Result<()> {
    add(connection, to, Which::Due, range)
}

/// Whether the recipient is to be told all of this range already.
pub fn is_due(connection: &Connection, to: &Name, range: Range) -> rusqlite::Result<bool> {
    let due = overlapping(connection, to, Which::Due, range)?;
    Ok(matches!(due[..], [only] if only.0 <= range.0 && range.1 <= only.1))
}

/// Adds a range, and makes one of all that it touches.
fn add(connection: &Connection, to: &Name, which: Which, new: Range) -> rusqlite::Result<()> {
    let (mut first, mut last) = new;
    loop {
        let touched = overlapping(connection, to, which, (first.saturating_sub(1), last.saturating_add(1)))?;
        if matches!(touched[..], [only] if only.0 <= first && last <= only.1) {
            return Ok(());
        }
        if touched.is_empty() {
            return insert(connection, to, which, (first, last));
        }
        for range in touched {
            remove(connection, to, which, range)?;
            (first, last) = (first.min(range.0), last.max(range.1));
        }
    }
}

/// Takes the numbers of a range out of all ranges.
fn subtract(connection: &Connection, to: &Name, which: Which, out: Range) -> rusqlite::Result<()> {
    loop {
        let overlapped = overlapping(connection, to, which, out)?;
        if overlapped.is_empty() {
            return Ok(());
        }
        for range in overlapped {
            remove(connection, to, which, range)?;
            if range.0 < out.0 {
                insert(connection, to, which, (range.0, out.0 - 1))?;
            }
            if range.1 > out.1 {
                insert(connection, to, which, (out.1 + 1, range.1))?;
            }
        }
    }
}

/// The ranges that have numbers in common with this one, in ascending order: as many as travel with one message.
fn overlapping(
    connection: &Connection,
    to: &Name,
    which: Which,
    (first, last): Range,
) -> rusqlite::Result<Vec<Range>> {
    connection
        .prepare_cached(OVERLAPPING)?
        .query_map((to.as_str(), which as u8, first, last, Ranges::MOST), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect()
}

/// Ranges do not overlap each other, so that of those which begin before `?3` only the last can reach it.
const OVERLAPPING: &str = "SELECT first, last FROM closed
    WHERE name = ?1 AND due = ?2 AND first <= ?4 AND last >= ?3
      AND first >= coalesce((SELECT max(first) FROM closed WHERE name = ?1 AND due = ?2 AND first <= ?3), 0)
    ORDER BY first LIMIT ?5";

fn insert(connection: &Connection, to: &Name, which: Which, (first, last): Range) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO closed (name, due, first, last) VALUES (?1, ?2, ?3, ?4)")?
        .execute((to.as_str(), which as u8, first, last))?;
    Ok(())
}

fn remove(connection: &Connection, to: &Name, which: Which, range: Range) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM closed WHERE name = ?1 AND due = ?2 AND first = ?3")?
        .execute((to.as_str(), which as u8, range.0))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::database;

    #[derive(Debug, Clone)]
    enum Act {
        Close(Range),
        Reopen(Range),
        /// The next message is taken.
        Told,
        TellAgain(Vec<Range>),
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let range = || (1..60_u64, 0..8_u64).prop_map(|(first, more)| (first, first + more));
        let act = prop_oneof![
            4 => range().prop_map(Act::Close),
            2 => range().prop_map(Act::Reopen),
            1 => Just(Act::Told),
            1 => proptest::collection::vec(range(), 0..4).prop_map(Act::TellAgain),
        ];
        proptest::collection::vec(act, 0..60)
    }

    fn numbers(ranges: &[Range]) -> BTreeSet<u64> {
        ranges.iter().flat_map(|range| range.0..=range.1).collect()
    }

    /// All ranges, which neither touch nor overlap.
    fn stored(connection: &Connection, to: &Name, which: Which) -> Vec<Range> {
        let mut ranges: Vec<Range> = Vec::new();
        loop {
            let behind = ranges.last().map_or(0, |range| range.1 + 1);
            let next = overlapping(connection, to, which, (behind, HIGHEST_SEQ)).unwrap();
            if next.is_empty() {
                assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{ranges:?}");
                return ranges;
            }
            ranges.extend(next);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn numbers_are_closed_and_told_until_they_are_taken(acts in acts()) {
            let dir = tempfile::tempdir().unwrap();
            let store = database::open(dir.path()).unwrap();
            let [rui, ana]: [Name; 2] = ["rui", "ana"].map(|name| name.parse().unwrap());
            let write = store.write(move |connection| {
                close(connection, &ana, (3, 4))?;
                let (mut all, mut due) = (BTreeSet::new(), BTreeSet::new());
                for act in acts {
                    match act {
                        Act::Close(range) => {
                            close(connection, &rui, range)?;
                            all.extend(range.0..=range.1);
                            due.extend(range.0..=range.1);
                        }
                        Act::Reopen(range) => {
                            reopen(connection, &rui, range)?;
                            for numbers in [&mut all, &mut due] {
                                numbers.retain(|number| !(range.0..=range.1).contains(number));
                            }
                        }
                        Act::Told => {
                            let told = riding(connection, &rui)?;
                            assert_eq!(told.is_empty(), due.is_empty());
                            assert_eq!(told.iter().next().map(|range| range.0), due.first().copied());
                            taken(connection, &rui, &told)?;
                            let told = numbers(&told.iter().collect::<Vec<_>>());
                            assert!(told.is_subset(&due));
                            due = due.difference(&told).copied().collect();
                        }
                        Act::TellAgain(lacking) => {
                            for range in within(connection, &rui, &lacking)? {
                                let is_told = (range.0..=range.1).all(|number| due.contains(&number));
                                assert_eq!(is_due(connection, &rui, range)?, is_told);
                                tell(connection, &rui, range)?;
                                due.extend(range.0..=range.1);
                            }
                            due.extend(numbers(&lacking).intersection(&all));
                        }
                    }
                    assert_eq!(numbers(&stored(connection, &rui, Which::All)), all);
                    assert_eq!(numbers(&stored(connection, &rui, Which::Due)), due);
                }
                assert_eq!(stored(connection, &ana, Which::Due), [(3, 4)], "of another recipient");
                Ok::<_, rusqlite::Error>(())
            });
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(write).unwrap();
        }
    }

    #[test]
    fn ranges_are_searched_and_not_scanned() {
        let dir = tempfile::tempdir().unwrap();
        let store = database::open(dir.path()).unwrap();
        let plan: Vec<String> = store
            .read(|connection| {
                let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {OVERLAPPING}"))?;
                explain.query_map(("rui", 0, 1, 2, 16), |row| row.get("detail"))?.collect()
            })
            .unwrap();
        let from_first = "SEARCH closed USING PRIMARY KEY (name=? AND due=? AND first>? AND first<?)";
        assert!(plan.iter().any(|step| step == from_first), "{plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("SCAN closed") || step.contains("TEMP")), "{plan:#?}");
    }
}
