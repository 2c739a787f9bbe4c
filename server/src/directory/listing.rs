//! A record in the form in which it is sent: made once for each change of it, and shared by every page and event that
//! shows it.

use protocol::Name;
use protocol::directory::PeerRecord;

/// One who is online, or was.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) name: Name,
    /// The record.
    pub(super) json: Box<[u8]>,
}

impl Listing {
    pub(super) fn of(record: &PeerRecord) -> Self {
        // Only maps with keys that are no strings, and writers that fail, make this an error.
        let json = serde_json::to_vec(record).unwrap_or_default().into_boxed_slice();
        Self { name: record.name.clone(), json }
    }
}
