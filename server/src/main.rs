//! The program `server`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use server::{Server, command::Outcome, config::Config};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    config.start_logging();
    match run(config).await {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Incomplete) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> anyhow::Result<Outcome> {
    match &config.command {
        Some(command) => command.run(&config.database()?).await,
        None => serve(config).await.map(|()| Outcome::Done),
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let server = Server::bind(config.listen, &config.options()?, config.settings()?).await?;
    let mut out = std::io::stdout();
    // Nobody has to read it.
    let _ = writeln!(out, "directory {}", server.url()).and_then(|()| out.flush());
    let shutdown = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    server.serve(shutdown).await;
    Ok(())
}
