use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use clap::Args;
use protocol::{Address, Name};
use tokio::net::TcpListener;

use super::Global;
use super::exit::{Exit, Failure};
use crate::serving::Serving;

/// Receive messages, deliver those that wait, and be listed as online
///
/// Runs until it is interrupted or told to end. Once it serves it prints one line on standard output,
/// `peer http://HOST:PORT`; logs go to standard error.
#[derive(Args)]
#[command(before_help = "Examples:
  peer serve --name ana                        the first time; later `peer serve` is enough
  peer serve --listen 0.0.0.0:7101             for other machines of the network
  peer serve --advertise http://ana.example:80 behind a port forward")]
pub struct Serve {
    #[command(flatten)]
    listening: Listening,
}

/// How a peer listens, and what it says of itself.
#[derive(Args, Default)]
pub struct Listening {
    /// The name that others find this peer under; needed the first time
    #[arg(long)]
    pub name: Option<Name>,
    /// The address to listen on [default: 127.0.0.1:7101, or the next free port]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// The URL that others are told to dial, where it is another than the one listened on
    #[arg(long, value_name = "URL")]
    pub advertise: Option<Address>,
}

/// The port that a peer listens on if nothing else is asked for, and how many above it are tried.
const PORTS: std::ops::RangeInclusive<u16> = 7101..=7164;

impl Serve {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let mut signals = Signals::new()?;
        let serving = self.listening.start(global).await?;
        // Nobody has to read it: the peer serves on.
        let _ = writeln!(std::io::stdout(), "peer {}", serving.address());
        let peer = Arc::clone(serving.peer());
        let check = tokio::task::spawn_blocking(move || peer.check());
        let damaged = tokio::select! {
            () = signals.next() => None,
            Ok(Err(damage)) = check => Some(damage),
        };
        tokio::select! {
            () = serving.stop() => {}
            () = signals.next() => return Err(Failure::new(Exit::Interrupted, "stopped before everything had ended")),
        }
        match damaged {
            None => Ok(Exit::Done),
            Some(damage) => Err(Failure::new(Exit::Failed, damage)
                .hint("Nothing is received any more. Keep a copy of the data directory, and restore recado.db from a backup.")),
        }
    }
}

impl Listening {
    /// Opens the data directory and starts the peer in it.
    pub(super) async fn start(self, global: &Global) -> Result<Serving, Failure> {
        let mut peer = global.open()?;
        peer.take_name(self.name.as_ref()).await?;
        Ok(Serving::start(Arc::new(peer), self.bind().await?, self.advertise).await?)
    }

    /// Takes the port that was asked for, or the first free one.
    pub(super) async fn bind(&self) -> Result<TcpListener, Failure> {
        if let Some(address) = self.listen {
            return TcpListener::bind(address).await.map_err(|error| {
                Failure::new(Exit::Failed, format!("cannot listen on {address}: {error}"))
                    .hint("Choose another address or port with --listen.")
            });
        }
        for port in PORTS {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                Ok(listener) => return Ok(listener),
                Err(error) => tracing::debug!(port, %error, "trying the next port"),
            }
        }
        Err(Failure::new(Exit::Failed, format!("no port from {} to {} is free", PORTS.start(), PORTS.end()))
            .hint("Choose one with --listen, as in --listen 127.0.0.1:0 for any."))
    }
}

/// The signals that ask a program to end.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens for them from now on.
    #[cfg(unix)]
    pub(super) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The next one.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Listens for them from now on.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "the same on every platform")]
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// The next one.
    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            super::output::note(&format!("interrupts cannot be seen: {error}"));
            std::future::pending().await
        }
    }
}
