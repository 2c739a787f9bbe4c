//! One name as this peer knows it: what the commands on contacts have in common.

use std::collections::BTreeMap;
use std::io::Write as _;

use jiff::Timestamp;
use protocol::{Address, Fingerprint, Name};
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::{FAINT, NAME, Output, note};
use super::suggest;
use crate::contacts::{Contact, Kind};
use crate::outbound::lock;
use crate::peer::Peer;

/// A name as it stands, for programs.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    name: &'a Name,
    fingerprint: Option<Fingerprint>,
    contact: bool,
    address: Option<&'a Address>,
    blocked: bool,
    mismatch: Option<Noted>,
    unread: u64,
}

/// A key that spoke under a name which has another one, for programs.
#[derive(Serialize)]
struct Noted {
    fingerprint: Fingerprint,
    at: Timestamp,
}

impl<'a> Line<'a> {
    pub(super) fn of(contact: &'a Contact, unread: &BTreeMap<String, u64>) -> Self {
        Self {
            name: &contact.name,
            fingerprint: contact.pin.map(|pin| pin.fingerprint),
            contact: contact.pin.is_some_and(|pin| pin.kind == Kind::Contact),
            address: contact.address.as_ref(),
            blocked: contact.blocked,
            mismatch: contact.mismatch.map(|noted| Noted { fingerprint: noted.fingerprint, at: noted.at }),
            unread: unread.get(contact.name.as_str()).copied().unwrap_or(0),
        }
    }
}

/// Says what was done with a name: for people that, and what else they see about it; for programs the name as it stands now.
pub(super) fn report(
    peer: &Peer,
    name: &Name,
    done: &str,
    details: &[(String, String)],
    output: &mut Output,
) -> Result<(), Failure> {
    if output.json {
        return output.line(&Line::of(&peer.contacts.contact(name)?, &peer.inbox.unread()?));
    }
    writeln!(output, "{done} {NAME}{name}{NAME:#}")?;
    for (title, value) in details {
        writeln!(output, "  {FAINT}{title:8}{FAINT:#} {value}")?;
    }
    Ok(output.flush()?)
}

/// All that is remembered of a name; whom nothing is known of is nobody here.
pub(super) fn known(peer: &Peer, name: &Name) -> Result<Contact, Failure> {
    let contact = peer.contacts.contact(name)?;
    if contact.pin.is_some() || contact.blocked || peer.contacts.known(name)? {
        return Ok(contact);
    }
    Err(unknown(peer, name))
}

/// Nothing is known of this name: said alike by every command that needs one who is.
pub(super) fn unknown(peer: &Peer, name: &Name) -> Failure {
    let failure = Failure::new(Exit::UnknownRecipient, tr!("contact-unknown", name = name));
    suggest::known_instead_of(name, failure.hint(tr!("contact-unknown-hint")), peer)
}

/// Refuses this peer's own name: nobody is their own contact.
pub(super) fn refuse_own_name(peer: &Peer, name: &Name) -> Result<(), Failure> {
    if peer.name() == Some(name) {
        return Err(Failure::usage(tr!("contact-own-name", name = name)).hint(tr!("contact-own-name-hint")));
    }
    Ok(())
}

/// Refuses this peer's own key: nobody else has it.
pub(super) fn refuse_own_key(peer: &Peer, fingerprint: Fingerprint) -> Result<(), Failure> {
    if peer.fingerprint() == fingerprint {
        return Err(Failure::usage(tr!("contact-own-key")).hint(tr!("contact-own-key-hint")));
    }
    Ok(())
}

/// Lets what waits for a name leave: a peer that runs is woken, and where none does, the user is told.
pub(super) fn wake(peer: &Peer, name: &Name) -> Result<(), Failure> {
    match lock::holder(&peer.data_dir)? {
        Some(holder) => holder.ring(),
        None if waits(peer, name)? => {
            note(&tr!("contact-waits", name = name));
        }
        None => {}
    }
    Ok(())
}

fn waits(peer: &Peer, name: &Name) -> Result<bool, Failure> {
    Ok(peer.courier().outbox.waiting()?.iter().any(|waiting| waiting.name == *name))
}
