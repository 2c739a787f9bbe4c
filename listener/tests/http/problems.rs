//! Every error is a problem.

use protocol::problem::Slug;

use crate::kit::{ROOMY, Response, Site};

fn post(path: &str, headers: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: a\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn json(body: &str) -> String {
    post("/note", "content-type: application/json\r\n", body)
}

#[tokio::test]
async fn what_a_router_does_not_know_is_a_problem() {
    let site = Site::open(ROOMY).await;
    site.ask("GET /nothing HTTP/1.1\r\nhost: a\r\n\r\n").await.problem(Slug::NotFound);
    let wrong_method = site.ask("DELETE /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
    wrong_method.problem(Slug::MethodNotAllowed);
    assert_eq!(wrong_method.header("allow"), Some("GET,HEAD"));
}

#[tokio::test]
async fn a_body_that_is_not_taken_is_a_problem() {
    let site = Site::open(ROOMY).await;
    assert_eq!(site.ask(json("{\"text\":\"hi\"}")).await.body, "{\"text\":\"hi\"}");
    let form = site.ask(post("/note", "content-type: application/x-www-form-urlencoded\r\n", "{}")).await;
    assert!(form.problem(Slug::UnsupportedMediaType).contains("curl --json"));
    assert!(site.ask(json("{\"text\":}")).await.problem(Slug::BadJson).contains("line 1 column 9"));
    assert!(site.ask(json("{\"text\":1}")).await.problem(Slug::InvalidMessage).contains("line 1 column 9"));
    site.ask(json("{\"text\":\"hi\"} x")).await.problem(Slug::BadJson);
}

#[tokio::test]
async fn a_body_that_is_not_utf8_is_a_problem_even_where_nobody_looks() {
    let site = Site::open(ROOMY).await;
    let mut client = site.client().await;
    client
        .send(
            "POST /note HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 25\r\n\r\n",
        )
        .await;
    client.send(b"{\"text\":\"hi\",\"other\":\"\xff\"} ").await;
    assert!(client.response().await.problem(Slug::BadJson).contains("none at line 1 column 23"));
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_unread() {
    let site = Site::open(ROOMY).await;
    let mut client = site.client().await;
    client
        .send("POST /note HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1025\r\n\r\n")
        .await;
    let response = client.response().await;
    response.problem(Slug::TooLarge);
    assert_eq!(response.header("connection"), Some("close"));
    client.rest().await;
}

#[tokio::test]
async fn a_body_that_grows_too_much_is_refused() {
    let site = Site::open(ROOMY).await;
    let mut client = site.client().await;
    client
        .send("POST /note HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    client.send(format!("401\r\n{}\r\n", " ".repeat(0x401))).await;
    client.response().await.problem(Slug::TooLarge);
}

#[tokio::test]
async fn who_first_sends_all_and_then_reads_still_gets_its_refusal() {
    let site = Site::open(ROOMY).await;
    let mut client = site.client().await;
    let length = 8 * 1024 * 1024;
    client
        .send(format!(
            "POST /note HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        ))
        .await;
    client.send(vec![b' '; length]).await;
    Response::whole(&client.rest().await).problem(Slug::TooLarge);
}

#[tokio::test]
async fn a_chunk_that_is_none_is_a_problem() {
    let site = Site::open(ROOMY).await;
    let head = "POST /note HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    site.ask(format!("{head}oops\r\n")).await.problem(Slug::BadRequest);
}

#[tokio::test]
async fn what_axum_refuses_by_itself_is_a_problem() {
    let site = Site::open(ROOMY).await;
    site.ask(post("/bytes", "", &"x".repeat(3_000_000))).await.problem(Slug::TooLarge);
}

#[tokio::test]
async fn a_query_of_another_shape_is_a_problem() {
    let site = Site::open(ROOMY).await;
    assert_eq!(site.ask("GET /page?limit=5 HTTP/1.1\r\nhost: a\r\n\r\n").await.body, "5");
    site.ask("GET /page HTTP/1.1\r\nhost: a\r\n\r\n").await.problem(Slug::InvalidQuery);
    assert!(
        site.ask("GET /page?limit=many HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .problem(Slug::InvalidQuery)
            .contains("limit")
    );
}

#[tokio::test]
async fn a_panic_is_a_problem_and_harms_nobody() {
    let site = Site::open(ROOMY).await;
    let mut client = site.client().await;
    client.send("GET /panic HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let detail = client.response().await.problem(Slug::Internal);
    assert!(!detail.contains("as asked"), "the inside of a 500 is not sent: {detail}");
    client.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(client.response().await.body, "hello");
}

#[tokio::test]
async fn what_is_not_http_is_a_problem() {
    let site = Site::open(ROOMY).await;
    let not_http = [
        "oops\r\n\r\n",
        "GET /hello HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n",
        "GET /hello HTTP/3.7\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "POST /note HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        "\u{16}\u{3}\u{1}",
    ];
    for bytes in not_http {
        let mut client = site.client().await;
        client.send(bytes).await;
        Response::whole(&client.rest().await).problem(Slug::BadRequest);
    }
}

#[tokio::test]
async fn what_follows_a_request_and_is_not_http_is_a_problem() {
    let site = Site::open(ROOMY).await;
    let mut client = site.client().await;
    client.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(client.response().await.body, "hello");
    client.send("oops\r\n\r\n").await;
    Response::whole(&client.rest().await).problem(Slug::BadRequest);
}

#[tokio::test]
async fn what_comes_in_one_packet_with_a_request_and_is_not_http_is_a_problem() {
    let site = Site::open(ROOMY).await;
    let long = format!("GET /hello HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(17 * 1024));
    for (bytes, slug) in [("oops\r\n\r\n", Slug::BadRequest), (&long, Slug::TooLarge)] {
        let mut client = site.client().await;
        client.send(format!("POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc{bytes}")).await;
        assert_eq!(client.response().await.body, "abc");
        Response::whole(&client.rest().await).problem(slug);
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_a_problem() {
    let site = Site::open(ROOMY).await;
    let long = format!("GET /hello HTTP/1.1\r\nhost: a\r\nx: {}", "x".repeat(17 * 1024));
    let mut client = site.client().await;
    client.send(long).await;
    Response::whole(&client.rest().await).problem(Slug::TooLarge);
    for lines in [64, 100] {
        let many = format!("GET /hello HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(lines));
        site.ask(many).await.problem(Slug::TooLarge);
    }
    let enough = format!("GET /hello HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(63));
    assert_eq!(site.ask(enough).await.body, "hello");
}

#[tokio::test]
async fn a_request_names_one_host() {
    let site = Site::open(ROOMY).await;
    for hosts in ["host: a\r\n", "host: [::1]:80\r\n", "host:\r\n"] {
        assert_eq!(site.ask(format!("GET /hello HTTP/1.1\r\n{hosts}\r\n")).await.body, "hello", "{hosts}");
    }
    for hosts in ["", "host: a\r\nhost: a\r\n", "host: a b\r\n", "host: a/b\r\n"] {
        for version in ["1.0", "1.1"] {
            let answer = site.ask(format!("GET /hello HTTP/{version}\r\n{hosts}\r\n")).await;
            // HTTP/1.0 is older than the header.
            if hosts.is_empty() && version == "1.0" {
                assert_eq!(answer.body, "hello");
            } else {
                assert!(answer.problem(Slug::BadRequest).contains("Host"), "{version} {hosts}");
            }
        }
    }
}

#[tokio::test]
async fn a_coded_body_is_a_problem() {
    let site = Site::open(ROOMY).await;
    let post = "POST /note HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 2";
    let coded = site.ask(format!("{post}\r\ncontent-encoding: gzip\r\n\r\n{{}}")).await;
    assert!(coded.problem(Slug::UnsupportedMediaType).contains("Content-Encoding"));
}

#[tokio::test]
async fn a_request_keeps_its_valid_id() {
    let site = Site::open(ROOMY).await;
    let longest = "x".repeat(64);
    let kept = site.ask(format!("GET /hello HTTP/1.1\r\nhost: a\r\nx-request-id: {longest}\r\n\r\n")).await;
    assert_eq!(kept.header("x-request-id"), Some(longest.as_str()));
    for invalid in ["", "with space", "ümläut", &"x".repeat(65)] {
        let response =
            site.ask(format!("GET /hello HTTP/1.1\r\nhost: a\r\nx-request-id: {invalid}\r\n\r\n")).await;
        let id: uuid::Uuid = response.header("x-request-id").unwrap().parse().unwrap();
        assert_eq!(id.get_version_num(), 7);
    }
}
