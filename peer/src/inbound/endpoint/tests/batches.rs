//! Batches: what each item is answered, and that together they do what they would have done one by one.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// What is answered to this body.
async fn post(endpoint: &Endpoint, certificate: Option<Fingerprint>, body: &Value) -> (u16, Value) {
    let source = Source::connected(([127, 0, 0, 1], 1).into(), &[]);
    let document = Document(body.to_string().into());
    let answer = leave_messages(State(endpoint.clone()), source, ClientKey(certificate), document).await;
    let answer = answer.into_response();
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

/// The status of each item of a batch.
async fn statuses(endpoint: &Endpoint, certificate: Option<Fingerprint>, batch: Value) -> Vec<u64> {
    let (status, items) = post(endpoint, certificate, &batch).await;
    assert_eq!(status, 200, "{items}");
    items.as_array().unwrap().iter().map(|item| item["status"].as_u64().unwrap()).collect()
}

fn one(id: u128, more: &Value) -> Value {
    let mut message = json!({"id": uuid::Uuid::from_u128(id), "from": "ana", "body": "oi"});
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    message
}

fn plain(id: u128) -> Value {
    one(id, &json!({}))
}

#[tokio::test]
async fn a_batch_is_answered_item_by_item_in_order() {
    let world = World::new();
    let endpoint = world.endpoint(directory("unconfigured").0, Accept::Everyone);
    let batch = json!([
        one(1, &json!({"seq": 1})),
        one(2, &json!({"to": "somebody"})),
        7,
        one(1, &json!({"seq": 1})),
        one(1, &json!({"body": "olá"})),
        one(3, &json!({"seq": 5, "to": "RUI"})),
        {"from": "ana", "body": "x".repeat(65_537)},
        {"from": "ana", "body": "oi", "seq": 3},
    ]);
    let (status, items) = post(&endpoint, Some(F), &batch).await;
    let said =
        |member: &str| items.as_array().unwrap().iter().map(|item| item[member].clone()).collect::<Value>();
    assert_eq!(status, 200);
    assert_eq!(said("status"), json!([201, 421, 422, 200, 409, 201, 413, 201]));
    assert_eq!(said("highest"), json!([1, null, null, 1, null, 5, null, 5]), "as of after each item");
    assert_eq!(said("missing"), json!([null, null, null, null, null, [[2, 4]], null, [[2, 2], [4, 4]]]));
    assert_eq!(items[0]["id"], items[3]["id"]);
    assert_eq!(items[0]["received_at"], items[3]["received_at"]);
    assert_eq!(items[1]["type"], "urn:recado:problem:misdirected");
    assert_eq!(world.kept(), 3);

    let again = statuses(&endpoint, Some(F), batch).await;
    assert_eq!(again, [200, 421, 422, 200, 409, 200, 413, 201], "without an id it is another one");
    assert_eq!(statuses(&endpoint, Some(F), json!([7, null])).await, [422, 422], "from nobody");
}

#[tokio::test]
async fn what_is_no_batch_is_refused_whole() {
    let world = World::new();
    let endpoint = world.endpoint(directory("unconfigured").0, Accept::Everyone);
    for (batch, status) in [
        (json!([]), 422),
        (json!([plain(1), {"from": "rita", "body": "oi"}]), 422),
        (Value::from(vec![plain(1); 501]), 413),
        (json!(7), 422),
    ] {
        assert_eq!(post(&endpoint, None, &batch).await.0, status);
    }
    assert_eq!(world.kept(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_sender_of_a_batch_is_judged_once_and_refused_for_all_that_is_new() {
    let world = World::new();
    let (claims, asked) = directory("unclaimed");
    let endpoint = world.endpoint(claims, Accept::Everyone);
    let (whole, new) = (
        json!([plain(1), plain(2), plain(3)]),
        json!([7, plain(4), plain(1), one(2, &json!({"body": "x"}))]),
    );
    assert_eq!(statuses(&endpoint, Some(F), whole).await, [201; 3]);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    world.pin(&name("ana"), "G", Kind::Contact).await;
    assert_eq!(statuses(&endpoint, Some(F), new).await, [422, 403, 200, 403]);
    let noted = world.contacts.mismatch(&name("ana")).unwrap().unwrap();
    assert_eq!((noted.fingerprint, noted.times), (F, 1));
    assert_eq!(world.kept(), 3);
}

#[tokio::test(start_paused = true)]
async fn after_the_first_not_now_every_later_item_hears_the_same() {
    let world = World::new();
    let nobody = world.endpoint(directory("away").0, Accept::Everyone);
    let batch = json!([{"from": "ana", "body": ""}, plain(1), 7, one(2, &json!({"to": "zé"})), plain(3)]);
    let (_, items) = post(&nobody, None, &batch).await;
    assert_eq!(items[0]["status"], 422);
    for item in &items.as_array().unwrap()[1..] {
        assert_eq!(*item, items[1]);
        assert_eq!(item["type"], "urn:recado:problem:directory-needed");
    }

    let mut endpoint = world.endpoint(directory("unconfigured").0, Accept::Everyone);
    endpoint.terms.quotas.unverified = Quota::AtMost(3, 7);
    let batch =
        json!([plain(1), plain(2), plain(1), one(3, &json!({"body": "oi oi"})), plain(1), 7, plain(4)]);
    assert_eq!(
        statuses(&endpoint, None, batch).await,
        [201, 201, 200, 429, 429, 429, 429],
        "a byte too many"
    );
    let batch = json!([plain(5), plain(6)]);
    assert_eq!(statuses(&endpoint, None, batch).await, [201, 429], "a message too many");
    assert_eq!(world.kept(), 3);
}

#[tokio::test]
async fn a_fault_is_each_message_s_and_nothing_of_the_batch_is_kept() {
    let world = World::new();
    let endpoint = world.endpoint(directory("unconfigured").0, Accept::Everyone);
    assert_eq!(statuses(&endpoint, None, json!([plain(1)])).await, [201]);
    let limit_pages = |sql: &'static str| {
        world.store.write(move |connection| connection.query_row(sql, [], |row| row.get::<_, i64>(0)))
    };
    let pages = limit_pages("PRAGMA max_page_count = 1").await.unwrap();
    assert!(pages > 1, "it cannot be less than there are");
    let large = "x".repeat(60_000);
    let batch = json!([
        one(1, &json!({"to": "zé"})),
        plain(1),
        plain(2),
        one(3, &json!({"body": large})),
        7,
        plain(4)
    ]);
    assert_eq!(statuses(&endpoint, None, batch.clone()).await, [421, 507, 507, 507, 507, 507]);
    assert_eq!(world.kept(), 1);
    limit_pages("PRAGMA max_page_count = 1000000").await.unwrap();
    assert_eq!(statuses(&endpoint, None, batch).await, [421, 200, 201, 201, 422, 201]);
}

/// An item of a batch by `ana`, right or wrong.
fn item() -> impl Strategy<Value = Value> {
    let id = proptest::option::weighted(0.9, 1..8_u128);
    let body = prop_oneof![6 => Just("oi"), 1 => Just("olá"), 1 => Just("")];
    let to = prop_oneof![6 => Just(json!(null)), 1 => Just(json!("RUI")), 1 => Just(json!("zé"))];
    let seq = proptest::option::weighted(0.8, 0..12_u64);
    let closed = prop_oneof![5 => Just(json!(null)), 1 => Just(json!([[1, 3], [9, 9]]))];
    let message = (id, body, to, seq, closed).prop_map(|(id, body, to, seq, closed)| {
        json!({"id": id.map(uuid::Uuid::from_u128), "from": "ana", "body": body, "to": to, "seq": seq, "closed": closed})
    });
    let other = prop_oneof![Just(json!(7)), Just(json!("oi")), Just(json!({"from": "a b", "body": "oi"}))];
    prop_oneof![12 => message, 1 => other]
}

/// Who `ana` is here, which certificate she shows, and what the directory says.
fn standing() -> impl Strategy<Value = (&'static str, Kind, &'static str, &'static str)> {
    let pin = prop_oneof![Just("none"), Just("F"), Just("G")];
    let kind = prop_oneof![Just(Kind::Seen), Just(Kind::Contact)];
    let certificate = prop_oneof![1 => Just("none"), 3 => Just("F")];
    (pin, kind, certificate, prop_oneof![Just("unclaimed"), Just("F"), Just("G"), Just("away")])
}

/// What an item and an answer of its own have in common. When it came and what id was made for it cannot be the same.
fn compared(mut answer: Value, status: u16, has_id: bool) -> Value {
    answer["status"] = status.into();
    if let Some(time) = answer.get_mut("received_at") {
        *time = json!("now");
    }
    if let Some(id) = answer.get_mut("id").filter(|_| !has_id) {
        *id = json!("made");
    }
    answer
}

/// Everything that the messages left behind.
fn left(world: &World) -> Vec<String> {
    let tables = [
        "SELECT format('%d %d %s %s %s %s %s %d', position, place, iif(id < x'00ff', hex(id), 'made'), from_name, to_name, body, seq, doubted) FROM received ORDER BY position",
        "SELECT format('%s %d %d', hex(sender), first, last) FROM had ORDER BY 1",
        "SELECT format('%s %d %d', hex(sender), messages, bytes) FROM kept ORDER BY 1",
        "SELECT format('%d %d', messages, bytes) FROM strangers",
        "SELECT format('%s %s %s %d', name, hex(fingerprint), kind, proved) FROM pins ORDER BY 1",
        "SELECT format('%s %s %d', name, hex(fingerprint), times) FROM mismatches",
    ];
    let read = |connection: &rusqlite::Connection| {
        let mut lines = Vec::new();
        for sql in tables {
            lines.extend(
                connection
                    .prepare(sql)?
                    .query_map([], |row| row.get(0))?
                    .collect::<Result<Vec<String>, _>>()?,
            );
        }
        Ok(lines)
    };
    world.store.read(read).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_batch_does_what_its_messages_would_do_one_by_one(
        batches in proptest::collection::vec(proptest::collection::vec(item(), 1..9), 1..3),
        standing in standing(),
        most in 1..9_u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (pin, kind, certificate, said) = standing;
        let worlds = [World::new(), World::new()];
        let endpoints = worlds.each_ref().map(|world| {
            runtime.block_on(world.pin(&name("ana"), pin, kind));
            let mut endpoint = world.endpoint(directory(said).0, Accept::Everyone);
            // Alone, a message that there is no room for is refused before the directory is asked who may use the name.
            let is_refused_when_asked = pin == "none" && key(said).is_some_and(|said| key(certificate) != Some(said));
            let quota = if is_refused_when_asked { Quota::None } else { Quota::AtMost(most, 9 * most / 5) };
            endpoint.terms.quotas = Quotas { unverified: quota, stranger: quota, strangers: Quota::None };
            endpoint
        });
        for batch in batches {
            let (status, answers) = runtime.block_on(post(&endpoints[0], key(certificate), &Value::from(batch.clone())));
            prop_assert_eq!(status, 200);
            let answers = answers.as_array().unwrap();
            prop_assert_eq!(answers.len(), batch.len());
            let mut not_now: Option<&Value> = None;
            for (message, answer) in batch.iter().zip(answers) {
                if let Some(not_now) = not_now {
                    prop_assert_eq!(answer, not_now);
                    continue;
                }
                let has_id = message["id"].is_string();
                let (status, alone) = runtime.block_on(post(&endpoints[1], key(certificate), message));
                let alone = compared(alone, status, has_id);
                let mut answer_compared = compared(answer.clone(), u16::try_from(answer["status"].as_u64().unwrap()).unwrap(), has_id);
                if let Some(clipped) = answer_compared["detail"].as_str().and_then(|detail| detail.strip_suffix('…')) {
                    prop_assert!(alone["detail"].as_str().unwrap().starts_with(clipped));
                    answer_compared["detail"] = alone["detail"].clone();
                }
                prop_assert_eq!(&answer_compared, &alone);
                if [429, 503, 507].contains(&status) {
                    not_now = Some(answer);
                }
            }
            prop_assert_eq!(left(&worlds[0]), left(&worlds[1]));
        }
    }
}
