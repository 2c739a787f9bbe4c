//! Running time: milliseconds for which the directory has run, over all its restarts. Leases are counted in it, so
//! that neither the wall clock nor a stop shortens one. The table `clock` is this file's.

use std::time::{Duration, Instant};

use rusqlite::{Connection, Result, params};

/// A point in running time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

/// How often the clock is written down while a restart must not forget how late it was.
pub(super) const WRITE_EVERY: Duration = Duration::from_millis(200);

/// After an unclean stop time goes on this much after what was last written: `WRITE_EVERY` and what a commit may take.
/// So a directory that keeps crashing gives no lease more than it is due; one that had its grace may end so much early.
pub(super) const RESUME_AFTER: Duration = Duration::from_millis(250);

/// Tells the running time of this process's directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    began: Moment,
    at: Instant,
}

/// Whether what is written down is the very end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    /// The directory stopped at this moment.
    Exact,
    /// It went on after it.
    AtLeast,
}

impl Moment {
    /// This long after it; rounded up, so that nothing that is counted from here ends early.
    pub(super) fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(milliseconds(wait)).saturating_add(1))
    }

    /// How long it is until `later`; nothing if that has passed.
    pub(super) fn until(self, later: Self) -> Duration {
        Duration::from_millis(later.0.saturating_sub(self.0))
    }

    pub(super) fn from_sql(milliseconds: i64) -> Self {
        Self(u64::try_from(milliseconds).unwrap_or(0))
    }

    pub(super) fn to_sql(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

impl Clock {
    pub(super) fn starting(began: Moment) -> Self {
        Self { began, at: Instant::now() }
    }

    pub(super) fn now(&self) -> Moment {
        Moment(self.began.0.saturating_add(milliseconds(self.at.elapsed())))
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Where running time goes on after the last run, however that ended.
pub(super) fn resume(conn: &Connection) -> Result<Moment> {
    let (ms, exact): (i64, bool) =
        conn.query_row("SELECT ms, exact FROM clock", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let ahead = if exact { 0 } else { milliseconds(RESUME_AFTER) };
    Ok(Moment(Moment::from_sql(ms).0.saturating_add(ahead)))
}

/// Counts this start, and says how many there have been.
pub(super) fn count_start(conn: &Connection) -> Result<u32> {
    conn.query_row("UPDATE clock SET starts = starts + 1 RETURNING starts", [], |row| row.get(0))
}

pub(super) fn write(conn: &Connection, now: Moment, precision: Precision) -> Result<()> {
    conn.prepare_cached("UPDATE clock SET ms = ?1, exact = ?2")?
        .execute(params![now.to_sql(), precision == Precision::Exact])?;
    Ok(())
}
