//! Who is online, as memory has it: renewed without a write, ended without a read. What was decided and committed
//! comes in; what is to be written down later goes out. No clock is asked here.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use jiff::Timestamp;
use protocol::directory::PeerRecord;
use protocol::{Address, Fingerprint, Name};

use super::clock::Moment;
use super::decision::Request;
use super::leases::Listed;
use super::token::TokenHash;

/// Those online.
#[derive(Debug, Default)]
pub(super) struct Online {
    leases: BTreeMap<Name, Lease>,
    /// Of all leases: each claim has one of its own.
    tokens: HashSet<TokenHash>,
    /// No lease ends before this. Renewals leave it behind, so that they need not look for the next.
    earliest: Option<Moment>,
    renewed: Vec<Name>,
    ended: Vec<Ended>,
    version: u64,
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
    /// The record as the list shows it.
    entry: Box<[u8]>,
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
    /// A lease begins, or takes the place of another.
    pub(super) fn join(&mut self, listed: Listed) {
        let entry = entry(&listed.record).into_boxed_slice();
        let Listed { record, token, ends } = listed;
        let PeerRecord { name, address, fingerprint, online_since } = record;
        self.earliest = Some(self.earliest.map_or(ends, |earliest| earliest.min(ends)));
        let had = self.leases.get(&name);
        if had.is_none_or(|had| had.entry != entry) {
            self.version += 1;
        }
        let lease = Lease { address, fingerprint, online_since, token, ends, unwritten: false, entry };
        if let Some(had) = self.leases.insert(name, lease) {
            self.tokens.remove(&had.token);
        }
        self.tokens.insert(token);
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
        Some(Renewed { record: lease.record(&request.name), ends: lease.ends })
    }

    /// The lease was given up.
    pub(super) fn leave(&mut self, name: &str) {
        if let Some(left) = self.leases.remove(name) {
            self.tokens.remove(&left.token);
            self.version += 1;
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
        let before = self.ended.len();
        self.leases.retain(|name, lease| {
            let runs = lease.ends > now;
            if !runs {
                self.ended.push(Ended { name: name.clone(), at: lease.ends });
                self.tokens.remove(&lease.token);
            }
            runs
        });
        if self.ended.len() > before {
            self.version += 1;
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

    /// Grows with every change of the list.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// The list as a JSON array, sorted by name.
    pub(super) fn body(&self) -> Bytes {
        let length: usize = self.leases.values().map(|lease| lease.entry.len() + 1).sum();
        let mut body = BytesMut::with_capacity(length + 2);
        body.put_u8(b'[');
        for (position, lease) in self.leases.values().enumerate() {
            if position > 0 {
                body.put_u8(b',');
            }
            body.put_slice(&lease.entry);
        }
        body.put_u8(b']');
        body.freeze()
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

fn entry(record: &PeerRecord) -> Vec<u8> {
    // Only maps with keys that are no strings, and writers that fail, make this an error.
    serde_json::to_vec(record).unwrap_or_default()
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
        online.join(lease);
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
        online.join(listed(2000));
        online.leave("rui");
        online.end(at(999));
        assert_eq!(online.version(), version);
        let mut moved = listed(2000);
        moved.record.address = "http://192.0.2.7:2".parse().unwrap();
        online.join(moved);
        assert!(online.version() > version);
        let version = online.version();
        online.end(at(2000));
        assert!(online.version() > version);
        assert_eq!(online.body(), "[]");
    }

    #[test]
    fn the_tokens_are_those_of_whoever_is_online() {
        let token = |of| TokenHash::of(&[of; 40]).unwrap();
        let mut online = with(listed(1000));
        online.join(Listed { token: token(b'b'), ..listed(2000) });
        assert!(!online.knows(&token(b'a')) && online.knows(&token(b'b')));
        online.keep_held(&[("ana".to_owned(), token(b'b'))].into());
        assert!(online.knows(&token(b'b')));
        online.keep_held(&[("ana".to_owned(), token(b'c'))].into());
        assert!(!online.knows(&token(b'b')) && online.body() == "[]");
        online.join(listed(1000));
        online.end(at(1000));
        assert!(!online.knows(&token(b'a')));
    }
}
