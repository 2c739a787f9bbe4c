//! What a stranger may take of a listener: numbers only. Who holds to them is said at each.

use std::num::NonZeroU32;
use std::time::Duration;

/// How much, and for how long. The defaults are those of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all; who comes after is answered `503 unavailable`.
    pub connections: usize,
    /// Connections from one source (IPv6: from one /64); who comes after is answered `429 rate-limited`. This machine and
    /// trusted proxies are exempt.
    pub per_source: usize,
    /// Requests a second from one source, as many of them at once; more are answered `429 rate-limited`. The same are exempt.
    pub requests: NonZeroU32,
    /// A request's body in bytes; a longer one is answered `413 too-large`.
    pub body_bytes: usize,
    /// A request's head in bytes, request line included; a longer one is answered `413 too-large`.
    pub header_bytes: usize,
    /// A request's header lines; more are answered `413 too-large`.
    pub headers: usize,
    /// From accept to a connection's first byte, and to the end of the TLS handshake where there is one; then it is closed.
    pub handshake: Duration,
    /// From the first byte of a request's head to its last; then it is answered `408 timeout`. Dripping does not extend it.
    pub header: Duration,
    /// From the end of a request's head to the end of its body; then it is answered `408 timeout`.
    pub body: Duration,
    /// Between an answer and the next request, and for a client that leaves unread what is sent to it; then it is closed.
    pub idle: Duration,
    /// From the end of a request's head to the answer's last byte, except for event streams; then it is answered
    /// `503 unavailable`, or closed if an answer has begun.
    pub request: Duration,
    /// How long what runs may take to finish once the listener shuts down.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            per_source: 1024,
            requests: const { NonZeroU32::new(500).unwrap() },
            body_bytes: 1024 * 1024,
            header_bytes: 16 * 1024,
            headers: 64,
            handshake: Duration::from_secs(5),
            header: Duration::from_secs(5),
            body: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            request: Duration::from_mins(1),
            drain: Duration::from_secs(10),
        }
    }
}
