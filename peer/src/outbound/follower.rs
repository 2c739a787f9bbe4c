//! Follows the directory: what changes is told as it happens, and what could not be told is found by asking who is
//! online.
//!
//! ```text
//!            ┌──────────── opened: without an id, or after `reset`, it is asked once ──────────────┐
//!            │                                                                                     ▼
//!        asking, once a second ◀────── full, absent, silent, broken: tried again, ever later ── streaming
//!            │ ▲
//!            ▼ │ it answers again
//!     told as an error
//! ```

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::Name;
use protocol::directory::{Change, PeerRecord};
use tokio::time::{Instant, sleep_until};

use super::retry;
use crate::directory::{Directory, DirectoryError, Event, Events, Online};

/// How often it is asked who is online where there is no stream. Elsewhere neither that is asked, nor a stream opened,
/// more often.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(1);
/// A stream that lasted this long was a good one: when it ends, the next is opened at once.
const STEADY: Duration = Duration::from_secs(30);
/// The first wait for a stream that was refused is 4 to 8 s: see `retry::backoff`.
const FIRST_STEP: u32 = 3;
/// No question is longer by names than this: a proxy takes 8 KiB.
const LONGEST_NAMES: usize = 4 * 1024;
/// No stream is asked for by more names than this: a directory takes no more.
const MOST_NAMES: usize = 256;

/// What is new in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It was asked who is online, after which all changes are told: [`Follower::online`] has them.
    Online,
    /// This one came, changed or left. What was known already may be told again.
    Change(Change, PeerRecord),
}

/// One who follows the directory.
#[derive(Debug)]
pub struct Follower {
    directory: Directory,
    /// Who is followed.
    names: BTreeSet<Name>,
    online: Online,
    /// It has to be asked who is online, and what comes of it is news in any case: what happened before was not told.
    owes_answer: bool,
    stream: Option<Stream>,
    /// The last event of the stream that has just ended, to go on behind it.
    last_id: Option<u64>,
    /// How many streams in a row did not come to anything.
    failures: u32,
    /// No stream is tried before then.
    stream_at: Instant,
    /// When it last refused a stream, the directory asked not to be asked for one before then.
    refused_until: Instant,
    /// It is not asked who is online before then.
    ask_at: Instant,
    heard_here: bool,
}

#[derive(Debug)]
struct Stream {
    events: Events,
    /// Whose changes it brings; everybody's if there are none.
    names: BTreeSet<Name>,
    opened_at: Instant,
}

impl Follower {
    /// Follows everybody. Nothing is asked before the first [`Self::next`].
    #[must_use]
    pub fn new(directory: Directory) -> Self {
        let now = Instant::now();
        Self {
            directory,
            names: BTreeSet::new(),
            online: Online::default(),
            owes_answer: true,
            stream: None,
            last_id: None,
            failures: 0,
            stream_at: now,
            refused_until: now,
            ask_at: now,
            heard_here: false,
        }
    }

    /// Follows these from now on. It is asked again if somebody is among them who was not.
    pub fn look_for(&mut self, names: BTreeSet<Name>) {
        if !names.is_subset(&self.names) {
            self.start_over();
            self.stream = self.stream.take().filter(|stream| stream.brings(&names));
        }
        self.names = names;
    }

    /// Lets go of the directory until the next question.
    pub fn rest(&mut self) {
        self.names.clear();
        self.online = Online::default();
        self.stream = None;
        self.start_over();
    }

    /// Whether what was told last came from this machine.
    #[must_use]
    pub fn heard_here(&self) -> bool {
        self.heard_here
    }

    /// Those online, as it was when it was last asked; others than those who are followed may be among them.
    pub fn online(&self) -> impl Iterator<Item = &PeerRecord> {
        self.online.peers()
    }

    /// What is new. An error says why the directory cannot be followed at the moment; the next call tries again, after
    /// a while. May be dropped at any time.
    pub async fn next(&mut self) -> Result<News, DirectoryError> {
        loop {
            // Where a stream may be opened soon, it is asked behind it.
            if self.stream.is_none() && self.stream_at <= self.ask_at.max(Instant::now()) {
                sleep_until(self.stream_at).await;
                self.open_stream().await;
            }
            match self.hear().await {
                None if self.ask().await? => {
                    self.heard_here = self.online.is_here();
                    return Ok(News::Online);
                }
                None => {}
                Some(Ok(Event::Change(change, record))) => {
                    self.heard_here = self.stream.as_ref().is_some_and(|stream| stream.events.are_here());
                    return Ok(News::Change(change, record));
                }
                Some(Ok(Event::Reset)) => self.owes_answer = true,
                Some(Err(why)) => {
                    tracing::debug!(why, "the stream of the directory's events ended");
                    self.lose_stream();
                }
            }
        }
    }

    /// What the stream tells; nothing once it is to be asked instead.
    async fn hear(&mut self) -> Option<Result<Event, String>> {
        let Some(stream) = &mut self.stream else {
            sleep_until(self.ask_at).await;
            return None;
        };
        tokio::select! {
            biased;
            () = sleep_until(self.ask_at), if self.owes_answer => None,
            told = stream.events.next() => Some(told),
        }
    }

    async fn open_stream(&mut self) {
        let names = filter(&self.names);
        self.stream_at = Instant::now() + BETWEEN_QUESTIONS;
        match self.directory.events(&names, self.last_id).await {
            Ok(events) => {
                self.owes_answer |= self.last_id.is_none();
                self.stream = Some(Stream { events, names, opened_at: Instant::now() });
            }
            Err(error) => {
                tracing::debug!(%error, "no stream of the directory's events; asking instead");
                self.failures += 1;
                self.put_off();
                if let DirectoryError::Away { retry_after, .. } = error {
                    self.refused_until = Instant::now() + retry::at_least(retry_after, Duration::ZERO);
                    self.stream_at = self.stream_at.max(self.refused_until);
                }
            }
        }
    }

    /// A first stream that ends is gone on with at once; those that end again and again are not worth it.
    fn lose_stream(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        if stream.opened_at.elapsed() >= STEADY {
            self.failures = 0;
        }
        self.failures += 1;
        if self.failures == 1 {
            self.last_id = stream.events.last_id();
        } else {
            self.put_off();
        }
    }

    fn put_off(&mut self) {
        self.start_over();
        let longest = retry::backoff(self.failures + FIRST_STEP, 1.0);
        self.stream_at = Instant::now() + longest.mul_f64(0.5 + 0.5 * retry::random());
    }

    fn start_over(&mut self) {
        self.last_id = None;
        self.owes_answer = true;
    }

    /// Asks who is online; whether that is news.
    async fn ask(&mut self) -> Result<bool, DirectoryError> {
        self.ask_at = Instant::now() + BETWEEN_QUESTIONS;
        match self.directory.ask_for(&self.names, &mut self.online).await {
            Ok(changed) => Ok(std::mem::take(&mut self.owes_answer) || changed),
            Err(error) => {
                self.stream = None;
                self.start_over();
                // When it answers again it may well have streams again.
                self.failures = 0;
                self.stream_at = self.refused_until.max(self.ask_at + BETWEEN_QUESTIONS);
                Err(error)
            }
        }
    }
}

impl Stream {
    fn brings(&self, names: &BTreeSet<Name>) -> bool {
        self.names.is_empty() || names.is_subset(&self.names)
    }
}

/// Whom to ask a stream for: these, or everybody if they are too many for a URL.
fn filter(names: &BTreeSet<Name>) -> BTreeSet<Name> {
    let spelt = |name: &Name| 3 * (name.as_str().len() + 1);
    let fits = names.len() <= MOST_NAMES && names.iter().map(spelt).sum::<usize>() <= LONGEST_NAMES;
    if fits { names.clone() } else { BTreeSet::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> BTreeSet<Name> {
        (0..count).map(|number| format!("peer-{number:04}").parse().unwrap()).collect()
    }

    #[test]
    fn a_question_is_no_longer_than_a_url_may_be() {
        assert_eq!(filter(&names(0)), names(0));
        assert_eq!(filter(&names(100)), names(100));
        assert_eq!(filter(&names(200)), names(0), "everybody");
    }
}
