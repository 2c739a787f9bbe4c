//! A command for each message that comes in: `peer serve --on-message`.
//!
//! It is run at least once for each message that is stored while the peer serves with it, one after the other for each
//! sender, in the order of storing, and for a few senders at once. What waits is not kept here: how far it has come stands
//! in the database (`progress`), so that whoever is killed in between goes on where it was, and receiving never waits.

pub mod command;
mod progress;
mod queue;
mod said;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use store::Store;
use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::command::Ended;
pub use self::command::{Command, CommandError, Surroundings};
use self::queue::{Queue, Turn};
use crate::conversations::Conversations;
use crate::database::Fault;

/// How many commands run at once.
const MOST_AT_ONCE: usize = 4;
/// How long the commands that run are let finish when the peer stops.
const FAREWELL: Duration = Duration::from_secs(10);
/// How long nothing is begun after something could not be; doubled each time, up to the longest.
const SHORTEST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_mins(1);

/// Runs the command for each message.
pub struct Runner {
    job: Job,
    store: Store,
    /// Is told when something was stored.
    arrived: Arc<Notify>,
    queue: Queue,
    /// What is under way, by task.
    under_way: HashMap<Id, Turn>,
    rest: Duration,
}

/// What is needed to run the command for one message.
#[derive(Clone)]
struct Job {
    command: Arc<Command>,
    surroundings: Arc<Surroundings>,
    conversations: Conversations,
}

/// What came of a turn.
enum Outcome {
    /// It is over, however it ended.
    Over,
    /// It did not begin, for a reason that has nothing to do with the message.
    NotBegun(NotBegun),
}

/// Why a command did not begin.
#[derive(Debug, thiserror::Error)]
enum NotBegun {
    #[error("the command could not be started: {0}")]
    Start(#[from] io::Error),
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("a defect of this program: {0}")]
    Defect(JoinError),
}

/// What is to be done with messages that come in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum OnMessage {
    /// Nothing, and those that wait for their command go on waiting.
    #[default]
    Wait,
    /// Nothing, and none waits any more.
    Nothing,
    /// This is to be run for each.
    Run(Command),
}

/// Forgets what still waited for a command: the peer runs without one.
pub async fn forget(store: &Store) -> Result<(), Fault> {
    progress::forget(store).await
}

impl Runner {
    /// Goes on where it was, or begins with what is stored from now on.
    pub async fn begin(
        command: Command,
        surroundings: Surroundings,
        store: &Store,
        arrived: Arc<Notify>,
    ) -> Result<Self, Fault> {
        let conversations = Conversations::new(store.clone());
        let progress = progress::begin(store).await?;
        let job = Job { command: Arc::new(command), surroundings: Arc::new(surroundings), conversations };
        let queue = Queue::new(progress);
        Ok(Self { job, store: store.clone(), arrived, queue, under_way: HashMap::new(), rest: SHORTEST_REST })
    }

    /// Runs commands until `stop` says so; those that run then are let finish, and those that do not are begun the next
    /// time.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut running = JoinSet::new();
        while !stop.is_cancelled() {
            if let Err(fault) = self.read_on() {
                self.pause(&NotBegun::Fault(fault), &stop).await;
                continue;
            }
            while running.len() < MOST_AT_ONCE
                && let Some(turn) = self.queue.next()
            {
                let job = self.job.clone();
                let begun = turn.clone();
                let task = running.spawn(async move { job.run(&begun).await });
                self.under_way.insert(task.id(), turn);
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = running.join_next_with_id() => self.settle(ended, &stop).await,
                () = self.arrived.notified() => {}
            }
        }
        let finished = async {
            while let Some(ended) = running.join_next_with_id().await {
                self.settle(ended, &stop).await;
            }
        };
        if timeout(FAREWELL, finished).await.is_err() {
            tracing::warn!(
                "commands of --on-message were still running, and are killed; they are run again at the next start"
            );
            running.shutdown().await;
        }
    }

    /// Reads what was stored since, as far as there is room.
    fn read_on(&mut self) -> Result<(), Fault> {
        while self.queue.has_room() {
            let page = self.job.conversations.arrivals(self.queue.read_to())?;
            if page.is_empty() {
                break;
            }
            for arrival in page {
                self.queue.take(arrival.from, arrival.position);
            }
        }
        Ok(())
    }

    async fn settle(&mut self, ended: Result<(Id, Outcome), JoinError>, stop: &CancellationToken) {
        let (task, outcome) = match ended {
            Ok((task, outcome)) => (task, outcome),
            Err(defect) => (defect.id(), Outcome::NotBegun(NotBegun::Defect(defect))),
        };
        let Some(turn) = self.under_way.remove(&task) else { return };
        match outcome {
            Outcome::Over => {
                self.rest = SHORTEST_REST;
                let change = self.queue.over(turn);
                if let Err(fault) = progress::write(&self.store, change).await {
                    tracing::warn!(%fault, "how far the commands of --on-message have come is not written down: some may be run twice");
                }
            }
            Outcome::NotBegun(why) => {
                self.queue.again(turn);
                self.pause(&why, stop).await;
            }
        }
    }

    async fn pause(&mut self, why: &NotBegun, stop: &CancellationToken) {
        tracing::warn!(%why, seconds = self.rest.as_secs(), "--on-message rests; no message is lost");
        tokio::select! {
            () = sleep(self.rest) => {}
            () = stop.cancelled() => {}
        }
        self.rest = (self.rest * 2).min(LONGEST_REST);
    }
}

impl Job {
    /// Runs the command for one message. One that was deleted meanwhile needs none.
    async fn run(&self, turn: &Turn) -> Outcome {
        let message = match self.conversations.received(turn.position) {
            Ok(Some(message)) => message,
            Ok(None) => return Outcome::Over,
            Err(fault) => return Outcome::NotBegun(fault.into()),
        };
        let id = message.id;
        match self.command.run(&message, &self.surroundings).await {
            Ok(Ended::Well) => tracing::debug!(%id, "the command of --on-message was run"),
            Ok(Ended::Badly(status)) => tracing::warn!(%id, %status, "the command of --on-message failed"),
            Ok(Ended::TooLate) => {
                tracing::warn!(%id, "the command of --on-message took too long, and was killed");
            }
            Err(error) => return Outcome::NotBegun(error.into()),
        }
        Outcome::Over
    }
}

#[cfg(test)]
mod tests;
