//! What a connection is doing, and until when it may: its stream and its requests tell, its task asks.
//!
//! hyper's own header timeout is of no use here: it starts when hyper begins to wait for a head, not with the head's
//! first byte, so it would hang up on every client that keeps a connection for longer than that.
//!
//! ```text
//!  accept ─▶ Opening ─byte─▶ Head ─its end─▶ Answering ─answer's head─▶ Sending ─answer's last byte─▶ Idle
//!            handshake       header          └─ request, or without end for a stream of events ─┘     idle
//!                              ▲                                                                       │
//!                              └──────────────────────────────── byte ─────────────────────────────────┘
//! ```
//! In every stage, a client that leaves unread what is written to it has the limit `idle` to read on.
//! A head whose first bytes came in one packet with the request before counts as idle until its next byte.

use std::future::poll_fn;
use std::io::IoSlice;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::{Limits, locked};

/// Where a connection is between two requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Opening,
    Head {
        /// When it came, all that was answered before was sent.
        clean: bool,
    },
    Answering,
    Overdue,
    Sending,
    Idle,
}

#[derive(Debug)]
struct State {
    stage: Stage,
    since: Instant,
    /// When the answer that was begun last has to be with the client; never, for an event stream.
    answered_by: Option<Instant>,
    /// Since when the client has taken nothing of what is written to it.
    blocked: Option<Instant>,
    /// All that was answered is sent.
    flushed: bool,
    /// hyper's own answer to what is no request was held back.
    swallowed: bool,
    unread: bool,
    /// For how long the client may leave an event stream unread.
    stream_unread: Duration,
}

impl State {
    fn in_clean_head(&self) -> bool {
        self.stage == Stage::Head { clean: true }
    }
}

/// What one connection is doing.
#[derive(Debug)]
pub(crate) struct Pace {
    limits: Limits,
    state: Mutex<State>,
}

impl Pace {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        let state = State {
            stage: Stage::Opening,
            since: Instant::now(),
            answered_by: None,
            blocked: None,
            flushed: true,
            swallowed: false,
            unread: false,
            stream_unread: limits.idle,
        };
        Arc::new(Self { limits, state: Mutex::new(state) })
    }

    /// When the connection is to be given up unless something happens.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let state = self.state();
        let by_stage = match state.stage {
            Stage::Opening => Some(state.since + self.limits.handshake),
            Stage::Head { .. } => Some(state.since + self.limits.header),
            Stage::Idle if state.blocked.is_none() => Some(state.since + self.limits.idle),
            // A connection is not idle while the end of an answer is still being sent.
            Stage::Answering | Stage::Overdue | Stage::Sending | Stage::Idle => state.answered_by,
        };
        let unread = if state.answered_by.is_some() { self.limits.idle } else { state.stream_unread };
        let by_reader = state.blocked.map(|since| since + unread);
        [by_stage, by_reader].into_iter().flatten().min()
    }

    /// Whether part of a head has come, and nothing of an earlier answer is in the way of an answer to it.
    pub(crate) fn in_clean_head(&self) -> bool {
        self.state().in_clean_head()
    }

    /// Whether hyper has answered by itself what is no request, and was not heard.
    pub(crate) fn has_swallowed(&self) -> bool {
        self.state().swallowed
    }

    /// What is written in answer to no request is hyper's own bare `400` or `431`, which the connection's task betters.
    fn swallows(&self) -> bool {
        let mut state = self.state();
        // A head that came in one packet with the request before is only seen to be none when that is answered.
        let swallows = state.in_clean_head() || (state.stage == Stage::Idle && state.flushed);
        state.swallowed |= swallows;
        swallows
    }

    /// Whether the client has stopped taking what is written to it.
    pub(crate) fn is_blocked(&self) -> bool {
        self.state().blocked.is_some()
    }

    /// Whether the client has sent, or may be sending, what nobody will read.
    pub(crate) fn leaves_unread(&self) -> bool {
        let state = self.state();
        state.unread || matches!(state.stage, Stage::Head { .. })
    }

    /// A head is complete: its answer lasts until what this gives is dropped.
    pub(crate) fn answering(self: &Arc<Self>) -> (Answering, Instant) {
        let now = Instant::now();
        let mut state = self.state();
        state.stage = Stage::Answering;
        state.since = now;
        state.answered_by = Some(now + self.limits.request);
        state.flushed = false;
        state.unread = false;
        drop(state);
        (Answering(Arc::clone(self)), now)
    }

    /// Gives up an answer that has not begun, once; whether there was one.
    pub(crate) fn give_up_answer(&self) -> bool {
        let mut state = self.state();
        let gives_up = state.stage == Stage::Answering;
        if gives_up {
            state.stage = Stage::Overdue;
        }
        gives_up
    }

    /// What a handler answers, unless it is given up before. Is polled with its connection, so nothing has to wake it.
    pub(crate) async fn unless_given_up<F: Future>(&self, answer: F) -> Option<F::Output> {
        let mut answer = pin!(answer);
        poll_fn(|cx| match answer.as_mut().poll(cx) {
            Poll::Pending if self.state().stage == Stage::Overdue => Poll::Ready(None),
            outcome => outcome.map(Some),
        })
        .await
    }

    /// The listener shuts down: what has no end cannot be finished for a client that does not read it.
    pub(crate) fn stop(&self) {
        self.state().stream_unread = Duration::ZERO;
    }

    /// A request's body was dropped before its end.
    pub(crate) fn left_unread(&self) {
        self.state().unread = true;
    }

    fn read(&self) {
        let mut state = self.state();
        match state.stage {
            Stage::Opening | Stage::Idle => {
                state.stage = Stage::Head { clean: state.flushed };
                state.since = Instant::now();
            }
            Stage::Head { .. } | Stage::Answering | Stage::Overdue | Stage::Sending => {}
        }
    }

    fn wrote<T>(&self, outcome: &Poll<T>) {
        let mut state = self.state();
        if outcome.is_pending() {
            state.blocked.get_or_insert_with(Instant::now);
        } else if state.blocked.take().is_some() && state.stage == Stage::Idle {
            state.since = Instant::now();
        }
    }

    fn flushed(&self) {
        let mut state = self.state();
        state.flushed |= matches!(state.stage, Stage::Head { .. } | Stage::Idle);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Answering(Arc<Pace>);

impl Answering {
    /// The answer begins: only its body is still to come, for as long as it likes if it is `endless`.
    pub(crate) fn begins(&self, endless: bool) {
        let mut state = self.0.state();
        state.stage = Stage::Sending;
        if endless {
            state.answered_by = None;
        }
    }

    /// Whether the request's body was dropped before its end.
    pub(crate) fn leaves_unread(&self) -> bool {
        self.0.state().unread
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.stage = Stage::Idle;
        state.since = Instant::now();
    }
}

/// A stream that tells its pace what passes.
#[derive(Debug)]
pub(crate) struct Paced<S> {
    stream: S,
    pace: Arc<Pace>,
}

impl<S> Paced<S> {
    pub(crate) fn new(stream: S, pace: Arc<Pace>) -> Self {
        Self { stream, pace }
    }

    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.pace.read();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        if self.pace.swallows() {
            return Poll::Ready(Ok(buf.len()));
        }
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.pace.wrote(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        if self.pace.swallows() {
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.pace.wrote(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        // TLS takes more than the socket does.
        self.pace.wrote(&outcome);
        if let Poll::Ready(Ok(())) = &outcome {
            self.pace.flushed();
        }
        outcome
    }

    /// Leaves the stream open: the connection's task has last words to say, and shuts it down after them.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.poll_flush(cx)
    }
}
