//! The list of those online: read page by page, and brought up to date with the tag of each page.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use protocol::directory::PeerRecord;
use protocol::paths;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, LINK};
use reqwest::{StatusCode, Url};

use super::{Directory, DirectoryError, Heard, PATIENCE, PATIENCE_IN_ALL, link};
use crate::client::{bounded, over_loopback};

/// As many as a directory puts on a page.
const PAGE: usize = 10_000;
/// A list has no more pages.
const MOST_PAGES: usize = 100;
/// A list has no more bytes, all pages together.
const LONGEST: usize = 64 * 1024 * 1024;

/// The one coding that is asked for.
const GZIP: &str = "gzip";

/// Those online, with the marks that tell whether the list has changed.
#[derive(Debug, Default)]
pub struct List {
    pages: Vec<Page>,
}

#[derive(Debug)]
struct Page {
    url: Url,
    etag: Option<HeaderValue>,
    peers: Vec<PeerRecord>,
    /// It came from this machine.
    here: bool,
    next: Option<Url>,
}

impl List {
    /// No list names more peers, nor does what follows it.
    pub const MOST: usize = MOST_PAGES * PAGE;

    /// Those online, in the directory's order: a directory that lies may name somebody twice.
    pub fn peers(&self) -> impl Iterator<Item = &PeerRecord> {
        self.pages.iter().flat_map(|page| &page.peers)
    }

    /// Whether all of it came from this machine.
    pub(super) fn is_here(&self) -> bool {
        !self.pages.is_empty() && self.pages.iter().all(|page| page.here)
    }

    /// Those online by name, everyone once.
    fn into_peers(self) -> Vec<PeerRecord> {
        let mut peers: Vec<_> = self.pages.into_iter().flat_map(|page| page.peers).collect();
        peers.sort_by(|one, other| one.name.cmp(&other.name));
        peers.dedup_by(|later, earlier| later.name == earlier.name);
        peers
    }
}

impl Directory {
    /// Who is online, by name.
    pub async fn peers(&self) -> Result<Heard<Vec<PeerRecord>>, DirectoryError> {
        let mut list = List::default();
        self.refresh(&mut list).await?;
        let here = list.is_here();
        Ok(Heard { said: list.into_peers(), here })
    }

    /// Brings a list of those online up to date; whether it has changed. After an error it is as it was.
    pub(super) async fn refresh(&self, list: &mut List) -> Result<bool, DirectoryError> {
        let news = self.within(PATIENCE_IN_ALL, self.news(list)).await?;
        let changed = news.len() != list.pages.len() || news.iter().any(Option::is_some);
        let mut known = std::mem::take(&mut list.pages).into_iter();
        list.pages = news.into_iter().filter_map(|page| page.or(known.next())).collect();
        Ok(changed)
    }

    /// For each page what is new, or nothing where the page in its place still holds.
    async fn news(&self, list: &List) -> Result<Vec<Option<Page>>, DirectoryError> {
        let mut first = self.base.at(paths::PEERS);
        first.query_pairs_mut().append_pair("limit", &PAGE.to_string());
        let (mut next, mut left) = (Some(first), LONGEST);
        let mut news = Vec::new();
        while let Some(url) = next {
            if news.len() == MOST_PAGES {
                return Err(self.away(reason!("its list has more than {MOST_PAGES} pages")));
            }
            let known = list.pages.get(news.len()).filter(|page| page.url == url);
            let page = self.page(url, known, &mut left).await?;
            next = page.as_ref().or(known).and_then(|page| page.next.clone());
            news.push(page);
        }
        Ok(news)
    }

    /// One page, or nothing if the known one still holds. What it takes is taken from what is `left`.
    async fn page(
        &self,
        url: Url,
        known: Option<&Page>,
        left: &mut usize,
    ) -> Result<Option<Page>, DirectoryError> {
        let mut request = self.get(url.clone()).timeout(PATIENCE).header(ACCEPT_ENCODING, GZIP);
        let tag = known.and_then(|page| page.etag.as_ref());
        if let Some(tag) = tag {
            request = request.header(IF_NONE_MATCH, tag);
        }
        let answer = self.ask(request).await?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            let holds = tag.is_some().then_some(None);
            return holds.ok_or_else(|| self.away(reason!("it answers 304 to one who knows nothing")));
        }
        let etag = answer.headers().get(ETAG).cloned();
        let next = self.next_page(&url, answer.headers())?;
        let here = over_loopback(&answer);
        let coding = answer.headers().get(CONTENT_ENCODING).cloned();
        let sent = bounded(answer, *left).await.map_err(|error| self.away(error))?;
        let bytes = decoded(sent, coding.as_ref(), *left).map_err(|error| self.away(error))?;
        *left -= bytes.len();
        Ok(Some(Page { url, etag, peers: self.parse(&bytes)?, here, next }))
    }

    /// Where the page behind this one is. It is of the same list, or the token would go elsewhere.
    fn next_page(&self, url: &Url, headers: &HeaderMap) -> Result<Option<Url>, DirectoryError> {
        let mut values = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
        let Some(target) = values.find_map(link::next_page) else { return Ok(None) };
        let next = url.join(target).ok().filter(|next| {
            next.origin() == url.origin()
                && next.path() == paths::PEERS
                && next.username().is_empty()
                && next.password().is_none()
        });
        next.map(Some).ok_or_else(|| self.away(reason!("its list goes on elsewhere, at {target}")))
    }
}

/// What was sent in this coding, if it is no more than `most` bytes without it.
fn decoded(sent: Vec<u8>, coding: Option<&HeaderValue>, most: usize) -> Result<Vec<u8>, String> {
    let Some(coding) = coding else { return Ok(sent) };
    if !coding.as_bytes().eq_ignore_ascii_case(GZIP.as_bytes()) {
        return Err(reason!("its list comes in a coding that nobody asked for"));
    }
    let mut plain = Vec::new();
    let mut reader = MultiGzDecoder::new(sent.as_slice()).take(most as u64 + 1);
    reader.read_to_end(&mut plain).map_err(|error| reason!("its list cannot be unpacked: {error}"))?;
    if plain.len() > most {
        return Err(reason!("its list is longer than {most} bytes"));
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_list_is_from_this_machine_if_every_page_of_it_is() {
        for (pages, is_here) in [
            (&[][..], false),
            (&[true], true),
            (&[false], false),
            (&[true, true], true),
            (&[true, false], false),
            (&[false, true], false),
        ] {
            let url = Url::parse("http://127.0.0.1:7100/peers").unwrap();
            let page = |here: &bool| Page {
                url: url.clone(),
                etag: None,
                peers: Vec::new(),
                here: *here,
                next: None,
            };
            assert_eq!(List { pages: pages.iter().map(page).collect() }.is_here(), is_here, "{pages:?}");
        }
    }

    #[test]
    fn a_page_is_unpacked_within_bounds() {
        let plain = vec![b' '; 1 << 20];
        let bomb = packed(&plain);
        assert!(bomb.len() < 1 << 12);
        let unpack =
            |sent: &[u8], coding, most| decoded(sent.to_vec(), Some(&HeaderValue::from_static(coding)), most);
        for coding in ["gzip", "GZip"] {
            assert_eq!(unpack(&bomb, coding, plain.len()), Ok(plain.clone()));
        }
        assert!(unpack(&bomb, GZIP, plain.len() - 1).is_err(), "more than is left");
        assert!(unpack(&bomb[..bomb.len() - 1], GZIP, plain.len()).is_err(), "cut off");
        assert!(unpack(&plain, GZIP, plain.len()).is_err(), "not packed");
        assert!(unpack(&bomb, "br", plain.len()).is_err());
        assert_eq!(decoded(plain.clone(), None, 0), Ok(plain), "bounded when it was read");
    }
}
