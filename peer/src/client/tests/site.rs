//! Servers on this machine for tests of those who ask them: with the key that they are given, or with somebody else's
//! certificate, and with eyes for what reaches them.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use protocol::address::Scheme;
use protocol::{Address, Fingerprint};
use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    DigitallySignedStruct, DistinguishedName, HandshakeKind, ServerConfig, SignatureScheme,
    SupportedProtocolVersion,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::client::{Destination, Expected};

/// A key, its certificate, and its fingerprint.
#[derive(Clone)]
pub(crate) struct Id {
    pub(super) certificate: CertificateDer<'static>,
    secret: Vec<u8>,
}

impl Id {
    pub(crate) fn new() -> Self {
        Self::of(&rcgen::PKCS_ECDSA_P256_SHA256)
    }

    pub(super) fn of(algorithm: &'static SignatureAlgorithm) -> Self {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        Self { certificate: certificate.into(), secret: key.serialize_der() }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.certificate)
    }

    /// What a server or a client shows: this chain, and signatures by this key.
    pub(super) fn certified(&self, chain: Vec<CertificateDer<'static>>) -> Arc<CertifiedKey> {
        let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.secret.clone()));
        let signer = listener::provider().key_provider.load_private_key(secret).unwrap();
        Arc::new(CertifiedKey::new(chain, signer))
    }

    pub(crate) fn itself(&self) -> Arc<CertifiedKey> {
        self.certified(vec![self.certificate.clone()])
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    let parsed = ParsedCertificate::try_from(certificate).unwrap();
    Fingerprint::of_public_key(&parsed.subject_public_key_info())
}

/// What a server saw of one connection.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    /// The handshake, if it came to its end.
    pub(super) handshake: Option<HandshakeKind>,
    /// The key that the client proved.
    pub(super) client: Option<Fingerprint>,
    /// Every byte of what it was sent.
    pub(super) bytes: usize,
}

/// What a server answers to a request.
pub(crate) type Answer = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// A server that remembers what it saw.
pub(crate) struct Site {
    pub(crate) address: Address,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Site {
    /// One that proves itself with this key, and answers "ok" to everything.
    pub(crate) async fn open(shown: Arc<CertifiedKey>) -> Self {
        Self::answering(Some(shown), |_| response("200 OK", "ok")).await
    }

    /// One that answers whole requests so; without a key in plain HTTP.
    pub(crate) async fn answering(
        shown: Option<Arc<CertifiedKey>>,
        answer: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::with(shown.map(|shown| (shown, rustls::ALL_VERSIONS)), Arc::new(answer)).await
    }

    pub(super) async fn with(
        tls: Option<(Arc<CertifiedKey>, &[&'static SupportedProtocolVersion])>,
        answer: Answer,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if tls.is_some() { Scheme::Https } else { Scheme::Http };
        let acceptor = tls.map(|(shown, versions)| acceptor(shown, versions));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let witness = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = witness.lock().unwrap().len();
                witness.lock().unwrap().push(Seen::default());
                let (witness, acceptor, answer) =
                    (Arc::clone(&witness), acceptor.clone(), Arc::clone(&answer));
                tokio::spawn(async move { serve(stream, acceptor, &answer, &witness, number).await });
            }
        });
        Self { address: Address::new(scheme, Ipv4Addr::LOCALHOST.into(), port), seen }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many connections there were, and how many bytes of requests came over them.
    pub(crate) fn met(&self) -> (usize, usize) {
        let seen = self.seen.lock().unwrap();
        (seen.len(), seen.iter().map(|seen| seen.bytes).sum())
    }

    pub(super) fn expecting(&self, expected: Expected) -> Destination {
        Destination { address: self.address.clone(), expected, loopback: true }
    }
}

fn acceptor(shown: Arc<CertifiedKey>, versions: &[&'static SupportedProtocolVersion]) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(listener::provider());
    let config = config.with_protocol_versions(versions).unwrap();
    let config = config.with_client_cert_verifier(Arc::new(Asking));
    TlsAcceptor::from(Arc::new(config.with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)))))
}

async fn serve(
    mut stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    answer: &Answer,
    witness: &Mutex<Vec<Seen>>,
    number: usize,
) {
    let Some(acceptor) = acceptor else {
        return converse(&mut stream, answer, witness, number).await;
    };
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    {
        let (_, session) = stream.get_ref();
        let mut seen = witness.lock().unwrap();
        seen[number].handshake = session.handshake_kind();
        seen[number].client = session.peer_certificates().map(|chain| fingerprint(&chain[0]));
    }
    converse(&mut stream, answer, witness, number).await;
}

async fn converse(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    answer: &Answer,
    witness: &Mutex<Vec<Seen>>,
    number: usize,
) {
    let mut buffer = [0; 4096];
    let mut request = String::new();
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        witness.lock().unwrap()[number].bytes += read;
        request.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        if !is_whole(&request) {
            continue;
        }
        let answer = answer(&std::mem::take(&mut request));
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        if answer.contains("connection: close") {
            stream.shutdown().await.unwrap();
            return;
        }
    }
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

/// An answer with a body.
pub(crate) fn response(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Asks clients for their key, and has them prove it.
#[derive(Debug)]
struct Asking;

impl ClientCertVerifier for Asking {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _further: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("there are no clients with keys over TLS 1.2".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = listener::provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        listener::provider().signature_verification_algorithms.supported_schemes()
    }
}
