//! Real handshakes with real servers: who is let in, and what the others ever get to see.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use protocol::address::Scheme;
use protocol::{Address, Fingerprint};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm};
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
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A key, its certificate, and its fingerprint.
#[derive(Clone)]
struct Id {
    certificate: CertificateDer<'static>,
    secret: Vec<u8>,
}

impl Id {
    fn new() -> Self {
        Self::of(&rcgen::PKCS_ECDSA_P256_SHA256)
    }

    fn of(algorithm: &'static SignatureAlgorithm) -> Self {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        Self { certificate: certificate.into(), secret: key.serialize_der() }
    }

    fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.certificate)
    }

    /// What a server or a client shows: this chain, and signatures by this key.
    fn certified(&self, chain: Vec<CertificateDer<'static>>) -> Arc<CertifiedKey> {
        let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.secret.clone()));
        let signer = listener::provider().key_provider.load_private_key(secret).unwrap();
        Arc::new(CertifiedKey::new(chain, signer))
    }

    fn itself(&self) -> Arc<CertifiedKey> {
        self.certified(vec![self.certificate.clone()])
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    let parsed = ParsedCertificate::try_from(certificate).unwrap();
    Fingerprint::of_public_key(&parsed.subject_public_key_info())
}

/// What a server saw of one connection.
#[derive(Debug, Default, Clone)]
struct Seen {
    /// The handshake, if it came to its end.
    handshake: Option<HandshakeKind>,
    /// The key that the client proved.
    client: Option<Fingerprint>,
    /// Every byte of what it was sent.
    bytes: usize,
}

/// A server that answers every request with the same, and remembers what it saw.
struct Site {
    address: Address,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Site {
    async fn open(shown: Arc<CertifiedKey>) -> Self {
        Self::with(Some((shown, rustls::ALL_VERSIONS)), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            .await
    }

    async fn with(
        tls: Option<(Arc<CertifiedKey>, &[&'static SupportedProtocolVersion])>,
        answer: &'static str,
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
                let (witness, acceptor) = (Arc::clone(&witness), acceptor.clone());
                tokio::spawn(async move { serve(stream, acceptor, answer, &witness, number).await });
            }
        });
        Self { address: Address::new(scheme, Ipv4Addr::LOCALHOST.into(), port), seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn expecting(&self, expected: Expected) -> Destination {
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
    answer: &str,
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
    stream: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin),
    answer: &str,
    witness: &Mutex<Vec<Seen>>,
    number: usize,
) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        witness.lock().unwrap()[number].bytes += read;
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        if answer.contains("connection: close") {
            stream.shutdown().await.unwrap();
            return;
        }
    }
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

const PATIENCE: Duration = Duration::from_secs(10);

async fn post(peers: &Peers, destination: &Destination) -> Result<u16, reqwest::Error> {
    let answer = peers.post(destination, "/messages", &"a message", PATIENCE).await?;
    let status = answer.status().as_u16();
    bounded(answer, 100).await.unwrap();
    Ok(status)
}

/// The keys, where a request was not sent since the server has another.
async fn refused(peers: &Peers, destination: &Destination) -> Option<OtherKey> {
    let error = post(peers, destination).await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    other_key(&error)
}

#[tokio::test]
async fn the_right_key_is_let_in_and_learns_ours() {
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let (ana, rui) = (Id::new(), Id::of(algorithm));
        let (site, peers) = (Site::open(rui.itself()).await, Peers::new(ana.itself()).unwrap());
        let destination = site.expecting(Expected::Key(rui.fingerprint()));
        for _ in 0..3 {
            assert_eq!(post(&peers, &destination).await.unwrap(), 200);
        }
        let seen = site.seen();
        assert_eq!(seen.len(), 1, "the connection is kept: {seen:?}");
        assert_eq!(seen[0].client, Some(ana.fingerprint()));
    }
}

#[tokio::test]
async fn another_key_gets_nothing_and_is_named() {
    let (ana, rui, eve) = (Id::new(), Id::new(), Id::new());
    let (site, peers) = (Site::open(eve.itself()).await, Peers::new(ana.itself()).unwrap());
    let keys = OtherKey { presented: eve.fingerprint(), expected: rui.fingerprint() };
    assert_eq!(refused(&peers, &site.expecting(Expected::Key(rui.fingerprint()))).await, Some(keys));
    let seen = site.seen();
    assert!(!seen.is_empty());
    for seen in seen {
        assert_eq!((seen.handshake, seen.client, seen.bytes), (None, None, 0));
    }
    let said = keys.to_string();
    assert!(
        said.contains(&keys.presented.to_string()) && said.contains(&keys.expected.to_string()),
        "{said}"
    );
}

#[tokio::test]
async fn who_has_only_seen_a_certificate_is_not_its_owner() {
    let (ana, rui, eve) = (Id::new(), Id::new(), Id::new());
    let stolen = eve.certified(vec![rui.certificate.clone()]);
    let (site, peers) = (Site::open(stolen).await, Peers::new(ana.itself()).unwrap());
    for expected in [Expected::Key(rui.fingerprint()), Expected::Anyone] {
        assert_eq!(refused(&peers, &site.expecting(expected)).await, None, "its key is the right one");
    }
    assert!(site.seen().iter().all(|seen| seen.handshake.is_none() && seen.bytes == 0));
}

#[tokio::test]
async fn one_certificate_stands_alone() {
    let (ana, rui, eve) = (Id::new(), Id::new(), Id::new());
    for chain in [[&rui, &eve], [&eve, &rui]] {
        let chain = chain.map(|id| id.certificate.clone()).to_vec();
        let (site, peers) = (Site::open(rui.certified(chain)).await, Peers::new(ana.itself()).unwrap());
        assert_eq!(refused(&peers, &site.expecting(Expected::Key(rui.fingerprint()))).await, None);
        assert!(site.seen().iter().all(|seen| seen.bytes == 0));
    }
}

#[tokio::test]
async fn no_older_tls_is_spoken_between_peers() {
    let (ana, rui) = (Id::new(), Id::new());
    let old = Site::with(Some((rui.itself(), &[&rustls::version::TLS12])), "").await;
    let peers = Peers::new(ana.itself()).unwrap();
    assert_eq!(refused(&peers, &old.expecting(Expected::Key(rui.fingerprint()))).await, None);
    assert!(old.seen().iter().all(|seen| seen.bytes == 0));
}

#[tokio::test]
async fn a_session_is_resumed_with_both_keys_as_they_were() {
    let (ana, rui, eve) = (Id::new(), Id::new(), Id::new());
    let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
    let site = Site::with(Some((rui.itself(), rustls::ALL_VERSIONS)), closing).await;
    let peers = Peers::new(ana.itself()).unwrap();
    let destination = site.expecting(Expected::Key(rui.fingerprint()));
    for _ in 0..2 {
        assert_eq!(post(&peers, &destination).await.unwrap(), 200);
    }
    let seen = site.seen();
    let kinds: Vec<_> = seen.iter().map(|seen| seen.handshake).collect();
    assert_eq!(kinds, [Some(HandshakeKind::Full), Some(HandshakeKind::Resumed)]);
    assert!(seen.iter().all(|seen| seen.client == Some(ana.fingerprint())));
    // A session of the one is none of whoever else was expected there.
    let keys = OtherKey { presented: rui.fingerprint(), expected: eve.fingerprint() };
    assert_eq!(refused(&peers, &site.expecting(Expected::Key(eve.fingerprint()))).await, Some(keys));
}

#[tokio::test]
async fn a_connection_to_anyone_serves_nobody_who_is_expected() {
    let (ana, rui, eve) = (Id::new(), Id::new(), Id::new());
    let (site, peers) = (Site::open(eve.itself()).await, Peers::new(ana.itself()).unwrap());
    assert_eq!(post(&peers, &site.expecting(Expected::Anyone)).await.unwrap(), 200);
    assert_eq!(post(&peers, &site.expecting(Expected::Key(eve.fingerprint()))).await.unwrap(), 200);
    let before: usize = site.seen().iter().map(|seen| seen.bytes).sum();
    let keys = OtherKey { presented: eve.fingerprint(), expected: rui.fingerprint() };
    assert_eq!(refused(&peers, &site.expecting(Expected::Key(rui.fingerprint()))).await, Some(keys));
    assert_eq!(site.seen().iter().map(|seen| seen.bytes).sum::<usize>(), before);
}

#[tokio::test]
async fn plain_http_is_spoken_only_where_anyone_will_do() {
    let (ana, rui) = (Id::new(), Id::new());
    let site = Site::with(None, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let peers = Peers::new(ana.itself()).unwrap();
    assert_eq!(post(&peers, &site.expecting(Expected::Anyone)).await.unwrap(), 200);
    assert_eq!(refused(&peers, &site.expecting(Expected::Key(rui.fingerprint()))).await, None);
}

#[tokio::test]
async fn nobody_is_dialled_against_the_rule() {
    let (ana, rui) = (Id::new(), Id::new());
    let (site, peers) = (Site::open(rui.itself()).await, Peers::new(ana.itself()).unwrap());
    let rule = dial::Undialable::Loopback.to_string();
    let by_name: Address = format!("https://localhost:{}", site.address.port()).parse().unwrap();
    for address in [&site.address, &by_name] {
        for expected in [Expected::Key(rui.fingerprint()), Expected::Anyone] {
            let destination = Destination { address: address.clone(), expected, loopback: false };
            let error = post(&peers, &destination).await.unwrap_err();
            assert_eq!(innermost(&error), rule);
        }
    }
    assert!(site.seen().is_empty());
    let permitted =
        Destination { address: by_name, expected: Expected::Key(rui.fingerprint()), loopback: true };
    assert_eq!(post(&peers, &permitted).await.unwrap(), 200);
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let (ana, rui) = (Id::new(), Id::new());
    let other = Site::open(rui.itself()).await;
    let away = format!("HTTP/1.1 307 T\r\nlocation: {}/messages\r\ncontent-length: 0\r\n\r\n", other.address);
    let site = Site::with(Some((rui.itself(), rustls::ALL_VERSIONS)), away.leak()).await;
    let peers = Peers::new(ana.itself()).unwrap();
    assert_eq!(post(&peers, &site.expecting(Expected::Key(rui.fingerprint()))).await.unwrap(), 307);
    assert!(other.seen().is_empty());
}

async fn ask(vouching: Vouching, site: &Site) -> Result<Response, reqwest::Error> {
    let client = to_directory(vouching).unwrap();
    client.get(format!("{}/peers", site.address)).bearer_auth("secret").send().await
}

#[tokio::test]
async fn a_directory_with_the_pinned_key_is_asked_and_no_other() {
    let (home, eve) = (Id::new(), Id::new());
    let chain = vec![home.certificate.clone(), eve.certificate.clone()];
    for versions in [&[&rustls::version::TLS13], &[&rustls::version::TLS12]] {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        let site = Site::with(Some((home.certified(chain.clone()), versions)), answer).await;
        let answer = ask(Vouching::Key(home.fingerprint()), &site).await.unwrap();
        assert!(over_loopback(&answer));
        assert_eq!(site.seen()[0].client, None, "a directory does not learn this peer's key so");

        let error = ask(Vouching::Key(eve.fingerprint()), &site).await.unwrap_err();
        let keys = OtherKey { presented: home.fingerprint(), expected: eve.fingerprint() };
        assert_eq!(other_key(&error), Some(keys));
        // One that nobody whom this system trusts has signed.
        assert!(ask(Vouching::SystemRoots, &site).await.unwrap_err().is_connect());
        assert!(site.seen()[1..].iter().all(|seen| seen.bytes == 0), "no token is sent");
    }
    let plain = Site::with(None, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    assert!(ask(Vouching::Nobody, &plain).await.is_ok());
    for vouching in [Vouching::Key(home.fingerprint()), Vouching::SystemRoots] {
        assert!(ask(vouching, &plain).await.is_err(), "https only");
    }
}
