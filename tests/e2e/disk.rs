//! A disk that fails, is full, or takes its time: strace injects it into a running peer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use protocol::Slug;
use serde_json::json;

use super::harness::{DEADLINE, Directory, Peer, inject};

/// Leaves a message and keeps its text if the peer says that it is kept.
#[track_caller]
fn leave(rui: &Peer, text: &str, kept: &mut Vec<String>) {
    rui.leave(&json!({"from": "ci", "body": text})).expect(201);
    kept.push(text.to_owned());
}

/// A fault meets a peer that works, refuses what cannot be kept, and works again when the fault has gone.
fn a_fault_is_survived(calls: &str, fault: &str, refusal: Slug) {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    let mut kept = Vec::new();
    leave(&rui, "before", &mut kept);
    let Some(strace) = inject(&mut rui, calls, fault) else { return };
    for text in ["lost", "lost too", "lost as well"] {
        let answer = rui.leave(&json!({"from": "ci", "body": text})).expect_problem(refusal);
        assert_eq!(answer.header("retry-after").is_some(), refusal == Slug::Unavailable, "{answer:?}");
        rui.get("/health").expect(200);
    }
    strace.end();
    let log = rui.daemon().stderr();
    for (word, most) in [
        ("a commit failed", 1),
        ("cannot be kept", 1),
        ("could not be kept", 0),
        ("is refused", 1),
        ("answered", 0),
    ] {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(word)).collect();
        assert!(lines.len() <= most, "who sends on meanwhile writes no log: {lines:#?}");
    }
    for text in ["after", "and on"] {
        leave(&rui, text, &mut kept);
    }
    assert_eq!(rui.inbox_bodies(), kept);
    assert_eq!(rui.stop(), Some(0));
    rui.serve();
    assert_eq!(rui.inbox_bodies(), kept);
}

#[test]
fn what_the_disk_does_not_take_is_not_acknowledged() {
    a_fault_is_survived("fsync,fdatasync", "error=EIO", Slug::Unavailable);
}

#[test]
fn a_full_disk_is_said_to_be_full() {
    a_fault_is_survived("pwrite64", "error=ENOSPC", Slug::StorageFull);
}

#[test]
fn a_slow_disk_makes_only_the_message_wait() {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    // Longer than any story: it is over when strace ends.
    let Some(strace) = inject(&mut rui, "fsync,fdatasync", "delay_enter=60000000") else { return };
    let text = "in my own time";
    let body = json!({"from": "ci", "body": text}).to_string();
    let mut stream = TcpStream::connect(rui.place()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let request = format!(
        "POST /messages HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    // A checkpoint syncs too, by and by: what counts is the sync behind the text.
    strace.until("the sync", |said| said.split_once(text)?.1.contains("sync(").then_some(()));
    rui.get("/health").expect(200);
    assert!(rui.inbox_bodies().is_empty(), "other processes are not held up either");
    stream.set_nonblocking(true).unwrap();
    let early = stream.read(&mut [0; 1]);
    assert!(early.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "answered unsynced");
    strace.end();

    stream.set_nonblocking(false).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(rui.inbox_bodies(), [text]);
}
