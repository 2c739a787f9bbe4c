//! Who is online of those whom somebody follows: a few are looked up one after another, for more the list is read.

use std::collections::BTreeSet;

use protocol::Name;
use protocol::directory::{Claim, PeerRecord};

use super::{Directory, DirectoryError, Heard, List, PATIENCE_IN_ALL};

/// A directory answers so many look-ups with less than a hundredth of a long list.
const FEW: usize = 16;

/// Those online, as they were when last asked for.
#[derive(Debug, Default)]
pub struct Online {
    few: Vec<PeerRecord>,
    /// The few were all told from this machine.
    few_are_here: bool,
    list: List,
}

impl Online {
    /// Those online: besides those who were asked for perhaps others.
    pub fn peers(&self) -> impl Iterator<Item = &PeerRecord> {
        self.few.iter().chain(self.list.peers())
    }

    /// Whether that was all told from this machine.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.few_are_here || self.list.is_here()
    }
}

impl Directory {
    /// Brings up to date who of these, or of all if there are no names, is online; whether that has changed. After an
    /// error it is as it was.
    pub async fn ask_for(&self, names: &BTreeSet<Name>, online: &mut Online) -> Result<bool, DirectoryError> {
        if names.is_empty() || names.len() > FEW {
            let changed = self.refresh(&mut online.list).await?;
            online.few = Vec::new();
            online.few_are_here = false;
            return Ok(changed);
        }
        let Heard { said: few, here } = self.within(PATIENCE_IN_ALL, self.look_up_all(names)).await?;
        online.few_are_here = here;
        online.list = List::default();
        let changed = few != online.few;
        online.few = few;
        Ok(changed)
    }

    async fn look_up_all(&self, names: &BTreeSet<Name>) -> Result<Heard<Vec<PeerRecord>>, DirectoryError> {
        let mut online = Heard { said: Vec::with_capacity(names.len()), here: true };
        for name in names {
            let Heard { said: claim, here } = self.lookup(name).await?;
            if let Some(record) = claim.and_then(|claim| record(name, claim)) {
                online.said.push(record);
                online.here &= here;
            }
        }
        Ok(online)
    }
}

/// What the list would say of a claim under this name.
fn record(name: &Name, claim: Claim) -> Option<PeerRecord> {
    let Claim { fingerprint, address, online_since, .. } = claim;
    Some(PeerRecord { name: name.clone(), address: address?, fingerprint, online_since: online_since? })
}
