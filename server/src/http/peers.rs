//! `GET /peers` and `GET /peers/{name}`: who is online, and one claimed name.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use listener::Refusal;
use protocol::directory::Claim;
use protocol::{Name, Slug};

use super::conditional::has_already;
use crate::directory::Directory;

pub(super) async fn list(State(directory): State<Directory>, headers: HeaderMap) -> Response {
    let list = directory.list();
    // A cache may keep it, but has to ask each time whether it still holds.
    let head = [(ETAG, list.etag.as_str()), (CACHE_CONTROL, "no-cache")];
    if has_already(&headers, &list.etag) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, [(CONTENT_TYPE, "application/json")], list.body.clone()).into_response()
}

pub(super) async fn find(
    State(directory): State<Directory>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<Claim>, Refusal> {
    let Path(text) = path.map_err(|_| Slug::BadRequest.because("Percent-encode the name as UTF-8."))?;
    let name: Name = text.parse().map_err(|error| Slug::InvalidName.because(format!("{error}.")))?;
    let claim = directory.find(name).await.map_err(Refusal::internal)?;
    let unknown = || Slug::UnknownName.because("Check the spelling. GET /peers lists who is online.");
    Ok(Json(claim.ok_or_else(unknown)?))
}
