//! `GET /events`: who joins, changes and leaves, as Server-Sent Events (WHATWG HTML, section 9.2).

use std::collections::HashSet;
use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream::unfold;
use listener::{Place, Places, Query, Refusal, Source};
use protocol::{Name, Problem, Slug};
use serde::Deserialize;
use tokio::select;
use tokio::time::{Instant, timeout_at};

use super::private::Held;
use crate::directory::{Directory, Holder, Reader, Since};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// After so long without an event comes a comment, by which both sides see that the connection lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How many names may be asked for, and in how many bytes.
const MOST_NAMES: usize = 256;
const LONGEST_NAMES: usize = 4 * 1024;

/// When it is worth asking again for a place.
const RETRY_AFTER: u32 = 10;

/// A tenth of all streams is for one network, so that no stranger takes all.
const SHARE: usize = 10;

/// The streams of one directory.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    directory: Directory,
    share: usize,
    places: Arc<Places>,
}

/// One that is open.
struct Stream {
    reader: Reader,
    /// In a private directory.
    holder: Option<Holder>,
    _place: Place,
}

impl Streams {
    pub(super) fn of(directory: &Directory) -> Self {
        let share = (directory.event_places() / SHARE).max(1);
        Self { directory: directory.clone(), share, places: Places::new(share) }
    }

    fn take_place(&self, source: Source) -> Result<Place, Problem> {
        let network = (!source.is_loopback()).then(|| source.network());
        self.places.take(network).ok_or_else(|| {
            let detail = format!(
                "Your network has {} of the event streams, its share. Ask GET /peers, and try again later.",
                self.share
            );
            Slug::RateLimited.because(detail).retry_after(RETRY_AFTER)
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    names: Option<String>,
}

pub(super) async fn events(
    State(streams): State<Streams>,
    source: Source,
    Query(Wanted { names }): Query<Wanted>,
    token: Option<Extension<Held>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    names.as_deref().map_or(Ok(()), bounded)?;
    let place = streams.take_place(source)?;
    let reader = streams.directory.events(since(&headers)).map_err(|_| {
        let detail = "All event streams are taken. Ask GET /peers, and try again later.";
        Slug::Unavailable.because(detail).retry_after(RETRY_AFTER)
    })?;
    // Reading names is work, which only so many may ask for at the same time.
    let reader = match names {
        Some(names) => reader.only(parsed(&names)?),
        None => reader,
    };
    let holder = token.map(|Extension(Held(token))| streams.directory.holder(token));
    let stream = unfold(Stream { reader, holder, _place: place }, async |mut stream| {
        let piece = stream.piece().await?;
        Some((Ok::<_, Infallible>(piece), stream))
    });
    let head = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-cache")];
    Ok((head, Body::from_stream(stream)).into_response())
}

impl Stream {
    /// What is sent next; `None` ends the stream. Whoever may no longer hold a name is sent nothing before that is known.
    async fn piece(&mut self) -> Option<Bytes> {
        let heartbeat = Instant::now() + HEARTBEAT;
        loop {
            let doubt = async {
                match &mut self.holder {
                    Some(holder) => holder.doubt().await,
                    None => pending().await,
                }
            };
            select! {
                biased;
                () = doubt => {}
                events = timeout_at(heartbeat, self.reader.next()) => {
                    return events.unwrap_or(Some(Bytes::from_static(b":\n\n")));
                }
            }
            if let Some(holder) = &self.holder
                && !holder.holds().await
            {
                return None;
            }
        }
    }
}

/// Refuses a list that is not worth reading.
fn bounded(names: &str) -> Result<(), Problem> {
    if names.is_empty() {
        let detail = "`names` lists at least one name; leave it out for the events of all.";
        return Err(Slug::InvalidQuery.because(detail));
    }
    if names.len() > LONGEST_NAMES || names.split(',').count() > MOST_NAMES {
        let detail = format!(
            "`names` lists at most {MOST_NAMES} names in {LONGEST_NAMES} bytes; leave it out for the events of all."
        );
        return Err(Slug::InvalidQuery.because(detail));
    }
    Ok(())
}

fn parsed(names: &str) -> Result<HashSet<Name>, Problem> {
    let names = names.split(',').map(str::parse);
    names.collect::<Result<_, _>>().map_err(|error| Slug::InvalidName.because(format!("`names`: {error}.")))
}

fn since(headers: &HeaderMap) -> Since {
    let Some(id) = headers.get(LAST_EVENT_ID) else { return Since::Now };
    let digits = id.to_str().ok().filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|id| id.parse().ok()).map_or(Since::Unknown, Since::Event)
}
