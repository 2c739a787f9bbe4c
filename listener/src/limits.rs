//! What a stranger may take of a listener: numbers only. Who holds to them is said at each.

use std::time::Duration;

/// How much, and for how long. The defaults are those of both programs.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections in all; who comes after is answered `503 unavailable`.
    pub connections: usize,
    /// Connections from one source (IPv6: from one /64); who comes after is answered `429 rate-limited`. Loopback is exempt.
    pub per_source: usize,
    /// From the first byte of a request's head to its last, and from accept for the first one. Dripping does not extend it.
    pub header: Duration,
    /// From the end of a request's head to the end of its body.
    pub body: Duration,
    /// Between an answer and the next request; also how long a client may leave what is being sent to it unread.
    pub idle: Duration,
    /// A request's head in bytes, request line included.
    pub header_bytes: usize,
    /// A request's header lines. Over 100, hyper's own limit, has no effect.
    pub headers: usize,
    /// How long what runs may take to finish once the listener shuts down.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            per_source: 1024,
            header: Duration::from_secs(5),
            body: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            header_bytes: 16 * 1024,
            headers: 64,
            drain: Duration::from_secs(10),
        }
    }
}
