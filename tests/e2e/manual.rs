//! Help and the manual: each command has a page, in both languages, under the name that it was started by.

use std::collections::BTreeSet;
use std::process::Command;

use super::harness::{Finished, peer_command, program_named};

/// The commands, as `peer --help` lists them.
fn commands() -> BTreeSet<String> {
    let help = shown(&mut peer_command(), &["--help"]);
    let (_, list) = help.split_once("\nCommands:\n").expect("a list of commands");
    let list = list.lines().take_while(|line| line.starts_with("  "));
    list.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

fn shown(command: &mut Command, arguments: &[&str]) -> String {
    let finished = Finished::of(&format!("{arguments:?}"), command.args(arguments), "").expect(0);
    assert_eq!(finished.stderr, "");
    finished.stdout
}

#[test]
fn help_is_the_same_however_it_is_asked_for_and_begins_with_examples() {
    let commands = commands();
    for known in ["serve", "send", "inbox", "config", "completions", "man", "help"] {
        assert!(commands.contains(known), "{known} is not in {commands:?}");
    }
    for (lang, first, usage) in
        [("en", "Examples:\n", "\nUsage: peer "), ("pt", "Exemplos:\n", "\nUso: peer ")]
    {
        assert!(shown(&mut peer_command(), &["--help", "--lang", lang]).starts_with(first));
        for command in &commands {
            let help = shown(&mut peer_command(), &[command, "--help", "--lang", lang]);
            assert!(help.starts_with(first) && help.contains(usage), "{help}");
            assert_eq!(shown(&mut peer_command(), &["--lang", lang, "help", command]), help);
            let short = shown(peer_command().env("LANG", format!("{lang}_XX.UTF-8")), &[command, "-h"]);
            assert!(short.starts_with(first), "{short}");
        }
    }
    let unknown = Finished::of("help", peer_command().args(["help", "sned"]), "").expect(2);
    assert!(unknown.stderr.contains("`send`"), "{}", unknown.stderr);
}

#[test]
fn there_is_a_page_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    for (lang, headings) in
        [("en", ["NAME", "EXAMPLES", "SEE ALSO"]), ("pt", ["NOME", "EXEMPLOS", "VEJA TAMBÉM"])]
    {
        let place = folder.path().join(lang).join("man1");
        shown(&mut peer_command(), &["man", "--lang", lang, "--out", place.to_str().unwrap()]);
        let files = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name());
        let files: BTreeSet<_> = files.map(|name| name.into_string().unwrap()).collect();
        let mut wanted: BTreeSet<_> = commands().iter().map(|command| format!("peer-{command}.1")).collect();
        wanted.insert("peer.1".to_owned());
        assert_eq!(files, wanted);
        for file in &files {
            let page = std::fs::read_to_string(place.join(file)).unwrap();
            let headings = if file == "peer.1" { &headings[..2] } else { &headings[..] };
            for heading in headings {
                assert!(page.contains(&format!(".SH \"{heading}\"\n")), "{file} has no {heading}: {page}");
            }
            sound(&page, file);
            let command = file.trim_end_matches(".1").strip_prefix("peer-");
            let arguments: Vec<_> = ["man", "--lang", lang].into_iter().chain(command).collect();
            assert_eq!(shown(&mut peer_command(), &arguments), page);
        }
    }
    let unknown = Finished::of("man", peer_command().args(["man", "sned"]), "").expect(2);
    assert!(unknown.stderr.contains("`send`"), "{}", unknown.stderr);
    Finished::of("man", peer_command().args(["man", "--out", "/dev/null/x"]), "").expect(1);
}

/// What a formatter has to say of a page, where there is one.
fn sound(page: &str, file: &str) {
    let mut groff = Command::new("groff");
    groff.args(["-man", "-Tutf8", "-Kutf8", "-ww", "-z"]);
    if Command::new("groff").arg("--version").output().is_err() {
        return;
    }
    let finished = Finished::of(file, &mut groff, page).expect(0);
    assert_eq!(finished.stderr, "", "{file}");
}

#[test]
fn a_package_s_name_is_in_help_errors_completions_and_manual() {
    let folder = tempfile::tempdir().unwrap();
    let recado = |arguments: &[&str]| {
        let mut command = program_named("recado", folder.path());
        Finished::of(&format!("{arguments:?}"), command.args(arguments), "")
    };
    let help = recado(&["send", "--help"]).expect(0).stdout;
    assert!(help.contains("\n  recado send rui ") && help.contains("Usage: recado send"), "{help}");
    assert!(help.contains("`recado serve`"), "{help}");
    assert!(recado(&["--version"]).expect(0).stdout.starts_with("recado "));
    let unknown = recado(&["sned"]).expect(2).stderr;
    assert!(unknown.contains("`recado --help`") && unknown.contains("Usage: recado "), "{unknown}");
    let script = recado(&["completions", "bash"]).expect(0).stdout;
    assert!(script.contains("_clap_complete_recado recado\n"), "{script}");
    recado(&["man", "--out", folder.path().to_str().unwrap()]).expect(0);
    let page = std::fs::read_to_string(folder.path().join("recado-send.1")).unwrap();
    assert!(page.contains("recado send rui") && !page.contains("peer send rui"), "{page}");
    assert!(folder.path().join("recado.1").exists());
}
