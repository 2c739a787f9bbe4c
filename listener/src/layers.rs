//! What every router wears: a request id, a log line, and a problem wherever the framework or a panic would answer by itself.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use protocol::problem::{Problem, Slug};
use tower::util::{MapRequestLayer, MapResponseLayer};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use tracing::Span;
use uuid::Uuid;

use crate::{Refusal, Seldom};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_ID: usize = 64;

/// The router with all that ours have in common. Layers are added once, to the finished router.
///
/// - Each answer has an `x-request-id`: the request's own, if that is at most 64 visible ASCII characters, or a fresh UUID v7.
/// - Each request is one log line (method, path, status, latency; never a body, a header or a query), at debug level, or at
///   info level if it failed inside, in a span that carries the id to whatever is logged on the way. That requests are refused
///   with a status from 500 up is a warning, once a minute: who is refused may ask again at once.
/// - A panic is `500 internal`, no route `404 not-found`, the wrong method `405 method-not-allowed` with `Allow`; and an error
///   that an extractor of axum's answers in plain text becomes the problem that has its status.
pub fn dressed(router: Router) -> Router {
    dress(with_fallbacks(router))
}

/// The same, for a router that not every request may get to: whatever its path, `guard` is asked first.
pub fn guarded(
    router: Router,
    guard: impl Fn(&Request) -> Result<(), Problem> + Clone + Send + Sync + 'static,
) -> Router {
    let gate = move |request: Request, next: Next| {
        let verdict = guard(&request);
        async move {
            match verdict {
                Ok(()) => next.run(request).await,
                Err(problem) => Refusal(problem).into_response(),
            }
        }
    };
    dress(with_fallbacks(router).layer(from_fn(gate)))
}

fn with_fallbacks(router: Router) -> Router {
    router.fallback(not_found).method_not_allowed_fallback(method_not_allowed)
}

fn dress(router: Router) -> Router {
    let refusals = Arc::new(Seldom::new());
    // One `layer` for all: axum boxes what each call of it adds.
    router.layer((
        MapRequestLayer::new(without_invalid_id),
        SetRequestIdLayer::new(REQUEST_ID, FreshId),
        TraceLayer::new_for_http()
            .make_span_with(span)
            .on_request(())
            .on_response(move |response: &Response, latency: Duration, _: &Span| {
                log(response, latency, &refusals);
            })
            .on_body_chunk(())
            .on_eos(())
            .on_failure(()),
        PropagateRequestIdLayer::new(REQUEST_ID),
        MapResponseLayer::new(problem_for_plain_text),
        CatchPanicLayer::custom(panicked),
    ))
}

/// The id of a request with these headers: its own if it is valid, or a new one.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(REQUEST_ID).filter(|id| is_valid_id(id)).cloned().or_else(fresh_id)
}

fn is_valid_id(id: &HeaderValue) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
}

/// A new request id; there is always one, but a header's type does not know that.
pub(crate) fn fresh_id() -> Option<HeaderValue> {
    HeaderValue::from_str(Uuid::now_v7().hyphenated().encode_lower(&mut Uuid::encode_buffer())).ok()
}

#[derive(Clone, Copy)]
struct FreshId;

impl MakeRequestId for FreshId {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        fresh_id().map(RequestId::new)
    }
}

fn without_invalid_id(mut request: Request) -> Request {
    if !request.headers().get(REQUEST_ID).is_none_or(is_valid_id) {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
}

fn span(request: &Request) -> Span {
    let id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
    tracing::info_span!("request", id, method = %request.method(), path = request.uri().path())
}

fn log(response: &Response, latency: Duration, refusals: &Seldom) {
    let status = response.status().as_u16();
    let failed = response.status().is_server_error();
    let refused = response.extensions().get::<Slug>().filter(|slug| failed && **slug != Slug::Internal);
    if failed && refused.is_none() {
        tracing::info!(status, ?latency, "answered");
    } else {
        tracing::debug!(status, ?latency, "answered");
    }
    if let Some((slug, silently)) = refused.zip(refused.and_then(|_| refusals.happens())) {
        tracing::warn!(
            status,
            problem = slug.word(),
            silently,
            "a request is refused that may be granted later; others like it are logged at debug level for a minute"
        );
    }
}

#[expect(clippy::needless_pass_by_value, reason = "tower-http hands it over by value")]
fn panicked(payload: Box<dyn Any + Send>) -> Response {
    let said = payload.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| payload.downcast_ref::<&str>().copied());
    Refusal::internal(format_args!("a handler panicked: {}", said.unwrap_or("without a word")))
        .into_response()
}

async fn not_found() -> Refusal {
    Slug::NotFound.because("There is nothing at this path. /openapi.yaml lists what there is.").into()
}

async fn method_not_allowed() -> Refusal {
    Slug::MethodNotAllowed.because("The header `allow` lists the methods of this path.").into()
}

fn problem_for_plain_text<B>(response: axum::http::Response<B>) -> Response
where
    axum::http::Response<B>: IntoResponse,
{
    let media_type = response.headers().get(header::CONTENT_TYPE);
    let plain = media_type.is_none_or(|media_type| media_type.as_bytes().starts_with(b"text/plain"));
    let status = response.status();
    if !plain || !(status.is_client_error() || status.is_server_error()) {
        return response.into_response();
    }
    let slug = match status {
        StatusCode::NOT_FOUND => Slug::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Slug::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => Slug::Timeout,
        StatusCode::PAYLOAD_TOO_LARGE => Slug::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Slug::UnsupportedMediaType,
        StatusCode::SERVICE_UNAVAILABLE => Slug::Unavailable,
        status if status.is_client_error() => Slug::BadRequest,
        _ => Slug::Internal,
    };
    let mut problem = Refusal(slug.because("See /openapi.yaml for what this path takes.")).into_response();
    problem
        .headers_mut()
        .extend(response.headers().get(header::ALLOW).map(|allow| (header::ALLOW, allow.clone())));
    problem
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::{get, post};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_guard_is_asked_before_anything_is_said_of_a_path() {
        let routes = Router::new().route("/there", post(async || "in"));
        let guarded = guarded(routes, |request| {
            let origin = request.headers().get("origin");
            origin.map_or(Ok(()), |_| Err(Slug::BrowserRefused.because("not you")))
        });
        for (method, path, otherwise) in
            [("POST", "/there", 200), ("GET", "/there", 405), ("GET", "/not", 404)]
        {
            for (header, status) in [("origin", 403), ("x-other", otherwise)] {
                let request = Request::builder().method(method).uri(path).header(header, "a");
                let response = guarded.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
                assert_eq!(response.status().as_u16(), status, "{method} {path} {header}");
                assert!(response.headers().contains_key(REQUEST_ID), "{method} {path} {header}");
            }
        }
    }

    /// What is logged, down to this level, while each of these paths is asked for ten times.
    async fn logged(level: tracing::Level, paths: &[&str]) -> String {
        let routes = Router::new()
            .route("/away", get(async || Refusal(Slug::Unavailable.because("…"))))
            .route("/full", get(async || Refusal(Slug::StorageFull.because("…"))))
            .route("/broken", get(async || Refusal::internal("broken")));
        let dressed = dressed(routes);
        let (log, writer) = std::io::pipe().unwrap();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_writer(Arc::new(writer));
        let guard = tracing::subscriber::set_default(subscriber.finish());
        for path in paths.iter().flat_map(|path| [path; 10]) {
            let request = Request::builder().uri(*path).body(Body::empty()).unwrap();
            assert!(dressed.clone().oneshot(request).await.unwrap().status().is_server_error());
        }
        drop(guard);
        std::io::read_to_string(log).unwrap()
    }

    #[tokio::test]
    async fn who_is_refused_again_and_again_writes_no_log() {
        let said = logged(tracing::Level::INFO, &["/away", "/full"]).await;
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("WARN") && said.contains("unavailable"), "{said}");
        let said = logged(tracing::Level::DEBUG, &["/away"]).await;
        assert_eq!(said.lines().filter(|line| line.contains("answered")).count(), 10, "{said}");
        let said = logged(tracing::Level::INFO, &["/broken"]).await;
        assert_eq!(said.lines().filter(|line| line.contains("answered")).count(), 10, "{said}");
    }
}
