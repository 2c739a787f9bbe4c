//! Keys and certificates as a peer has them, and as somebody has them who stole the certificate only.
//!
//! The kit's side of a handshake takes whoever shows one certificate and proves its key: what the programs refuse is
//! their own work.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use protocol::Fingerprint;
use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};
use reqwest::Client;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};

use super::anyone::{Anyone, provider};
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

    /// The key of a file with a private key and a certificate in PEM, as peers keep theirs.
    pub(crate) fn read(file: &Path) -> Self {
        let private = PrivateKeyDer::from_pem_file(file).unwrap();
        let certificate = CertificateDer::from_pem_file(file).unwrap();
        Self::with(private.secret_der().to_vec(), certificate)
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
        self.client.get_or_init(|| client(Some(self))).clone()
    }

    /// What a client needs that shows this key.
    pub(super) fn as_client(&self) -> Arc<ClientConfig> {
        Arc::new(client_config(Some(self)))
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
pub(super) fn client(key: Option<&Key>) -> Client {
    Client::builder()
        .tls_backend_preconfigured(client_config(key))
        .tls_info(true)
        .no_proxy()
        .timeout(DEADLINE)
        .pool_max_idle_per_host(64)
        .build()
        .unwrap()
}

fn client_config(key: Option<&Key>) -> ClientConfig {
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone));
    let Some(key) = key else { return config.with_no_client_auth() };
    config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&key.certified))))
}
