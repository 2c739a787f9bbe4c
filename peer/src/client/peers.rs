//! The client to other peers. Nothing of a request leaves before the other end has proved the key that is expected of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::address::Scheme;
use protocol::{Address, Fingerprint};
use reqwest::header::{CONTENT_TYPE, HOST};
use reqwest::{Client, Method, RequestBuilder, Response};
use rustls::sign::CertifiedKey;

use super::places::{Host, Places};
use super::{ClientError, bare, tls};

/// A peer that cannot be connected to within this is not reachable. A command that sends waits 5 s for all of a
/// recipient's addresses.
const CONNECT: Duration = Duration::from_secs(3);

/// Where a request goes, and to whom alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The address.
    pub address: Address,
    /// Who has to be there.
    pub expected: Expected,
    /// Whether the address may be one of this machine.
    pub loopback: bool,
}

/// Who has to be at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whoever holds this key; it has to be an address of TLS.
    Key(Fingerprint),
    /// Anyone: the user has said that it need not be checked.
    Anyone,
}

impl Expected {
    /// The key, if one is expected.
    #[must_use]
    pub fn key(self) -> Option<Fingerprint> {
        match self {
            Self::Key(key) => Some(key),
            Self::Anyone => None,
        }
    }
}

/// The client to other peers; a clone is the same one.
#[derive(Debug, Clone)]
pub struct Peers {
    encrypted: Client,
    plain: Client,
    places: Places,
}

impl Peers {
    /// A client that shows this key.
    pub fn new(own: Arc<CertifiedKey>) -> Result<Self, ClientError> {
        let places = Places::default();
        let client = |config| {
            let resolver = Arc::new(places.clone());
            bare().connect_timeout(CONNECT).dns_resolver(resolver).tls_backend_preconfigured(config)
        };
        Ok(Self {
            encrypted: client(tls::to_peers(own)?).https_only(true).build()?,
            plain: client(tls::trusting_nobody()?).build()?,
            places,
        })
    }

    /// Posts this JSON to this path there, and gives what is answered within `patience`, its body included.
    pub async fn post(
        &self,
        destination: &Destination,
        path: &str,
        json: Bytes,
        patience: Duration,
    ) -> Result<Response, reqwest::Error> {
        let json = |request: RequestBuilder| request.header(CONTENT_TYPE, "application/json").body(json);
        self.ask(Method::POST, destination, path, patience, json).await
    }

    /// Asks for this path there, and gives what is answered within `patience`, its body included.
    pub async fn get(
        &self,
        destination: &Destination,
        path: &str,
        patience: Duration,
    ) -> Result<Response, reqwest::Error> {
        self.ask(Method::GET, destination, path, patience, |request| request).await
    }

    async fn ask(
        &self,
        method: Method,
        destination: &Destination,
        path: &str,
        patience: Duration,
        finished: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, reqwest::Error> {
        // The client finds the place for as long as it is held here.
        let Destination { address, expected, loopback } = destination;
        let place = self.places.of(address, *loopback);
        let (client, scheme, host) = match (expected, address.scheme()) {
            // Only TLS can show it, whatever the address says.
            (Expected::Key(key), _) => (&self.encrypted, Scheme::Https, Host::Key(*key)),
            (Expected::Anyone, Scheme::Https) => (&self.encrypted, Scheme::Https, Host::Unchecked),
            (Expected::Anyone, Scheme::Http) => (&self.plain, Scheme::Http, Host::Unchecked),
        };
        let url = format!("{scheme}://{}{path}", host.at(&place));
        // A peer that is spoken to without TLS looks at how it was called.
        let request = client.request(method, url).header(HOST, address.authority()).timeout(patience);
        finished(request).send().await
    }
}
