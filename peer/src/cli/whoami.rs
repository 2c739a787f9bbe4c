use std::io::Write as _;
use std::path::Path;

use clap::Args;
use protocol::{Address, Name};
use serde::Serialize;

use super::Global;
use super::exit::{Exit, Failure};
use super::output::{NAME, Output};
use crate::peer::NameProblem;

/// Show this peer's name, address and paths
#[derive(Args)]
pub struct Whoami;

/// Who this peer is, for programs. The members that need a key are null until there is one.
#[derive(Serialize)]
struct Own<'a> {
    name: &'a Name,
    fingerprint: Option<()>,
    curl_pin: Option<()>,
    words: Option<()>,
    address: Option<&'a Address>,
    data_dir: &'a Path,
}

impl Whoami {
    pub(super) fn run(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        let (name, address, data_dir) =
            (peer.name().ok_or(NameProblem::None)?, peer.address(), peer.data_dir.as_path());
        if output.json {
            output.line(&Own { name, fingerprint: None, curl_pin: None, words: None, address, data_dir })?;
            return Ok(Exit::Done);
        }
        writeln!(output, "name      {NAME}{name}{NAME:#}")?;
        match address {
            Some(address) => writeln!(output, "address   {address}")?,
            None => writeln!(output, "address   none yet: `peer serve` gives it one")?,
        }
        match &peer.directory {
            Some(directory) => writeln!(output, "directory {}", directory.url())?,
            None => writeln!(output, "directory none")?,
        }
        writeln!(output, "data      {}", data_dir.display())?;
        Ok(Exit::Done)
    }
}
