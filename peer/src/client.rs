//! The HTTP client that every request of this peer goes through: built once, its answers read within bounds. What is
//! asked, and what an answer means, is for `directory` and `transport`.

use std::error::Error;
use std::time::Duration;

pub use reqwest::Client;
use reqwest::Response;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;

/// Who cannot be connected to within this is not reachable.
const CONNECT: Duration = Duration::from_secs(5);

/// A client without a system proxy, that follows no redirects.
pub fn client() -> Result<Client, ClientError> {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .pool_max_idle_per_host(1)
        .user_agent(concat!("recado/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(ClientError)
}

/// The HTTP client cannot be set up: a defect of the build, or of the system.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct ClientError(reqwest::Error);

/// Reads an answer's body, but no more than `most` bytes of it.
pub(crate) async fn bounded(mut answer: Response, most: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| innermost(&error))? {
        if bytes.len() + chunk.len() > most {
            return Err(format!("its answer is longer than {most} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// After how long an answer asks to be asked again, if it says so in seconds.
pub(crate) fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The cause at the bottom of an error, without the URL that reqwest puts around it.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
