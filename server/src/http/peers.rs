//! `GET /peers` and `GET /peers/{name}`: who is online, and one claimed name.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, LINK, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use listener::{Query, Refusal};
use protocol::directory::Claim;
use protocol::{Name, Problem, Slug, paths};
use serde::Deserialize;

use super::coding::{Coding, accepted};
use super::conditional::has_already;
use super::percent::Percent;
use super::refusal::failed;
use crate::directory::{Directory, Page, Selection};

/// The query, each parameter to be judged on its own.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
    limit: Option<String>,
    after: Option<String>,
}

impl Wanted {
    fn selection(self) -> Result<Selection, Problem> {
        let limit = match self.limit {
            None => Selection::USUAL,
            Some(limit) => {
                let limit = limit.parse().ok().filter(|limit| (1..=Selection::MOST).contains(limit));
                let expected = || format!("`limit` is a number from 1 to {}.", Selection::MOST);
                limit.ok_or_else(|| Slug::InvalidQuery.because(expected()))?
            }
        };
        let after = self.after.map(|after| after.parse::<Name>()).transpose();
        let after = after.map_err(|error| Slug::InvalidName.because(format!("`after`: {error}.")))?;
        Ok(Selection { part: Name::fold(&self.q), after, limit })
    }
}

pub(super) async fn list(
    State(directory): State<Directory>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let selection = wanted.selection()?;
    let page = directory.page(&selection).await.map_err(failed)?;
    let coding = accepted(&headers);
    let etag = match coding {
        Coding::Identity => format!("\"{}\"", page.tag),
        Coding::Gzip => format!("\"{}-gzip\"", page.tag),
    };
    let known = has_already(&headers, &etag);
    // A cache may keep it, but has to ask each time whether it still holds.
    let head = [(ETAG, etag.as_str()), (VARY, ACCEPT_ENCODING.as_str()), (CACHE_CONTROL, "no-cache")];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    let link = next(&selection, &page).map(|link| [(LINK, link)]);
    let json = (head, link, [(CONTENT_TYPE, "application/json")]);
    Ok(match coding {
        Coding::Identity => (json, page.body.clone()).into_response(),
        Coding::Gzip => {
            let body = directory.gzip(&selection, &page).await.map_err(failed)?;
            (json, [(CONTENT_ENCODING, "gzip")], body).into_response()
        }
    })
}

/// Where the next page is, RFC 8288.
fn next(selection: &Selection, page: &Page) -> Option<String> {
    let after = Percent(page.last.as_ref()?.as_str());
    let limit = selection.limit;
    let part = match Percent(&selection.part) {
        Percent("") => String::new(),
        part => format!("q={part}&"),
    };
    Some(format!("<{}?{part}limit={limit}&after={after}>; rel=\"next\"", paths::PEERS))
}

pub(super) async fn find(
    State(directory): State<Directory>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<Claim>, Refusal> {
    let Path(text) = path.map_err(|_| Slug::BadRequest.because("Percent-encode the name as UTF-8."))?;
    let name: Name = text.parse().map_err(|error| Slug::InvalidName.because(format!("{error}.")))?;
    let claim = directory.find(name).await.map_err(failed)?;
    let unknown = || Slug::UnknownName.because("Check the spelling. GET /peers lists who is online.");
    Ok(Json(claim.ok_or_else(unknown)?))
}
