//! The dial rule: which addresses this peer connects to, whoever told it. It is asked about the address that is really
//! dialled, after a name was resolved, so that no spelling and no name server can talk it round.

use std::net::SocketAddr;

use protocol::address::{Reach, reach};

/// Why an address is not dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undialable {
    /// Nothing listens on port 0.
    #[error("port 0 cannot be dialled")]
    Port,
    /// `0.0.0.0` or `[::]`.
    #[error("an unspecified address is not dialled")]
    Unspecified,
    /// `169.254.0.0/16` or `fe80::/10`.
    #[error("a link-local address is not dialled, whoever names it")]
    LinkLocal,
    /// A group of machines.
    #[error("a multicast or broadcast address is not dialled")]
    Multicast,
    /// This machine, named by another.
    #[error("a loopback address is dialled only for a directory on this machine, or if you gave it yourself")]
    Loopback,
    /// The name stands for nothing.
    #[error("its name has no address")]
    Nowhere,
}

/// Whether this address may be dialled; `loopback` says whether one of this machine may.
pub fn permit(address: SocketAddr, loopback: bool) -> Result<SocketAddr, Undialable> {
    if address.port() == 0 {
        return Err(Undialable::Port);
    }
    match reach(address.ip()) {
        Reach::Host => Ok(address),
        Reach::Loopback if loopback => Ok(address),
        Reach::Loopback => Err(Undialable::Loopback),
        Reach::Unspecified => Err(Undialable::Unspecified),
        Reach::LinkLocal => Err(Undialable::LinkLocal),
        Reach::Multicast => Err(Undialable::Multicast),
    }
}

/// Those of a name's addresses that may be dialled, in their order; the first reason if none may.
pub fn permitted(
    found: impl IntoIterator<Item = SocketAddr>,
    loopback: bool,
) -> Result<Vec<SocketAddr>, Undialable> {
    let (mut dialable, mut first_reason) = (Vec::new(), Undialable::Nowhere);
    for address in found {
        match permit(address, loopback) {
            Ok(address) => dialable.push(address),
            Err(reason) if first_reason == Undialable::Nowhere => first_reason = reason,
            Err(_) => {}
        }
    }
    if dialable.is_empty() { Err(first_reason) } else { Ok(dialable) }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;
    use protocol::Address;

    use super::*;

    /// What may be dialled of an address as it is typed.
    fn typed(host: &str, loopback: bool) -> Result<SocketAddr, Undialable> {
        let address: Address = format!("https://{host}:7101").parse().unwrap();
        permit(address.authority().parse().unwrap(), loopback)
    }

    #[test]
    fn no_spelling_leads_where_nobody_should_go() {
        for (host, why) in [
            ("0.0.0.0", Undialable::Unspecified),
            ("0", Undialable::Unspecified),
            ("0x0.0", Undialable::Unspecified),
            ("[::]", Undialable::Unspecified),
            ("[::ffff:0.0.0.0]", Undialable::Unspecified),
            ("169.254.169.254", Undialable::LinkLocal),
            ("0xa9fea9fe", Undialable::LinkLocal),
            ("2852039166", Undialable::LinkLocal),
            ("0251.0376.0251.0376", Undialable::LinkLocal),
            ("[fe80::1]", Undialable::LinkLocal),
            ("[febf::1]", Undialable::LinkLocal),
            ("[::ffff:169.254.169.254]", Undialable::LinkLocal),
            ("[64:ff9b::a9fe:a9fe]", Undialable::LinkLocal),
            ("[2002:a9fe:a9fe::1]", Undialable::LinkLocal),
            ("224.0.0.1", Undialable::Multicast),
            ("239.255.255.255", Undialable::Multicast),
            ("255.255.255.255", Undialable::Multicast),
            ("[ff02::1]", Undialable::Multicast),
            ("[::ffff:224.0.0.1]", Undialable::Multicast),
        ] {
            for loopback in [false, true] {
                assert_eq!(typed(host, loopback), Err(why), "{host}");
            }
        }
        for host in [
            "127.0.0.1",
            "127.1",
            "127.255.255.254",
            "0x7f000001",
            "017700000001",
            "2130706433",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
        ] {
            assert_eq!(typed(host, false), Err(Undialable::Loopback), "{host}");
            assert!(typed(host, true).is_ok(), "{host}");
        }
        for host in ["10.0.0.1", "192.168.1.7", "172.16.0.1", "100.64.0.1", "[fd00::1]", "192.0.2.7"] {
            assert!(typed(host, false).is_ok(), "{host}: private ranges are fine");
        }
        let nothing = SocketAddr::from(([192, 0, 2, 7], 0));
        assert_eq!(permit(nothing, true), Err(Undialable::Port));
    }

    #[test]
    fn of_a_names_addresses_the_others_are_still_tried() {
        let at = |ip: [u8; 4]| SocketAddr::from((ip, 7101));
        let (bad, here, good) = (at([169, 254, 1, 1]), at([127, 0, 0, 1]), at([192, 0, 2, 7]));
        assert_eq!(permitted([bad, here, good], false), Ok(vec![good]));
        assert_eq!(permitted([bad, here, good], true), Ok(vec![here, good]));
        assert_eq!(permitted([here, bad], false), Err(Undialable::Loopback), "the first reason");
        assert_eq!(permitted([bad, here], false), Err(Undialable::LinkLocal));
        assert_eq!(permitted([], true), Err(Undialable::Nowhere));
    }

    /// Every way that this knows of writing an IPv4 address into an IPv6 one.
    fn spellings(ip: Ipv4Addr) -> Vec<IpAddr> {
        let [a, b, c, d] = ip.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        vec![
            ip.into(),
            ip.to_ipv6_mapped().into(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low).into(),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1).into(),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low).into(),
        ]
    }

    proptest! {
        #[test]
        fn all_spellings_of_an_address_are_judged_alike(ip: [u8; 4], loopback: bool) {
            let plain = permit((ip, 1).into(), loopback).map(drop);
            for spelt in spellings(ip.into()) {
                prop_assert_eq!(permit((spelt, 1).into(), loopback).map(drop), plain, "{}", spelt);
            }
        }

        #[test]
        fn what_is_dialled_is_a_host_or_a_permitted_loopback(ip: u128, v4: [u8; 4], port: u16, loopback: bool) {
            for ip in [IpAddr::from(Ipv6Addr::from(ip)), v4.into()] {
                let dialled = permit((ip, port).into(), loopback).is_ok();
                let may = port != 0 && !ip.is_unspecified() && !ip.is_multicast();
                prop_assert!(may || !dialled);
                prop_assert!(loopback || !dialled || !ip.to_canonical().is_loopback());
            }
        }

        #[test]
        fn no_answer_of_a_name_server_gets_round_the_rule(found: Vec<([u8; 4], u16)>, loopback: bool) {
            let found: Vec<SocketAddr> = found.into_iter().map(Into::into).collect();
            let expected: Vec<_> = found.iter().copied().filter(|one| permit(*one, loopback).is_ok()).collect();
            prop_assert_eq!(permitted(found, loopback).unwrap_or_default(), expected);
        }
    }
}
