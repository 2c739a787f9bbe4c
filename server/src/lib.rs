//! The directory: it lists who is online and nothing else. No message ever passes through it.
//!
//! A [`Server`] is handed its address and its shutdown, so that a program can run one beside other things.

pub mod config;

pub mod command;

pub mod http;

pub mod program;

pub mod metrics;

pub mod directory;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use listener::Settings;
use tokio::net::TcpListener;

pub use directory::Options;
use directory::{Directory, OpenError};
use metrics::Metrics;

/// A directory that accepts connections, and answers them once it is served.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    settings: Settings,
    directory: Directory,
}

/// Why a directory does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}; if another program has the port, choose another with --listen"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Its database does not let it.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl Server {
    /// Takes the address and opens the database: the port comes first, so that a start that fails on it spends no grace.
    pub async fn bind(listen: SocketAddr, options: &Options, settings: Settings) -> Result<Self, StartError> {
        let refused = |source| StartError::Listen { address: listen, source };
        let listener = listener::bind(listen).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let directory = Directory::open(options).await?;
        Ok(Self { listener, address, settings, directory })
    }

    /// Where it is reached, with the real port.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.settings.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Answers until `shutdown` is done, then finishes what runs and closes the database.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send) {
        let directory = self.directory.clone();
        let upkeep = tokio::spawn(async move { directory.tend().await });
        let metrics = Metrics::of(&self.directory);
        let router = http::router(self.directory.clone(), Arc::clone(&metrics));
        let settings = Settings { observer: Some(metrics), ..self.settings };
        let shutdown = async {
            shutdown.await;
            // They would never finish.
            self.directory.end_events();
        };
        listener::serve(self.listener, router, settings, shutdown).await;
        upkeep.abort();
        // Its writes have to be over before the last one.
        drop(upkeep.await);
        self.directory.close().await;
    }
}
