use std::path::Path;

use clap::Args;
use data_encoding::BASE64;
use protocol::{Address, Fingerprint, Name};
use serde::Serialize;

use super::Global;
use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::{NAME, Output};
use super::table::print_fields;
use super::untrusted::Untrusted;
use super::words::{rows_of_words, words};

/// Show this peer's name, key, address and paths
///
/// Others check the fingerprint before they trust the key: compare it over another channel, or read the words to each
/// other. --json prints the same members in one line.
#[derive(Args)]
#[command(before_help = "Examples:
  peer whoami
  curl --insecure --pinnedpubkey \"$(peer whoami --json | jq -r .curl_pin)\" https://127.0.0.1:7101/identity")]
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
        let mut fields = vec![
            (tr!("whoami-name"), format!("{NAME}{name}{NAME:#}")),
            (tr!("whoami-fingerprint"), fingerprint.to_string()),
        ];
        fields.extend(rows_of_words(fingerprint));
        fields.extend([
            (tr!("whoami-for-curl"), curl_pin),
            (tr!("whoami-address"), address.map_or_else(|| tr!("whoami-no-address"), ToString::to_string)),
            (
                tr!("whoami-directory"),
                peer.directory
                    .as_ref()
                    .map_or_else(|| tr!("whoami-no-directory"), |directory| directory.url().to_string()),
            ),
            (tr!("whoami-data"), Untrusted(&data_dir.to_string_lossy()).to_string()),
        ]);
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
