//! The command line: one command, one file. It calls the peer's rooms and knows nothing of SQL or HTTP.

mod add;
mod block;
mod clock;
mod completions;
mod config;
mod confirm;
mod contact;
mod contacts;
mod delete;
mod demo;
mod destination;
mod doctor;
mod exit;
mod export;
mod faults;
mod follow;
mod forget;
mod help;
mod history;
mod import;
mod inbox;
mod invite;
mod language;
mod line;
mod listing;
mod logging;
mod man;
mod menu;
mod online;
mod output;
mod part;
mod peers;
mod progress;
mod prune;
mod qr;
mod retry;
mod search;
mod send;
mod sent;
mod serve;
mod settings;
mod suggest;
mod table;
mod terms;
mod trust;
mod unblock;
mod untrusted;
mod usage;
mod watch;
mod whoami;
mod width;
mod words;

use std::ffi::OsString;
use std::future::Future;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anstream::ColorChoice;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::directory::{DirectoryUrl, DirectoryUrlError};
use crate::identity::private;
use crate::peer::Peer;
use exit::{Exit, Failure};
use output::Output;
use settings::Settings;

/// Leave short messages for each other, machine to machine, with nobody in between.
#[derive(Parser)]
#[command(
    name = "peer",
    version,
    propagate_version = true,
    max_term_width = 100,
    disable_help_subcommand = true
)]
#[command(before_help = "Examples:
  peer serve --name ana          receive, deliver, and be listed as ana
  peer send rui 'lunch at one?'  leave a message for rui
  peer inbox                     read what came in
  peer                           all of that from a menu")]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Where everything of this peer is kept [default: the platform's data directory]
    #[arg(long, global = true, env = "RECADO_DATA_DIR", hide_env_values = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The directory's URL, or `none`
    #[arg(
        long,
        global = true,
        env = "RECADO_SERVER",
        hide_env_values = true,
        value_name = "URL",
        default_value = DEFAULT_DIRECTORY
    )]
    server: Server,
    /// Print results as JSON, one object a line
    #[arg(long, global = true)]
    json: bool,
    /// When to use colour
    #[arg(
        long,
        global = true,
        env = "RECADO_COLOR",
        hide_env_values = true,
        value_enum,
        default_value_t = Color::Auto,
        value_name = "WHEN"
    )]
    color: Color,
    /// The language to speak, `en` or `pt` [default: that of the locale]
    #[arg(
        id = "lang",
        long = "lang",
        global = true,
        env = "RECADO_LANG",
        hide_env_values = true,
        value_name = "LANGUAGE"
    )]
    _lang: Option<language::Flag>,
    /// Say more on standard error; twice for still more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Where the values of all settings are from.
    #[arg(skip)]
    settings: Settings,
}

#[derive(Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    fn choice(self) -> ColorChoice {
        match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        }
    }
}

/// Where a directory on this machine is, unless it was told otherwise.
const DEFAULT_DIRECTORY: &str = "http://127.0.0.1:7100";

/// The directory that was asked for.
#[derive(Clone)]
struct Server(Option<DirectoryUrl>);

/// The text is neither a directory's URL nor `none`.
#[derive(Debug, thiserror::Error)]
#[error("{0}, or `none`")]
struct NoServer(DirectoryUrlError);

impl FromStr for Server {
    type Err = NoServer;

    fn from_str(text: &str) -> Result<Self, NoServer> {
        if text == "none" {
            return Ok(Self(None));
        }
        text.parse().map(|url| Self(Some(url))).map_err(NoServer)
    }
}

#[derive(Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
    Send(send::Send),
    Inbox(inbox::Inbox),
    Sent(sent::Sent),
    Retry(retry::Retry),
    History(history::History),
    Search(search::Search),
    Delete(delete::Delete),
    Prune(prune::Prune),
    Export(export::Export),
    Import(import::Import),
    Peers(peers::Peers),
    Contacts(contacts::Contacts),
    Invite(invite::Invite),
    Add(add::Add),
    Trust(trust::Trust),
    Block(block::Block),
    Unblock(unblock::Unblock),
    Forget(forget::Forget),
    Whoami(whoami::Whoami),
    Config(config::Config),
    Completions(completions::Completions),
    Man(man::Man),
    Help(help::Help),
    Doctor(doctor::Doctor),
    Menu(menu::Menu),
    Demo(demo::Demo),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let written: Vec<OsString> = std::env::args_os().collect();
    if let Some(answered) = completions::answered(&written) {
        return answered;
    }
    // Help and what is wrong with the words heed it too.
    if let Some(Ok(color)) = language::written(&written, "--color").map(|word| Color::from_str(word, true)) {
        color.choice().write_global();
    }
    let arguments = match line::understand(&written) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return Exit::Done.into(),
        Err(failure) => return ended(&failure),
    };
    let serves = matches!(arguments.command, Some(Command::Serve(_)));
    logging::start(arguments.global.verbose, serves);
    private::keep_to_the_owner();
    listener::install_provider();
    let outcome = match arguments.command {
        Some(command) => arguments.global.run(command),
        // At a terminal that is the menu.
        None => Ok(help::in_place_of_a_command()),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => ended(&failure),
    }
}

fn ended(failure: &Failure) -> ExitCode {
    output::complain(failure);
    failure.exit.into()
}

impl Global {
    fn run(self, command: Command) -> Result<Exit, Failure> {
        let mut output = self.output();
        let exit = match command {
            Command::Serve(serve) => many_threads(serve.run(&self)),
            Command::Menu(menu) => many_threads(menu.run(&self, &mut output)),
            Command::Demo(demo) => many_threads(demo.run(&mut output)),
            Command::Send(send) => one_thread(send.run(&self, &mut output)),
            Command::Inbox(inbox) => one_thread(inbox.run(&self, &mut output)),
            Command::Sent(sent) => one_thread(async { sent.run(&self, &mut output) }),
            Command::Retry(retry) => one_thread(retry.run(&self, &mut output)),
            Command::History(history) => one_thread(async { history.run(&self, &mut output) }),
            Command::Search(search) => one_thread(search.run(&self, &mut output)),
            Command::Delete(delete) => one_thread(delete.run(&self, &mut output)),
            Command::Export(export) => one_thread(async { export.run(&self, &mut output) }),
            Command::Import(import) => one_thread(import.run(&self, &mut output)),
            Command::Prune(prune) => one_thread(prune.run(&self, &mut output)),
            Command::Peers(peers) => one_thread(peers.run(&self, &mut output)),
            Command::Contacts(contacts) => one_thread(async { contacts.run(&self, &mut output) }),
            Command::Add(add) => one_thread(add.run(&self, &mut output)),
            Command::Trust(trust) => one_thread(trust.run(&self, &mut output)),
            Command::Block(block) => one_thread(block.run(&self, &mut output)),
            Command::Unblock(unblock) => one_thread(unblock.run(&self, &mut output)),
            Command::Forget(forget) => one_thread(forget.run(&self, &mut output)),
            Command::Invite(_) => one_thread(async { invite::Invite::run(&self, &mut output) }),
            Command::Doctor(doctor) => one_thread(doctor.run(&self, &mut output)),
            Command::Config(config) => config.run(&self, &mut output),
            Command::Man(man) => man.run(&mut output),
            Command::Completions(completions) => completions.run(&mut output),
            Command::Help(help) => help.run(),
            Command::Whoami(_) => one_thread(async { whoami::Whoami::run(&self, &mut output) }),
        }?;
        output.flush()?;
        Ok(exit)
    }

    fn output(&self) -> Output {
        let color = self.color.choice();
        // Standard error follows the same choice.
        color.write_global();
        Output::new(self.json, color)
    }

    /// Opens the data directory.
    fn open(&self) -> Result<Peer, Failure> {
        Ok(Peer::open(&self.data_dir()?, self.server.0.clone())?)
    }

    /// Where the data directory is, or will be.
    fn data_dir(&self) -> Result<PathBuf, Failure> {
        let chosen = self.data_dir.clone().or_else(settings::default_data_dir);
        chosen.ok_or_else(|| {
            Failure::usage(language::tr!("exit-no-home")).hint(language::tr!("exit-no-home-hint"))
        })
    }
}

/// Runs a command that starts a peer. It answers the interrupt itself.
fn many_threads<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}

/// Runs a command that is soon done, and ends at once when interrupted: what it has committed is kept.
fn one_thread<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            destination::clean_up();
            std::process::exit(Exit::Interrupted as i32);
        }
    });
    runtime.block_on(command)
}
