//! A sender's key, for connections over TLS.

use std::sync::Arc;

use protocol::Fingerprint;
use rcgen::PublicKeyData as _;
use rustls::ClientConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::version::TLS13;
use tokio_rustls::TlsConnector;

use super::anyone::{Anyone, provider};

/// A new key.
pub struct Key {
    /// What it is known by.
    pub fingerprint: Fingerprint,
    /// What shows it, and takes every peer.
    pub connector: TlsConnector,
}

impl Key {
    /// As peers make theirs.
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["bench".to_owned()]).unwrap();
        let fingerprint = Fingerprint::of_public_key(&made.signing_key.subject_public_key_info());
        let private = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone))
            .with_client_auth_cert(vec![made.cert.into()], private)
            .unwrap();
        Self { fingerprint, connector: TlsConnector::from(Arc::new(config)) }
    }
}
