//! Every answer, to one message and to several, and what it means for each.

use protocol::problem::LONGEST_DETAIL;
use serde_json::{Value, json};

use super::*;

const WAIT: Option<Duration> = Some(Duration::from_secs(7));

fn ids(count: u128) -> Vec<Uuid> {
    (1..=count).map(Uuid::from_u128).collect()
}

fn judged(count: u128, status: u16, body: &str) -> Handover {
    judge(&ids(count), Answer { status, body: body.as_bytes(), retry_after: WAIT })
}

fn receipt(id: u128) -> Value {
    json!({"id": Uuid::from_u128(id), "received_at": "2026-11-22T09:30:00Z", "verified": false})
}

fn item(status: u16, id: u128) -> Value {
    let mut item = receipt(id);
    item["status"] = status.into();
    item
}

fn problem(slug: Slug) -> Value {
    serde_json::to_value(slug.because("Because.").body()).unwrap()
}

/// In short: kept, refused, postponed or not tried, message by message.
fn fates(handover: &Handover) -> String {
    let Handover::Answered { fates, .. } = handover else { return format!("{handover:?}") };
    let letters = fates.iter().map(|fate| match fate {
        Fate::Kept(_) => 'k',
        Fate::Refused { .. } => 'r',
        Fate::Postponed { .. } => 'p',
        Fate::NotTried => '-',
    });
    letters.collect()
}

fn together(items: &[Value]) -> Handover {
    judged(items.len() as u128, 200, &json!(items).to_string())
}

#[test]
fn only_a_receipt_for_this_message_counts() {
    for (status, body, is_kept) in [
        (201, receipt(1).to_string(), true),
        (200, receipt(1).to_string(), true),
        (201, receipt(2).to_string(), false),
        (204, String::new(), false),
        (200, "<html>".to_owned(), false),
        (200, json!([item(201, 1)]).to_string(), false),
    ] {
        let handover = judged(1, status, &body);
        assert_eq!(fates(&handover) == "k", is_kept, "{status} {body}");
        assert!(is_kept || matches!(handover, Handover::Unclear { .. } | Handover::Unreachable { .. }));
    }
}

#[test]
fn each_problem_is_final_or_not() {
    for slug in Slug::ALL {
        let final_for_the_message = matches!(
            slug,
            Slug::Blocked
                | Slug::NotAccepted
                | Slug::ProofRequired
                | Slug::KeyMismatch
                | Slug::IdConflict
                | Slug::NameTaken
                | Slug::TokenInUse
                | Slug::FingerprintChanged
                | Slug::TooLarge
                | Slug::InvalidName
                | Slug::InvalidAddress
                | Slug::InvalidFingerprint
                | Slug::InvalidToken
                | Slug::InvalidMessage
                | Slug::InvalidQuery
        );
        let alone = judged(1, slug.status(), &problem(*slug).to_string());
        assert_eq!(fates(&alone) == "r", final_for_the_message, "{}", slug.word());
        assert_eq!(matches!(alone, Handover::Misdirected { .. }), *slug == Slug::Misdirected);
        let stops = matches!(slug.status(), 421 | 429 | 503 | 507);
        let among = together(&[item(201, 1), problem(*slug), problem(Slug::IdConflict), item(200, 4)]);
        let expected = match (final_for_the_message, stops) {
            (true, _) => "krrk",
            (false, true) => "kp-k",
            (false, false) => "kprk",
        };
        assert_eq!(fates(&among), expected, "{}", slug.word());
    }
    assert!(matches!(judged(1, 403, "forbidden by a proxy"), Handover::Unreachable { .. }));
}

#[test]
fn what_a_recipient_says_of_why_is_kept_in_short() {
    let long = |slug: Slug| serde_json::to_value(slug.because("ü".repeat(2_000)).body()).unwrap();
    let reason_of = |handover: Handover| match handover {
        Handover::Unreachable { reason, .. } | Handover::Misdirected { reason } => reason,
        Handover::Answered { fates, .. } => match fates.into_iter().last() {
            Some(Fate::Refused { reason, .. } | Fate::Postponed { reason }) => reason,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    for slug in [Slug::Unavailable, Slug::NotAccepted, Slug::Misdirected] {
        for handover in [
            judged(1, slug.status(), &long(slug).to_string()),
            judged(2, slug.status(), &long(slug).to_string()),
            together(&[item(201, 1), long(slug)]),
            together(&[long(slug), long(slug)]),
        ] {
            let reason = reason_of(handover);
            let detail = reason.strip_prefix(&format!("{}: ", slug.word())).unwrap();
            assert!(detail.len() <= LONGEST_DETAIL && detail.ends_with("ü…"), "{reason}");
        }
    }
}

#[test]
fn an_answer_counts_only_if_it_is_one_to_exactly_these_messages() {
    for items in [
        vec![item(201, 1)],
        vec![item(201, 1), item(201, 2), item(201, 3)],
        vec![item(201, 2), item(201, 1)],
        vec![item(201, 1), item(200, 1)],
        vec![item(201, 1), item(201, 7)],
        vec![],
    ] {
        let handover = judged(2, 200, &json!(items).to_string());
        assert!(matches!(handover, Handover::Unclear { .. }), "{items:?}");
    }
    for body in ["", "{}", "null", &receipt(1).to_string()] {
        assert!(matches!(judged(2, 200, body), Handover::Unclear { .. }), "{body}");
    }
    assert_eq!(fates(&together(&[item(201, 1), item(200, 2)])), "kk");
}

#[test]
fn what_says_nothing_of_a_message_settles_nothing_of_it() {
    let odd = json!({"status": 201, "id": 7});
    assert_eq!(fates(&together(&[odd.clone(), item(201, 2), odd.clone()])), "pkp");
    assert!(matches!(together(&[odd.clone(), odd]), Handover::Unclear { .. }));
}

#[test]
fn where_nothing_is_settled_it_was_in_vain_for_all() {
    let full = problem(Slug::QuotaExceeded);
    let Handover::Unreachable { reason, retry_after } = together(&[full.clone(), full.clone()]) else {
        panic!("something was settled")
    };
    assert_eq!((reason.as_str(), retry_after), ("quota-exceeded: Because.", WAIT));
    let elsewhere = problem(Slug::Misdirected);
    assert!(matches!(together(&[elsewhere, full.clone()]), Handover::Misdirected { .. }));
    assert!(matches!(
        together(&[problem(Slug::Internal), problem(Slug::Internal)]),
        Handover::Unclear { .. }
    ));
    let some = together(&[item(201, 1), full]);
    assert!(matches!(some, Handover::Answered { retry_after: WAIT, .. }));
}

#[test]
fn a_batch_that_is_refused_as_a_whole_is_cut_smaller_or_goes_the_way_of_each() {
    for (slug, expected) in [
        (Slug::TooLarge, Handover::TooMuch),
        (Slug::IdConflict, Handover::TooMuch),
        (Slug::BadJson, Handover::NoBatches),
        (Slug::BadRequest, Handover::NoBatches),
        (Slug::UnsupportedMediaType, Handover::NoBatches),
        (Slug::InvalidMessage, Handover::NoBatches),
    ] {
        assert_eq!(judged(2, slug.status(), &problem(slug).to_string()), expected, "{}", slug.word());
        assert_ne!(judged(1, slug.status(), &problem(slug).to_string()), expected, "{}", slug.word());
    }
    assert_eq!(fates(&judged(3, 403, &problem(Slug::Blocked).to_string())), "rrr");
    let misdirected = judged(3, 421, &problem(Slug::Misdirected).to_string());
    assert!(matches!(misdirected, Handover::Misdirected { .. }));
    for slug in [Slug::QuotaExceeded, Slug::Unavailable, Slug::StorageFull] {
        let busy = judged(3, slug.status(), &problem(slug).to_string());
        assert!(matches!(busy, Handover::Unreachable { retry_after: WAIT, .. }), "{}", slug.word());
    }
    for status in [201, 403, 404, 405, 408, 500, 501] {
        let answer = Answer { status, body: b"", retry_after: None };
        assert!(matches!(judge(&ids(3), answer), Handover::Unclear { .. }), "{status}");
    }
}
