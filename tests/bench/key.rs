//! A sender's key, for connections over TLS.

use std::path::Path;
use std::sync::Arc;

use protocol::Fingerprint;
use rcgen::PublicKeyData as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::anyone::{Anyone, provider};

/// A new key.
pub struct Key {
    /// What it is known by.
    pub fingerprint: Fingerprint,
    /// What shows it, and takes every peer.
    pub connector: TlsConnector,
}

/// What shows the key in this file, and takes every peer.
pub fn connector_of(file: &Path) -> TlsConnector {
    let private = PrivateKeyDer::from_pem_file(file).unwrap();
    showing(CertificateDer::from_pem_file(file).unwrap(), private)
}

/// What has the key in this file, and takes every client.
pub fn acceptor_of(file: &Path) -> TlsAcceptor {
    let private = PrivateKeyDer::from_pem_file(file).unwrap();
    let config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_client_cert_verifier(Arc::new(Anyone))
        .with_single_cert(vec![CertificateDer::from_pem_file(file).unwrap()], private);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

fn showing(certificate: CertificateDer<'static>, private: PrivateKeyDer<'static>) -> TlsConnector {
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone))
        .with_client_auth_cert(vec![certificate], private);
    TlsConnector::from(Arc::new(config.unwrap()))
}

impl Key {
    /// As peers make theirs.
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["bench".to_owned()]).unwrap();
        let fingerprint = Fingerprint::of_public_key(&made.signing_key.subject_public_key_info());
        let private = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        Self { fingerprint, connector: showing(made.cert.into(), private) }
    }
}
