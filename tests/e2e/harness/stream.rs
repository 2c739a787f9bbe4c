//! An answer that does not end: Server-Sent Events, frame by frame. Each is held against openapi.yaml.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};

use reqwest::Response;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::contract::CONTRACT;
use super::http::Answer;
use super::wait::DEADLINE;

/// An open stream of events. Dropped, it hangs up.
pub(crate) struct Stream {
    /// The answer's head; its body is the last frame.
    head: Answer,
    frames: Receiver<Vec<u8>>,
    reading: tokio::task::JoinHandle<()>,
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) id: u64,
    pub(crate) data: Value,
}

impl Stream {
    pub(super) fn of(head: Answer, response: Response, runtime: &Runtime) -> Self {
        CONTRACT.hold(&head);
        let (found, frames) = channel();
        Self { head, frames, reading: runtime.spawn(read(response, found)) }
    }

    /// A header of the answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// The next frame as it came, a comment perhaps; `None` if the stream has ended.
    #[track_caller]
    pub(crate) fn frame(&mut self) -> Option<String> {
        self.head.body = match self.frames.recv_timeout(DEADLINE) {
            Ok(frame) => frame,
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => panic!("no frame within {DEADLINE:?}: {}", self.head.path),
        };
        CONTRACT.hold(&self.head);
        Some(String::from_utf8(self.head.body.clone()).unwrap())
    }

    /// The next event.
    #[track_caller]
    pub(crate) fn event(&mut self) -> Event {
        let frame = self.frame().expect("the stream has ended");
        let mut lines = frame.lines();
        let mut field = |name: &str| {
            let value = lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.unwrap_or_else(|| panic!("no {name} in its place: {frame:?}")).to_owned()
        };
        let (kind, id) = (field("event"), field("id").parse().unwrap());
        Event { kind, id, data: serde_json::from_str(&field("data")).unwrap() }
    }

    /// The next event, as the kind and the name that it is about.
    #[track_caller]
    pub(crate) fn news(&mut self) -> (String, String) {
        let Event { kind, data, .. } = self.event();
        (kind, data["name"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits for the end, before which nothing may come.
    #[track_caller]
    pub(crate) fn ends(mut self) {
        let frame = self.frame();
        assert_eq!(frame, None, "the stream goes on");
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// Cuts what comes into frames. Half a frame at the end is none.
async fn read(mut response: Response, found: Sender<Vec<u8>>) {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        while let Some(end) = bytes.windows(2).position(|pair| pair == b"\n\n") {
            let rest = bytes.split_off(end + 2);
            if found.send(std::mem::replace(&mut bytes, rest)).is_err() {
                return;
            }
        }
    }
}
