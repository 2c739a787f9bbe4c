use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueHint};
use listener::{LimitFlags, Supervised};
use protocol::batch::LONGEST_BATCH;
use protocol::{Address, Name, Secret};
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::mpsc;

use super::exit::{Exit, Failure};
use super::faults::Told as _;
use super::language::tr;
use super::terms::TermsFlags;
use super::untrusted::Untrusted;
use super::{Global, settings};
use crate::on_message::{Command, CommandError, OnMessage};
use crate::peer::Peer;
use crate::serving::{Serving, Wanted};

/// Receive messages, deliver those that wait, and be listed as online
///
/// Runs until it is interrupted or told to end. Once it serves it prints one line on standard output,
/// `peer https://HOST:PORT`; logs go to standard error.
#[derive(Args)]
#[command(mut_args(settings::limits))]
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
    /// that the end of the peer cut short is run again at the next start. In config.toml write the program's whole path
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
    #[arg(long, env = "RECADO_UI", hide_env_values = true, value_name = "ADDRESS:PORT", value_parser = listening_address)]
    ui: Option<SocketAddr>,
    /// No page in the browser; accepted, and true until there is one
    #[arg(long, env = "RECADO_NO_UI", hide_env_values = true, conflicts_with = "ui")]
    no_ui: bool,
}

/// How a peer listens, and what it says of itself.
#[derive(Args)]
pub struct Listening {
    /// The name that others find this peer under; needed the first time
    #[arg(long, env = "RECADO_NAME", hide_env_values = true)]
    pub name: Option<Name>,
    /// The address to listen on [default: 127.0.0.1, and of the ports 7101 to 7164 the one it
    /// had last, or the first free one]
    #[arg(long, env = "RECADO_LISTEN", hide_env_values = true, value_name = "ADDRESS:PORT", value_parser = listening_address)]
    pub listen: Option<SocketAddr>,
    /// The URL that others are told to dial, where it is another than the one listened on
    #[arg(long, env = "RECADO_ADVERTISE", hide_env_values = true, value_name = "URL")]
    pub advertise: Option<Address>,
    /// Take messages without TLS from other machines too: anyone on the way can read and change those. Programs on this
    /// machine need no flag
    #[arg(long, env = "RECADO_ALLOW_PLAIN_HTTP", hide_env_values = true)]
    pub allow_plain_http: bool,
    /// The file with the invitation that a private directory wants with a new name, `-` for a line of standard input. The
    /// variable `RECADO_INVITE` takes the code itself
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub invite_file: Option<PathBuf>,
}

impl Serve {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let mut signals = Signals::new()?;
        let wanted = Wanted {
            limits: self.limits.limits(),
            terms: self.terms.terms(),
            on_message: self.on_message.map_or(OnMessage::Nothing, OnMessage::Run),
            ..self.listening.wanted()?
        };
        let starting = async { Ok::<_, Failure>(Serving::start(global.open()?, wanted).await?) };
        let serving = tokio::select! {
            serving = starting => serving?,
            signal = signals.next() => return Ok(signal.exit()),
        };
        // Nobody has to read it: the peer serves on.
        let _ = writeln!(std::io::stdout(), "peer {}", serving.address());
        let supervised = Supervised::ready();
        let mut damage = check(Arc::clone(serving.peer()));
        let damaged = tokio::select! {
            _ = signals.next() => None,
            Some(damage) = damage.recv() => Some(damage),
        };
        supervised.stopping();
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
    pub(super) fn wanted(self) -> Result<Wanted, Failure> {
        Ok(Wanted {
            invite: self.invite()?,
            name: self.name,
            listen: self.listen,
            advertise: self.advertise,
            allow_plain_http: self.allow_plain_http,
            ..Wanted::default()
        })
    }

    /// The invitation. It is no argument, since others on this machine see what is typed behind a command.
    fn invite(&self) -> Result<Option<Secret>, Failure> {
        let Some(file) = &self.invite_file else {
            let code = settings::variable("RECADO_INVITE").and_then(|code| code.into_string().ok());
            return Ok(code.map(Secret::from));
        };
        let failed = |error: std::io::Error| {
            Failure::usage(tr!(
                "serve-invite-unreadable",
                file = Untrusted(&file.to_string_lossy()),
                error = error
            ))
        };
        let mut code = String::new();
        if file.as_os_str() == "-" {
            std::io::stdin().read_line(&mut code).map_err(failed)?;
        } else {
            code = std::fs::read_to_string(file).map_err(failed)?;
        }
        match code.trim() {
            "" => Err(Failure::usage(tr!("serve-no-invite")).hint(tr!("serve-no-invite-hint"))),
            code => Ok(Some(Secret::from(code.to_owned()))),
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
