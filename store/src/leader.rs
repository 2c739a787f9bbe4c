//! Who commits: the first task that waits does it for all that wait with it, without a thread of its own,
//! because handing each write to another thread costs more than SQLite does. What a commit is, the writer knows.
//!
//! ```text
//!  submit ── nobody leads ──▶ lead: let others join, take the queue, commit, publish, answer
//!     │                          │                                    ▲
//!     └─ somebody leads: wait    └─ more came meanwhile: a task of its own ─┘ until none wait
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::commits::Commit;
use crate::job::Job;
use crate::{Shared, lock};

/// Jobs in one commit at most: bounds how long the first of them waits for the last.
const ROUND: usize = 512;

#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Box<dyn Job>>,
    led: bool,
}

impl fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Queue").field("jobs", &lock(&self.waiting).jobs.len()).finish()
    }
}

impl Queue {
    /// True when the caller must lead now.
    fn push(&self, job: Box<dyn Job>) -> bool {
        let mut waiting = lock(&self.waiting);
        waiting.jobs.push_back(job);
        !std::mem::replace(&mut waiting.led, true)
    }

    fn take_round(&self) -> Vec<Box<dyn Job>> {
        let mut waiting = lock(&self.waiting);
        let count = waiting.jobs.len().min(ROUND);
        waiting.jobs.drain(..count).collect()
    }

    /// Gives up the lead, unless somebody waits.
    fn resign(&self) -> Resigned {
        let mut waiting = lock(&self.waiting);
        waiting.led = !waiting.jobs.is_empty();
        if waiting.led { Resigned::No } else { Resigned::Yes }
    }

    /// Gives up the lead and everybody who waits: their answers say that the program is ending.
    fn abandon(&self) {
        let abandoned = {
            let mut waiting = lock(&self.waiting);
            waiting.led = false;
            std::mem::take(&mut waiting.jobs)
        };
        drop(abandoned);
    }
}

#[derive(PartialEq, Eq)]
enum Resigned {
    Yes,
    No,
}

/// Queues `job`, and leads one round if nobody does.
pub(crate) async fn submit(shared: &Arc<Shared>, job: Box<dyn Job>) {
    if shared.queue.push(job) {
        let lead = Lead { shared: Arc::clone(shared), runtime: Handle::current(), role: Role::Waiter };
        lead.round().await;
    }
}

/// The duty to commit for all. Wherever it is dropped, it passes on: a client that goes away takes nobody along.
struct Lead {
    shared: Arc<Shared>,
    runtime: Handle,
    role: Role,
}

enum Role {
    /// A task with an answer of its own to give: one round, then others.
    Waiter,
    /// A task that does nothing else. It is dropped with work left only when its runtime ends.
    Successor,
    Resigned,
}

impl Lead {
    async fn round(&self) {
        // Requests that the runtime has read already join this commit.
        tokio::task::yield_now().await;
        match self.runtime.runtime_flavor() {
            RuntimeFlavor::MultiThread => tokio::task::block_in_place(|| commit_round(&self.shared)),
            _ => commit_round(&self.shared),
        }
    }

    async fn until_none_wait(mut self) {
        while self.shared.queue.resign() == Resigned::No {
            self.round().await;
        }
        self.role = Role::Resigned;
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        match self.role {
            Role::Resigned => {}
            Role::Successor => self.shared.queue.abandon(),
            Role::Waiter if self.shared.queue.resign() == Resigned::Yes => {}
            Role::Waiter => {
                let (shared, runtime) = (Arc::clone(&self.shared), self.runtime.clone());
                let successor = Lead { shared, runtime, role: Role::Successor };
                self.runtime.spawn(successor.until_none_wait());
            }
        }
    }
}

fn commit_round(shared: &Shared) {
    let machinery = AbortOnPanic;
    let mut jobs = shared.queue.take_round();
    // Held until all are published, so that `close` and the next round come after.
    let mut writer = lock(&shared.writer);
    let began = Instant::now();
    let outcome = writer.commit(&mut jobs);
    if outcome.is_ok() {
        shared.commits.tell(Commit { writes: jobs.len(), took: began.elapsed() });
        for job in &mut jobs {
            job.publish();
        }
    }
    drop(writer);
    for job in jobs {
        job.answer(outcome.clone());
    }
    drop(machinery);
}

/// Jobs catch their own panics. One anywhere else leaves the file or what follows it in an unknown state.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests;
