//! Where a request came from, when proxies stand between: the directory lists who asked, not who passed it on.

use protocol::Slug;
use reqwest::Method;
use serde_json::json;

use super::harness::{Answer, Directory, new_token};

/// Somebody who asks to be listed "where you see me", through proxies that say so in these headers.
fn seen(directory: &Directory, headers: &[(&'static str, &str)]) -> Answer {
    let mut request = directory.request(Method::POST, "/register").bearer(&new_token());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let name = format!("ana-{}", uuid::Uuid::now_v7().simple());
    request.json(&json!({"name": name, "address": "http://0.0.0.0:7101"})).send()
}

#[test]
fn a_trusted_proxy_says_where_a_peer_is_seen() {
    let directory = Directory::with(&[
        "--trusted-proxy",
        "127.0.0.1,10.0.0.0/8",
        "--trusted-proxy",
        "2001:db8:ffff::/48",
    ]);
    for (headers, address) in [
        (&[("x-forwarded-for", "203.0.113.7")] as &[_], "http://203.0.113.7:7101"),
        (&[("x-forwarded-for", "192.0.2.66, 203.0.113.7, 10.9.9.9")], "http://203.0.113.7:7101"),
        (
            &[("x-forwarded-for", "192.0.2.66"), ("x-forwarded-for", "203.0.113.7, 10.9.9.9")],
            "http://203.0.113.7:7101",
        ),
        (
            &[("forwarded", "for=192.0.2.66, for=\"[2001:db8::7]:5\", for=10.9.9.9")],
            "http://[2001:db8::7]:7101",
        ),
        (&[("forwarded", "for=\"[2001:db8:ffff::2]\"")], "http://[2001:db8:ffff::2]:7101"),
        (&[], "http://127.0.0.1:7101"),
    ] {
        assert_eq!(seen(&directory, headers).expect(201).text("address"), address, "{headers:?}");
    }
    // Seen by a proxy, this is the proxy's own machine.
    seen(&directory, &[("x-forwarded-for", "::1")]).expect_problem(Slug::InvalidAddress);
    for headers in [
        &[("x-forwarded-for", "203.0.113.7, unknown")] as &[_],
        &[("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=192.0.2.66")],
    ] {
        let problem = seen(&directory, headers).expect_problem(Slug::InvalidAddress);
        assert!(problem.text("detail").contains("proxy"), "{headers:?}");
    }
}

#[test]
fn nobody_else_is_believed_or_taken_for_local() {
    let directory = Directory::with(&["--trusted-proxy", "10.0.0.0/8"]);
    for header in [("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=203.0.113.7")] {
        seen(&directory, &[header]).expect_problem(Slug::InvalidAddress);
    }
    assert_eq!(seen(&directory, &[]).expect(201).text("address"), "http://127.0.0.1:7101");
}
