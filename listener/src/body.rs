//! The two bodies of a request: the one that comes has a deadline, the one that goes keeps its connection busy.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::pace::{Answering, Pace};

/// A request's body was not all there by its deadline.
#[derive(Debug)]
pub(crate) struct TooSlow;

impl std::fmt::Display for TooSlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body took too long to arrive")
    }
}

impl std::error::Error for TooSlow {}

/// A request's body, which fails with [`TooSlow`] at its deadline, whoever reads it.
pub(crate) struct Timed {
    incoming: Incoming,
    deadline: Instant,
    // Only a body that is waited for needs a timer; that of a small request comes with its head.
    alarm: Option<Pin<Box<Sleep>>>,
    ended: bool,
    pace: Arc<Pace>,
}

impl Timed {
    pub(crate) fn new(incoming: Incoming, deadline: Instant, pace: Arc<Pace>) -> Self {
        Self { incoming, deadline, alarm: None, ended: false, pace }
    }
}

impl Body for Timed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(cx) {
            this.ended = frame.is_none();
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let alarm = this.alarm.get_or_insert_with(|| Box::pin(sleep_until(this.deadline)));
        ready!(alarm.as_mut().poll(cx));
        Poll::Ready(Some(Err(TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        if !self.ended && !self.incoming.is_end_stream() {
            self.pace.left_unread();
        }
    }
}

/// A response's body; its request is answered once it is dropped.
pub(crate) struct Tracked {
    body: axum::body::Body,
    _answering: Answering,
}

impl Tracked {
    pub(crate) fn new(body: axum::body::Body, answering: Answering) -> Self {
        Self { body, _answering: answering }
    }
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
