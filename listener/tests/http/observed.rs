//! What a listener tells its observer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use listener::{Limits, Observer, Settings};
use protocol::problem::Slug;
use tokio::sync::mpsc;

use crate::kit::{ROOMY, SHORT, Site, within};

#[derive(Debug)]
struct Notes {
    open: AtomicUsize,
    refusals: mpsc::UnboundedSender<Slug>,
}

impl Observer for Notes {
    fn opened(&self) {
        self.open.fetch_add(1, Ordering::SeqCst);
    }

    fn closed(&self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    fn refused(&self, slug: Slug) {
        self.refusals.send(slug).unwrap();
    }
}

fn observed(limits: Limits) -> (Settings, Arc<Notes>, mpsc::UnboundedReceiver<Slug>) {
    let (refusals, told) = mpsc::unbounded_channel();
    let notes = Arc::new(Notes { open: AtomicUsize::new(0), refusals });
    (Settings { limits, observer: Some(notes.clone()), ..Settings::default() }, notes, told)
}

#[tokio::test]
async fn every_problem_is_told_once_wherever_it_was_found() {
    let (settings, _, mut told) = observed(Limits { header: SHORT, ..ROOMY });
    let site = Site::open(settings).await;
    for (request, slug) in [
        (
            "GET /hello HTTP/1.1\r\nhost: a\r\n\r\nGET /nothing HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            Slug::NotFound,
        ),
        ("GET /panic HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", Slug::Internal),
        ("GET /page?limit=x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", Slug::InvalidQuery),
        (
            "POST /note HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1025\r\n\r\n",
            Slug::TooLarge,
        ),
        ("oops\r\n\r\n", Slug::BadRequest),
        ("GET /hello HTTP/1.1\r\nhost:", Slug::Timeout),
    ] {
        let mut client = site.client().await;
        client.send(request).await;
        assert_eq!(within(slug.word(), told.recv()).await, Some(slug));
        client.rest().await;
    }
    assert!(told.try_recv().is_err());

    let (settings, _, mut told) = observed(Limits { connections: 0, ..ROOMY });
    let site = Site::open(settings).await;
    site.client().await.rest().await;
    assert_eq!(told.try_recv(), Ok(Slug::Unavailable));
}

#[tokio::test]
async fn connections_are_told_when_they_open_and_end() {
    let (settings, notes, _told) = observed(ROOMY);
    let site = Site::open(settings).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = site.client().await;
        client.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
        client.response().await;
        clients.push(client);
    }
    assert_eq!(notes.open.load(Ordering::SeqCst), 3);
    clients.pop();
    let closed = async {
        while notes.open.load(Ordering::SeqCst) != 2 {
            tokio::task::yield_now().await;
        }
    };
    within("the connection to be told closed", closed).await;
}
