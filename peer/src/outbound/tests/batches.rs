//! What waits for one recipient, and recipients that take it, or part of it, or no batches at all.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::client::Id;
use crate::outbound::route::Route;

/// What a recipient was handed, request by request: the numbers of the messages.
type Requests = Arc<Mutex<Vec<Vec<u64>>>>;

fn numbers(value: &Value) -> Vec<u64> {
    let number = |message: &Value| message["seq"].as_u64().unwrap();
    value.as_array().map_or_else(|| vec![number(value)], |messages| messages.iter().map(number).collect())
}

fn item(message: &Value, refused: Option<&str>) -> Value {
    match refused {
        None => {
            json!({"status": 201, "id": message["id"], "received_at": "2026-11-22T09:30:00Z", "verified": true, "highest": message["seq"]})
        }
        Some(slug) => {
            let slug = protocol::Slug::from_urn(&format!("urn:recado:problem:{slug}")).unwrap();
            serde_json::to_value(slug.because("Because.").body()).unwrap()
        }
    }
}

/// Ana, with so many messages for rui, who answers like this.
async fn queue(
    count: u64,
    answer: impl Fn(&str) -> String + Send + Sync + 'static,
) -> (Ana, Vec<Queued>, Requests) {
    let requests = Requests::default();
    let witness = Arc::clone(&requests);
    let id = Id::new();
    let site = Site::answering(Some(id.itself()), move |request| {
        witness.lock().unwrap().push(numbers(&handed_over(request)));
        answer(request)
    });
    let ana = Ana::asking(None);
    ana.contacts().add(&rui(), id.fingerprint(), &site.await.address).await.unwrap();
    let draft = |number: u64| Draft { to: rui(), body: Body::try_from(number.to_string()).unwrap() };
    let routes = ana.outbound.resolve(&[rui()], false).await.unwrap();
    let queued = ana.outbound.post((1..=count).map(draft).collect(), &routes, TERMS).await.unwrap();
    (ana, queued, requests)
}

impl Ana {
    async fn step(&self) -> Step {
        self.outbound.courier.step(&rui(), &mut Route::default()).await.unwrap()
    }

    fn states(&self, queued: &[Queued]) -> String {
        let state = |queued: &Queued| match self.standing(queued).state {
            State::Queued => 'q',
            State::Delivered => 'd',
            State::Refused => 'r',
            State::Expired => 'e',
        };
        queued.iter().map(state).collect()
    }

    fn standing(&self, queued: &Queued) -> Standing {
        self.outbound.courier.outbox.standing(queued.position).unwrap()
    }
}

#[tokio::test]
async fn a_queue_leaves_in_order_500_at_a_time() {
    let (ana, queued, requests) = queue(1_200, receipt).await;
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    ana.outbound.store.observe(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    for batch in 1..=3 {
        assert!(matches!(ana.step().await, Step::Settled { .. }));
        assert_eq!(commits.load(Ordering::SeqCst), batch, "all of a batch at once");
    }
    assert_eq!(ana.step().await, Step::Nothing);
    assert!(ana.states(&queued).chars().all(|state| state == 'd'));
    let requests = requests.lock().unwrap();
    assert_eq!(requests.iter().map(Vec::len).collect::<Vec<_>>(), [500, 500, 200]);
    assert!(requests.iter().flatten().copied().eq(1..=1_200));
}

#[tokio::test]
async fn the_last_receipt_says_what_the_recipient_has_by_its_key() {
    let results = |request: &str| {
        let messages = handed_over(request);
        let refused = |number| (number == 3).then_some("blocked");
        let items = messages
            .as_array()
            .unwrap()
            .iter()
            .zip(1..)
            .map(|(message, number)| item(message, refused(number)));
        response("200 OK", &json!(items.collect::<Vec<_>>()).to_string())
    };
    let (ana, queued, _) = queue(3, results).await;
    let Step::Settled { said: Some(said) } = ana.step().await else { panic!("nothing was said") };
    assert_eq!((Some(said.key), said.receipt.highest), (ana.pin().map(|(key, _)| key), Some(2)));
    assert_eq!(ana.states(&queued), "ddr");
}

#[tokio::test]
async fn a_batch_that_is_too_much_is_halved_and_goes_at_once() {
    let (ana, queued, requests) = queue(10, |request| {
        let fits = numbers(&handed_over(request)).len() <= 3;
        if fits { receipt(request) } else { problem("413 Content Too Large", "too-large") }
    })
    .await;
    assert!(matches!(ana.step().await, Step::Settled { .. }));
    while ana.step().await != Step::Nothing {}
    assert_eq!(ana.states(&queued), "dddddddddd");
    let sizes: Vec<usize> = requests.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 5, 2, 2, 2, 2, 2]);
    assert_eq!(ana.standing(&queued[9]).failures, 0, "that is no try that failed");
}

#[tokio::test]
async fn who_knows_no_batches_gets_one_message_at_a_time_and_is_not_asked_again_soon() {
    for status in ["400 Bad Request", "415 Unsupported Media Type", "422 Unprocessable Content"] {
        let (ana, queued, requests) = queue(4, move |request| match handed_over(request) {
            Value::Array(_) => response(status, "{}"),
            _ => receipt(request),
        })
        .await;
        while ana.step().await != Step::Nothing {}
        assert_eq!(ana.states(&queued), "dddd", "{status}");
        assert_eq!(*requests.lock().unwrap(), [vec![1, 2, 3, 4], vec![1], vec![2], vec![3], vec![4]]);
        assert_eq!(ana.standing(&queued[3]).failures, 0);
    }
}

#[tokio::test]
async fn what_comes_behind_a_full_disk_or_quota_waits_and_the_recipients_word_on_when_counts() {
    for slug in ["quota-exceeded", "unavailable", "storage-full"] {
        let (ana, queued, requests) = queue(4, move |request| {
            let messages = handed_over(request);
            let refused = |number| (number > 2).then_some(slug);
            let items = messages
                .as_array()
                .unwrap()
                .iter()
                .zip(1..)
                .map(|(message, number)| item(message, refused(number)));
            let body = json!(items.collect::<Vec<_>>()).to_string();
            format!("HTTP/1.1 200 OK\r\nretry-after: 60\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        })
        .await;
        assert_eq!(ana.step().await, Step::Failed { retry_after: Some(Duration::from_mins(1)), moved: true });
        assert_eq!(ana.states(&queued), "ddqq");
        let [three, four] = [&queued[2], &queued[3]].map(|queued| ana.standing(queued));
        assert!(three.reason.as_ref().unwrap().starts_with(slug));
        assert_eq!((three.reason, three.failures), (four.reason, four.failures));
        ana.step().await;
        assert_eq!(requests.lock().unwrap()[1], [3, 4], "in order from there");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_one_to_these_messages_marks_nothing_and_fewer_are_tried_next() {
    let wrong = |change: fn(&mut Vec<Value>)| {
        move |request: &str| {
            let Value::Array(messages) = handed_over(request) else { return receipt(request) };
            let mut items: Vec<Value> = messages.iter().map(|message| item(message, None)).collect();
            change(&mut items);
            response("200 OK", &json!(items).to_string())
        }
    };
    for change in [
        (|items| items.truncate(1)) as fn(&mut Vec<Value>),
        |items| items.reverse(),
        |items| items[0]["id"] = json!(uuid::Uuid::nil()),
        |items| items.push(items[0].clone()),
        |items| items[0]["more"] = json!("x".repeat(4 * 1024)),
    ] {
        let (ana, queued, requests) = queue(4, wrong(change)).await;
        assert_eq!(ana.step().await, Step::Failed { retry_after: None, moved: false });
        assert_eq!(ana.states(&queued), "qqqq");
        assert_eq!(ana.standing(&queued[3]).failures, 1);
        for _ in 0..5 {
            ana.step().await;
        }
        assert_eq!(ana.states(&queued), "dddd");
        assert_eq!(requests.lock().unwrap()[..3], [vec![1, 2, 3, 4], vec![1, 2], vec![1]]);
    }
}

#[tokio::test]
async fn where_nobody_can_be_checked_only_what_may_go_to_anyone_leaves() {
    let (word, eve) = (Word::default(), Id::new());
    let home = recipient(&eve).await;
    let ana = Ana::with(&word).await;
    word.claim("rui", None, Some(&home.address));
    let routes = ana.outbound.resolve(&[rui()], true).await.unwrap();
    let mut queued = Vec::new();
    for terms in [INSECURE, INSECURE, TERMS, INSECURE] {
        let draft = Draft { to: rui(), body: Body::try_from("oi".to_owned()).unwrap() };
        queued.extend(ana.outbound.post(vec![draft], &routes, terms).await.unwrap());
    }
    assert_eq!(ana.step().await, Step::Settled { said: None }, "nobody's word");
    assert!(matches!(ana.step().await, Step::Failed { moved: false, .. }));
    assert_eq!(ana.states(&queued), "ddqq");
}

#[tokio::test]
async fn one_message_that_is_refused_holds_up_none_of_the_others() {
    let (ana, queued, _) = queue(3, |request| {
        let messages = handed_over(request);
        let Value::Array(messages) = messages else { return problem("409 Conflict", "id-conflict") };
        let refusals = [Some("id-conflict"), None, Some("internal")];
        let items: Vec<Value> =
            messages.iter().zip(refusals).map(|(message, refused)| item(message, refused)).collect();
        response("200 OK", &json!(items).to_string())
    })
    .await;
    assert_eq!(ana.step().await, Step::Failed { retry_after: None, moved: true });
    assert_eq!(ana.states(&queued), "rdq");
}
