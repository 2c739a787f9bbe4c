//! A fingerprint: what a peer's key is known by.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a certificate's `SubjectPublicKeyInfo`; as text 52 characters of lower-case base32 without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 32]);

/// The text is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 52 characters of lower-case base32 (a to z, 2 to 7), as `peer whoami` shows it")]
pub struct FingerprintError;

impl Fingerprint {
    /// The fingerprint of the public key in this `SubjectPublicKeyInfo` (DER, as a certificate holds it).
    #[must_use]
    pub fn of_public_key(spki_der: &[u8]) -> Self {
        Self(Sha256::digest(spki_der).into())
    }

    /// The fingerprint with these 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        if text.len() != 52 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(FingerprintError);
        }
        let bytes =
            BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).map_err(|_| FingerprintError)?;
        bytes.try_into().map(Self).map_err(|_| FingerprintError)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&BASE32_NOPAD.encode(&self.0).to_ascii_lowercase())
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;

    fn try_from(text: String) -> Result<Self, FingerprintError> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_one_spelling_parses() {
        let text = Fingerprint([7; 32]).to_string();
        assert_eq!(text.len(), 52);
        assert_eq!(text.parse(), Ok(Fingerprint([7; 32])));
        let trailing_bits = format!("{}b", &"a".repeat(51));
        for bad in [
            text.to_uppercase(),
            text[1..].to_owned(),
            format!("{text}a"),
            text.replace(|_| true, "1"),
            trailing_bits,
        ] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(FingerprintError), "{bad}");
        }
    }

    /// A P-256 key and what `openssl dgst -sha256` says of it.
    #[test]
    fn it_is_the_sha_256_of_the_public_key() {
        let spki = HEXLOWER
            .decode(
                b"3059301306072a8648ce3d020106082a8648ce3d03010703420004fa4048c6c69008c6914bec1d60f40de66222\
              96b4e66e81ba32cac6ae04c9defd0d403e3a353a7edf999bcc0a8e55b68e86e7547bdffe38a71af18d51700793fe",
            )
            .unwrap();
        assert_eq!(
            HEXLOWER.encode(Fingerprint::of_public_key(&spki).as_bytes()),
            "33ca3bfb33e25e616abbd0ebfcabe26f0d3849cb908ebbd8ad3ca71aad36775a"
        );
    }

    proptest! {
        #[test]
        fn text_and_bytes_are_the_same_fingerprint(bytes: [u8; 32]) {
            prop_assert_eq!(Fingerprint(bytes).to_string().parse(), Ok(Fingerprint(bytes)));
        }
    }
}
