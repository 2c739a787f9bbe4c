//! A page of the list as it is sent: its bytes, their tag, and the same compressed. Prepared when somebody first asks for
//! it after a change that it shows, never for each request.

use std::io::{self, Write as _};
use std::sync::{Arc, OnceLock};

use bytes::{BufMut as _, Bytes, BytesMut};
use data_encoding::BASE64URL_NOPAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use protocol::Name;
use sha2::{Digest as _, Sha256};

use super::list::Excerpt;
use super::listing::Listing;

/// Of what zlib-rs offers the best bargain for lists of peers: 10,000 of them, 1.7 MB, become 526 kB in 12 ms. Level 1 makes
/// 736 kB of them in 7 ms, level 6 needs 16 ms for 514 kB.
const LEVEL: Compression = Compression::new(2);

/// Some of those online.
#[derive(Debug)]
pub struct Page {
    /// The JSON array.
    pub body: Bytes,
    /// What tells this page from every other state of the same page, over restarts too.
    pub tag: String,
    /// The last name on it, if there is a further page behind it.
    pub last: Option<Name>,
    listings: Vec<Arc<Listing>>,
    pub(super) gzip: OnceLock<Bytes>,
}

impl Page {
    pub(super) fn of(excerpt: Excerpt) -> Self {
        let Excerpt { listings, more } = excerpt;
        let body = array(&listings);
        // A page that others have come to stand behind is another page, though it lists the same.
        let digest = Sha256::new().chain_update(&body).chain_update([u8::from(more)]).finalize();
        let tag = BASE64URL_NOPAD.encode(digest.get(..16).unwrap_or_default());
        let last = listings.last().filter(|_| more).map(|listing| listing.name.clone());
        Self { body, tag, last, listings, gzip: OnceLock::new() }
    }

    /// Whether it shows just this. Told by the listings' places in memory, which nothing else takes while this has them.
    pub(super) fn shows(&self, excerpt: &Excerpt) -> bool {
        let same = |(ours, theirs): (&Arc<Listing>, &Arc<Listing>)| Arc::ptr_eq(ours, theirs);
        self.last.is_some() == excerpt.more
            && self.listings.len() == excerpt.listings.len()
            && self.listings.iter().zip(&excerpt.listings).all(same)
    }
}

fn array(listings: &[Arc<Listing>]) -> Bytes {
    let length: usize = listings.iter().map(|listing| listing.json.len() + 1).sum();
    let mut body = BytesMut::with_capacity(length + 2);
    body.put_u8(b'[');
    for (position, listing) in listings.iter().enumerate() {
        if position > 0 {
            body.put_u8(b',');
        }
        body.put_slice(&listing.json);
    }
    body.put_u8(b']');
    body.freeze()
}

/// RFC 1952. The same bytes for the same bytes.
pub(super) fn compress(body: &[u8]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 3), LEVEL);
    encoder.write_all(body)?;
    Ok(encoder.finish()?.into())
}
