//! A listener that asks for keys: what a client has proved is known to the handlers, and nothing else passes for it.

use std::sync::Arc;

use listener::{Plain, Settings, Tls, provider};
use protocol::Fingerprint;
use protocol::problem::Slug;
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, ClientConfig, DigitallySignedStruct, Error, HandshakeKind, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::kit::{ROOMY, Response, Site, within};

/// Somebody with a key and a certificate around it.
struct Owner {
    key: KeyPair,
    certificate: CertificateDer<'static>,
}

impl Owner {
    fn new() -> Self {
        Self::with(KeyPair::generate().unwrap(), &CertificateParams::default())
    }

    fn with(key: KeyPair, params: &CertificateParams) -> Self {
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { key, certificate }
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_public_key(&self.key.subject_public_key_info())
    }

    /// What proves this key, behind whatever certificates.
    fn behind(&self, chain: &[&Self]) -> Arc<CertifiedKey> {
        let chain = chain.iter().map(|owner| owner.certificate.clone()).collect();
        let secret = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        let secret = provider().key_provider.load_private_key(secret).unwrap();
        Arc::new(CertifiedKey::new(chain, secret))
    }

    fn proof(&self) -> Arc<CertifiedKey> {
        self.behind(&[self])
    }
}

async fn open(without: Plain) -> Site {
    let tls = Tls::asking_for_keys(Owner::new().proof(), without).unwrap();
    Site::open(Settings { limits: ROOMY, tls: Some(tls), ..Settings::default() }).await
}

/// A client that takes any server.
#[derive(Debug)]
struct AnyServer;

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        panic!("nobody here speaks TLS 1.2")
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

fn client(proof: Option<Arc<CertifiedKey>>) -> ClientConfig {
    let config = ClientConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13]).unwrap();
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer));
    match proof {
        Some(proof) => config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(proof))),
        None => config.with_no_client_auth(),
    }
}

async fn connect(site: &Site, config: &Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(site.address).await.unwrap();
    let connector = TlsConnector::from(Arc::clone(config));
    within("a handshake", connector.connect("localhost".try_into().unwrap(), stream)).await
}

/// What handlers know of a client with this proof, or why it is not served.
async fn seen(site: &Site, proof: Option<Arc<CertifiedKey>>) -> std::io::Result<String> {
    let mut stream = connect(site, &Arc::new(client(proof))).await?;
    ask(&mut stream).await
}

/// Two requests on one connection.
async fn ask(stream: &mut TlsStream<TcpStream>) -> std::io::Result<String> {
    stream.write_all(b"GET /key HTTP/1.1\r\nhost: a\r\n\r\n").await?;
    stream.write_all(b"GET /key HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await?;
    let mut said = String::new();
    within("the end", stream.read_to_string(&mut said)).await?;
    let second = said.rfind("HTTP/1.1").unwrap();
    let answers = [&said[..second], &said[second..]].map(|said| Response::whole(said).body);
    assert_eq!(answers[0], answers[1]);
    Ok(answers[0].clone())
}

fn alert(refused: &std::io::Error) -> AlertDescription {
    match refused.get_ref().and_then(|error| error.downcast_ref()) {
        Some(Error::AlertReceived(alert)) => *alert,
        other => panic!("no alert: {refused:?} {other:?}"),
    }
}

#[tokio::test]
async fn the_key_that_a_client_proves_is_known() {
    let site = open(Plain::ThisMachine).await;
    let algorithms = [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519];
    for algorithm in algorithms {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let ana = Owner::with(key, &CertificateParams::default());
        assert_eq!(seen(&site, Some(ana.proof())).await.unwrap(), format!("{} Tls", ana.fingerprint()));
    }
    assert_eq!(seen(&site, None).await.unwrap(), "none Tls");
    let plain = site.ask("GET /key HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(plain.body, "none Plain");
}

#[tokio::test]
async fn neither_dates_nor_issuers_matter() {
    let site = open(Plain::Nobody).await;
    let mut expired = CertificateParams::new(["elsewhere.example".to_owned()]).unwrap();
    expired.not_after = rcgen::date_time_ymd(1990, 1, 1);
    let ana = Owner::with(KeyPair::generate().unwrap(), &expired);
    assert_eq!(seen(&site, Some(ana.proof())).await.unwrap(), format!("{} Tls", ana.fingerprint()));

    let authority = KeyPair::generate().unwrap();
    let params = CertificateParams::default();
    let issuer = rcgen::Issuer::from_params(&params, &authority);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap().der().clone();
    let rui = Owner { key, certificate };
    assert_eq!(seen(&site, Some(rui.proof())).await.unwrap(), format!("{} Tls", rui.fingerprint()));
}

#[tokio::test]
async fn who_has_only_seen_a_certificate_is_not_its_owner() {
    let site = open(Plain::Nobody).await;
    let (ana, thief) = (Owner::new(), Owner::new());
    let refused = seen(&site, Some(thief.behind(&[&ana]))).await.unwrap_err();
    assert_eq!(alert(&refused), AlertDescription::DecryptError);
    assert_eq!(seen(&site, Some(ana.proof())).await.unwrap(), format!("{} Tls", ana.fingerprint()));
}

#[tokio::test]
async fn a_client_shows_one_certificate() {
    let site = open(Plain::Nobody).await;
    let (ana, other) = (Owner::new(), Owner::new());
    let refused = seen(&site, Some(ana.behind(&[&ana, &other]))).await.unwrap_err();
    assert_eq!(alert(&refused), AlertDescription::CertificateUnknown);
    let garbled = Owner { certificate: CertificateDer::from(vec![0x30, 3, 2, 1, 1]), ..Owner::new() };
    let refused = seen(&site, Some(garbled.proof())).await.unwrap_err();
    assert_eq!(alert(&refused), AlertDescription::BadCertificate);
}

#[tokio::test]
async fn no_session_is_taken_up_again_and_each_connection_proves_its_key() {
    let site = open(Plain::Nobody).await;
    let ana = Owner::new();
    let mut config = client(Some(ana.proof()));
    config.resumption = Resumption::in_memory_sessions(8);
    let config = Arc::new(config);
    for _ in 0..2 {
        let mut stream = connect(&site, &config).await.unwrap();
        assert_eq!(ask(&mut stream).await.unwrap(), format!("{} Tls", ana.fingerprint()));
        let session = stream.get_ref().1;
        assert_eq!(
            (session.handshake_kind(), session.tls13_tickets_received()),
            (Some(HandshakeKind::Full), 0)
        );
    }
}

#[tokio::test]
async fn only_tls_1_3_and_http_1_are_spoken() {
    let site = open(Plain::Nobody).await;
    let mut http_2 = client(None);
    http_2.alpn_protocols = vec![b"h2".to_vec()];
    let refused = connect(&site, &Arc::new(http_2)).await.unwrap_err();
    assert_eq!(alert(&refused), AlertDescription::NoApplicationProtocol);

    let mut both = client(None);
    both.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = connect(&site, &Arc::new(both)).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));

    let older = ClientConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS12]).unwrap();
    let older = older.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer)).with_no_client_auth();
    let refused = connect(&site, &Arc::new(older)).await.unwrap_err();
    assert_eq!(alert(&refused), AlertDescription::ProtocolVersion);
}

#[tokio::test]
async fn who_may_do_without_tls_is_for_the_program_to_say() {
    let here = "GET /key HTTP/1.1\r\nhost: a\r\n\r\n";
    let elsewhere = "GET /key HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 192.0.2.7\r\n\r\n";
    for (without, from_here, from_elsewhere) in
        [(Plain::Nobody, 403, 403), (Plain::ThisMachine, 200, 403), (Plain::Anybody, 200, 200)]
    {
        let site = open(without).await;
        for (request, status) in [(here, from_here), (elsewhere, from_elsewhere)] {
            let response = site.ask(request).await;
            assert_eq!(response.status, status, "{without:?} {request}");
            if status == 403 {
                response.problem(Slug::TlsRequired);
            }
        }
    }
}
