//! Clients that stall or drip.

use listener::Limits;
use protocol::problem::Slug;

use crate::kit::{ROOMY, Response, SHORT, Site, within};

const POST: &str =
    "POST /note HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";

fn short_header() -> Limits {
    Limits { header: SHORT, ..ROOMY }
}

fn short_body() -> Limits {
    Limits { body: SHORT, ..ROOMY }
}

fn short_idle() -> Limits {
    Limits { idle: SHORT, ..ROOMY }
}

#[tokio::test]
async fn a_client_that_sends_nothing_is_hung_up_on() {
    let site = Site::open(Limits { handshake: SHORT, ..ROOMY }).await;
    let mut client = site.client().await;
    site.serves_others().await;
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn half_a_head_is_answered_and_closed() {
    let site = Site::open(short_header()).await;
    let mut client = site.client().await;
    client.send("GET /hello HTTP/1.1\r\nhost:").await;
    site.serves_others().await;
    Response::whole(&client.rest().await).problem(Slug::Timeout);
}

#[tokio::test]
async fn dripping_does_not_extend_a_head() {
    let site = Site::open(short_header()).await;
    let mut client = site.client().await;
    client.send("GET /hello HTTP/1.1\r\nhost: a\r\nx: ").await;
    site.serves_others().await;
    Response::whole(&client.drip(b'x').await).problem(Slug::Timeout);
}

#[tokio::test]
async fn a_later_head_has_no_more_time_than_the_first() {
    let site = Site::open(short_header()).await;
    let mut client = site.client().await;
    client.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(client.response().await.body, "hello");
    client.send("GET /hello HTTP/1.1\r\nhost: a\r\nx: ").await;
    site.serves_others().await;
    Response::whole(&client.drip(b'x').await).problem(Slug::Timeout);
}

#[tokio::test]
async fn half_a_body_is_answered_and_closed() {
    let site = Site::open(short_body()).await;
    let mut client = site.client().await;
    client.send(format!("{POST}{{\"text\": ")).await;
    site.serves_others().await;
    let response = Response::whole(&client.rest().await);
    response.problem(Slug::Timeout);
    assert_eq!(response.header("connection"), Some("close"));
}

#[tokio::test]
async fn dripping_does_not_extend_a_body() {
    let site = Site::open(short_body()).await;
    let mut client = site.client().await;
    client.send(POST).await;
    site.serves_others().await;
    Response::whole(&client.drip(b' ').await).problem(Slug::Timeout);
}

#[tokio::test]
async fn a_slow_body_is_not_waited_for_by_axum_either() {
    let site = Site::open(short_body()).await;
    let mut client = site.client().await;
    client.send("POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nhalf").await;
    site.serves_others().await;
    // axum has no word for a body that failed, so this is a 400.
    Response::whole(&client.rest().await).problem(Slug::BadRequest);
}

#[tokio::test]
async fn a_slow_body_that_nobody_reads_does_not_hold_its_connection() {
    let site = Site::open(ROOMY).await;
    let mut client = site.client().await;
    client.send("POST /ignore HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nhalf").await;
    site.serves_others().await;
    assert_eq!(Response::whole(&client.rest().await).body, "not read");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let site = Site::open(short_idle()).await;
    let mut client = site.client().await;
    client.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(client.response().await.body, "hello");
    site.serves_others().await;
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_up() {
    let site = Site::open(short_idle()).await;
    let mut client = site.client().await;
    client.send("GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").await;
    site.serves_others().await;
    within("the response to be dropped", site.signals.dropped.notified()).await;
}
