use std::io::Write as _;

use clap::Args;
use protocol::address::Reach;
use protocol::link::LinkError;
use protocol::{Address, Fingerprint, Link, Name};
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::faults::Told as _;
use super::language::tr;
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

impl Invite {
    pub(super) fn run(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        let name = peer.name().ok_or_else(Failure::nameless)?.clone();
        let address = peer.address().cloned().ok_or_else(|| {
            Failure::new(Exit::Failed, tr!("invite-no-address")).hint(tr!("invite-no-address-hint"))
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
        note(&tr!("invite-note", link = &link));
        if link.address().reach() == Reach::Loopback {
            note(&tr!("invite-this-machine"));
        }
        Ok(Exit::Done)
    }
}

fn link(name: Name, address: Address, fingerprint: Fingerprint) -> Result<Link, Failure> {
    let listed = address.to_string();
    Link::new(name, address, fingerprint).map_err(|error| {
        let message = tr!("invite-no-link", address = listed, why = LinkError::told(&error));
        Failure::new(Exit::Failed, message).hint(tr!("invite-advertise-hint"))
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
