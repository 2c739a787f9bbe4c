//! The program `server`.

use std::io::Write as _;
use std::pin::pin;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use listener::Supervised;
use server::{Server, command::Outcome, config::Config, program};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

#[tokio::main]
async fn main() -> ExitCode {
    let words = program::named(Config::command()).get_matches();
    let config = Config::from_arg_matches(&words).unwrap_or_else(|error| error.exit());
    config.start_logging();
    match run(config).await {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Incomplete) => ExitCode::FAILURE,
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(error) => {
            eprintln!("error: {}", program::renamed(&error.to_string()));
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> anyhow::Result<Outcome> {
    match &config.command {
        Some(command) => command.run(|| config.database(), program::named(Config::command())).await,
        None => serve(config).await,
    }
}

/// A second interrupt ends it without waiting for what still runs.
async fn serve(config: Config) -> anyhow::Result<Outcome> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let server = Server::bind(config.listen, &config.options()?, config.settings()?).await?;
    let mut out = std::io::stdout();
    // Nobody has to read it.
    let _ = writeln!(out, "directory {}", server.url()).and_then(|()| out.flush());
    let supervised = Supervised::ready();
    let (tell, told) = oneshot::channel();
    let shutdown = async {
        // Whether it is told to or this program gives up, it ends.
        drop(told.await);
    };
    let mut serving = pin!(server.serve(shutdown));
    tokio::select! {
        () = &mut serving => return Ok(Outcome::Done),
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    supervised.stopping();
    // Nobody hears it if all is over already.
    let _ = tell.send(());
    tokio::select! {
        () = serving => Ok(Outcome::Done),
        _ = interrupt.recv() => {
            eprintln!("error: stopped before everything had ended");
            Ok(Outcome::Interrupted)
        }
    }
}
