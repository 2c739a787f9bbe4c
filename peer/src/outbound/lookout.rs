//! The lookout: follows the directory for as long as somebody waits for a recipient, and tells who is listed. What to
//! make of it is for the lane of that recipient.

use std::collections::BTreeSet;

use protocol::Name;
use protocol::directory::{Change, PeerRecord};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::follower::{Follower, News};
use crate::directory::{Directory, Heard};

/// How much may wait for whoever listens.
const BEHIND: usize = 16;

/// A task beside the dispatcher, since a directory may be slow.
#[derive(Debug)]
pub struct Lookout {
    names: watch::Sender<BTreeSet<Name>>,
    listed: mpsc::Receiver<Heard<Vec<PeerRecord>>>,
    task: JoinHandle<()>,
}

impl Lookout {
    /// A lookout at this directory, for nobody yet.
    #[must_use]
    pub fn new(directory: Directory) -> Self {
        let (names, wanted) = watch::channel(BTreeSet::new());
        let (tell, listed) = mpsc::channel(BEHIND);
        let task = tokio::spawn(look_out(Follower::new(directory), wanted, tell));
        Self { names, listed, task }
    }

    /// Looks out for these from now on.
    pub fn look_for(&self, names: BTreeSet<Name>) {
        self.names.send_if_modified(|before| {
            let changed = *before != names;
            *before = names;
            changed
        });
    }

    /// The next of them whom the directory lists, perhaps as before. May be dropped at any time.
    pub async fn next(&mut self) -> Option<Heard<Vec<PeerRecord>>> {
        self.listed.recv().await
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn look_out(
    mut follower: Follower,
    mut wanted: watch::Receiver<BTreeSet<Name>>,
    tell: mpsc::Sender<Heard<Vec<PeerRecord>>>,
) {
    loop {
        let names = wanted.borrow_and_update().clone();
        if names.is_empty() {
            follower.rest();
            if wanted.changed().await.is_err() {
                return;
            }
            continue;
        }
        follower.look_for(names.clone());
        let news = tokio::select! {
            news = follower.next() => news,
            changed = wanted.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        let listed = match news {
            Ok(News::Online) => {
                follower.online().filter(|record| names.contains(&record.name)).cloned().collect()
            }
            Ok(News::Change(Change::Joined | Change::Changed, record)) if names.contains(&record.name) => {
                vec![record]
            }
            Ok(News::Change(..)) => continue,
            Err(error) => {
                tracing::debug!(%error, "the directory cannot say who is back");
                continue;
            }
        };
        let told = Heard { said: listed, here: follower.heard_here() };
        if tell.send(told).await.is_err() {
            return;
        }
    }
}
