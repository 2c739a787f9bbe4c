//! Registrations and departures as jobs of the store: what is known is read, decided and written in one savepoint.
//! Memory follows after the commit; that is the directory's affair.

use std::time::Duration;

use jiff::Timestamp;
use protocol::directory::PeerRecord;
use rusqlite::{Connection, Result};

use super::claims::{self, Claim, Retention};
use super::clock::Moment;
use super::decision::{Arrival, Decision, Gate, Invitation, Known, Refusal, Request, Step, admit, decide};
use super::invites;
use super::leases::{self, Listed};
use super::token::TokenHash;

/// The moment of a decision, on both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) running: Moment,
    /// In whole milliseconds, as it is stored.
    pub(super) wall: Timestamp,
}

/// What a directory was told about registrations when it started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) ttl: Duration,
    pub(super) retention: Retention,
    /// A new claim needs an invite.
    pub(super) private: bool,
    /// Claims at most.
    pub(super) max_names: u32,
}

/// What a registration became.
#[derive(Debug, Clone)]
pub(super) struct Admitted {
    pub(super) listed: Listed,
    pub(super) arrival: Arrival,
    /// The peer said that it had just started, which is news even if nothing else is.
    pub(super) fresh: bool,
    /// The name was nobody's.
    pub(super) claimed: bool,
}

/// What a departure gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// The lease; the name stays claimed.
    Lease,
    /// The claim too.
    Claim,
}

/// Decides a registration and writes what it means. `remembered` is when the name's lease ends as memory has it;
/// `turn` is asked once if a new claim is made, and says how long it has to wait.
pub(super) fn register(
    conn: &Connection,
    request: &Request,
    remembered: Option<Moment>,
    now: Now,
    rules: &Rules,
    turn: impl FnOnce() -> std::result::Result<(), Duration>,
) -> Result<Result<Admitted, Refusal>> {
    let lapsed = |claim: &Claim| claim.has_lapsed(rules.retention, now.wall);
    let mut claim = claims::by_name(conn, request.name.as_str())?;
    if claim.as_ref().is_some_and(lapsed) {
        claims::forget(conn, request.name.as_str())?;
        claim = None;
    }
    let mut held = None;
    if claim.is_none()
        && let Some((name, other)) = claims::by_token(conn, &request.token)?
    {
        if lapsed(&other) {
            claims::forget(conn, &name)?;
        } else {
            held = Some(name);
        }
    }
    let written = leases::by_name(conn, &request.name)?;
    let online_since = written
        .filter(|lease| lease.ends.max(remembered.unwrap_or(lease.ends)) > now.running)
        .map(|lease| lease.online_since);
    let known = Known { claim: claim.as_ref(), held: held.as_deref(), online_since };
    let decision = match decide(known, request, now.wall) {
        Ok(decision) => decision,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if decision.claim == Step::Add
        && let Err(refusal) = enter(conn, request, now.wall, rules, turn().err())?
    {
        return Ok(Err(refusal));
    }
    write(conn, request, &decision, now.running.after(rules.ttl)).map(Ok)
}

/// Lets a new claim in, and counts the use of its invite where one is needed.
fn enter(
    conn: &Connection,
    request: &Request,
    now: Timestamp,
    rules: &Rules,
    wait: Option<Duration>,
) -> Result<Result<(), Refusal>> {
    let invitation = match &request.invite {
        _ if !rules.private => Invitation::NotNeeded,
        None => Invitation::Missing,
        Some(invite) if invites::is_good(conn, invite, now)? => Invitation::Good,
        Some(_) => Invitation::Bad,
    };
    if let Err(refusal) = admit(Gate { wait, invitation, full: is_full(conn, now, rules)? }) {
        return Ok(Err(refusal));
    }
    if let (Invitation::Good, Some(invite)) = (invitation, &request.invite) {
        invites::spend(conn, invite)?;
    }
    Ok(Ok(()))
}

/// Whether there is no room, not even in the place of claims that have lapsed.
fn is_full(conn: &Connection, now: Timestamp, rules: &Rules) -> Result<bool> {
    let max = u64::from(rules.max_names);
    if claims::count(conn)? < max {
        return Ok(false);
    }
    claims::forget_lapsed(conn, rules.retention, now)?;
    Ok(claims::count(conn)? >= max)
}

fn write(conn: &Connection, request: &Request, decision: &Decision, ends: Moment) -> Result<Admitted> {
    match &decision.claim {
        Step::Add => claims::add(conn, &request.name, &request.token, decision.fingerprint.as_ref())?,
        Step::GainFingerprint(fingerprint) => claims::gain_fingerprint(conn, &request.name, fingerprint)?,
        Step::Keep => {}
    }
    if decision.claim != Step::Add && decision.arrival == Arrival::Joined {
        claims::came_online(conn, &request.name)?;
    }
    let record = PeerRecord {
        name: request.name.clone(),
        address: request.address.clone(),
        fingerprint: decision.fingerprint,
        online_since: decision.online_since,
    };
    leases::put(conn, &record, ends)?;
    let listed = Listed { record, token: request.token, ends };
    let (arrival, claimed) = (decision.arrival, decision.claim == Step::Add);
    Ok(Admitted { listed, arrival, fresh: request.fresh, claimed })
}

/// Takes the token's name offline and says which it was; `None` if the token holds none.
pub(super) fn leave(
    conn: &Connection,
    token: &TokenHash,
    parting: Parting,
    now: Now,
    retention: Retention,
) -> Result<Option<String>> {
    let Some((name, claim)) = claims::by_token(conn, token)? else { return Ok(None) };
    let lapsed = claim.has_lapsed(retention, now.wall);
    if lapsed || parting == Parting::Claim {
        claims::forget(conn, &name)?;
    } else {
        leases::give_up(conn, &name)?;
        claims::went_offline(conn, &name, now.wall)?;
    }
    Ok(Some(name).filter(|_| !lapsed))
}

#[cfg(test)]
mod tests;
