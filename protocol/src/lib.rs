//! What crosses the wire between Recado's programs, and nothing else: names, addresses, fingerprints, messages,
//! the directory's records, problems and paths. No runtime, no HTTP library and no SQL belong here.

pub mod paths;

pub mod name;

pub mod address;

pub mod fingerprint;

pub mod link;

pub mod message;

pub mod batch;

pub mod directory;

pub mod problem;

pub mod secret;

pub mod duration;

pub mod size;

pub use address::Address;
pub use fingerprint::Fingerprint;
pub use link::Link;
pub use name::Name;
pub use problem::{Problem, Slug};
pub use secret::Secret;
