//! What one client may take of either program, as its flags say. How each limit works in every case is tested in `listener`;
//! here it is seen that the flags reach it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use protocol::Slug;

use super::harness::{DEADLINE, Directory, Peer, Program, raw, until};

/// The two programs, with the same flags.
fn each_with(flags: &[&str], story: impl Fn(Program, &str)) {
    story(Program::Directory, Directory::with(flags).url());
    let mut peer = Peer::of("none", "ana");
    peer.serve_with(flags);
    story(Program::Peer, &peer.plain());
}

const HEALTH: (&str, &str) = ("GET", "/health");

fn health(headers: &str) -> String {
    format!("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n")
}

/// All that is said to a client that goes silent after these bytes.
fn silent_after(url: &str, bytes: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

#[test]
fn heads_and_bodies_are_as_long_as_the_flags_allow() {
    let flags = ["--max-headers", "4", "--max-header-bytes", "1KiB", "--max-body", "100"];
    each_with(&flags, |program, url| {
        let ask = |headers: &str| raw(program, url, HEALTH, health(headers).as_bytes());
        ask("a: 1\r\nb: 2\r\n").expect(200);
        ask("a: 1\r\nb: 2\r\nc: 3\r\n").expect_problem(Slug::TooLarge);
        ask(&format!("a: {}\r\n", "x".repeat(1024))).expect_problem(Slug::TooLarge);
        let path = if program == Program::Directory { "/register" } else { "/messages" };
        let post = |length: usize| {
            let body = format!("{:length$}", "{}");
            let head = "host: localhost\r\ncontent-type: application/json\r\nconnection: close";
            let request = format!("POST {path} HTTP/1.1\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}");
            raw(program, url, ("POST", path), request.as_bytes())
        };
        post(100).expect(422);
        post(101).expect_problem(Slug::TooLarge);
    });
}

#[test]
fn who_is_slow_has_the_time_that_the_flags_give() {
    // Each limit is a fraction of a second where it is met, and a day elsewhere.
    let others = |met: &str| {
        let names = ["handshake", "header", "body", "idle", "request"];
        let time = |name: &str| if name == met { "300ms" } else { "1d" };
        names.map(|name| format!("--{name}-timeout={}", time(name))).to_vec()
    };
    let head = "GET /health HTTP/1.1\r\nhost: localhost\r\n";
    let half = "POST /register HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    let half = |program| {
        if program == Program::Peer { half.replace("register", "messages") } else { half.to_owned() }
    };
    for (met, bytes, status) in [
        ("handshake", Box::new(|_| String::new()) as Box<dyn Fn(Program) -> String>, ""),
        ("header", Box::new(|_| head.to_owned()), "408"),
        ("body", Box::new(half), "408"),
        ("idle", Box::new(|_| format!("{head}\r\n")), "200"),
        ("request", Box::new(half), "503"),
    ] {
        let flags = others(met);
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        each_with(&flags, |program, url| {
            let said = silent_after(url, &bytes(program));
            assert_eq!(said.split(' ').nth(1).unwrap_or_default(), status, "{met} of {program:?}: {said}");
        });
    }
}

#[test]
fn there_are_as_many_connections_and_requests_as_the_flags_allow() {
    each_with(&["--max-connections", "2", "--max-requests-per-source", "1"], |program, url| {
        // What asks for somebody else is not exempt as this machine is.
        let ask = || raw(program, url, HEALTH, health("x-forwarded-for: 192.0.2.1\r\n").as_bytes());
        let refused = until("a refusal", || Some(ask()).filter(|answer| answer.status == 429));
        let refused = refused.expect_problem(Slug::RateLimited);
        assert_eq!(refused.header("retry-after"), Some("1"));
        raw(program, url, HEALTH, health("").as_bytes()).expect(200);

        let address = url.trim_start_matches("http://");
        let held = [TcpStream::connect(address).unwrap(), TcpStream::connect(address).unwrap()];
        let refused = raw(program, url, HEALTH, health("").as_bytes());
        refused.expect_problem(Slug::Unavailable);
        drop(held);
        until("a place is free again", || {
            (raw(program, url, HEALTH, health("").as_bytes()).status == 200).then_some(())
        });
    });
}
