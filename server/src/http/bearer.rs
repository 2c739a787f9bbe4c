//! The token of a request, RFC 6750: `Authorization: Bearer <token>`.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::directory::{TokenError, TokenHash};

/// What a request says in `Authorization`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bearer {
    /// Nothing.
    Absent,
    /// A token.
    Token(TokenHash),
    /// Something that cannot be a token.
    Malformed(Malformed),
}

/// Why it is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("send the token once, as `Authorization: Bearer <token>`")]
    Scheme,
    #[error(transparent)]
    Token(#[from] TokenError),
}

pub(super) fn bearer(headers: &HeaderMap) -> Bearer {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Bearer::Absent };
    match credentials(value.as_bytes()).filter(|_| values.next().is_none()) {
        None => Bearer::Malformed(Malformed::Scheme),
        Some(token) => {
            TokenHash::of(token).map_or_else(|error| Bearer::Malformed(error.into()), Bearer::Token)
        }
    }
}

/// What follows the scheme, whose case does not matter (RFC 9110, section 11.1).
fn credentials(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked("Bearer".len())?;
    let token = rest.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer") && (rest.is_empty() || rest.starts_with(b" "))).then_some(token)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn sent(values: &[&str]) -> Bearer {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        bearer(&headers)
    }

    #[test]
    fn a_token_is_read_whatever_the_case_of_its_scheme() {
        let token = Bearer::Token(TokenHash::of(TOKEN.as_bytes()).unwrap());
        for scheme in ["Bearer ", "bearer ", "BEARER  "] {
            assert_eq!(sent(&[&format!("{scheme}{TOKEN}")]), token, "{scheme}");
        }
        assert_eq!(sent(&[]), Bearer::Absent);
    }

    #[test]
    fn what_is_no_token_says_why() {
        let basic = format!("Basic {TOKEN}");
        let glued = format!("Bearer{TOKEN}");
        let good = format!("Bearer {TOKEN}");
        for values in [&[""] as &[&str], &[TOKEN], &[&basic], &[&glued], &[&good, &good]] {
            assert_eq!(sent(values), Bearer::Malformed(Malformed::Scheme), "{values:?}");
        }
        for value in ["Bearer", "Bearer short", "Bearer é123456789abcdef0123456789abcdef"] {
            assert_eq!(sent(&[value]), Bearer::Malformed(TokenError.into()), "{value}");
        }
    }
}
