//! Which of a sender's messages were had, by the sequence numbers that its key gave them: what a receipt tells. Owns the
//! table `had`.

use protocol::Fingerprint;
use protocol::message::Ranges;
use rusqlite::{Connection, OptionalExtension as _};

/// What was had from a key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Had {
    /// The highest number; none if the key never gave one.
    pub highest: Option<u64>,
    /// The numbers below it that were not had: the highest ranges of them, in ascending order.
    pub missing: Ranges,
}

/// The first and the last number of a range.
pub type Range = (u64, u64);

/// What was had from a key, counted on through the messages of one transaction. What is not [written](Count::write) at its
/// end is forgotten.
pub struct Count<'a> {
    connection: &'a Connection,
    key: Fingerprint,
    most: usize,
    /// The highest ranges, the highest one first, as they are by now.
    highest: Vec<Range>,
    /// Which of them has grown since it was written.
    grown: Option<usize>,
}

impl<'a> Count<'a> {
    /// What was had from the key so far. Of more than `most` ranges the lowest two are joined: what lies between them
    /// counts as had, too.
    pub fn of(connection: &'a Connection, key: Fingerprint, most: usize) -> rusqlite::Result<Self> {
        Ok(Self { connection, key, most, highest: highest_ranges(connection, key)?, grown: None })
    }

    /// Counts a message's number and those that its sender will never deliver as had.
    pub fn take(&mut self, seq: Option<u64>, closed: &Ranges) -> rusqlite::Result<()> {
        for new in seq.map(|seq| (seq, seq)).into_iter().chain(closed.iter()) {
            if self.highest.iter().any(|range| range.0 <= new.0 && new.1 <= range.1) {
                continue;
            }
            if let Some(index) = self.continued_by(new) {
                if self.grown.is_some_and(|grown| grown != index) {
                    self.write()?;
                }
                self.highest[index].1 = new.1;
                self.grown = Some(index);
            } else {
                self.write()?;
                add(self.connection, self.key, new, self.most)?;
                self.highest = highest_ranges(self.connection, self.key)?;
            }
        }
        Ok(())
    }

    /// The range that this one only makes longer. Nearly always there is one: messages come in order, and so do those
    /// that fill a gap.
    fn continued_by(&self, new: Range) -> Option<usize> {
        let index = self.highest.iter().position(|range| range.1 + 1 == new.0)?;
        let above = index.checked_sub(1).map(|above| self.highest[above].0);
        above.is_none_or(|above| new.1 + 1 < above).then_some(index)
    }

    /// Whose it is.
    #[must_use]
    pub fn key(&self) -> Fingerprint {
        self.key
    }

    /// Whether this number, or a higher one, was had before.
    #[must_use]
    pub fn is_past(&self, seq: u64) -> bool {
        self.highest.first().is_some_and(|range| seq <= range.1)
    }

    /// What was had by now, as a receipt says it.
    #[must_use]
    pub fn had(&self) -> Had {
        had(&self.highest)
    }

    /// Writes what has grown.
    pub fn write(&mut self) -> rusqlite::Result<()> {
        match self.grown.take() {
            Some(index) => set_last(self.connection, self.key, self.highest[index].0, self.highest[index].1),
            None => Ok(()),
        }
    }
}

/// All ranges that were had from a key, in ascending order.
pub fn of(connection: &Connection, key: Fingerprint) -> rusqlite::Result<Vec<Range>> {
    connection
        .prepare_cached("SELECT first, last FROM had WHERE sender = ?1 ORDER BY first")?
        .query_map([key.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// What a receipt says of these ranges, the highest one first. There are more of them if so many were read.
fn had(highest: &[Range]) -> Had {
    let below = if highest.len() <= Ranges::MOST { Some((0, 0)) } else { None };
    let lower = highest.iter().skip(1).copied().chain(below);
    let gaps = highest.iter().zip(lower).map(|(range, lower)| [lower.1 + 1, range.0 - 1]);
    let mut missing: Vec<_> = gaps.filter(|[first, last]| first <= last).collect();
    missing.reverse();
    Had {
        highest: highest.first().map(|range| range.1),
        missing: Ranges::try_from(missing).unwrap_or_default(),
    }
}

/// One range more than there are gaps to tell of, the highest one first.
fn highest_ranges(connection: &Connection, key: Fingerprint) -> rusqlite::Result<Vec<Range>> {
    connection
        .prepare_cached("SELECT first, last FROM had WHERE sender = ?1 ORDER BY first DESC LIMIT ?2")?
        .query_map((key.as_bytes(), Ranges::MOST + 1), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Adds a range, and makes one of all that it touches.
fn add(connection: &Connection, key: Fingerprint, new: Range, most: usize) -> rusqlite::Result<()> {
    let before: Option<Range> = connection
        .prepare_cached(
            "SELECT first, last FROM had WHERE sender = ?1 AND first < ?2 ORDER BY first DESC LIMIT 1",
        )?
        .query_row((key.as_bytes(), new.0), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let before = before.filter(|before| new.0 <= before.1 + 1);
    let behind: Option<u64> = connection
        .prepare_cached("SELECT max(last) FROM had WHERE sender = ?1 AND first BETWEEN ?2 AND ?3")?
        .query_row((key.as_bytes(), new.0, new.1 + 1), |row| row.get(0))?;
    let first = before.map_or(new.0, |before| before.0);
    let last = new.1.max(before.map_or(0, |before| before.1)).max(behind.unwrap_or(0));
    connection.prepare_cached("DELETE FROM had WHERE sender = ?1 AND first BETWEEN ?2 AND ?3")?.execute((
        key.as_bytes(),
        first,
        new.1 + 1,
    ))?;
    connection.prepare_cached("INSERT INTO had (sender, first, last) VALUES (?1, ?2, ?3)")?.execute((
        key.as_bytes(),
        first,
        last,
    ))?;
    join_the_lowest(connection, key, most)
}

/// Joins the lowest two ranges of a key until there are no more than `most`.
fn join_the_lowest(connection: &Connection, key: Fingerprint, most: usize) -> rusqlite::Result<()> {
    let count: usize = connection
        .prepare_cached("SELECT count(*) FROM had WHERE sender = ?1")?
        .query_row([key.as_bytes()], |row| row.get(0))?;
    for _ in most..count {
        let lowest: Vec<Range> = connection
            .prepare_cached("SELECT first, last FROM had WHERE sender = ?1 ORDER BY first LIMIT 2")?
            .query_map([key.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let [lowest, next] = lowest[..] else { break };
        connection
            .prepare_cached("DELETE FROM had WHERE sender = ?1 AND first = ?2")?
            .execute((key.as_bytes(), next.0))?;
        set_last(connection, key, lowest.0, next.1)?;
    }
    Ok(())
}

fn set_last(connection: &Connection, key: Fingerprint, first: u64, last: u64) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE had SET last = ?3 WHERE sender = ?1 AND first = ?2")?.execute((
        key.as_bytes(),
        first,
        last,
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::database;

    const HIGHEST: u64 = 120;

    /// The ranges of a set, in ascending order.
    fn ranges(numbers: &BTreeSet<u64>) -> Vec<[u64; 2]> {
        let mut ranges = Vec::<[u64; 2]>::new();
        for number in numbers {
            match ranges.last_mut() {
                Some(range) if range[1] + 1 == *number => range[1] = *number,
                _ => ranges.push([*number, *number]),
            }
        }
        ranges
    }

    /// What a receipt says of a set.
    fn told(numbers: &BTreeSet<u64>) -> Had {
        let highest = numbers.last().copied();
        let missing = (1..highest.unwrap_or(1)).filter(|number| !numbers.contains(number)).collect();
        let missing = ranges(&missing);
        let told = missing[missing.len().saturating_sub(Ranges::MOST)..].to_vec();
        Had { highest, missing: Ranges::try_from(told).unwrap() }
    }

    fn range() -> impl Strategy<Value = [u64; 2]> {
        (1..=HIGHEST, 0..5_u64).prop_map(|(first, more)| [first, (first + more).min(HIGHEST)])
    }

    fn messages() -> impl Strategy<Value = Vec<(Option<u64>, Vec<[u64; 2]>)>> {
        let seq = proptest::option::weighted(0.9, 1..=HIGHEST);
        let closed = prop_oneof![3 => Just(vec![]), 1 => proptest::collection::vec(range(), 1..5)];
        proptest::collection::vec((seq, closed), 1..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_is_a_set_of_numbers_whose_lowest_ranges_grow_together(messages in messages(), batch in 1..9_usize, most in 1..30_usize) {
            let dir = tempfile::tempdir().unwrap();
            let store = database::open(dir.path()).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (key, other) = (Fingerprint::from_bytes([1; 32]), Fingerprint::from_bytes([2; 32]));
            let mut model = BTreeSet::new();
            for messages in messages.chunks(batch).map(<[_]>::to_vec) {
                let expected: Vec<_> = messages.iter().map(|(seq, closed)| {
                    for [first, last] in seq.map(|seq| [seq, seq]).into_iter().chain(closed.clone()) {
                        model.extend(first..=last);
                        while let [lowest, next, ..] = ranges(&model)[..] && ranges(&model).len() > most {
                            model.extend(lowest[0]..=next[1]);
                        }
                    }
                    told(&model)
                }).collect();
                let write = store.write(move |connection| {
                    let mut count = Count::of(connection, key, most)?;
                    let after_each = messages.into_iter().map(|(seq, closed)| {
                        count.take(seq, &Ranges::try_from(closed).unwrap())?;
                        Ok(count.had())
                    });
                    let after_each = after_each.collect::<rusqlite::Result<Vec<_>>>()?;
                    count.write()?;
                    Ok::<_, rusqlite::Error>(after_each)
                });
                prop_assert_eq!(runtime.block_on(write).unwrap(), expected);
            }
            let of = |key| store.read(move |connection| Ok(Count::of(connection, key, most)?.had())).unwrap();
            prop_assert_eq!(of(key), told(&model), "what was written");
            prop_assert_eq!(of(other), Had::default(), "of another key");
        }
    }
}
