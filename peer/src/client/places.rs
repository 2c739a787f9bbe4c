//! The hosts' names that requests to other peers carry, and the places that they stand for while a request is under way.
//!
//! `<52 letters>.<place>.peer.invalid` is whoever has that key, dialled at that place; `unchecked.<place>.peer.invalid`
//! is whoever answers there. So the TLS and the pool of connections, which know no more than a name, never take one peer
//! for another, nor one address of a peer for another one. Nothing ends in `.invalid` (RFC 6761): none of these names
//! is ever looked up.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex};

use protocol::{Address, Fingerprint};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

use super::dial;
use crate::locked;

/// What all names end in.
const SUFFIX: &str = ".peer.invalid";
/// The first label of those whose key is not known.
const UNCHECKED: &str = "unchecked";

/// What a host's name says of the one behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// It has this key.
    Key(Fingerprint),
    /// It may have any.
    Unchecked,
}

impl Host {
    /// The host's name, of one who is dialled at this place.
    pub fn at(self, place: &Place) -> String {
        match self {
            Self::Key(key) => format!("{key}.{}{SUFFIX}", place.label),
            Self::Unchecked => format!("{UNCHECKED}.{}{SUFFIX}", place.label),
        }
    }

    /// What this name says, if it is one of ours.
    pub fn parse(name: &str) -> Option<Self> {
        let (first, place) = name.strip_suffix(SUFFIX)?.split_once('.')?;
        if place.is_empty() || place.contains('.') {
            None
        } else if first == UNCHECKED {
            Some(Self::Unchecked)
        } else {
            first.parse().ok().map(Self::Key)
        }
    }
}

/// The places that requests are under way to; a clone is the same one.
#[derive(Debug, Clone, Default)]
pub struct Places {
    known: Arc<Mutex<HashMap<String, Known>>>,
    /// Keyed, so that nobody can choose an address to be taken for another.
    hasher: RandomState,
}

#[derive(Debug)]
struct Known {
    authority: String,
    loopback: bool,
    requests: usize,
}

/// A place that stands for an address for as long as this is kept.
#[derive(Debug)]
pub struct Place {
    label: String,
    places: Places,
}

impl Places {
    /// The place of this address; `loopback` says whether one of this machine may be dialled.
    pub fn of(&self, address: &Address, loopback: bool) -> Place {
        let label = format!("{:016x}", self.hasher.hash_one((address, loopback)));
        match locked(&self.known).entry(label.clone()) {
            Entry::Occupied(known) => known.into_mut().requests += 1,
            Entry::Vacant(vacant) => {
                vacant.insert(Known { authority: address.authority(), loopback, requests: 1 });
            }
        }
        Place { label, places: self.clone() }
    }

    fn find(&self, host: &str) -> Option<(String, bool)> {
        let (_, label) = host.strip_suffix(SUFFIX)?.split_once('.')?;
        let known = locked(&self.known);
        known.get(label).map(|known| (known.authority.clone(), known.loopback))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut known) = locked(&self.places.known).entry(std::mem::take(&mut self.label))
        {
            known.get_mut().requests -= 1;
            if known.get().requests == 0 {
                known.remove();
            }
        }
    }
}

impl Resolve for Places {
    fn resolve(&self, name: Name) -> Resolving {
        let place = self.find(name.as_str());
        Box::pin(async move {
            let (authority, loopback) = place.ok_or(dial::Undialable::Nowhere)?;
            let dialable = dial::permitted(lookup_host(authority).await?, loopback)?;
            Ok(Box::new(dialable.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places() -> (Places, Address) {
        (Places::default(), "https://192.0.2.7:7101".parse().unwrap())
    }

    async fn resolved(places: &Places, host: &str) -> Result<Vec<std::net::SocketAddr>, String> {
        let found = places.resolve(host.parse().unwrap()).await;
        found.map(Iterator::collect).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_place_is_known_for_as_long_as_somebody_asks_for_it() {
        let (places, address) = places();
        let (one, other) = (places.of(&address, false), places.of(&address, false));
        let host = Host::Unchecked.at(&one);
        assert_eq!(host, Host::Unchecked.at(&other), "and has one name, so that connections are kept");
        drop(one);
        assert_eq!(resolved(&places, &host).await, Ok(vec!["192.0.2.7:7101".parse().unwrap()]));
        drop(other);
        assert!(resolved(&places, &host).await.is_err());
        assert!(locked(&places.known).is_empty());
    }

    #[tokio::test]
    async fn the_dial_rule_is_asked_about_what_is_dialled() {
        let places = Places::default();
        for (address, loopback, dialled) in [
            ("https://127.0.0.1:7101", false, false),
            ("https://127.0.0.1:7101", true, true),
            ("https://localhost:7101", false, false),
            ("https://localhost:7101", true, true),
            ("https://0x7f.1:7101", false, false),
            ("https://169.254.169.254:80", true, false),
            ("https://[fe80::1]:7101", true, false),
        ] {
            let place = places.of(&address.parse().unwrap(), loopback);
            let found = resolved(&places, &Host::Unchecked.at(&place)).await;
            assert_eq!(found.is_ok(), dialled, "{address} {found:?}");
        }
    }

    #[test]
    fn places_with_and_without_loopback_are_two() {
        let (places, address) = places();
        let (one, other) = (places.of(&address, false), places.of(&address, true));
        assert_ne!(one.label, other.label);
    }

    proptest! {
        #[test]
        fn a_name_says_what_was_put_into_it(key: [u8; 32]) {
            let (places, address) = places();
            let place = places.of(&address, false);
            for host in [Host::Key(Fingerprint::from_bytes(key)), Host::Unchecked] {
                prop_assert_eq!(Host::parse(&host.at(&place)), Some(host));
            }
        }

        #[test]
        fn no_other_name_says_anything(label in "[a-z2-7.]{0,60}") {
            prop_assert_eq!(Host::parse(&label), None);
            prop_assert_eq!(Host::parse(&format!("{label}{SUFFIX}")), None);
            prop_assert_eq!(Host::parse(&format!("{label}.1{SUFFIX}")), None);
        }
    }
}
