//! One job on its way: what is to be done, what came of it, and where the answer goes. Types end here, so that
//! jobs of all tables can stand in one queue. When a job runs is the leader's affair, in which transaction the
//! writer's.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

/// Why a write was not kept.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError<E> {
    /// The job itself said no. Only what it wrote was undone.
    #[error("{0}")]
    Refused(E),
    /// The disk is full. Writes work again by themselves when there is room.
    #[error("the disk is full")]
    Full,
    /// The commit failed, or the file is not open again since one failed: each new write tries to reopen it.
    #[error("the database cannot be written: {0}")]
    Unavailable(String),
    /// The job panicked. Only what it wrote was undone.
    #[error("the write panicked")]
    Panicked,
}

/// Why nothing of a whole round was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Full,
    Unavailable(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Failure::Full,
            _ => Failure::Unavailable(error.to_string()),
        }
    }
}

/// What is to become of that which a job wrote.
#[derive(Debug)]
pub(crate) enum Verdict {
    Keep,
    /// With SQLite's own reason, where the job's error is one.
    Undo(Option<Failure>),
}

pub(crate) trait Job: Send {
    fn run(&mut self, connection: &Connection) -> Verdict;
    /// Only after the commit; does nothing for a job that was undone.
    fn publish(&mut self);
    fn answer(self: Box<Self>, round: Result<(), Failure>);
}

type Answer<T, E> = Result<T, WriteError<E>>;

struct Request<T, E, J, P> {
    work: Option<(J, P)>,
    done: Option<(Answer<T, E>, Option<P>)>,
    reply: oneshot::Sender<Answer<T, E>>,
}

pub(crate) fn request<T, E>(
    job: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    publish: impl FnOnce(&mut T) + Send + 'static,
) -> (Box<dyn Job>, oneshot::Receiver<Answer<T, E>>)
where
    T: Send + 'static,
    E: Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Request { work: Some((job, publish)), done: None, reply }), answer)
}

impl<T, E, J, P> Job for Request<T, E, J, P>
where
    T: Send,
    E: Send + 'static,
    J: FnOnce(&Connection) -> Result<T, E> + Send,
    P: FnOnce(&mut T) + Send,
{
    fn run(&mut self, connection: &Connection) -> Verdict {
        let Some((job, publish)) = self.work.take() else { return Verdict::Undo(None) };
        match catch_unwind(AssertUnwindSafe(|| job(connection))) {
            Ok(Ok(value)) => {
                self.done = Some((Ok(value), Some(publish)));
                Verdict::Keep
            }
            Ok(Err(refusal)) => {
                let reason = reason_of(&refusal);
                self.done = Some((Err(WriteError::Refused(refusal)), None));
                Verdict::Undo(reason)
            }
            Err(_) => {
                tracing::error!("a write panicked; what it wrote is undone");
                self.done = Some((Err(WriteError::Panicked), None));
                Verdict::Undo(None)
            }
        }
    }

    fn publish(&mut self) {
        if let Some((Ok(value), publish)) = &mut self.done
            && let Some(publish) = publish.take()
        {
            publish(value);
        }
    }

    fn answer(self: Box<Self>, round: Result<(), Failure>) {
        // A refusal too may rest on what another job of a failed round wrote: nobody is told it.
        let answer = match (round, self.done) {
            (Ok(()), Some((answer, _))) => answer,
            (Ok(()), None) => Err(WriteError::Unavailable("the write was never run".into())),
            (Err(Failure::Full), _) => Err(WriteError::Full),
            (Err(Failure::Unavailable(why)), _) => Err(WriteError::Unavailable(why)),
        };
        // Nobody to tell: the client went away.
        drop(self.reply.send(answer));
    }
}

/// SQLite's own reason, when the job's error type is SQLite's: any other type keeps its reason to itself.
fn reason_of<E: 'static>(refusal: &E) -> Option<Failure> {
    let error = (refusal as &dyn Any).downcast_ref::<rusqlite::Error>()?;
    match error.sqlite_error_code()? {
        ErrorCode::DiskFull => Some(Failure::Full),
        _ => Some(Failure::Unavailable(error.to_string())),
    }
}
