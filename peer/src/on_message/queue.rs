//! Whose turn it is: messages that wait for their command, by sender. It keeps positions, never messages, and does nothing
//! itself.

use std::collections::{BTreeSet, HashMap, VecDeque};

/// How many messages are looked at ahead. Behind so many of those who keep the commands busy, others wait.
const MOST_AHEAD: usize = 100_000;

/// How far all have come, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Up to this position all is done.
    pub behind: i64,
    /// Who is further, and how far.
    pub ahead: HashMap<String, i64>,
}

/// What the end of a turn changes in that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Up to this position all is done.
    pub behind: i64,
    /// Who is further now, and how far.
    pub ahead: Option<(String, i64)>,
}

/// A message whose command is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub from: String,
    pub position: i64,
}

/// Messages that wait for their command.
#[derive(Debug)]
pub struct Queue {
    done: Progress,
    read_to: i64,
    /// The positions of each sender's messages, those under way too.
    waiting: HashMap<String, VecDeque<i64>>,
    /// The first of each.
    fronts: BTreeSet<i64>,
    /// Senders for whom nothing is under way, by turns.
    ready: VecDeque<String>,
    count: usize,
}

impl Queue {
    /// Goes on from there.
    pub fn new(done: Progress) -> Self {
        Self {
            read_to: done.behind,
            done,
            waiting: HashMap::new(),
            fronts: BTreeSet::new(),
            ready: VecDeque::new(),
            count: 0,
        }
    }

    /// Whether more can be looked at.
    pub fn has_room(&self) -> bool {
        self.count < MOST_AHEAD
    }

    /// Up to where messages were looked at.
    pub fn read_to(&self) -> i64 {
        self.read_to
    }

    /// Takes the next message, in the order of storing.
    pub fn take(&mut self, from: String, position: i64) {
        self.read_to = position;
        if self.done.ahead.get(&from).is_some_and(|done| position <= *done) {
            return;
        }
        let waiting = self.waiting.entry(from.clone()).or_default();
        if waiting.is_empty() {
            self.fronts.insert(position);
            self.ready.push_back(from);
        }
        waiting.push_back(position);
        self.count += 1;
    }

    /// Whose turn it is. It stays theirs until it is [over](Self::over), or [put back](Self::again).
    pub fn next(&mut self) -> Option<Turn> {
        let from = self.ready.pop_front()?;
        let position = *self.waiting.get(&from)?.front()?;
        Some(Turn { from, position })
    }

    /// A turn that came to nothing is the sender's next one again.
    pub fn again(&mut self, turn: Turn) {
        self.ready.push_front(turn.from);
    }

    /// A turn is over; what that changes.
    pub fn over(&mut self, turn: Turn) -> Step {
        let Turn { from, position } = turn;
        self.fronts.remove(&position);
        self.count -= 1;
        let next = self.waiting.get_mut(&from).and_then(|waiting| {
            waiting.pop_front();
            waiting.front().copied()
        });
        match next {
            Some(next) => {
                self.fronts.insert(next);
                self.ready.push_back(from.clone());
            }
            None => drop(self.waiting.remove(&from)),
        }
        let behind = self.fronts.first().map_or(self.read_to, |first| first - 1);
        self.done.behind = behind;
        self.done.ahead.retain(|_, done| *done > behind);
        let ahead = (position > behind).then_some((from, position));
        self.done.ahead.extend(ahead.clone());
        Step { behind, ahead }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn turn(from: &str, position: i64) -> Turn {
        Turn { from: from.to_owned(), position }
    }

    #[test]
    fn senders_take_turns_and_each_has_one_at_a_time() {
        let mut queue = Queue::new(Progress { behind: 10, ..Progress::default() });
        for (position, from) in [(11, "ana"), (12, "ana"), (13, "rui"), (14, "ana")] {
            queue.take(from.to_owned(), position);
        }
        assert_eq!(queue.next(), Some(turn("ana", 11)));
        assert_eq!(queue.next(), Some(turn("rui", 13)));
        assert_eq!(queue.next(), None);
        assert_eq!(queue.over(turn("rui", 13)), Step { behind: 10, ahead: Some(("rui".to_owned(), 13)) });
        assert_eq!(queue.over(turn("ana", 11)), Step { behind: 11, ahead: None });
        assert_eq!(queue.next(), Some(turn("ana", 12)));
        queue.again(turn("ana", 12));
        assert_eq!(queue.next(), Some(turn("ana", 12)), "what was put back comes again");
        assert_eq!(queue.over(turn("ana", 12)), Step { behind: 13, ahead: None });
        assert_eq!(queue.next(), Some(turn("ana", 14)));
        assert_eq!(queue.over(turn("ana", 14)), Step { behind: 14, ahead: None });
    }

    #[test]
    fn there_is_room_for_so_many_and_no_more() {
        let mut queue = Queue::new(Progress::default());
        for position in 1..=i64::try_from(MOST_AHEAD).unwrap() {
            assert!(queue.has_room());
            queue.take("ana".to_owned(), position);
        }
        assert!(!queue.has_room());
        let first = queue.next().unwrap();
        queue.over(first);
        assert!(queue.has_room());
    }

    /// What the table in the database would say.
    fn kept(progress: &mut Progress, step: Step) {
        progress.behind = step.behind;
        progress.ahead.extend(step.ahead);
        progress.ahead.retain(|_, done| *done > step.behind);
    }

    proptest! {
        /// Killed at any moment, with up to four under way: each message has its turn, in the order of its sender; and none
        /// that was over has it again.
        #[test]
        fn whoever_dies_goes_on(
            senders in prop::collection::vec(0_u8..4, 1..40),
            choices in prop::collection::vec((0_usize..4, 0_u8..6), 0..300),
        ) {
            let messages: Vec<(i64, String)> =
                (1..).zip(senders.iter().map(|sender| format!("sender {sender}"))).collect();
            let mut progress = Progress::default();
            let mut over: Vec<i64> = Vec::new();
            let mut choices = choices.into_iter().chain(std::iter::repeat((0, 1)));
            while over.len() < messages.len() {
                let mut queue = Queue::new(progress.clone());
                for (position, from) in messages.iter().filter(|(position, _)| *position > progress.behind) {
                    queue.take(from.clone(), *position);
                }
                let mut under_way = Vec::new();
                loop {
                    while under_way.len() < 4 && let Some(turn) = queue.next() {
                        prop_assert!(!over.contains(&turn.position), "{turn:?} comes again");
                        under_way.push(turn);
                    }
                    let (which, fate) = choices.next().unwrap();
                    if fate == 0 || under_way.is_empty() {
                        break;
                    }
                    let turn = under_way.remove(which % under_way.len());
                    if fate == 2 {
                        queue.again(turn);
                        continue;
                    }
                    over.push(turn.position);
                    kept(&mut progress, queue.over(turn));
                }
            }
            for sender in 0..4 {
                let of_sender = |position: &&i64| messages[usize::try_from(**position).unwrap() - 1].1 == format!("sender {sender}");
                let theirs: Vec<i64> = over.iter().filter(of_sender).copied().collect();
                prop_assert!(theirs.is_sorted(), "{theirs:?}");
            }
            prop_assert_eq!(progress, Progress { behind: i64::try_from(messages.len()).unwrap(), ahead: HashMap::new() });
        }
    }
}
