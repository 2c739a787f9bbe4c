//! Flags and environment of the program `server`, and its logs.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser, ValueEnum};
use etcetera::BaseStrategy as _;
use listener::{Limits, Settings, TrustedProxy};
use tracing_subscriber::EnvFilter;

use crate::directory::{Options, Retention};

/// Lists who is online and where; no message passes through it.
#[derive(Debug, Clone, Parser)]
#[command(name = "server", version)]
pub struct Config {
    /// Address and port to listen on; port 0 takes any that is free
    #[arg(long, env = "RECADO_DIRECTORY_LISTEN", value_name = "IP:PORT", default_value = "127.0.0.1:7100")]
    pub listen: SocketAddr,

    /// The database [default: recado-directory/directory.db in the data directory of the platform]
    #[arg(long, env = "RECADO_DIRECTORY_DB", value_name = "PATH")]
    pub db: Option<PathBuf>,

    /// How long a peer stays listed without renewing
    #[arg(long, env = "RECADO_DIRECTORY_TTL", value_name = "DURATION", default_value = "60s", value_parser = protocol::duration::parse)]
    pub ttl: Duration,

    /// How long a name with a fingerprint stays claimed after it was last online
    #[arg(long, env = "RECADO_DIRECTORY_RETENTION", value_name = "DURATION", default_value = "90d", value_parser = protocol::duration::parse)]
    pub retention: Duration,

    /// The same for a name without a fingerprint
    #[arg(long, env = "RECADO_DIRECTORY_RETENTION_UNKEYED", value_name = "DURATION", default_value = "1d", value_parser = protocol::duration::parse)]
    pub retention_unkeyed: Duration,

    /// Networks of the proxies that are believed when they say for whom they ask, separated by commas
    ///
    /// A proxy names the one who asked in `X-Forwarded-For` or `Forwarded`. From anyone else these headers are ignored.
    #[arg(long, env = "RECADO_DIRECTORY_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxy: Vec<TrustedProxy>,

    /// How log lines are written to standard error
    #[arg(long, env = "RECADO_DIRECTORY_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Log more; twice for everything. The variable `RUST_LOG` says more exactly what
    #[arg(short, action = ArgAction::Count)]
    pub verbose: u8,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Config {
    /// What the directory has to know.
    pub fn options(&self) -> anyhow::Result<Options> {
        let database = match &self.db {
            Some(path) => path.clone(),
            None => etcetera::choose_base_strategy()
                .map_err(|_| {
                    anyhow::anyhow!("there is no home directory: say where the database is with --db")
                })?
                .data_dir()
                .join("recado-directory")
                .join("directory.db"),
        };
        let retention = Retention { keyed: self.retention, unkeyed: self.retention_unkeyed };
        Ok(Options { database, ttl: self.ttl, retention })
    }

    /// What its listener has to know.
    #[must_use]
    pub fn settings(&self) -> Settings {
        // Ten thousand peers may come back at the same moment, each over a connection of its own.
        let limits = Limits { connections: 16_384, ..Limits::default() };
        Settings { limits, trusted_proxies: self.trusted_proxy.clone(), ..Settings::default() }
    }

    /// Sends logs to standard error, for this whole process.
    pub fn start_logging(&self) {
        let level = match self.verbose {
            0 => "info",
            1 => "debug",
            _ => "trace",
        };
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let logs = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(colours);
        let logs = logs.with_env_filter(filter);
        match self.log_format {
            LogFormat::Text => logs.init(),
            LogFormat::Json => logs.json().init(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_flags_are_sound_and_bad_ones_are_refused() {
        Config::command().debug_assert();
        for bad in [["--ttl", "0s"], ["--ttl", "60"], ["--retention", "99999999999d"], ["--listen", "7100"]] {
            assert!(
                Config::try_parse_from([["server", bad[0]].as_slice(), &bad[1..]].concat()).is_err(),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        let config = Config::try_parse_from(["server", "--db", "x.db"]).unwrap();
        let (options, library) = (config.options().unwrap(), Options::new("x.db"));
        assert_eq!((options.ttl, options.retention), (library.ttl, library.retention));
    }
}
