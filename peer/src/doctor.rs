//! A look at the whole set-up, for whoever wonders why something does not work. It changes nothing, makes nothing, and needs
//! neither a name nor a data directory. What is found is said by the face.

mod network;
mod own;
mod place;

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use protocol::{Address, Fingerprint, Name};
use store::{CheckError, OpenError};

use crate::conversations::Waiting;
use crate::directory::{DirectoryError, DirectoryUrl};
use crate::identity::KeyError;

/// What is looked at.
#[derive(Debug, Clone)]
pub struct Patient {
    /// The data directory.
    pub data_dir: PathBuf,
    /// The directory, if one is used.
    pub server: Option<DirectoryUrl>,
    /// The variables that are set and name a proxy.
    pub proxies: Vec<String>,
}

/// One thing that was looked at.
#[derive(Debug)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// How it is.
    pub status: Status,
    /// What was found there.
    pub found: Found,
}

/// What is looked at, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    DataDirectory,
    Disk,
    Files,
    Key,
    Tokens,
    Config,
    Database,
    Name,
    Daemon,
    Port,
    Directory,
    Listed,
    Reachable,
    Clock,
    Proxy,
    Queue,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, or may, but somebody should know.
    Warning,
    /// It does not work.
    Failed,
    /// It could not be looked at, or there is nothing to look at.
    Skipped,
}

/// What was found.
#[derive(Debug)]
pub enum Found {
    NoDataDirectory(PathBuf),
    NotADirectory(PathBuf),
    Unreadable(PathBuf, io::Error),
    SomebodyElses {
        path: PathBuf,
        owner: u32,
    },
    Unwritable(PathBuf),
    OpenToOthers {
        path: PathBuf,
        mode: u32,
    },
    DataDirectory(PathBuf),
    Free(u64),
    FreeUnknown(io::Error),
    FileOpenToOthers {
        path: PathBuf,
        mode: u32,
    },
    FilesAreItsOwners,
    Key(Fingerprint),
    NoKey,
    LostKey,
    BadKey(KeyError),
    Tokens(usize),
    BadTokens(io::Error),
    Sound,
    NoDatabase,
    OldDatabase,
    ClosedDatabase(OpenError),
    BadDatabase(CheckError),
    Named(Name),
    Nameless,
    Runs(u32),
    OtherVersion {
        pid: u32,
        version: String,
    },
    Delivers(u32),
    RunsNot,
    PortFree(u16),
    PortTaken {
        port: u16,
        next: Option<u16>,
    },
    PortHeld(u16),
    NoDirectory,
    Directory {
        url: DirectoryUrl,
        version: Option<String>,
    },
    DirectoryExposed(DirectoryUrl),
    DirectoryAway(DirectoryError),
    Listed(Address),
    ListedElsewhere {
        listed: Address,
        own: Option<Address>,
    },
    ListedNot,
    Unclaimed(Name),
    ClaimedByAnother {
        name: Name,
        key: Option<Fingerprint>,
    },
    LookupFailed(DirectoryError),
    Answers(Address),
    AnswersHereOnly(Address),
    AnswersNot {
        address: Address,
        why: String,
    },
    AnotherAnswers {
        address: Address,
        presented: Fingerprint,
    },
    Clock,
    ClockApart {
        seconds: u64,
        is_ahead: bool,
    },
    MessagesOfTheFuture(Timestamp),
    NoProxy,
    Proxy(Vec<String>),
    NothingWaits,
    Waits(Waiting),
    /// Not looked at, since something else is to be mended first.
    Needs(Check),
}

impl Finding {
    fn new(check: Check, status: Status, found: Found) -> Self {
        Self { check, status, found }
    }

    /// What could not be looked at before something else is mended.
    fn needs(check: Check, first: Check) -> Self {
        Self::new(check, Status::Skipped, Found::Needs(first))
    }
}

/// Looks at everything.
pub async fn examine(patient: &Patient) -> Vec<Finding> {
    let mut findings = place::examine(&patient.data_dir);
    let (own, more) = own::examine(&patient.data_dir);
    findings.extend(more);
    findings.extend(network::examine(patient, &own).await);
    findings.push(match patient.proxies.as_slice() {
        [] => Finding::new(Check::Proxy, Status::Ok, Found::NoProxy),
        set => Finding::new(Check::Proxy, Status::Warning, Found::Proxy(set.to_vec())),
    });
    findings.extend(own.queue());
    findings
}
