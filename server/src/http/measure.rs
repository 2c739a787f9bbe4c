//! How long each answered request took, by its route. What never reaches a route is counted by its problem alone.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use crate::metrics::{Kind, Metrics};

pub(super) async fn measure(
    State(metrics): State<Arc<Metrics>>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let (began, method) = (Instant::now(), word(request.method()));
    let response = next.run(request).await;
    let kind = Kind { route: route.as_str().to_owned(), method, status: class(response.status()) };
    metrics.answered(&kind, began.elapsed());
    response
}

fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
