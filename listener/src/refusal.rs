//! Problems as answers. Which problem is for the handlers to say; which headers go with it is said here.

use axum::Extension;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::paths::PROBLEM_JSON;
use protocol::problem::{Problem, Slug};

/// A problem as a response: the error type of every handler. The response has its slug among its extensions, for layers that
/// count or log.
///
/// `429` and `503` always say when to try again (after a second, unless the problem knows better), `401` how to identify oneself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub Problem);

impl Refusal {
    /// `500 internal`: what failed inside is logged, and not sent.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed inside");
        Slug::Internal.because("This is a defect or a fault of the server. Its log says more, under this answer's x-request-id.").into()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (Extension(self.0.slug), parts(&self.0)).into_response()
    }
}

/// The status, the headers and the body that a problem is answered with.
pub(crate) fn parts(problem: &Problem) -> (StatusCode, HeaderMap, Vec<u8>) {
    let status = StatusCode::from_u16(problem.slug.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    if let Some(seconds) = problem.seconds_to_wait() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    // Strings and a number always serialise; should that ever change, the status still tells the client what to do.
    let body = serde_json::to_vec(&problem.body()).unwrap_or_default();
    (status, headers, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(problem: Problem) -> HeaderMap {
        Refusal(problem).into_response().headers().clone()
    }

    #[test]
    fn every_problem_is_answered_with_its_status_and_media_type() {
        for slug in Slug::ALL {
            let response = Refusal(slug.because("…")).into_response();
            assert_eq!(response.status().as_u16(), slug.status());
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            assert_eq!(response.extensions().get(), Some(slug));
        }
    }

    #[test]
    fn who_is_busy_says_when_to_try_again() {
        assert_eq!(headers(Slug::RateLimited.because("…"))["retry-after"], "1");
        assert_eq!(headers(Slug::Unavailable.because("…"))["retry-after"], "1");
        assert_eq!(headers(Slug::QuotaExceeded.because("…").retry_after(60))["retry-after"], "60");
        assert!(!headers(Slug::NotFound.because("…")).contains_key("retry-after"));
    }

    #[test]
    fn who_knows_nobody_says_how_to_identify_oneself() {
        assert_eq!(headers(Slug::TokenUnknown.because("…"))["www-authenticate"], "Bearer");
        assert!(!headers(Slug::Blocked.because("…")).contains_key("www-authenticate"));
    }
}
