//! Text in a URL, RFC 3986: all but the unreserved characters are percent-encoded.

use std::fmt;

/// A text as it stands in a path or a query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Percent<'a>(pub(super) &'a str);

impl fmt::Display for Percent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                write!(f, "{}", char::from(byte))
            } else {
                write!(f, "%{byte:02X}")
            }
        })
    }
}
