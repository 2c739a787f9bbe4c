//! `If-None-Match`, RFC 9110, section 13.1.2: whether the client has this already.

use axum::http::HeaderMap;
use axum::http::header::IF_NONE_MATCH;

/// Whether one of the tags that the client sent is `etag`. For this header a weak tag counts like a strong one.
pub(super) fn has_already(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.trim() == "*" || tags(value).any(|tag| tag == etag))
}

/// The opaque tags of a list, quotes included. A comma may stand in a tag.
fn tags(mut list: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        list = list.trim_start_matches([' ', '\t', ',']);
        list = list.strip_prefix("W/").unwrap_or(list);
        let end = list.strip_prefix('"')?.find('"')? + 2;
        let (tag, rest) = list.split_at_checked(end)?;
        list = rest;
        Some(tag)
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn has(values: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IF_NONE_MATCH, HeaderValue::from_static(value));
        }
        has_already(&headers, "\"a1\"")
    }

    #[test]
    fn the_tag_is_found_in_every_form() {
        for values in [
            &["\"a1\""] as &[_],
            &["*"],
            &[" * "],
            &["W/\"a1\""],
            &["\"b\", \"a1\""],
            &["\"b,c\" ,, W/\"a1\""],
            &["\"b\",\"a1\",\"c\""],
            &["\"b\"", "\"a1\""],
        ] {
            assert!(has(values), "{values:?}");
        }
    }

    #[test]
    fn another_tag_is_another() {
        for values in [
            &[] as &[_],
            &[""],
            &["a1"],
            &["\"a\""],
            &["\"A1\""],
            &["\"a1"],
            &["\"a1-gzip\""],
            &["\"x\"a1\"\""],
            &["\"b,\"a1"],
            &["w/\"a1\""],
        ] {
            assert!(!has(values), "{values:?}");
        }
    }
}
