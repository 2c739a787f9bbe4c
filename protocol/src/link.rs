//! An invitation link: a name, where it is and its key, in one line that can be sent over any other channel.

use std::fmt;
use std::str::FromStr;

use crate::address::{AddressError, Scheme};
use crate::fingerprint::FingerprintError;
use crate::name::NameError;
use crate::{Address, Fingerprint, Name};

/// `recado:NAME@HOST:PORT#FINGERPRINT`: all that a peer needs to become a contact. Its address can be dialled over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    name: Name,
    address: Address,
    fingerprint: Fingerprint,
}

/// Why a text is not a link, or why there can be none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Something else than a link.
    #[error("a link begins with recado:, as in recado:ana@192.0.2.7:7101#FINGERPRINT")]
    Scheme,
    /// A part is missing.
    #[error("a link has four parts, recado:NAME@HOST:PORT#FINGERPRINT")]
    Shape,
    /// The name is percent-encoded, and wrongly.
    #[error("a % in a link's name stands before two hexadecimal digits of UTF-8")]
    Percent,
    /// The name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Plain HTTP proves no key.
    #[error("a link needs an address that is dialled over TLS, and this one begins with http://")]
    Unencrypted,
    /// The address is none, or cannot be dialled.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The fingerprint is none.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
}

impl Link {
    const SCHEME: &str = "recado:";

    /// The link to this name, with this key at this address.
    pub fn new(name: Name, address: Address, fingerprint: Fingerprint) -> Result<Self, LinkError> {
        if address.scheme() == Scheme::Http {
            return Err(LinkError::Unencrypted);
        }
        // Whoever makes a link or types it vouches for the address, so that one of this machine is allowed.
        address.listable(true)?;
        Ok(Self { name, address, fingerprint })
    }

    /// Whom it leads to.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Where they can be dialled.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Their key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The link in ASCII alone, as a URI has it (RFC 3986): for where the encoding of the text would be guessed, as
    /// readers of QR codes do.
    #[must_use]
    pub fn to_ascii(&self) -> String {
        let encoded = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        };
        let name: String = self.name.as_str().bytes().map(encoded).collect();
        self.with_name(&name)
    }

    fn with_name(&self, name: &str) -> String {
        format!("{}{name}@{}#{}", Self::SCHEME, self.address.authority(), self.fingerprint)
    }
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let (scheme, rest) = text.split_at_checked(Self::SCHEME.len()).ok_or(LinkError::Scheme)?;
        // RFC 3986, section 3.1: schemes are the same in either case.
        if !scheme.eq_ignore_ascii_case(Self::SCHEME) {
            return Err(LinkError::Scheme);
        }
        let (place, fingerprint) = rest.split_once('#').ok_or(LinkError::Shape)?;
        let (name, authority) = place.split_once('@').ok_or(LinkError::Shape)?;
        let name = percent_decoded(name).ok_or(LinkError::Percent)?.parse()?;
        let address = format!("{}://{authority}", Scheme::Https).parse()?;
        Self::new(name, address, fingerprint.parse()?)
    }
}

/// The text with each `%` and its two digits replaced by the byte that they stand for; nothing if one is malformed.
fn percent_decoded(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, plain) = piece.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(plain.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.with_name(self.name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "cq4wp5l4oklbzn5k7bdw3xnuqzvjn3ggmvmx3mdl6xqbtxjgwbka";

    fn link(text: &str) -> Result<String, LinkError> {
        text.replace("KEY", KEY).parse::<Link>().map(|link| link.to_string().replace(KEY, "KEY"))
    }

    #[test]
    fn every_spelling_ends_in_one() {
        for (typed, spelt) in [
            ("recado:ana@192.0.2.7:7101#KEY", "recado:ana@192.0.2.7:7101#KEY"),
            ("RECADO:Ana@192.0.2.7:07101#KEY", "recado:ana@192.0.2.7:7101#KEY"),
            ("recado:joão@joao.example:443#KEY", "recado:joão@joao.example:443#KEY"),
            ("recado:jo%C3%A3o@joao.example:443#KEY", "recado:joão@joao.example:443#KEY"),
            ("recado:JO%c3%83O@JOAO.Example:443#KEY", "recado:joão@joao.example:443#KEY"),
            ("recado:joa%cc%83o@joao.example:443#KEY", "recado:joão@joao.example:443#KEY"),
            ("recado:太郎@[2001:DB8::1]:7101#KEY", "recado:太郎@[2001:db8::1]:7101#KEY"),
            ("recado:%E5%A4%AA%E9%83%8E@[2001:db8::1]:7101#KEY", "recado:太郎@[2001:db8::1]:7101#KEY"),
            ("recado:ana@[::ffff:192.0.2.7]:1#KEY", "recado:ana@192.0.2.7:1#KEY"),
            ("recado:ana.lima-7@127.0.0.1:65535#KEY", "recado:ana.lima-7@127.0.0.1:65535#KEY"),
            ("recado:ana@localhost:1#KEY", "recado:ana@localhost:1#KEY"),
        ] {
            assert_eq!(link(typed), Ok(spelt.to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_link_says_why() {
        for (typed, why) in [
            ("", LinkError::Scheme),
            ("ana", LinkError::Scheme),
            ("recad", LinkError::Scheme),
            ("recadã:ana@h:1#KEY", LinkError::Scheme),
            ("http://ana@h:1#KEY", LinkError::Scheme),
            (" recado:ana@h:1#KEY", LinkError::Scheme),
            ("recado:", LinkError::Shape),
            ("recado:ana", LinkError::Shape),
            ("recado:ana@h:1", LinkError::Shape),
            ("recado:h:1#KEY", LinkError::Shape),
            ("recado:an%@h:1#KEY", LinkError::Percent),
            ("recado:an%6@h:1#KEY", LinkError::Percent),
            ("recado:an%+1@h:1#KEY", LinkError::Percent),
            ("recado:an%é1@h:1#KEY", LinkError::Percent),
            ("recado:an%ff@h:1#KEY", LinkError::Percent),
            ("recado:@h:1#KEY", LinkError::Name(NameError::Empty)),
            ("recado:a%40b@h:1#KEY", LinkError::Name(NameError::Reserved('@'))),
            ("recado:a%2541@h:1#KEY", LinkError::Name(NameError::Reserved('%'))),
            ("recado://ana@h:1#KEY", LinkError::Name(NameError::Reserved('/'))),
            ("recado:ana:pin@h:1#KEY", LinkError::Name(NameError::Reserved(':'))),
            ("recado:a%00@h:1#KEY", LinkError::Name(NameError::Control)),
            ("recado:ana lima@h:1#KEY", LinkError::Name(NameError::WhiteSpace)),
            ("recado:pаypal@h:1#KEY", LinkError::Name(NameError::LookAlike)),
            ("recado:ana@#KEY", LinkError::Address(AddressError::Port)),
            ("recado:ana@h#KEY", LinkError::Address(AddressError::Port)),
            ("recado:ana@h:0#KEY", LinkError::Address(AddressError::Port)),
            ("recado:ana@h:65536#KEY", LinkError::Address(AddressError::Port)),
            ("recado:ana@[2001:db8::1]#KEY", LinkError::Address(AddressError::Port)),
            ("recado:ana@2001:db8::1:7101#KEY", LinkError::Address(AddressError::Host)),
            ("recado:ana@:1#KEY", LinkError::Address(AddressError::Host)),
            ("recado:ana@h:1/#KEY", LinkError::Address(AddressError::Shape)),
            ("recado:ana@h:1?x#KEY", LinkError::Address(AddressError::Shape)),
            ("recado:ana@rui@h:1#KEY", LinkError::Address(AddressError::Shape)),
            ("recado:ana@https://h:1#KEY", LinkError::Address(AddressError::Shape)),
            ("recado:ana@0.0.0.0:1#KEY", LinkError::Address(AddressError::Unspecified)),
            ("recado:ana@[::]:1#KEY", LinkError::Address(AddressError::Unspecified)),
            ("recado:ana@169.254.1.1:1#KEY", LinkError::Address(AddressError::LinkLocal)),
            ("recado:ana@[fe80::1]:1#KEY", LinkError::Address(AddressError::LinkLocal)),
            ("recado:ana@224.0.0.1:1#KEY", LinkError::Address(AddressError::Multicast)),
            ("recado:ana@h:1#", LinkError::Fingerprint(FingerprintError)),
            ("recado:ana@h:1#KEYa", LinkError::Fingerprint(FingerprintError)),
            ("recado:ana@h:1#KEY#KEY", LinkError::Fingerprint(FingerprintError)),
            ("recado:ana@h:1#KEY ", LinkError::Fingerprint(FingerprintError)),
        ] {
            assert_eq!(link(typed), Err(why), "{typed}");
        }
        let shouted = format!("recado:ana@h:1#{}", KEY.to_uppercase());
        assert_eq!(link(&shouted), Err(LinkError::Fingerprint(FingerprintError)), "one spelling of a key");
    }

    #[test]
    fn there_is_no_link_to_an_address_without_tls() {
        let new = |address: &str| {
            Link::new("ana".parse().unwrap(), address.parse().unwrap(), Fingerprint::from_bytes([7; 32]))
        };
        assert_eq!(new("http://192.0.2.7:7101"), Err(LinkError::Unencrypted));
        assert_eq!(new("https://0.0.0.0:7101"), Err(LinkError::Address(AddressError::Unspecified)));
        assert!(new("https://192.0.2.7:7101").is_ok());
    }

    #[test]
    fn in_ascii_it_is_the_same_link() {
        let joao: Link = format!("recado:joão@h:1#{KEY}").parse().unwrap();
        assert_eq!(joao.to_ascii(), format!("recado:jo%C3%A3o@h:1#{KEY}"));
    }

    proptest! {
        #[test]
        fn a_link_says_who_where_and_which_key(
            name in "[a-zß-öø-ÿ太郎0-9._-]{1,64}",
            host in prop_oneof![
                any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()),
                any::<std::net::Ipv6Addr>().prop_map(|ip| format!("[{ip}]")),
                "[a-z]{1,9}(\\.[a-z]{1,9}){0,3}",
            ],
            port in 1_u16..,
            key: [u8; 32],
        ) {
            let (Ok(name), Ok(address)) = (name.parse::<Name>(), format!("https://{host}:{port}").parse::<Address>())
                else { return Ok(()) };
            let fingerprint = Fingerprint::from_bytes(key);
            let Ok(link) = Link::new(name.clone(), address.clone(), fingerprint) else {
                prop_assert!(address.listable(true).is_err());
                return Ok(());
            };
            prop_assert_eq!((link.name(), link.address(), link.fingerprint()), (&name, &address, fingerprint));
            prop_assert_eq!(link.to_string().parse::<Link>(), Ok(link.clone()));
            prop_assert!(link.to_ascii().is_ascii());
            prop_assert_eq!(link.to_ascii().parse::<Link>(), Ok(link));
        }

        #[test]
        fn nothing_panics_and_what_parses_is_stable(text in "(recado:)?[ -~é太]{0,12}@[a-z0-9.:\\[\\]]{0,12}(:[0-9]{1,5})?(#[a-z2-7]{52}|.{0,5})") {
            if let Ok(first) = text.parse::<Link>() {
                prop_assert_eq!(first.to_string().parse::<Link>(), Ok(first));
            }
        }

        #[test]
        fn anything_at_all_is_a_link_or_says_why(text: String) {
            let _ = text.parse::<Link>().map_err(|error| error.to_string());
            let _ = format!("recado:{text}").parse::<Link>();
        }
    }
}
