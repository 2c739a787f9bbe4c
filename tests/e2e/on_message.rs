//! `peer serve --on-message`: a command for each message, at least once, in each sender's order, and never in the way of
//! receiving.

use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::harness::{Directory, Peer, Signal, peer_command, until};

/// In one write: several scripts do it at once.
const APPENDS: &str = r#"printf '%s\n' "$(cat)" >> said"#;

/// A folder in which a script runs for each message.
struct Bot {
    folder: TempDir,
}

impl Bot {
    /// `script` finds itself in the folder.
    fn new(script: &str) -> Self {
        let bot = Self { folder: tempfile::tempdir().unwrap() };
        bot.is(script);
        bot
    }

    /// From the next start on it is this script.
    fn is(&self, script: &str) {
        let script = format!("#!/bin/sh\ncd {} || exit 9\n{script}\n", self.folder.path().display());
        let path = self.path("script");
        fs::write(&path, script).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Serves with the script.
    fn serve(&self, peer: &mut Peer) {
        peer.serve_with(&["--on-message", self.path("script").to_str().unwrap()]);
    }

    fn lines(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until so many lines are in the file.
    #[track_caller]
    fn until_lines(&self, file: &str, count: usize) -> Vec<String> {
        until(&format!("{count} lines in {file}"), || {
            let lines = self.lines(file);
            assert!(lines.len() <= count, "more than expected: {lines:?}");
            (lines.len() == count).then_some(lines)
        })
    }

    /// A pipe with a name, at which a script can wait.
    fn fifo(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }
}

/// Somebody without a key leaves a message.
fn leave(peer: &Peer, from: &str, body: &str) -> String {
    let answer = peer.leave(&json!({ "from": from, "body": body })).expect(201);
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_command_is_told_everything_and_nothing_of_it_is_read_by_a_shell() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let mut rui = Peer::offline(&directory, "rui");
    let bot = Bot::new(
        r#"body=$(cat)
echo "$# $RECADO_ID $RECADO_FROM $RECADO_TO $RECADO_VERIFIED [$RECADO_FINGERPRINT] [$RECADO_REPLY_TO] ${RECADO_SENT_AT:+sent} ${RECADO_RECEIVED_AT:+received} [$RECADO_INVITE] $body" >> told"#,
    );
    bot.serve(&mut rui);
    let first = ana.send("rui", "$(touch pwned) `touch pwned`; touch pwned");
    bot.until_lines("told", 1);
    let (hostile, answered) = ("\u{1b}]0;x\u{7} ' \" \\ * ~ $HOME", "018f0000-0000-7000-8000-000000000001");
    let message = json!({ "from": "nobody", "body": hostile, "reply_to": answered });
    let second = rui.leave(&message).expect(201).json()["id"].as_str().unwrap().to_owned();
    let told = bot.until_lines("told", 2);
    let key = ana.fingerprint();
    assert_eq!(
        told[0],
        format!(
            "0 {} ana rui true [{key}] [] sent received [] $(touch pwned) `touch pwned`; touch pwned",
            first.id
        )
    );
    assert_eq!(told[1], format!("0 {second} nobody rui false [] [{answered}]  received [] {hostile}"));
    assert!(!bot.path("pwned").exists());
}

#[test]
fn what_was_kept_before_is_not_the_commands_business() {
    let mut rui = Peer::of("none", "rui");
    rui.serve();
    leave(&rui, "ana", "before the first");
    assert_eq!(rui.stop(), Some(0));
    let bot = Bot::new(APPENDS);
    bot.serve(&mut rui);
    leave(&rui, "ana", "one");
    bot.until_lines("said", 1);
    assert_eq!(rui.stop(), Some(0));
    rui.serve();
    leave(&rui, "ana", "without the command");
    assert_eq!(rui.stop(), Some(0));
    bot.serve(&mut rui);
    leave(&rui, "ana", "two");
    assert_eq!(bot.until_lines("said", 2), ["one", "two"]);
}

#[test]
fn the_menu_leaves_what_waits_to_the_next_daemon() {
    let mut rui = Peer::of("none", "rui");
    let bot = Bot::new("echo begun >> begun; read -r word < gate; exit 1");
    let gate = bot.fifo("gate");
    bot.serve(&mut rui);
    leave(&rui, "ana", "waits");
    bot.until_lines("begun", 1);
    rui.kill();
    drop(fs::OpenOptions::new().read(true).write(true).open(gate).unwrap());
    rui.run_with_input(&["menu", "--listen", "127.0.0.1:0"], "0\n").expect(0);
    bot.is(APPENDS);
    bot.serve(&mut rui);
    assert_eq!(bot.until_lines("said", 1), ["waits"]);
}

#[test]
fn whoever_is_killed_before_the_command_runs_it_at_the_next_start() {
    let mut rui = Peer::of("none", "rui");
    // It waits before it does anything, and dies with this story's end of the pipe.
    let bot = Bot::new("echo begun >> begun; read -r word < gate; exit 1");
    let gate = bot.fifo("gate");
    bot.serve(&mut rui);
    for number in 1..=10 {
        leave(&rui, "ana", &format!("ana {number}"));
        leave(&rui, "bia", &format!("bia {number}"));
    }
    bot.until_lines("begun", 2);
    rui.kill();
    drop(fs::OpenOptions::new().read(true).write(true).open(gate).unwrap());
    bot.is(APPENDS);
    bot.serve(&mut rui);
    let said = bot.until_lines("said", 20);
    for sender in ["ana", "bia"] {
        let theirs: Vec<_> = said.iter().filter(|line| line.starts_with(sender)).cloned().collect();
        let written: Vec<_> = (1..=10).map(|number| format!("{sender} {number}")).collect();
        assert_eq!(theirs, written);
    }
    assert_eq!(rui.stop(), Some(0));
    bot.serve(&mut rui);
    leave(&rui, "ana", "after all");
    assert_eq!(bot.until_lines("said", 21)[20], "after all", "and nothing is run again");
}

#[test]
fn a_crowd_is_served_four_at_a_time_and_each_in_order() {
    let mut rui = Peer::of("none", "rui");
    let bot = Bot::new(
        r#"mkdir "run.$RECADO_ID"
set -- run.*
echo $# >> busy
body=$(cat)
echo "$RECADO_FROM $body" >> said
rmdir "run.$RECADO_ID""#,
    );
    bot.serve(&mut rui);
    for number in 1..=6 {
        for sender in 1..=8 {
            leave(&rui, &format!("sender-{sender}"), &number.to_string());
        }
    }
    let said = bot.until_lines("said", 48);
    for sender in 1..=8 {
        let name = format!("sender-{sender} ");
        let theirs: Vec<_> = said.iter().filter_map(|line| line.strip_prefix(&name)).collect();
        assert_eq!(theirs, ["1", "2", "3", "4", "5", "6"], "{name}");
    }
    let busiest = bot.lines("busy").iter().map(|count| count.parse::<usize>().unwrap()).max();
    assert!(matches!(busiest, Some(2..=4)), "{busiest:?} at once");
}

#[test]
fn a_command_that_fails_is_logged_and_holds_up_nothing() {
    let mut rui = Peer::of("none", "rui");
    let bot = Bot::new(
        r#"body=$(cat)
echo "$body" >> said
echo "$body"
printf 'could not \033[2J%s\n' "$RECADO_FROM" >&2
exit 7"#,
    );
    bot.serve(&mut rui);
    let first = leave(&rui, "ana", "a body that is nobody else's business");
    let second = leave(&rui, "ana", "another one");
    bot.until_lines("said", 2);
    for id in [&first, &second] {
        rui.daemon().stderr_until("both failures", |log| {
            log.lines()
                .any(|line| line.contains(id) && line.contains("failed") && line.contains("exit status: 7"))
                .then_some(())
        });
    }
    assert_eq!(rui.stop(), Some(0));
}

#[test]
fn what_a_command_says_is_harmless_and_what_it_reads_is_in_no_log() {
    let mut rui = Peer::of("none", "rui");
    let bot = Bot::new(r#"tee -a said; printf 'about \033[2J%s\n' "$RECADO_FROM" >&2"#);
    bot.serve(&mut rui);
    leave(&rui, "ana", "a body that is nobody else's business\n");
    bot.until_lines("said", 1);
    rui.daemon().stderr_until("its words", |log| log.contains("[2Jana").then_some(()));
    rui.daemon().signal(Signal::TERM);
    assert_eq!(rui.daemon().wait(), Some(0));
    let log = rui.daemon().stderr();
    assert!(!log.contains("nobody else") && !log.contains('\u{1b}'), "{log}");
}

#[test]
fn a_command_that_hangs_holds_up_its_sender_only_and_ends_with_the_peer() {
    let mut rui = Peer::of("none", "rui");
    let bot = Bot::new(
        r#"[ "$RECADO_FROM" != eve ] || { echo held > held; exec sleep 1000 > held; }; printf "%s\n" "$(cat)" >> said"#,
    );
    let held = bot.fifo("held");
    bot.serve(&mut rui);
    leave(&rui, "eve", "hang");
    leave(&rui, "eve", "and again");
    let held = std::thread::spawn(move || fs::read_to_string(held).unwrap());
    for number in 1..=5 {
        leave(&rui, "ana", &number.to_string());
    }
    assert_eq!(bot.until_lines("said", 5), ["1", "2", "3", "4", "5"]);
    // The first one asks, the second one insists.
    rui.signal(Signal::INT);
    until("nobody listens any more", || TcpStream::connect(rui.place()).err());
    rui.signal(Signal::INT);
    assert_eq!(rui.daemon().wait(), Some(130));
    until("nobody holds the pipe", || held.is_finished().then_some(()));
    assert_eq!(
        held.join().unwrap(),
        "held\n",
        "the command that hung is dead, and the next one was not begun"
    );
}

#[test]
fn a_bot_answers() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let mut rui = Peer::offline(&directory, "rui");
    let program = peer_command().get_program().to_str().unwrap().to_owned();
    let bot = Bot::new(&format!(r#"{program} send -- "$RECADO_FROM" "you said: $(cat)""#));
    bot.serve(&mut rui);
    directory.until_online("rui", true);
    for word in ["one", "two", "three"] {
        assert_eq!(ana.send("rui", word).state, "delivered");
    }
    ana.until_inbox_is(&["you said: one", "you said: two", "you said: three"]);
    // A name may look like a flag: it is one where the script does not say that flags are over.
    let id = leave(&rui, "--all", "answer everybody");
    rui.daemon().stderr_until("nobody has that name", |log| {
        log.lines().any(|line| line.contains(&id) && line.contains("exit status: 5")).then_some(())
    });
    assert_eq!(ana.inbox_bodies().len(), 3);
}

#[test]
fn a_program_that_is_not_there_is_wrong_usage() {
    let rui = Peer::of("none", "rui");
    for (command, said) in
        [("no-such-program --flag", "no-such-program"), ("", "names no program"), ("sh -c 'oops", "quote")]
    {
        let finished = rui.run(&["serve", "--name", "rui", "--on-message", command]).expect(2);
        assert!(finished.stderr.contains(said), "{}", finished.stderr);
    }
    assert!(!rui.folder().join("recado.db").exists(), "nothing was begun");
}
