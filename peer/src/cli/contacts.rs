use std::io::Write as _;

use clap::Args;
use protocol::{Fingerprint, Name};

use super::Global;
use super::clock::Clock;
use super::contact::{Line, known};
use super::exit::{Exit, Failure};
use super::language::tr;
use super::online::unread_cell;
use super::output::{NAME, Output, WARNING, note};
use super::table::{Cell, Table, print_fields};
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

/// What one stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Contact,
    Seen,
    Blocked,
}

impl Contacts {
    pub(super) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        let contacts = match &self.name {
            Some(name) => vec![known(&peer, name)?],
            None => peer.contacts.list()?,
        };
        let unread = peer.inbox.unread()?;
        if output.json {
            contacts.iter().try_for_each(|contact| output.line(&Line::of(contact, &unread)))?;
            return Ok(Exit::Done);
        }
        let unread = |contact: &Contact| unread.get(contact.name.as_str()).copied().unwrap_or(0);
        if self.name.is_some() {
            contacts.iter().try_for_each(|contact| print_one(contact, unread(contact), output))?;
        } else {
            print(&contacts, unread, output)?;
        }
        Ok(Exit::Done)
    }
}

/// All of them, in groups.
fn print(contacts: &[Contact], unread: impl Fn(&Contact) -> u64, output: &mut Output) -> Result<(), Failure> {
    if contacts.is_empty() {
        note(&tr!("contacts-none"));
        return Ok(());
    }
    let mut table = Table::default();
    for group in [Group::Contact, Group::Seen, Group::Blocked] {
        let members: Vec<_> = contacts.iter().filter(|contact| Group::of(contact) == group).collect();
        if members.is_empty() {
            continue;
        }
        table.gap();
        table.titles([
            group.title(),
            tr!("contacts-title-key"),
            tr!("contacts-title-address"),
            tr!("contacts-title-unread"),
            String::new(),
        ]);
        for contact in members {
            table.row(row(contact, unread(contact)));
        }
    }
    table.print(output)?;
    contacts.iter().try_for_each(|contact| warn(contact, output))
}

impl Group {
    fn of(contact: &Contact) -> Self {
        match contact.pin.map(|pin| pin.kind) {
            Some(Kind::Seen) => Self::Seen,
            None if contact.blocked && contact.address.is_none() => Self::Blocked,
            _ => Self::Contact,
        }
    }

    fn title(self) -> String {
        match self {
            Self::Contact => tr!("contacts-title-contact"),
            Self::Seen => tr!("contacts-title-seen"),
            Self::Blocked => tr!("contacts-title-blocked"),
        }
    }
}

fn row(contact: &Contact, unread: u64) -> [Cell; 5] {
    let or_none = |text: Option<String>| Cell::new(text.unwrap_or_else(|| "–".to_owned()));
    let blocked = if contact.blocked { tr!("contacts-blocked") } else { String::new() };
    [
        Cell::new(Untrusted(contact.name.as_str()).to_string()).styled(NAME),
        or_none(contact.pin.map(|pin| abridged(pin.fingerprint))),
        or_none(contact.address.as_ref().map(ToString::to_string)).giving_way(),
        unread_cell(unread),
        Cell::new(blocked).styled(WARNING),
    ]
}

/// The beginning of a key, to tell it from others in a list; not to be compared by.
fn abridged(fingerprint: Fingerprint) -> String {
    format!("{fingerprint:.8}…")
}

/// One, with all that is known.
fn print_one(contact: &Contact, unread: u64, output: &mut Output) -> Result<(), Failure> {
    let name = Untrusted(contact.name.as_str());
    let kind = match contact.pin.map(|pin| pin.kind) {
        Some(Kind::Contact) => tr!("contacts-is-contact", name = name),
        Some(Kind::Seen) => tr!("contacts-is-seen", name = name),
        Some(Kind::Own) => tr!("contacts-is-own", name = name),
        None => tr!("contacts-has-no-key", name = name),
    };
    let mut fields = vec![(tr!("contacts-name"), Cell::new(kind).styled(NAME))];
    if let Some(pin) = contact.pin {
        fields.push((tr!("contacts-fingerprint"), Cell::new(pin.fingerprint.to_string())));
        fields.extend(rows_of_words(pin.fingerprint).into_iter().map(|(title, row)| (title, Cell::new(row))));
    }
    let address = contact.address.as_ref().map_or_else(|| tr!("contacts-no-address"), ToString::to_string);
    fields.push((tr!("contacts-address"), Cell::new(address)));
    fields.push((tr!("contacts-unread"), Cell::new(unread.to_string())));
    print_fields(&fields, output)?;
    warn(contact, output)
}

/// What wants a second look, and what to do about it.
fn warn(contact: &Contact, output: &mut Output) -> Result<(), Failure> {
    let name = Untrusted(contact.name.as_str());
    if contact.blocked {
        writeln!(output, "\n{WARNING}{}{WARNING:#}", tr!("contacts-is-blocked", name = name))?;
        writeln!(output, "{}", tr!("contacts-unblock", name = name))?;
    }
    if let Some(noted) = contact.mismatch {
        let at = Clock::for_listing(output).tell(noted.at);
        writeln!(output, "\n{WARNING}{}{WARNING:#}", tr!("contacts-another-key", name = name, at = at))?;
        writeln!(output, "{}", tr!("contacts-trust", name = name, key = noted.fingerprint))?;
    }
    Ok(())
}
