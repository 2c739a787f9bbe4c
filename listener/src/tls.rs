//! TLS: what a listener proves itself with, and who on a connection speaks it. Which key a client has shown is for
//! `client_key`; what is refused without TLS is said where requests are answered.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS13;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::client_key::AnyKey;
use crate::{ClientKey, Source};

/// The first byte of a TLS connection (RFC 8446, section 5.1: a record of the type "handshake"); no HTTP method has it.
const HANDSHAKE: u8 = 0x16;

/// The cryptography that all TLS of ours is done with.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring::default_provider()));
    Arc::clone(&PROVIDER)
}

/// Makes it what libraries take that are told of none.
pub fn install_provider() {
    // Whoever was first has installed the same.
    let _ = CryptoProvider::clone(&provider()).install_default();
}

/// What a listener proves itself with, and who may do without.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    without: Plain,
}

/// Who may speak HTTP without TLS at a port that speaks TLS. Everybody else is answered `403 tls-required`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// Nobody.
    Nobody,
    /// Programs on this machine, as far as [`Source::is_loopback`] knows them.
    ThisMachine,
    /// Anybody.
    Anybody,
}

/// Why a certificate and a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate's file.
    #[error("{}: {source}; --tls-cert takes a PEM file with the server's certificate and, behind it, those that vouch for it", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
    /// The key's file.
    #[error("{}: {source}; --tls-key takes a PEM file with the certificate's private key, not encrypted", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
    /// The two do not go together, or are of a kind that is not known.
    #[error("{} and {} cannot be used: {source}; --tls-key has to be the key of the first certificate in --tls-cert", certificate.display(), key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// TLS cannot be set up with them: a defect of the build.
    #[error("TLS cannot be set up: {0}")]
    Unsupported(rustls::Error),
}

/// A connection whose first byte has come.
pub(crate) enum Greeted {
    /// It speaks TLS, and its handshake is done; with the key that the client proved in it.
    Tls(Box<TlsStream<TcpStream>>, ClientKey),
    /// It speaks something else; nothing of it was taken.
    Plain(TcpStream),
    /// It began a handshake that came to nothing. The client was told why, and may still be sending.
    Failed(TcpStream, io::Error),
}

impl Tls {
    /// TLS 1.3 and 1.2 with the certificate chain and the key in these files, for HTTP/1.1.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let wrong_certificate = |source| TlsError::Certificate { path: certificate.to_owned(), source };
        let chain = CertificateDer::pem_file_iter(certificate).map_err(wrong_certificate)?;
        let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(wrong_certificate)?;
        if chain.is_empty() {
            return Err(wrong_certificate(pem::Error::NoItemsFound));
        }
        let secret = PrivateKeyDer::from_pem_file(key)
            .map_err(|source| TlsError::Key { path: key.to_owned(), source })?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret));
        let config = config.map_err(|source| {
            let (certificate, key) = (certificate.to_owned(), key.to_owned());
            TlsError::Pair { certificate, key, source }
        })?;
        Ok(Self::new(config, Plain::Nobody))
    }

    /// TLS 1.3 with this key, for HTTP/1.1. Clients may prove a key of theirs, whatever the certificate around it says
    /// besides: see [`ClientKey`]. No session is taken up again: each connection proves its keys by signatures.
    pub fn asking_for_keys(certified: Arc<CertifiedKey>, without: Plain) -> Result<Self, TlsError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(TlsError::Unsupported)?
            .with_client_cert_verifier(Arc::new(AnyKey::new(&provider())))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self::new(config, without))
    }

    fn new(mut config: ServerConfig, without: Plain) -> Self {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), without }
    }

    /// Waits for the first byte, and for the end of the handshake if it begins one. The caller knows how long.
    pub(crate) async fn greet(&self, stream: TcpStream) -> io::Result<Greeted> {
        if !begins_tls(&stream).await? {
            return Ok(Greeted::Plain(stream));
        }
        Ok(match self.acceptor.accept(stream).into_fallible().await {
            Ok(stream) => {
                let key = ClientKey::proved_to(stream.get_ref().1);
                Greeted::Tls(Box::new(stream), key)
            }
            Err((error, stream)) => Greeted::Failed(stream, error),
        })
    }

    /// Whether one at this place may do without TLS.
    pub(crate) fn may_do_without(&self, source: Source) -> bool {
        match self.without {
            Plain::Nobody => false,
            Plain::ThisMachine => source.is_loopback(),
            Plain::Anybody => true,
        }
    }
}

/// Waits for the first byte, takes nothing, and says whether it is one of TLS.
pub(crate) async fn begins_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    Ok(first == [HANDSHAKE])
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with `NAME.pem` and `NAME.key` for each name.
    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let made = rcgen::generate_simple_self_signed([(*name).to_owned()]).unwrap();
            std::fs::write(folder.path().join(format!("{name}.pem")), made.cert.pem()).unwrap();
            std::fs::write(folder.path().join(format!("{name}.key")), made.signing_key.serialize_pem())
                .unwrap();
        }
        folder
    }

    #[test]
    fn files_that_cannot_be_used_are_named_with_what_to_do() {
        let folder = folder(&["ana", "rui"]);
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("empty"), "").unwrap();
        assert!(Tls::from_files(&path("ana.pem"), &path("ana.key")).is_ok());
        for (certificate, key, named, advice) in [
            ("nothing", "ana.key", "nothing", "--tls-cert takes"),
            ("empty", "ana.key", "empty", "--tls-cert takes"),
            ("ana.key", "ana.key", "ana.key", "--tls-cert takes"),
            ("ana.pem", "nothing", "nothing", "--tls-key takes"),
            ("ana.pem", "ana.pem", "ana.pem", "--tls-key takes"),
            ("ana.pem", "rui.key", "rui.key", "has to be the key of"),
        ] {
            let said = Tls::from_files(&path(certificate), &path(key)).unwrap_err().to_string();
            let named = path(named).display().to_string();
            assert!(said.contains(&named) && said.contains(advice), "{said}");
        }
    }
}
