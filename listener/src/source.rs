//! Where a request came from: from the other end of its connection, or from where a trusted proxy there says. What is
//! trusted because of it is for the programs to say.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::{IpNet, Ipv4Net};
use protocol::problem::Slug;

use crate::Refusal;
use crate::forwarded::{Hop, chains};

/// Where a request came from. [`serve`](fn@crate::serve) puts it into the extensions of each request; a handler takes it as an
/// argument. Its address is canonical: a dual-stack listener reports `::ffff:127.0.0.1` for `127.0.0.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    ip: IpAddr,
    standing: Standing,
}

/// What is known of the one at the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// On this machine, and asking for nobody else as far as it says.
    Here,
    /// A trusted proxy, asking for nobody else.
    Proxy,
    /// Anybody else.
    Stranger,
    /// Somebody behind a trusted proxy, which does not say who. The address is the proxy's.
    Unknown,
}

/// The addresses of a proxy, or of several, whose word about where a request came from is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedProxy(IpNet);

/// The text names no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write an IP address or a network, as in 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32")]
pub struct TrustedProxyError;

impl Source {
    /// The one at the other end of a connection, before anything was said.
    #[must_use]
    pub fn connected(peer: SocketAddr, trusted: &[TrustedProxy]) -> Self {
        let ip = peer.ip().to_canonical();
        let standing = if trusted.iter().any(|proxy| proxy.covers(ip)) {
            Standing::Proxy
        } else if ip.is_loopback() {
            Standing::Here
        } else {
            Standing::Stranger
        };
        Self { ip, standing }
    }

    /// The source of a request with these headers over such a connection.
    ///
    /// A trusted proxy is believed: the source is the right-most hop of `X-Forwarded-For` or `Forwarded` that is no trusted
    /// proxy, or the left-most if all are. Where that hop is no IP address, or the two headers disagree, the source is
    /// unknown. From anyone else the headers are ignored; but who sends one is asking for somebody else, and not from here.
    #[must_use]
    pub fn of(self, headers: &HeaderMap, trusted: &[TrustedProxy]) -> Self {
        let chains = chains(headers);
        let Some((first, others)) = chains.split_first() else { return self };
        if self.standing != Standing::Proxy {
            return Self { standing: Standing::Stranger, ..self };
        }
        let origin = origin(first, trusted);
        match origin.filter(|_| others.iter().all(|chain| self::origin(chain, trusted) == origin)) {
            Some(ip) => Self { ip, standing: Standing::Stranger },
            None => Self { standing: Standing::Unknown, ..self },
        }
    }

    /// The address that limits and logs refer to: that of the nearest one who is known.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        self.ip
    }

    /// The address at which the one who asked is seen; `None` if a trusted proxy does not say who that is.
    #[must_use]
    pub fn seen_at(self) -> Option<IpAddr> {
        (self.standing != Standing::Unknown).then_some(self.ip)
    }

    /// Whether the request came from this machine, forwarded by nobody. This is not authentication.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        self.standing == Standing::Here || (self.standing == Standing::Proxy && self.ip.is_loopback())
    }

    /// Whether it is this machine, or a trusted proxy that asks for itself: neither its connections nor its requests are
    /// counted. What else is counted by source is for the programs to say.
    #[must_use]
    pub(crate) fn is_here_or_proxy(self) -> bool {
        matches!(self.standing, Standing::Here | Standing::Proxy)
    }

    /// What limits are counted by: the IPv4 address, or the /64 that one IPv6 host has to itself.
    #[must_use]
    pub fn network(self) -> IpAddr {
        match self.ip {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            address @ IpAddr::V4(_) => address,
        }
    }
}

/// Who stands before all trusted proxies, in a chain with the last hop first.
fn origin(chain: &[Hop], trusted: &[TrustedProxy]) -> Hop {
    let is_proxy = |hop: &Hop| hop.is_some_and(|ip| trusted.iter().any(|proxy| proxy.covers(ip)));
    chain.iter().find(|hop| !is_proxy(hop)).or(chain.last()).copied().flatten()
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

impl TrustedProxy {
    fn covers(self, ip: IpAddr) -> bool {
        self.0.contains(&ip)
    }
}

impl FromStr for TrustedProxy {
    type Err = TrustedProxyError;

    fn from_str(text: &str) -> Result<Self, TrustedProxyError> {
        let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
        let network = text.parse().ok().or_else(one).ok_or(TrustedProxyError)?;
        Ok(Self(canonical(network)))
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// IPv4 networks inside `::ffff:0:0/96` as what they are, since the addresses that they are compared with are.
fn canonical(network: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    let ipv4 = |ip: Ipv4Addr| Ipv4Net::new(ip, network.prefix_len().checked_sub(MAPPED)?).ok();
    match network {
        IpNet::V6(inner) => inner.addr().to_ipv4_mapped().and_then(ipv4).map_or(network, IpNet::V4),
        IpNet::V4(_) => network,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    const ANA: &str = "203.0.113.7";

    fn trusted(networks: &str) -> Vec<TrustedProxy> {
        networks.split_whitespace().map(|network| network.parse().unwrap()).collect()
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn direct(peer: &str) -> Source {
        Source::connected(peer.parse().unwrap(), &[])
    }

    /// A request over a connection from a proxy at 10.0.0.1, behind which there may be others.
    fn proxied(lines: &[(&'static str, &str)]) -> Source {
        let trusted = trusted("10.0.0.0/8 2001:db8:ffff::/48");
        Source::connected("10.0.0.1:1".parse().unwrap(), &trusted).of(&headers(lines), &trusted)
    }

    #[test]
    fn a_mapped_address_is_the_address_it_maps() {
        assert_eq!(direct("[::ffff:127.0.0.1]:80"), direct("127.0.0.1:80"));
        assert!(direct("[::ffff:127.0.0.1]:80").is_loopback());
        assert!(direct("[::1]:80").is_loopback());
        assert!(!direct("[::ffff:192.0.2.1]:80").is_loopback());
        let mapped = trusted("::ffff:10.0.0.0/104 ::ffff:192.0.2.1");
        assert_eq!(mapped, trusted("10.0.0.0/8 192.0.2.1/32"));
        assert!(Source::connected("[::ffff:10.9.9.9]:1".parse().unwrap(), &mapped).is_here_or_proxy());
    }

    #[test]
    fn a_network_is_one_ipv4_address_or_one_64() {
        assert_eq!(direct("192.0.2.1:80").network(), direct("192.0.2.1:81").network());
        assert_ne!(direct("192.0.2.1:80").network(), direct("192.0.2.2:80").network());
        assert_eq!(direct("[2001:db8::1]:80").network(), direct("[2001:db8::2]:80").network());
        assert_ne!(direct("[2001:db8:0:1::1]:80").network(), direct("[2001:db8:0:2::1]:80").network());
    }

    #[test]
    fn a_trusted_proxy_is_an_address_or_a_network() {
        for text in ["10.0.0.0/8", "10.1.2.3/8", "10.1.2.3", "2001:db8::/32", "::1"] {
            assert!(text.parse::<TrustedProxy>().is_ok(), "{text}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0/8", "proxy.example", "10.0.0.0/8,10.0.0.1", "[::1]"] {
            assert_eq!(text.parse::<TrustedProxy>(), Err(TrustedProxyError), "{text}");
        }
    }

    #[test]
    fn what_a_trusted_proxy_forwards_comes_from_the_last_hop_before_all_proxies() {
        for lines in [
            &[("x-forwarded-for", ANA)] as &[_],
            &[("x-forwarded-for", "192.0.2.66, 203.0.113.7, 10.9.9.9")],
            &[("x-forwarded-for", "unknown, 203.0.113.7:80,2001:db8:ffff::2")],
            &[("x-forwarded-for", "192.0.2.66"), ("x-forwarded-for", "::ffff:203.0.113.7")],
            &[("forwarded", "for=192.0.2.66, for=203.0.113.7;proto=https, for=\"[2001:db8:ffff::2]:1\"")],
            &[("forwarded", "for=203.0.113.7"), ("x-forwarded-for", "203.0.113.7, 10.0.0.2")],
        ] {
            let source = proxied(lines);
            assert_eq!(source.seen_at(), Some(ANA.parse().unwrap()), "{lines:?}");
            assert!(!source.is_here_or_proxy() && !source.is_loopback(), "{lines:?}");
        }
        let all_trusted = proxied(&[("x-forwarded-for", "10.3.3.3, 10.2.2.2")]);
        assert_eq!(all_trusted.seen_at(), Some("10.3.3.3".parse().unwrap()));
        assert!(!all_trusted.is_here_or_proxy());
    }

    #[test]
    fn who_is_not_named_is_unknown_and_counted_as_the_proxy() {
        for lines in [
            &[("x-forwarded-for", "203.0.113.7, unknown")] as &[_],
            &[("x-forwarded-for", "203.0.113.7, unknown, 10.0.0.2")],
            &[("x-forwarded-for", "")],
            &[("forwarded", "for=_hidden")],
            &[("forwarded", "by=10.0.0.1")],
            &[("forwarded", "for=\"203.0.113.7")],
            &[("forwarded", "for=203.0.113.7"), ("x-forwarded-for", "192.0.2.66")],
            &[("forwarded", "for=unknown"), ("x-forwarded-for", "203.0.113.7")],
        ] {
            let source = proxied(lines);
            assert_eq!((source.seen_at(), source.ip()), (None, "10.0.0.1".parse().unwrap()), "{lines:?}");
            assert!(!source.is_here_or_proxy() && !source.is_loopback(), "{lines:?}");
        }
        assert!(proxied(&[]).is_here_or_proxy());
    }

    #[test]
    fn from_anyone_else_the_headers_only_say_that_it_is_not_here() {
        for line in [("x-forwarded-for", ANA), ("forwarded", "for=203.0.113.7"), ("x-forwarded-for", "")] {
            for peer in ["127.0.0.1:1", "[::1]:1", "192.0.2.9:1"] {
                let source = direct(peer).of(&headers(&[line]), &trusted("10.0.0.0/8"));
                assert_eq!(source.seen_at(), Some(direct(peer).ip()), "{peer} {line:?}");
                assert!(!source.is_here_or_proxy() && !source.is_loopback(), "{peer} {line:?}");
            }
        }
    }

    #[test]
    fn a_proxy_on_this_machine_makes_nobody_else_local() {
        let trusted = trusted("127.0.0.0/8 ::1");
        let proxy = Source::connected("127.0.0.1:1".parse().unwrap(), &trusted);
        assert!(proxy.is_loopback() && proxy.of(&headers(&[]), &trusted).is_loopback());
        for hops in ["127.0.0.1", "::1, 127.0.0.1", ANA, "unknown"] {
            assert!(!proxy.of(&headers(&[("x-forwarded-for", hops)]), &trusted).is_loopback(), "{hops}");
        }
    }

    proptest! {
        #[test]
        fn what_a_client_writes_itself_is_never_its_source(
            written in "[ -~]{0,60}",
            client: [u8; 4],
            quoted: bool,
        ) {
            let client = IpAddr::from(client);
            prop_assume!(!trusted("10.0.0.0/8").iter().any(|proxy| proxy.covers(client)));
            let added = if quoted { format!("for=\"{client}:1\"") } else { format!("for={client}") };
            let by_list = proxied(&[("x-forwarded-for", &format!("{written}, {client}"))]);
            prop_assert_eq!(by_list.seen_at(), Some(client));
            let by_element = proxied(&[("forwarded", &format!("{written}, {added}"))]).seen_at();
            prop_assert!(by_element == Some(client) || by_element.is_none());
            let by_line = proxied(&[("forwarded", &written), ("forwarded", &added)]);
            prop_assert_eq!(by_line.seen_at(), Some(client));
        }
    }
}
