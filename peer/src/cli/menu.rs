use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use protocol::Name;
use protocol::message::Body;
use protocol::name::NameError;
use tokio::sync::mpsc;

use super::Global;
use super::exit::{Exit, Failure};
use super::faults::Told as _;
use super::follow::Follower;
use super::language::tr;
use super::listing::Listing;
use super::output::{ERROR, NAME, Output, complain, note};
use super::serve::{Listening, Signals};
use super::terms::TermsFlags;
use super::{listing, online, send};
use crate::conversations::Query;
use crate::outbound::errand::Patience;
use crate::outbound::outbox::Terms;
use crate::peer::Peer;
use crate::serving::{Serving, StartError, Wanted};

/// The numbered menu: send, list messages, list peers
///
/// Runs the peer while it is open, unless another process does so already. It works on a pipe too.
#[derive(Args)]
#[command(mut_args(super::settings::limits))]
#[command(before_help = "Examples:
  peer menu                       send, read and see who is online, by numbers
  peer menu --name ana            the first time
  printf '3\\n0\\n' | peer menu    from a script, too")]
pub struct Menu {
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    terms: TermsFlags,
}

/// How many messages the menu lists.
const LISTED: u32 = 20;
/// A message from the menu waits for so long for its recipient.
const TERMS: Terms = Terms { lifetime: Duration::from_hours(7 * 24), insecure: false };

impl Menu {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        output.json = false;
        let mut lines = read_lines();
        let mut signals = Signals::new()?;
        let (peer, serving, arrivals) = tokio::select! {
            started = self.start(global, &mut lines, output) => started?,
            signal = signals.next() => return Ok(signal.exit()),
        };
        let mut open = Open { peer: &peer, lines, arrivals, output };
        let end = tokio::select! {
            end = open.run() => end,
            signal = signals.next() => Ok(signal.exit()),
        };
        // It watches the database, which is closed next.
        drop(open);
        if let Some(serving) = serving {
            serving.stop().await;
        }
        end
    }

    /// Starts the peer, unless another process runs it, and says so.
    async fn start(
        self,
        global: &Global,
        lines: &mut mpsc::Receiver<String>,
        output: &mut Output,
    ) -> Result<(Arc<Peer>, Option<Serving>, Follower), Failure> {
        let peer = global.open()?;
        let mut wanted = Wanted { terms: self.terms.terms(), ..self.listening.wanted()? };
        if wanted.name.is_none() && peer.name().is_none() && std::io::stdin().is_terminal() {
            wanted.name = Some(ask_for_name(lines, output).await?);
        }
        // From before the peer receives, so that nothing arrives unseen.
        let arrivals = Follower::from_now(&peer)?;
        match Serving::start(peer, wanted).await {
            Ok(serving) => {
                note(&tr!("menu-you-are", name = serving.name(), address = serving.address()));
                Ok((Arc::clone(serving.peer()), Some(serving), arrivals))
            }
            Err(StartError::Running(_)) => {
                note(&tr!("menu-runs-already"));
                Ok((Arc::new(global.open()?), None, arrivals))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Standard input, line by line. A thread reads it, since nothing else can wait for a terminal and a pipe alike.
fn read_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().split(b'\n') {
            let Ok(line) = line else { return };
            if sender.blocking_send(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()).is_err()
            {
                return;
            }
        }
    });
    lines
}

async fn ask_for_name(lines: &mut mpsc::Receiver<String>, output: &mut Output) -> Result<Name, Failure> {
    loop {
        write!(output, "{}", tr!("menu-own-name"))?;
        output.flush()?;
        let Some(line) = lines.recv().await else {
            return Err(Failure::usage(tr!("menu-no-name")).hint(tr!("menu-no-name-hint")));
        };
        match line.trim().parse() {
            Ok(name) => return Ok(name),
            Err(error) => writeln!(output, "{ERROR}{}{ERROR:#}", NameError::told(&error))?,
        }
    }
}

/// The menu while it is open.
struct Open<'a> {
    peer: &'a Peer,
    lines: mpsc::Receiver<String>,
    arrivals: Follower,
    output: &'a mut Output,
}

impl Open<'_> {
    async fn run(&mut self) -> Result<Exit, Failure> {
        loop {
            writeln!(self.output, "\n{}", tr!("menu-choices"))?;
            let Some(choice) = self.ask(&tr!("menu-prompt")).await? else {
                writeln!(self.output, "\n{}", tr!("menu-goodbye"))?;
                return Ok(Exit::Done);
            };
            let done = match choice.trim() {
                "1" => self.send().await,
                "2" => self.list().await,
                "3" => online::print(self.peer, self.output).await,
                "0" => {
                    writeln!(self.output, "{}", tr!("menu-goodbye"))?;
                    return Ok(Exit::Done);
                }
                _ => Ok(writeln!(self.output, "{}", tr!("menu-unknown-choice"))?),
            };
            match done {
                Ok(()) => {}
                // What failed is said, and the menu goes on, unless nobody reads it any more.
                Err(failure) if failure.message.is_some() => complain(&failure),
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn send(&mut self) -> Result<(), Failure> {
        let Some(to) = self.ask(&tr!("menu-to")).await?.filter(|to| !to.trim().is_empty()) else {
            return Ok(());
        };
        // Both are asked for before either is judged: what is typed as a text is never taken for a choice.
        let Some(text) = self.ask(&tr!("menu-text")).await? else { return Ok(()) };
        let names = send::recipients(to.trim())?;
        let body = Body::try_from(text).map_err(|error| Failure::usage(error.told()))?;
        let outbound = self.peer.outbound()?;
        let routes = send::resolve(self.peer, &outbound, &names, false).await?;
        let sent = send::send(&outbound, routes, &body, TERMS, Patience::FirstTry).await?;
        for (queued, standing) in &sent {
            send::print(queued, standing, self.output)?;
        }
        self.output.flush()?;
        send::warn_of_other_keys(&outbound, &sent)
    }

    async fn list(&mut self) -> Result<(), Failure> {
        let query = Query { last: Some(LISTED), ..Query::default() };
        let kept = self.peer.conversations.last_position()?;
        if kept == 0 {
            return Ok(writeln!(self.output, "{}", tr!("menu-no-messages"))?);
        }
        if kept > i64::from(LISTED) {
            writeln!(self.output, "{}", tr!("menu-only-the-last", count = LISTED))?;
        }
        let unread = listing::print(&self.peer.conversations, &query, self.output)?;
        self.output.flush()?;
        Ok(self.peer.inbox.mark_read(unread).await?)
    }

    /// Asks for a line, and shows what comes in meanwhile; nothing at the end of the input.
    async fn ask(&mut self, question: &str) -> Result<Option<String>, Failure> {
        loop {
            write!(self.output, "{NAME}{question}{NAME:#}")?;
            self.output.flush()?;
            tokio::select! {
                line = self.lines.recv() => {
                    // What a terminal shows by itself when the user ends the line.
                    if !std::io::stdin().is_terminal() {
                        writeln!(self.output)?;
                    }
                    return Ok(line);
                }
                arrived = self.arrivals.next() => {
                    let arrived = arrived?;
                    writeln!(self.output, "\n{}", tr!("menu-arrived"))?;
                    Listing::following(self.output).show(&arrived, self.output)?;
                    self.output.flush()?;
                    self.peer.inbox.mark_read(arrived.iter().map(|entry| entry.position).collect()).await?;
                }
            }
        }
    }
}
