//! A peer that runs: it receives at its endpoint, delivers what waits, and keeps itself listed.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use listener::{Limits, Plain, Settings, Tls, TlsError};
use protocol::address::{Reach, Scheme};
use protocol::{Address, Name, Secret, Slug};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::contacts::Contacts;
use crate::database::Fault;
use crate::directory::DirectoryUrl;
use crate::identity::{self, Tokens};
use crate::inbound::claims::Claims;
use crate::inbound::endpoint::{self, Endpoint};
use crate::inbound::gate::Gate;
use crate::inbound::inbox::Terms;
use crate::on_message::{self, OnMessage, Runner, Surroundings};
use crate::outbound::dispatcher::Dispatcher;
use crate::outbound::ears::Ears;
use crate::outbound::lock::{self, Attempt, Bell, Lock, Role};
use crate::outbound::presence::{Outcome, Presence, filled_in};
use crate::peer::{NameProblem, Peer};

/// How long the first registration is waited for before the peer says that it is ready.
const FIRST_REGISTRATION: Duration = Duration::from_secs(2);
/// How long a command that delivers just now is waited for.
const LONGEST_COMMAND: Duration = Duration::from_secs(15);
/// How often it is looked for pins that were not used for long.
const SWEEP: Duration = Duration::from_hours(1);
/// The ports that are tried if none is asked for.
pub const PORTS: RangeInclusive<u16> = 7101..=7164;

/// A peer that runs.
pub struct Serving {
    name: Name,
    address: Address,
    stop: DropGuard,
    /// What is let finish.
    tasks: Vec<JoinHandle<()>>,
    /// What is cut short.
    upkeep: Vec<JoinHandle<()>>,
    peer: Arc<Peer>,
    _lock: Lock,
}

/// How a peer is to run.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Its name; needed the first time.
    pub name: Option<Name>,
    /// Where it listens; without a word, the first free port of the usual ones.
    pub listen: Option<SocketAddr>,
    /// What others are told to dial, if that is another address.
    pub advertise: Option<Address>,
    /// The code that a private directory wants with a new name.
    pub invite: Option<Secret>,
    /// Whether others than programs on this machine may leave messages without TLS.
    pub allow_plain_http: bool,
    /// What strangers may take of it.
    pub limits: Limits,
    /// Whose messages it takes, and how many.
    pub terms: Terms,
    /// What is to be run for each message that comes in.
    pub on_message: OnMessage,
}

/// Why a peer does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process runs it already.
    #[error("a peer runs in this data directory already, as process {0}")]
    Running(u32),
    /// Another command has been delivering for long.
    #[error("another command is still delivering from this data directory")]
    Delivering,
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// All the usual ports are taken.
    #[error("no port from {} to {} is free", PORTS.start(), PORTS.end())]
    NoFreePort,
    /// The name belongs to somebody else, and this is the first start.
    #[error("the name {name} belongs to somebody else in this directory")]
    NameTaken {
        /// The name.
        name: Name,
        /// The directories in which it is this peer's.
        held_at: Vec<String>,
    },
    /// The name's claim is bound to another key, and this is the first start.
    #[error("the directory {directory} knows the name {name} by another key than this peer's")]
    FingerprintChanged {
        /// Where the directory is.
        directory: Box<DirectoryUrl>,
        /// The name.
        name: Name,
    },
    /// The directory is private, and this is the first start.
    #[error("the directory {directory} takes new names by invitation only{}", if *.invited { ", and does not accept this one" } else { "" })]
    InviteRequired {
        /// Where the directory is.
        directory: Box<DirectoryUrl>,
        /// The name.
        name: Name,
        /// Whether it was shown an invitation.
        invited: bool,
    },
    /// The peer has no name.
    #[error(transparent)]
    Name(#[from] NameProblem),
    /// The peer's own database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Its key is of no use.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A file in the data directory, or a socket, cannot be used.
    #[error("the peer cannot start: {0}")]
    Io(#[from] io::Error),
}

impl Serving {
    /// Starts `peer`. Whoever delivers for its data directory is found out first: nothing is changed beside another.
    pub async fn start(mut peer: Peer, wanted: Wanted) -> Result<Self, StartError> {
        let mut lock = hold_lock(&peer).await?;
        let bell = lock.hang_bell()?;
        let name = peer.take_name(wanted.name).await?;
        peer.contacts.pin_own(&name, peer.fingerprint()).await?;
        let listener = bind(wanted.listen, peer.address().map(Address::port))?;
        let peer = Arc::new(peer);
        let stop = CancellationToken::new();
        let local = listener.local_addr()?;
        let mut serving = Self {
            name,
            address: Address::new(Scheme::Https, local.ip(), local.port()),
            // Whatever was started stops when this start fails.
            stop: stop.clone().drop_guard(),
            tasks: Vec::new(),
            upkeep: Vec::new(),
            peer: Arc::clone(&peer),
            _lock: lock,
        };
        let advertised = wanted.advertise.unwrap_or_else(|| serving.address.clone());
        if advertised.scheme() == Scheme::Http {
            tracing::warn!(
                address = %advertised,
                "others are told to dial this peer without TLS, where they cannot check its key: they can leave messages only with `peer send --insecure`"
            );
        }
        // Where the host is left open, what was told the last time holds until the directory answers.
        let last = peer.address().filter(|last| last.reach() == Reach::Host);
        let dialled_at = filled_in(&advertised, last.unwrap_or(&advertised)).clone();
        identity::dialled_at(&peer.store, &dialled_at).await?;
        let dialled_at = watch::Sender::new(dialled_at);
        let gate = Gate::new(dialled_at.subscribe(), wanted.allow_plain_http);
        let ears = serving.deliver(bell, &stop);
        serving.run_commands(wanted.on_message, &stop).await?;
        serving.receive(listener, wanted.limits, wanted.terms, gate, ears, &stop)?;
        serving.be_listed(advertised, dialled_at, wanted.invite, &stop).await?;
        let contacts = peer.contacts.clone();
        serving.upkeep.push(tokio::spawn(async move { peer.store.tend().await }));
        serving.upkeep.push(tokio::spawn(sweep(contacts)));
        let conversations = serving.peer.conversations.clone();
        serving.upkeep.push(tokio::spawn(async move { conversations.keep_indexed().await }));
        Ok(serving)
    }

    fn receive(
        &mut self,
        listener: TcpListener,
        limits: Limits,
        terms: Terms,
        gate: Gate,
        ears: Ears,
        stop: &CancellationToken,
    ) -> Result<(), StartError> {
        let (name, inbox, key) = (self.name.clone(), self.peer.inbox.clone(), self.peer.key());
        let without_tls = if gate.is_open_to_all() { Plain::Anybody } else { Plain::ThisMachine };
        let tls = Some(Tls::asking_for_keys(key.certified(), without_tls)?);
        let settings = Settings { limits, tls, ..Settings::default() };
        let claims = Claims::of(self.peer.directory.clone());
        let heard = Arc::new(move |name: &Name| ears.heard_from(name));
        let endpoint = Endpoint { name, fingerprint: key.fingerprint(), claims, inbox, terms, heard };
        let router = endpoint::router(endpoint, gate);
        let stop = stop.clone().cancelled_owned();
        self.tasks.push(tokio::spawn(listener::serve(listener, router, settings, stop)));
        Ok(())
    }

    fn deliver(&mut self, bell: Bell, stop: &CancellationToken) -> Ears {
        let wake = Arc::new(Notify::new());
        let dispatcher = Dispatcher::new(self.peer.courier(), Arc::clone(&wake));
        let ears = dispatcher.ears();
        self.tasks.push(tokio::spawn(dispatcher.run(stop.clone())));
        self.upkeep.push(tokio::spawn(async move { bell.answer(&wake).await }));
        ears
    }

    /// Runs a command for each message from now on, or none.
    async fn run_commands(&mut self, wanted: OnMessage, stop: &CancellationToken) -> Result<(), Fault> {
        let Peer { data_dir, directory, store, inbox, .. } = &*self.peer;
        let command = match wanted {
            OnMessage::Wait => return Ok(()),
            OnMessage::Nothing => return on_message::forget(store).await,
            OnMessage::Run(command) => command,
        };
        let server =
            directory.as_ref().map_or_else(|| "none".to_owned(), |directory| directory.url().typed());
        let surroundings = Surroundings { data_dir: data_dir.clone(), server };
        let runner = Runner::begin(command, surroundings, store, inbox.arrived()).await?;
        self.tasks.push(tokio::spawn(runner.run(stop.clone())));
        Ok(())
    }

    /// Asks the directory to list this peer, and waits a moment for its first answer.
    async fn be_listed(
        &mut self,
        address: Address,
        dialled_at: watch::Sender<Address>,
        invite: Option<Secret>,
        stop: &CancellationToken,
    ) -> Result<(), StartError> {
        let name = self.name.clone();
        let Some(directory) = self.peer.directory.clone() else { return Ok(()) };
        let mut tokens = Tokens::load(&self.peer.data_dir)?;
        let url = directory.url().clone();
        if url.is_exposed() {
            tracing::warn!(directory = %url, "the directory is asked without TLS: whoever is on the way there can read the token that holds the name, and lie about who is where; contacts are still known by their keys. An https:// directory is safe from that");
        }
        let token = tokens.of(&url.to_string())?;
        directory.show_token(token.clone());
        let held_at: Vec<String> = tokens.claimed().map(str::to_owned).collect();
        let (first_start, invited) = (!tokens.claimed_at(&url.to_string()), invite.is_some());
        let presence = Presence {
            directory,
            tokens,
            token,
            invite,
            name: name.clone(),
            fingerprint: self.peer.fingerprint(),
            address,
            dialled_at,
            store: self.peer.store.clone(),
        };
        let (said, first) = oneshot::channel();
        self.tasks.push(tokio::spawn(presence.keep(said, stop.clone())));
        match timeout(FIRST_REGISTRATION, first).await {
            Ok(Ok(Outcome::Refused(Slug::NameTaken))) if first_start => {
                Err(StartError::NameTaken { name, held_at })
            }
            Ok(Ok(Outcome::Refused(Slug::FingerprintChanged))) if first_start => {
                Err(StartError::FingerprintChanged { directory: Box::new(url), name })
            }
            Ok(Ok(Outcome::Refused(Slug::InviteRequired))) if first_start => {
                Err(StartError::InviteRequired { directory: Box::new(url), name, invited })
            }
            _ => Ok(()),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
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
        for task in self.upkeep {
            task.abort();
            // What it has open of the database is to be closed before the last one closes it.
            drop(task.await);
        }
        self.peer.close();
    }
}

/// Drops the pins that were only seen, when their time is over.
async fn sweep(contacts: Contacts) {
    let mut hours = interval(SWEEP);
    loop {
        hours.tick().await;
        if let Err(fault) = contacts.sweep(crate::now()).await {
            tracing::warn!(%fault, "pins that were only seen, and not used for long, could not be dropped");
        }
    }
}

/// The right to deliver. A command that delivers just now is soon done; another running peer is not.
async fn hold_lock(peer: &Peer) -> Result<Lock, StartError> {
    let deadline = Instant::now() + LONGEST_COMMAND;
    let mut before = None;
    loop {
        match lock::try_lock(&peer.data_dir, Role::Daemon)? {
            Attempt::Held(lock) => return Ok(lock),
            // Said twice, it is not the last word of one who has just died.
            Attempt::Taken(Some(holder)) if holder.role == Role::Daemon && before == Some(holder) => {
                return Err(StartError::Running(holder.pid));
            }
            Attempt::Taken(_) if Instant::now() >= deadline => return Err(StartError::Delivering),
            Attempt::Taken(holder) => before = holder,
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Takes the port that was asked for; without a word the one that this peer had last, or the first free one of the usual
/// ones: who knows its address finds it again.
fn bind(asked: Option<SocketAddr>, last: Option<u16>) -> Result<TcpListener, StartError> {
    if let Some(address) = asked {
        return listener::bind(address).map_err(|error| StartError::Listen(address, error));
    }
    for port in last.into_iter().filter(|last| PORTS.contains(last)).chain(PORTS) {
        match listener::bind((Ipv4Addr::LOCALHOST, port).into()) {
            Ok(listener) => return Ok(listener),
            Err(error) => tracing::debug!(port, %error, "trying the next port"),
        }
    }
    Err(StartError::NoFreePort)
}
