//! The HTTP client of the stories. Whatever either program answers is held against openapi.yaml here.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::Duration;

use flate2::read::GzDecoder;
use protocol::{Fingerprint, Slug};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::tls::TlsInfo;
use reqwest::{Client, Method, Response};
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::contract::CONTRACT;
use super::key::{Key, client, fingerprint_of};
use super::stream::Stream;
use super::wait::DEADLINE;

/// Which of the two programs was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Program {
    /// `server`.
    Directory,
    /// `peer serve`.
    Peer,
}

/// A request that is being put together.
pub(crate) struct Request {
    program: Program,
    method: Method,
    base: String,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    client: Client,
}

/// What was answered; it agrees with the contract.
pub(crate) struct Answer {
    pub(crate) program: Program,
    pub(crate) method: Method,
    /// As requested, with the query.
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The key that was proved by who answered, over TLS.
    pub(crate) server: Option<Fingerprint>,
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

/// Plain HTTP, and TLS without a key.
static KEYLESS: LazyLock<Client> = LazyLock::new(|| client(None));

impl Request {
    pub(crate) fn new(program: Program, method: Method, base: &str, path: &str) -> Self {
        let (base, path) = (base.to_owned(), path.to_owned());
        Self {
            program,
            method,
            base,
            path,
            headers: HeaderMap::new(),
            body: None,
            client: Client::clone(&KEYLESS),
        }
    }

    /// Shows this key in the handshake.
    pub(crate) fn showing(mut self, key: &Key) -> Self {
        self.client = key.client();
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap();
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").bytes(body.to_string())
    }

    pub(crate) fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends it. Fails when no answer comes, or one that the contract does not know.
    #[track_caller]
    pub(crate) fn send(self) -> Answer {
        let (method, path) = (self.method.clone(), self.path.clone());
        self.try_send().unwrap_or_else(|error| panic!("{method} {path}: {error:?}"))
    }

    /// Sends it to a program that may be killed meanwhile.
    pub(crate) fn try_send(self) -> Result<Answer, reqwest::Error> {
        RUNTIME.block_on(self.exchange())
    }

    /// Sends it, for an answer that does not end.
    #[track_caller]
    pub(crate) fn stream(self) -> Stream {
        let answered = RUNTIME.block_on(self.head(Duration::from_hours(1)));
        let (head, response) = answered.unwrap_or_else(|error| panic!("{error:?}"));
        Stream::of(head.expect(200), response, &RUNTIME)
    }

    async fn exchange(self) -> Result<Answer, reqwest::Error> {
        let (mut answer, response) = self.head(DEADLINE).await?;
        answer.body = response.bytes().await?.to_vec();
        CONTRACT.hold(&answer);
        Ok(answer)
    }

    /// The answer without its body, and where that comes from.
    async fn head(self, timeout: Duration) -> Result<(Answer, Response), reqwest::Error> {
        let url = format!("{}{}", self.base, self.path);
        let mut request =
            self.client.request(self.method.clone(), url).headers(self.headers).timeout(timeout);
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let response = request.send().await?;
        let (status, headers, body) = (response.status().as_u16(), response.headers().clone(), Vec::new());
        let shown = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
        let server = shown.map(|certificate| fingerprint_of(&CertificateDer::from(certificate)));
        let Self { program, method, path, .. } = self;
        Ok((Answer { program, method, path, status, headers, body, server }, response))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        write!(f, "{} to {} {}: {:?} {body}", self.status, self.method, self.path, self.headers)
    }
}

impl Answer {
    /// The same, if the status is this.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{} {}: {}",
            self.method,
            self.path,
            String::from_utf8_lossy(&self.body)
        );
        self
    }

    /// The same, if it is this problem with its status.
    #[track_caller]
    pub(crate) fn expect_problem(self, slug: Slug) -> Self {
        let answer = self.expect(slug.status());
        assert_eq!(answer.json()["type"], slug.urn(), "{} {}", answer.method, answer.path);
        answer
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// A member of the body that is text.
    #[track_caller]
    pub(crate) fn text(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_else(|| panic!("no text `{member}` in {self:?}")).to_owned()
    }

    /// The body as text, whatever its coding.
    pub(crate) fn decoded(&self) -> io::Result<String> {
        let mut text = String::new();
        match self.header("content-encoding") {
            Some("gzip") => GzDecoder::new(self.body.as_slice()).read_to_string(&mut text)?,
            _ => self.body.as_slice().read_to_string(&mut text)?,
        };
        Ok(text)
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Writes bytes that no client would, and gives what comes back until the other side closes. It is held against the
/// contract as an answer to `method` on `path`.
#[track_caller]
pub(crate) fn raw(program: Program, url: &str, (method, path): (&str, &str), request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    // A program that has refused already may not read on.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no answer to {:?}", String::from_utf8_lossy(request)));
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value.trim()).unwrap());
    }
    let (method, path, body) = (method.parse().unwrap(), path.to_owned(), answer[end + 4..].to_vec());
    let answer = Answer { program, method, path, status, headers, body, server: None };
    CONTRACT.hold(&answer);
    answer
}
