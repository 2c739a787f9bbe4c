//! Who is online of those whom somebody follows: a few are looked up one after another, for more the list is read.

use std::collections::BTreeSet;

use protocol::Name;
use protocol::directory::{Claim, PeerRecord};

use super::{Directory, DirectoryError, List, PATIENCE_IN_ALL};

/// A directory answers so many look-ups with less than a hundredth of a long list.
const FEW: usize = 16;

/// Those online, as they were when last asked for.
#[derive(Debug, Default)]
pub struct Online {
    few: Vec<PeerRecord>,
    list: List,
}

impl Online {
    /// Those online: besides those who were asked for perhaps others.
    pub fn peers(&self) -> impl Iterator<Item = &PeerRecord> {
        self.few.iter().chain(self.list.peers())
    }
}

impl Directory {
    /// Brings up to date who of these, or of all if there are no names, is online; whether that has changed. After an
    /// error it is as it was.
    pub async fn ask_for(&self, names: &BTreeSet<Name>, online: &mut Online) -> Result<bool, DirectoryError> {
        if names.is_empty() || names.len() > FEW {
            let changed = self.refresh(&mut online.list).await?;
            online.few = Vec::new();
            return Ok(changed);
        }
        let few = self.within(PATIENCE_IN_ALL, self.look_up_all(names)).await?;
        online.list = List::default();
        let changed = few != online.few;
        online.few = few;
        Ok(changed)
    }

    async fn look_up_all(&self, names: &BTreeSet<Name>) -> Result<Vec<PeerRecord>, DirectoryError> {
        let mut online = Vec::with_capacity(names.len());
        for name in names {
            online.extend(self.lookup(name).await?.and_then(|claim| record(name, claim)));
        }
        Ok(online)
    }
}

/// What the list would say of a claim under this name.
fn record(name: &Name, claim: Claim) -> Option<PeerRecord> {
    let Claim { fingerprint, address, online_since, .. } = claim;
    Some(PeerRecord { name: name.clone(), address: address?, fingerprint, online_since: online_since? })
}
