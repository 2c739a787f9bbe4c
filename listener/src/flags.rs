//! The limits as flags, the same for both programs. Their defaults differ in two: how many come, and how much they bring.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use clap::Args;
use protocol::duration::parse as duration;
use protocol::size::Size;

use crate::Limits;

/// Flags for all [`Limits`], with the two defaults that a program decides.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitFlags<const CONNECTIONS: usize, const BODY: usize> {
    /// Connections at the same time; who comes after is answered 503
    #[arg(long, value_name = "N", default_value = CONNECTIONS.to_string())]
    max_connections: NonZeroUsize,

    /// Connections at the same time from one address, or one IPv6 /64; who comes after is answered 429. This machine and
    /// trusted proxies are exempt
    #[arg(long, value_name = "N", default_value = "1024")]
    max_connections_per_source: NonZeroUsize,

    /// Requests a second from one address, or one IPv6 /64; more are answered 429. The same are exempt
    #[arg(long, value_name = "N", default_value = "500")]
    max_requests_per_source: NonZeroU32,

    /// Longest body of a request; a longer one is answered 413
    #[arg(long, value_name = "SIZE", default_value = Size(BODY).to_string())]
    max_body: Size,

    /// Longest head of a request; a longer one is answered 413
    #[arg(long, value_name = "SIZE", default_value = "16KiB")]
    max_header_bytes: Size,

    /// Header lines of a request; more are answered 413
    #[arg(long, value_name = "N", default_value = "64")]
    max_headers: NonZeroUsize,

    /// Time for a connection's first byte, and for its TLS handshake; then it is closed
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    handshake_timeout: Duration,

    /// Time for the head of a request, however it drips; then it is answered 408
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    header_timeout: Duration,

    /// Time for the body of a request; then it is answered 408
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    body_timeout: Duration,

    /// Time between two requests, and for a client that leaves its answer unread; then the connection is closed
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    idle_timeout: Duration,

    /// Time for a whole answer, event streams excepted; then it is a 503, or the connection is closed
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    request_timeout: Duration,

    /// Time for what runs when the program is told to end; then it is cut off
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    drain_timeout: Duration,
}

impl<const CONNECTIONS: usize, const BODY: usize> LimitFlags<CONNECTIONS, BODY> {
    /// The limits that the flags say.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            connections: self.max_connections.get(),
            per_source: self.max_connections_per_source.get(),
            requests: self.max_requests_per_source,
            body_bytes: self.max_body.0,
            header_bytes: self.max_header_bytes.0,
            headers: self.max_headers.get(),
            handshake: self.handshake_timeout,
            header: self.header_timeout,
            body: self.body_timeout,
            idle: self.idle_timeout,
            request: self.request_timeout,
            drain: self.drain_timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{FromArgMatches as _, error::ErrorKind};

    use super::*;

    fn parsed<const CONNECTIONS: usize, const BODY: usize>(words: &[&str]) -> Result<Limits, ErrorKind> {
        let command = LimitFlags::<CONNECTIONS, BODY>::augment_args(clap::Command::new("x"));
        let matches = command.try_get_matches_from([&["x"], words].concat()).map_err(|error| error.kind())?;
        Ok(LimitFlags::<CONNECTIONS, BODY>::from_arg_matches(&matches).unwrap().limits())
    }

    #[test]
    fn the_defaults_are_those_of_the_library_and_of_the_program() {
        assert_eq!(parsed::<4096, { 1024 * 1024 }>(&[]), Ok(Limits::default()));
        assert_eq!(
            parsed::<7, 1000>(&[]),
            Ok(Limits { connections: 7, body_bytes: 1000, ..Limits::default() })
        );
    }

    #[test]
    fn every_flag_is_a_limit_of_its_own() {
        let said = parsed::<1, 1>(&[
            "--max-connections=2",
            "--max-connections-per-source=3",
            "--max-requests-per-source=4",
            "--max-body=5KiB",
            "--max-header-bytes=6KiB",
            "--max-headers=7",
            "--handshake-timeout=8s",
            "--header-timeout=9s",
            "--body-timeout=10ms",
            "--idle-timeout=11s",
            "--request-timeout=12m",
            "--drain-timeout=13s",
        ]);
        let wanted = Limits {
            connections: 2,
            per_source: 3,
            requests: 4.try_into().unwrap(),
            body_bytes: 5 * 1024,
            header_bytes: 6 * 1024,
            headers: 7,
            handshake: Duration::from_secs(8),
            header: Duration::from_secs(9),
            body: Duration::from_millis(10),
            idle: Duration::from_secs(11),
            request: Duration::from_mins(12),
            drain: Duration::from_secs(13),
        };
        assert_eq!(said, Ok(wanted));
        for flag in ["--max-connections=0", "--max-body=0", "--max-requests-per-source=0", "--idle-timeout=5"]
        {
            assert_eq!(parsed::<1, 1>(&[flag]), Err(ErrorKind::ValueValidation), "{flag}");
        }
    }
}
