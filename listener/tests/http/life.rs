//! What a connection may keep open, who gets in, and how a listener shuts down.

use listener::Limits;
use protocol::problem::Slug;
use tokio::net::TcpStream;

use crate::kit::{LONG, ROOMY, Response, SHORT, Site, within};

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let site = Site::open(ROOMY).await;
    let mut client = site.client().await;
    for _ in 0..3 {
        client.send("POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc").await;
        assert_eq!(client.response().await.body, "abc");
    }
    client.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\nGET /source HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(client.response().await.body, "hello");
    assert_eq!(client.response().await.body, "127.0.0.1");
}

#[tokio::test]
async fn the_time_for_a_head_does_not_run_between_requests() {
    let site = Site::open(Limits { header: SHORT, body: SHORT, ..ROOMY }).await;
    let mut client = site.client().await;
    for _ in 0..2 {
        client.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert_eq!(client.response().await.body, "hello");
        tokio::time::sleep(SHORT * 2).await;
    }
}

#[tokio::test]
async fn an_event_stream_outlives_every_limit() {
    let site = Site::open(Limits { header: SHORT, body: SHORT, idle: SHORT, request: SHORT, ..ROOMY }).await;
    let mut client = site.client().await;
    client.send("GET /events HTTP/1.1\r\nhost: a\r\n\r\n").await;
    for _ in 0..2 {
        tokio::time::sleep(SHORT * 2).await;
        site.signals.go_on.notify_one();
        client.read_until("data: event\n\n").await;
    }
}

#[tokio::test]
async fn who_comes_after_the_last_place_is_told_so() {
    let site = Site::open(Limits { connections: 1, ..ROOMY }).await;
    let mut first = site.client().await;
    first.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(first.response().await.body, "hello");

    let mut second = site.client().await;
    second.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let response = Response::whole(&second.rest().await);
    response.problem(Slug::Unavailable);
    assert_eq!(response.header("retry-after"), Some("1"));

    drop(first);
    let let_in = async { while site.ask("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await.status != 200 {} };
    within("the place of the first to be free", let_in).await;
}

#[tokio::test]
async fn a_shutdown_finishes_what_runs_and_closes_what_is_idle() {
    let mut site = Site::open(ROOMY).await;
    let mut silent = site.client().await;
    let mut idle = site.client().await;
    idle.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(idle.response().await.body, "hello");
    let mut running = site.client().await;
    running.send("GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await;
    within("the request to run", site.signals.entered.notified()).await;

    site.stop();
    assert_eq!(idle.rest().await, "");
    assert_eq!(silent.rest().await, "");
    assert!(TcpStream::connect(site.address).await.is_err(), "it still accepts");

    site.signals.go_on.notify_one();
    let response = Response::whole(&running.rest().await);
    assert_eq!((response.status, response.body.as_str()), (200, "waited"));
    site.has_ended().await;
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_a_request_that_is_not_whole() {
    let mut site = Site::open(ROOMY).await;
    let mut half = site.client().await;
    half.send("GET /hello HTTP/1.1\r\nhost: a\r\n").await;
    site.serves_others().await;

    site.stop();
    Response::whole(&half.rest().await).problem(Slug::Unavailable);
    site.has_ended().await;
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let mut site = Site::open(Limits { drain: SHORT, ..ROOMY }).await;
    let mut running = site.client().await;
    running.send("GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await;
    within("the request to run", site.signals.entered.notified()).await;

    site.stop();
    tokio::time::timeout(LONG, site.has_ended()).await.unwrap();
    assert_eq!(running.rest().await, "");
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_who_leaves_an_event_stream_unread() {
    let mut site = Site::open(ROOMY).await;
    let mut reader = site.client().await;
    reader.send("GET /news HTTP/1.1\r\nhost: a\r\n\r\n").await;
    reader.read_until("\r\n\r\n").await;
    site.stop();
    site.has_ended().await;
}
