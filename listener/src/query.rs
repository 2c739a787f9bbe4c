//! The query string, taken in at the border.

use std::error::Error as _;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use protocol::problem::{Slug, clipped};
use serde::de::DeserializeOwned;

use crate::Refusal;

/// The query string as `T`; one that is not a `T` is `422 invalid-query`.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => {
                let why = rejection.source().map_or_else(|| rejection.body_text(), ToString::to_string);
                let detail = format!("Send each parameter once, and as /openapi.yaml says: {why}.");
                Err(Slug::InvalidQuery.because(clipped(detail)).into())
            }
        }
    }
}
