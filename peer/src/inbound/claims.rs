//! What the directory says of a name while a message waits: asked once for all who wait, remembered for a moment, and given
//! up after two seconds. Never in a transaction.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use protocol::{Fingerprint, Name};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::{Instant, timeout};

use crate::directory::Directory;
use crate::locked;

/// A message waits for so long, a place among the questions included.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many questions are under way at once.
const MOST_AT_ONCE: usize = 64;
/// So many answers are remembered.
const MOST_REMEMBERED: usize = 4_096;
/// A key that the directory named is remembered for so long.
const KEY_REMEMBERED: Duration = Duration::from_secs(30);
/// That it named none is remembered for so long: whoever claims a name wants to be known by it soon.
const ABSENCE_REMEMBERED: Duration = Duration::from_secs(5);

/// What the directory says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// There is no directory to ask.
    NotConfigured,
    /// Nobody has the name.
    Unclaimed,
    /// Somebody has it, and no key.
    WithoutKey,
    /// Somebody has it with this key.
    Key(Fingerprint),
    /// It did not say in time.
    Away,
}

impl Answer {
    fn remembered_for(self) -> Option<Duration> {
        match self {
            Self::Key(_) => Some(KEY_REMEMBERED),
            Self::Unclaimed | Self::WithoutKey => Some(ABSENCE_REMEMBERED),
            Self::NotConfigured | Self::Away => None,
        }
    }
}

/// How the directory is asked.
pub(super) type Ask = dyn Fn(Name) -> BoxFuture<'static, Answer> + Send + Sync;

/// The claims of a directory, as far as senders need them. Clones share one memory.
#[derive(Clone)]
pub struct Claims {
    ask: Option<Arc<Ask>>,
    memory: Arc<Mutex<Memory>>,
    places: Arc<Semaphore>,
}

#[derive(Default)]
struct Memory {
    /// With the moment until which each holds.
    answers: HashMap<Name, (Answer, Instant)>,
    under_way: HashMap<Name, Arc<OnceCell<Answer>>>,
}

impl Claims {
    /// The claims of this directory, if there is one.
    #[must_use]
    pub fn of(directory: Option<Directory>) -> Self {
        let ask = directory.map(|directory| -> Arc<Ask> {
            Arc::new(move |name| {
                let directory = directory.clone();
                Box::pin(async move { ask(&directory, &name).await })
            })
        });
        Self::asking(ask)
    }

    /// The claims that are told so.
    pub(super) fn asking(ask: Option<Arc<Ask>>) -> Self {
        Self { ask, memory: Arc::default(), places: Arc::new(Semaphore::new(MOST_AT_ONCE)) }
    }

    /// What is known of a name without asking.
    #[must_use]
    pub fn remembered(&self, name: &Name) -> Option<Answer> {
        if self.ask.is_none() {
            return Some(Answer::NotConfigured);
        }
        locked(&self.memory).remembered(name, Instant::now())
    }

    /// What the directory says of a name, within two seconds.
    pub async fn answer(&self, name: &Name) -> Answer {
        let Some(ask) = &self.ask else { return Answer::NotConfigured };
        let lookup = {
            let mut memory = locked(&self.memory);
            if let Some(answer) = memory.remembered(name, Instant::now()) {
                return answer;
            }
            Lookup { cell: Arc::clone(memory.under_way.entry(name.clone()).or_default()), name, claims: self }
        };
        let answer = lookup.cell.get_or_init(|| async {
            let Ok(_place) = self.places.acquire().await else { return Answer::Away };
            let answer = ask(name.clone()).await;
            locked(&self.memory).remember(name, answer, Instant::now());
            answer
        });
        timeout(PATIENCE, answer).await.copied().unwrap_or(Answer::Away)
    }
}

/// A name that is being looked up, for one who waits for it. The last one out takes it off the list.
struct Lookup<'a> {
    claims: &'a Claims,
    name: &'a Name,
    cell: Arc<OnceCell<Answer>>,
}

impl Drop for Lookup<'_> {
    fn drop(&mut self) {
        let mut memory = locked(&self.claims.memory);
        // Taken and given back under the lock only, so the list and this one are the last two.
        if Arc::strong_count(&self.cell) == 2 {
            memory.under_way.remove(self.name);
        }
    }
}

impl Memory {
    fn remembered(&self, name: &Name, now: Instant) -> Option<Answer> {
        self.answers.get(name).filter(|(_, until)| now < *until).map(|(answer, _)| *answer)
    }

    fn remember(&mut self, name: &Name, answer: Answer, now: Instant) {
        let Some(time) = answer.remembered_for() else { return };
        if self.answers.len() >= MOST_REMEMBERED {
            self.answers.retain(|_, (_, until)| now < *until);
        }
        if self.answers.len() >= MOST_REMEMBERED {
            let next = self.answers.iter().min_by_key(|(_, (_, until))| *until).map(|(name, _)| name.clone());
            next.and_then(|name| self.answers.remove(&name));
        }
        self.answers.insert(name.clone(), (answer, now + time));
    }
}

async fn ask(directory: &Directory, name: &Name) -> Answer {
    match directory.lookup(name).await.map(|heard| heard.said) {
        Ok(Some(claim)) => claim.fingerprint.map_or(Answer::WithoutKey, Answer::Key),
        Ok(None) => Answer::Unclaimed,
        // A refusal says nothing of the name either.
        Err(error) => {
            tracing::debug!(%name, %error, "the directory did not say whose name it is");
            Answer::Away
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use tokio::time::sleep;

    use super::*;

    /// A directory that answers so after some time, and how often it was asked.
    fn claims(answer: Answer, after: Duration) -> (Claims, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let ask: Arc<Ask> = Arc::new(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                sleep(after).await;
                answer
            })
        });
        (Claims::asking(Some(ask)), asked)
    }

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn names(count: usize) -> Vec<Name> {
        (0..count).map(|number| name(&format!("p{number}"))).collect()
    }

    const KEY: Answer = Answer::Key(Fingerprint::from_bytes([1; 32]));
    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn all_who_wait_for_a_name_share_one_question_and_its_answer_holds_for_a_while() {
        for (answer, holds) in
            [(KEY, 30 * SECOND), (Answer::Unclaimed, 5 * SECOND), (Answer::WithoutKey, 5 * SECOND)]
        {
            let (claims, asked) = claims(answer, SECOND);
            let rui = name("rui");
            assert_eq!(claims.remembered(&rui), None);
            let answers = join_all((0..100).map(|_| claims.answer(&rui))).await;
            assert!(answers.iter().all(|said| *said == answer));
            assert_eq!(asked.load(Ordering::Relaxed), 1);
            sleep(holds.saturating_sub(SECOND / 1_000)).await;
            assert_eq!(claims.remembered(&rui), Some(answer));
            assert_eq!(claims.answer(&rui).await, answer);
            assert_eq!(asked.load(Ordering::Relaxed), 1);
            sleep(SECOND / 1_000).await;
            assert_eq!(claims.remembered(&rui), None);
            assert_eq!(claims.answer(&rui).await, answer);
            assert_eq!(asked.load(Ordering::Relaxed), 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_is_not_remembered_and_nobody_waits_longer_than_two_seconds() {
        let (slow, asked) = claims(KEY, 2 * SECOND + SECOND / 1_000);
        for times in 1..3 {
            let start = Instant::now();
            assert_eq!(slow.answer(&name("rui")).await, Answer::Away);
            assert_eq!((start.elapsed(), asked.load(Ordering::Relaxed)), (2 * SECOND, times));
        }
        assert!(locked(&slow.memory).under_way.is_empty());
        let (away, asked) = claims(Answer::Away, Duration::ZERO);
        for times in 1..3 {
            assert_eq!(away.answer(&name("rui")).await, Answer::Away);
            assert_eq!(asked.load(Ordering::Relaxed), times);
        }
        let none = Claims::of(None);
        assert_eq!(none.answer(&name("rui")).await, Answer::NotConfigured);
        assert_eq!(none.remembered(&name("rui")), Some(Answer::NotConfigured));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_leaves_the_others_their_answer_and_nothing_behind() {
        let (claims, asked) = claims(KEY, SECOND);
        let rui = name("rui");
        let gone = timeout(SECOND / 2, claims.answer(&rui));
        let (gone, answered) = tokio::join!(gone, claims.answer(&rui));
        assert!(gone.is_err());
        assert_eq!(answered, KEY);
        assert_eq!(asked.load(Ordering::Relaxed), 2, "the question of the one who left was given up");
        assert!(timeout(SECOND / 2, claims.answer(&name("ana"))).await.is_err());
        assert!(locked(&claims.memory).under_way.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn sixty_four_questions_are_under_way_and_a_place_is_waited_for_in_the_same_time() {
        let (claims, asked) = claims(KEY, SECOND * 3 / 2);
        let names = names(65);
        let answers = join_all(names.iter().map(|name| claims.answer(name))).await;
        assert_eq!(answers.iter().filter(|answer| **answer == KEY).count(), 64);
        assert_eq!(answers[64], Answer::Away, "there was a place after 1.5 s, and half a second left");
        assert_eq!(asked.load(Ordering::Relaxed), 65);
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_is_bounded_and_what_ends_first_makes_room() {
        let (claims, _) = claims(Answer::Unclaimed, Duration::ZERO);
        let names = names(MOST_REMEMBERED);
        let now = Instant::now();
        for (number, name) in (0_u32..).zip(&names) {
            locked(&claims.memory).remember(name, KEY, now + number * SECOND / 10_000);
        }
        claims.answer(&name("rui")).await;
        assert_eq!(claims.remembered(&names[0]), None);
        assert_eq!(claims.remembered(&names[1]), Some(KEY));
        sleep(30 * SECOND + SECOND / 100).await;
        claims.answer(&name("rui")).await;
        assert_eq!(claims.remembered(&names[MOST_REMEMBERED - 1]), Some(KEY));
        assert_eq!(locked(&claims.memory).answers.len(), MOST_REMEMBERED - 100);
    }
}
