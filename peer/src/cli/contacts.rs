use std::io::Write as _;

use clap::Args;
use comfy_table::{Table, presets};
use protocol::{Fingerprint, Name};

use super::Global;
use super::contact::{Line, known};
use super::exit::{Exit, Failure};
use super::online::local_time;
use super::output::{FAINT, NAME, Output, WARNING, note};
use super::untrusted::Untrusted;
use super::words::rows_of_words;
use crate::contacts::{Contact, Kind};

/// Show whose keys this peer remembers
///
/// Contacts are those whom you wrote to, added or trusted: their key never changes by itself. Seen are those who only wrote
/// to you: they are dropped after 90 days without a message. With NAME that one alone, with the whole key, also as
/// words to compare over the telephone.
#[derive(Args)]
#[command(before_help = "Examples:
  peer contacts
  peer contacts rui                                         the whole key of rui, and in words
  peer contacts --json | jq -r 'select(.mismatch).name'     under whose name another key spoke")]
pub struct Contacts {
    /// This one alone
    #[arg(value_name = "NAME")]
    name: Option<Name>,
}

impl Contacts {
    pub(super) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        let contacts = match &self.name {
            Some(name) => vec![known(&peer, name)?],
            None => peer.contacts.list()?,
        };
        if output.json {
            contacts.iter().try_for_each(|contact| output.line(&Line::of(contact)))?;
        } else if self.name.is_some() {
            contacts.iter().try_for_each(|contact| print_one(contact, output))?;
        } else {
            print(&contacts, output)?;
        }
        Ok(Exit::Done)
    }
}

/// All of them, in groups.
fn print(contacts: &[Contact], output: &mut Output) -> Result<(), Failure> {
    if contacts.is_empty() {
        note("No contacts yet: `peer add LINK` makes one, and so does writing to somebody.");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for title in ["CONTACT", "SEEN ONLY", "BLOCKED"] {
        let group: Vec<_> = contacts.iter().filter(|contact| heading(contact) == title).collect();
        if group.is_empty() {
            continue;
        }
        if !table.is_empty() {
            table.add_row([""]);
        }
        table.add_row([title, "KEY", "LAST ADDRESS", ""]);
        for contact in group {
            table.add_row(row(contact));
        }
    }
    for line in table.lines() {
        writeln!(output, "{}", line.trim())?;
    }
    contacts.iter().try_for_each(|contact| warn(contact, output))
}

/// What one stands under.
fn heading(contact: &Contact) -> &'static str {
    match contact.pin.map(|pin| pin.kind) {
        Some(Kind::Seen) => "SEEN ONLY",
        None if contact.blocked && contact.address.is_none() => "BLOCKED",
        _ => "CONTACT",
    }
}

fn row(contact: &Contact) -> [String; 4] {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    [
        Untrusted(contact.name.as_str()).to_string(),
        or_none(contact.pin.map(|pin| abridged(pin.fingerprint))),
        or_none(contact.address.as_ref().map(ToString::to_string)),
        if contact.blocked { "blocked" } else { "" }.to_owned(),
    ]
}

/// The beginning of a key, to tell it from others in a list; not to be compared by.
fn abridged(fingerprint: Fingerprint) -> String {
    format!("{fingerprint:.8}…")
}

/// One, with all that is known.
fn print_one(contact: &Contact, output: &mut Output) -> Result<(), Failure> {
    let name = Untrusted(contact.name.as_str());
    let kind = match contact.pin.map(|pin| pin.kind) {
        Some(Kind::Contact) => "a contact",
        Some(Kind::Seen) => "seen only: wrote to you, and you not yet to them",
        Some(Kind::Own) => "yourself",
        None => "no key is known",
    };
    writeln!(output, "name         {NAME}{name}{NAME:#} ({kind})")?;
    if let Some(pin) = contact.pin {
        writeln!(output, "fingerprint  {}", pin.fingerprint)?;
        for (title, row) in rows_of_words(pin.fingerprint) {
            writeln!(output, "{FAINT}{title:11}{FAINT:#}  {row}")?;
        }
    }
    match &contact.address {
        Some(address) => writeln!(output, "address      {address}")?,
        None => writeln!(output, "address      none yet")?,
    }
    warn(contact, output)
}

/// What wants a second look, and what to do about it.
fn warn(contact: &Contact, output: &mut Output) -> Result<(), Failure> {
    let name = Untrusted(contact.name.as_str());
    if contact.blocked {
        writeln!(
            output,
            "\n{WARNING}{name} is blocked.{WARNING:#} To take its messages again: peer unblock {name}"
        )?;
    }
    if let Some(noted) = contact.mismatch {
        let at = local_time(noted.at);
        writeln!(
            output,
            "\n{WARNING}Another key spoke as {name}, last at {at}, and was refused.{WARNING:#}"
        )?;
        writeln!(output, "If {name} has a new key, compare it with theirs, and type:")?;
        writeln!(output, "  peer trust {name} {}", noted.fingerprint)?;
    }
    Ok(())
}
