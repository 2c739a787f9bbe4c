//! What happens to the list, as events: the last so many are kept in one ring, from which every reader reads, live or after
//! a break. No reader has a queue: one that falls behind the ring is told so.
//!
//! Ids are `(run << 32) + count`: they grow over restarts, and stay below 2^53 for two million of them.

use std::collections::{HashSet, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use bytes::{BufMut as _, Bytes, BytesMut};
use protocol::Name;
use protocol::directory::Change;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::listing::Listing;
use super::lock;

/// A reader is handed this much at once, or one event.
const PIECE_BYTES: usize = 16 * 1024;

/// The events of this run. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Events {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ring: Mutex<Ring>,
    /// Told of each change of the ring.
    bell: watch::Sender<()>,
    places: Arc<Semaphore>,
    streams: usize,
}

#[derive(Debug)]
struct Ring {
    /// The id before the first of this run.
    start: u64,
    /// The id of the latest event, or `start`.
    latest: u64,
    /// Up to the latest, without a gap.
    kept: VecDeque<Event>,
    most: usize,
    closed: bool,
}

#[derive(Debug)]
struct Event {
    name: Name,
    /// As it is sent.
    frame: Bytes,
}

/// How many events are kept, and how many may read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventLimits {
    /// How far behind a reader may be.
    pub behind: NonZeroUsize,
    /// Readers at the same time.
    pub streams: usize,
}

/// As many read events as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPlace;

/// From where on a reader wants events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// From now on.
    Now,
    /// From behind the event with this id.
    Event(u64),
    /// From behind an event that cannot be one of ours.
    Unknown,
}

/// One who reads events.
#[derive(Debug)]
pub struct Reader {
    shared: Arc<Shared>,
    bell: watch::Receiver<()>,
    /// The id of the last event that was looked at; `None` if something is missing before the latest.
    at: Option<u64>,
    /// Whose events are wanted; `None` for everybody's.
    names: Option<HashSet<Name>>,
    _place: OwnedSemaphorePermit,
}

impl Events {
    pub(super) fn of_run(run: u32, limits: EventLimits) -> Self {
        let start = u64::from(run) << 32;
        let ring =
            Ring { start, latest: start, kept: VecDeque::new(), most: limits.behind.get(), closed: false };
        let places = Arc::new(Semaphore::new(limits.streams.min(Semaphore::MAX_PERMITS)));
        let (ring, bell) = (Mutex::new(ring), watch::Sender::new(()));
        Self { shared: Arc::new(Shared { ring, bell, places, streams: limits.streams }) }
    }

    /// The next event.
    pub(super) fn push(&self, change: Change, listing: &Listing) {
        lock(&self.shared.ring).push(change, listing);
        self.shared.bell.send_replace(());
    }

    pub(super) fn read(&self, since: Since) -> Result<Reader, NoPlace> {
        let place = Arc::clone(&self.shared.places).try_acquire_owned().map_err(|_| NoPlace)?;
        let bell = self.shared.bell.subscribe();
        let at = match since {
            Since::Now => Some(lock(&self.shared.ring).latest),
            Since::Event(id) => Some(id),
            Since::Unknown => None,
        };
        Ok(Reader { shared: Arc::clone(&self.shared), bell, at, names: None, _place: place })
    }

    /// How many may read.
    pub(super) fn places(&self) -> usize {
        self.shared.streams
    }

    /// How many read, and how many events there have been in this run.
    pub(super) fn count(&self) -> (usize, u64) {
        let ring = lock(&self.shared.ring);
        (self.shared.bell.receiver_count(), ring.latest - ring.start)
    }

    /// Ends all reading, from now on.
    pub(super) fn close(&self) {
        lock(&self.shared.ring).closed = true;
        self.shared.bell.send_replace(());
    }
}

impl Reader {
    /// The same reader, for the events of these names alone.
    #[must_use]
    pub fn only(self, names: HashSet<Name>) -> Self {
        Self { names: Some(names), ..self }
    }

    /// The next events, as they are sent: some of those that there are, or else the next when it comes. `None` is the end.
    /// What was not waited for to the end is not lost.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.look() {
                Look::Closed => return None,
                Look::Frames(frames) => return Some(frames),
                Look::Nothing => self.bell.changed().await.ok()?,
            }
        }
    }

    fn look(&mut self) -> Look {
        let ring = lock(&self.shared.ring);
        if ring.closed {
            return Look::Closed;
        }
        let Some(events) = self.at.and_then(|at| ring.behind(at)) else {
            self.at = Some(ring.latest);
            return Look::Frames(
                format!("event: {}\nid: {}\ndata: {{}}\n\n", Change::RESET, ring.latest).into(),
            );
        };
        let mut at = ring.latest - events.len() as u64;
        let mut frames = Vec::new();
        let mut bytes = 0;
        for event in events {
            if self.names.as_ref().is_none_or(|names| names.contains(&event.name)) {
                bytes += event.frame.len();
                if !frames.is_empty() && bytes > PIECE_BYTES {
                    break;
                }
                frames.push(event.frame.clone());
            }
            at += 1;
        }
        self.at = Some(at);
        drop(ring);
        joined(frames)
    }
}

/// What a look at the ring found.
enum Look {
    Closed,
    Frames(Bytes),
    Nothing,
}

fn joined(mut frames: Vec<Bytes>) -> Look {
    match frames.len() {
        0 => Look::Nothing,
        1 => frames.pop().map_or(Look::Nothing, Look::Frames),
        _ => Look::Frames(frames.concat().into()),
    }
}

impl Ring {
    fn push(&mut self, change: Change, listing: &Listing) {
        self.latest += 1;
        if self.kept.len() == self.most {
            self.kept.pop_front();
        }
        let frame = frame(change, self.latest, listing);
        self.kept.push_back(Event { name: listing.name.clone(), frame });
    }

    /// All events behind the one with this id; `None` if it is none of this run's, or is too far back.
    fn behind(&self, id: u64) -> Option<impl ExactSizeIterator<Item = &Event>> {
        let behind = self.latest.checked_sub(id)?;
        let behind = usize::try_from(behind).ok()?;
        let skipped = self.kept.len().checked_sub(behind)?;
        Some(self.kept.range(skipped..))
    }
}

fn frame(change: Change, id: u64, listing: &Listing) -> Bytes {
    let head = format!("event: {}\nid: {id}\ndata: ", change.word());
    let mut frame = BytesMut::with_capacity(head.len() + listing.json.len() + 2);
    frame.put_slice(head.as_bytes());
    // JSON as serde_json writes it has no line ends.
    frame.put_slice(&listing.json);
    frame.put_slice(b"\n\n");
    frame.freeze()
}

#[cfg(test)]
impl Default for Events {
    fn default() -> Self {
        Self::of_run(1, EventLimits { behind: NonZeroUsize::MIN, streams: 1 })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn events(behind: usize, streams: usize) -> Events {
        Events::of_run(3, EventLimits { behind: NonZeroUsize::new(behind).unwrap(), streams })
    }

    fn joins(events: &Events, names: &[&str]) {
        for name in names {
            let listing = Listing { name: name.parse().unwrap(), json: (*b"{}").into() };
            events.push(Change::Joined, &listing);
        }
    }

    /// What there is to read, as pairs of event and count.
    fn read(reader: &mut Reader) -> Vec<(String, u64)> {
        let mut seen = Vec::new();
        while let Some(Some(frames)) = reader.next().now_or_never() {
            for frame in std::str::from_utf8(&frames).unwrap().split_terminator("\n\n") {
                let lines: Vec<_> = frame.lines().collect();
                let id: u64 = lines[1].strip_prefix("id: ").unwrap().parse().unwrap();
                assert_eq!((id >> 32, lines[2]), (3, "data: {}"));
                seen.push((lines[0].strip_prefix("event: ").unwrap().to_owned(), id & 0xffff_ffff));
            }
        }
        seen
    }

    fn joined(ids: std::ops::RangeInclusive<u64>) -> Vec<(String, u64)> {
        ids.map(|id| ("joined".to_owned(), id)).collect()
    }

    fn reset(id: u64) -> Vec<(String, u64)> {
        vec![("reset".to_owned(), id)]
    }

    fn id(count: u64) -> Since {
        Since::Event((3 << 32) + count)
    }

    #[test]
    fn replay_goes_as_far_back_as_the_ring() {
        let events = events(3, 10);
        joins(&events, &["a", "b", "c", "d"]);
        for (since, seen) in [
            (Since::Now, vec![]),
            (id(4), vec![]),
            (id(3), joined(4..=4)),
            (id(1), joined(2..=4)),
            (id(0), reset(4)),
            (id(5), reset(4)),
            (Since::Event(0), reset(4)),
            (Since::Event((2 << 32) + 4), reset(4)),
            (Since::Event(u64::MAX), reset(4)),
            (Since::Unknown, reset(4)),
        ] {
            let mut reader = events.read(since).unwrap();
            assert_eq!(read(&mut reader), seen, "{since:?}");
        }
        let mut from_the_start = self::events(3, 1).read(id(0)).unwrap();
        assert_eq!(read(&mut from_the_start), []);
    }

    #[test]
    fn who_falls_behind_is_told_once_and_goes_on_from_there() {
        let events = events(3, 2);
        let (mut slow, mut filtered) = (
            events.read(Since::Now).unwrap(),
            events.read(Since::Now).unwrap().only(["b".parse().unwrap()].into()),
        );
        joins(&events, &["a", "b", "c"]);
        assert_eq!((read(&mut slow), read(&mut filtered)), (joined(1..=3), joined(2..=2)));
        joins(&events, &["a", "a", "a"]);
        assert_eq!((read(&mut slow), read(&mut filtered)), (joined(4..=6), vec![]));
        joins(&events, &["a", "b", "c", "d"]);
        assert_eq!((read(&mut slow), read(&mut filtered)), (reset(10), reset(10)));
        joins(&events, &["b"]);
        assert_eq!((read(&mut slow), read(&mut filtered)), (joined(11..=11), joined(11..=11)));
    }

    #[test]
    fn a_long_backlog_comes_in_pieces() {
        let events = events(2000, 1);
        let mut reader = events.read(Since::Now).unwrap();
        joins(&events, &vec!["a"; 2000]);
        let first = reader.next().now_or_never().unwrap().unwrap();
        assert!(first.len() <= PIECE_BYTES && first.len() > PIECE_BYTES / 2, "{}", first.len());
        let before = first.windows(2).filter(|end| end == b"\n\n").count() as u64;
        assert_eq!(read(&mut reader), joined(before + 1..=2000));
    }

    #[tokio::test]
    async fn a_reader_is_woken_by_an_event_and_by_the_end_and_leaves_its_place() {
        let events = events(3, 1);
        let mut reader = events.read(Since::Now).unwrap();
        assert_eq!(events.read(Since::Now).map(drop), Err(NoPlace));
        let waiting = tokio::spawn(async move {
            let first = reader.next().await;
            (first, reader.next().await)
        });
        tokio::task::yield_now().await;
        joins(&events, &["a"]);
        tokio::task::yield_now().await;
        events.close();
        let (first, end) = waiting.await.unwrap();
        assert!(first.is_some_and(|frame| frame.starts_with(b"event: joined\n")) && end.is_none());
        assert!(events.read(Since::Now).unwrap().next().await.is_none(), "it stays closed");
    }
}
