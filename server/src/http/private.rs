//! A private directory is read by those who hold a name in it, and by nobody else.

use axum::extract::{Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use listener::Refusal;
use protocol::Slug;

use super::bearer::{Bearer, bearer};
use super::refusal::failed;
use crate::directory::{Directory, TokenHash};

/// The token with which a request was let pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held(pub(super) TokenHash);

/// Lets requests pass that carry the token of a claim. What they get is for them alone.
pub(super) async fn holders_only(
    State(directory): State<Directory>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    // What is no way to read is refused as that.
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        let token = match bearer(request.headers()) {
            Bearer::Token(token) if directory.knows(token).await.map_err(failed)? => token,
            _ => {
                let detail = "This directory is private. Send the token of a name that you have claimed in it: \
                              `Authorization: Bearer <token>`.";
                return Err(Slug::TokenUnknown.because(detail).into());
            }
        };
        request.extensions_mut().insert(Held(token));
    }
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}
