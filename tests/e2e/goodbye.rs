//! SIGTERM is a good-bye: deregistered, finished, zero.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::harness::{DEADLINE, Directory, Peer, Signal, until};

#[test]
fn a_peer_that_is_told_to_stop_is_offline_at_once() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    for signal in [Signal::TERM, Signal::INT] {
        let mut ana = Peer::start(&directory, &format!("ana{}", signal.as_raw()));
        ana.signal(signal);
        assert_eq!(ana.daemon().wait(), Some(0));
        assert!(
            !ana.folder().join("recado.db-wal").exists(),
            "the database is closed, and whole in its file"
        );
        assert_eq!(directory.online(), ["rui"], "with a lease of 60 s it would still be listed");
        let claim = directory.get(&format!("/peers/{}", ana.name())).expect(200);
        assert_eq!(claim.json()["online"], false, "the claim stays");
    }
    drop(rui);
}

#[test]
fn a_directory_that_is_told_to_stop_ends_with_zero() {
    let mut directory = Directory::start();
    let _ana = Peer::start(&directory, "ana");
    assert_eq!(directory.stop(), Some(0));
    assert_eq!(
        directory.process().stdout(),
        format!("directory {}\n", directory.url()),
        "the ready line, alone"
    );
    directory.start_again();
    assert_eq!(directory.online(), ["ana"]);
}

#[test]
fn a_directory_that_is_interrupted_twice_waits_for_nothing() {
    let mut directory =
        Directory::with(&["--drain-timeout", "10m", "--body-timeout", "10m", "--request-timeout", "10m"]);
    let mut stream = TcpStream::connect(directory.url().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let head = "POST /register HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\
                expect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    // The interim answer proves that the request is being served.
    stream.read_exact(&mut [0; 25]).unwrap();
    directory.process().signal(Signal::INT);
    until("it takes no more", || {
        TcpStream::connect(directory.url().trim_start_matches("http://")).is_err().then_some(())
    });
    assert!(directory.process().runs(), "the request is under way");
    directory.process().signal(Signal::INT);
    assert_eq!(directory.process().wait(), Some(130));
}

#[test]
fn a_peer_without_its_directory_still_says_good_bye() {
    let mut directory = Directory::start();
    let mut ana = Peer::start(&directory, "ana");
    directory.kill();
    assert_eq!(ana.stop(), Some(0));
}

#[test]
fn what_is_under_way_is_finished_first() {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    let body = r#"{"from":"ci","body":"half now, half later"}"#;
    let (half, rest) = body.split_at(20);
    let mut stream = TcpStream::connect(rui.place()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let head = format!(
        "POST /messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The interim answer proves that the request is being served.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&interim));
    stream.write_all(half.as_bytes()).unwrap();
    rui.signal(Signal::TERM);
    // It has begun to stop when it is listed no more, or accepts nobody.
    super::harness::until("rui has begun to stop", || {
        let listed = directory.online().contains(&"rui".to_owned());
        (!listed || TcpStream::connect(rui.place()).is_err()).then_some(())
    });
    stream.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(rui.daemon().wait(), Some(0));
    assert_eq!(rui.inbox_bodies(), ["half now, half later"]);
}
