//! What the directory counts, as a scraper reads it.

use std::collections::BTreeMap;

use protocol::Slug;
use reqwest::Method;

use super::harness::{Directory, new_token, until};

const ADDRESS: &str = "http://127.0.0.1:7101";

/// Samples by name and labels, as written: `recado_directory_refusals_total{slug="name-taken"}`.
type Samples = BTreeMap<String, f64>;

/// Reads Prometheus' text format, and fails on every line that is not as it should be.
fn read(text: &str) -> Samples {
    let mut samples = Samples::new();
    let mut families = BTreeMap::new();
    let mut family = (String::new(), String::new());
    let mut helped = String::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            help.split_once(' ').expect("a help text").0.clone_into(&mut helped);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a type");
            assert_eq!(name, helped, "help comes first");
            assert!(name.starts_with("recado_directory_"), "{name}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{kind}");
            assert_eq!(families.insert(name.to_owned(), kind.to_owned()), None, "{name} comes twice");
            family = (name.to_owned(), kind.to_owned());
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
            let bare = name.split('{').next().unwrap();
            let suffix = bare.strip_prefix(&family.0).unwrap_or_else(|| panic!("{line} is of no family"));
            let suffixes: &[_] = if family.1 == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.contains(&suffix), "{line}");
            let labels = name.strip_prefix(bare).unwrap();
            assert!(labels.is_empty() || (labels.starts_with('{') && labels.ends_with("\"}")), "{line}");
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
            assert!(value.is_finite() && value >= 0.0, "{line}");
            assert_eq!(samples.insert(name.to_owned(), value), None, "{name} comes twice");
        }
    }
    samples
}

fn look(directory: &Directory) -> Samples {
    let answer = directory.get("/metrics").expect(200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4"));
    read(std::str::from_utf8(&answer.body).unwrap())
}

fn count(samples: &Samples, name: &str) -> f64 {
    samples.get(&format!("recado_directory_{name}")).copied().unwrap_or(0.0)
}

#[test]
fn what_happened_is_counted() {
    let directory = Directory::with(&["--ttl", "3s"]);
    let (ana, rui, zeca) = (new_token(), new_token(), new_token());
    for (name, token) in [("ana", &ana), ("rui", &rui), ("zeca", &zeca)] {
        directory.register(name, ADDRESS, token).expect(201);
    }
    directory.register("ana", ADDRESS, &rui).expect_problem(Slug::NameTaken);
    directory.register("ana", ADDRESS, &ana).expect(200);
    directory.register("ana", ADDRESS, &ana).expect(200);
    directory.request(Method::DELETE, "/register").bearer(&rui).send().expect(204);
    let stream = directory.request(Method::GET, "/events").stream();
    directory.get("/nowhere").expect_problem(Slug::NotFound);
    directory.get("/peers/nobody").expect_problem(Slug::UnknownName);
    let seen = look(&directory);
    for (name, value) in [
        ("names", 3.0),
        ("online", 2.0),
        ("claims_total", 3.0),
        ("joins_total", 3.0),
        ("renewals_total", 2.0),
        ("departures_total", 1.0),
        ("expired_leases_total", 0.0),
        ("events_total", 4.0),
        ("streams", 1.0),
        ("refusals_total{slug=\"name-taken\"}", 1.0),
        ("refusals_total{slug=\"not-found\"}", 1.0),
        ("refusals_total{slug=\"unknown-name\"}", 1.0),
        ("http_request_duration_seconds_count{route=\"/register\",method=\"POST\",status=\"2xx\"}", 5.0),
        ("http_request_duration_seconds_count{route=\"/register\",method=\"POST\",status=\"4xx\"}", 1.0),
        ("http_request_duration_seconds_count{route=\"/peers/{name}\",method=\"GET\",status=\"4xx\"}", 1.0),
    ] {
        assert_eq!(count(&seen, name).to_bits(), f64::to_bits(value), "{name}: {}", count(&seen, name));
    }
    assert!(count(&seen, "connections") >= 1.0, "the one that asks");
    assert!(count(&seen, "commit_duration_seconds_count") >= 4.0);
    assert!(count(&seen, "commit_writes_sum") >= 4.0);
    assert!(!seen.keys().any(|name| name.contains("nobody") || name.contains("nowhere")));
    drop(stream);
    until("two leases have ended, and a stream", || {
        let seen = look(&directory);
        (count(&seen, "streams") < 1.0
            && count(&seen, "expired_leases_total") >= 2.0
            && count(&seen, "online") < 1.0)
            .then_some(())
    });
}

#[test]
fn both_formats_are_spoken_and_a_private_directory_tells_its_numbers() {
    let directory = Directory::with(&["--private"]);
    look(&directory);
    // As Prometheus asks.
    let accept = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let open = directory.request(Method::GET, "/metrics").header("accept", accept).send().expect(200);
    assert_eq!(open.header("content-type"), Some("application/openmetrics-text; version=1.0.0"));
    let text = std::str::from_utf8(&open.body).unwrap();
    assert!(text.ends_with("# EOF\n") && text.contains("# TYPE recado_directory_claims counter\n"), "{text}");
}
