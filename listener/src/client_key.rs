//! The key at the other end of a connection. That it was proved is all that is known of it: whose it is, is for the programs
//! to say.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use protocol::Fingerprint;
use protocol::problem::Slug;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, ServerConnection,
    SignatureScheme,
};

use crate::Refusal;

/// How a request came. [`serve`](fn@crate::serve) puts it into the extensions of each request; a handler takes it as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// In the clear.
    Plain,
    /// Over TLS.
    Tls,
}

/// The key that the client has proved to hold, in the handshake of the request's connection; none over plain HTTP, or where
/// the client has shown no certificate. It is to be had as [`Transport`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientKey(pub Option<Fingerprint>);

impl ClientKey {
    /// The key of a connection whose handshake is done.
    pub(crate) fn proved_to(connection: &ServerConnection) -> Self {
        let certificate = connection.peer_certificates().and_then(<[_]>::first);
        let fingerprint = certificate.map(fingerprint_of);
        // Who was let through the handshake has a certificate that can be read.
        Self(fingerprint.and_then(Result::ok))
    }
}

fn fingerprint_of(certificate: &CertificateDer<'_>) -> Result<Fingerprint, Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    Ok(Fingerprint::of_public_key(&parsed.subject_public_key_info()))
}

impl<S: Sync> FromRequestParts<S> for ClientKey {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get().copied().ok_or_else(not_served)
    }
}

impl<S: Sync> FromRequestParts<S> for Transport {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get().copied().ok_or_else(not_served)
    }
}

fn not_served() -> Refusal {
    tracing::error!("a request has no connection: its router is not served by listener::serve");
    Slug::Internal.because("The server does not know how this request came.").into()
}

/// Takes any key that the client proves to hold, or none. Names, dates and issuers in its certificate are nobody's word.
#[derive(Debug)]
pub(crate) struct AnyKey {
    algorithms: WebPkiSupportedAlgorithms,
}

impl AnyKey {
    pub(crate) fn new(provider: &CryptoProvider) -> Self {
        Self { algorithms: provider.signature_verification_algorithms }
    }
}

/// A client has sent further certificates behind its own.
#[derive(Debug, thiserror::Error)]
#[error("a client has to show one certificate, without those that vouch for it")]
struct NotAlone;

impl ClientCertVerifier for AnyKey {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if !others.is_empty() {
            return Err(CertificateError::Other(OtherError(std::sync::Arc::new(NotAlone))).into());
        }
        fingerprint_of(certificate)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("keys are proved over TLS 1.3 only".to_owned()))
    }

    /// Without this, whoever has seen a certificate would be its owner.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    /// All that can be verified: where its kind of key is not offered, curl silently shows no certificate.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
