//! What is set by a flag, by a variable, in `config.toml`, or by nobody; and what is wrong there.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde::Deserialize;

use super::harness::{Directory, Finished, Peer, Process, Sent, Signal, peer_command};

/// One line of `config --json`: exactly these members.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    key: String,
    value: Option<String>,
    source: String,
}

/// Someone who wrote this into `config.toml`.
fn with_file(text: &str) -> Peer {
    let peer = Peer::of("none", "ana");
    std::fs::write(peer.folder().join("config.toml"), text).unwrap();
    peer
}

/// A command on that data directory, with nothing said of the directory server.
fn command(peer: &Peer, arguments: &[&str]) -> Command {
    let mut command = peer_command();
    command.env("RECADO_DATA_DIR", peer.folder()).args(arguments);
    command
}

fn settings(command: &mut Command) -> Vec<Setting> {
    let finished = Finished::of("config", command.args(["config", "--json"]), "").expect(0);
    assert_eq!(finished.stderr, "");
    finished.json()
}

fn one(settings: &[Setting], key: &str) -> (Option<String>, String) {
    let found = settings.iter().find(|setting| setting.key == key);
    let found = found.unwrap_or_else(|| panic!("{key} is not among {settings:?}"));
    (found.value.clone(), found.source.clone())
}

/// A value that each setting takes and that is not its default, as the file has it.
fn another(key: &str) -> &'static str {
    match key.rsplit('.').next().unwrap() {
        "server" => "\"http://192.0.2.1:7100\"",
        "color" => "\"never\"",
        "lang" => "\"pt\"",
        "name" => "\"zeca\"",
        "listen" | "ui" => "\"127.0.0.1:7\"",
        "advertise" => "\"https://192.0.2.1:7\"",
        "accept" => "\"verified\"",
        "on-message" => "\"cat\"",
        "allow-plain-http" | "no-ui" => "true",
        key if key.ends_with("-timeout") || key == "expire" => "\"7m\"",
        key if key.ends_with("-limit") => "\"7,7KiB\"",
        _ => "7",
    }
}

#[test]
fn each_setting_is_said_in_each_way_and_a_flag_wins_over_a_variable_over_the_file() {
    let nobody = Peer::of("none", "ana");
    let defaults = settings(&mut command(&nobody, &[]));
    assert!(defaults.len() > 20, "{defaults:?}");
    assert!(std::fs::read_dir(nobody.folder()).unwrap().next().is_none(), "nothing is written");
    for Setting { key, value, source } in defaults.iter().filter(|setting| setting.key != "data-dir") {
        assert_eq!(source, "default", "{key}");
        let other = another(key);
        let plain = other.trim_matches('"').to_owned();
        assert_ne!(value.as_deref(), Some(plain.as_str()), "{key}");
        let in_file = match key.split_once('.') {
            Some((table, key)) => format!("[{table}]\n{key} = {other}\n"),
            None => format!("{key} = {other}\n"),
        };
        let peer = with_file(&in_file);
        let said = |command: &mut Command| one(&settings(command), key);
        assert_eq!(said(&mut command(&peer, &[])), (Some(plain.clone()), "config".to_owned()));
        let flag = key.rsplit('.').next().unwrap();
        let variable = format!("RECADO_{}", flag.to_uppercase().replace('-', "_"));
        let empty = said(command(&peer, &[]).env(&variable, ""));
        assert_eq!(empty, (Some(plain.clone()), "config".to_owned()), "{variable} is empty");
        let set = said(command(&nobody, &[]).env(&variable, &plain));
        assert_eq!(set, (Some(plain.clone()), "environment".to_owned()), "{variable}");
        if !key.contains('.') {
            let set = said(command(&peer, &[]).env(&variable, &plain).arg(format!("--{flag}={plain}")));
            assert_eq!(set, (Some(plain), "flag".to_owned()), "--{flag}");
        }
        if let (Some(default), "7") = (value, other) {
            let both = said(command(&peer, &[]).env(&variable, default));
            assert_eq!(both, (Some(default.clone()), "environment".to_owned()), "{variable} and the file");
        }
    }
}

#[test]
fn what_is_set_is_done() {
    let directory = Directory::start();
    let text = format!(
        "server = \"{}\"\nlang = \"pt\"\n[serve]\nname = \"ana\"\nlisten = \"127.0.0.1:0\"\naccept = \"contacts\"\n\
         allow-plain-http = false\nmax-body = \"4KiB\"\n[send]\nexpire = \"1s\"\n",
        directory.url()
    );
    let ana = with_file(&text);
    let mut daemon = Process::spawn("ana's daemon", &mut command(&ana, &["serve"]));
    daemon.stdout_until("the ready line", |output| output.contains("peer http").then_some(()));
    directory.until_online("ana", true);
    let refused = Finished::of("a bad flag", &mut command(&ana, &["inbox", "--jsn"]), "").expect(2);
    assert!(refused.stderr.starts_with("erro:"), "the file's language: {}", refused.stderr);
    let english =
        Finished::of("help", command(&ana, &["inbox", "--jsn"]).env("RECADO_LANG", "en"), "").expect(2);
    assert!(english.stderr.starts_with("error:"), "{}", english.stderr);
    let _rui = Peer::claimed_but_offline(&directory, "rui");
    let mut writing = command(&ana, &["send", "--json", "--wait=25s", "rui", "oi"]);
    let written = Finished::of("send", &mut writing, "").expect(3);
    assert_eq!(written.json::<Sent>()[0].state, "expired", "after a second, as the file says");
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait(), Some(0));
}

#[test]
fn a_variable_that_is_wrong_is_named_and_matters_only_where_it_is_used() {
    let ana = with_file("");
    for (variable, value, arguments) in [
        ("RECADO_LISTEN", "everywhere", &["serve", "--name", "ana"][..]),
        ("RECADO_ALLOW_PLAIN_HTTP", "perhaps", &["serve", "--name", "ana"]),
        ("RECADO_ACCEPT", "nobody", &["menu", "--name", "ana"]),
        ("RECADO_EXPIRE", "soon", &["send", "rui", "oi"]),
        ("RECADO_SERVER", "ftp://example.org", &["whoami"]),
        ("RECADO_COLOR", "red", &["whoami"]),
    ] {
        for (lang, word) in [("en", "error:"), ("pt", "erro:")] {
            let mut command = command(&ana, arguments);
            let finished =
                Finished::of(variable, command.env(variable, value).env("RECADO_LANG", lang), "").expect(2);
            assert!(finished.stderr.starts_with(word), "{}", finished.stderr);
            assert!(
                finished.stderr.contains(variable) && finished.stderr.contains(value),
                "{}",
                finished.stderr
            );
        }
    }
    let mut other = command(&ana, &["contacts"]);
    Finished::of("contacts", other.env("RECADO_LISTEN", "everywhere"), "").expect(0);
}

#[test]
fn what_is_wrong_in_the_file_is_said_with_its_line() {
    for (text, line, words) in [
        ("serveer = 'x'", 1, &["serveer", "`server`"][..]),
        ("lang = 'pt'\n\n[serv]\nlisten = '127.0.0.1:0'", 3, &["[serv]", "`serve`"]),
        ("[menu]\nlisten = '127.0.0.1:0'", 1, &["[menu]", "serve"]),
        ("listen = '127.0.0.1:0'", 1, &["listen", "[serve]"]),
        ("[serve]\nlang = 'pt'", 2, &["lang"]),
        ("[serve]\nlisten = 'everywhere'", 2, &["listen", "everywhere", "127.0.0.1:7101"]),
        ("[serve]\nlisten = true", 2, &["listen"]),
        ("[serve]\nlisten = ['127.0.0.1:0']", 2, &["listen"]),
        ("[serve]\nallow-plain-http = 'yes'", 2, &["allow-plain-http", "true"]),
        ("[serve.listen]\nport = 7", 1, &["listen"]),
        ("data-dir = '/tmp'", 1, &["RECADO_DATA_DIR"]),
        ("server = 'none'\nserver = 'none'", 2, &[]),
        ("server = ", 1, &[]),
        ("color = 'red'", 1, &["color", "red", "never"]),
        ("server = 'foo'", 1, &["server", "foo"]),
        ("server = 'none'\n\u{0}", 2, &[]),
    ] {
        let ana = with_file(text);
        for (lang, said) in [("en", "line"), ("pt", "linha")] {
            let finished =
                Finished::of(text, command(&ana, &["config"]).env("RECADO_LANG", lang), "").expect(2);
            assert_eq!(finished.stdout, "");
            let place = format!("config.toml, {said} {line}:");
            assert!(finished.stderr.contains(&place), "{text}: {}", finished.stderr);
            for word in words {
                assert!(finished.stderr.contains(word), "{text}: {word}: {}", finished.stderr);
            }
        }
        // Help is there all the same, and so is who tells what to do.
        let doctor = Finished::of(text, &mut command(&ana, &["doctor", "--json"]), "").expect(1);
        assert!(doctor.stdout.lines().count() > 3, "{text}: {}", doctor.stdout);
        Finished::of(text, &mut command(&ana, &["inbox", "--help"]), "").expect(0);
    }
    let ana = with_file("");
    std::fs::write(ana.folder().join("config.toml"), b"\xff\xfe").unwrap();
    Finished::of("not text", &mut command(&ana, &["whoami"]), "").expect(2);
}

#[test]
fn a_file_that_others_can_change_is_refused() {
    let ana = with_file("server = 'none'\n");
    let file = ana.folder().join("config.toml");
    for (mode, code) in [(0o600, 0), (0o644, 0), (0o664, 1), (0o606, 1)] {
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let finished = Finished::of("config", &mut command(&ana, &["config"]), "").expect(code);
        assert_eq!(finished.stderr.contains("chmod 600"), code == 1, "{mode:o}: {}", finished.stderr);
    }
}

#[test]
fn settings_are_shown_to_people_with_who_said_so() {
    let ana = with_file("[serve]\nlisten = '0.0.0.0:7101'\n");
    let mut shown = command(&ana, &["config", "--color", "never"]);
    let shown = Finished::of("config", shown.env("RECADO_SERVER", "none"), "").expect(0).stdout;
    let file = ana.folder().join("config.toml");
    assert!(shown.starts_with(&format!("{}\n", file.display())), "{shown}");
    let line = |key: &str| {
        let line = shown.lines().find(|line| line.starts_with(&format!("{key} ")));
        line.unwrap_or_else(|| panic!("no {key} in {shown}")).split_whitespace().skip(1).collect::<Vec<_>>()
    };
    assert_eq!(line("serve.listen"), ["0.0.0.0:7101", "config.toml"]);
    assert_eq!(line("server"), ["none", "RECADO_SERVER"]);
    assert_eq!(line("color"), ["never", "--color"]);
    assert_eq!(line("send.expire"), ["7d", "default"]);
    // No data directory, no home, no name: there is an answer all the same, and nothing is made.
    let nowhere = Finished::of("config", peer_command().arg("config"), "").expect(0);
    assert!(nowhere.stdout.contains("7d") && nowhere.stdout.contains("/nonexistent/"), "{}", nowhere.stdout);
    assert!(!std::path::Path::new("/nonexistent").exists());
}

#[test]
fn a_path_that_is_no_text_is_a_data_directory_as_any() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let ana = with_file("");
    let place = ana.folder().join(OsStr::from_bytes(b"\xff"));
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("config.toml"), "[send]\nexpire = '7m'\n").unwrap();
    let mut flag = OsStr::new("--data-dir=").to_owned();
    flag.push(&place);
    for arguments in [vec![flag.as_os_str()], vec![OsStr::new("--data-dir"), place.as_os_str()]] {
        let said = settings(peer_command().args(arguments));
        assert_eq!(one(&said, "send.expire"), (Some("7m".to_owned()), "config".to_owned()));
    }
}
