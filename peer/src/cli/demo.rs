use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use listener::Settings;
use protocol::Name;
use protocol::message::Body;
use protocol::name::NameError;
use server::Server;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::exit::{Exit, Failure};
use super::faults::Told as _;
use super::follow::Follower;
use super::language::program::command;
use super::language::tr;
use super::listing::Listing;
use super::output::{FAINT, NAME, Output};
use super::serve::Signals;
use super::{listing, online, send};
use crate::conversations::{Direction, Query};
use crate::directory::{DirectoryUrl, DirectoryUrlError};
use crate::outbound::errand::Patience;
use crate::outbound::outbox::Terms;
use crate::peer::Peer;
use crate::serving::{Serving, Wanted};

/// See it work: a directory and two peers on this machine, in a temporary folder
///
/// Shows a real exchange step by step, then leaves everything running to play with. Ctrl-C stops it and removes it.
#[derive(Args)]
#[command(before_help = "Examples:
  peer demo    Ctrl-C ends it, and nothing is left behind")]
pub struct Demo {}

/// Any free port of this machine.
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// What arrives at all arrives within this.
const ARRIVAL: Duration = Duration::from_secs(15);
/// The demo's messages wait for so long.
const TERMS: Terms = Terms { lifetime: Duration::from_hours(1), insecure: false };

impl Demo {
    pub(super) async fn run(self, output: &mut Output) -> Result<Exit, Failure> {
        let mut signals = Signals::new()?;
        let folder = tempfile::Builder::new().prefix("recado-demo-").tempdir()?;
        let mut stage = Stage::open(folder).await?;
        let shown = tokio::select! {
            shown = stage.play(output) => Some(shown),
            _ = signals.next() => None,
        };
        if let Some(shown) = shown {
            shown?;
            signals.next().await;
        }
        let folder = stage.close().await?;
        writeln!(output, "\n{}", tr!("demo-stopped", folder = folder))?;
        Ok(Exit::Done)
    }
}

/// Everything that the demo runs.
struct Stage {
    folder: TempDir,
    server: DirectoryUrl,
    directory: JoinHandle<()>,
    stop: CancellationToken,
    ana: Option<Serving>,
    rui: Option<Serving>,
}

impl Stage {
    async fn open(folder: TempDir) -> Result<Self, Failure> {
        let options = server::Options::new(folder.path().join("directory.db"));
        let directory = Server::bind(ANY, &options, Settings::default()).await;
        let directory = directory.map_err(|error| Failure::new(Exit::Failed, error))?;
        let server = directory
            .url()
            .parse()
            .map_err(|error: DirectoryUrlError| Failure::new(Exit::Failed, error.told()))?;
        let stop = CancellationToken::new();
        let directory = tokio::spawn(directory.serve(stop.clone().cancelled_owned()));
        Ok(Self { folder, server, directory, stop, ana: None, rui: None })
    }

    async fn play(&mut self, output: &mut Output) -> Result<(), Failure> {
        let place = self.folder.path().display();
        writeln!(output, "{}", tr!("demo-begin", folder = place))?;

        step(output, &tr!("demo-step-directory"))?;
        writeln!(output, "   {}  {}", tr!("demo-directory"), self.server)?;
        output.flush()?;

        step(output, &tr!("demo-step-start"))?;
        let (ana, rui) = (self.start("ana").await?, self.start("rui").await?);
        for serving in [&ana, &rui] {
            writeln!(output, "   {NAME}{}{NAME:#}        {}", serving.name(), serving.address())?;
        }
        let ana = Arc::clone(self.ana.insert(ana).peer());
        let rui = Arc::clone(self.rui.insert(rui).peer());

        step(output, &tr!("demo-step-peers"))?;
        writeln!(output, "   {FAINT}$ {} peers{FAINT:#}", command())?;
        online::print(&ana, output).await?;

        step(output, &tr!("demo-step-send"))?;
        let mut at_rui = Follower::from_now(&rui)?;
        leave(&ana, "rui", &tr!("demo-lunch"), output).await?;
        arrive(&mut at_rui, &rui, output).await?;
        drop(at_rui);

        step(output, &tr!("demo-step-offline"))?;
        drop(rui);
        if let Some(rui) = self.rui.take() {
            rui.stop().await;
        }
        leave(&ana, "rui", &tr!("demo-seat"), output).await?;

        step(output, &tr!("demo-step-back"))?;
        let rui = self.start("rui").await?;
        let rui = Arc::clone(self.rui.insert(rui).peer());
        let mut at_rui =
            Follower::behind(&rui, Query { direction: Some(Direction::Received), ..Query::default() }, 1)?;
        arrive(&mut at_rui, &rui, output).await?;

        step(output, &tr!("demo-step-answer"))?;
        let mut at_ana = Follower::from_now(&ana)?;
        leave(&rui, "ana", &tr!("demo-on-my-way"), output).await?;
        within(at_ana.next()).await?;
        writeln!(
            output,
            "   {FAINT}$ {} history          # {}{FAINT:#}",
            command(),
            tr!("demo-as", name = "ana")
        )?;
        listing::print(&ana.conversations, &Query::default(), output)?;
        self.invite(output)
    }

    /// The commands to play with, ready to be copied.
    fn invite(&self, output: &mut Output) -> Result<(), Failure> {
        let program = own_path();
        let peer = |name: &str| {
            format!(
                "{program} --server {} --data-dir {}",
                self.server,
                self.folder.path().join(name).display()
            )
        };
        let (ana, rui) = (peer("ana"), peer("rui"));
        writeln!(output, "\n{NAME}{}{NAME:#} {}\n", tr!("demo-yours"), tr!("demo-stays"))?;
        for (what, command) in [
            (tr!("demo-play-inbox"), format!("{rui} inbox --follow")),
            (tr!("demo-play-send"), format!("{ana} send rui 'oi'")),
            (tr!("demo-play-history"), format!("{ana} history")),
            (tr!("demo-play-menu"), format!("{rui} menu")),
            (tr!("demo-play-peers"), format!("curl -s {}/peers", self.server)),
        ] {
            writeln!(output, "   {FAINT}# {what}{FAINT:#}\n   {command}")?;
        }
        if let Some(rui) = &self.rui {
            writeln!(output, "   {FAINT}# {}{FAINT:#}", tr!("demo-play-script"))?;
            writeln!(
                output,
                r#"   curl --json '{{"from":"script","body":"{}"}}' http://{}/messages"#,
                tr!("demo-green"),
                rui.address().authority()
            )?;
        }
        Ok(output.flush()?)
    }

    async fn start(&self, name: &str) -> Result<Serving, Failure> {
        let peer = Peer::open(&self.folder.path().join(name), Some(self.server.clone()))?;
        let wanted = Wanted { name: Some(named(name)?), listen: Some(ANY), ..Wanted::default() };
        Ok(Serving::start(peer, wanted).await?)
    }

    async fn close(self) -> Result<String, Failure> {
        for serving in [self.ana, self.rui].into_iter().flatten() {
            serving.stop().await;
        }
        self.stop.cancel();
        self.directory.await.map_err(std::io::Error::other)?;
        let place = self.folder.path().display().to_string();
        self.folder.close()?;
        Ok(place)
    }
}

fn step(output: &mut Output, what: &str) -> Result<(), Failure> {
    writeln!(output, "\n{NAME}* {what}{NAME:#}")?;
    Ok(output.flush()?)
}

async fn leave(from: &Peer, to: &str, text: &str, output: &mut Output) -> Result<(), Failure> {
    writeln!(output, "   {FAINT}$ {} send {to} '{text}'{FAINT:#}", command())?;
    let body = Body::try_from(text.to_owned()).map_err(|error| Failure::usage(error.told()))?;
    let begun = Instant::now();
    let outbound = from.outbound()?;
    let routes = outbound.resolve(&[named(to)?], false).await?;
    let sent = send::send(&outbound, routes, &body, TERMS, Patience::FirstTry).await?;
    for (queued, standing) in &sent {
        write!(output, "   ")?;
        send::print(queued, standing, output)?;
    }
    let milliseconds = begun.elapsed().as_millis();
    writeln!(output, "   {FAINT}{}{FAINT:#}", tr!("demo-took", milliseconds = milliseconds))?;
    Ok(output.flush()?)
}

async fn arrive(at: &mut Follower, whose: &Peer, output: &mut Output) -> Result<(), Failure> {
    writeln!(
        output,
        "   {FAINT}$ {} inbox --unread   # {}{FAINT:#}",
        command(),
        tr!("demo-as", name = whose.name().map_or("", Name::as_str))
    )?;
    let arrived = within(at.next()).await?;
    for entry in &arrived {
        write!(output, " ")?;
        Listing::following(output).show(std::slice::from_ref(entry), output)?;
    }
    whose.inbox.mark_read(arrived.iter().map(|entry| entry.position).collect()).await?;
    Ok(output.flush()?)
}

async fn within<T>(arrival: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    timeout(ARRIVAL, arrival)
        .await
        .unwrap_or_else(|_| Err(Failure::new(Exit::Failed, tr!("demo-not-arrived"))))
}

fn named(name: &str) -> Result<Name, Failure> {
    name.parse().map_err(|error: NameError| Failure::usage(error.told()))
}

/// How this program can be called from the folder that the user is in.
fn own_path() -> String {
    let Ok(program) = std::env::current_exe() else { return "peer".to_owned() };
    let here = std::env::current_dir().unwrap_or_default();
    match program.strip_prefix(&here) {
        Ok(relative) => Path::new(".").join(relative).display().to_string(),
        Err(_) => program.display().to_string(),
    }
}
