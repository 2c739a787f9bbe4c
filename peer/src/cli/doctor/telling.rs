//! What the doctor found, in words: what is so, and what to do about it.

use std::path::Path;

use protocol::Slug;

use super::super::faults::Told as _;
use super::super::language::{reasons, tr};
use super::super::untrusted::{Untrusted, shortened};
use crate::conversations::Waiting;
use crate::directory::DirectoryError;
use crate::doctor::{Check, Finding, Found, Status};

/// A finding in words.
pub struct Told {
    pub check: Check,
    pub status: Status,
    pub detail: String,
    pub advice: Option<String>,
}

impl Told {
    pub fn new(check: Check, status: Status, detail: String) -> Self {
        Self { check, status, detail, advice: None }
    }
}

/// What a check is called by programs.
pub fn name(check: Check) -> &'static str {
    match check {
        Check::DataDirectory => "data-directory",
        Check::Disk => "disk",
        Check::Files => "files",
        Check::Key => "key",
        Check::Tokens => "tokens",
        Check::Config => "config",
        Check::Database => "database",
        Check::Name => "name",
        Check::Daemon => "daemon",
        Check::Port => "port",
        Check::Directory => "directory",
        Check::Listed => "listed",
        Check::Reachable => "reachable",
        Check::Clock => "clock",
        Check::Proxy => "proxy",
        Check::Queue => "queue",
    }
}

/// What a check is called by people.
pub fn title(check: Check) -> String {
    match check {
        Check::DataDirectory => tr!("doctor-data-directory"),
        Check::Disk => tr!("doctor-disk"),
        Check::Files => tr!("doctor-files"),
        Check::Key => tr!("doctor-key"),
        Check::Tokens => tr!("doctor-tokens"),
        Check::Config => tr!("doctor-settings"),
        Check::Database => tr!("doctor-database"),
        Check::Name => tr!("doctor-name"),
        Check::Daemon => tr!("doctor-daemon"),
        Check::Port => tr!("doctor-port"),
        Check::Directory => tr!("doctor-directory"),
        Check::Listed => tr!("doctor-listed"),
        Check::Reachable => tr!("doctor-reachable"),
        Check::Clock => tr!("doctor-clock"),
        Check::Proxy => tr!("doctor-proxy"),
        Check::Queue => tr!("doctor-queue"),
    }
}

/// A finding in words.
pub fn tell(finding: &Finding) -> Told {
    let (detail, advice) = match &finding.found {
        Found::NoDataDirectory(_)
        | Found::NotADirectory(_)
        | Found::Unreadable(..)
        | Found::SomebodyElses { .. }
        | Found::Unwritable(_)
        | Found::OpenToOthers { .. }
        | Found::DataDirectory(_)
        | Found::FileOpenToOthers { .. }
        | Found::FilesAreItsOwners
        | Found::Free(_)
        | Found::FreeUnknown(_) => place(&finding.found, finding.status),
        Found::Runs(_)
        | Found::OtherVersion { .. }
        | Found::Delivers(_)
        | Found::RunsNot
        | Found::PortFree(_)
        | Found::PortTaken { .. }
        | Found::PortHeld(_)
        | Found::Answers(_)
        | Found::AnswersHereOnly(_)
        | Found::AnswersNot { .. }
        | Found::AnotherAnswers { .. } => running(&finding.found),
        Found::NoDirectory
        | Found::Directory { .. }
        | Found::DirectoryExposed(_)
        | Found::DirectoryAway(_)
        | Found::Listed(_)
        | Found::ListedElsewhere { .. }
        | Found::ListedNot
        | Found::Unclaimed(_)
        | Found::ClaimedByAnother { .. }
        | Found::LookupFailed(_) => directory(&finding.found),
        other => own(other),
    };
    Told { check: finding.check, status: finding.status, detail, advice }
}

type Words = (String, Option<String>);

fn only(detail: String) -> Words {
    (detail, None)
}

fn shown(path: &Path) -> String {
    Untrusted(&path.to_string_lossy()).to_string()
}

fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

fn place(found: &Found, status: Status) -> Words {
    match found {
        Found::NoDataDirectory(path) => {
            (tr!("doctor-no-data-directory", path = shown(path)), Some(tr!("doctor-first-start")))
        }
        Found::NotADirectory(path) => {
            (tr!("doctor-not-a-directory", path = shown(path)), Some(tr!("doctor-another-data-dir")))
        }
        Found::Unreadable(path, error) => {
            (tr!("doctor-unreadable", path = shown(path), why = error), Some(tr!("doctor-another-data-dir")))
        }
        Found::SomebodyElses { path, owner } => (
            tr!("doctor-somebody-elses", path = shown(path), owner = owner.to_string()),
            Some(tr!("doctor-give-back", path = shown(path))),
        ),
        Found::Unwritable(path) => {
            (tr!("doctor-unwritable", path = shown(path)), Some(tr!("doctor-another-data-dir")))
        }
        Found::OpenToOthers { path, mode } => (
            if status == Status::Failed {
                tr!("doctor-others-write", path = shown(path), mode = octal(*mode))
            } else {
                tr!("doctor-others-enter", path = shown(path), mode = octal(*mode))
            },
            Some(tr!("doctor-close-directory", path = shown(path))),
        ),
        Found::DataDirectory(path) => only(shown(path)),
        Found::FileOpenToOthers { path, mode } => (
            tr!("doctor-file-open", path = shown(path), mode = octal(*mode)),
            Some(tr!("doctor-close-file", path = shown(path))),
        ),
        Found::Free(free) => (
            tr!("doctor-free", free = mebibytes(*free)),
            (status != Status::Ok).then(|| tr!("doctor-make-room")),
        ),
        Found::FreeUnknown(error) => only(tr!("doctor-free-unknown", why = error)),
        _ => only(tr!("doctor-files-private")),
    }
}

fn mebibytes(bytes: u64) -> String {
    match bytes >> 20 {
        mebibytes @ ..10_240 => format!("{mebibytes} MiB"),
        mebibytes => format!("{} GiB", mebibytes >> 10),
    }
}

fn own(found: &Found) -> Words {
    match found {
        Found::Key(fingerprint) => only(fingerprint.to_string()),
        Found::NoKey => only(tr!("doctor-no-key")),
        Found::LostKey => (tr!("doctor-lost-key"), Some(tr!("doctor-restore-key"))),
        Found::BadKey(error) => only(error.told()),
        Found::Tokens(claims) => only(tr!("doctor-claims", claims = *claims)),
        Found::BadTokens(error) => only(tr!("faults-tokens", why = error)),
        Found::Sound => only(tr!("doctor-sound")),
        Found::NoDatabase => only(tr!("doctor-no-database")),
        Found::OldDatabase => (tr!("doctor-old-database"), Some(tr!("doctor-update-database"))),
        Found::ClosedDatabase(error) => only(error.told()),
        Found::BadDatabase(error) => (error.told(), Some(tr!("doctor-restore-database"))),
        Found::Named(name) => only(name.to_string()),
        Found::Nameless => (tr!("faults-nameless"), Some(tr!("doctor-first-start"))),
        Found::Clock => only(tr!("doctor-clock-right")),
        Found::ClockApart { seconds, is_ahead: true } => {
            (tr!("doctor-clock-ahead", seconds = *seconds), Some(tr!("doctor-set-clock")))
        }
        Found::ClockApart { seconds, is_ahead: false } => {
            (tr!("doctor-clock-behind", seconds = *seconds), Some(tr!("doctor-set-clock")))
        }
        Found::MessagesOfTheFuture(at) => (tr!("doctor-future", at = at), Some(tr!("doctor-set-clock"))),
        Found::NoProxy => only(tr!("doctor-no-proxy")),
        Found::Proxy(set) => {
            (tr!("doctor-proxies", variables = set.join(", ")), Some(tr!("doctor-no-proxy-used")))
        }
        Found::NothingWaits => only(tr!("doctor-nothing-waits")),
        Found::Waits(waiting) => waits(waiting),
        Found::Needs(first) => only(tr!("doctor-needs", first = title(*first))),
        _ => only(String::new()),
    }
}

fn waits(Waiting { to, messages, reason, next_try }: &Waiting) -> Words {
    let to = shortened(to);
    let detail = if let Some(reason) = reason {
        let reason = shortened(&reasons::of_message(&to, reason));
        tr!("doctor-waits-since", to = to, count = *messages, reason = reason)
    } else {
        tr!("doctor-waits", to = to, count = *messages)
    };
    let advice = if let Some(key) = reason.as_deref().and_then(reasons::other_key) {
        tr!("doctor-other-key", name = to, key = shortened(key))
    } else if reason.as_deref().is_some_and(reasons::is_no_answer) {
        tr!("doctor-no-answer")
    } else if let Some(at) = next_try {
        let seconds = at.as_second().saturating_sub(crate::now().as_second()).max(0);
        tr!("doctor-next-try", seconds = seconds)
    } else {
        tr!("doctor-deliver")
    };
    (detail, Some(advice))
}

fn running(found: &Found) -> Words {
    match found {
        Found::Runs(pid) => only(tr!("doctor-runs", pid = pid.to_string())),
        Found::OtherVersion { pid, version } => (
            tr!(
                "doctor-other-version",
                pid = pid.to_string(),
                version = shortened(version),
                own = env!("CARGO_PKG_VERSION")
            ),
            Some(tr!("doctor-restart")),
        ),
        Found::Delivers(pid) => (tr!("doctor-delivers", pid = pid.to_string()), Some(tr!("doctor-start"))),
        Found::RunsNot => (tr!("doctor-runs-not"), Some(tr!("doctor-start"))),
        Found::PortFree(port) => only(tr!("doctor-port-free", port = port.to_string())),
        Found::PortTaken { port, next } => (
            tr!("doctor-port-taken", port = port.to_string()),
            Some(if let Some(next) = next {
                tr!("doctor-next-port", next = next.to_string())
            } else {
                tr!("doctor-no-port")
            }),
        ),
        Found::PortHeld(port) => only(tr!("doctor-port-held", port = port.to_string())),
        Found::Answers(address) => only(tr!("doctor-answers", address = address)),
        Found::AnswersHereOnly(address) => {
            (tr!("doctor-answers-here", address = address), Some(tr!("doctor-listen")))
        }
        Found::AnswersNot { address, why } => (
            tr!("doctor-answers-not", address = address, why = shortened(&reasons::translated(why))),
            Some(tr!("doctor-open-way", port = address.port().to_string())),
        ),
        Found::AnotherAnswers { address, presented } => (
            tr!("doctor-another-answers", address = address, presented = presented),
            Some(tr!("doctor-advertise")),
        ),
        _ => only(String::new()),
    }
}

fn directory(found: &Found) -> Words {
    match found {
        Found::NoDirectory => only(tr!("doctor-no-directory")),
        Found::Directory { url, version: Some(version) } if version != env!("CARGO_PKG_VERSION") => (
            tr!(
                "doctor-directory-version",
                url = url,
                version = shortened(version),
                own = env!("CARGO_PKG_VERSION")
            ),
            Some(tr!("doctor-update")),
        ),
        Found::Directory { url, .. } => only(tr!("doctor-directory-answers", url = url)),
        Found::DirectoryExposed(url) => (tr!("doctor-exposed", url = url), Some(tr!("doctor-use-tls"))),
        Found::DirectoryAway(error) => (error.told(), Some(tr!("doctor-start-directory"))),
        Found::Listed(address) => only(tr!("doctor-listed-at", address = address)),
        Found::ListedElsewhere { listed, own } => {
            let own = own.as_ref().map_or_else(|| tr!("doctor-none"), ToString::to_string);
            (tr!("doctor-listed-elsewhere", listed = listed, own = own), Some(tr!("doctor-restart-or-copy")))
        }
        Found::ListedNot => (tr!("doctor-listed-not"), Some(tr!("doctor-see-log"))),
        Found::Unclaimed(name) => (tr!("doctor-unclaimed", name = name), Some(tr!("doctor-claim"))),
        Found::ClaimedByAnother { name, key } => {
            let key = key.map_or_else(|| tr!("doctor-none"), |key| key.to_string());
            (tr!("doctor-claimed", name = name, key = key), Some(tr!("doctor-release", name = name)))
        }
        Found::LookupFailed(DirectoryError::Refused { slug: Slug::TokenUnknown, .. }) => {
            (tr!("exit-private"), Some(tr!("exit-private-hint")))
        }
        Found::LookupFailed(error) => only(error.told()),
        _ => only(String::new()),
    }
}
