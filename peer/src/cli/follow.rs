//! Following: what is kept from now on, in the order of storing, whichever process keeps it.

use std::time::Duration;

use tokio::time::sleep;

use super::exit::Failure;
use crate::conversations::{Conversations, Direction, Entry, Query};
use crate::database::Fault;
use crate::peer::Peer;

/// How often it is looked whether anything was written.
const GLANCE: Duration = Duration::from_millis(100);

/// A place in what was received, from which on everything is new.
pub struct Follower {
    conversations: Conversations,
    watch: store::Watch,
    query: Query,
    /// Where what was shown ends.
    behind: i64,
}

impl Follower {
    /// Follows what is received behind the last position given so far.
    pub fn from_now(peer: &Peer) -> Result<Self, Failure> {
        let query = Query { direction: Some(Direction::Received), ..Query::default() };
        Self::behind(peer, query, peer.conversations.last_position()?)
    }

    /// Follows what the query asks for, behind this position.
    pub fn behind(peer: &Peer, query: Query, behind: i64) -> Result<Self, Failure> {
        Ok(Self { conversations: peer.conversations.clone(), watch: peer.watch()?, query, behind })
    }

    /// The messages that were kept since the last call; waits until there are some. May be dropped at any time.
    pub async fn next(&mut self) -> Result<Vec<Entry>, Failure> {
        loop {
            let entries = self.conversations.stored_since(&self.query, self.behind)?;
            if let Some(last) = entries.last() {
                self.behind = last.position;
                return Ok(entries);
            }
            while !self.watch.changed().map_err(Fault::from)? {
                sleep(GLANCE).await;
            }
        }
    }
}
