//! Ears: where something verified came from a recipient, it is there again, and its lane need not wait any longer. The
//! directory may be gone, and the wait be long.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use protocol::Name;

use super::lane::Lane;
use crate::locked;

/// The lanes that may be woken so; a clone hears for the same ones.
#[derive(Debug, Clone, Default)]
pub struct Ears(Arc<Mutex<HashMap<Name, Arc<Lane>>>>);

impl Ears {
    /// Something came from this name, by the key that it has.
    pub fn heard_from(&self, name: &Name) {
        if let Some(lane) = locked(&self.0).get(name) {
            lane.heard();
        }
    }

    /// Hears for this lane from now on.
    pub(super) fn open(&self, lane: &Arc<Lane>) {
        locked(&self.0).insert(lane.recipient().clone(), Arc::clone(lane));
    }

    /// No longer hears for the lane of this recipient.
    pub(super) fn close(&self, recipient: &Name) {
        locked(&self.0).remove(recipient);
    }
}
