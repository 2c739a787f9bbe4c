//! Who is online, as memory has it: renewed without a write, ended without a read. What was decided and committed
//! comes in; what is to be written down later goes out. No clock is asked here.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use protocol::directory::{Change, PeerRecord};
use protocol::{Address, Fingerprint, Name};

use super::clock::Moment;
use super::counts::Counts;
use super::decision::{Arrival, Request};
use super::events::Events;
use super::leases::Listed;
use super::list::List;
use super::listing::Listing;
use super::registration::Admitted;
use super::token::TokenHash;

/// Those online.
#[derive(Debug)]
pub(super) struct Online {
    leases: BTreeMap<Name, Lease>,
    /// Of all leases: each claim has one of its own.
    tokens: HashSet<TokenHash>,
    /// No lease ends before this. Renewals leave it behind, so that they need not look for the next.
    earliest: Option<Moment>,
    renewed: Vec<Name>,
    ended: Vec<Ended>,
    /// Told of each change of the list, in order.
    events: Events,
    version: u64,
    pub(super) counts: Counts,
}

#[derive(Debug)]
struct Lease {
    address: Address,
    fingerprint: Option<Fingerprint>,
    online_since: Timestamp,
    token: TokenHash,
    ends: Moment,
    /// Whether the name stands in `renewed`.
    unwritten: bool,
    /// As it is shown.
    listing: Arc<Listing>,
}

/// A lease that ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) name: Name,
    pub(super) at: Moment,
}

/// What the database does not know yet.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Unwritten {
    pub(super) renewed: Vec<(Name, Moment)>,
    pub(super) ended: Vec<Ended>,
}

/// A renewal that was granted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Renewed {
    pub(super) record: PeerRecord,
    pub(super) ends: Moment,
}

impl Online {
    pub(super) fn new(events: Events) -> Self {
        Self {
            leases: BTreeMap::new(),
            tokens: HashSet::new(),
            earliest: None,
            renewed: Vec::new(),
            ended: Vec::new(),
            events,
            version: 0,
            counts: Counts::default(),
        }
    }

    /// A lease runs on from before this start: no news.
    pub(super) fn take_up(&mut self, listed: Listed) {
        self.put(listed);
    }

    /// A lease begins, or takes the place of another.
    pub(super) fn join(&mut self, admitted: Admitted) {
        let Admitted { listed, arrival, fresh, claimed } = admitted;
        self.counts.claims += u64::from(claimed);
        self.counts.joins += u64::from(arrival == Arrival::Joined);
        let (before, now) = self.put(listed);
        match before {
            None => self.tell(Change::Joined, &now),
            // It had ended, and nobody had taken it out yet.
            Some(before) if arrival == Arrival::Joined => {
                self.counts.expirations += 1;
                self.tell(Change::Left, &before);
                self.tell(Change::Joined, &now);
            }
            Some(before) if fresh || before != now => self.tell(Change::Changed, &now),
            Some(_) => {}
        }
    }

    /// Puts a lease in its place, and gives what was listed there and what is.
    fn put(&mut self, listed: Listed) -> (Option<Arc<Listing>>, Arc<Listing>) {
        let mut listing = Arc::new(Listing::of(&listed.record));
        let Listed { record, token, ends } = listed;
        let PeerRecord { name, address, fingerprint, online_since } = record;
        self.earliest = Some(self.earliest.map_or(ends, |earliest| earliest.min(ends)));
        let before = self.leases.remove(&name);
        if let Some(before) = &before {
            self.tokens.remove(&before.token);
            if before.listing == listing {
                // Pages know what has changed by where it stands.
                listing = Arc::clone(&before.listing);
            }
        }
        let now = Arc::clone(&listing);
        let lease = Lease { address, fingerprint, online_since, token, ends, unwritten: false, listing };
        self.leases.insert(name, lease);
        self.tokens.insert(token);
        (before.map(|before| before.listing), now)
    }

    fn tell(&mut self, change: Change, listing: &Listing) {
        self.version += 1;
        self.events.push(change, listing);
    }

    /// Lengthens a lease without a word to the database, if nothing but time has changed.
    pub(super) fn renew(&mut self, request: &Request, now: Moment, ttl: Duration) -> Option<Renewed> {
        let lease = self.leases.get_mut(request.name.as_str())?;
        let unchanged = lease.ends > now
            && !request.fresh
            && lease.token == request.token
            && lease.address == request.address
            && (request.fingerprint.is_none() || request.fingerprint == lease.fingerprint);
        if !unchanged {
            return None;
        }
        lease.ends = lease.ends.max(now.after(ttl));
        if !lease.unwritten {
            lease.unwritten = true;
            self.renewed.push(request.name.clone());
        }
        self.counts.renewals += 1;
        Some(Renewed { record: lease.record(&request.name), ends: lease.ends })
    }

    /// The lease was given up.
    pub(super) fn leave(&mut self, name: &str) {
        if let Some(left) = self.leases.remove(name) {
            self.tokens.remove(&left.token);
            self.counts.departures += 1;
            self.tell(Change::Left, &left.listing);
        }
    }

    /// Gives up the leases whose names are no longer claimed with their tokens.
    pub(super) fn keep_held(&mut self, holders: &HashMap<String, TokenHash>) {
        let lost = |(name, lease): &(&Name, &Lease)| holders.get(name.as_str()) != Some(&lease.token);
        let lost: Vec<_> = self.leases.iter().filter(lost).map(|(name, _)| name.clone()).collect();
        for name in lost {
            self.leave(name.as_str());
        }
    }

    /// Takes out the leases that have ended.
    pub(super) fn end(&mut self, now: Moment) {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return;
        }
        let mut gone = Vec::new();
        self.leases.retain(|name, lease| {
            let runs = lease.ends > now;
            if !runs {
                self.ended.push(Ended { name: name.clone(), at: lease.ends });
                self.tokens.remove(&lease.token);
                self.counts.expirations += 1;
                gone.push(Arc::clone(&lease.listing));
            }
            runs
        });
        for listing in gone {
            self.tell(Change::Left, &listing);
        }
        self.earliest = self.leases.values().map(|lease| lease.ends).min();
    }

    /// When `end` has to be called next, or sooner.
    pub(super) fn next_end(&self) -> Option<Moment> {
        self.earliest
    }

    /// Whether the token is that of somebody online.
    pub(super) fn knows(&self, token: &TokenHash) -> bool {
        self.tokens.contains(token)
    }

    /// Until when the name is online, if it is.
    pub(super) fn ends(&self, name: &Name) -> Option<Moment> {
        self.leases.get(name).map(|lease| lease.ends)
    }

    /// Who this is, if its lease runs.
    pub(super) fn find(&self, name: &Name, now: Moment) -> Option<PeerRecord> {
        self.leases.get(name).filter(|lease| lease.ends > now).map(|lease| lease.record(name))
    }

    /// Hands over what is to be written down.
    pub(super) fn take_unwritten(&mut self) -> Unwritten {
        let mut renewed = Vec::with_capacity(self.renewed.len());
        for name in std::mem::take(&mut self.renewed) {
            // Another lease may have taken the place of the one that was renewed; that one is written already.
            if let Some(lease) = self.leases.get_mut(&name)
                && std::mem::take(&mut lease.unwritten)
            {
                renewed.push((name, lease.ends));
            }
        }
        Unwritten { renewed, ended: std::mem::take(&mut self.ended) }
    }

    /// Takes back what could not be written down.
    pub(super) fn put_back(&mut self, unwritten: Unwritten) {
        for (name, _) in unwritten.renewed {
            if let Some(lease) = self.leases.get_mut(&name)
                && !std::mem::replace(&mut lease.unwritten, true)
            {
                self.renewed.push(name);
            }
        }
        self.ended.extend(unwritten.ended);
    }

    /// How many are online.
    pub(super) fn count(&self) -> usize {
        self.leases.len()
    }

    /// Grows with every change of the list.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// The list as it is now.
    pub(super) fn list(&self) -> List {
        let listings = self.leases.values().map(|lease| Arc::clone(&lease.listing)).collect();
        List { version: self.version, listings }
    }
}

impl Lease {
    fn record(&self, name: &Name) -> PeerRecord {
        PeerRecord {
            name: name.clone(),
            address: self.address.clone(),
            fingerprint: self.fingerprint,
            online_since: self.online_since,
        }
    }
}

#[cfg(test)]
impl Default for Online {
    fn default() -> Self {
        Self::new(Events::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_millis(999);

    fn at(ms: i64) -> Moment {
        Moment::from_sql(ms)
    }

    fn request() -> Request {
        Request {
            name: "ana".parse().unwrap(),
            address: "http://192.0.2.7:1".parse().unwrap(),
            fingerprint: None,
            token: TokenHash::of(&[b'a'; 40]).unwrap(),
            fresh: false,
            invite: None,
            network: None,
        }
    }

    fn listed(ends: i64) -> Listed {
        let Request { name, address, fingerprint, token, .. } = request();
        let record = PeerRecord { name, address, fingerprint, online_since: Timestamp::UNIX_EPOCH };
        Listed { record, token, ends: at(ends) }
    }

    fn with(lease: Listed) -> Online {
        let mut online = Online::default();
        online.take_up(lease);
        online
    }

    #[test]
    fn only_time_is_renewed_without_the_database() {
        let key = |of| Some(Fingerprint::from_bytes([of; 32]));
        let mut lease = listed(1000);
        lease.record.fingerprint = key(1);
        let mut online = with(lease);
        for (changed, renewed) in [
            (request(), true),
            (Request { fingerprint: key(1), ..request() }, true),
            (Request { fingerprint: key(2), ..request() }, false),
            (Request { fresh: true, ..request() }, false),
            (Request { address: "http://192.0.2.7:2".parse().unwrap(), ..request() }, false),
            (Request { token: TokenHash::of(&[b'b'; 40]).unwrap(), ..request() }, false),
            (Request { name: "rui".parse().unwrap(), ..request() }, false),
        ] {
            assert_eq!(online.renew(&changed, at(0), TTL).is_some(), renewed, "{changed:?}");
        }
        assert!(online.renew(&request(), at(1000), TTL).is_none(), "it has ended");
    }

    #[test]
    fn what_could_not_be_written_is_written_later() {
        let mut online = with(listed(1000));
        online.renew(&request(), at(500), TTL);
        online.renew(&request(), at(600), TTL);
        let taken = online.take_unwritten();
        assert_eq!(taken.renewed, [(request().name, at(1600))]);
        assert_eq!(online.take_unwritten(), Unwritten::default());
        online.put_back(taken);
        online.renew(&request(), at(700), TTL);
        online.end(at(1700));
        let ended = Ended { name: request().name, at: at(1700) };
        let late = online.take_unwritten();
        assert_eq!(late, Unwritten { renewed: vec![], ended: vec![ended] });
        online.put_back(late.clone());
        assert_eq!(online.take_unwritten(), late);
    }

    #[test]
    fn the_list_is_another_only_when_it_looks_different() {
        let mut online = with(listed(1000));
        let version = online.version();
        online.renew(&request(), at(500), TTL);
        online.take_up(listed(2000));
        online.leave("rui");
        online.end(at(999));
        assert_eq!(online.version(), version);
        let mut moved = listed(2000);
        moved.record.address = "http://192.0.2.7:2".parse().unwrap();
        online.join(Admitted { listed: moved, arrival: Arrival::Stayed, fresh: false, claimed: false });
        assert!(online.version() > version);
        let version = online.version();
        online.end(at(2000));
        assert!(online.version() > version);
        assert_eq!(online.list().listings, []);
    }

    #[test]
    fn the_tokens_are_those_of_whoever_is_online() {
        let token = |of| TokenHash::of(&[of; 40]).unwrap();
        let mut online = with(listed(1000));
        online.take_up(Listed { token: token(b'b'), ..listed(2000) });
        assert!(!online.knows(&token(b'a')) && online.knows(&token(b'b')));
        online.keep_held(&[("ana".to_owned(), token(b'b'))].into());
        assert!(online.knows(&token(b'b')));
        online.keep_held(&[("ana".to_owned(), token(b'c'))].into());
        assert!(!online.knows(&token(b'b')) && online.list().listings.is_empty());
        online.take_up(listed(1000));
        online.end(at(1000));
        assert!(!online.knows(&token(b'a')));
    }
}
