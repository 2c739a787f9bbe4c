//! Flags and environment of the program `server`, and its logs.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Arg, ArgAction, Parser, ValueEnum};
use etcetera::BaseStrategy as _;
use listener::{LimitFlags, Settings, Tls, TrustedProxy};
use tracing_subscriber::EnvFilter;

use crate::command::Command;
use crate::directory::{EventLimits, Options, Retention};
use crate::program;

/// Lists who is online and where; no message passes through it.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "server",
    version,
    max_term_width = 100,
    mut_args(with_variable),
    disable_help_subcommand = true
)]
#[command(before_help = "Examples:
  server                          list who is online, for peers on this machine
  server --listen 0.0.0.0:7100    for everybody who can reach it
  server --private                only for those who were invited
  server invite --uses 5          a code for five of them
  server names list               who has claimed which name
  server names release ana        let somebody else have it")]
pub struct Config {
    /// What to do instead of serving
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Address and port to listen on; port 0 takes any that is free
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:7100")]
    pub listen: SocketAddr,

    /// The database [default: recado-directory/directory.db in the data directory of the platform]
    #[arg(long, global = true, value_name = "PATH")]
    pub db: Option<PathBuf>,

    /// How long a peer stays listed without renewing
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = protocol::duration::parse)]
    pub ttl: Duration,

    /// How long a name with a fingerprint stays claimed after it was last online
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = protocol::duration::parse)]
    pub retention: Duration,

    /// The same for a name without a fingerprint
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = protocol::duration::parse)]
    pub retention_unkeyed: Duration,

    /// Serve https with the certificate in this file, PEM, followed by those that vouch for it
    #[arg(long, value_name = "PATH", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// The private key of that certificate, PEM
    #[arg(long, value_name = "PATH", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Networks of the proxies that are believed when they say for whom they ask, separated by commas
    ///
    /// A proxy names the one who asked in `X-Forwarded-For` or `Forwarded`. From anyone else these headers are ignored.
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxy: Vec<TrustedProxy>,

    /// Take new names only with an invite, and let only those read who hold a name
    #[arg(long, value_parser = FalseyValueParser::new())]
    pub private: bool,

    /// Names that may be claimed; those that are claimed already stay
    #[arg(long, value_name = "N", default_value_t = 100_000, help_heading = "Limits")]
    pub max_names: u32,

    /// New names a minute from one address (IPv6: one /64); this machine is exempt
    #[arg(long, value_name = "N", default_value = "60", help_heading = "Limits")]
    pub max_claims_per_source: NonZeroU32,

    /// Event streams open at the same time; one address (IPv6: one /64) may have a tenth, and this machine all
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = "Limits")]
    pub max_streams: usize,

    /// Events that a reader may be behind before it has to read the list again
    #[arg(long, value_name = "N", default_value = "1000", help_heading = "Limits")]
    pub max_events_behind: NonZeroUsize,

    /// How log lines are written to standard error
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Log more; twice for everything. The variable `RUST_LOG` says more exactly what
    #[arg(short, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// What a stranger may take.
    #[command(flatten)]
    pub limits: LimitFlags<CONNECTIONS, LONGEST_BODY>,
}

/// What the package's service keeps, which its operator's commands mean.
const SERVICE_DATABASE: &str = "/var/lib/recado-directory/directory.db";

/// Ten thousand peers may come back at the same moment, each over a connection of its own.
const CONNECTIONS: usize = 16_384;

/// A name, an address and a fingerprint are far smaller, however they are escaped.
const LONGEST_BODY: usize = 16 * 1024;

/// Each flag can be said by a variable that is called as it is.
fn with_variable(flag: Arg) -> Arg {
    match flag.get_long() {
        Some(long) => {
            let variable = format!("RECADO_DIRECTORY_{}", long.to_uppercase().replace('-', "_"));
            // An empty variable is one that was not set.
            let is_empty = std::env::var_os(&variable).is_some_and(|value| value.is_empty());
            if is_empty { flag } else { flag.env(variable) }
        }
        None => flag,
    }
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
    /// Where the database is.
    pub fn database(&self) -> anyhow::Result<PathBuf> {
        if let Some(path) = &self.db {
            return Ok(path.clone());
        }
        let service = Path::new(SERVICE_DATABASE);
        if self.command.is_some() && program::is_packaged() && service.exists() {
            return Ok(service.to_owned());
        }
        let platform = etcetera::choose_base_strategy().map_err(|_| {
            anyhow::anyhow!("there is no home directory: say where the database is with --db")
        })?;
        Ok(platform.data_dir().join("recado-directory").join("directory.db"))
    }

    /// What the directory has to know.
    pub fn options(&self) -> anyhow::Result<Options> {
        Ok(Options {
            database: self.database()?,
            ttl: self.ttl,
            retention: Retention { keyed: self.retention, unkeyed: self.retention_unkeyed },
            private: self.private,
            max_names: self.max_names,
            max_claims_per_source: self.max_claims_per_source,
            events: EventLimits { behind: self.max_events_behind, streams: self.max_streams },
        })
    }

    /// What its listener has to know.
    pub fn settings(&self) -> anyhow::Result<Settings> {
        let files = self.tls_cert.as_deref().zip(self.tls_key.as_deref());
        let tls = files.map(|(certificate, key)| Tls::from_files(certificate, key)).transpose()?;
        let trusted_proxies = self.trusted_proxy.clone();
        Ok(Settings { limits: self.limits.limits(), trusted_proxies, tls, ..Settings::default() })
    }

    /// Sends logs to standard error, for this whole process.
    pub fn start_logging(&self) {
        let level = match self.verbose {
            // Who types a command wants its result.
            0 if self.command.is_some() => "warn",
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
        assert_eq!((options.private, options.max_names), (library.private, library.max_names));
        assert_eq!(options.max_claims_per_source, library.max_claims_per_source);
        assert_eq!(options.events, library.events);
    }

    #[test]
    fn the_database_is_named_before_or_behind_the_command() {
        for line in [["--db", "x.db", "names", "list"], ["names", "--db", "x.db", "list"]] {
            let config = Config::try_parse_from([["server"].as_slice(), &line].concat()).unwrap();
            assert_eq!(config.database().unwrap(), PathBuf::from("x.db"));
        }
        for bad in
            [&["names"] as &[_], &["names", "release"], &["names", "show", "a b"], &["invite", "--uses", "0"]]
        {
            assert!(Config::try_parse_from([["server"].as_slice(), bad].concat()).is_err(), "{bad:?}");
        }
    }
}
