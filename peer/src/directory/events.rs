//! The directory's events as they come: who joins, changes and leaves. What to do when they stop is for `follower`.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use protocol::directory::{Change, PeerRecord};
use protocol::{Name, paths};
use reqwest::Response;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use tokio::time::timeout;

use super::frames::{Cutter, Frame};
use super::{Directory, DirectoryError, PATIENCE};
use crate::client::{innermost, over_loopback};

const EVENT_STREAM: &str = "text/event-stream";
/// A directory says every 15 s that it is there: who says nothing three times over is gone.
const SILENCE: Duration = Duration::from_secs(45);

/// An open stream of events.
#[derive(Debug)]
pub struct Events {
    answer: Response,
    cutter: Cutter,
    ready: VecDeque<Frame>,
    last_id: Option<u64>,
    here: bool,
}

/// What a directory tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody joined, changed or left.
    Change(Change, PeerRecord),
    /// Something may have been missed: the list has to be read again.
    Reset,
}

impl Directory {
    /// Opens the stream of what happens to these names, or to all if there are none; behind this event, if it is still
    /// known.
    pub async fn events(
        &self,
        names: &BTreeSet<Name>,
        last_id: Option<u64>,
    ) -> Result<Events, DirectoryError> {
        let mut url = self.base.at(paths::EVENTS);
        if !names.is_empty() {
            let names: Vec<_> = names.iter().map(Name::as_str).collect();
            url.query_pairs_mut().append_pair("names", &names.join(","));
        }
        let mut request = self.get(url).header(ACCEPT, EVENT_STREAM);
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        // Not the request's own limit, which would end the stream too.
        let answer = self.within(PATIENCE, self.ask(request)).await?;
        let media_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case(EVENT_STREAM) {
            return Err(self.away(reason!("it answers with something else than events")));
        }
        Ok(Events::of(answer, last_id))
    }
}

impl Events {
    fn of(answer: Response, last_id: Option<u64>) -> Self {
        let here = over_loopback(&answer);
        Self { answer, cutter: Cutter::default(), ready: VecDeque::new(), last_id, here }
    }

    /// Whether they come from this machine: then the addresses in them may be of this machine too.
    #[must_use]
    pub fn are_here(&self) -> bool {
        self.here
    }

    /// The next event, or why there will be none. May be dropped at any time.
    pub async fn next(&mut self) -> Result<Event, String> {
        loop {
            while let Some(frame) = self.ready.pop_front() {
                self.last_id = frame.id.parse().ok();
                if let Some(event) = meaning(&frame)? {
                    return Ok(event);
                }
            }
            let piece = timeout(SILENCE, self.answer.chunk()).await;
            let piece = piece.map_err(|_| reason!("it said nothing for {} s", SILENCE.as_secs()))?;
            let piece =
                piece.map_err(|error| innermost(&error))?.ok_or_else(|| reason!("it ended the stream"))?;
            self.ready.extend(self.cutter.cut(&piece).map_err(|error| error.to_string())?);
        }
    }

    /// The id of the last event, for whoever wants to go on behind it.
    #[must_use]
    pub fn last_id(&self) -> Option<u64> {
        self.last_id
    }
}

/// What a frame tells; nothing if later directories have made up other events.
fn meaning(frame: &Frame) -> Result<Option<Event>, String> {
    if frame.event == Change::RESET {
        return Ok(Some(Event::Reset));
    }
    let Some(change) = Change::from_word(&frame.event) else { return Ok(None) };
    let record = serde_json::from_str(&frame.data).map_err(|error| reason!("its event is none: {error}"))?;
    Ok(Some(Event::Change(change, record)))
}

#[cfg(test)]
mod tests {
    use axum::http;
    use futures_util::stream;
    use reqwest::Body;
    use tokio::time::{Instant, sleep};

    use super::*;

    fn frame(event: &str, data: &str) -> Frame {
        Frame { event: event.to_owned(), data: data.to_owned(), id: String::new() }
    }

    #[test]
    fn an_event_is_a_change_of_a_record() {
        let data = r#"{"name":"rui","address":"http://127.0.0.1:7102","fingerprint":null,"online_since":"2026-11-22T09:30:00Z","later":1}"#;
        let record: PeerRecord = serde_json::from_str(data).unwrap();
        for change in [Change::Joined, Change::Changed, Change::Left] {
            let event = Event::Change(change, record.clone());
            assert_eq!(meaning(&frame(change.word(), data)), Ok(Some(event)));
        }
        assert_eq!(meaning(&frame("reset", "{}")), Ok(Some(Event::Reset)));
        assert_eq!(meaning(&frame("", data)), Ok(None), "a message of no name is not for us");
        assert_eq!(meaning(&frame("renamed", "?")), Ok(None), "later directories may tell more");
        for bad in ["", "{", "[]", "{\"name\":\"rui\"}", &data.replace("rui", "a/b")] {
            assert!(meaning(&frame("joined", bad)).is_err(), "{bad}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_alive_for_as_long_as_it_says_so() {
        let begun = Instant::now();
        let alive = stream::unfold(0, |said| async move {
            sleep(if said < 10 { Duration::from_secs(40) } else { Duration::from_hours(1) }).await;
            Some((Ok::<_, std::io::Error>(": alive\n\n"), said + 1))
        });
        let answer = http::Response::new(Body::wrap_stream(alive));
        let ended = Events::of(answer.into(), None).next().await;
        assert_eq!(ended, Err("it said nothing for 45 s".to_owned()));
        assert_eq!(begun.elapsed(), Duration::from_secs(10 * 40 + 45));
    }
}
