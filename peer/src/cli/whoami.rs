use std::io::Write as _;
use std::path::Path;

use clap::Args;
use data_encoding::BASE64;
use protocol::{Address, Fingerprint, Name};
use serde::Serialize;

use super::Global;
use super::exit::{Exit, Failure};
use super::output::{FAINT, NAME, Output};
use crate::peer::NameProblem;

/// Show this peer's name, key, address and paths
///
/// Others check the fingerprint before they trust the key: compare it over another channel, or read the words to each
/// other. --json prints the same members in one line.
#[derive(Args)]
#[command(before_help = "Examples:
  peer whoami
  curl --insecure --pinnedpubkey \"$(peer whoami --json | jq -r .curl_pin)\" https://127.0.0.1:7101/identity")]
pub struct Whoami;

/// Words in a row, so that a listener does not get lost.
const WORDS_IN_A_ROW: usize = 8;

/// Who this peer is, for programs.
#[derive(Serialize)]
struct Own<'a> {
    name: &'a Name,
    fingerprint: Fingerprint,
    curl_pin: String,
    words: String,
    address: Option<&'a Address>,
    data_dir: &'a Path,
}

impl Whoami {
    pub(super) fn run(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        let fingerprint = peer.fingerprint();
        let (name, address, data_dir) =
            (peer.name().ok_or(NameProblem::None)?, peer.address(), peer.data_dir.as_path());
        let (curl_pin, words) = (curl_pin(fingerprint), words(&fingerprint));
        if output.json {
            output.line(&Own { name, fingerprint, curl_pin, words: words.join(" "), address, data_dir })?;
            return Ok(Exit::Done);
        }
        writeln!(output, "name         {NAME}{name}{NAME:#}")?;
        writeln!(output, "fingerprint  {fingerprint}")?;
        let rows = words.chunks(WORDS_IN_A_ROW).map(|row| row.join(" "));
        for (row, title) in rows.zip(["in words", "", "", ""]) {
            writeln!(output, "{FAINT}{title:11}{FAINT:#}  {row}")?;
        }
        writeln!(output, "for curl     {curl_pin}")?;
        match address {
            Some(address) => writeln!(output, "address      {address}")?,
            None => writeln!(output, "address      none yet: `peer serve` gives it one")?,
        }
        match &peer.directory {
            Some(directory) => writeln!(output, "directory    {}", directory.url())?,
            None => writeln!(output, "directory    none")?,
        }
        writeln!(output, "data         {}", data_dir.display())?;
        Ok(Exit::Done)
    }
}

/// A key as `curl --pinnedpubkey` takes it: the same hash in another spelling.
fn curl_pin(fingerprint: Fingerprint) -> String {
    format!("sha256//{}", BASE64.encode(fingerprint.as_bytes()))
}

/// A fingerprint in words that are hard to mistake for each other when they are spoken (the PGP word list): 32 of them.
fn words(fingerprint: &Fingerprint) -> Vec<&str> {
    pgp_words::to_words(fingerprint.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fingerprint that descriptions of the list take as their example, and the ends of both columns.
    #[test]
    fn the_words_are_those_of_the_pgp_word_list() {
        let mut bytes = [0; 32];
        let example = [
            0xE5, 0x82, 0x94, 0xF2, 0xE9, 0xA2, 0x27, 0x48, 0x6E, 0x8B, 0x06, 0x1B, 0x31, 0xCC, 0x52, 0x8F,
            0xD7, 0xFA, 0x3F, 0x19,
        ];
        bytes[..example.len()].copy_from_slice(&example);
        bytes[30..].copy_from_slice(&[0xFF, 0xFF]);
        let fingerprint = Fingerprint::from_bytes(bytes);
        let words = words(&fingerprint);
        assert_eq!(words.len(), 32);
        assert_eq!(
            words[..20].join(" "),
            "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa afflict bravado \
             chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless"
                .to_lowercase()
        );
        assert_eq!(words[20..22], ["aardvark", "adroitness"]);
        assert_eq!(words[30..], ["zulu", "yucatan"]);
    }

    /// The SHA-256 of a key, as Python's base64 writes it both ways.
    #[test]
    fn a_pin_is_the_fingerprint_in_base64() {
        let fingerprint: Fingerprint =
            "gpfdx6zt4jpgc2v32dv7zk7cn4gtqsolschlxwfnhstrvljwo5na".parse().unwrap();
        assert_eq!(curl_pin(fingerprint), "sha256//M8o7+zPiXmFqu9Dr/Kvibw04ScuQjrvYrTynGq02d1o=");
    }
}
