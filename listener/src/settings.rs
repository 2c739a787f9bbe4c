//! What a program decides about its listener.

use std::sync::Arc;

use crate::{Limits, Observer, Tls, TrustedProxy};

/// How a listener serves.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What a stranger may take of it.
    pub limits: Limits,
    /// Whose word about where a request came from is taken; see [`Source::of`](crate::Source::of).
    pub trusted_proxies: Vec<TrustedProxy>,
    /// What it proves itself with. Every request has to come over TLS then, but for those who may do without.
    pub tls: Option<Tls>,
    /// Who is told what happens.
    pub observer: Option<Arc<dyn Observer>>,
}

impl From<Limits> for Settings {
    fn from(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }
}
