//! The list of those online at one moment, and which part of it was asked for. How a part is sent is the page's affair.

use std::sync::Arc;

use protocol::Name;

use super::listing::Listing;

/// Which of those online are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selection {
    /// Part of their names, folded as names are; empty for all.
    pub part: String,
    /// The name behind which theirs come.
    pub after: Option<Name>,
    /// How many at most.
    pub limit: usize,
}

/// Those online at one moment, sorted by name.
#[derive(Debug)]
pub(super) struct List {
    pub(super) version: u64,
    pub(super) listings: Vec<Arc<Listing>>,
}

/// What a selection finds.
#[derive(Debug)]
pub(super) struct Excerpt {
    pub(super) listings: Vec<Arc<Listing>>,
    /// Whether the limit left some out.
    pub(super) more: bool,
}

impl Selection {
    /// The most that can be had at once.
    pub const MOST: usize = 10_000;
    /// As many as come if nothing is said.
    pub const USUAL: usize = 1_000;

    /// Whether it is what is had when nothing is said: the page that nearly everybody reads.
    pub(super) fn is_first_page(&self) -> bool {
        self.part.is_empty() && self.after.is_none() && self.limit == Self::USUAL
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self { part: String::new(), after: None, limit: Self::USUAL }
    }
}

impl List {
    pub(super) fn excerpt(&self, selection: &Selection) -> Excerpt {
        let Selection { part, after, limit } = selection;
        let begin = after.as_ref().map_or(0, |after| self.listings.partition_point(|at| at.name <= *after));
        let rest = self.listings.get(begin..).unwrap_or_default().iter();
        let mut found =
            rest.filter(|listing| part.is_empty() || listing.name.as_str().contains(part.as_str()));
        let listings = found.by_ref().take(*limit).cloned().collect();
        Excerpt { listings, more: found.next().is_some() }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use protocol::directory::PeerRecord;

    use super::*;

    fn list(names: &[String]) -> List {
        let mut names: Vec<Name> = names.iter().map(|name| name.parse().unwrap()).collect();
        names.sort();
        names.dedup();
        let listing = |name| {
            let address = "http://192.0.2.7:1".parse().unwrap();
            Listing::of(&PeerRecord { name, address, fingerprint: None, online_since: Timestamp::UNIX_EPOCH })
        };
        List { version: 0, listings: names.into_iter().map(|name| Arc::new(listing(name))).collect() }
    }

    proptest! {
        #[test]
        fn who_reads_page_after_page_reads_everybody_once(
            names in proptest::collection::vec("[a-cé]{1,3}", 0..60),
            part in "[a-cé]{0,2}",
            limit in 1..10_usize,
        ) {
            let list = list(&names);
            let expected: Vec<_> = list.listings.iter().filter(|at| at.name.as_str().contains(&part)).collect();
            let (mut read, mut after) = (Vec::new(), None);
            loop {
                let Excerpt { listings, more } = list.excerpt(&Selection { part: part.clone(), after, limit });
                prop_assert!(listings.len() == limit || !more);
                after = listings.last().map(|listing| listing.name.clone());
                read.extend(listings);
                if !more {
                    break;
                }
            }
            prop_assert!(read.iter().eq(expected));
        }

        #[test]
        fn a_name_that_is_gone_still_has_its_place(names in proptest::collection::vec("[a-c]{1,3}", 0..20), gone in "[a-c]{1,3}") {
            let (list, gone) = (list(&names), gone.parse::<Name>().unwrap());
            let found = list.excerpt(&Selection { after: Some(gone.clone()), ..Selection::default() });
            let behind: Vec<_> = list.listings.iter().filter(|at| at.name > gone).cloned().collect();
            prop_assert_eq!((found.listings, found.more), (behind, false));
        }
    }
}
