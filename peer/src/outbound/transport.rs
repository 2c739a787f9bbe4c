//! The transport: hands a batch over to the peer at an address, and gives what it answered. What that means is for
//! `handover`.

use std::time::Duration;

use protocol::paths;
use uuid::Uuid;

use super::batch::Batch;
use super::handover::{Answer, Handover, judge};
use crate::client::{Destination, Peers, bounded, innermost, other_key, retry_after};

/// An answer comes within this, or it counts as none.
const PATIENCE: Duration = Duration::from_secs(10);
/// A single message's receipt is no longer than this.
const LONGEST_RECEIPT: usize = 4 * 1024;
/// The answer to a batch is no longer than this for each of its messages.
const LONGEST_RESULT: usize = 1024;

/// Hands batches over.
#[derive(Debug, Clone)]
pub struct Transport {
    peers: Peers,
}

impl Transport {
    /// A transport over this client.
    #[must_use]
    pub fn new(peers: Peers) -> Self {
        Self { peers }
    }

    /// Hands `batch` over to whoever is expected at this destination, and to nobody else.
    pub async fn hand_over(&self, destination: &Destination, batch: &Batch) -> Handover {
        let address = &destination.address;
        let answer = match self.peers.post(destination, paths::MESSAGES, batch.body(), PATIENCE).await {
            Ok(answer) => answer,
            Err(error) => {
                if let Some(keys) = other_key(&error) {
                    let reason = reason!("{address} is not the recipient: {keys}");
                    return Handover::OtherKey { reason, presented: keys.presented };
                }
                let reason = reason!("no answer from {address}: {}", innermost(&error));
                if error.is_connect() {
                    return Handover::Unreachable { reason, retry_after: None };
                }
                return Handover::Unclear { reason };
            }
        };
        let (status, retry_after) = (answer.status().as_u16(), retry_after(&answer));
        let ids: Vec<Uuid> = batch.items().iter().map(|item| item.id).collect();
        let longest = if batch.is_array() { ids.len() * LONGEST_RESULT } else { LONGEST_RECEIPT };
        match bounded(answer, longest).await {
            Ok(body) => judge(&ids, Answer { status, body: &body, retry_after }),
            Err(error) => Handover::Unclear { reason: reason!("no receipt from {address}: {error}") },
        }
    }
}
