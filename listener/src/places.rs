//! How many connections each source holds. The number in all is for the accept loop to know.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Source;

/// The places that are taken, by source.
#[derive(Debug)]
pub(crate) struct Places {
    per_source: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place; free again once this is dropped, however the connection ended.
#[derive(Debug)]
pub(crate) struct Place(Option<(Arc<Places>, IpAddr)>);

impl Places {
    pub(crate) fn new(per_source: usize) -> Arc<Self> {
        Arc::new(Self { per_source, taken: Mutex::default() })
    }

    /// A place for one more connection of `source`, unless it has its share.
    pub(crate) fn take(self: &Arc<Self>, source: Source) -> Option<Place> {
        if source.is_exempt() {
            return Some(Place(None));
        }
        let network = source.network();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(network).or_default();
        if *count >= self.per_source {
            return None;
        }
        *count += 1;
        Some(Place(Some((Arc::clone(self), network))))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((places, network)) = self.0.take() else { return };
        let mut taken = places.taken.lock().unwrap_or_else(PoisonError::into_inner);
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

    fn source(address: &str) -> Source {
        Source::connected(address.parse().unwrap(), &[])
    }

    #[test]
    fn a_source_has_its_share_and_gets_it_back() {
        let places = Places::new(2);
        let first = places.take(source("192.0.2.1:1")).unwrap();
        let _second = places.take(source("192.0.2.1:2")).unwrap();
        assert!(places.take(source("192.0.2.1:3")).is_none());
        assert!(places.take(source("192.0.2.2:1")).is_some());
        drop(first);
        assert!(places.take(source("192.0.2.1:3")).is_some());
    }

    #[test]
    fn nothing_is_remembered_of_who_has_left() {
        let places = Places::new(1);
        drop(places.take(source("192.0.2.1:1")));
        assert!(places.taken.lock().unwrap().is_empty());
    }

    #[test]
    fn loopback_is_exempt() {
        let places = Places::new(0);
        assert!(places.take(source("127.0.0.1:1")).is_some());
        assert!(places.take(source("192.0.2.1:1")).is_none());
    }
}
