//! `peer doctor`: what is wrong is found, with what to do; and nothing is changed by looking.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::harness::{Directory, Fake, Finished, Peer, Reply};

/// A line of `--json`: exactly these members.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Finding {
    check: String,
    status: String,
    detail: String,
    advice: Option<String>,
}

/// What the doctor finds, if it exits with this.
#[track_caller]
fn doctor(peer: &Peer, code: i32) -> Vec<Finding> {
    peer.run(&["doctor", "--json"]).expect(code).json()
}

/// The one finding of this check.
#[track_caller]
fn of<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    let mut matching = findings.iter().filter(|finding| finding.check == check);
    let found = matching.next().unwrap_or_else(|| panic!("nothing about {check} in {findings:#?}"));
    assert_eq!(matching.next(), None, "once");
    found
}

/// It is so, with this in what is said, and this in what is advised.
#[track_caller]
fn expect(findings: &[Finding], check: &str, status: &str, detail: &str, advice: &str) {
    let found = of(findings, check);
    let advised = found.advice.as_deref().unwrap_or_default();
    assert!(
        found.status == status && found.detail.contains(detail) && advised.contains(advice),
        "{found:#?}, not {status} with {detail:?} and {advice:?}"
    );
}

/// Each file, and what is in it.
fn contents(folder: &Path) -> BTreeMap<String, (Vec<u8>, u32)> {
    let entries = folder.read_dir().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        (entry.file_name().into_string().unwrap(), (fs::read(entry.path()).unwrap(), mode))
    });
    entries.collect()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_sound_peer_is_found_sound() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let findings = doctor(&rui, 0);
    let not_ok: Vec<_> = findings.iter().filter(|finding| finding.status != "ok").collect();
    assert!(not_ok.is_empty(), "{not_ok:#?}");
    let checks: Vec<_> = findings.iter().map(|finding| finding.check.as_str()).collect();
    assert_eq!(
        checks,
        [
            "data-directory",
            "disk",
            "files",
            "key",
            "tokens",
            "config",
            "database",
            "name",
            "daemon",
            "port",
            "directory",
            "listed",
            "reachable",
            "clock",
            "proxy",
            "queue"
        ]
    );
    expect(&findings, "key", "ok", &rui.fingerprint(), "");
    expect(&findings, "reachable", "ok", rui.url(), "--listen 0.0.0.0");
}

#[test]
fn before_the_first_start_it_says_what_to_type_and_makes_nothing() {
    let directory = Directory::start();
    let rui = Peer::offline(&directory, "rui");
    let nowhere = rui.folder().join("not").join("there");
    let run = |arguments: &[&str]| {
        let mut command = rui.command(&["doctor"]);
        command.args(["--data-dir", nowhere.to_str().unwrap()]).args(arguments);
        Finished::of("the doctor", &mut command, "").expect(0)
    };
    let findings: Vec<Finding> = run(&["--json"]).json();
    expect(&findings, "data-directory", "warning", nowhere.to_str().unwrap(), "peer serve --name");
    expect(&findings, "name", "warning", "no name", "peer serve --name");
    expect(&findings, "directory", "ok", directory.url(), "");
    expect(&findings, "daemon", "warning", "does not run", "peer serve");
    for check in ["listed", "reachable"] {
        expect(&findings, check, "skipped", "", "");
    }
    let text = run(&[]).stdout;
    assert!(text.contains("warning") && text.contains("→ Type `peer serve --name NAME`"), "{text}");
    assert!(!nowhere.parent().unwrap().exists(), "it made something");
}

#[test]
fn looking_changes_nothing() {
    let directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    rui.send("rui", "a message");
    assert_eq!(rui.stop(), Some(0));
    for path in [rui.folder().join("recado.db"), rui.folder().join("tokens.json")] {
        set_mode(&path, 0o644);
    }
    let before = contents(rui.folder());
    let findings = doctor(&rui, 1);
    assert_eq!(contents(rui.folder()), before);
    let files: Vec<_> = findings.iter().filter(|finding| finding.check == "files").collect();
    let [tokens, database] = files[..] else { panic!("{files:#?}") };
    assert_eq!((tokens.status.as_str(), database.status.as_str()), ("failed", "warning"));
    for file in [tokens, database] {
        assert!(file.advice.as_deref().unwrap().contains("chmod 600"), "{file:?}");
    }
    set_mode(rui.folder(), 0o755);
    expect(&doctor(&rui, 1), "data-directory", "warning", "mode 0755", "chmod 700");
    set_mode(rui.folder(), 0o777);
    expect(&doctor(&rui, 1), "data-directory", "failed", "mode 0777", "chmod 700");
}

#[test]
fn a_directory_that_is_away_or_knows_another_is_told() {
    let mut directory = Directory::start();
    let mut rui = Peer::start(&directory, "rui");
    directory.kill();
    let findings = doctor(&rui, 1);
    expect(&findings, "directory", "failed", directory.url(), "--server URL");
    expect(&findings, "listed", "skipped", "directory", "");
    expect(&findings, "reachable", "ok", rui.url(), "");
    assert_eq!(rui.stop(), Some(0));
    rui.asks("none");
    let findings = doctor(&rui, 0);
    expect(&findings, "directory", "skipped", "none", "");
}

#[test]
fn a_directory_of_another_time_and_version_is_told() {
    let health = |_: &_| {
        Reply::answer(200, "application/json", r#"{"status":"ok","version":"99.0.0"}"#)
            .with("Date", "Thu, 01 Jan 2026 00:00:00 GMT")
    };
    let past = Fake::answering(health);
    let rui = Peer::of(past.url(), "rui");
    let findings = doctor(&rui, 0);
    expect(&findings, "clock", "warning", "ahead of the directory", "timedatectl");
    expect(&findings, "directory", "warning", "99.0.0", "same version");
    let silent = Fake::answering(|_| Reply::Silence);
    let rui = Peer::of(silent.url(), "rui");
    let findings = doctor(&rui, 1);
    expect(&findings, "directory", "failed", "in time", "");
    expect(&findings, "clock", "skipped", "directory", "");
}

#[test]
fn a_name_that_is_not_listed_or_anothers_is_told() {
    let directory = Directory::start();
    let other = Directory::start();
    let _another_rui = Peer::start(&other, "rui");
    let mut rui = Peer::start(&directory, "rui");
    rui.asks(other.url());
    expect(&doctor(&rui, 1), "listed", "failed", "another key", "server names release rui");
    let empty = Directory::start();
    rui.asks(empty.url());
    expect(&doctor(&rui, 1), "listed", "failed", "does not know the name rui", "peer serve");
}

#[test]
fn an_advertised_address_at_which_another_or_nobody_answers_is_told() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let mut rui = Peer::offline(&directory, "rui");
    rui.serve_with(&["--advertise", ana.url()]);
    let findings = doctor(&rui, 1);
    expect(&findings, "reachable", "failed", &ana.fingerprint(), "--advertise");
    assert_eq!(rui.stop(), Some(0));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    rui.serve_with(&["--advertise", &format!("https://{closed}")]);
    expect(&doctor(&rui, 1), "reachable", "failed", &closed.to_string(), &closed.port().to_string());
}

#[test]
fn what_is_damaged_is_told_and_what_waits_says_why() {
    let directory = Directory::start();
    let ana = Peer::claimed_but_offline(&directory, "ana");
    let mut rui = Peer::start(&directory, "rui");
    rui.send(ana.name(), "where are you?");
    rui.send(ana.name(), "hello?");
    let findings = doctor(&rui, 0);
    expect(&findings, "queue", "warning", "2 messages for ana", "");
    assert!(of(&findings, "queue").detail.contains("offline"), "{findings:#?}");
    assert_eq!(rui.stop(), Some(0));
    fs::rename(rui.folder().join("identity.pem"), rui.folder().join("lost")).unwrap();
    expect(&doctor(&rui, 1), "key", "failed", "no identity.pem", "backup");
    fs::write(rui.folder().join("identity.pem"), "nonsense").unwrap();
    set_mode(&rui.folder().join("identity.pem"), 0o600);
    expect(&doctor(&rui, 1), "key", "failed", "identity.pem is not the key", "");
    fs::write(rui.folder().join("recado.db"), "nonsense").unwrap();
    let findings = doctor(&rui, 1);
    expect(&findings, "database", "failed", "not a database", "");
    expect(&findings, "queue", "skipped", "database", "");
    expect(&findings, "name", "skipped", "database", "");
}

#[test]
fn wrong_settings_proxies_and_taken_ports_are_told() {
    let rui = Peer::of("none", "rui");
    fs::write(rui.folder().join("config.toml"), "[serve]\nlisten = 7\n").unwrap();
    set_mode(&rui.folder().join("config.toml"), 0o600);
    let mut command: Command = rui.command(&["doctor", "--json"]);
    command.env("https_proxy", "http://proxy.example:3128").env("RECADO_ACCEPT", "nobody-at-all");
    let findings: Vec<Finding> = Finished::of("the doctor", &mut command, "").expect(1).json();
    expect(&findings, "config", "failed", "config.toml, line 2", "");
    expect(&findings, "proxy", "warning", "https_proxy", "no proxy");
    let taken = TcpListener::bind("127.0.0.1:7101");
    let findings = doctor(&rui, 1);
    expect(&findings, "port", "warning", "7101", "");
    drop(taken);
}

#[test]
fn it_speaks_portuguese_to_people_and_english_to_programs() {
    let rui = Peer::of("none", "rui");
    let text = rui.run(&["doctor", "--lang", "pt"]).expect(0).stdout;
    assert!(
        text.contains("atenção") && text.contains("pasta de dados") && !text.contains("warning"),
        "{text}"
    );
    let lines = rui.run(&["doctor", "--lang", "pt", "--json"]).expect(0).stdout;
    assert_eq!(lines, rui.run(&["doctor", "--json"]).expect(0).stdout);
}
