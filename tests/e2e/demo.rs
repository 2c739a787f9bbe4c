//! The demo shows an exchange, stays open, and leaves nothing behind.

use std::process::Command;

use tempfile::TempDir;

use super::harness::{Finished, Process, Program, Request, Signal, peer_command};

#[test]
fn the_demo_shows_an_exchange_stays_open_and_cleans_up() {
    let folder = TempDir::with_prefix("recado-demo-test-").unwrap();
    let mut command = peer_command();
    command.env("TMPDIR", folder.path()).arg("demo");
    let mut demo = Process::spawn("the demo", &mut command);

    // The commands to play with come last; curl is among them.
    let curl = demo.stdout_until("a curl command", |output| {
        let lines = output.rsplit_once('\n')?.0;
        lines.lines().find(|line| line.contains("curl ") && line.contains("/messages")).map(str::to_owned)
    });
    let url = curl
        .split(|character: char| character.is_whitespace() || "'\"".contains(character))
        .find(|word| word.ends_with("/messages"))
        .expect("a URL");
    let base = url.trim_end_matches("/messages");
    let who =
        Request::new(Program::Peer, reqwest::Method::GET, base, "/identity").send().expect(200).text("name");
    Request::new(Program::Peer, reqwest::Method::POST, base, "/messages")
        .json(&serde_json::json!({"from": "visitor", "body": "hello, demo"}))
        .send()
        .expect(201);

    // As it is shown, it can be typed.
    let shown = demo.stdout_until("a command that shows a history", |output| {
        let lines = output.rsplit_once('\n')?.0;
        lines.lines().find(|line| line.contains("--data-dir") && line.contains("history")).map(str::to_owned)
    });
    let mut shell = Command::new("sh");
    let finished = Finished::of(&shown, shell.arg("-c").arg(shown.trim()), "").expect(0);
    assert!(finished.stdout.lines().count() >= 3, "an exchange took place: {}", finished.stdout);

    assert!(demo.runs(), "it stays open");
    assert!(!who.is_empty());
    assert!(folder.path().read_dir().unwrap().next().is_some());
    demo.signal(Signal::INT);
    assert_eq!(demo.wait(), Some(0));
    let left: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    let gone = Request::new(Program::Peer, reqwest::Method::GET, base, "/identity").try_send();
    assert!(gone.is_err(), "nothing listens any more");
}
