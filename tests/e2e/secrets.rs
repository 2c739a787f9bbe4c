//! What nobody else may read: keys, tokens, messages. Not in logs, not in the list of processes, not in the files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use protocol::Slug;
use serde_json::{Value, json};

use super::harness::{Directory, Key, Peer, Process};

const BODY: &str = "the-body-of-a-message";

/// The base64 lines of a private key in PEM.
fn private_lines(file: &Path) -> Vec<String> {
    let pem = std::fs::read_to_string(file).unwrap();
    let (_, rest) = pem.split_once("PRIVATE KEY-----\n").unwrap();
    rest.split("-----END").next().unwrap().lines().map(str::to_owned).collect()
}

/// Each token in a peer's file.
fn tokens(peer: &Peer) -> Vec<String> {
    let file = std::fs::read(peer.folder().join("tokens.json")).unwrap();
    let parsed: Value = serde_json::from_slice(&file).unwrap();
    let mut found = Vec::new();
    collect_tokens(&parsed, &mut found);
    assert!(!found.is_empty());
    found
}

fn collect_tokens(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("token").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect_tokens(member, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_tokens(value, found)),
        _ => {}
    }
}

#[track_caller]
fn without(what: &str, text: &[u8], secrets: &[String]) {
    for secret in secrets {
        let found = text.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{what} has {secret}");
    }
}

fn command_line(process: &Process) -> Vec<u8> {
    std::fs::read(format!("/proc/{}/cmdline", process.id())).unwrap()
}

#[test]
fn no_secret_is_logged_or_shown_to_other_users() {
    let mut directory = Directory::with(&["-vv"]);
    let (mut ana, mut rui) = (Peer::offline(&directory, "ana"), Peer::offline(&directory, "rui"));
    ana.serve_with(&["-vv"]);
    rui.serve_with(&["-vv"]);
    directory.until_online("rui", true);
    let sending = ana.run(&["-vv", "send", "rui", BODY]).expect(0);
    rui.until_inbox_is(&[BODY]);
    // Refused ones too: wrong keys, no key, no JSON, the wrong recipient.
    let forged = json!({"from": "ana", "body": BODY});
    rui.leave_with(&Key::new(), &forged).expect_problem(Slug::KeyMismatch);
    rui.leave(&forged).expect_problem(Slug::ProofRequired);
    rui.leave(&json!({"from": "ci", "to": "zeca", "body": BODY})).expect_problem(Slug::Misdirected);
    rui.leave(&json!({"from": 7, "body": BODY}));
    let short = ana.run_with_input(&["-vv", "send", "rui"], BODY).expect(0);

    let mut secrets = vec![BODY.to_owned()];
    for peer in [&ana, &rui] {
        secrets.extend(tokens(peer));
        secrets.extend(private_lines(&peer.folder().join("identity.pem")));
    }
    for (what, process) in [
        ("the directory", directory.process()),
        ("ana's daemon", ana.daemon()),
        ("rui's daemon", rui.daemon()),
    ] {
        let log = process.stderr();
        assert!(log.contains("DEBUG") || log.contains("TRACE"), "-vv says more: {log}");
        without(&format!("the log of {what}"), log.as_bytes(), &secrets);
        without(&format!("the output of {what}"), process.stdout().as_bytes(), &secrets);
        without(&format!("the command line of {what}"), &command_line(process), &secrets);
    }
    without("the log of a command", sending.stderr.as_bytes(), &secrets);
    without("the log of a command", short.stderr.as_bytes(), &secrets);
    // Only hashes of tokens are in the directory's files; bodies and keys have no business there at all.
    assert_eq!(directory.stop(), Some(0));
    let database = directory.database();
    for entry in database.parent().unwrap().read_dir().unwrap() {
        let path = entry.unwrap().path();
        without(&path.display().to_string(), &std::fs::read(&path).unwrap(), &secrets);
    }
    // And the peers' own databases know neither the key nor the token.
    for peer in [&ana, &rui] {
        for file in ["recado.db", "recado.db-wal"] {
            let bytes = std::fs::read(peer.folder().join(file)).unwrap_or_default();
            without(file, &bytes, &secrets[1..]);
        }
    }
}

#[test]
fn the_data_directory_is_its_owner_s_alone() {
    let directory = Directory::start();
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("new");
    let mut command = super::harness::peer_command();
    command.arg("--data-dir").arg(&data).args(["--server", directory.url(), "serve", "--name", "ana"]);
    let daemon = Process::spawn("ana's daemon", command.args(["--listen", "127.0.0.1:0"]));
    daemon.shows("peer http");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&data), 0o700);
    let mut seen = Vec::new();
    for entry in data.read_dir().unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        seen.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    for file in ["identity.pem", "recado.db", "recado.db-wal", "tokens.json"] {
        assert!(seen.iter().any(|name| name == file), "no {file} in {seen:?}");
    }
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let directory = Directory::start();
    let ana = Peer::claimed_but_offline(&directory, "ana");
    for (file, mode) in [("identity.pem", 0o640), ("identity.pem", 0o604), ("tokens.json", 0o644)] {
        let path = ana.folder().join(file);
        let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        set(mode);
        let mut daemon = ana.launch(&[]);
        assert_eq!(daemon.wait(), Some(1));
        let said = daemon.stderr();
        for word in [file, &format!("{mode:04o}"), "chmod 600"] {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert!(!said.contains("panicked"), "{said}");
        set(0o600);
    }
    ana.run(&["whoami"]).expect(0);
}

/// Two first starts at once end with one key, and both use it.
#[test]
fn first_starts_at_once_make_one_key() {
    let directory = Directory::start();
    let _rui = Peer::start(&directory, "rui");
    let ana = Peer::offline(&directory, "ana");
    let recipe = ana.recipe();
    let seen: Vec<Value> = std::thread::scope(|scope| {
        let whoami = || {
            let finished = recipe.run(&["send", "--name", "ana", "rui", "oi"]);
            finished.expect(0);
            recipe.run(&["whoami", "--json"]).expect(0).json::<Value>().remove(0)
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(whoami)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(seen.iter().all(|whoami| whoami["fingerprint"] == ana.fingerprint()), "{seen:?}");
}

/// As a backup may restore it: its owner's alone again at the next command, and a folder that others can enter is spoken of.
#[test]
fn a_history_that_others_can_read_is_its_owner_s_again() {
    let directory = Directory::start();
    let mut ana = Peer::start(&directory, "ana");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let set =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let files = ["recado.db", "recado.db-wal", "recado.db-shm"].map(|file| ana.folder().join(file));
    for file in &files {
        set(file, 0o644);
    }
    let said = ana.run(&["inbox"]).expect(0).stderr;
    assert!(said.contains("recado.db was open to other users") && !said.contains("chmod"), "{said}");
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
    set(ana.folder(), 0o750);
    let said = ana.run(&["inbox", "-v"]).expect(0).stderr;
    assert!(
        said.contains(&format!(
            "0750): unless that is what you want, run `chmod 700 '{}'`",
            ana.folder().display()
        )),
        "{said}"
    );
    assert_eq!(mode(ana.folder()), 0o750, "it may be shared on purpose");
    assert_eq!(ana.run(&["inbox"]).expect(0).stderr, "");
    assert_eq!(ana.stop(), Some(0));
}

/// What is made for a peer is there after a power cut: the folders that its files are in, too.
#[test]
fn the_folders_that_are_made_are_synced_into_those_above() {
    if std::process::Command::new("strace").arg("--version").output().is_err() {
        assert!(std::env::var_os("RECADO_CI").is_none(), "strace is not installed: `apt install strace`");
        return eprintln!("skipped: strace is not installed");
    }
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("new").join("data");
    let mut command = std::process::Command::new("strace");
    command.args(["-f", "-y", "-e", "trace=fsync"]).arg(super::harness::peer_command().get_program());
    command.arg("--data-dir").arg(&data).args(["--server", "none", "whoami"]);
    let traced = command.output().unwrap();
    let said = String::from_utf8_lossy(&traced.stderr);
    for folder in [home.path(), &home.path().join("new"), &data] {
        assert!(
            said.contains(&format!("<{}>", folder.display())),
            "{} is not synced: {said}",
            folder.display()
        );
    }
}
