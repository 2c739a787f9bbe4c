//! One connection, from its first byte to its last: hyper speaks HTTP/1.1, and its pace says when enough is enough.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use protocol::problem::{Problem, Slug};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::sleep_until;
use tower::Service as _;

use crate::body::{Timed, Tracked};
use crate::farewell::{Farewell, part};
use crate::layers::{REQUEST_ID, fresh_id};
use crate::pace::{Pace, Paced};
use crate::{Limits, Observer, Refusal, Settings, Source, TrustedProxy};

/// hyper's buffers for one connection. Its default of 400 KiB, times all connections, is more memory than a peer should need.
const BUFFER: usize = 64 * 1024;

/// What all connections of a listener have in common.
pub(crate) struct Common {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    pub(crate) trusted_proxies: Vec<TrustedProxy>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    http: http1::Builder,
}

impl Common {
    pub(crate) fn new(router: Router, settings: Settings) -> Self {
        let Settings { limits, trusted_proxies, observer } = settings;
        let mut http = http1::Builder::new();
        http.header_read_timeout(None)
            .max_header_size(limits.header_bytes)
            .max_buf_size(BUFFER.max(limits.header_bytes));
        // `with_state` here, or axum would finish its routes anew for each request.
        Self { router: router.with_state(()), limits, trusted_proxies, observer, http }
    }

    pub(crate) fn refused(&self, slug: Slug) {
        if let Some(observer) = &self.observer {
            observer.refused(slug);
        }
    }
}

/// Serves one connection until either side has enough of it. When `stopping` changes, what runs is finished and no more is taken.
///
/// The stream is whatever carries HTTP/1.1: TLS, once there is some, ends before this.
pub(crate) async fn serve_connection<S>(
    stream: S,
    source: Source,
    common: Arc<Common>,
    stopping: watch::Receiver<()>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let pace = Pace::new(common.limits);
    let io = TokioIo::new(Paced::new(stream, Arc::clone(&pace)));
    let service = service_fn({
        let (pace, common) = (Arc::clone(&pace), Arc::clone(&common));
        move |request| answer(request, source, &common, &pace)
    });
    let mut connection = common.http.serve_connection(io, service);
    let end = drive(&mut connection, &pace, stopping).await;
    tracing::debug!(source = %source.ip(), ?end, "a connection ended");
    let stream = connection.into_parts().io.into_inner().into_inner();
    if let Some(farewell) = farewell(&end, &pace, &common.limits) {
        if let Farewell::Answer(problem) = &farewell {
            common.refused(problem.slug);
        }
        part(stream, farewell).await;
    }
}

/// Answers one request.
fn answer(
    request: Request<Incoming>,
    connected: Source,
    common: &Arc<Common>,
    pace: &Arc<Pace>,
) -> impl Future<Output = Result<Response<Tracked>, Infallible>> + Send + use<> {
    let (answering, now) = pace.answering();
    let too_many_headers = request.headers().len() > common.limits.headers;
    let mut request = request.map(|body| {
        if body.is_end_stream() {
            Body::empty()
        } else {
            Body::new(Timed::new(body, now + common.limits.body, Arc::clone(pace)))
        }
    });
    let source = connected.of(request.headers(), &common.trusted_proxies);
    request.extensions_mut().insert(source);
    let answer = if too_many_headers {
        Err(head_too_large(&common.limits))
    } else {
        Ok(common.router.clone().call(request))
    };
    let common = Arc::clone(common);
    async move {
        let mut response = match answer {
            Ok(answer) => answer.await?,
            Err(problem) => {
                let mut response = Refusal(problem).into_response();
                response.headers_mut().extend(fresh_id().map(|id| (REQUEST_ID, id)));
                response
            }
        };
        if let Some(slug) = response.extensions().get() {
            common.refused(*slug);
        }
        // hyper closes after a request that was not read whole; the client may as well know, and stop sending.
        let refused =
            matches!(response.status(), StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT);
        if refused && answering.leaves_unread() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(|body| Tracked::new(body, answering)))
    }
}

/// How HTTP ended on a connection.
#[derive(Debug)]
enum End {
    /// By what the two sides said.
    Http(hyper::Result<()>),
    /// By the clock.
    Late,
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
            Pin::new(&mut *connection).graceful_shutdown();
        }
        if let Poll::Ready(result) = Pin::new(&mut *connection).poll(cx) {
            return Poll::Ready(End::Http(result));
        }
        while let Some(deadline) = pace.deadline() {
            // A later deadline waits for the alarm to ring: most requests come and go without touching the timer.
            if deadline < alarm.deadline() || alarm.is_elapsed() {
                alarm.as_mut().reset(deadline);
            }
            if alarm.as_mut().poll(cx).is_pending() {
                break;
            }
            if deadline <= alarm.deadline() {
                return Poll::Ready(End::Late);
            }
        }
        Poll::Pending
    })
    .await
}

/// What is still to be said after HTTP has ended; `None` is nothing, at once.
fn farewell(end: &End, pace: &Pace, limits: &Limits) -> Option<Farewell> {
    let problem = match end {
        _ if !pace.in_clean_head() => None,
        End::Late => {
            Some(Slug::Timeout.because("The request's head did not arrive in time. Send it in one go."))
        }
        End::Http(Err(error)) if error.is_parse_too_large() => Some(head_too_large(limits)),
        End::Http(Err(error)) if error.is_parse() => {
            Some(Slug::BadRequest.because("This is not HTTP/1.1 as this server understands it."))
        }
        End::Http(_) => None,
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
