//! Who is at the other end of a connection, as far as TCP knows. What is trusted because of it is for the programs to say.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use protocol::problem::Slug;

use crate::Refusal;

/// The address at the other end. [`serve`](fn@crate::serve) puts it into the extensions of each request; a handler takes it as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source(pub SocketAddr);

impl Source {
    /// The source in its canonical form: a dual-stack listener reports `::ffff:127.0.0.1` for `127.0.0.1`.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }

    /// Whether the connection came from this machine. This is not authentication.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        self.0.ip().is_loopback()
    }

    /// What limits are counted by: the IPv4 address, or the /64 that one IPv6 host has to itself.
    #[must_use]
    pub fn network(self) -> IpAddr {
        match self.0.ip() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            address @ IpAddr::V4(_) => address,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Source {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let source = parts.extensions.get().copied();
        source.ok_or_else(|| {
            tracing::error!("a request has no source: its router is not served by listener::serve");
            Slug::Internal.because("The server does not know where this request came from.").into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> Source {
        Source::new(address.parse().unwrap())
    }

    #[test]
    fn a_mapped_address_is_the_address_it_maps() {
        assert_eq!(source("[::ffff:127.0.0.1]:80"), source("127.0.0.1:80"));
        assert!(source("[::ffff:127.0.0.1]:80").is_loopback());
        assert!(source("[::1]:80").is_loopback());
        assert!(!source("[::ffff:192.0.2.1]:80").is_loopback());
    }

    #[test]
    fn a_network_is_one_ipv4_address_or_one_64() {
        assert_eq!(source("192.0.2.1:80").network(), source("192.0.2.1:81").network());
        assert_ne!(source("192.0.2.1:80").network(), source("192.0.2.2:80").network());
        assert_eq!(source("[2001:db8::1]:80").network(), source("[2001:db8::2]:80").network());
        assert_ne!(source("[2001:db8:0:1::1]:80").network(), source("[2001:db8:0:2::1]:80").network());
    }
}
