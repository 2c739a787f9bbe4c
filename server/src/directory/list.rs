//! The list of those online as it is sent: prepared once for each change, by whoever asks first after it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use super::lock;
use super::online::Online;

/// The list at one moment.
#[derive(Debug)]
pub struct List {
    /// The JSON array.
    pub body: Bytes,
    /// Its strong entity tag, quotes included: the same for the same list, over restarts too.
    pub etag: String,
    version: u64,
}

/// Where the latest list is kept.
#[derive(Debug)]
pub(super) struct Shelf {
    latest: Mutex<Arc<List>>,
}

impl Shelf {
    pub(super) fn new(online: &Online) -> Self {
        Self { latest: Mutex::new(Arc::new(List::of(online.version(), online.body()))) }
    }

    pub(super) fn latest(&self, online: &Mutex<Online>) -> Arc<List> {
        let version = lock(online).version();
        let mut latest = lock(&self.latest);
        if latest.version < version {
            let (version, body) = {
                let online = lock(online);
                (online.version(), online.body())
            };
            // Hashed while others may join, though not while others ask: they would hash the same.
            *latest = Arc::new(List::of(version, body));
        }
        Arc::clone(&latest)
    }
}

impl List {
    fn of(version: u64, body: Bytes) -> Self {
        let digest = Sha256::digest(&body);
        let tag = digest.get(..16).unwrap_or_default();
        Self { etag: format!("\"{}\"", BASE64URL_NOPAD.encode(tag)), body, version }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use protocol::directory::PeerRecord;

    use super::super::clock::Moment;
    use super::super::leases::Listed;
    use super::super::token::TokenHash;
    use super::*;

    fn join(online: &Mutex<Online>, name: &str) {
        let record = PeerRecord {
            name: name.parse().unwrap(),
            address: "http://192.0.2.7:1".parse().unwrap(),
            fingerprint: None,
            online_since: Timestamp::UNIX_EPOCH,
        };
        let token = TokenHash::of(&[b'a'; 40]).unwrap();
        lock(online).join(Listed { record, token, ends: Moment::from_sql(1000) });
    }

    #[test]
    fn a_list_is_prepared_once_a_change() {
        let online = Mutex::new(Online::default());
        let shelf = Shelf::new(&lock(&online));
        let empty = shelf.latest(&online);
        assert_eq!(empty.body, "[]");
        join(&online, "rui");
        join(&online, "ana");
        let two = shelf.latest(&online);
        let records: Vec<PeerRecord> = serde_json::from_slice(&two.body).unwrap();
        assert_eq!(records.iter().map(|record| record.name.as_str()).collect::<Vec<_>>(), ["ana", "rui"]);
        assert!(Arc::ptr_eq(&two, &shelf.latest(&online)));
        assert_ne!(two.etag, empty.etag);
        lock(&online).leave("ana");
        lock(&online).leave("rui");
        assert_eq!(shelf.latest(&online).etag, empty.etag);
    }
}
