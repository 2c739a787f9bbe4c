//! How a directory comes up: its database opened and, before anybody is answered, each lease given what it is due.

use std::io;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use store::{Schema, Store};
use tokio::sync::{Notify, Semaphore, watch};

use super::claimants::Claimants;
use super::claims::Retention;
use super::clock::Clock;
use super::events::{EventLimits, Events};
use super::online::Online;
use super::registration::Rules;
use super::shelf::Shelf;
use super::{Directory, Failure, Shared, alone, restart};

pub(super) const SCHEMA: Schema = Schema {
    // "RCDd": Recado, the directory.
    application_id: 0x5243_4464,
    migrations: &[
        include_str!("../../../migrations/server/0001_claims.sql"),
        include_str!("../../../migrations/server/0002_starts.sql"),
        include_str!("../../../migrations/server/0003_invites.sql"),
    ],
};

/// Lookups in the database at the same time: as many as the store keeps connections for.
const LOOKUPS: usize = 4;

/// What a directory is told when it starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database. Directories on its way that are missing are made, for their owner alone.
    pub database: PathBuf,
    /// How long a lease lasts.
    pub ttl: Duration,
    /// How long a claim outlives its last lease.
    pub retention: Retention,
    /// A new claim needs an invite, and reading needs the token of a claim.
    pub private: bool,
    /// Claims at most.
    pub max_names: u32,
    /// New claims a minute from one network, loopback aside.
    pub max_claims_per_source: NonZeroU32,
    /// How many may read events, and how far behind.
    pub events: EventLimits,
}

/// Why a directory does not come up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The way to the database, or the lock beside it, cannot be made.
    #[error("cannot write beside the database {}: {source}; choose another with --db", path.display())]
    Path {
        /// The database.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no database, and none is to be made.
    #[error("there is no database {}; name the one that the directory runs on with --db", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Another directory runs on the same database.
    #[error("another directory uses the database {}; stop that one, or choose another with --db", path.display())]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// It is of an earlier version, and was only to be looked at.
    #[error("the database {} is of an earlier version; start the directory on it once, which brings it up to date", path.display())]
    Older {
        /// The database.
        path: PathBuf,
    },
    /// It is of an earlier version, and a directory of that version runs on it.
    #[error("the directory that runs on {} is of an earlier version; stop it and start the new one first", path.display())]
    OlderRuns {
        /// The database.
        path: PathBuf,
    },
    /// The database was refused.
    #[error(transparent)]
    Store(#[from] store::OpenError),
    /// The leases could not be read, or their grace not be written.
    #[error("cannot start from the database {}: {source}; make room on the disk, or choose another with --db", path.display())]
    Resume {
        /// The database.
        path: PathBuf,
        /// What went wrong.
        source: Failure,
    },
}

impl Options {
    /// The defaults, on this database.
    #[must_use]
    pub fn new(database: impl Into<PathBuf>) -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self {
            database: database.into(),
            ttl: Duration::from_mins(1),
            retention: Retention { keyed: DAY * 90, unkeyed: DAY },
            private: false,
            max_names: 100_000,
            max_claims_per_source: NonZeroU32::MIN.saturating_add(59),
            events: EventLimits { behind: NonZeroUsize::MIN.saturating_add(999), streams: 1000 },
        }
    }
}

impl Directory {
    /// Opens the database and takes up the leases where the last run left them.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        let path = options.database.clone();
        let opened = tokio::task::spawn_blocking(move || open(&path)).await;
        let (alone, store) = opened.map_err(|error| OpenError::Path {
            path: options.database.clone(),
            source: io::Error::other(error),
        })??;
        let ttl = options.ttl;
        let resumed = store.write(move |conn| restart::resume(conn, Timestamp::now(), ttl)).await;
        let resumed = resumed
            .map_err(|source| OpenError::Resume { path: options.database.clone(), source: source.into() })?;
        tracing::info!(run = resumed.run, listed = resumed.listed.len(), "leases taken up");
        let clock = Clock::starting(resumed.began);
        let (graced_until, releases) = (resumed.graced_until(), resumed.releases);
        let events = Events::of_run(resumed.run, options.events);
        let mut online = Online::new(events.clone());
        for listed in resumed.listed {
            online.take_up(listed);
        }
        let shared = Shared {
            clock,
            rules: Rules {
                ttl,
                retention: options.retention,
                private: options.private,
                max_names: options.max_names,
            },
            claimants: Mutex::new(Claimants::new(options.max_claims_per_source)),
            graced_until,
            releases,
            shelf: Arc::new(Shelf::new(&online)),
            events,
            online: Mutex::new(online),
            gone: watch::Sender::new(()),
            joined: Notify::new(),
            unwritten: Notify::new(),
            lookups: Arc::new(Semaphore::new(LOOKUPS)),
            alone: Mutex::new(Some(alone)),
        };
        Ok(Self { store, shared: Arc::new(shared) })
    }
}

fn open(path: &Path) -> Result<(alone::Alone, Store), OpenError> {
    make_way(path)?;
    let alone = alone::claim(path).map_err(|source| OpenError::Path { path: path.to_owned(), source })?;
    let alone = alone.ok_or_else(|| OpenError::InUse { path: path.to_owned() })?;
    Ok((alone, Store::open(path, &SCHEMA)?))
}

/// Makes the directories on the way to the database, for their owner alone.
pub(super) fn make_way(path: &Path) -> Result<(), OpenError> {
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(parent).map_err(|source| OpenError::Path { path: path.to_owned(), source })
}
