//! The paths and header values that both ends of the wire obey.

/// The directory: claim a name, come online, renew (`POST`), go offline (`DELETE`).
pub const REGISTER: &str = "/register";
/// The directory: who is online. `/peers/{name}` is one of them.
pub const PEERS: &str = "/peers";
/// The directory: who joins, changes and leaves, as Server-Sent Events.
pub const EVENTS: &str = "/events";
/// The directory: what an operator counts, for Prometheus.
pub const METRICS: &str = "/metrics";
/// A peer: leave a message.
pub const MESSAGES: &str = "/messages";
/// A peer: its name, fingerprint and version.
pub const IDENTITY: &str = "/identity";
/// Both: 200 while the program serves.
pub const HEALTH: &str = "/health";
/// Both: the contract of all HTTP APIs.
pub const OPENAPI: &str = "/openapi.yaml";

/// The media type of every error, RFC 9457.
pub const PROBLEM_JSON: &str = "application/problem+json";
