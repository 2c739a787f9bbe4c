use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use protocol::Name;
use protocol::message::Body;
use tokio::sync::mpsc;

use super::Global;
use super::exit::{Exit, Failure};
use super::follow::Follower;
use super::language::{Words, words};
use super::output::{ERROR, NAME, Output, complain, note};
use super::serve::{Listening, Signals};
use super::{listing, peers, send};
use crate::conversations::Query;
use crate::outbound::errand::Patience;
use crate::peer::Peer;
use crate::serving::{Serving, StartError};

/// The numbered menu: send, list messages, list peers
///
/// Runs the peer while it is open, unless another process does so already. It works on a pipe too.
#[derive(Args, Default)]
pub struct Menu {
    #[command(flatten)]
    listening: Listening,
}

/// How many messages the menu lists.
const LISTED: u32 = 20;
/// How long a message from the menu may wait for its recipient.
const LIFETIME: Duration = Duration::from_hours(7 * 24);

impl Menu {
    pub(super) async fn run(mut self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let words = words();
        let at_terminal = std::io::stdin().is_terminal();
        let mut lines = read_lines();
        let mut peer = global.open()?;
        if self.listening.name.is_none() && peer.name().is_err() && at_terminal {
            self.listening.name = Some(ask_for_name(words, &mut lines, output).await?);
        }
        peer.take_name(self.listening.name.as_ref()).await?;
        let peer = Arc::new(peer);
        let serving =
            match Serving::start(Arc::clone(&peer), self.listening.bind().await?, self.listening.advertise)
                .await
            {
                Ok(serving) => Some(serving),
                Err(StartError::Running(Some(_))) => None,
                Err(error) => return Err(error.into()),
            };
        match &serving {
            Some(serving) => note(&format!("{} {}, {}", words.you_are, peer.name()?, serving.address())),
            None => note(words.runs_already),
        }
        let mut signals = Signals::new()?;
        let arrivals = Follower::from_now(&peer)?;
        let mut open = Open { peer: &peer, words, lines, at_terminal, arrivals, output };
        let end = tokio::select! {
            end = open.run() => end,
            () = signals.next() => Ok(Exit::Interrupted),
        };
        if let Some(serving) = serving {
            serving.stop().await;
        }
        end
    }
}

/// Standard input, line by line. A thread reads it, since nothing else can wait for a terminal and a pipe alike.
fn read_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

async fn ask_for_name(
    words: &Words,
    lines: &mut mpsc::Receiver<String>,
    output: &mut Output,
) -> Result<Name, Failure> {
    loop {
        write!(output, "{}", words.own_name)?;
        output.flush()?;
        let Some(line) = lines.recv().await else {
            return Err(Failure::usage("no name was given").hint("Give one with --name."));
        };
        match line.trim().parse() {
            Ok(name) => return Ok(name),
            Err(error) => writeln!(output, "{ERROR}{error}{ERROR:#}")?,
        }
    }
}

/// The menu while it is open.
struct Open<'a> {
    peer: &'a Peer,
    words: &'a Words,
    lines: mpsc::Receiver<String>,
    at_terminal: bool,
    arrivals: Follower,
    output: &'a mut Output,
}

impl Open<'_> {
    async fn run(&mut self) -> Result<Exit, Failure> {
        loop {
            writeln!(self.output, "\n{}", self.words.choices)?;
            let Some(choice) = self.ask(self.words.prompt).await? else { return Ok(Exit::Done) };
            let done = match choice.trim() {
                "1" => self.send().await,
                "2" => self.list().await,
                "3" => peers::print(self.peer, self.output).await,
                "0" => {
                    writeln!(self.output, "{}", self.words.goodbye)?;
                    return Ok(Exit::Done);
                }
                _ => Ok(writeln!(self.output, "{}", self.words.unknown_choice)?),
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
        let Some(to) = self.ask(self.words.to).await? else { return Ok(()) };
        let names = send::recipients(to.trim())?;
        let Some(text) = self.ask(self.words.text).await? else { return Ok(()) };
        let body = Body::try_from(text).map_err(Failure::usage)?;
        let sent = send::send(&self.peer.outbound()?, &names, &body, LIFETIME, Patience::FirstTry).await?;
        for (queued, standing) in &sent {
            send::print(queued, standing, self.output)?;
        }
        Ok(())
    }

    async fn list(&mut self) -> Result<(), Failure> {
        let query = Query { last: Some(LISTED), ..Query::default() };
        if self.peer.conversations.last_position()? == 0 {
            writeln!(self.output, "{}", self.words.no_messages)?;
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
                    if !self.at_terminal {
                        writeln!(self.output)?;
                    }
                    return Ok(line);
                }
                arrived = self.arrivals.next() => {
                    let arrived = arrived?;
                    writeln!(self.output, "\n{}", self.words.arrived)?;
                    for entry in &arrived {
                        listing::print_one(entry, self.output)?;
                    }
                    self.output.flush()?;
                    self.peer.inbox.mark_read(arrived.iter().map(|entry| entry.position).collect()).await?;
                }
            }
        }
    }
}
