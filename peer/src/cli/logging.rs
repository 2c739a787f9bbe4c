//! Logs: to standard error, and harmless there, whoever wrote the text in them.

use std::fmt::Write as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::debug_fn;

use super::untrusted::Harmless;

/// Starts logging. A peer that serves says more; `verbose` says more still. `RECADO_LOG` takes tracing's directives.
/// What a library says of a certificate that it refuses comes back as an error, which is told in our own words.
pub fn start(verbose: u8, serves: bool) {
    let level = match (verbose, serves) {
        (0, false) => "warn,rustls_platform_verifier=off",
        (0, true) | (1, false) => "info,rustls_platform_verifier=off",
        (1, true) | (2, _) => "warn,peer=debug,listener=debug,store=debug,rustls_platform_verifier=off",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("RECADO_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    // Every value passes here on its way to the terminal, so that no call can forget to make it harmless.
    let harmless = debug_fn(|writer, field, value| match field.name() {
        "message" => write!(Harmless(writer), "{value:?}"),
        name => write!(Harmless(writer), "{name}={value:?}"),
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(anstream::stderr)
        .with_target(false)
        .fmt_fields(harmless.delimited(" "))
        .init();
}
