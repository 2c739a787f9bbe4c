//! An address: where a peer can be dialled. Every spelling of a host ends in one, so that no check can be talked round.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Host;

/// An absolute `http://` or `https://` URL of a host and a port, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    scheme: Scheme,
    host: Host,
    port: u16,
}

/// How a peer is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

/// What kind of place a host is, as far as a stranger's word for it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// `0.0.0.0` or `[::]`: "the address that you see me at".
    Unspecified,
    /// This machine.
    Loopback,
    /// `169.254.0.0/16` or `fe80::/10`.
    LinkLocal,
    /// A group of machines; the IPv4 broadcast address too.
    Multicast,
    /// A machine with a name or address of its own.
    Host,
}

/// Why a text is not an address, or not one that may be listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Another scheme, or none.
    #[error("an address begins with http:// or https://")]
    Scheme,
    /// Something behind the port, or user information before the host.
    #[error(
        "an address is a scheme, a host and a port, without user, path, query or fragment, as in https://192.0.2.7:7101"
    )]
    Shape,
    /// No port, or one that cannot be dialled.
    #[error("an address ends with a port from 1 to 65535, as in https://192.0.2.7:7101")]
    Port,
    /// The host is neither a name nor an IP address.
    #[error("the host is not a name or an IP address")]
    Host,
    /// Still unspecified when it mattered.
    #[error("an unspecified host cannot be dialled: use the address at which others reach you")]
    Unspecified,
    /// Loopback, told to a stranger.
    #[error("a loopback address cannot be reached from another machine: use one that others can dial")]
    Loopback,
    /// Link-local.
    #[error("a link-local address cannot be listed: use one that others can dial")]
    LinkLocal,
    /// Multicast or broadcast.
    #[error("a multicast or broadcast address is not a peer: use one that others can dial")]
    Multicast,
}

/// The names of this machine in the hosts files of common systems, besides `localhost` and what ends in it (RFC 6761).
const NAMES_OF_LOOPBACK: [&str; 6] = [
    "ip6-localhost",
    "ip6-loopback",
    "localhost.localdomain",
    "localhost4.localdomain4",
    "localhost6",
    "localhost6.localdomain6",
];

impl Address {
    /// The address of a port on an IP address.
    #[must_use]
    pub fn new(scheme: Scheme, ip: IpAddr, port: u16) -> Self {
        Self { scheme, host: host_of(ip), port }
    }

    /// How the peer there is spoken to.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The port, never 0 in an address that was parsed.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host's IP address, if it is written as one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match &self.host {
            Host::Ipv4(ip) => Some((*ip).into()),
            Host::Ipv6(ip) => Some((*ip).into()),
            Host::Domain(_) => None,
        }
    }

    /// The host: a name in lower case without the root's dot, or an IP address, an IPv6 one in brackets.
    #[must_use]
    pub fn host(&self) -> String {
        let host = self.host.to_string();
        host.strip_suffix('.').map(str::to_owned).unwrap_or(host)
    }

    /// Host and port, as an address without its scheme has them.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// What kind of place the host is. A name other than `localhost` is known only after it was resolved.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match &self.host {
            Host::Ipv4(ip) => reach(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => reach(IpAddr::V6(*ip)),
            Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                let is_local = name == "localhost" || name.ends_with(".localhost");
                if is_local || NAMES_OF_LOOPBACK.contains(&name) { Reach::Loopback } else { Reach::Host }
            }
        }
    }

    /// The same address, with an unspecified host replaced by where the request came from.
    #[must_use]
    pub fn seen_at(self, source: IpAddr) -> Self {
        if self.reach() == Reach::Unspecified { Self { host: host_of(source), ..self } } else { self }
    }

    /// Whether a directory may list this address for someone who asked from this machine, or from another.
    pub fn listable(&self, asked_over_loopback: bool) -> Result<(), AddressError> {
        match self.reach() {
            Reach::Host => Ok(()),
            Reach::Loopback if asked_over_loopback => Ok(()),
            Reach::Loopback => Err(AddressError::Loopback),
            Reach::Unspecified => Err(AddressError::Unspecified),
            Reach::LinkLocal => Err(AddressError::LinkLocal),
            Reach::Multicast => Err(AddressError::Multicast),
        }
    }
}

/// What kind of place an IP address is. An IPv4 address inside an IPv6 one is judged as what it is.
#[must_use]
pub fn reach(ip: IpAddr) -> Reach {
    let ip = embedded(ip);
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    if ip.is_unspecified() {
        Reach::Unspecified
    } else if ip.is_loopback() {
        Reach::Loopback
    } else if link_local {
        Reach::LinkLocal
    } else if ip.is_multicast() || matches!(ip, IpAddr::V4(ip) if ip.is_broadcast()) {
        Reach::Multicast
    } else {
        Reach::Host
    }
}

/// Where a packet to this address may end: the IPv4 address that is mapped into it (RFC 4291), that a translator
/// (RFC 6052, RFC 2765) or a relay (RFC 3056) takes out of it, or that it once stood for (`::127.0.0.1`).
fn embedded(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip.to_canonical() else { return ip.to_canonical() };
    let v4 = |high: u16, low: u16| IpAddr::V4(((u32::from(high) << 16) | u32::from(low)).into());
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => ip,
        [0, 0, 0, 0, 0 | 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        _ => ip,
    }
}

/// Whether a name could stand in the DNS: labels of 1 to 63 characters, 253 in all (RFC 1035, section 2.3.4), that neither
/// begin nor end with a hyphen (RFC 952).
fn is_host_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let label =
        |label: &str| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
    name.len() <= 253 && name.split('.').all(label)
}

fn host_of(ip: IpAddr) -> Host {
    match ip.to_canonical() {
        IpAddr::V4(ip) => Host::Ipv4(ip),
        IpAddr::V6(ip) => Host::Ipv6(ip),
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(AddressError::Scheme),
        };
        if rest.contains(|c: char| {
            matches!(c, '/' | '\\' | '?' | '#' | '@') || c.is_whitespace() || c.is_control()
        }) {
            return Err(AddressError::Shape);
        }
        let (host, port) =
            rest.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).ok_or(AddressError::Port)?;
        if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(AddressError::Port);
        }
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(AddressError::Port)?;
        let host = match Host::parse(host).map_err(|_| AddressError::Host)? {
            Host::Ipv6(ip) => host_of(IpAddr::V6(ip)),
            Host::Domain(name) if !is_host_name(&name) => return Err(AddressError::Host),
            other => other,
        };
        Ok(Self { scheme, host, port })
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority())
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> Result<Address, AddressError> {
        text.parse()
    }

    #[test]
    fn every_spelling_ends_in_one() {
        for (typed, spelt) in [
            ("http://127.0.0.1:7101", "http://127.0.0.1:7101"),
            ("HTTP://Ana.Example:80", "http://ana.example:80"),
            ("https://[2001:DB8::1]:443", "https://[2001:db8::1]:443"),
            ("http://127.1:1", "http://127.0.0.1:1"),
            ("http://0x7f000001:1", "http://127.0.0.1:1"),
            ("http://2130706433:1", "http://127.0.0.1:1"),
            ("http://[::ffff:169.254.1.1]:1", "http://169.254.1.1:1"),
        ] {
            assert_eq!(address(typed).map(|a| a.to_string()), Ok(spelt.to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (typed, why) in [
            ("127.0.0.1:7101", AddressError::Scheme),
            ("ftp://host:1", AddressError::Scheme),
            ("", AddressError::Scheme),
            ("http://host:1/", AddressError::Shape),
            ("http://host:1/x", AddressError::Shape),
            ("http://host:1?x", AddressError::Shape),
            ("http://host:1#x", AddressError::Shape),
            ("http://ana@host:1", AddressError::Shape),
            ("http://host\\x:1", AddressError::Shape),
            ("http:// host:1", AddressError::Shape),
            ("http://host", AddressError::Port),
            ("http://[::1]", AddressError::Port),
            ("http://host:", AddressError::Port),
            ("http://host:0", AddressError::Port),
            ("http://host:65536", AddressError::Port),
            ("http://host:+1", AddressError::Port),
            ("http://:1", AddressError::Host),
            ("http://[::1:1", AddressError::Host),
            ("http://[fe80::1%eth0]:1", AddressError::Host),
            ("http://300.1.1.1:1", AddressError::Host),
            ("http://a..b:1", AddressError::Host),
            ("http://-a:1", AddressError::Host),
            ("http://a-.b:1", AddressError::Host),
            (&format!("http://{}:1", "a".repeat(64)), AddressError::Host),
            (&format!("http://{}:1", "a.".repeat(128)), AddressError::Host),
        ] {
            assert_eq!(address(typed), Err(why), "{typed}");
        }
    }

    #[test]
    fn a_stranger_cannot_send_us_anywhere_by_another_spelling() {
        for (typed, here, elsewhere) in [
            ("http://192.168.1.7:1", Ok(()), Ok(())),
            ("http://ana.example:1", Ok(()), Ok(())),
            ("http://127.1:1", Ok(()), Err(AddressError::Loopback)),
            ("http://0x7f000001:1", Ok(()), Err(AddressError::Loopback)),
            ("http://localhost:1", Ok(()), Err(AddressError::Loopback)),
            ("http://LOCALHOST.:1", Ok(()), Err(AddressError::Loopback)),
            ("http://ip6-localhost:1", Ok(()), Err(AddressError::Loopback)),
            ("http://x.localhost:1", Ok(()), Err(AddressError::Loopback)),
            ("http://[::1]:1", Ok(()), Err(AddressError::Loopback)),
            ("http://0177.0.0.1:1", Ok(()), Err(AddressError::Loopback)),
            ("http://127.0.0.1.:1", Ok(()), Err(AddressError::Loopback)),
            ("http://%31%32%37.0.0.1:1", Ok(()), Err(AddressError::Loopback)),
            ("http://１２７.0.0.1:1", Ok(()), Err(AddressError::Loopback)),
            ("http://[::ffff:127.0.0.1]:1", Ok(()), Err(AddressError::Loopback)),
            ("http://[::127.0.0.1]:1", Ok(()), Err(AddressError::Loopback)),
            ("http://[::ffff:0:127.0.0.1]:1", Ok(()), Err(AddressError::Loopback)),
            ("http://[64:ff9b::7f00:1]:1", Ok(()), Err(AddressError::Loopback)),
            ("http://[2002:7f00:1::]:1", Ok(()), Err(AddressError::Loopback)),
            (
                "http://[64:ff9b::169.254.169.254]:1",
                Err(AddressError::LinkLocal),
                Err(AddressError::LinkLocal),
            ),
            ("http://[64:ff9b::192.0.2.7]:1", Ok(()), Ok(())),
            ("http://[::ffff:169.254.1.1]:1", Err(AddressError::LinkLocal), Err(AddressError::LinkLocal)),
            ("http://169.254.169.254:1", Err(AddressError::LinkLocal), Err(AddressError::LinkLocal)),
            ("http://[fe80::1]:1", Err(AddressError::LinkLocal), Err(AddressError::LinkLocal)),
            ("http://224.0.0.1:1", Err(AddressError::Multicast), Err(AddressError::Multicast)),
            ("http://[ff02::1]:1", Err(AddressError::Multicast), Err(AddressError::Multicast)),
            ("http://255.255.255.255:1", Err(AddressError::Multicast), Err(AddressError::Multicast)),
            ("http://0.0.0.0:1", Err(AddressError::Unspecified), Err(AddressError::Unspecified)),
            ("http://0:1", Err(AddressError::Unspecified), Err(AddressError::Unspecified)),
            ("http://[::ffff:0.0.0.0]:1", Err(AddressError::Unspecified), Err(AddressError::Unspecified)),
        ] {
            let address = address(typed).unwrap();
            assert_eq!(address.listable(true), here, "{typed}");
            assert_eq!(address.listable(false), elsewhere, "{typed}");
        }
    }

    #[test]
    fn an_unspecified_host_is_where_the_request_came_from() {
        let source = "::ffff:192.0.2.7".parse().unwrap();
        assert_eq!(address("http://[::]:7101").unwrap().seen_at(source).to_string(), "http://192.0.2.7:7101");
        assert_eq!(address("http://h.example:1").unwrap().seen_at(source).to_string(), "http://h.example:1");
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_parses_is_stable(text in "(http|https)://[a-z0-9.:\\[\\]xX%-]{0,24}:[0-9]{0,6}") {
            if let Ok(first) = address(&text) {
                prop_assert_eq!(address(&first.to_string()), Ok(first));
            }
        }
    }
}
