//! Keys and certificates as a peer has them, and as somebody has them who stole the certificate only.
//!
//! The kit's side of a handshake takes whoever shows one certificate and proves its key: what the programs refuse is
//! their own work.

use std::sync::{Arc, OnceLock};

use protocol::Fingerprint;
use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};
use reqwest::Client;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS13;
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};

use super::wait::DEADLINE;

/// A private key with a certificate; a clone is the same one.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// PKCS#8.
    private: Vec<u8>,
    certified: Arc<CertifiedKey>,
    client: Arc<OnceLock<Client>>,
}

impl Key {
    /// A new key as peers make it: ECDSA P-256.
    pub(crate) fn new() -> Self {
        Self::of(&rcgen::PKCS_ECDSA_P256_SHA256)
    }

    /// A new key of another kind.
    pub(crate) fn of(kind: &'static SignatureAlgorithm) -> Self {
        Self::around(&KeyPair::generate_for(kind).unwrap(), "recado")
    }

    /// Another certificate around the same key.
    pub(crate) fn renewed(&self) -> Self {
        Self::around(&KeyPair::try_from(self.private.as_slice()).unwrap(), "renewed")
    }

    /// This certificate in the hands of somebody who has another private key.
    pub(crate) fn stolen(&self) -> Self {
        Self::with(Self::new().private, self.certificate().clone())
    }

    fn around(pair: &KeyPair, common_name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, common_name);
        let certificate = parameters.self_signed(pair).unwrap();
        Self::with(pair.serialize_der(), certificate.der().clone())
    }

    /// Whether the two belong together is not looked at.
    fn with(private: Vec<u8>, certificate: CertificateDer<'static>) -> Self {
        let signing = PrivateKeyDer::try_from(private.clone()).unwrap();
        let signing = ring::sign::any_supported_type(&signing).unwrap();
        let certified = Arc::new(CertifiedKey::new(vec![certificate], signing));
        Self { private, certified, client: Arc::default() }
    }

    /// The certificate in DER.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certified.cert[0]
    }

    /// The fingerprint of the key that the certificate is for.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        fingerprint_of(self.certificate())
    }

    /// An HTTP client that shows this key; its connections are kept.
    pub(super) fn client(&self) -> Client {
        let build = || client(Some(Arc::clone(&self.certified)));
        self.client.get_or_init(build).clone()
    }

    /// What a server needs that has this key and asks its clients for theirs.
    pub(super) fn as_server(&self) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(Arc::new(Anyone))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&self.certified))));
        Arc::new(config)
    }
}

/// The fingerprint of the key that a certificate is for.
pub(crate) fn fingerprint_of(certificate: &CertificateDer<'_>) -> Fingerprint {
    let parsed = ParsedCertificate::try_from(certificate).unwrap();
    Fingerprint::of_public_key(&parsed.subject_public_key_info())
}

/// An HTTP client that speaks TLS 1.3 where it is asked to, with a key or without one.
pub(super) fn client(certified: Option<Arc<CertifiedKey>>) -> Client {
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone));
    let config = match certified {
        Some(certified) => config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified))),
        None => config.with_no_client_auth(),
    };
    Client::builder()
        .tls_backend_preconfigured(config)
        .tls_info(true)
        .no_proxy()
        .timeout(DEADLINE)
        .pool_max_idle_per_host(64)
        .build()
        .unwrap()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Takes whoever proves the key of a certificate.
#[derive(Debug)]
struct Anyone;

impl Anyone {
    fn schemes() -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Self::schemes()
    }
}

impl ClientCertVerifier for Anyone {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Self::schemes()
    }
}
