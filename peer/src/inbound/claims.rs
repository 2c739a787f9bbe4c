//! What the directory says of a name while a message waits: asked once for all who wait, remembered for a moment, and given
//! up after two seconds. Never in a transaction. How often strangers may make this peer ask is for `budget`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use listener::Source;
use protocol::{Fingerprint, Name};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::{Instant, timeout};

use super::budget::Budget;
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
    /// It did not say in time; a moment ago it named this key.
    KeyBefore(Fingerprint),
    /// It did not say in time.
    Away,
}

impl Answer {
    fn remembered_for(self) -> Option<Duration> {
        match self {
            Self::Key(_) => Some(KEY_REMEMBERED),
            Self::Unclaimed | Self::WithoutKey => Some(ABSENCE_REMEMBERED),
            Self::NotConfigured | Self::KeyBefore(_) | Self::Away => None,
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
    budget: Arc<Mutex<Budget>>,
}

#[derive(Default)]
struct Memory {
    answers: HashMap<Name, Remembered>,
    under_way: HashMap<Name, Arc<Question>>,
}

#[derive(Clone, Copy)]
struct Remembered {
    answer: Answer,
    asked_at: Instant,
    until: Instant,
}

/// What comes of a question, and when it was asked.
type Question = OnceCell<(Answer, Instant)>;

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
        Self {
            ask,
            memory: Arc::default(),
            places: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            budget: Arc::default(),
        }
    }

    /// What is known of a name without asking.
    #[must_use]
    pub fn remembered(&self, name: &Name) -> Option<Answer> {
        if self.ask.is_none() {
            return Some(Answer::NotConfigured);
        }
        locked(&self.memory).remembered(name, Instant::now()).map(|remembered| remembered.answer)
    }

    /// What the directory says of a name to a question that was asked `since` then, within two seconds. Who at this source
    /// has made it ask too often already gets no answer.
    pub async fn answer(&self, name: &Name, source: Source, since: Instant) -> Answer {
        let Some(ask) = &self.ask else { return Answer::NotConfigured };
        let now = Instant::now();
        let remembered = locked(&self.memory).remembered(name, now);
        if let Some(fresh) = remembered.filter(|remembered| remembered.asked_at >= since) {
            return fresh.answer;
        }
        let answer = if locked(&self.budget).take(source, now) {
            timeout(PATIENCE, self.asked(ask.as_ref(), name, since)).await.unwrap_or(Answer::Away)
        } else {
            Answer::Away
        };
        match (answer, remembered.map(|remembered| remembered.answer)) {
            (Answer::Away, Some(Answer::Key(key))) => Answer::KeyBefore(key),
            (answer, _) => answer,
        }
    }

    /// The answer to the question that is under way, if that was asked late enough, or to one more.
    async fn asked(&self, ask: &Ask, name: &Name, since: Instant) -> Answer {
        loop {
            let question = Arc::clone(locked(&self.memory).under_way.entry(name.clone()).or_default());
            let lookup = Lookup { claims: self, name, question };
            let answered = lookup.question.get_or_init(|| async {
                let Ok(_place) = self.places.acquire().await else { return (Answer::Away, Instant::now()) };
                let asked_at = Instant::now();
                let answer = ask(name.clone()).await;
                let mut memory = locked(&self.memory);
                memory.under_way.remove(name);
                memory.remember(name, answer, asked_at, Instant::now());
                (answer, asked_at)
            });
            let (answer, asked_at) = *answered.await;
            if asked_at >= since {
                return answer;
            }
        }
    }
}

/// A name that is being looked up, for one who waits for it. The last one out takes it off the list.
struct Lookup<'a> {
    claims: &'a Claims,
    name: &'a Name,
    question: Arc<Question>,
}

impl Drop for Lookup<'_> {
    fn drop(&mut self) {
        let mut memory = locked(&self.claims.memory);
        let is_listed =
            memory.under_way.get(self.name).is_some_and(|other| Arc::ptr_eq(other, &self.question));
        // Taken from the list under the lock only, so the list and this one are the last two.
        if is_listed && Arc::strong_count(&self.question) == 2 {
            memory.under_way.remove(self.name);
        }
    }
}

impl Memory {
    fn remembered(&self, name: &Name, now: Instant) -> Option<Remembered> {
        self.answers.get(name).copied().filter(|remembered| now < remembered.until)
    }

    fn remember(&mut self, name: &Name, answer: Answer, asked_at: Instant, now: Instant) {
        let Some(time) = answer.remembered_for() else { return };
        if self.answers.len() >= MOST_REMEMBERED {
            self.answers.retain(|_, remembered| now < remembered.until);
        }
        if self.answers.len() >= MOST_REMEMBERED {
            let next = self.answers.iter().min_by_key(|(_, remembered)| remembered.until);
            let next = next.map(|(name, _)| name.clone());
            next.and_then(|name| self.answers.remove(&name));
        }
        self.answers.insert(name.clone(), Remembered { answer, asked_at, until: now + time });
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

    fn source(ip: [u8; 4]) -> Source {
        Source::connected((ip, 1).into(), &[])
    }

    impl Claims {
        /// For a message that comes now and does with what is remembered.
        async fn known(&self, name: &Name) -> Answer {
            match self.remembered(name) {
                Some(answer) => answer,
                None => self.answer(name, source([127, 0, 0, 1]), Instant::now()).await,
            }
        }
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
            let answers = join_all((0..100).map(|_| claims.known(&rui))).await;
            assert!(answers.iter().all(|said| *said == answer));
            assert_eq!(asked.load(Ordering::Relaxed), 1);
            sleep(holds.saturating_sub(SECOND / 1_000)).await;
            assert_eq!(claims.remembered(&rui), Some(answer));
            assert_eq!(claims.known(&rui).await, answer);
            assert_eq!(asked.load(Ordering::Relaxed), 1);
            sleep(SECOND / 1_000).await;
            assert_eq!(claims.remembered(&rui), None);
            assert_eq!(claims.known(&rui).await, answer);
            assert_eq!(asked.load(Ordering::Relaxed), 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_is_not_remembered_and_nobody_waits_longer_than_two_seconds() {
        let (slow, asked) = claims(KEY, 2 * SECOND + SECOND / 1_000);
        for times in 1..3 {
            let start = Instant::now();
            assert_eq!(slow.known(&name("rui")).await, Answer::Away);
            assert_eq!((start.elapsed(), asked.load(Ordering::Relaxed)), (2 * SECOND, times));
        }
        assert!(locked(&slow.memory).under_way.is_empty());
        let (away, asked) = claims(Answer::Away, Duration::ZERO);
        for times in 1..3 {
            assert_eq!(away.known(&name("rui")).await, Answer::Away);
            assert_eq!(asked.load(Ordering::Relaxed), times);
        }
        let none = Claims::of(None);
        assert_eq!(none.known(&name("rui")).await, Answer::NotConfigured);
        assert_eq!(none.remembered(&name("rui")), Some(Answer::NotConfigured));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_leaves_the_others_their_answer_and_nothing_behind() {
        let (claims, asked) = claims(KEY, SECOND);
        let rui = name("rui");
        let gone = timeout(SECOND / 2, claims.known(&rui));
        let (gone, answered) = tokio::join!(gone, claims.known(&rui));
        assert!(gone.is_err());
        assert_eq!(answered, KEY);
        assert_eq!(asked.load(Ordering::Relaxed), 2, "the question of the one who left was given up");
        assert!(timeout(SECOND / 2, claims.known(&name("ana"))).await.is_err());
        assert!(locked(&claims.memory).under_way.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn sixty_four_questions_are_under_way_and_a_place_is_waited_for_in_the_same_time() {
        let (claims, asked) = claims(KEY, SECOND * 3 / 2);
        let names = names(65);
        let answers = join_all(names.iter().map(|name| claims.known(name))).await;
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
            locked(&claims.memory).remember(name, KEY, now, now + number * SECOND / 10_000);
        }
        claims.known(&name("rui")).await;
        assert_eq!(claims.remembered(&names[0]), None);
        assert_eq!(claims.remembered(&names[1]), Some(KEY));
        sleep(30 * SECOND + SECOND / 100).await;
        claims.known(&name("rui")).await;
        assert_eq!(claims.remembered(&names[MOST_REMEMBERED - 1]), Some(KEY));
        assert_eq!(locked(&claims.memory).answers.len(), MOST_REMEMBERED - 100);
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_was_asked_since_the_message_came_counts_as_an_answer_to_it() {
        let (claims, asked) = claims(KEY, SECOND);
        let (rui, here) = (name("rui"), source([127, 0, 0, 1]));
        let answer = async |after: Duration| {
            sleep(after).await;
            let came = Instant::now();
            (claims.answer(&rui, here, came).await, came.elapsed())
        };
        let (first, during, with_it) =
            tokio::join!(answer(Duration::ZERO), answer(SECOND / 4), answer(SECOND / 2));
        assert_eq!(first, (KEY, SECOND));
        assert_eq!(during, (KEY, SECOND * 7 / 4), "one question was under way already");
        assert_eq!(with_it, (KEY, SECOND * 3 / 2), "they wait for the same next one");
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        assert!(locked(&claims.memory).under_way.is_empty());
        let (earlier, came) = (Instant::now() - SECOND, Instant::now());
        assert_eq!(claims.answer(&rui, here, earlier).await, KEY, "asked since");
        assert_eq!((asked.load(Ordering::Relaxed), came.elapsed()), (2, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn who_makes_it_ask_too_often_gets_no_answer_and_is_told_what_it_was() {
        let (claims, asked) = claims(KEY, Duration::ZERO);
        let stranger = source([192, 0, 2, 7]);
        let names = names(40);
        let answers = join_all(names.iter().map(|name| claims.answer(name, stranger, Instant::now()))).await;
        assert_eq!(answers.iter().filter(|answer| **answer == KEY).count(), 20);
        assert_eq!((answers[20], asked.load(Ordering::Relaxed)), (Answer::Away, 20));
        sleep(SECOND / 100).await;
        let again = claims.answer(&names[0], stranger, Instant::now()).await;
        assert_eq!(again, Answer::KeyBefore(Fingerprint::from_bytes([1; 32])));
        let other = claims.answer(&names[0], source([192, 0, 2, 8]), Instant::now()).await;
        assert_eq!((other, asked.load(Ordering::Relaxed)), (KEY, 21));
    }
}
