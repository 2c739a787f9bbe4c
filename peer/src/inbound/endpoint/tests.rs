//! Who may leave a message under which name: every case there is, held against a table.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use protocol::Fingerprint;
use protocol::message::Unparsed;
use tokio::time::sleep;

use super::super::claims::{Answer as Said, Ask};
use super::super::quota::{Quota, Quotas};
use super::super::sender::Accept;
use super::*;
use crate::contacts::{Contacts, Kind, Pin, pins};
use crate::database;

mod batches;

/// The certificate shown, the name's pin, what the directory says: what becomes of the message. `*` is anything.
const TABLE: &str = "
    F     F     *            verified
    G     F     *            key-mismatch
    none  F     *            proof-required
    F     none  F            verified
    F     none  G            key-mismatch
    G     none  G            verified
    G     none  F            key-mismatch
    F     none  *            unverified
    G     none  *            unverified
    none  none  F            proof-required
    none  none  G            proof-required
    none  none  slow         directory-needed
    none  none  away         directory-needed
    none  none  unclaimed    unverified
    none  none  without-key  unverified
    none  none  unconfigured unverified
";

const F: Fingerprint = Fingerprint::from_bytes([b'F'; 32]);
const G: Fingerprint = Fingerprint::from_bytes([b'G'; 32]);

fn expected(certificate: &str, pin: &str, said: &str) -> &'static str {
    let mut rows = TABLE.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    let fits = |cell: &str, value: &str| cell == "*" || cell == value;
    let row = rows
        .find(|row| matches!(row[..], [c, p, s, _] if fits(c, certificate) && fits(p, pin) && fits(s, said)));
    row.unwrap_or_else(|| panic!("the table knows nothing of {certificate} {pin} {said}"))[3]
}

fn key(letter: &str) -> Option<Fingerprint> {
    match letter {
        "F" => Some(F),
        "G" => Some(G),
        _ => None,
    }
}

/// A directory that says this of every name, and how often it was asked.
fn directory(said: &str) -> (Claims, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let (answer, after) = match said {
        "unconfigured" => return (Claims::of(None), asked),
        "slow" => (Said::Key(F), Duration::from_millis(2_001)),
        "away" => (Said::Away, Duration::ZERO),
        "unclaimed" => (Said::Unclaimed, Duration::ZERO),
        "without-key" => (Said::WithoutKey, Duration::ZERO),
        letter => (Said::Key(key(letter).unwrap()), Duration::from_millis(1_999)),
    };
    let count = Arc::clone(&asked);
    let ask: Arc<Ask> = Arc::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            sleep(after).await;
            answer
        })
    });
    (Claims::asking(Some(ask)), asked)
}

struct World {
    _dir: tempfile::TempDir,
    store: store::Store,
    contacts: Contacts,
    inbox: Inbox,
    heard: Arc<Mutex<Vec<Name>>>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = database::open(dir.path()).unwrap();
        Self {
            _dir: dir,
            contacts: Contacts::new(store.clone()),
            inbox: Inbox::new(store.clone()),
            store,
            heard: Arc::default(),
        }
    }

    fn endpoint(&self, claims: Claims, accept: Accept) -> Endpoint {
        let terms = Terms { accept, ..Terms::default() };
        let heard = Arc::clone(&self.heard);
        let heard = Arc::new(move |name: &Name| heard.lock().unwrap().push(name.clone()));
        Endpoint { name: name("rui"), fingerprint: F, claims, inbox: self.inbox.clone(), terms, heard }
    }

    async fn pin(&self, who: &Name, letter: &str, kind: Kind) {
        let Some(key) = key(letter) else { return };
        match kind {
            Kind::Contact => drop(self.contacts.trust(who, key).await.unwrap()),
            Kind::Own => self.contacts.pin_own(who, key).await.unwrap(),
            Kind::Seen => {
                let who = who.clone();
                let now = jiff::Timestamp::UNIX_EPOCH;
                self.store.write(move |connection| pins::see(connection, &who, key, now)).await.unwrap();
            }
        }
    }

    fn kept(&self) -> u64 {
        let count = "SELECT count(*) FROM messages";
        self.store.read(|connection| connection.query_row(count, [], |row| row.get(0))).unwrap()
    }
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// What becomes of a message under a name from one who shows this certificate.
async fn leave(endpoint: &Endpoint, from: &Name, certificate: Option<Fingerprint>) -> &'static str {
    let text = serde_json::json!({"from": from, "body": "oi", "seq": 1}).to_string();
    let message = Message::try_from(serde_json::from_str::<Unparsed>(&text).unwrap()).unwrap();
    let source = Source::connected(([127, 0, 0, 1], 1).into(), &[]);
    let sender = Sender { name: from.clone(), key: certificate, source };
    match endpoint.keep(&sender, vec![message]).await.unwrap().remove(0) {
        Kept::New(receipt) if receipt.verified => "verified",
        Kept::New(_) => "unverified",
        Kept::Refused(why) => {
            let problem = refusal::of_sender(why, from, certificate);
            assert_eq!(problem.retry_after.is_some(), problem.slug.status() == 503);
            problem.slug.word()
        }
        other => panic!("{other:?}"),
    }
}

const DIRECTORIES: [&str; 7] = ["F", "G", "unclaimed", "without-key", "slow", "away", "unconfigured"];

/// How a request comes, over TLS or plain, is in none of this: there is a certificate, or there is none.
#[tokio::test(start_paused = true)]
async fn every_case_ends_as_the_table_says() {
    let world = World::new();
    let pins = [("none", None), ("F", Some(Kind::Seen)), ("F", Some(Kind::Contact)), ("F", Some(Kind::Own))];
    let mut names = 0;
    for (pinned, kind) in pins {
        for said in DIRECTORIES {
            for certificate in ["none", "F", "G"] {
                // Under the pinned name, and under another one by who may hold the pinned key.
                for is_pinned in [true, false] {
                    names += 1;
                    let (pinned_name, other) = (name(&format!("p{names}")), name(&format!("q{names}")));
                    world.pin(&pinned_name, pinned, kind.unwrap_or(Kind::Seen)).await;
                    let (who, pin) = if is_pinned { (&pinned_name, pinned) } else { (&other, "none") };
                    let case = format!("{certificate} {pin} ({kind:?}) {said}");

                    let (claims, asked) = directory(said);
                    let kept_before = world.kept();
                    let end = leave(&world.endpoint(claims, Accept::Everyone), who, key(certificate)).await;

                    assert_eq!(end, expected(certificate, pin, said), "{case}");
                    let is_kept = end.ends_with("verified");
                    assert_eq!(world.kept() - kept_before, u64::from(is_kept), "{case}");
                    let heard = std::mem::take(&mut *world.heard.lock().unwrap());
                    assert_eq!(
                        heard.iter().collect::<Vec<_>>(),
                        [who][..usize::from(end == "verified")],
                        "{case}"
                    );
                    let asks = pin == "none" && said != "unconfigured";
                    assert_eq!(asked.load(Ordering::Relaxed), usize::from(asks), "{case}");
                    let pin_after = world.contacts.pin(who).unwrap();
                    let pin_expected = match (pin, end) {
                        ("none", "verified") => key(certificate).map(|fingerprint| Pin {
                            fingerprint,
                            kind: Kind::Seen,
                            proved: true,
                        }),
                        ("none", _) => None,
                        _ => kind.map(|kind| Pin { fingerprint: F, kind, proved: true }),
                    };
                    assert_eq!(pin_after, pin_expected, "{case}");
                    let noted = world.contacts.mismatch(who).unwrap().map(|mismatch| mismatch.fingerprint);
                    let is_noted = pin != "none" && end == "key-mismatch";
                    assert_eq!(noted, key(certificate).filter(|_| is_noted), "{case}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whose_messages_are_taken_is_the_users_choice() {
    let world = World::new();
    for (who, letter, kind) in
        [("ana", "F", Kind::Seen), ("bia", "F", Kind::Contact), ("rui", "F", Kind::Own)]
    {
        world.pin(&name(who), letter, kind).await;
    }
    let (yes, no) = ("verified", "not-accepted");
    for (who, said, certificate, [everyone, verified, contacts]) in [
        ("ana", "away", "F", [yes, yes, no]),
        ("bia", "away", "F", [yes, yes, yes]),
        ("rui", "away", "F", [yes, yes, yes]),
        ("zé", "unclaimed", "F", ["unverified", no, no]),
        ("zé", "unclaimed", "none", ["unverified", no, no]),
        ("new", "F", "F", [yes, yes, no]),
        ("bia", "F", "G", ["key-mismatch"; 3]),
        ("bia", "F", "none", ["proof-required"; 3]),
        ("zé", "away", "none", ["directory-needed"; 3]),
        ("zé", "away", "F", ["unverified", "directory-needed", no]),
        ("zé", "slow", "F", ["unverified", "directory-needed", no]),
    ] {
        let endings =
            [(Accept::Contacts, contacts), (Accept::Verified, verified), (Accept::Everyone, everyone)];
        for (accept, end) in endings {
            let endpoint = world.endpoint(directory(said).0, accept);
            assert_eq!(leave(&endpoint, &name(who), key(certificate)).await, end, "{who} {said} {accept:?}");
            world.contacts.forget(&name("new")).await.unwrap();
        }
    }
}

/// What the directory said before, what it says now, the certificate shown: what becomes of it for `everyone`, and for
/// `verified`. Between the two answers a claim was made, forgotten, or bound to another key.
const DOUBTS: &str = "
    F            G            G     verified          verified
    F            unclaimed    G     unverified        not-accepted
    F            unclaimed    none  unverified        not-accepted
    F            away         G     directory-needed  directory-needed
    F            away         none  directory-needed  directory-needed
    F            F            G     key-mismatch      key-mismatch
    F            F            none  proof-required    proof-required
    F            G            F     verified          verified
    unclaimed    F            F     unverified        verified
    unclaimed    G            F     unverified        key-mismatch
    unclaimed    F            none  unverified        proof-required
    unclaimed    away         F     unverified        directory-needed
    unclaimed    away         none  unverified        directory-needed
    without-key  F            F     unverified        verified
";

/// A directory that says the one the first time, and the other ever after.
fn of_two_minds(first: Said, then: Said) -> (Claims, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let ask: Arc<Ask> = Arc::new(move |_| {
        let answer = if count.fetch_add(1, Ordering::Relaxed) == 0 { first } else { then };
        Box::pin(async move { answer })
    });
    (Claims::asking(Some(ask)), asked)
}

#[tokio::test(start_paused = true)]
async fn what_the_directory_said_before_takes_a_message_and_refuses_none() {
    let said = |word: &str| match word {
        "unclaimed" => Said::Unclaimed,
        "without-key" => Said::WithoutKey,
        "away" => Said::Away,
        letter => Said::Key(key(letter).unwrap()),
    };
    for row in DOUBTS.lines().map(|row| row.split_whitespace().collect::<Vec<_>>()) {
        let [before, now, certificate, everyone, verified] = row[..] else { continue };
        for (accept, end) in [(Accept::Everyone, everyone), (Accept::Verified, verified)] {
            let world = World::new();
            let ana = name("ana");
            let (claims, asked) = of_two_minds(said(before), said(now));
            let came = Instant::now();
            claims.answer(&ana, Source::connected(([127, 0, 0, 1], 1).into(), &[]), came).await;
            sleep(Duration::from_secs(1)).await;
            let endpoint = world.endpoint(claims, accept);
            assert_eq!(leave(&endpoint, &ana, key(certificate)).await, end, "{row:?} {accept:?}");
            let is_kept = end.ends_with("verified");
            assert_eq!(world.kept(), u64::from(is_kept));
            assert!(is_kept || asked.load(Ordering::Relaxed) == 2, "{row:?}: refused unasked");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_directory_is_not_asked_for_what_there_is_no_room_for() {
    let world = World::new();
    let (claims, asked) = directory("unclaimed");
    let mut endpoint = world.endpoint(claims, Accept::Everyone);
    let one = Quota::AtMost(1, 100);
    endpoint.terms.quotas = Quotas { unverified: one, stranger: one, strangers: Quota::None };
    for certificate in [None, Some(G)] {
        let message = |id: u128| {
            let text = serde_json::json!({"from": "ana", "body": "oi", "id": uuid::Uuid::from_u128(id)});
            Message::try_from(serde_json::from_str::<Unparsed>(&text.to_string()).unwrap()).unwrap()
        };
        let source = Source::connected(([192, 0, 2, 7], 1).into(), &[]);
        let sender = Sender { name: name("ana"), key: certificate, source };
        asked.store(0, Ordering::Relaxed);
        for (id, is_kept, times) in [(1, true, 1), (2, false, 1), (3, false, 1), (1, true, 2)] {
            sleep(Duration::from_secs(6)).await;
            let kept = endpoint.keep(&sender, vec![message(id)]).await.unwrap().remove(0);
            assert_eq!(!matches!(kept, Kept::OverQuota(_)), is_kept, "{kept:?}");
            assert_eq!(asked.load(Ordering::Relaxed), times, "a repeat has its place already");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_blocked_name_and_its_keys_are_refused_before_anything_else() {
    let world = World::new();
    world.pin(&name("ana"), "F", Kind::Seen).await;
    for blocked in ["ana", "zé"] {
        world.contacts.block(&name(blocked)).await.unwrap();
    }
    for (who, certificate, end) in [
        ("ana", "F", "blocked"),
        ("ana", "G", "blocked"),
        ("ana", "none", "blocked"),
        ("bia", "F", "blocked"),
        ("zé", "none", "blocked"),
        ("bia", "G", "unverified"),
    ] {
        let (claims, asked) = directory("unclaimed");
        let end_here = leave(&world.endpoint(claims, Accept::Contacts), &name(who), key(certificate)).await;
        let end = if end == "unverified" { "not-accepted" } else { end };
        assert_eq!(end_here, end, "{who} {certificate}");
        assert_eq!(asked.load(Ordering::Relaxed), usize::from(end != "blocked"), "{who} {certificate}");
    }
    assert_eq!(world.contacts.mismatch(&name("ana")).unwrap(), None);
}

/// The claim changes hands while messages under the name are judged: some were told the one key, some the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_first_messages_at_once_from_two_keys_one_is_pinned() {
    for _ in 0..10 {
        let world = World::new();
        let said = |letter| {
            let ask: Arc<Ask> = Arc::new(move |_| Box::pin(async move { Said::Key(key(letter).unwrap()) }));
            world.endpoint(Claims::asking(Some(ask)), Accept::Everyone)
        };
        let (first, second) = (said("F"), said("G"));
        let ana = name("ana");
        let tasks = (0..100).map(|number| {
            let (endpoint, key) = if number % 2 == 0 { (&first, F) } else { (&second, G) };
            let (endpoint, ana) = (endpoint.clone(), ana.clone());
            tokio::spawn(async move { (key, leave(&endpoint, &ana, Some(key)).await) })
        });
        let pin = join_all(tasks).await;
        let pinned = world.contacts.pin(&ana).unwrap().unwrap().fingerprint;
        for end in pin {
            let (key, end) = end.unwrap();
            assert_eq!(end, if key == pinned { "verified" } else { "key-mismatch" });
        }
        assert_eq!(world.kept(), 50);
    }
}
