use std::io::Write as _;

use clap::Args;
use protocol::address::Reach;
use protocol::{Address, Fingerprint, Link, Name};
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::output::{Output, note};
use super::{Global, qr};

/// Print a link by which others can write to you without any directory
///
/// The link is this peer's name, address and key in one line: recado:NAME@HOST:PORT#FINGERPRINT. Send it over a channel
/// that nobody can change on its way, such as an encrypted chat; nothing in it is secret. Who types `peer add LINK`
/// has you as a contact. The link stands on standard output; the same as a QR code, for a camera, goes to standard error.
#[derive(Args)]
#[command(before_help = "Examples:
  peer invite                 the link, and below it a QR code
  peer invite 2>/dev/null     the link alone
  peer serve --advertise https://ana.example:7101     if others have to dial another address")]
pub struct Invite;

/// An invitation, for programs.
#[derive(Serialize)]
struct Invitation {
    link: String,
}

/// What to do if the address is not one that others can dial.
const ADVERTISE: &str = "Say where others can dial it: `peer serve --advertise https://HOST:PORT`.";

impl Invite {
    pub(super) fn run(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        let name = peer.name().ok_or_else(Failure::nameless)?.clone();
        let address = peer.address().cloned().ok_or_else(|| {
            Failure::new(Exit::Failed, "this peer has no address yet, so there is no link to it")
                .hint(format!("`peer serve` gives it one. {ADVERTISE}"))
        })?;
        let link = link(name, address, peer.fingerprint())?;
        if output.json {
            output.line(&Invitation { link: link.to_string() })?;
            return Ok(Exit::Done);
        }
        writeln!(output, "{link}")?;
        output.flush()?;
        // Readers of QR codes guess the encoding, and not all of them guess UTF-8.
        qr::draw(&link.to_ascii(), &mut anstream::stderr().lock())?;
        note("Whoever types `peer add 'LINK'`, with this link, has you as a contact.");
        if link.address().reach() == Reach::Loopback {
            note("It works on this machine only. For others:");
            note("  peer serve --listen 0.0.0.0:7101 --advertise https://HOST:7101");
        }
        Ok(Exit::Done)
    }
}

fn link(name: Name, address: Address, fingerprint: Fingerprint) -> Result<Link, Failure> {
    let listed = address.to_string();
    Link::new(name, address, fingerprint).map_err(|error| {
        let message =
            format!("no link can be made of {listed}, where others are told to dial this peer: {error}");
        Failure::new(Exit::Failed, message).hint(ADVERTISE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_needs_an_address_that_others_can_dial_and_check() {
        let made = |address: &str| {
            link("ana".parse().unwrap(), address.parse().unwrap(), Fingerprint::from_bytes([7; 32]))
        };
        assert!(made("https://192.0.2.7:7101").is_ok() && made("https://127.0.0.1:7101").is_ok());
        for address in ["http://192.0.2.7:7101", "https://0.0.0.0:7101", "https://[::]:7101"] {
            let failure = made(address).unwrap_err();
            assert_eq!(failure.exit, Exit::Failed, "{address}");
            assert!(failure.message.unwrap().contains(address));
            assert!(failure.hint.unwrap().contains("--advertise"));
        }
    }
}
