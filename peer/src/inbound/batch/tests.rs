//! What is a batch, what is a message in one, and what is answered in which order.

use proptest::prelude::*;

use super::*;

fn document(text: &str) -> Document {
    Document(text.as_bytes().to_vec().into())
}

fn refused(text: &str) -> Slug {
    Batch::parse(&document(text)).unwrap_err().slug
}

fn array(element: &str, count: usize) -> String {
    format!("[{}]", vec![element; count].join(","))
}

const OI: &str = r#"{"from":"ci","body":"oi"}"#;

#[test]
fn what_is_no_message_is_refused_in_whole_sentences() {
    for text in ["[]", "[", "{", "7", r#"{"from": 7}"#, "{} {}", "\u{ff}"] {
        let refused = message(&document(text)).unwrap_err().detail;
        let (first, rest) = refused.split_once(" A message is an object such as ").unwrap();
        assert!(first.ends_with('.') && !first.ends_with(".."), "{text}: {refused}");
        assert!(first.starts_with(char::is_uppercase) && rest.ends_with("}."), "{text}: {refused}");
    }
}

#[test]
fn a_batch_has_1_to_500_messages() {
    assert_eq!(refused("[]"), Slug::InvalidMessage);
    assert_eq!(refused(" [ ] "), Slug::InvalidMessage);
    for element in [OI, "7"] {
        assert_eq!(Batch::parse(&document(&array(element, 500))).unwrap().items.len(), 500);
        assert_eq!(refused(&array(element, 501)), Slug::TooLarge);
    }
    assert!(Batch::parse(&document(&array("0", 501))).unwrap_err().detail.contains("has 501 messages."));
    assert_eq!(refused(&format!("{}]", array("7", 600))), Slug::BadJson, "whatever its length");
}

#[test]
fn a_batch_has_a_mebibyte_and_a_message_half_of_that() {
    let body = |length| "x".repeat(length);
    let padded = |length: usize| {
        let most = format!(r#"{{"from":"ci","body":"oi","pad":"{}"}}"#, body(length));
        format!("{}{most}", " ".repeat(7))
    };
    let frame = padded(0).trim().len();
    let longest = padded(LONGEST_ENCODED - frame);
    let batch = Batch::parse(&document(&format!(
        "[{longest},{OI},{}]",
        padded(LONGEST_ENCODED - frame + 1)[1..].trim()
    )));
    assert_eq!(batch.unwrap_err().slug, Slug::TooLarge, "both together");
    assert!(message(&document(longest.trim())).is_ok());
    let longer = padded(LONGEST_ENCODED - frame + 1);
    assert_eq!(message(&document(longer.trim())).unwrap_err().slug, Slug::TooLarge);
    let batch = Batch::parse(&document(&format!("[{longer},{OI}]"))).unwrap();
    assert_eq!(batch.items[0].as_ref().unwrap_err().slug, Slug::TooLarge);
    assert!(batch.items[1].is_ok());
    let filled = |length: usize| format!("[{OI}{}]", " ".repeat(length - OI.len() - 2));
    assert!(Batch::parse(&document(&filled(LONGEST_BATCH))).is_ok());
    assert_eq!(refused(&filled(LONGEST_BATCH + 1)), Slug::TooLarge);
}

#[test]
fn a_batch_has_one_sender_in_whatever_spelling() {
    let batch = |text: &str| Batch::parse(&document(text));
    let one = batch(r#"[{"from":"JOÃO","body":"oi"}, 7, {"from":"joão","body":"oi"}]"#).unwrap();
    assert_eq!(one.from.unwrap().as_str(), "joão");
    for other in [
        r#"{"from":"rui","body":"oi"}"#,
        r#"{"from":"rui","body":""}"#,
        r#"{"from":"rui","body":7}"#,
        r#"{"from":"rui"}"#,
        r#"{"from":"rui","body":"oi","to":"a b"}"#,
    ] {
        assert_eq!(refused(&format!("[{OI},{other}]")), Slug::InvalidMessage, "{other}");
        assert_eq!(refused(&format!("[{other},{OI}]")), Slug::InvalidMessage, "{other}");
    }
    for nobody in [r#"{"from":"a b","body":"oi"}"#, r#"{"from":7,"body":"oi"}"#, r#"["rui","oi"]"#, "null"] {
        let batch = batch(&format!("[{nobody},{OI}]")).unwrap();
        assert_eq!(batch.from.unwrap().as_str(), "ci", "{nobody}");
        assert!(batch.items[0].is_err() && batch.items[1].is_ok(), "{nobody}");
    }
    assert_eq!(batch("[7]").unwrap().from, None);
}

#[test]
fn each_bad_item_has_its_own_problem() {
    for (bad, slug) in [
        ("7", Slug::InvalidMessage),
        ("null", Slug::InvalidMessage),
        ("[]", Slug::InvalidMessage),
        (r#"["ci","ci","rui","oi"]"#, Slug::InvalidMessage),
        ("{}", Slug::InvalidMessage),
        (r#"{"from":"ci"}"#, Slug::InvalidMessage),
        (r#"{"from":"a b","body":"oi"}"#, Slug::InvalidName),
        (r#"{"from":"ci","body":"oi","to":""}"#, Slug::InvalidName),
        (r#"{"from":"ci","body":""}"#, Slug::InvalidMessage),
        (r#"{"from":"ci","body":"oi","seq":0}"#, Slug::InvalidMessage),
        (r#"{"from":"ci","body":"oi","seq":1e400}"#, Slug::BadJson),
        (r#"{"from":"ci","body":"\ud800"}"#, Slug::BadJson),
        (&format!(r#"{{"from":"ci","body":"{}"}}"#, "x".repeat(65_537)), Slug::TooLarge),
        (&format!("{}{}", "[".repeat(9_000), "]".repeat(9_000)), Slug::InvalidMessage),
    ] {
        let batch = Batch::parse(&document(&format!("[{OI}, {bad} ,{OI}]"))).unwrap();
        let slugs: Vec<_> =
            batch.items.iter().map(|item| item.as_ref().err().map(|problem| problem.slug)).collect();
        assert_eq!(slugs, [None, Some(slug), None], "{}", &bad[..bad.len().min(80)]);
    }
    for none in ["[", "[{]", "[1,]", "[] []", "[\u{1}]", r#"["\x"]"#] {
        assert_eq!(refused(none), Slug::BadJson, "{none}");
    }
    assert_eq!(Batch::parse(&Document(b"[\"\xff\"]".to_vec().into())).unwrap_err().slug, Slug::BadJson);
}

fn status(item: &Item) -> u16 {
    match item {
        Item::New(_) => 201,
        Item::Before(_) => 200,
        Item::Refused(problem) => problem.status,
        Item::Unreadable => 0,
    }
}

/// A problem that is found before anything is kept, or `None` and what is found when it would be.
fn place() -> impl Strategy<Value = (Option<Slug>, Slug)> {
    let own = prop_oneof![Just(Slug::InvalidMessage), Just(Slug::Misdirected), Just(Slug::TooLarge)];
    let later = prop_oneof![
        5 => Just(Slug::IdConflict),
        1 => Just(Slug::QuotaExceeded),
        1 => Just(Slug::DirectoryNeeded),
        1 => Just(Slug::StorageFull),
        1 => Just(Slug::Internal),
    ];
    (proptest::option::of(own), later)
}

proptest! {
    #[test]
    fn each_has_its_own_answer_until_one_says_not_now(places in proptest::collection::vec(place(), 1..12)) {
        let problems: Vec<_> = places.iter().map(|(own, _)| own.map(|slug| slug.because("."))).collect();
        let without = places.iter().filter(|(own, _)| own.is_none());
        let kept = without.map(|(_, later)| Err(later.because(".")));
        let Answers { items, not_now } = in_order(problems, kept).unwrap();
        let answers: Vec<_> = items.iter().map(status).collect();
        let alone: Vec<_> = places.iter().map(|(own, later)| own.unwrap_or(*later).status()).collect();
        let last = alone.iter().position(|status| [429, 503, 507].contains(status)).unwrap_or(alone.len() - 1);
        prop_assert_eq!(&answers[..=last], &alone[..=last]);
        prop_assert!(answers[last..].iter().all(|status| *status == alone[last]) || last == alone.len() - 1);
        prop_assert_eq!(answers.len(), places.len());
        let stop = alone.iter().find(|status| [429, 503, 507].contains(*status)).copied();
        prop_assert_eq!(not_now.map(|problem| problem.slug.status()), stop);
    }
}
