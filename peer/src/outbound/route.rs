//! Where a recipient may be reached, and who has to be there: made of what the directory says and what is remembered.
//! Going there is for `courier`.

use jiff::Timestamp;
use protocol::address::Scheme;
use protocol::directory::{Claim, PeerRecord};
use protocol::{Address, Fingerprint, Name};

use crate::client::{Destination, Expected};
use crate::contacts::Known;

/// Where a recipient is, as far as this delivery has heard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Route {
    /// Not looked up yet, or not any more.
    #[default]
    Unknown,
    /// The directory lists it.
    Listed(Listing),
    /// The directory knows it by this key, if by any, and does not list it just now.
    Offline(Option<Fingerprint>),
    /// The directory says nothing of it, for this reason.
    Unheard(String),
}

/// What the directory says of one whom it lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Where it can be dialled.
    pub address: Address,
    /// Since when it is listed.
    pub since: Timestamp,
    /// The key that its claim is bound to: a hint, until a handshake proves it.
    pub key: Option<Fingerprint>,
    /// Whether the directory is on this machine, so that the address may be too.
    pub here: bool,
}

impl Route {
    /// What the directory says of a name that is claimed; `here` says whether it is on this machine.
    #[must_use]
    pub fn of_claim(claim: Claim, here: bool) -> Self {
        let Claim { fingerprint: key, address, online_since, .. } = claim;
        match (address, online_since) {
            (Some(address), Some(since)) => Self::Listed(Listing { address, since, key, here }),
            _ => Self::Offline(key),
        }
    }

    /// The directory knows nobody by this name.
    #[must_use]
    pub fn nobody_has(name: &Name) -> Self {
        Self::Unheard(reason!("nobody has the name {name} at the moment"))
    }

    /// What the directory says of one who is on its list.
    #[must_use]
    pub fn of_record(record: PeerRecord, here: bool) -> Self {
        let PeerRecord { address, online_since: since, fingerprint: key, .. } = record;
        Self::Listed(Listing { address, since, key, here })
    }

    /// What the directory says of one whom it lists.
    #[must_use]
    pub fn listing(&self) -> Option<&Listing> {
        match self {
            Self::Listed(listing) => Some(listing),
            _ => None,
        }
    }

    /// The key that the name's claim is bound to.
    #[must_use]
    pub fn claimed_key(&self) -> Option<Fingerprint> {
        match self {
            Self::Listed(listing) => listing.key,
            Self::Offline(key) => *key,
            Self::Unknown | Self::Unheard(_) => None,
        }
    }

    /// Where to try, in this order: where the directory lists the recipient, then where it was last. The one who is
    /// there has to have this `key`. Without TLS that cannot be seen, nor without a key: such places are left out,
    /// unless the user has said that it need not be (`insecure`) and there is none that can be checked.
    #[must_use]
    pub fn destinations(
        &self,
        remembered: Option<&Known>,
        key: Option<Fingerprint>,
        insecure: bool,
    ) -> Vec<Destination> {
        let listed = self.listing().map(|listing| (&listing.address, listing.here));
        let remembered = remembered.map(|known| (&known.address, known.loopback));
        let mut places: Vec<(&Address, bool)> = Vec::new();
        for (address, loopback) in listed.into_iter().chain(remembered) {
            match places.iter_mut().find(|(known, _)| *known == address) {
                Some(known) => known.1 |= loopback,
                None => places.push((address, loopback)),
            }
        }
        let going = |expected| {
            move |&(address, loopback): &(&Address, bool)| Destination {
                address: address.clone(),
                expected,
                loopback,
            }
        };
        let encrypted = places.iter().filter(|(address, _)| address.scheme() == Scheme::Https);
        let checked: Vec<_> =
            key.map_or_else(Vec::new, |key| encrypted.map(going(Expected::Key(key))).collect());
        if checked.is_empty() && insecure {
            return places.iter().map(going(Expected::Anyone)).collect();
        }
        checked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "https://192.0.2.1:7101";
    const PLAIN: &str = "http://192.0.2.2:7101";
    const LAST: &str = "https://192.0.2.3:7101";
    const LAST_PLAIN: &str = "http://192.0.2.4:7101";

    fn listed(address: &str, here: bool) -> Route {
        let address = address.parse().unwrap();
        Route::Listed(Listing { address, since: Timestamp::UNIX_EPOCH, key: None, here })
    }

    fn last(address: &str, loopback: bool) -> Known {
        Known { address: address.parse().unwrap(), loopback }
    }

    /// The addresses to try, with a star where nobody is expected.
    fn tried(route: &Route, remembered: Option<&Known>, key: bool, insecure: bool) -> Vec<String> {
        let key = key.then_some(Fingerprint::from_bytes([7; 32]));
        let destinations = route.destinations(remembered, key, insecure);
        let spelt = destinations.iter().map(|destination| match destination.expected {
            Expected::Key(expected) => {
                assert_eq!(Some(expected), key);
                destination.address.to_string()
            }
            Expected::Anyone => format!("{}*", destination.address),
        });
        spelt.collect()
    }

    #[test]
    fn what_can_be_checked_comes_first_and_what_cannot_only_on_demand() {
        let nowhere: &[&str] = &[];
        for (route, remembered, key, strictly, insecurely) in [
            (listed(LISTED, false), None, true, &[LISTED][..], &[LISTED][..]),
            (listed(LISTED, false), Some(last(LAST, false)), true, &[LISTED, LAST], &[LISTED, LAST]),
            (listed(LISTED, false), Some(last(LISTED, false)), true, &[LISTED], &[LISTED]),
            (listed(PLAIN, false), Some(last(LAST, false)), true, &[LAST], &[LAST]),
            (listed(LISTED, false), Some(last(LAST_PLAIN, false)), true, &[LISTED], &[LISTED]),
            (listed(PLAIN, false), None, true, nowhere, &["http://192.0.2.2:7101*"]),
            (
                listed(PLAIN, false),
                Some(last(LAST_PLAIN, false)),
                true,
                nowhere,
                &["http://192.0.2.2:7101*", "http://192.0.2.4:7101*"],
            ),
            (listed(LISTED, false), None, false, nowhere, &["https://192.0.2.1:7101*"]),
            (Route::Offline(None), Some(last(LAST, false)), true, &[LAST], &[LAST]),
            (Route::Unheard(String::new()), Some(last(LAST, false)), true, &[LAST], &[LAST]),
            (Route::Unheard(String::new()), None, true, nowhere, nowhere),
            (Route::Unknown, None, false, nowhere, nowhere),
        ] {
            assert_eq!(tried(&route, remembered.as_ref(), key, false), strictly, "{route:?}");
            assert_eq!(tried(&route, remembered.as_ref(), key, true), insecurely, "{route:?}");
        }
    }

    #[test]
    fn loopback_is_for_a_directory_on_this_machine_or_what_the_user_gave() {
        let key = Some(Fingerprint::from_bytes([7; 32]));
        for (here, given) in [(false, false), (false, true), (true, false), (true, true)] {
            let loopback = |route: Route, remembered: &str| -> Vec<bool> {
                let found = route.destinations(Some(&last(remembered, given)), key, false);
                found.iter().map(|destination| destination.loopback).collect()
            };
            assert_eq!(loopback(listed(LISTED, here), LAST), [here, given], "each by its own right");
            assert_eq!(loopback(listed(LISTED, here), LISTED), [here || given]);
        }
    }
}
