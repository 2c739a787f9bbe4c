//! The JSON border: a request's body, read within its limits and parsed into a type. What the type means is for the handlers.

use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use protocol::problem::{Problem, Slug, clipped};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use crate::body::TooSlow;
use crate::{Limits, Refusal};

/// A type that a body may have.
pub trait Shape: DeserializeOwned {
    /// What a body is called that is JSON, but not of this shape.
    const SLUG: Slug;
}

/// The longest body that a request may have, in bytes. [`serve`](fn@crate::serve) says it to each request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimit(pub(crate) usize);

impl BodyLimit {
    /// To this request, for axum's extractors too.
    pub(crate) fn apply(self, request: &mut Request) {
        DefaultBodyLimit::max(self.0).apply(request);
        request.extensions_mut().insert(self);
    }

    fn of(request: &Request) -> usize {
        request.extensions().get().map_or_else(|| Limits::default().body_bytes, |Self(bytes)| *bytes)
    }
}

/// A body of JSON, within [`Limits::body_bytes`], as `T`.
///
/// Refused with `415 unsupported-media-type`, `413 too-large`, `408 timeout`, `400 bad-json`, and, when it is JSON but not
/// a `T`, with the [`Shape::SLUG`].
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: Shape, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let document = Document::from_request(request, state).await?;
        Ok(Self(document.parse(T::SLUG)?))
    }
}

/// A body that was sent as JSON, not yet parsed: for handlers that take more than one shape.
#[derive(Debug, Clone)]
pub struct Document(pub Bytes);

impl Document {
    /// The document as `T`; `misshapen` is the problem when it is JSON, but not a `T`, and `400 bad-json` when it is not JSON.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self, misshapen: Slug) -> Result<T, Problem> {
        let text = std::str::from_utf8(&self.0).map_err(|error| not_utf8(&self.0, error.valid_up_to()))?;
        serde_json::from_str(text).map_err(|error| explain(text, &error, misshapen))
    }
}

impl<S: Sync> FromRequest<S> for Document {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        if !is_json(request.headers()) {
            return Err(Slug::UnsupportedMediaType
                .because("Send JSON: use `curl --json`, or add the header `content-type: application/json`.")
                .into());
        }
        let codings = request.headers().get_all(header::CONTENT_ENCODING);
        if codings.iter().any(|coding| coding != "identity") {
            let detail = "Send the body as it is, without `Content-Encoding`.";
            return Err(Slug::UnsupportedMediaType.because(detail).into());
        }
        let most = BodyLimit::of(&request);
        match Limited::new(request.into_body(), most).collect().await {
            Ok(collected) => Ok(Self(collected.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(too_large(most).into()),
            Err(error) => Err(unfinished(&*error).into()),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let media_type = value.split_once(';').map_or(value, |(media_type, _)| media_type).trim();
    let Some((kind, subtype)) = media_type.split_once('/') else { return false };
    let suffix = subtype.rsplit_once('+').map_or(subtype, |(_, suffix)| suffix);
    kind.eq_ignore_ascii_case("application") && suffix.eq_ignore_ascii_case("json")
}

pub(crate) fn too_large(most: usize) -> Problem {
    Slug::TooLarge.because(format!("The body may have {most} bytes at most. Send less at a time."))
}

fn unfinished(error: &(dyn std::error::Error + 'static)) -> Problem {
    let too_slow = std::iter::successors(Some(error), |error| error.source())
        .any(<dyn std::error::Error>::is::<TooSlow>);
    if too_slow {
        Slug::Timeout.because("The body did not arrive in time. Send it in one go, or send less at a time.")
    } else {
        Slug::BadRequest.because("The body broke off, or its chunks cannot be told apart.")
    }
}

fn explain(text: &str, error: &serde_json::Error, misshapen: Slug) -> Problem {
    // serde stops at the first member that it dislikes: what stands behind it may not even be JSON.
    let syntax = match error.classify() {
        Category::Data => serde_json::from_str::<IgnoredAny>(text).err(),
        Category::Syntax | Category::Eof | Category::Io => return not_json(error),
    };
    match syntax {
        Some(error) => not_json(&error),
        None => misshapen.because(clipped(format!("Send what /openapi.yaml says for this path: {error}."))),
    }
}

/// Clipped: serde repeats what it dislikes, and that may be all that was sent.
fn not_json(error: &serde_json::Error) -> Problem {
    Slug::BadJson.because(clipped(format!("Send one JSON value, and nothing behind it: {error}.")))
}

fn not_utf8(bytes: &[u8], valid: usize) -> Problem {
    let before = bytes.get(..valid).unwrap_or_default();
    let line = 1 + before.split(|byte| *byte == b'\n').count().saturating_sub(1);
    let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
    Slug::BadJson.because(format!("Send JSON in UTF-8: this is none at line {line} column {column}."))
}

#[cfg(test)]
mod tests {
    use protocol::problem::LONGEST_DETAIL;

    use super::*;

    fn parse(text: &[u8]) -> Result<Vec<u8>, Problem> {
        Document(Bytes::copy_from_slice(text)).parse(Slug::InvalidMessage)
    }

    fn slug(text: &[u8]) -> Slug {
        parse(text).unwrap_err().slug
    }

    #[test]
    fn a_problem_tells_bad_json_from_a_bad_shape() {
        assert_eq!(parse(b"[1, 2]").unwrap(), [1, 2]);
        assert_eq!(slug(b"[1, true]"), Slug::InvalidMessage);
        assert_eq!(slug(b"[1,"), Slug::BadJson);
        assert_eq!(slug(b""), Slug::BadJson);
        assert_eq!(slug(b"[1] [2]"), Slug::BadJson);
        assert_eq!(slug(b"[true, oops]"), Slug::BadJson, "the syntax comes first, wherever serde stopped");
    }

    #[test]
    fn a_problem_says_where_it_is() {
        assert!(parse(b"[1,\n 2,,]").unwrap_err().detail.contains("line 2 column 4"));
        assert!(parse(b"[1,\n true]").unwrap_err().detail.contains("line 2"));
        assert!(parse(b"[1,\n \xff]").unwrap_err().detail.contains("none at line 2 column 2"));
    }

    #[test]
    fn a_detail_does_not_repeat_all_that_was_sent() {
        let text = format!("[\"{}\"]", "ü".repeat(5000));
        let detail = parse(text.as_bytes()).unwrap_err().detail;
        assert!(detail.len() <= LONGEST_DETAIL && detail.ends_with('…'), "{detail}");
    }

    #[test]
    fn json_is_known_by_its_media_type() {
        let is_json = |value: &'static str| {
            is_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]))
        };
        assert!(is_json("application/json"));
        assert!(is_json("Application/JSON; charset=utf-8"));
        assert!(is_json("application/merge-patch+json"));
        assert!(!is_json("application/jsonx"));
        assert!(!is_json("text/json"));
        assert!(!is_json("application/x-www-form-urlencoded"));
    }
}
