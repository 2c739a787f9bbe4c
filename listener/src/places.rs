//! How many places each network holds: connections, or whatever else is open for long. How many there are in all, and who
//! is not counted, is for others to know.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use crate::locked;

/// The places that are taken, by network.
#[derive(Debug)]
pub struct Places {
    each: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A place; free again once this is dropped.
#[derive(Debug)]
pub struct Place(Option<(Arc<Places>, IpAddr)>);

impl Places {
    /// So many for each network.
    #[must_use]
    pub fn new(each: usize) -> Arc<Self> {
        Arc::new(Self { each, taken: Mutex::default() })
    }

    /// One more place for this network, unless it has its share; without a network it is not counted.
    #[must_use]
    pub fn take(self: &Arc<Self>, network: Option<IpAddr>) -> Option<Place> {
        let Some(network) = network else { return Some(Place(None)) };
        let mut taken = locked(&self.taken);
        let count = taken.entry(network).or_default();
        if *count >= self.each {
            return None;
        }
        *count += 1;
        Some(Place(Some((Arc::clone(self), network))))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((places, network)) = self.0.take() else { return };
        let mut taken = locked(&places.taken);
        if let Entry::Occupied(mut count) = taken.entry(network) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(number: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, number])
    }

    #[test]
    fn a_network_has_its_share_and_gets_it_back() {
        let places = Places::new(2);
        let first = places.take(Some(host(1))).unwrap();
        let _second = places.take(Some(host(1))).unwrap();
        assert!(places.take(Some(host(1))).is_none());
        assert!(places.take(Some(host(2))).is_some() && places.take(None).is_some());
        drop(first);
        assert!(places.take(Some(host(1))).is_some());
    }

    #[test]
    fn nothing_is_remembered_of_who_has_left() {
        let places = Places::new(1);
        drop(places.take(Some(host(1))));
        assert!(places.taken.lock().unwrap().is_empty());
    }
}
