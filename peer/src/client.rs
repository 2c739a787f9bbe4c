//! The HTTP clients that every request of this peer goes through: one to other peers, one to the directory; their
//! answers read within bounds. What is asked, and what an answer means, is for `directory` and `transport`.

pub mod dial;

mod peers;

mod places;

mod tls;

mod verifier;

use std::error::Error;
use std::io;
use std::time::Duration;

use protocol::Fingerprint;
pub use reqwest::Client;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Response};

pub use peers::{Destination, Expected, Peers};
pub use verifier::OtherKey;

/// A directory that cannot be connected to within this is away.
const CONNECT: Duration = Duration::from_secs(5);

/// As many connections to a directory are kept as questions are under way at once: opening one for each question would
/// use up this machine's ports.
const IDLE_TO_DIRECTORY: usize = 64;

/// What vouches for the other end of a connection to a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vouching {
    /// Nothing: plain HTTP.
    Nobody,
    /// Its key has to be this one, whoever signed its certificate.
    Key(Fingerprint),
    /// Its certificate has to be signed by whom this system trusts.
    SystemRoots,
}

/// A client for a directory's requests.
pub fn to_directory(vouching: Vouching) -> Result<Client, ClientError> {
    let builder = match vouching {
        Vouching::Nobody => bare().tls_backend_preconfigured(tls::trusting_nobody()?),
        Vouching::Key(key) => bare().tls_backend_preconfigured(tls::to_one_with_key(key)?).https_only(true),
        Vouching::SystemRoots => {
            // Without one reqwest panics.
            listener::install_provider();
            bare().https_only(true)
        }
    };
    Ok(builder.connect_timeout(CONNECT).pool_max_idle_per_host(IDLE_TO_DIRECTORY).build()?)
}

/// A client without a system proxy, that follows no redirects.
fn bare() -> ClientBuilder {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .tcp_nodelay(true)
        .pool_max_idle_per_host(1)
        .user_agent(concat!("recado/", env!("CARGO_PKG_VERSION")))
}

/// An HTTP client cannot be set up: a defect of the build, or of the system.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Its TLS.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] tls::TlsError),
    /// The rest.
    #[error("the HTTP client cannot be set up: {}", innermost(.0))]
    Http(#[from] reqwest::Error),
}

/// Reads an answer's body, but no more than `most` bytes of it.
pub(crate) async fn bounded(mut answer: Response, most: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| innermost(&error))? {
        if bytes.len() + chunk.len() > most {
            return Err(reason!("its answer is longer than {most} bytes"));
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

/// Whether the one who answered is on this machine.
pub(crate) fn over_loopback(answer: &Response) -> bool {
    answer.remote_addr().is_some_and(|address| address.ip().to_canonical().is_loopback())
}

/// The keys, if a request was not made because the other end has another key than expected: nothing of it was sent.
pub(crate) fn other_key(error: &reqwest::Error) -> Option<OtherKey> {
    causes(error).find_map(OtherKey::behind)
}

/// What is wrong with the other end's certificate, if a request was not made since nobody whom this system trusts vouches
/// for it.
pub(crate) fn distrust(error: &reqwest::Error) -> Option<String> {
    causes(error).find_map(tls::distrust)
}

/// The cause at the bottom of an error, without the URL that reqwest puts around it.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return reason!("it did not answer in time");
    }
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// An error and what is behind it, one after another.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| behind(*error))
}

/// What an error came from; an I/O error hides the one that it carries.
fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::{Id, Site, response};
