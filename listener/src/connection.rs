//! One connection, from its first byte to its last: hyper speaks HTTP/1.1, and its pace says when enough is enough.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Request, Response, Version, header};
use axum::response::IntoResponse;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use protocol::problem::{Problem, Slug};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};
use tower::Service as _;

use crate::body::{Timed, Tracked};
use crate::farewell::{Farewell, part};
use crate::json::{BodyLimit, too_large};
use crate::layers::{REQUEST_ID, request_id};
use crate::pace::{Pace, Paced};
use crate::rate::Rate;
use crate::tls::Greeted;
use crate::{ClientKey, Limits, Refusal, Settings, Source, Transport};

/// hyper's buffers for one connection. Its default of 400 KiB, times all connections, is more memory than a peer should need.
const BUFFER: usize = 64 * 1024;

/// As many header lines hyper reads without asking for memory; it has to be told of more.
const HEADERS: usize = 100;

/// What all connections of a listener have in common.
pub(crate) struct Common {
    pub(crate) settings: Settings,
    router: Router,
    requests: Rate,
    http: http1::Builder,
}

impl Common {
    pub(crate) fn new(router: Router, settings: Settings) -> Self {
        let limits = settings.limits;
        let mut http = http1::Builder::new();
        http.header_read_timeout(None)
            .max_header_size(limits.header_bytes)
            .max_buf_size(BUFFER.max(limits.header_bytes));
        if limits.headers > HEADERS {
            http.max_headers(limits.headers);
        }
        let requests = Rate::new(limits.requests, Duration::from_secs(1));
        // `with_state` here, or axum would finish its routes anew for each request.
        Self { settings, router: router.with_state(()), requests, http }
    }

    /// Why a request is not for the router.
    fn refusal(&self, request: &Request<Body>, caller: Caller) -> Option<Problem> {
        let limits = &self.settings.limits;
        if !caller.source.is_here_or_proxy()
            && let Err(seconds) = self.requests.take(caller.source)
        {
            let detail = format!("This address may ask {} times a second. Ask less often.", limits.requests);
            return Some(Slug::RateLimited.because(detail).retry_after(seconds));
        }
        if caller.transport == Transport::Plain
            && self.settings.tls.as_ref().is_some_and(|tls| !tls.may_do_without(caller.source))
        {
            let detail = "This port speaks TLS: ask with https:// instead of http://.";
            return Some(Slug::TlsRequired.because(detail));
        }
        if request.headers().len() > limits.headers {
            return Some(head_too_large(limits));
        }
        if !names_its_host(request) {
            let detail = "Send one `Host` header with the host and port that you connect to, as curl does.";
            return Some(Slug::BadRequest.because(detail));
        }
        // What announces that it is too large is not waited for, nor read where nobody needs it.
        let most = limits.body_bytes;
        (request.body().size_hint().lower() > most as u64).then(|| too_large(most))
    }

    pub(crate) fn refused(&self, slug: Slug) {
        if let Some(observer) = &self.settings.observer {
            observer.refused(slug);
        }
    }
}

/// Who is at the other end of a connection, and how what they say gets here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    source: Source,
    transport: Transport,
    key: ClientKey,
}

impl Caller {
    fn plain(source: Source) -> Self {
        Self { source, transport: Transport::Plain, key: ClientKey(None) }
    }
}

/// Serves one connection until either side has enough of it. When `stopping` changes, what runs is finished and no more is taken.
pub(crate) async fn serve_connection(
    stream: TcpStream,
    source: Source,
    common: Arc<Common>,
    mut stopping: watch::Receiver<()>,
) {
    let Some(tls) = &common.settings.tls else {
        return speak_http(stream, Caller::plain(source), common, stopping).await;
    };
    let greeted = tokio::select! {
        biased;
        _ = stopping.changed() => return,
        greeted = timeout(common.settings.limits.handshake, tls.greet(stream)) => greeted,
    };
    match greeted {
        Ok(Ok(Greeted::Tls(stream, key))) => {
            speak_http(stream, Caller { source, transport: Transport::Tls, key }, common, stopping).await;
        }
        Ok(Ok(Greeted::Plain(stream))) => {
            speak_http(stream, Caller::plain(source), common, stopping).await;
        }
        Ok(Ok(Greeted::Failed(stream, error))) => {
            tracing::debug!(source = %source.ip(), %error, "a handshake failed");
            part(stream, Farewell::Linger).await;
        }
        Ok(Err(error)) => tracing::debug!(source = %source.ip(), %error, "a client left without a word"),
        Err(_) => tracing::debug!(source = %source.ip(), "a handshake took too long"),
    }
}

async fn speak_http<S>(stream: S, caller: Caller, common: Arc<Common>, stopping: watch::Receiver<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let pace = Pace::new(common.settings.limits);
    let io = TokioIo::new(Paced::new(stream, Arc::clone(&pace)));
    let service = service_fn({
        let (pace, common) = (Arc::clone(&pace), Arc::clone(&common));
        move |request| answer(request, caller, &common, &pace)
    });
    let mut connection = common.http.serve_connection(io, service);
    let end = drive(&mut connection, &pace, stopping).await;
    tracing::debug!(source = %caller.source.ip(), ?end, "a connection ended");
    let stream = connection.into_parts().io.into_inner().into_inner();
    if let Some(farewell) = farewell(&end, &pace, &common.settings.limits) {
        if let Farewell::Answer(problem) = &farewell {
            common.refused(problem.slug);
        }
        part(stream, farewell).await;
    }
}

/// RFC 9112, section 3.2: one that is valid, in any version, or none in one that is older than the header.
fn names_its_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let Some(host) = hosts.next() else { return request.version() < Version::HTTP_11 };
    let host = host.to_str().ok();
    host.is_some_and(|host| host.is_empty() || host.parse::<Authority>().is_ok()) && hosts.next().is_none()
}

/// Answers one request.
fn answer(
    request: Request<Incoming>,
    caller: Caller,
    common: &Arc<Common>,
    pace: &Arc<Pace>,
) -> impl Future<Output = Result<Response<Tracked>, Infallible>> + Send + use<> {
    let (answering, now) = pace.answering();
    let limits = &common.settings.limits;
    let source = caller.source.of(request.headers(), &common.settings.trusted_proxies);
    let mut request = request.map(|body| {
        if body.is_end_stream() {
            Body::empty()
        } else {
            Body::new(Timed::new(body, now + limits.body, Arc::clone(pace)))
        }
    });
    let extensions = request.extensions_mut();
    extensions.insert(source);
    extensions.insert(caller.transport);
    extensions.insert(caller.key);
    BodyLimit(limits.body_bytes).apply(&mut request);
    let answer = match common.refusal(&request, Caller { source, ..caller }) {
        Some(problem) => Err(refused(problem, request.headers())),
        None => Ok(common.router.clone().call(request)),
    };
    let (common, pace) = (Arc::clone(common), Arc::clone(pace));
    async move {
        let mut response = match answer {
            Ok(answer) => match pace.unless_given_up(answer).await {
                Some(response) => response?,
                None => refused(given_up(), &HeaderMap::new()),
            },
            Err(refused) => refused,
        };
        if let Some(slug) = response.extensions().get() {
            common.refused(*slug);
        }
        // hyper closes after a request that was not read whole; the client may as well know, and stop sending.
        if answering.leaves_unread() && response.extensions().get::<Slug>().is_some() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        answering.begins(is_event_stream(&response));
        Ok(response.map(|body| Tracked::new(body, answering)))
    }
}

/// A problem that is answered before a router has seen the request, or behind its back.
fn refused(problem: Problem, headers: &HeaderMap) -> Response<Body> {
    let mut response = Refusal(problem).into_response();
    response.headers_mut().extend(request_id(headers).map(|id| (REQUEST_ID, id)));
    response
}

fn given_up() -> Problem {
    Slug::Unavailable.because("The answer took too long, and was given up. Try again.")
}

fn is_event_stream(response: &Response<Body>) -> bool {
    let media_type = response.headers().get(header::CONTENT_TYPE);
    media_type.is_some_and(|media_type| media_type.as_bytes().starts_with(b"text/event-stream"))
}

/// How HTTP ended on a connection.
#[derive(Debug)]
enum End {
    /// By what the two sides said.
    Http(hyper::Result<()>),
    /// By the clock.
    Late,
    /// By a shutdown, before a request was whole.
    Stopped,
}

/// Lets hyper run until it is done or its pace's deadline has passed.
async fn drive<S, V>(
    connection: &mut http1::Connection<TokioIo<Paced<S>>, V>,
    pace: &Pace,
    mut stopping: watch::Receiver<()>,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
    V: HttpService<Incoming, ResBody = Tracked, Error = Infallible>,
{
    let mut stop = pin!(stopping.changed());
    let mut stopped = false;
    let mut alarm = pin!(sleep_until(pace.deadline().unwrap_or_else(tokio::time::Instant::now)));
    poll_fn(|cx| {
        if !stopped && stop.as_mut().poll(cx).is_ready() {
            stopped = true;
            pace.stop();
            Pin::new(&mut *connection).graceful_shutdown();
        }
        if let Poll::Ready(result) = Pin::new(&mut *connection).poll(cx) {
            return Poll::Ready(End::Http(result));
        }
        // What has not been asked for yet does not run.
        if stopped && pace.in_clean_head() {
            return Poll::Ready(End::Stopped);
        }
        while let Some(deadline) = pace.deadline() {
            // A later deadline waits for the alarm to ring: most requests come and go without touching the timer.
            if deadline < alarm.deadline() || alarm.is_elapsed() {
                alarm.as_mut().reset(deadline);
            }
            if alarm.as_mut().poll(cx).is_pending() {
                break;
            }
            if deadline > alarm.deadline() {
                continue;
            }
            if !pace.give_up_answer() {
                return Poll::Ready(End::Late);
            }
            // Its handler is dropped, and the client told, as soon as hyper asks for the answer.
            if let Poll::Ready(result) = Pin::new(&mut *connection).poll(cx) {
                return Poll::Ready(End::Http(result));
            }
        }
        Poll::Pending
    })
    .await
}

/// What is still to be said after HTTP has ended; `None` is nothing, at once.
fn farewell(end: &End, pace: &Pace, limits: &Limits) -> Option<Farewell> {
    let clean = pace.in_clean_head();
    let problem = match end {
        End::Late if clean => {
            Some(Slug::Timeout.because("The request's head did not arrive in time. Send it in one go."))
        }
        End::Http(Err(error)) if error.is_parse() && (clean || pace.has_swallowed()) => {
            Some(if error.is_parse_too_large() {
                head_too_large(limits)
            } else {
                let client = "Send it with an HTTP client, such as curl.";
                Slug::BadRequest.because(format!("This is not HTTP/1.1: {error}. {client}"))
            })
        }
        End::Stopped => Some(Slug::Unavailable.because("This server is stopping. Try again in a moment.")),
        End::Late | End::Http(_) => None,
    };
    match (problem, end) {
        (Some(problem), _) => Some(Farewell::Answer(problem)),
        (None, End::Http(_)) if pace.leaves_unread() => Some(Farewell::Linger),
        (None, End::Late) if pace.is_blocked() => None,
        (None, _) => Some(Farewell::Close),
    }
}

fn head_too_large(limits: &Limits) -> Problem {
    let Limits { header_bytes, headers, .. } = limits;
    Slug::TooLarge
        .because(format!("A request's head may have {header_bytes} bytes and {headers} header lines."))
}
