//! Whose key a server has: its fingerprint is compared, and that the server holds it is verified. Names, dates and
//! signatures in its certificate say nothing here.

use std::error::Error;
use std::sync::Arc;

use protocol::Fingerprint;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};

use super::places::Host;

/// Which key is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The one that the host's name says, if it says one: see [`Host`].
    NamedByHost,
    /// Always this one.
    Always(Fingerprint),
}

/// The server has another key than the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it has the key {presented}, where {expected} was expected")]
pub struct OtherKey {
    /// The key that it has shown.
    pub presented: Fingerprint,
    /// The key that it should have.
    pub expected: Fingerprint,
}

/// The server shows several certificates.
#[derive(Debug, thiserror::Error)]
#[error("it shows {0} certificates, where a peer has one")]
struct Chain(usize);

impl OtherKey {
    /// The keys, if that is what an error is about.
    pub fn behind(error: &(dyn Error + 'static)) -> Option<Self> {
        match error.downcast_ref()? {
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
                other.downcast_ref().copied()
            }
            _ => None,
        }
    }
}

/// Compares keys, as rustls asks for it.
#[derive(Debug)]
pub struct KeyVerifier {
    whose: Whose,
    algorithms: WebPkiSupportedAlgorithms,
}

impl KeyVerifier {
    /// One that verifies with this provider's algorithms.
    pub fn new(whose: Whose, provider: &CryptoProvider) -> Self {
        Self { whose, algorithms: provider.signature_verification_algorithms }
    }

    fn expected(&self, server: &ServerName<'_>) -> Result<Option<Fingerprint>, rustls::Error> {
        let host = match (self.whose, server) {
            (Whose::Always(key), _) => return Ok(Some(key)),
            (Whose::NamedByHost, ServerName::DnsName(name)) => Host::parse(name.as_ref()),
            (Whose::NamedByHost, _) => None,
        };
        match host {
            Some(Host::Key(key)) => Ok(Some(key)),
            Some(Host::Unchecked) => Ok(None),
            // Only a defect leads here: no key is expected of one who was not asked for by our names.
            None => Err(rustls::Error::InvalidCertificate(CertificateError::NotValidForName)),
        }
    }
}

impl ServerCertVerifier for KeyVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        further: &[CertificateDer<'_>],
        server: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // A directory's certificate may bring those that vouch for it; a peer's stands alone.
        if self.whose == Whose::NamedByHost && !further.is_empty() {
            let chain = OtherError(Arc::new(Chain(1 + further.len())));
            return Err(rustls::Error::InvalidCertificate(CertificateError::Other(chain)));
        }
        let expected = self.expected(server)?;
        let public_key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
        let presented = Fingerprint::of_public_key(&public_key);
        match expected {
            Some(expected) if expected != presented => {
                let other = OtherError(Arc::new(OtherKey { presented, expected }));
                Err(rustls::Error::InvalidCertificate(CertificateError::Other(other)))
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
