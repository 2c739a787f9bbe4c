//! How much of the listener one request, or one source, may take.

use std::time::Duration;

use listener::{Limits, Settings};
use protocol::problem::Slug;

use crate::kit::{LONG, ROOMY, Response, SHORT, Site, within};

/// One request a second of each source.
fn frugal() -> Settings {
    let limits = Limits { requests: 1.try_into().unwrap(), ..ROOMY };
    Settings { limits, trusted_proxies: vec!["127.0.0.1".parse().unwrap()], ..Settings::default() }
}

fn hello(forwarded_for: &str) -> String {
    format!(
        "GET /hello HTTP/1.1\r\nhost: a\r\nx-forwarded-for: {forwarded_for}\r\nx-request-id: mine\r\n\r\n"
    )
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_ask_again() {
    let site = Site::open(frugal()).await;
    let mut client = site.client().await;
    let refusal = async {
        loop {
            client.send(hello("2001:db8::1")).await;
            let response = client.response().await;
            if response.status != 200 {
                return response;
            }
        }
    };
    let refusal = within("a refusal", refusal).await;
    refusal.problem(Slug::RateLimited);
    assert_eq!((refusal.header("retry-after"), refusal.header("x-request-id")), (Some("1"), Some("mine")));
    client.send(hello("2001:db8:0:1::1")).await;
    assert_eq!(client.response().await.body, "hello", "the connection is kept, and others are not meant");
}

#[tokio::test]
async fn a_proxy_is_exempt_only_for_itself() {
    let site = Site::open(frugal()).await;
    for _ in 0..10 {
        site.serves_others().await;
    }
    let refused = async { while site.ask(hello("unknown")).await.status != Slug::RateLimited.status() {} };
    within("a refusal of those whom the proxy does not name", refused).await;
}

#[tokio::test]
async fn this_machine_is_exempt_unless_it_asks_for_others() {
    let limits = Limits { requests: 1.try_into().unwrap(), ..ROOMY };
    let site = Site::open(limits).await;
    for _ in 0..10 {
        site.serves_others().await;
    }
    let refused = async { while site.ask(hello("192.0.2.1")).await.status != Slug::RateLimited.status() {} };
    within("a refusal", refused).await;
}

#[tokio::test]
async fn a_body_has_the_length_that_the_limits_say() {
    let site = Site::open(Limits { body_bytes: 20, ..ROOMY }).await;
    // Also where nobody needs a body, or nothing is.
    for path in ["/note", "/bytes", "/hello", "/nowhere"] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n");
        site.ask(format!("{head}content-length: 21\r\n\r\n{{\"text\":\"0123456789\"}}"))
            .await
            .problem(Slug::TooLarge);
    }
    let fits =
        site.ask("POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\n01234567890123456789").await;
    assert_eq!(fits.body, "01234567890123456789");
}

#[tokio::test]
async fn more_header_lines_than_hyper_reads_by_itself_can_be_allowed() {
    let site = Site::open(Limits { headers: 200, ..ROOMY }).await;
    for (lines, status) in [(199, 200), (200, 413)] {
        let many = format!("GET /hello HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(lines));
        assert_eq!(site.ask(many).await.status, status);
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let site = Site::open(Limits { request: SHORT, ..ROOMY }).await;
    let mut client = site.client().await;
    client.send("GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await;
    within("the request to run", site.signals.entered.notified()).await;
    site.serves_others().await;
    let response = client.response().await;
    response.problem(Slug::Unavailable);
    assert_eq!(response.header("retry-after"), Some("1"));
    client.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(client.response().await.body, "hello");
}

#[tokio::test]
async fn an_answer_that_has_begun_is_cut_off() {
    let site = Site::open(Limits { request: SHORT, ..ROOMY }).await;
    let mut client = site.client().await;
    client.send("GET /dribble HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let mut said = client.read_until("\r\n\r\n").await;
    said += &client.rest().await;
    assert!(said.starts_with("HTTP/1.1 200") && !said.ends_with("\r\n0\r\n\r\n"), "{said}");
}

#[tokio::test]
async fn a_client_that_reads_and_never_finishes_is_cut_off() {
    let site = Site::open(Limits { request: SHORT, ..ROOMY }).await;
    let mut client = site.client().await;
    client.send("GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let read = tokio::time::timeout(LONG, tokio::io::copy(&mut client.stream, &mut tokio::io::sink())).await;
    // A reset is as good an end as any.
    drop(read.expect("the answer to be cut off"));
    within("the response to be dropped", site.signals.dropped.notified()).await;
}

#[tokio::test]
async fn a_slow_body_counts_as_time_of_the_request() {
    let site = Site::open(Limits { request: SHORT, body: Duration::from_mins(1), ..ROOMY }).await;
    let mut client = site.client().await;
    client.send("POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nhalf").await;
    let response = Response::whole(&client.rest().await);
    response.problem(Slug::Unavailable);
    assert_eq!(response.header("connection"), Some("close"));
}
