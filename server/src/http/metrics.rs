//! `GET /metrics`: what an operator counts, for Prometheus. Numbers only, so it is open in a private directory too.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::response::IntoResponse;
use listener::Refusal;

use crate::metrics::{Format, Metrics};

pub(super) async fn metrics(
    State(metrics): State<Arc<Metrics>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Refusal> {
    let format = wanted(&headers);
    let media_type = match format {
        Format::Prometheus => "text/plain; version=0.0.4",
        Format::OpenMetrics => "application/openmetrics-text; version=1.0.0",
    };
    let text = metrics.encode(format).await.map_err(Refusal::internal)?;
    Ok(([(CONTENT_TYPE, media_type), (VARY, "accept")], text))
}

/// Whoever names `OpenMetrics` can read it, whatever else they can read.
fn wanted(headers: &HeaderMap) -> Format {
    let named = |accepted: &str| accepted.to_ascii_lowercase().contains("application/openmetrics-text");
    let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if accepted.any(named) { Format::OpenMetrics } else { Format::Prometheus }
}
