//! What went wrong in the rooms, in the words of the catalogues. The errors' own words are for logs; what an operating
//! system or a database said inside them stays as it was said.

mod values;

use crate::client::ClientError;
use crate::database::Fault;
use crate::directory::DirectoryError;
use crate::identity::key::KeyError;
use crate::identity::private::Unreadable;
use crate::outbound::Unsendable;
use crate::outbound::errand::SeeThroughError;
use crate::peer::{NameProblem, OpenPeerError};
use crate::serving::{PORTS, StartError};
use protocol::Name;
use protocol::address::Scheme;
use store::{CheckError, OpenError};

use super::language::{reasons, tr};

pub use values::of_value;

/// What can be said to people.
pub trait Told {
    /// It, in their language.
    fn told(&self) -> String;
}

impl Told for Fault {
    fn told(&self) -> String {
        match self {
            Self::Full => tr!("faults-full"),
            Self::Unavailable(why) => tr!("faults-unavailable", why = why),
            Self::Damaged(why) => tr!("faults-damaged", why = why),
            Self::Statement(why) => tr!("faults-statement", why = why),
            Self::Defect => tr!("faults-defect"),
        }
    }
}

impl Told for CheckError {
    fn told(&self) -> String {
        match self {
            Self::Damaged(findings) => tr!("faults-check-damaged", findings = findings),
            Self::Sqlite(why) => tr!("faults-check-failed", why = why),
        }
    }
}

impl Told for OpenPeerError {
    fn told(&self) -> String {
        match self {
            Self::Directory(path, why) => tr!("faults-data-directory", path = path.display(), why = why),
            Self::Key(error) => error.told(),
            Self::Database(error) => error.told(),
            Self::Fault(fault) => fault.told(),
            Self::Client(error) => error.told(),
        }
    }
}

impl Told for ClientError {
    fn told(&self) -> String {
        match self {
            Self::Tls(why) => tr!("faults-tls", why = why),
            Self::Http(_) => tr!("faults-client", why = self),
        }
    }
}

impl Told for KeyError {
    fn told(&self) -> String {
        match self {
            Self::Unreadable(error) => error.told(),
            Self::Garbled { path, why } => tr!("faults-key-garbled", path = path.display(), why = why),
            Self::NotMade(why) => tr!("faults-key-not-made", why = why),
            Self::NotWritten { path, source } => {
                tr!("faults-not-written", path = path.display(), why = source)
            }
        }
    }
}

impl Told for Unreadable {
    fn told(&self) -> String {
        match self {
            Self::Exposed { path, mode } => {
                tr!("faults-exposed", path = path.display(), mode = format_args!("{mode:04o}"))
            }
            Self::Changeable { path, mode } => {
                tr!("faults-changeable", path = path.display(), mode = format_args!("{mode:04o}"))
            }
            Self::Failed { path, source } => tr!("faults-not-read", path = path.display(), why = source),
        }
    }
}

impl Told for OpenError {
    fn told(&self) -> String {
        match self {
            Self::Foreign { path, why } => {
                tr!("faults-open-foreign", path = path.display(), why = reasons::translated(why))
            }
            Self::Newer { path, found, known } => {
                tr!("faults-open-newer", path = path.display(), found = found, known = known)
            }
            Self::ReadOnly { path } => tr!("faults-open-read-only", path = path.display()),
            Self::Damaged { path, source } => {
                tr!("faults-open-damaged", path = path.display(), why = source)
            }
            Self::Directory { path, source } => {
                tr!("faults-open-directory", path = path.display(), why = source)
            }
            Self::Setting { path, name, wanted, found } => {
                tr!("faults-open-setting", path = path.display(), name = name, wanted = wanted, found = found)
            }
            Self::Migration { path, number, source } => {
                tr!("faults-open-migration", path = path.display(), number = number, why = source)
            }
            Self::Io { path, source } => tr!("faults-open-io", path = path.display(), why = source),
            Self::Sqlite { path, source } => tr!("faults-open-sqlite", path = path.display(), why = source),
            // Those to come are said as they say themselves.
            other => other.to_string(),
        }
    }
}

impl Told for SeeThroughError {
    fn told(&self) -> String {
        match self {
            Self::Fault(fault) => fault.told(),
            Self::Lock(why) => tr!("faults-lock", why = why),
        }
    }
}

impl Told for NameProblem {
    fn told(&self) -> String {
        match self {
            Self::None => tr!("faults-nameless"),
            Self::Other(name) => tr!("faults-other-name", name = name),
            Self::Fault(fault) => fault.told(),
            Self::Tokens(why) => tr!("faults-tokens", why = why),
        }
    }
}

impl Told for DirectoryError {
    fn told(&self) -> String {
        match self {
            Self::Away { directory, why, .. } => {
                tr!("faults-directory-away", directory = directory, why = reasons::translated(why))
            }
            Self::Refused { detail, .. } => tr!("faults-directory-refused", detail = detail),
        }
    }
}

impl Told for Unsendable {
    fn told(&self) -> String {
        match self {
            Self::Unknown(names) => {
                let names: Vec<&str> = names.iter().map(Name::as_str).collect();
                tr!("faults-nobody", names = names.join(&tr!("faults-or")))
            }
            Self::NeverMet(name) => tr!("faults-never-met", name = name),
            Self::Unchecked { name, at: Some(address) } if address.scheme() == Scheme::Http => {
                tr!("faults-without-tls", name = name, address = address)
            }
            Self::Unchecked { name, .. } => tr!("faults-unchecked", name = name),
            Self::Renamed => tr!("faults-renamed"),
            Self::DirectoryNeeded(error) => error.told(),
            Self::Fault(fault) => fault.told(),
        }
    }
}

impl Told for StartError {
    fn told(&self) -> String {
        match self {
            Self::Running(process) => tr!("faults-running", process = process),
            Self::Delivering => tr!("faults-delivering"),
            Self::Listen(address, why) => tr!("faults-listen", address = address, why = why),
            Self::NoFreePort => tr!("faults-no-free-port", first = PORTS.start(), last = PORTS.end()),
            Self::NameTaken { name, .. } => tr!("faults-name-taken", name = name),
            Self::FingerprintChanged { directory, name } => {
                tr!("faults-fingerprint-changed", directory = directory, name = name)
            }
            Self::InviteRequired { directory, invited: false, .. } => {
                tr!("faults-invite-required", directory = directory)
            }
            Self::InviteRequired { directory, invited: true, .. } => {
                tr!("faults-invite-refused", directory = directory)
            }
            Self::Name(problem) => problem.told(),
            Self::Fault(fault) => fault.told(),
            Self::Tls(why) => tr!("faults-tls", why = why),
            Self::Io(why) => tr!("faults-start", why = why),
        }
    }
}
