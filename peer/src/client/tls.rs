//! How this peer speaks TLS as a client. Whose key is right is for `verifier`.

use std::error::Error;
use std::sync::Arc;

use protocol::Fingerprint;
use rustls::client::{Resumption, WantsClientCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, ClientConfig, ConfigBuilder, RootCertStore, SupportedProtocolVersion};

use super::verifier::{KeyVerifier, Whose};

/// A setting of TLS that does not go together: a defect.
pub type TlsError = rustls::Error;

/// Other peers are held to the newest version: both sides are this program.
const BETWEEN_PEERS: &[&SupportedProtocolVersion] = &[&TLS13];
/// A directory may stand behind a proxy that knows no newer one.
const WITH_DIRECTORIES: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// To other peers, each of which has to have the key that its host's name says. This peer shows its own. Both are proved
/// by a signature on each connection: no session is taken up again.
pub fn to_peers(own: Arc<CertifiedKey>) -> Result<ClientConfig, TlsError> {
    let checked = checking(Whose::NamedByHost, BETWEEN_PEERS)?;
    let mut config = checked.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
    // The host's name is an invention of ours, and the key in it nobody's business on the way.
    config.enable_sni = false;
    config.resumption = Resumption::disabled();
    Ok(speaking_http(config))
}

/// To one with this key, whoever signed its certificate.
pub fn to_one_with_key(key: Fingerprint) -> Result<ClientConfig, TlsError> {
    Ok(speaking_http(checking(Whose::Always(key), WITH_DIRECTORIES)?.with_no_client_auth()))
}

/// For those who speak without TLS: the client library wants to be told all the same, and asks the system otherwise.
pub fn trusting_nobody() -> Result<ClientConfig, TlsError> {
    let builder =
        ClientConfig::builder_with_provider(listener::provider()).with_protocol_versions(WITH_DIRECTORIES)?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// What is wrong with a certificate that the system's roots do not vouch for, if that is what an error is about.
pub fn distrust(error: &(dyn Error + 'static)) -> Option<String> {
    match error.downcast_ref()? {
        rustls::Error::InvalidCertificate(error) => Some(match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                reason!("its certificate has expired")
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                reason!("its certificate is for another host")
            }
            _ => reason!("the system does not trust its certificate"),
        }),
        _ => None,
    }
}

fn checking(
    whose: Whose,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, TlsError> {
    let provider = listener::provider();
    let verifier = KeyVerifier::new(whose, &provider);
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions)?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)))
}

fn speaking_http(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}
