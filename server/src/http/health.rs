//! `GET /health` and `GET /openapi.yaml`: that the program serves, and what.

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
    version: &'static str,
}

pub(super) async fn health() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

pub(super) async fn contract() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/yaml")], include_str!("../../../openapi.yaml"))
}
