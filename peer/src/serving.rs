//! A peer that runs: it receives at its endpoint, delivers what waits, and keeps itself listed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use protocol::address::Scheme;
use protocol::{Address, Name};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::identity::Tokens;
use crate::inbound::endpoint::{self, Endpoint};
use crate::inbound::sender::Judge;
use crate::outbound::directory::DirectoryError;
use crate::outbound::dispatcher::Dispatcher;
use crate::outbound::lock::{self, Attempt, Lock, Role};
use crate::outbound::presence::{First, Presence};
use crate::peer::{NameProblem, Peer};

/// How long the first registration is waited for before the peer says that it is ready.
const FIRST_REGISTRATION: Duration = Duration::from_secs(2);
/// How long a command that delivers just now is waited for.
const COMMAND: Duration = Duration::from_secs(15);

/// A peer that runs.
pub struct Serving {
    address: Address,
    stop: DropGuard,
    tasks: Vec<JoinHandle<()>>,
    tend: JoinHandle<()>,
    peer: Arc<Peer>,
    _lock: Lock,
}

/// Why a peer does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process runs it already.
    #[error("a peer runs in this data directory already{}", .0.map_or(String::new(), |pid| format!(", as process {pid}")))]
    Running(Option<u32>),
    /// The name belongs to somebody else, and this is the first start.
    #[error("the name {0} belongs to somebody else in this directory")]
    NameTaken(Name),
    /// The peer has no name.
    #[error(transparent)]
    Name(#[from] NameProblem),
    /// A file in the data directory, or a socket, cannot be used.
    #[error("the peer cannot start: {0}")]
    Io(#[from] io::Error),
}

impl Serving {
    /// Starts `peer` on `listener`. `advertise` is what others are told to dial, if that is another address.
    pub async fn start(
        peer: Arc<Peer>,
        listener: TcpListener,
        advertise: Option<Address>,
    ) -> Result<Self, StartError> {
        let mut lock = hold_lock(&peer).await?;
        let bell = lock.hang_bell(Role::Daemon)?;
        let name = peer.name()?.clone();
        let local = listener.local_addr()?;
        let address = Address::new(Scheme::Http, local.ip(), local.port());
        let stop = CancellationToken::new();
        // Whatever was started stops when this start fails.
        let guard = stop.clone().drop_guard();

        let router =
            endpoint::router(Endpoint { name: name.clone(), judge: Judge, inbox: peer.inbox.clone() });
        let wake = Arc::new(Notify::new());
        let dispatcher = Dispatcher::new(peer.outbound()?.courier, Arc::clone(&wake));
        let mut tasks = vec![
            tokio::spawn(listener::serve(
                listener,
                router,
                listener::Limits::default(),
                stop.clone().cancelled_owned(),
            )),
            tokio::spawn(dispatcher.run(stop.clone())),
        ];
        tokio::spawn(async move { bell.answer(&wake).await });

        let (said, first) = oneshot::channel();
        if let Some(presence) = presence(&peer, name.clone(), advertise.unwrap_or_else(|| address.clone()))? {
            let known = presence.tokens.claimed_at(&presence.directory.url().to_string());
            tasks.push(tokio::spawn(presence.keep(said, stop.clone())));
            if let Ok(Ok(First::Refused(DirectoryError::Refused { slug: protocol::Slug::NameTaken, .. }))) =
                timeout(FIRST_REGISTRATION, first).await
                && !known
            {
                return Err(StartError::NameTaken(name));
            }
        }
        let store = peer.store.clone();
        let tend = tokio::spawn(async move { store.tend().await });
        Ok(Self { address, stop: guard, tasks, tend, peer, _lock: lock })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The peer that runs.
    #[must_use]
    pub fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// Stops accepting, finishes what runs, takes the peer off the directory's list and closes its database.
    pub async fn stop(self) {
        drop(self.stop);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the peer had ended with a defect");
            }
        }
        self.tend.abort();
        self.peer.close();
    }
}

/// The right to deliver. A command that delivers just now is soon done; another running peer is not.
async fn hold_lock(peer: &Peer) -> Result<Lock, StartError> {
    let deadline = Instant::now() + COMMAND;
    loop {
        match lock::try_lock(&peer.data_dir, Role::Daemon)? {
            Attempt::Held(lock) => return Ok(lock),
            Attempt::Taken(Some(holder)) if holder.role == Role::Daemon => {
                return Err(StartError::Running(Some(holder.pid)));
            }
            Attempt::Taken(holder) if Instant::now() >= deadline => {
                return Err(StartError::Running(holder.map(|holder| holder.pid)));
            }
            Attempt::Taken(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

/// This peer's presence in its directory, if it has one.
fn presence(peer: &Peer, name: Name, address: Address) -> io::Result<Option<Presence>> {
    let Some(directory) = peer.directory.clone() else { return Ok(None) };
    let mut tokens = Tokens::load(&peer.data_dir)?;
    let token = tokens.of(&directory.url().to_string())?;
    Ok(Some(Presence { directory, tokens, token, name, address, store: peer.store.clone() }))
}
