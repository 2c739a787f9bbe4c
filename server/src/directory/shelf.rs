//! Where the pages that were asked for are kept. Whatever strangers ask for, its size is bounded, and so is the work:
//! apart from the page that nearly everybody reads, one page at a time is prepared, though whoever asked for it may be gone.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use tokio::task::spawn_blocking;

use super::list::{List, Selection};
use super::online::Online;
use super::page::{Page, compress};
use super::{Failure, lock};

/// How many bytes of pages are kept besides the first page; compressed they may come once more. The oldest go first.
const KEPT_BYTES: usize = 16 * 1024 * 1024;
/// What a page costs that lists nobody.
const EMPTY_PAGE_BYTES: usize = 512;

/// The list as it was last, and pages of it.
#[derive(Debug)]
pub(super) struct Shelf {
    state: Mutex<State>,
    first_page: Arc<Turn<()>>,
    other_pages: Arc<Turn<()>>,
}

#[derive(Debug)]
struct State {
    list: Arc<List>,
    pages: HashMap<Selection, Kept>,
    /// All but the first page, oldest first.
    order: VecDeque<Selection>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    /// Of the list that it was last seen to be part of.
    version: u64,
    page: Arc<Page>,
}

/// What is on the shelf for a selection.
enum Found {
    Current(Arc<Page>),
    /// The list has changed, perhaps elsewhere; or nothing was kept.
    Stale(Arc<List>, Option<Arc<Page>>),
}

impl Shelf {
    pub(super) fn new(online: &Online) -> Self {
        let list = Arc::new(online.list());
        let state = State { list, pages: HashMap::new(), order: VecDeque::new(), bytes: 0 };
        Self { state: Mutex::new(state), first_page: Arc::default(), other_pages: Arc::default() }
    }

    /// The page as the list is now.
    pub(super) async fn page(
        self: &Arc<Self>,
        online: &Mutex<Online>,
        selection: &Selection,
    ) -> Result<Arc<Page>, Failure> {
        if let Found::Current(page) = self.find(online, selection) {
            return Ok(page);
        }
        let turn = self.turn(selection).await;
        let (list, before) = match self.find(online, selection) {
            Found::Current(page) => return Ok(page),
            Found::Stale(list, before) => (list, before),
        };
        let (keeper, wanted) = (Arc::clone(self), selection.clone());
        let prepared = spawn_blocking(move || {
            let _turn = turn;
            let excerpt = list.excerpt(&wanted);
            let page =
                before.filter(|page| page.shows(&excerpt)).unwrap_or_else(|| Arc::new(Page::of(excerpt)));
            lock(&keeper.state).keep(&wanted, Kept { version: list.version, page: Arc::clone(&page) });
            page
        });
        prepared.await.map_err(|error| Failure::Internal(error.to_string()))
    }

    /// The page's bytes, compressed.
    pub(super) async fn gzip(&self, selection: &Selection, page: &Arc<Page>) -> Result<Bytes, Failure> {
        if let Some(ready) = page.gzip.get() {
            return Ok(ready.clone());
        }
        let turn = self.turn(selection).await;
        if let Some(ready) = page.gzip.get() {
            return Ok(ready.clone());
        }
        let page = Arc::clone(page);
        let compressed = spawn_blocking(move || {
            let _turn = turn;
            compress(&page.body).map(|bytes| page.gzip.get_or_init(|| bytes).clone())
        });
        compressed
            .await
            .map_err(|error| Failure::Internal(error.to_string()))?
            .map_err(|error| Failure::Internal(error.to_string()))
    }

    async fn turn(&self, selection: &Selection) -> OwnedMutexGuard<()> {
        let turn = if selection.is_first_page() { &self.first_page } else { &self.other_pages };
        Arc::clone(turn).lock_owned().await
    }

    fn find(&self, online: &Mutex<Online>, selection: &Selection) -> Found {
        let version = lock(online).version();
        let mut state = lock(&self.state);
        if state.list.version < version {
            state.list = Arc::new(lock(online).list());
        }
        match state.pages.get(selection) {
            Some(kept) if kept.version == state.list.version => Found::Current(Arc::clone(&kept.page)),
            kept => Found::Stale(Arc::clone(&state.list), kept.map(|kept| Arc::clone(&kept.page))),
        }
    }
}

impl State {
    fn keep(&mut self, selection: &Selection, kept: Kept) {
        let bytes = bytes_of(selection, &kept.page);
        let before = self.pages.insert(selection.clone(), kept);
        if selection.is_first_page() {
            return;
        }
        self.bytes += bytes;
        match before {
            Some(before) => self.bytes -= bytes_of(selection, &before.page),
            None => self.order.push_back(selection.clone()),
        }
        while self.bytes > KEPT_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            if let Some(gone) = self.pages.remove(&oldest) {
                self.bytes -= bytes_of(&oldest, &gone.page);
            }
        }
    }
}

fn bytes_of(selection: &Selection, page: &Page) -> usize {
    // The selection stands on the shelf twice.
    EMPTY_PAGE_BYTES + 2 * selection.part.len() + page.body.len()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use futures_util::FutureExt as _;
    use jiff::Timestamp;
    use protocol::Name;
    use protocol::directory::PeerRecord;

    use super::super::clock::Moment;
    use super::super::leases::Listed;
    use super::super::token::TokenHash;
    use super::*;

    fn take_up(online: &Mutex<Online>, name: &str) {
        let record = PeerRecord {
            name: name.parse().unwrap(),
            address: "http://192.0.2.7:1".parse().unwrap(),
            fingerprint: None,
            online_since: Timestamp::UNIX_EPOCH,
        };
        let token = TokenHash::of(&[b'a'; 40]).unwrap();
        lock(online).take_up(Listed { record, token, ends: Moment::from_sql(1000) });
    }

    fn shelf(names: &[&str]) -> (Mutex<Online>, Arc<Shelf>) {
        let online = Mutex::new(Online::default());
        for name in names {
            take_up(&online, name);
        }
        let shelf = Arc::new(Shelf::new(&lock(&online)));
        (online, shelf)
    }

    fn names(page: &Page) -> Vec<String> {
        let records: Vec<PeerRecord> = serde_json::from_slice(&page.body).unwrap();
        records.into_iter().map(|record| record.name.into()).collect()
    }

    fn of(part: &str, limit: usize) -> Selection {
        Selection { part: part.to_owned(), after: None, limit }
    }

    #[tokio::test]
    async fn a_page_is_prepared_once_for_each_change_that_it_shows() {
        let (online, shelf) = shelf(&["ana", "rui", "zeca"]);
        let (first, others) = (Selection::default(), of("", 2));
        let (all, two) =
            (shelf.page(&online, &first).await.unwrap(), shelf.page(&online, &others).await.unwrap());
        assert_eq!(
            (names(&all), names(&two)),
            (["ana", "rui", "zeca"].map(str::to_owned).into(), names(&two))
        );
        assert_eq!((&all.last, two.last.as_ref().map(Name::as_str)), (&None, Some("rui")));
        assert!(Arc::ptr_eq(&all, &shelf.page(&online, &first).await.unwrap()));

        lock(&online).leave("zeca");
        assert_eq!(names(&shelf.page(&online, &first).await.unwrap()), ["ana", "rui"]);
        let alone = shelf.page(&online, &others).await.unwrap();
        assert_eq!((&alone.body, &alone.last), (&two.body, &None));
        assert_ne!(alone.tag, two.tag, "who has this page has to learn that there is a further one, or none");

        lock(&online).leave("rui");
        let ana = shelf.page(&online, &of("an", 2)).await.unwrap();
        take_up(&online, "rui");
        lock(&online).leave("rui");
        assert!(Arc::ptr_eq(&ana, &shelf.page(&online, &of("an", 2)).await.unwrap()), "it changed elsewhere");
    }

    #[tokio::test]
    async fn who_asks_and_leaves_leaves_the_turn_and_the_page_behind() {
        let (online, shelf) = shelf(&["ana", "rui"]);
        let selection = Selection::default();
        let over = async || drop(Arc::clone(&shelf.first_page).lock_owned().await);
        drop(shelf.page(&online, &selection).now_or_never());
        over().await;
        let page = lock(&shelf.state).pages.get(&selection).map(|kept| Arc::clone(&kept.page)).unwrap();
        drop(shelf.gzip(&selection, &page).now_or_never());
        over().await;
        assert!(page.gzip.get().is_some());
    }

    #[tokio::test]
    async fn it_is_compressed_once() {
        let (online, shelf) = shelf(&["ana", "rui"]);
        let page = shelf.page(&online, &Selection::default()).await.unwrap();
        let gzip = shelf.gzip(&Selection::default(), &page).await.unwrap();
        let mut text = Vec::new();
        GzDecoder::new(gzip.as_ref()).read_to_end(&mut text).unwrap();
        assert_eq!(text, page.body);
        assert_eq!(shelf.gzip(&Selection::default(), &page).await.unwrap().as_ptr(), gzip.as_ptr());
    }

    #[tokio::test]
    async fn what_strangers_ask_for_does_not_grow_the_shelf_and_leaves_the_first_page() {
        let (online, shelf) = shelf(&["ana"]);
        let first = shelf.page(&online, &Selection::default()).await.unwrap();
        ask_for_much(&mut lock(&shelf.state));
        assert!(Arc::ptr_eq(&first, &shelf.page(&online, &Selection::default()).await.unwrap()));
    }

    fn ask_for_much(state: &mut State) {
        let most = KEPT_BYTES / EMPTY_PAGE_BYTES;
        for number in 0..2 * most {
            let page = Arc::new(Page::of(state.list.excerpt(&of("no", 1))));
            state.keep(&of(&number.to_string(), 1), Kept { version: 0, page });
        }
        assert!(state.bytes <= KEPT_BYTES && state.pages.len() <= most);
        assert_eq!(state.pages.len(), state.order.len() + 1);
        let kept = state.order.iter().map(|at| bytes_of(at, &state.pages[at].page));
        assert_eq!(kept.sum::<usize>(), state.bytes);
    }
}
