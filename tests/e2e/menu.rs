//! The menu through a pipe, in two languages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::harness::{Directory, Fake, Key, Peer, Process, Program, Reply, Request, until};

fn menu(peer: &Peer, language: &str) -> Process {
    let mut command = peer.command(&["menu"]);
    command.env("LANG", language);
    Process::spawn(&format!("{}'s menu", peer.name()), &mut command)
}

#[test]
fn one_sends_two_lists_messages_three_lists_peers_zero_quits() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    rui.send("ana", "olá, Ana");

    let mut menu = menu(&ana, "C");
    menu.type_in("1\nrui\nolá, Rui\n");
    rui.until_inbox_is(&["olá, Rui"]);
    menu.type_in("2\n");
    menu.shows("olá, Ana");
    let before = menu.stdout().len();
    menu.type_in("3\n");
    menu.stdout_until("both peers", |output| {
        let shown = &output[before..];
        (shown.contains("ana") && shown.contains("rui")).then_some(())
    });
    menu.type_in("0\n");
    assert_eq!(menu.wait(), Some(0));
}

#[test]
fn all_of_it_can_be_typed_ahead() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let finished = ana.run_with_input(&["menu"], "1\nrui\nfrom a script\n2\n3\n0\n").expect(0);
    assert!(finished.stdout.contains("rui"), "{}", finished.stdout);
    rui.until_inbox_is(&["from a script"]);
}

#[test]
fn an_unknown_choice_asks_again_and_the_end_of_input_is_the_end() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let asked = |input: &str| {
        let output = ana.run_with_input(&["menu"], input).expect(0).stdout;
        output.matches('0').count()
    };
    let once = asked("");
    assert!(once > 0, "the menu says how to quit");
    assert!(asked("9\n") > once, "9 is no choice");
    assert!(asked("hello\n\n7\n0\n") > asked("9\n"), "nor are these");
    for cut in ["1", "1\n", "1\nrui", "1\nrui\n", "1\nrui\nhalf a text", "1\nnobody of this name\nx\n"] {
        ana.run_with_input(&["menu"], cut).expect(0);
    }
}

#[test]
fn a_bad_recipient_asks_again() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let input = "1\nzeca\nto nobody\n1\nana lima\nto no name\n1\nrui\nto rui\n0\n";
    ana.run_with_input(&["menu"], input).expect(0);
    rui.until_inbox_is(&["to rui"]);
}

#[test]
fn what_arrives_meanwhile_is_shown() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let mut menu = menu(&ana, "C");
    menu.shows("0");
    rui.send("ana", "are you there?");
    menu.shows("are you there?");
    // In the middle of a question, too.
    menu.type_in("1\n");
    rui.send("ana", "hello?\u{1b}[2J");
    menu.shows("hello?");
    assert!(!menu.stdout().contains('\u{1b}'), "{:?}", menu.stdout());
    menu.type_in("rui\nyes\n0\n");
    assert_eq!(menu.wait(), Some(0));
    rui.until_inbox_is(&["yes"]);
}

#[test]
fn what_arrives_while_it_starts_is_shown_too() {
    let open = Arc::new(AtomicBool::new(false));
    let turn = Arc::clone(&open);
    let directory = Fake::answering(move |asked| {
        if asked.what == "POST /register" {
            until("the story goes on", || turn.load(Ordering::SeqCst).then_some(()));
        }
        Reply::listed(&asked.body, 60)
    });
    let ana = Peer::of(directory.url(), "ana");
    let mut command = ana.command(&["menu", "--name", "ana", "--listen", "127.0.0.1:0"]);
    let mut menu = Process::spawn("ana's menu", &mut command);
    // It receives before it is listed, and the menu opens when the directory has answered.
    let registration = until("the registration", || directory.received().first().cloned());
    let message = serde_json::json!({"from": "rui", "body": "an early bird"});
    let address = registration["address"].as_str().unwrap();
    // Who has no key would be sent away while the directory does not answer.
    Request::new(Program::Peer, reqwest::Method::POST, address, "/messages")
        .showing(&Key::new())
        .json(&message)
        .send()
        .expect(201);
    open.store(true, Ordering::SeqCst);
    menu.shows("New:");
    menu.shows("an early bird");
    menu.type_in("0\n");
    assert_eq!(menu.wait(), Some(0));
}

#[test]
fn with_the_address_of_the_daemon_it_uses_the_daemon() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let listen = ana.place();
    let arguments = ["menu", "--listen", listen];
    let finished = ana.run_with_input(&arguments, "1\nrui\nfrom the menu\n0\n").expect(0);
    assert!(finished.stderr.contains("runs in another process"), "{}", finished.stderr);
    rui.until_inbox_is(&["from the menu"]);
    assert!(directory.online().contains(&"ana".to_owned()), "the daemon is as it was");
}

#[test]
fn it_leaves_the_database_in_one_file() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    for (name, end) in [("ana", "0\n"), ("bia", "")] {
        let peer = Peer::offline(&directory, name);
        let mut command = peer.command(&["menu", "--name", name, "--listen", "127.0.0.1:0"]);
        let mut menu = Process::spawn(&format!("{name}'s menu"), &mut command);
        directory.until_online(name, true);
        rui.send(name, "oi");
        menu.shows("oi");
        menu.type_in(&format!("2\n{end}"));
        menu.end_input();
        assert_eq!(menu.wait(), Some(0), "{}", menu.stderr());
        let files = peer.folder().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
        let files: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
        assert!(files.contains(&"recado.db".to_owned()), "{files:?}");
        assert!(!files.iter().any(|name| name.ends_with("-wal") || name.ends_with("-shm")), "{files:?}");
    }
}

#[test]
fn it_speaks_portuguese_and_english() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    for (language, word, other) in [
        ("pt_PT.UTF-8", "Sair", "Quit"),
        ("pt_BR", "Sair", "Quit"),
        ("C", "Quit", "Sair"),
        ("de_DE.UTF-8", "Quit", "Sair"),
    ] {
        let mut menu = menu(&ana, language);
        menu.end_input();
        assert_eq!(menu.wait(), Some(0));
        let output = menu.stdout().to_lowercase();
        assert!(output.contains(&word.to_lowercase()), "{language}: {output}");
        assert!(!output.contains(&other.to_lowercase()), "{language}: {output}");
    }
}
