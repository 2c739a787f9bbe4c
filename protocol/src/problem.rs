//! The closed list of problems, RFC 9457, that either API answers with.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

macro_rules! slugs {
    ($($status:literal { $($variant:ident = $slug:literal, $title:literal;)+ })+) => {
        /// What went wrong, as a word that programs can branch on. The list is closed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Slug { $($(
            #[doc = $title]
            $variant,
        )+)+ }

        impl Slug {
            /// Every slug, in the order of its status.
            pub const ALL: &[Self] = &[$($(Self::$variant,)+)+];

            /// The word itself, as it ends the problem's `type`.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $($(Self::$variant => $slug,)+)+ }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $($(Self::$variant => $status,)+)+ }
            }

            /// A short summary, the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $($(Self::$variant => $title,)+)+ }
            }
        }
    };
}

slugs! {
    400 {
        BadJson = "bad-json", "The body is not JSON";
        BadRequest = "bad-request", "The request cannot be understood";
    }
    401 { TokenUnknown = "token-unknown", "The token holds no name here"; }
    403 {
        Blocked = "blocked", "The recipient has blocked this sender";
        NotAccepted = "not-accepted", "The recipient does not accept messages from this sender";
        ProofRequired = "proof-required", "The name has a key, and the sender did not prove to hold it";
        KeyMismatch = "key-mismatch", "The name belongs to another key";
        TlsRequired = "tls-required", "Plain HTTP is not accepted here";
        BrowserRefused = "browser-refused", "Requests made by web pages are not accepted";
        InviteRequired = "invite-required", "A new name needs an invitation";
    }
    404 {
        NotFound = "not-found", "There is nothing at this path";
        UnknownName = "unknown-name", "Nobody has this name";
    }
    405 { MethodNotAllowed = "method-not-allowed", "This path does not take this method"; }
    408 { Timeout = "timeout", "The request took too long to arrive"; }
    409 {
        NameTaken = "name-taken", "The name belongs to somebody else";
        TokenInUse = "token-in-use", "The token holds another name";
        FingerprintChanged = "fingerprint-changed", "A claim's fingerprint never changes";
        IdConflict = "id-conflict", "The id belongs to another message";
    }
    413 { TooLarge = "too-large", "The request is too large"; }
    415 { UnsupportedMediaType = "unsupported-media-type", "The body must be sent as JSON"; }
    421 { Misdirected = "misdirected", "The message is for somebody else"; }
    422 {
        InvalidName = "invalid-name", "This is not a name";
        InvalidAddress = "invalid-address", "This address cannot be listed";
        InvalidFingerprint = "invalid-fingerprint", "This is not a fingerprint";
        InvalidToken = "invalid-token", "This is not a token";
        InvalidMessage = "invalid-message", "This is not a message";
        InvalidQuery = "invalid-query", "The query cannot be answered";
    }
    429 {
        RateLimited = "rate-limited", "Too many requests";
        QuotaExceeded = "quota-exceeded", "The quota for such messages is used up";
    }
    500 { Internal = "internal", "Something failed inside"; }
    503 {
        Unavailable = "unavailable", "The service cannot answer now";
        DirectoryNeeded = "directory-needed", "The sender cannot be judged without the directory";
    }
    507 {
        StorageFull = "storage-full", "There is no room to keep this";
        DirectoryFull = "directory-full", "The directory takes no more names";
    }
}

impl Slug {
    const PREFIX: &str = "urn:recado:problem:";

    /// The problem's `type`, a URN.
    #[must_use]
    pub fn urn(self) -> String {
        format!("{}{}", Self::PREFIX, self.word())
    }

    /// The slug of a problem's `type`, if it is one of ours.
    #[must_use]
    pub fn from_urn(urn: &str) -> Option<Self> {
        let word = urn.strip_prefix(Self::PREFIX)?;
        Self::ALL.iter().copied().find(|slug| slug.word() == word)
    }

    /// This problem, with what the reader should know and do.
    #[must_use]
    pub fn because(self, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem { slug: self, detail: detail.into(), retry_after: None }
    }
}

/// One occurrence of a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which one of the closed list.
    pub slug: Slug,
    /// What happened here, and what to do about it.
    pub detail: Cow<'static, str>,
    /// Whole seconds after which another try makes sense, if more is known than that it does.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// The same problem, with the seconds after which another try makes sense.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Whole seconds after which another try makes sense, as they are sent: `429` and `503` always say.
    #[must_use]
    pub fn seconds_to_wait(&self) -> Option<u32> {
        self.retry_after.or(matches!(self.slug.status(), 429 | 503).then_some(1))
    }

    /// The problem's members as they are sent.
    #[must_use]
    pub fn body(&self) -> Body<'_> {
        Body {
            kind: self.slug.urn().into(),
            title: self.slug.title().into(),
            status: self.slug.status(),
            detail: self.detail.as_ref().into(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.slug.word(), self.detail)
    }
}

impl std::error::Error for Problem {}

/// A problem as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body<'a> {
    /// The URN of the slug.
    #[serde(rename = "type")]
    pub kind: Cow<'a, str>,
    /// The slug's title.
    #[serde(default)]
    pub title: Cow<'a, str>,
    /// The HTTP status, again.
    pub status: u16,
    /// What happened here, and what to do about it.
    #[serde(default)]
    pub detail: Cow<'a, str>,
}

/// The most bytes of a detail where its length is a stranger's choice, and in the answer to a batch.
pub const LONGEST_DETAIL: usize = 256;

/// A text of at most [`LONGEST_DETAIL`] bytes, with an ellipsis at its end if it was longer.
#[must_use]
pub fn clipped(mut text: String) -> String {
    if text.len() > LONGEST_DETAIL {
        text.truncate(text.floor_char_boundary(LONGEST_DETAIL - '…'.len_utf8()));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_urn_leads_back_to_its_slug() {
        for slug in Slug::ALL {
            assert_eq!(Slug::from_urn(&slug.urn()), Some(*slug));
        }
        assert_eq!(Slug::from_urn("about:blank"), None);
        assert_eq!(Slug::from_urn("urn:recado:problem:made-up"), None);
    }

    #[test]
    fn a_problem_is_sent_with_the_members_of_rfc_9457() {
        let body = serde_json::to_value(Slug::NameTaken.because("Choose another.").body()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "urn:recado:problem:name-taken",
                "title": "The name belongs to somebody else",
                "status": 409,
                "detail": "Choose another.",
            })
        );
    }
}
