//! A claim's secret. It is hashed as soon as it is read; only the one that the directory makes is ever held as text.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

/// A token as text, to be told to its owner once.
pub struct Token(String);

/// What is kept of a token: its SHA-256. Comparing two says nothing useful about the tokens, however long it takes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

/// The text cannot be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token is 32 to 256 visible ASCII characters, chosen at random")]
pub struct TokenError;

impl Token {
    /// A new one, of 256 random bits.
    pub fn make() -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self(BASE64URL_NOPAD.encode(&secret)))
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(&self.0).into())
    }

    /// The text itself, for its owner.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

impl TokenHash {
    /// Of a token that a client sent.
    pub fn of(text: &[u8]) -> Result<Self, TokenError> {
        if (32..=256).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic) {
            Ok(Self(Sha256::digest(text).into()))
        } else {
            Err(TokenError)
        }
    }

    pub(super) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_was_made_can_be_sent_back() {
        let token = Token::make().unwrap();
        let hash = token.hash();
        assert_eq!(TokenHash::of(token.into_text().as_bytes()), Ok(hash));
        assert_ne!(Token::make().unwrap().hash(), hash);
    }

    #[test]
    fn length_and_characters_are_checked() {
        for good in ["x".repeat(32), "~".repeat(256)] {
            assert!(TokenHash::of(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in ["x".repeat(31), "x".repeat(257), format!("{} x", "x".repeat(32)), "é".repeat(32)] {
            assert_eq!(TokenHash::of(bad.as_bytes()), Err(TokenError), "{bad}");
        }
    }

    #[test]
    fn a_log_line_shows_no_token() {
        let token = Token::make().unwrap();
        let (shown, hash) = (format!("{token:?}"), format!("{:?}", token.hash()));
        assert!(!shown.contains(&token.into_text()));
        assert_eq!(hash, "TokenHash(…)");
    }
}
