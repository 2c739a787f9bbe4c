//! Registrations and departures as jobs of the store: what is known is read, decided and written in one savepoint.
//! Memory follows after the commit; that is the directory's affair.

use std::time::Duration;

use jiff::Timestamp;
use protocol::directory::PeerRecord;
use rusqlite::{Connection, Result};

use super::claims::{self, Claim, Retention};
use super::clock::Moment;
use super::decision::{Arrival, Decision, Known, Refusal, Request, Step, decide};
use super::leases::{self, Listed};
use super::token::TokenHash;

/// The moment of a decision, on both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) running: Moment,
    /// In whole milliseconds, as it is stored.
    pub(super) wall: Timestamp,
}

/// What a registration became.
#[derive(Debug, Clone)]
pub(super) struct Admitted {
    pub(super) listed: Listed,
    pub(super) arrival: Arrival,
}

/// What a departure gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// The lease; the name stays claimed.
    Lease,
    /// The claim too.
    Claim,
}

/// Decides a registration and writes what it means. `remembered` is when the name's lease ends as memory has it.
pub(super) fn register(
    conn: &Connection,
    request: &Request,
    remembered: Option<Moment>,
    now: Now,
    (ttl, retention): (Duration, Retention),
) -> Result<Result<Admitted, Refusal>> {
    let lapsed = |claim: &Claim| claim.has_lapsed(retention, now.wall);
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
    match decide(known, request, now.wall) {
        Ok(decision) => write(conn, request, &decision, now.running.after(ttl)).map(Ok),
        Err(refusal) => Ok(Err(refusal)),
    }
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
    Ok(Admitted { listed: Listed { record, token: request.token, ends }, arrival: decision.arrival })
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
mod tests {
    use super::super::restart::empty;
    use super::*;

    const TTL: Duration = Duration::from_mins(1);
    const RETENTION: Retention =
        Retention { keyed: Duration::from_hours(2), unkeyed: Duration::from_hours(1) };

    struct Table {
        conn: Connection,
        now: Now,
    }

    fn token(of: char) -> TokenHash {
        TokenHash::of(of.to_string().repeat(40).as_bytes()).unwrap()
    }

    impl Table {
        fn new() -> Self {
            let conn = empty();
            Self { conn, now: Now { running: Moment::from_sql(0), wall: Timestamp::UNIX_EPOCH } }
        }

        fn register(&self, name: &str, with: char, keyed: bool) -> Result<Admitted, Refusal> {
            let request = Request {
                name: name.parse().unwrap(),
                address: "http://192.0.2.7:1".parse().unwrap(),
                fingerprint: keyed.then_some(protocol::Fingerprint::from_bytes([7; 32])),
                token: token(with),
                fresh: false,
            };
            register(&self.conn, &request, None, self.now, (TTL, RETENTION)).unwrap()
        }

        fn leave(&self, with: char, parting: Parting) -> Option<String> {
            leave(&self.conn, &token(with), parting, self.now, RETENTION).unwrap()
        }

        fn wait(&mut self, minutes: u64) {
            self.now.wall += Duration::from_mins(minutes);
        }
    }

    #[test]
    fn a_name_is_free_when_its_retention_is_over() {
        let mut table = Table::new();
        table.register("ana", 'a', false).unwrap();
        table.register("rui", 'r', true).unwrap();
        assert_eq!(table.leave('a', Parting::Lease).as_deref(), Some("ana"));
        assert_eq!(table.leave('r', Parting::Lease).as_deref(), Some("rui"));
        table.wait(59);
        // Offline already: its retention goes on from when it was online.
        table.leave('a', Parting::Lease);
        assert_eq!(table.register("ana", 'x', false).unwrap_err(), Refusal::NameTaken);
        table.wait(1);
        assert_eq!(table.leave('a', Parting::Lease), None);
        assert_eq!(table.register("ana", 'x', false).unwrap().arrival, Arrival::Joined);
        assert_eq!(table.register("rui", 'x', true).unwrap_err(), Refusal::NameTaken);
        table.wait(60);
        assert_eq!(table.register("rui", 'y', true).unwrap().arrival, Arrival::Joined);
    }

    #[test]
    fn who_is_online_has_no_retention_to_fear() {
        let mut table = Table::new();
        table.register("ana", 'a', false).unwrap();
        table.leave('a', Parting::Lease);
        table.register("ana", 'a', false).unwrap();
        table.wait(1000);
        assert_eq!(table.register("ana", 'x', false).unwrap_err(), Refusal::NameTaken);
        assert_eq!(claims::forget_lapsed(&table.conn, RETENTION, table.now.wall), Ok(0));
    }

    #[test]
    fn the_token_of_a_name_that_is_free_again_may_claim_another() {
        let mut table = Table::new();
        table.register("ana", 'a', false).unwrap();
        table.leave('a', Parting::Lease);
        assert_eq!(table.register("rui", 'a', false).unwrap_err(), Refusal::TokenInUse("ana".into()));
        table.wait(60);
        table.register("rui", 'a', false).unwrap();
        assert_eq!(claims::by_name(&table.conn, "ana"), Ok(None));
    }

    #[test]
    fn names_are_freed_by_their_own_retention() {
        let mut table = Table::new();
        for (name, with, keyed) in [("ana", 'a', false), ("rui", 'r', true)] {
            table.register(name, with, keyed).unwrap();
            table.leave(with, Parting::Lease);
        }
        for (minutes, freed) in [(59, 0), (1, 1), (59, 0), (1, 1)] {
            table.wait(minutes);
            assert_eq!(claims::forget_lapsed(&table.conn, RETENTION, table.now.wall), Ok(freed));
        }
    }

    #[test]
    fn a_renewal_that_only_memory_knows_keeps_the_name_online() {
        let mut table = Table::new();
        let Listed { record, token, ends } = table.register("ana", 'a', false).unwrap().listed;
        let PeerRecord { name, address, fingerprint, .. } = record;
        let fresh = Request { name, address, fingerprint, token, fresh: true };
        table.now.running = ends;
        let later = ends.after(TTL);
        for (remembered, arrival) in [(Some(later), Arrival::Stayed), (Some(ends), Arrival::Joined)] {
            table.conn.execute_batch("SAVEPOINT before").unwrap();
            let known = (TTL, RETENTION);
            let admitted = register(&table.conn, &fresh, remembered, table.now, known).unwrap();
            assert_eq!(admitted.unwrap().arrival, arrival);
            table.conn.execute_batch("ROLLBACK TO before").unwrap();
        }
    }

    #[test]
    fn forgetting_takes_the_lease_along() {
        let table = Table::new();
        table.register("ana", 'a', false).unwrap();
        table.leave('a', Parting::Claim);
        assert_eq!(leases::all(&table.conn).unwrap(), []);
        assert_eq!(table.leave('a', Parting::Claim), None);
    }
}
