//! Watching: who is online, and then whoever comes, changes and goes.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::pin::pin;

use protocol::Name;
use protocol::directory::{Change, PeerRecord};
use serde::Serialize;

use super::clock::Clock;
use super::exit::{Exit, Failure};
use super::language::tr;
use super::online::{Online, directory_of, named, table, warn, with_unread};
use super::output::{FAINT, GOOD, NAME, Output, note, reader_gone};
use super::untrusted::Untrusted;
use crate::directory::{DirectoryError, List};
use crate::outbound::follower::{Follower, News};
use crate::peer::Peer;

/// What a line for programs says of those who were there already.
const ONLINE: &str = "online";

/// One who is online, came, changed or went, for programs.
#[derive(Serialize)]
struct Seen<'a> {
    event: &'static str,
    #[serde(flatten)]
    online: &'a Online<'a>,
}

/// Those online, as far as they were shown.
#[derive(Debug, Default)]
struct Shown(BTreeMap<Name, PeerRecord>);

/// Shows who is online and then every change, until nobody reads it any more. An interrupt ends the process.
pub(super) async fn watch(peer: &Peer, output: &mut Output) -> Result<Exit, Failure> {
    let mut follower = Follower::new(directory_of(peer)?.clone());
    let mut shown = None;
    let mut is_away = false;
    let mut gone = pin!(reader_gone());
    loop {
        let news = tokio::select! {
            news = follower.next() => news,
            () = &mut gone => return Ok(Exit::Done),
        };
        match (news, &mut shown) {
            (Err(error @ DirectoryError::Away { .. }), Some(_)) => {
                if !std::mem::replace(&mut is_away, true) {
                    note(&tr!("watch-directory-away", why = Untrusted(&error.to_string())));
                }
                continue;
            }
            (Err(error), _) => return Err(error.into()),
            (Ok(News::Online), None) => {
                let first = Shown::of(follower.online());
                first.print(peer, output)?;
                shown = Some(first);
            }
            (Ok(News::Online), Some(shown)) => {
                for (change, record) in shown.become_those(follower.online()) {
                    print(change, &record, peer, output)?;
                }
            }
            (Ok(News::Change(change, record)), shown) => {
                let shown = shown.get_or_insert_default();
                let news = shown.take_in(change, record);
                shown.check(List::MOST)?;
                if let Some((change, record)) = news {
                    print(change, &record, peer, output)?;
                }
            }
        }
        if std::mem::take(&mut is_away) {
            note(&tr!("watch-directory-back"));
        }
        output.flush()?;
    }
}

fn print(change: Change, record: &PeerRecord, peer: &Peer, output: &mut Output) -> Result<(), Failure> {
    let online = with_unread([record], peer)?;
    if output.json {
        return online.iter().try_for_each(|online| output.line(&Seen { event: change.word(), online }));
    }
    let clock = Clock::for_following(output);
    let name = format!("{NAME}{}{NAME:#}", named(record, peer));
    let address = &record.address;
    let (mark, said) = match change {
        Change::Joined => (format!("{GOOD}+{GOOD:#}"), tr!("watch-joined", name = name, address = address)),
        Change::Changed => ("~".to_owned(), tr!("watch-changed", name = name, address = address)),
        Change::Left => (format!("{FAINT}-{FAINT:#}"), tr!("watch-left", name = name)),
    };
    if output.columns().is_some() {
        write!(output, "{mark} ")?;
    }
    write!(output, "{FAINT}{}{FAINT:#}  {said}", clock.tell(crate::now()))?;
    // Of those who have gone nothing is to be said that could be checked.
    let there = online.iter().filter(|_| change != Change::Left);
    for Online { standing, .. } in there.clone() {
        let (style, standing) = (standing.style(), standing.in_words());
        if !standing.is_empty() {
            write!(output, " {style}({standing}){style:#}")?;
        }
    }
    writeln!(output)?;
    output.flush()?;
    there.for_each(|online| warn(online, peer));
    Ok(())
}

impl Shown {
    fn of<'a>(records: impl Iterator<Item = &'a PeerRecord>) -> Self {
        Self(records.map(|record| (record.name.clone(), record.clone())).collect())
    }

    fn print(&self, peer: &Peer, output: &mut Output) -> Result<(), Failure> {
        let online = with_unread(self.0.values(), peer)?;
        if output.json {
            return online.iter().try_for_each(|online| output.line(&Seen { event: ONLINE, online }));
        }
        table(&online, peer, output)
    }

    /// What is news in a change that was told; nothing if it was shown already.
    fn take_in(&mut self, told: Change, record: PeerRecord) -> Option<(Change, PeerRecord)> {
        let name = record.name.clone();
        if told == Change::Left {
            return self.0.remove(&name).map(|_| (Change::Left, record));
        }
        match self.0.insert(name, record.clone()) {
            None => Some((Change::Joined, record)),
            Some(before) => (before != record).then_some((Change::Changed, record)),
        }
    }

    /// Refuses to keep more than `most`: so many are only in a directory that makes them up.
    fn check(&self, most: usize) -> Result<(), Failure> {
        if self.0.len() <= most {
            return Ok(());
        }
        Err(Failure::new(Exit::DirectoryNeeded, tr!("watch-too-many", most = most)))
    }

    /// What is news in a list, by name.
    fn become_those<'a>(
        &mut self,
        records: impl Iterator<Item = &'a PeerRecord>,
    ) -> Vec<(Change, PeerRecord)> {
        let now = Self::of(records);
        let gone = self.0.values().filter(|record| !now.0.contains_key(&record.name));
        let gone: Vec<_> = gone.map(|record| (Change::Left, record.clone())).collect();
        let there = now.0.into_values().map(|record| (Change::Changed, record));
        let news = gone.into_iter().chain(there).filter_map(|(change, record)| self.take_in(change, record));
        let mut news: Vec<_> = news.collect();
        news.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name));
        news
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(name: &str, port: u16) -> PeerRecord {
        PeerRecord {
            name: name.parse().unwrap(),
            address: format!("http://127.0.0.1:{port}").parse().unwrap(),
            fingerprint: None,
            online_since: "2026-11-22T09:30:00Z".parse().unwrap(),
        }
    }

    fn records() -> impl Strategy<Value = Vec<PeerRecord>> {
        prop::collection::vec(("[a-d]", 1..3_u16), 0..6)
            .prop_map(|all| all.iter().map(|(name, port)| record(name, *port)).collect())
    }

    #[test]
    fn a_change_is_shown_once_and_as_what_it_is() {
        let (rui, moved) = (record("rui", 1), record("rui", 2));
        let mut shown = Shown::default();
        for (told, record, seen) in [
            (Change::Left, &rui, None),
            (Change::Joined, &rui, Some(Change::Joined)),
            (Change::Joined, &rui, None),
            (Change::Joined, &moved, Some(Change::Changed)),
            (Change::Changed, &moved, None),
            (Change::Left, &rui, Some(Change::Left)),
            (Change::Changed, &rui, Some(Change::Joined)),
        ] {
            let seen = seen.map(|change| (change, record.clone()));
            assert_eq!(shown.take_in(told, record.clone()), seen, "{told:?} {record:?}");
        }
    }

    #[test]
    fn a_directory_cannot_make_up_names_without_end() {
        let mut shown = Shown::default();
        for name in ["ana", "rui", "rui"] {
            shown.take_in(Change::Joined, record(name, 1));
            assert!(shown.check(2).is_ok());
        }
        shown.take_in(Change::Joined, record("zeca", 1));
        let failure = shown.check(2).unwrap_err();
        assert_eq!(failure.exit, Exit::DirectoryNeeded);
        assert!(failure.message.unwrap().contains("more than 2 peers"));
        shown.take_in(Change::Left, record("ana", 1));
        assert!(shown.check(2).is_ok());
    }

    proptest! {
        #[test]
        fn the_differences_lead_from_one_list_to_the_other(before in records(), after in records()) {
            let mut shown = Shown::of(before.iter());
            let mut followed = Shown::of(before.iter());
            let news = shown.become_those(after.iter());
            prop_assert_eq!(&shown.0, &Shown::of(after.iter()).0);
            for (change, record) in news {
                let told = followed.take_in(change, record.clone());
                prop_assert_eq!(told, Some((change, record)), "nothing is told for nothing");
            }
            prop_assert_eq!(&followed.0, &shown.0);
        }
    }
}
