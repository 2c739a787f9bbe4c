//! What a program may count of its listener. How it counts is its own affair.

use std::fmt::Debug;
use std::sync::Arc;

use protocol::problem::Slug;

/// Is told what happens, by the tasks to which it happens: it should not take long.
pub trait Observer: Debug + Send + Sync {
    /// A connection was let in.
    fn opened(&self);

    /// A connection that was let in has ended.
    fn closed(&self);

    /// A problem was answered, or would have been to a client that waited for it: by a handler, by the framework, or by the
    /// listener itself to what never became a request. Each is told once.
    fn refused(&self, slug: Slug);
}

/// A connection, as far as it is observed.
pub(crate) struct Observed(Option<Arc<dyn Observer>>);

impl Observed {
    pub(crate) fn new(observer: Option<Arc<dyn Observer>>) -> Self {
        if let Some(observer) = &observer {
            observer.opened();
        }
        Self(observer)
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        if let Some(observer) = &self.0 {
            observer.closed();
        }
    }
}
