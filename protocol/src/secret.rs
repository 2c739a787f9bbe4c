//! What only two programs may know: tokens and invitations. No log line shows one, whatever it stands in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A secret as text. Its `Debug` says nothing of it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for whoever the secret is shared with.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_to_the_wire_and_to_no_log() {
        let secret = Secret::from("xyzzy".to_owned());
        assert_eq!(
            (secret.reveal(), serde_json::to_string(&secret).unwrap().as_str()),
            ("xyzzy", "\"xyzzy\"")
        );
        assert_eq!(serde_json::from_str::<Secret>("\"xyzzy\"").unwrap(), secret);
        assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(…) Secret(…)");
    }
}
