use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use listener::LimitFlags;
use protocol::batch::LONGEST_BATCH;
use protocol::{Address, Name, Secret};
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::mpsc;

use super::Global;
use super::exit::{Exit, Failure};
use super::faults::Told as _;
use super::language::tr;
use super::terms::TermsFlags;
use super::untrusted::Untrusted;
use crate::on_message::{Command, CommandError};
use crate::peer::Peer;
use crate::serving::{Serving, Wanted};

/// Receive messages, deliver those that wait, and be listed as online
///
/// Runs until it is interrupted or told to end. Once it serves it prints one line on standard output,
/// `peer https://HOST:PORT`; logs go to standard error.
#[derive(Args)]
#[command(before_help = "Examples:
  peer serve --name ana                        the first time; later `peer serve` is enough
  peer serve --listen 0.0.0.0:7101             for other machines of the network
  peer serve --advertise https://ana.example:443
                                               behind a port forward
  peer serve --on-message ./answer.sh          run a script for each message that comes in")]
pub struct Serve {
    #[command(flatten)]
    listening: Listening,
    /// Run this command for each message that comes in: without a shell, its words split as in one
    ///
    /// The text is on its standard input, the rest in its environment: `RECADO_ID`, `RECADO_FROM`, `RECADO_TO`,
    /// `RECADO_VERIFIED` (true or false), `RECADO_FINGERPRINT`, `RECADO_SENT_AT`, `RECADO_RECEIVED_AT`, `RECADO_REPLY_TO`;
    /// `peer send` in it sends as this peer. What it says on standard error goes to the log, its standard output nowhere.
    /// Each sender's messages have their turn one after the other; four commands run at once, for 30 s at most. A command
    /// that the end of the peer cut short is run again at the next start
    #[arg(long, value_name = "CMD", value_parser = command, env = "RECADO_ON_MESSAGE", hide_env_values = true)]
    on_message: Option<Command>,
    #[command(flatten)]
    _announced: Announced,
    #[command(flatten)]
    terms: TermsFlags,
    #[command(flatten)]
    limits: LimitFlags<4096, LONGEST_BATCH>,
}

/// What scripts may say already, and what means something once it is there: the page in the browser.
#[derive(Args)]
struct Announced {
    /// Where the page in the browser will listen; accepted, and without effect until there is one
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = listening_address)]
    ui: Option<SocketAddr>,
    /// No page in the browser; accepted, and true until there is one
    #[arg(long, conflicts_with = "ui")]
    no_ui: bool,
}

/// How a peer listens, and what it says of itself.
#[derive(Args, Default)]
pub struct Listening {
    /// The name that others find this peer under; needed the first time
    #[arg(long)]
    pub name: Option<Name>,
    /// The address to listen on [default: 127.0.0.1, and of the ports 7101 to 7164 the one it
    /// had last, or the first free one]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = listening_address)]
    pub listen: Option<SocketAddr>,
    /// The URL that others are told to dial, where it is another than the one listened on
    #[arg(long, value_name = "URL")]
    pub advertise: Option<Address>,
    /// Take messages without TLS from other machines too: anyone on the way can read and change those. Programs on this
    /// machine need no flag
    #[arg(long)]
    pub allow_plain_http: bool,
    /// The invitation that a private directory wants with a new name. Rather set `RECADO_INVITE`: others on this machine
    /// can see what is typed behind a command
    #[arg(long, value_name = "CODE", env = "RECADO_INVITE", hide_env_values = true)]
    pub invite: Option<String>,
}

impl Serve {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let mut signals = Signals::new()?;
        let wanted = Wanted {
            limits: self.limits.limits(),
            terms: self.terms.terms(),
            on_message: self.on_message,
            ..self.listening.wanted()
        };
        let starting = async { Ok::<_, Failure>(Serving::start(global.open()?, wanted).await?) };
        let serving = tokio::select! {
            serving = starting => serving?,
            signal = signals.next() => return Ok(signal.exit()),
        };
        // Nobody has to read it: the peer serves on.
        let _ = writeln!(std::io::stdout(), "peer {}", serving.address());
        let mut damage = check(Arc::clone(serving.peer()));
        let damaged = tokio::select! {
            _ = signals.next() => None,
            Some(damage) = damage.recv() => Some(damage),
        };
        tokio::select! {
            () = serving.stop() => {}
            () = signals.interrupted() => return Err(Failure::new(Exit::Interrupted, tr!("serve-stopped"))),
        }
        match damaged {
            None => Ok(Exit::Done),
            Some(damage) => Err(Failure::new(Exit::Failed, damage.told()).hint(tr!("serve-damaged-hint"))),
        }
    }
}

/// Reads the whole database behind the ready line, and tells of damage. A thread of its own, which a stop need not await.
fn check(peer: Arc<Peer>) -> mpsc::Receiver<store::CheckError> {
    let (tell, damage) = mpsc::channel(1);
    std::thread::spawn(move || match peer.check() {
        Ok(()) => tracing::debug!("the database is sound"),
        Err(error @ store::CheckError::Damaged(_)) => drop(tell.blocking_send(error)),
        Err(error) => tracing::warn!(%error, "the database could not be checked"),
    });
    damage
}

fn command(text: &str) -> Result<Command, String> {
    text.parse().map_err(|error| match error {
        CommandError::Empty => tr!("hook-empty"),
        CommandError::OpenQuote => tr!("hook-open-quote"),
        CommandError::NoProgram(program) => tr!("hook-no-program", program = Untrusted(&program)),
    })
}

fn listening_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| tr!("serve-listen"))
}

impl Listening {
    pub(super) fn wanted(self) -> Wanted {
        // An empty variable is one that was not set.
        let invite = self.invite.filter(|code| !code.is_empty()).map(Secret::from);
        Wanted {
            name: self.name,
            listen: self.listen,
            advertise: self.advertise,
            allow_plain_http: self.allow_plain_http,
            invite,
            ..Wanted::default()
        }
    }
}

/// A signal that asks a program to end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Signal {
    /// From the user, at the keyboard.
    Interrupt,
    /// From whatever runs the program.
    Terminate,
}

impl Signal {
    /// How a program ends that was told to while it had something else to do.
    pub(super) fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Done,
        }
    }
}

/// The signals that ask a program to end.
pub(super) struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Signals {
    /// Listens for them from now on.
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.interrupt.recv() => Signal::Interrupt,
        }
    }

    /// The next one from the keyboard.
    pub(super) async fn interrupted(&mut self) {
        self.interrupt.recv().await;
    }
}
