//! The directory as its client sees it: where others are, and where this peer is.

mod url;

mod online;

mod list;

mod link;

mod events;

mod frames;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use protocol::directory::{Claim, Registered, Registration};
use protocol::problem::{Body, clipped};
use protocol::{Name, Secret, Slug, paths};
use reqwest::header::DATE;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::client::{
    self, ClientError, Vouching, bounded, distrust, innermost, other_key, over_loopback, retry_after,
};
pub use events::{Event, Events};
pub use list::List;
pub use online::Online;
pub use url::{DirectoryUrl, DirectoryUrlError};

/// A directory answers within this, or counts as away.
const PATIENCE: Duration = Duration::from_secs(5);
/// What takes several questions is answered within this, all in all.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(10);
/// The longest of any answer that is read, but for the list of peers.
const LONGEST_ANSWER: usize = 64 * 1024;

/// One directory; a clone is the same one.
#[derive(Debug, Clone)]
pub struct Directory {
    client: Client,
    base: DirectoryUrl,
    /// Shows with every question that this peer has a name there: a private directory answers nobody else.
    token: Arc<OnceLock<Secret>>,
}

/// What a directory said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard<T> {
    /// The answer.
    pub said: T,
    /// Whether it came from this machine: then the addresses in it may be of this machine too.
    pub here: bool,
}

/// How a directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Which version of the program it is, if it says so.
    pub version: Option<String>,
    /// What time it is there.
    pub now: Option<Timestamp>,
}

/// Why the directory gave no answer of use.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DirectoryError {
    /// It is away, or answers that it cannot answer.
    #[error("the directory {directory} cannot be reached: {why}")]
    Away {
        /// Where it should be.
        directory: Box<DirectoryUrl>,
        /// What came instead of an answer.
        why: String,
        /// After how long it asked to be asked again.
        retry_after: Option<Duration>,
    },
    /// It refused, with its reason.
    #[error("the directory refused: {detail}")]
    Refused {
        /// Which problem it named.
        slug: Slug,
        /// What it said.
        detail: String,
    },
}

impl Directory {
    /// The directory at this URL.
    pub fn new(base: DirectoryUrl) -> Result<Self, ClientError> {
        let client = client::to_directory(base.vouching())?;
        Ok(Self { client, base, token: Arc::default() })
    }

    /// Shows this token with every question from now on.
    pub fn show_token(&self, token: Secret) {
        let _ = self.token.set(token);
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
        token: &Secret,
    ) -> Result<Registered, DirectoryError> {
        let request =
            self.client.post(self.base.at(paths::REGISTER)).bearer_auth(token.reveal()).json(registration);
        self.read(self.ask(request.timeout(PATIENCE)).await?).await
    }

    /// Goes offline at once.
    pub async fn deregister(&self, token: &Secret) -> Result<(), DirectoryError> {
        let request = self.client.delete(self.base.at(paths::REGISTER)).bearer_auth(token.reveal());
        self.ask(request.timeout(PATIENCE)).await.map(drop)
    }

    /// What is claimed under this name, if anything is.
    pub async fn lookup(&self, name: &Name) -> Result<Heard<Option<Claim>>, DirectoryError> {
        let mut url = self.base.at(paths::PEERS);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(name.as_str());
        }
        match self.ask(self.get(url).timeout(PATIENCE)).await {
            Ok(answer) => {
                let here = over_loopback(&answer);
                let claim: Claim = self.read(answer).await?;
                if claim.name != *name {
                    return Err(self.away(reason!("asked for {name}, it answers of {}", claim.name)));
                }
                Ok(Heard { said: Some(claim), here })
            }
            // There is no address in that.
            Err(DirectoryError::Refused { slug: Slug::UnknownName, .. }) => {
                Ok(Heard { said: None, here: false })
            }
            Err(error) => Err(error),
        }
    }

    /// How it is. It says so to anybody.
    pub async fn health(&self, patience: Duration) -> Result<Health, DirectoryError> {
        #[derive(Deserialize)]
        struct Said {
            version: Option<String>,
        }
        let answer = self.ask(self.client.get(self.base.at(paths::HEALTH)).timeout(patience)).await?;
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        let now = date.and_then(|date| httpdate::parse_http_date(date).ok());
        let now = now.and_then(|now| Timestamp::try_from(now).ok());
        let Said { version } = self.read(answer).await?;
        Ok(Health { version: version.map(clipped), now })
    }

    /// A question, with the token if there is one.
    fn get(&self, url: Url) -> RequestBuilder {
        let request = self.client.get(url);
        match self.token.get() {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Response, DirectoryError> {
        let answer = request.send().await.map_err(|error| self.away(self.no_answer(&error)))?;
        let status = answer.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        let retry_after = retry_after(&answer);
        let away = |why| self.away_for(retry_after, why);
        let bytes = bounded(answer, LONGEST_ANSWER).await.map_err(away)?;
        let Ok(body) = serde_json::from_slice::<Body<'_>>(&bytes) else {
            return Err(away(reason!("it answers {status}, and not as a directory does")));
        };
        match Slug::from_urn(&body.kind) {
            Some(Slug::NotFound | Slug::MethodNotAllowed) => {
                Err(away(reason!("what answers there is no directory")))
            }
            Some(slug) if is_no(slug) => {
                Err(DirectoryError::Refused { slug, detail: clipped(body.detail.into_owned()) })
            }
            _ => Err(away(reason!("it answers {status}"))),
        }
    }

    /// What comes of this, if it comes in time.
    async fn within<T>(
        &self,
        patience: Duration,
        answer: impl Future<Output = Result<T, DirectoryError>>,
    ) -> Result<T, DirectoryError> {
        let late = |_| Err(self.away(reason!("it did not answer in time")));
        timeout(patience, answer).await.unwrap_or_else(late)
    }

    async fn read<T: DeserializeOwned>(&self, answer: Response) -> Result<T, DirectoryError> {
        let bytes = bounded(answer, LONGEST_ANSWER).await.map_err(|error| self.away(error))?;
        self.parse(&bytes)
    }

    fn parse<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, DirectoryError> {
        serde_json::from_slice(bytes)
            .map_err(|error| self.away(clipped(reason!("it answers what no directory does: {error}"))))
    }

    /// Why a question got no answer.
    fn no_answer(&self, error: &reqwest::Error) -> String {
        if let Some(keys) = other_key(error) {
            let presented = keys.presented;
            return reason!(
                "{keys}. It may be another one; if it has a new key, its URL is to end in #{presented}"
            );
        }
        match distrust(error).filter(|_| self.base.vouching() == Vouching::SystemRoots) {
            Some(why) => reason!(
                "{why}. Pin its key with `--server {}#FINGERPRINT` (README says how to compute that), or let the system trust it",
                self.base
            ),
            None => innermost(error),
        }
    }

    fn away(&self, why: String) -> DirectoryError {
        self.away_for(None, why)
    }

    fn away_for(&self, retry_after: Option<Duration>, why: String) -> DirectoryError {
        DirectoryError::Away { directory: Box::new(self.base.clone()), why, retry_after }
    }
}

/// Whether a problem is the directory's word on the matter, and not on how it is at the moment.
fn is_no(slug: Slug) -> bool {
    match slug {
        Slug::RateLimited | Slug::Timeout => false,
        Slug::DirectoryFull => true,
        slug => slug.status() < 500,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Site, response};

    #[test]
    fn a_log_line_about_a_directory_shows_no_token() {
        let directory = Directory::new("http://127.0.0.1:1".parse().unwrap()).unwrap();
        directory.show_token(Secret::from("xyzzy".to_owned()));
        let shown = format!("{directory:?}");
        assert!(shown.contains("127.0.0.1") && !shown.contains("xyzzy"), "{shown}");
    }

    #[tokio::test]
    async fn an_answer_about_another_name_is_none() {
        let claim = r#"{"name":"rui","fingerprint":null,"online":false}"#;
        let site = Site::answering(None, |_| response("200 OK", claim)).await;
        let directory = Directory::new(site.address.to_string().parse().unwrap()).unwrap();
        let found = directory.lookup(&"rui".parse().unwrap()).await.unwrap();
        assert_eq!(found.said.unwrap().name.as_str(), "rui");
        match directory.lookup(&"ana".parse().unwrap()).await {
            Err(DirectoryError::Away { why, .. }) => {
                assert!(why.contains("ana") && why.contains("rui"), "{why}");
            }
            other => panic!("{other:?}"),
        }
    }
}
