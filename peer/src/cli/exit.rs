//! How a command ends: the exit codes that scripts can rely on, and what is said when something went wrong.

use std::io;
use std::process::ExitCode;

use crate::database::Fault;
use crate::directory::DirectoryError;
use crate::outbound::Unsendable;
use crate::outbound::errand::SeeThroughError;
use crate::peer::{NameProblem, OpenPeerError};
use crate::serving::StartError;
use protocol::{Name, Slug};

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
#[derive(Debug)]
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
        Self::usage(NameProblem::None).hint("Give it one: `peer serve --name NAME`.")
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
        Self::new(Exit::Failed, fault)
    }
}

impl From<OpenPeerError> for Failure {
    fn from(error: OpenPeerError) -> Self {
        Self::new(Exit::Failed, error)
    }
}

impl From<SeeThroughError> for Failure {
    fn from(error: SeeThroughError) -> Self {
        Self::new(Exit::Failed, error).hint("The message is written down; `peer serve` delivers it.")
    }
}

impl From<NameProblem> for Failure {
    fn from(problem: NameProblem) -> Self {
        match problem {
            NameProblem::None => {
                Self::usage(problem).hint("Give it one: add `--name NAME`, as in `peer serve --name ana`.")
            }
            NameProblem::Other(_) => {
                Self::usage(problem).hint("Leave --name out, or use another --data-dir for another peer. Until a directory has accepted the name, `peer serve --name` changes it.")
            }
            NameProblem::Fault(fault) => fault.into(),
            NameProblem::Tokens(_) => Self::new(Exit::Failed, problem),
        }
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Away { .. } => Self::new(Exit::DirectoryNeeded, error)
                .hint("Is it running, and is this its address? Start one with `server`, or name another with --server URL."),
            DirectoryError::Refused { slug: Slug::TokenUnknown, .. } => Self::new(
                Exit::Failed,
                "the directory is private: it answers only those who have a name there",
            )
            .hint("Claim one first, as in `RECADO_INVITE=CODE peer serve --name ana`; whoever runs the directory makes codes with `server invite`."),
            DirectoryError::Refused { .. } => Self::new(Exit::Failed, error),
        }
    }
}

impl From<Unsendable> for Failure {
    fn from(error: Unsendable) -> Self {
        match error {
            Unsendable::Unknown(_) => Self::new(Exit::UnknownRecipient, error)
                .hint("Nothing was sent. `peer peers` lists who is online."),
            Unsendable::NeverMet(_) => Self::new(Exit::UnknownRecipient, error)
                .hint("Nothing was sent. Ask them for their link and `peer add LINK` it, or name a directory with --server URL."),
            Unsendable::Unchecked { .. } => Self::new(Exit::Failed, error).hint("Nothing was sent. Ask them for their link and `peer add` it; or add --insecure, and whoever answers there may read the message and pass for them."),
            Unsendable::Renamed => Self::new(Exit::Failed, error).hint("Nothing was sent. Try again."),
            Unsendable::DirectoryNeeded(error) => error.into(),
            Unsendable::Fault(fault) => fault.into(),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let hint = match error {
            StartError::Name(problem) => return problem.into(),
            StartError::Fault(fault) => return fault.into(),
            StartError::NameTaken { ref name, ref held_at } => name_taken(name, held_at),
            StartError::FingerprintChanged { ref name, .. } => format!(
                "Put this peer's identity.pem back from a backup. If it is lost, choose another name with --name, or have whoever runs the directory free this one with `server names release {name}`."
            ),
            StartError::InviteRequired { ref name, .. } => format!(
                "Ask whoever runs it for a code, which `server invite` makes, and type: RECADO_INVITE=CODE peer serve --name {name}"
            ),
            StartError::Running(_) => "Use that one, or another --data-dir for another peer.".to_owned(),
            StartError::Delivering => "Try again when it has ended.".to_owned(),
            StartError::Listen(..) => "Choose another address or port with --listen.".to_owned(),
            StartError::NoFreePort => {
                "Choose one with --listen, as in --listen 127.0.0.1:0 for any.".to_owned()
            }
            StartError::Io(_) | StartError::Tls(_) => return Self::new(Exit::Failed, error),
        };
        Self::new(Exit::Failed, error).hint(hint)
    }
}

fn name_taken(name: &Name, held_at: &[String]) -> String {
    if let [first, ..] = held_at {
        return format!(
            "It is yours at {first}. If that is the same directory, call it by that URL: --server {first}"
        );
    }
    format!(
        "Choose another with --name. If {name} is yours and its token is lost, whoever runs the directory frees it with `server names release {name}`."
    )
}
