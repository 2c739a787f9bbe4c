use std::path::Path;

use clap::Args;
use data_encoding::BASE64;
use protocol::{Address, Fingerprint, Name};
use serde::Serialize;

use super::Global;
use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::{NAME, Output};
use super::table::{Cell, print_fields};
use super::untrusted::Untrusted;
use super::words::{rows_of_words, words};

/// Show this peer's name, key, address and paths
///
/// Others check the fingerprint before they trust the key: compare it over another channel, or read the words to each
/// other. --json prints the same members in one line.
#[derive(Args)]
#[command(before_help = "Examples:
  peer whoami
  curl -k --pinnedpubkey \"$(peer whoami --json | jq -r .curl_pin)\" https://127.0.0.1:7101/health")]
pub struct Whoami;

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
            (peer.name().ok_or_else(Failure::nameless)?, peer.address(), peer.data_dir.as_path());
        let curl_pin = curl_pin(fingerprint);
        if output.json {
            let words = words(&fingerprint).join(" ");
            output.line(&Own { name, fingerprint, curl_pin, words, address, data_dir })?;
            return Ok(Exit::Done);
        }
        let address = address.map_or_else(|| tr!("whoami-no-address"), ToString::to_string);
        let directory = peer.directory.as_ref();
        let directory = directory.map_or_else(|| tr!("whoami-no-directory"), |one| one.url().to_string());
        let data = Untrusted(&data_dir.to_string_lossy()).to_string();
        let mut fields = vec![
            (tr!("whoami-name"), Cell::new(name.to_string()).styled(NAME)),
            (tr!("whoami-fingerprint"), Cell::new(fingerprint.to_string())),
        ];
        fields.extend(rows_of_words(fingerprint).into_iter().map(|(title, row)| (title, Cell::new(row))));
        fields.push((tr!("whoami-for-curl"), Cell::new(curl_pin)));
        fields.push((tr!("whoami-address"), Cell::new(address)));
        fields.push((tr!("whoami-directory"), Cell::new(directory)));
        fields.push((tr!("whoami-data"), Cell::new(data)));
        print_fields(&fields, output)?;
        Ok(Exit::Done)
    }
}

/// A key as `curl --pinnedpubkey` takes it: the same hash in another spelling.
fn curl_pin(fingerprint: Fingerprint) -> String {
    format!("sha256//{}", BASE64.encode(fingerprint.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The SHA-256 of a key, as Python's base64 writes it both ways.
    #[test]
    fn a_pin_is_the_fingerprint_in_base64() {
        let fingerprint: Fingerprint =
            "gpfdx6zt4jpgc2v32dv7zk7cn4gtqsolschlxwfnhstrvljwo5na".parse().unwrap();
        assert_eq!(curl_pin(fingerprint), "sha256//M8o7+zPiXmFqu9Dr/Kvibw04ScuQjrvYrTynGq02d1o=");
    }
}
