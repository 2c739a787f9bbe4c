//! Who this peer is: its key, its name, and its secret for each directory.

pub mod key;

pub mod profile;

pub mod tokens;

pub mod private;

pub use key::{Key, KeyError};
pub use profile::{Profile, dialled_at, rename, settle_name};
pub use tokens::Tokens;
