//! A listener that speaks TLS: who speaks it too is served, who does not is told, and who stalls is closed.

use std::sync::Arc;

use listener::{Limits, Settings, Tls};
use protocol::problem::Slug;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::kit::{ROOMY, Response, SHORT, Site, within};

/// A site that speaks TLS, and its certificate.
struct Secure {
    site: Site,
    certificate: CertificateDer<'static>,
}

impl Secure {
    async fn open(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("certificate"), folder.path().join("key"));
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let tls = Some(Tls::from_files(&certificate, &key).unwrap());
        let site = Site::open(Settings { limits, tls, ..Settings::default() }).await;
        Self { site, certificate: made.cert.into() }
    }

    async fn connect(&self, version: &'static SupportedProtocolVersion) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_protocol_versions(&[version]).unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let stream = TcpStream::connect(self.site.address).await.unwrap();
        let connected = TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream);
        within("a handshake", connected).await.unwrap()
    }

    async fn serves_others(&self) {
        let mut client = self.connect(&TLS13).await;
        client.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut said = String::new();
        within("the end", client.read_to_string(&mut said)).await.unwrap();
        assert_eq!(Response::whole(&said).body, "hello");
    }
}

#[tokio::test]
async fn both_versions_of_tls_carry_http_1() {
    let secure = Secure::open(ROOMY).await;
    for version in [&TLS13, &TLS12] {
        let mut client = secure.connect(version).await;
        assert_eq!(client.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
        client.write_all(b"POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc").await.unwrap();
        client.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut said = String::new();
        // Closed with a word, or this would be an error.
        within("the end", client.read_to_string(&mut said)).await.unwrap();
        assert!(said.contains("\r\n\r\nabcHTTP/1.1 200") && said.ends_with("hello"), "{said}");
    }
}

#[tokio::test]
async fn who_speaks_plain_http_is_told_to_use_tls() {
    let secure = Secure::open(ROOMY).await;
    let mut client = secure.site.client().await;
    for path in ["/hello", "/nothing"] {
        client.send(format!("GET {path} HTTP/1.1\r\nhost: a\r\nx-request-id: mine\r\n\r\n")).await;
        let response = client.response().await;
        assert!(response.problem(Slug::TlsRequired).contains("https://"));
        assert_eq!(response.header("x-request-id"), Some("mine"));
    }
    client.send("oops\r\n\r\n").await;
    Response::whole(&client.rest().await).problem(Slug::BadRequest);
}

#[tokio::test]
async fn a_handshake_that_stalls_is_closed_and_holds_up_nobody() {
    let secure = Secure::open(Limits { handshake: SHORT, ..ROOMY }).await;
    let mut silent = secure.site.client().await;
    let mut half = secure.site.client().await;
    half.send([0x16, 3, 1, 1, 0, 1, 0, 0]).await;
    secure.serves_others().await;
    assert_eq!(silent.rest().await, "");
    assert_eq!(half.rest().await, "");
}

#[tokio::test]
async fn for_whom_there_is_no_place_is_told_so_in_the_clear_only() {
    let secure = Secure::open(Limits { connections: 1, ..ROOMY }).await;
    let held = secure.connect(&TLS13).await;
    let mut plain = secure.site.client().await;
    plain.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
    Response::whole(&plain.rest().await).problem(Slug::Unavailable);
    let mut encrypted = secure.site.client().await;
    encrypted.send([0x16, 3, 1]).await;
    let mut said = Vec::new();
    let _ = within("the end", encrypted.stream.read_to_end(&mut said)).await;
    assert_eq!(said, b"");
    drop(held);
}

#[tokio::test]
async fn what_begins_like_tls_and_is_none_is_closed() {
    let secure = Secure::open(ROOMY).await;
    let mut client = secure.site.client().await;
    client.send([0x16, 3, 1, 0, 4, 9, 9, 9, 9]).await;
    let mut said = Vec::new();
    let _ = within("the end", client.stream.read_to_end(&mut said)).await;
    assert!(said.len() < 16, "an alert at most: {said:?}");
    secure.serves_others().await;
}

#[tokio::test]
async fn who_says_nothing_after_its_handshake_is_closed() {
    let secure = Secure::open(Limits { handshake: SHORT, ..ROOMY }).await;
    let mut client = secure.connect(&TLS13).await;
    let mut said = String::new();
    within("the end", client.read_to_string(&mut said)).await.unwrap();
    assert_eq!(said, "");
}

#[tokio::test]
async fn a_client_that_does_not_read_over_tls_is_given_up() {
    let secure = Secure::open(Limits { idle: SHORT, ..ROOMY }).await;
    let mut client = secure.connect(&TLS13).await;
    client.write_all(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    secure.serves_others().await;
    within("the response to be dropped", secure.site.signals.dropped.notified()).await;
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_a_handshake() {
    let mut secure = Secure::open(ROOMY).await;
    let mut half = secure.site.client().await;
    half.send([0x16, 3, 1]).await;
    secure.serves_others().await;
    secure.site.stop();
    let _ = within("the end", half.stream.read_u8()).await;
    secure.site.has_ended().await;
}
