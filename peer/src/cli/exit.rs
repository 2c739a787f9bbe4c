//! How a command ends: the exit codes that scripts can rely on, and what is said when something went wrong.

use std::io;
use std::process::ExitCode;

use crate::database::Fault;
use crate::directory::DirectoryError;
use crate::outbound::Unsendable;
use crate::outbound::errand::SeeThroughError;
use crate::peer::{NameProblem, OpenPeerError};
use crate::serving::StartError;
use protocol::Slug;

use super::faults::Told as _;
use super::language::tr;

/// The exit codes. README lists them too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// Wrong usage or bad input.
    Usage = 2,
    /// Not delivered in time.
    NotInTime = 3,
    /// Refused by the recipient.
    Refused = 4,
    /// Nobody has that name.
    UnknownRecipient = 5,
    /// The directory cannot be reached and was needed.
    DirectoryNeeded = 6,
    /// The only known address of a recipient answers with another key than the pinned one.
    OtherKey = 7,
    /// Interrupted by the user.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What happened; nothing if there is nobody left to tell.
    pub message: Option<String>,
    /// What belongs to it, in lines of our own words.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with what happened.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "errors are handed over; a borrow at each call says nothing"
    )]
    pub fn new(exit: Exit, message: impl ToString) -> Self {
        Self { exit, message: Some(message.to_string()), detail: None, hint: None }
    }

    /// Bad input, with what is wrong with it.
    #[expect(clippy::needless_pass_by_value, reason = "as for `new`")]
    pub fn usage(message: impl ToString) -> Self {
        Self::new(Exit::Usage, message.to_string())
    }

    /// This peer has no name yet, and the command takes none.
    pub fn nameless() -> Self {
        Self::usage(NameProblem::None.told()).hint(tr!("exit-nameless-hint"))
    }

    /// The same failure, with what belongs to it: lines of our own words, never of others'.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// The same failure, with what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // Whoever read our output has seen enough: that is no failure.
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { exit: Exit::Done, message: None, detail: None, hint: None };
        }
        Self::new(Exit::Failed, error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::new(Exit::Failed, fault.told())
    }
}

impl From<OpenPeerError> for Failure {
    fn from(error: OpenPeerError) -> Self {
        Self::new(Exit::Failed, error.told())
    }
}

impl From<SeeThroughError> for Failure {
    fn from(error: SeeThroughError) -> Self {
        Self::new(Exit::Failed, error.told()).hint(tr!("exit-written-down-hint"))
    }
}

impl From<NameProblem> for Failure {
    fn from(problem: NameProblem) -> Self {
        match problem {
            NameProblem::None => Self::usage(problem.told()).hint(tr!("exit-give-a-name-hint")),
            NameProblem::Other(_) => Self::usage(problem.told()).hint(tr!("exit-other-name-hint")),
            NameProblem::Fault(fault) => fault.into(),
            NameProblem::Tokens(_) => Self::new(Exit::Failed, problem.told()),
        }
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Away { .. } => {
                Self::new(Exit::DirectoryNeeded, error.told()).hint(tr!("exit-directory-away-hint"))
            }
            DirectoryError::Refused { slug: Slug::TokenUnknown, .. } => {
                Self::new(Exit::Failed, tr!("exit-private")).hint(tr!("exit-private-hint"))
            }
            DirectoryError::Refused { .. } => Self::new(Exit::Failed, error.told()),
        }
    }
}

impl From<Unsendable> for Failure {
    fn from(error: Unsendable) -> Self {
        let (exit, hint) = match error {
            Unsendable::Unknown(_) => (Exit::UnknownRecipient, tr!("exit-unknown-hint")),
            Unsendable::NeverMet(_) => (Exit::UnknownRecipient, tr!("exit-never-met-hint")),
            Unsendable::Unchecked { .. } => (Exit::Failed, tr!("exit-unchecked-hint")),
            Unsendable::Renamed => (Exit::Failed, tr!("exit-renamed-hint")),
            Unsendable::DirectoryNeeded(error) => return error.into(),
            Unsendable::Fault(fault) => return fault.into(),
        };
        Self::new(exit, error.told()).hint(hint)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let hint = match error {
            StartError::Name(problem) => return problem.into(),
            StartError::Fault(fault) => return fault.into(),
            StartError::NameTaken { ref name, ref held_at } => {
                let elsewhere = held_at.first().map(|first| tr!("exit-held-hint", server = first));
                elsewhere.unwrap_or_else(|| tr!("exit-name-taken-hint", name = name))
            }
            StartError::FingerprintChanged { ref name, .. } => {
                tr!("exit-fingerprint-changed-hint", name = name)
            }
            StartError::InviteRequired { ref name, .. } => tr!("exit-invite-required-hint", name = name),
            StartError::Running(_) => tr!("exit-running-hint"),
            StartError::Delivering => tr!("exit-delivering-hint"),
            StartError::Listen(..) => tr!("exit-listen-hint"),
            StartError::NoFreePort => tr!("exit-no-free-port-hint"),
            StartError::Io(_) | StartError::Tls(_) => return Self::new(Exit::Failed, error.told()),
        };
        Self::new(Exit::Failed, error.told()).hint(hint)
    }
}
