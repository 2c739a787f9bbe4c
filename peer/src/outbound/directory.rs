//! The directory as its client sees it: where others are, and where this peer is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use protocol::directory::{Claim, PeerRecord, Registered, Registration};
use protocol::problem::Body;
use protocol::{Name, Slug, paths};
use reqwest::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};

use super::client::{bounded, innermost};

/// A directory answers within this, or counts as away.
const PATIENCE: Duration = Duration::from_secs(5);
/// What no directory answers to what it is asked here.
const NOT_OF_A_DIRECTORY: [Slug; 2] = [Slug::NotFound, Slug::MethodNotAllowed];
/// The longest list of peers that is read.
const LONGEST_LIST: usize = 64 * 1024 * 1024;
/// The longest of any other answer that is read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Where a directory is: a scheme, a host, and a port if it is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryUrl(Url);

/// Why a text is not the URL of a directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryUrlError {
    /// Something else.
    #[error("a directory's URL is a scheme, a host and a port, as in http://127.0.0.1:7100")]
    Shape,
    /// TLS, which comes with keys.
    #[error("this version speaks only plain http:// to its directory")]
    Tls,
}

/// One directory.
#[derive(Debug, Clone)]
pub struct Directory {
    client: Client,
    base: DirectoryUrl,
}

/// Why the directory gave no answer of use.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DirectoryError {
    /// It is away, or answers that it cannot answer.
    #[error("the directory {0} cannot be reached: {1}")]
    Away(DirectoryUrl, String),
    /// It refused, with its reason.
    #[error("the directory refused: {detail}")]
    Refused {
        /// Which problem it named.
        slug: Slug,
        /// What it said.
        detail: String,
    },
}

/// The list of those online, with the mark that tells whether it has changed.
#[derive(Debug, Default)]
pub struct List {
    /// Those online.
    pub peers: Vec<PeerRecord>,
    etag: Option<HeaderValue>,
}

impl FromStr for DirectoryUrl {
    type Err = DirectoryUrlError;

    fn from_str(text: &str) -> Result<Self, DirectoryUrlError> {
        let url = Url::parse(text).map_err(|_| DirectoryUrlError::Shape)?;
        let is_bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        match url.scheme() {
            "http" if is_bare => Ok(Self(url)),
            "https" => Err(DirectoryUrlError::Tls),
            _ => Err(DirectoryUrlError::Shape),
        }
    }
}

impl fmt::Display for DirectoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl Directory {
    /// The directory at this URL.
    #[must_use]
    pub fn new(client: Client, base: DirectoryUrl) -> Self {
        Self { client, base }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &DirectoryUrl {
        &self.base
    }

    /// Claims the name, comes online or renews.
    pub async fn register(
        &self,
        registration: &Registration,
        token: &str,
    ) -> Result<Registered, DirectoryError> {
        let request = self.request(Method::POST, paths::REGISTER).bearer_auth(token).json(registration);
        let answer = self.ask(request).await?;
        self.read(answer, LONGEST_ANSWER).await
    }

    /// Goes offline at once.
    pub async fn deregister(&self, token: &str) -> Result<(), DirectoryError> {
        self.ask(self.request(Method::DELETE, paths::REGISTER).bearer_auth(token)).await.map(drop)
    }

    /// Who is online.
    pub async fn peers(&self) -> Result<Vec<PeerRecord>, DirectoryError> {
        let answer = self.ask(self.request(Method::GET, paths::PEERS)).await?;
        self.read(answer, LONGEST_LIST).await
    }

    /// Brings a list of those online up to date; whether it has changed.
    pub async fn refresh(&self, list: &mut List) -> Result<bool, DirectoryError> {
        let mut request = self.request(Method::GET, paths::PEERS);
        if let Some(etag) = &list.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let answer = self.ask(request).await?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(false);
        }
        let etag = answer.headers().get(ETAG).cloned();
        *list = List { peers: self.read(answer, LONGEST_LIST).await?, etag };
        Ok(true)
    }

    /// What is claimed under this name, if anything is.
    pub async fn lookup(&self, name: &Name) -> Result<Option<Claim>, DirectoryError> {
        let mut url = self.base.0.clone();
        url.set_path(paths::PEERS);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(name.as_str());
        }
        match self.ask(self.client.get(url).timeout(PATIENCE)).await {
            Ok(answer) => self.read(answer, LONGEST_ANSWER).await.map(Some),
            Err(DirectoryError::Refused { slug: Slug::UnknownName, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.base.0.clone();
        url.set_path(path);
        self.client.request(method, url).timeout(PATIENCE)
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Response, DirectoryError> {
        let answer = request.send().await.map_err(|error| self.away(innermost(&error)))?;
        let status = answer.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        if status.is_server_error() {
            return Err(self.away(format!("it answers {status}")));
        }
        let bytes = bounded(answer, LONGEST_ANSWER).await.map_err(|error| self.away(error))?;
        match serde_json::from_slice::<Body<'_>>(&bytes) {
            Ok(body) if Slug::from_urn(&body.kind).is_some_and(|slug| NOT_OF_A_DIRECTORY.contains(&slug)) => {
                Err(self.away("what answers there is no directory".to_owned()))
            }
            Ok(body) if let Some(slug) = Slug::from_urn(&body.kind) => {
                Err(DirectoryError::Refused { slug, detail: body.detail.into_owned() })
            }
            _ => Err(self.away(format!("it answers {status}, and not as a directory does"))),
        }
    }

    async fn read<T: serde::de::DeserializeOwned>(
        &self,
        answer: Response,
        most: usize,
    ) -> Result<T, DirectoryError> {
        let bytes = bounded(answer, most).await.map_err(|error| self.away(error))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| self.away(format!("it answers what no directory does: {error}")))
    }

    fn away(&self, why: String) -> DirectoryError {
        DirectoryError::Away(self.base.clone(), why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_a_scheme_a_host_and_a_port() {
        for (typed, spelt) in [
            ("http://127.0.0.1:7100", "http://127.0.0.1:7100"),
            ("http://Dir.Example/", "http://dir.example"),
            ("http://[::1]:7100/", "http://[::1]:7100"),
        ] {
            assert_eq!(typed.parse::<DirectoryUrl>().map(|url| url.to_string()), Ok(spelt.to_owned()));
        }
        for bad in [
            "",
            "127.0.0.1:7100",
            "ftp://h:1",
            "http://h:1/x",
            "http://h:1?q",
            "http://h:1#f",
            "http://u@h:1",
        ] {
            assert_eq!(bad.parse::<DirectoryUrl>(), Err(DirectoryUrlError::Shape), "{bad}");
        }
        assert_eq!("https://h:1".parse::<DirectoryUrl>(), Err(DirectoryUrlError::Tls));
    }
}
