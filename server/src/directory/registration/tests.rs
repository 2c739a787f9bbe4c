//! Registrations and departures over a table in memory: what each becomes, and what it leaves in the table.

use std::num::NonZeroU32;

use proptest::prelude::*;

use super::super::invites::InviteHash;
use super::super::restart::empty;
use super::*;

const TTL: Duration = Duration::from_mins(1);
const RETENTION: Retention = Retention { keyed: Duration::from_hours(2), unkeyed: Duration::from_hours(1) };

const RULES: Rules = Rules { ttl: TTL, retention: RETENTION, private: false, max_names: 100 };

struct Table {
    conn: Connection,
    now: Now,
    rules: Rules,
}

fn token(of: char) -> TokenHash {
    TokenHash::of(of.to_string().repeat(40).as_bytes()).unwrap()
}

impl Table {
    fn new() -> Self {
        let conn = empty();
        Self { conn, now: Now { running: Moment::from_sql(0), wall: Timestamp::UNIX_EPOCH }, rules: RULES }
    }

    fn register(&self, name: &str, with: char, keyed: bool) -> Result<Admitted, Refusal> {
        let request = Self::request(name, with, keyed);
        register(&self.conn, &request, None, self.now, &self.rules, || Ok(())).unwrap()
    }

    fn claim(&self, name: &str, with: char, invite: Option<&str>) -> Result<Arrival, Refusal> {
        let request = Request { invite: invite.map(InviteHash::of), ..Self::request(name, with, false) };
        let decided = register(&self.conn, &request, None, self.now, &self.rules, || Ok(()));
        decided.unwrap().map(|admitted| admitted.arrival)
    }

    fn invite(&self, code: &str, uses: u32, minutes: u64) {
        let expiry = self.now.wall + Duration::from_mins(minutes);
        invites::add(&self.conn, &InviteHash::of(code), NonZeroU32::new(uses).unwrap(), expiry).unwrap();
    }

    fn request(name: &str, with: char, keyed: bool) -> Request {
        Request {
            name: name.parse().unwrap(),
            address: "http://192.0.2.7:1".parse().unwrap(),
            fingerprint: keyed.then_some(protocol::Fingerprint::from_bytes([7; 32])),
            token: token(with),
            fresh: false,
            invite: None,
            network: None,
        }
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
    let fresh = Request { name, address, fingerprint, token, fresh: true, invite: None, network: None };
    table.now.running = ends;
    let later = ends.after(TTL);
    for (remembered, arrival) in [(Some(later), Arrival::Stayed), (Some(ends), Arrival::Joined)] {
        table.conn.execute_batch("SAVEPOINT before").unwrap();
        let admitted = register(&table.conn, &fresh, remembered, table.now, &RULES, || Ok(())).unwrap();
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

#[test]
fn only_a_new_claim_on_a_private_directory_needs_an_invite() {
    let mut table = Table::new();
    table.invite("code", 1, 10);
    assert_eq!(table.claim("ana", 'a', Some("code")), Ok(Arrival::Joined));
    table.rules.private = true;
    let refused = |invitation| Err(Refusal::InviteRequired(invitation));
    assert_eq!(table.claim("rui", 'r', None), refused(Invitation::Missing));
    assert_eq!(table.claim("rui", 'r', Some("other")), refused(Invitation::Bad));
    assert_eq!(table.claim("ana", 'a', None), Ok(Arrival::Stayed));
    table.leave('a', Parting::Lease);
    assert_eq!(table.claim("ana", 'a', None), Ok(Arrival::Joined), "the claim is kept");
    assert_eq!(table.claim("ana", 'x', Some("code")), Err(Refusal::NameTaken));
    assert_eq!(table.claim("rui", 'a', Some("code")), Err(Refusal::TokenInUse("ana".into())));
    table.wait(10);
    assert_eq!(table.claim("rui", 'r', Some("code")), refused(Invitation::Bad), "expired");
    table.now.wall -= Duration::from_secs(1);
    assert_eq!(table.claim("rui", 'r', Some("code")), Ok(Arrival::Joined), "an open directory spent none");
    assert_eq!(table.claim("zeca", 'z', Some("code")), refused(Invitation::Bad), "used up");
}

#[test]
fn a_full_directory_takes_who_is_there_and_who_takes_the_place_of_a_lapsed_claim() {
    let mut table = Table::new();
    table.rules = Rules { private: true, max_names: 2, ..RULES };
    table.invite("code", 3, 1000);
    for (name, with) in [("ana", 'a'), ("rui", 'r')] {
        assert_eq!(table.claim(name, with, Some("code")), Ok(Arrival::Joined));
    }
    assert_eq!(table.claim("zeca", 'z', Some("bad")), Err(Refusal::InviteRequired(Invitation::Bad)));
    assert_eq!(table.claim("zeca", 'z', Some("code")), Err(Refusal::DirectoryFull));
    assert_eq!(table.claim("ana", 'a', None), Ok(Arrival::Stayed));
    table.leave('r', Parting::Lease);
    assert_eq!(table.claim("rui", 'r', None), Ok(Arrival::Joined));
    table.leave('r', Parting::Lease);
    table.wait(59);
    assert_eq!(table.claim("zeca", 'z', Some("code")), Err(Refusal::DirectoryFull));
    table.wait(1);
    assert_eq!(table.claim("zeca", 'z', Some("code")), Ok(Arrival::Joined), "refusals spent nothing");
    assert_eq!(claims::count(&table.conn), Ok(2));
}

#[test]
fn a_network_that_has_to_wait_is_told_so_before_its_code_is_looked_at() {
    let mut table = Table::new();
    table.rules.private = true;
    table.invite("code", 1, 10);
    let wait = Duration::from_secs(7);
    for code in ["code", "guess"] {
        let invite = Some(InviteHash::of(code));
        let request = Request { invite, ..Table::request("ana", 'a', false) };
        let decided = register(&table.conn, &request, None, table.now, &table.rules, || Err(wait));
        assert_eq!(decided.unwrap().err(), Some(Refusal::TooManyClaims(wait)));
    }
    assert_eq!(table.claim("ana", 'a', Some("code")), Ok(Arrival::Joined));
    let request = Table::request("ana", 'a', false);
    let asked = || -> std::result::Result<(), Duration> { panic!("a renewal waits for nobody") };
    register(&table.conn, &request, None, table.now, &table.rules, asked).unwrap().unwrap();
}

proptest! {
    #[test]
    fn the_tally_counts_what_the_table_holds(
        events in proptest::collection::vec((0..4_u8, 0..4_u8, 0..4_u8), 1..60),
    ) {
        let mut table = Table::new();
        for (what, name, with) in events {
            let (name, with) = (format!("n{name}"), char::from(b'a' + with));
            match what {
                0 => drop(table.claim(&name, with, None)),
                1 => drop(table.leave(with, Parting::Lease)),
                2 => drop(table.leave(with, Parting::Claim)),
                _ => table.wait(31),
            }
            claims::release(&table.conn, &"n3".parse().unwrap()).unwrap();
            claims::forget_lapsed(&table.conn, RETENTION, table.now.wall).unwrap();
            let held: u64 =
                table.conn.query_row("SELECT count(*) FROM claims", [], |row| row.get(0)).unwrap();
            prop_assert_eq!(claims::count(&table.conn), Ok(held));
        }
    }
}
