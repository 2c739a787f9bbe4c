//! A real bash completes commands, flags, values and names.

use std::process::Command;

use super::harness::{Directory, Fake, Finished, Peer, Reply, peer_command};

/// What bash offers for the last of these words, in the environment of `peer`.
fn offered(peer: &Peer, words: &[&str]) -> Vec<String> {
    let mut command = bash(
        "source <(\"$PEER\" completions bash)\n\
         COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1)) COMPREPLY=()\n\
         _clap_complete_peer peer \"${!#}\"\n\
         printf '%s\\n' \"${COMPREPLY[@]}\"",
        words,
    );
    let finished = Finished::of("bash", command.env("RECADO_DATA_DIR", peer.folder()), "").expect(0);
    assert_eq!(finished.stderr, "", "{words:?}");
    finished.stdout.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn bash(script: &str, words: &[&str]) -> Command {
    let mut environment = peer_command();
    let program = environment.get_program().to_owned();
    environment.env("PEER", program);
    let mut command = Command::new("bash");
    command.env_clear();
    command.envs(environment.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(["--norc", "-c", script, "peer"]).args(words);
    command
}

fn names(peer: &Peer, directory: &str, words: &[&str]) -> Vec<String> {
    offered(peer, &[&["peer", "--server", directory], words].concat())
}

#[test]
fn names_of_contacts_and_of_those_online_are_offered() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let _joao = Peer::start(&directory, "joão");
    // Offline, but a contact.
    let bia = Peer::claimed_but_offline(&directory, "bia");
    ana.send("bia", "oi");
    let url = directory.url();
    assert_eq!(names(&ana, url, &["send", ""]), ["bia", "joão", "rui"]);
    assert_eq!(names(&ana, url, &["send", "r"]), ["rui"]);
    assert_eq!(names(&ana, url, &["send", "rui,"]), ["rui,bia", "rui,joão"]);
    assert_eq!(names(&ana, url, &["send", "rui,jo"]), ["rui,joão"]);
    let flags = names(&ana, url, &["send", "rui", ""]);
    assert!(flags.iter().all(|word| word.starts_with('-')), "a text is nobody's name: {flags:?}");
    for words in [
        &["inbox", "--from", "b"][..],
        &["sent", "--to", "b"],
        &["retry", "--to", "b"],
        &["search", "--with", "b"],
        &["history", "b"],
        &["contacts", "b"],
        &["trust", "b"],
        &["block", "b"],
        &["unblock", "b"],
        &["forget", "b"],
    ] {
        assert_eq!(names(&ana, url, words), ["bia"], "{words:?}");
    }
    assert_eq!(names(&ana, url, &["serve", "--name", ""]), [""; 0], "one's own name is one's own");
    assert_eq!(names(&rui, url, &["send", "a"]), ["ana"]);
    assert_eq!(names(&ana, "none", &["send", ""]), ["bia"]);
    drop(bia);
}

#[test]
fn who_is_not_answered_is_offered_contacts_and_nothing_is_made() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let _rui = Peer::start(&directory, "rui");
    ana.send("rui", "oi");
    let hangs = Fake::answering(|_| Reply::Silence);
    assert_eq!(names(&ana, hangs.url(), &["send", ""]), ["rui"]);
    assert_eq!(names(&ana, "http://127.0.0.1:1", &["send", ""]), ["rui"]);
    let new = Peer::offline(&directory, "zeca");
    assert_eq!(names(&new, directory.url(), &["send", ""]), ["ana", "rui"]);
    assert!(std::fs::read_dir(new.folder()).unwrap().next().is_none(), "no key, no database");
    std::fs::write(new.folder().join("config.toml"), format!("server = '{}'\n", directory.url())).unwrap();
    assert!(offered(&new, &["peer", "trust", "a"]).contains(&"ana".to_owned()), "as config.toml says");
    std::fs::write(new.folder().join("config.toml"), "server = ").unwrap();
    assert_eq!(offered(&new, &["peer", "trust", "a"]), [""; 0]);
}

#[test]
fn commands_flags_and_values_are_offered() {
    let nobody = Peer::of("none", "ana");
    assert_eq!(offered(&nobody, &["peer", "sen"]), ["send", "sent"]);
    for lang in ["en", "pt"] {
        assert_eq!(offered(&nobody, &["peer", "--lang", lang, "inbox", "--fo"]), ["--follow"]);
        assert_eq!(offered(&nobody, &["peer", "--lang", lang, "whoam"]), ["whoami"]);
    }
    assert_eq!(offered(&nobody, &["peer", "sent", "--state", "d"]), ["delivered"]);
    assert_eq!(offered(&nobody, &["peer", "serve", "--accept", "c"]), ["contacts"]);
    assert_eq!(offered(&nobody, &["peer", "--lang", "p"]), ["pt"]);
    assert_eq!(offered(&nobody, &["peer", "help", "tru"]), ["trust"]);
    assert_eq!(offered(&nobody, &["peer", "completions", "z"]), ["zsh"]);
}

#[test]
fn there_is_a_script_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let finished = Finished::of(shell, peer_command().args(["completions", shell]), "").expect(0);
        assert!(finished.stdout.contains("RECADO_COMPLETE"), "{}", finished.stdout);
        assert_eq!(finished.stderr, "");
    }
    Finished::of("no shell", peer_command().args(["completions", "csh"]), "").expect(2);
    let unknown = Finished::of("csh", peer_command().env("RECADO_COMPLETE", "csh"), "").expect(1);
    assert_eq!((unknown.stdout.as_str(), unknown.stderr.as_str()), ("", ""));
}
