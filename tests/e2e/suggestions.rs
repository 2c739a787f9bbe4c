//! What was perhaps meant by a misspelt command, flag, value or name; and that nothing is done before it is said.

use super::harness::{Directory, Finished, Peer, peer_command};

#[test]
fn a_misspelt_recipient_is_asked_about_and_nothing_is_sent() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    // Offline, but a contact; and online, but nobody's contact.
    let bia = Peer::claimed_but_offline(&directory, "beatriz");
    ana.send("beatriz", "oi");
    let zeca = Peer::start(&directory, "zeca");
    for (typed, meant) in [("beatris", "`beatriz`"), ("zeka", "`zeca`"), ("Ruy", "`rui`")] {
        let finished = ana.run(&["send", "--json", typed, "oi"]).expect(5);
        assert_eq!(finished.stdout, "");
        assert!(finished.stderr.contains(&format!("Did you mean {meant}?")), "{}", finished.stderr);
        let portuguese = ana.run(&["--lang", "pt", "send", typed, "oi"]).expect(5);
        assert!(portuguese.stderr.contains(&format!("Você quis dizer {meant}?")), "{}", portuguese.stderr);
    }
    let several = ana.run(&["send", "rui,zeka,beatris", "oi"]).expect(5);
    assert!(several.stderr.contains("`zeca`") && several.stderr.contains("`beatriz`"), "{}", several.stderr);
    let unlike = ana.run(&["send", "wolfgang", "oi"]).expect(5);
    assert!(!unlike.stderr.contains("Did you mean"), "{}", unlike.stderr);
    assert!(!ana.run(&["send", "anna", "oi"]).expect(5).stderr.contains("`ana`"), "never oneself");
    assert_eq!(ana.sent().len(), 1, "nothing but the first");
    assert!(rui.inbox().is_empty() && zeca.inbox().is_empty());
    for command in
        [&["contacts", "beatris"][..], &["forget", "beatris"], &["unblock", "beatris"], &["trust", "beatris"]]
    {
        let finished = ana.run(command).expect(5);
        assert!(finished.stderr.contains("Did you mean `beatriz`?"), "{command:?}: {}", finished.stderr);
    }
    let alone = ana.run(&["send", "--server", "none", "beatris", "oi"]).expect(5);
    assert!(alone.stderr.contains("`beatriz`") && !alone.stderr.contains("zeca"), "{}", alone.stderr);
    drop(bia);
}

/// Each kind of mistake that there is on a command line, with what has to be said in English and in Portuguese.
const MISTAKES: &[(&[&str], &[&str], &[&str])] = &[
    (&["sned"], &["no command", "sned", "`send`", "`peer --help`"], &["não existe o comando", "`send`"]),
    (
        &["inbox", "--jsn"],
        &["no flag", "--jsn", "`--json`", "`peer inbox --help`"],
        &["não existe a opção", "`--json`"],
    ),
    (&["inbox", "-x"], &["no flag", "-x", "Usage: peer inbox"], &["não existe a opção", "Uso: peer inbox"]),
    (&["inbox", "surplus"], &["surplus", "too many"], &["surplus", "a mais"]),
    (&["inbox", "--from"], &["--from", "needs a value"], &["falta o valor", "--from"]),
    (&["inbox", "--from", "a/b"], &["a/b", "--from"], &["a/b", "não aceita"]),
    (&["inbox", "--color", "nver"], &["nver", "never", "auto"], &["nver", "never"]),
    (&["inbox", "--unread", "--unread"], &["--unread", "twice"], &["--unread", "duas vezes"]),
    (&["serve", "--ui", "127.0.0.1:0", "--no-ui"], &["--ui", "--no-ui", "together"], &["não combina"]),
    (&["send"], &["missing", "TO"], &["falta algo", "TO"]),
    (&["send", "--wait", "5s", "rui", "oi", "there"], &["--wait=5s"], &["--wait=5s"]),
    (&["send", "rui", "--expire", "soon"], &["soon", "--expire", "7d"], &["soon", "--expire", "7d"]),
    (
        &["retry", "--to", "rui", "0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3"],
        &["--to", "together"],
        &["não combina"],
    ),
    (&["completions"], &["missing", "SHELL"], &["falta algo"]),
    (&["completions", "fsh"], &["fsh", "`fish`", "zsh"], &["fsh", "`fish`"]),
    (&["--server", "ftp://example.org", "peers"], &["ftp://example.org", "--server"], &["ftp://example.org"]),
    (&["--server", "foo", "peers"], &["--server", "foo", "`none`"], &["não aceita", "ou `none`"]),
    (&["inbox", "--limit", "many"], &["many", "a whole number"], &["um número inteiro"]),
    (&["inbox", "--limit", "-1"], &["-1", "a whole number"], &["um número inteiro"]),
    (&["inbox", "--limit", "4294967296"], &["too large"], &["grande demais"]),
    (&["serve", "--max-connections", "0"], &["above zero"], &["maior que zero"]),
    (&["--lang", "de", "peers"], &["de", "--lang"], &[]),
];

#[test]
fn every_mistake_is_2_and_said_in_both_languages() {
    for (line, english, portuguese) in MISTAKES {
        for (lang, first, words) in [("C", "error:", english), ("pt_BR.UTF-8", "erro:", portuguese)] {
            let finished =
                Finished::of(&format!("{line:?}"), peer_command().env("LANG", lang).args(*line), "");
            let finished = finished.expect(2);
            assert_eq!(finished.stdout, "", "{line:?}");
            assert!(finished.stderr.starts_with(first), "{line:?}: {}", finished.stderr);
            for word in *words {
                assert!(finished.stderr.contains(word), "{line:?}: {word}: {}", finished.stderr);
            }
        }
    }
}

#[test]
fn a_command_line_that_is_no_text_or_would_harm_a_terminal_is_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let mut command = peer_command();
    command.args(["send", "rui"]).arg(OsStr::from_bytes(b"\xff\xfe"));
    let finished = Finished::of("no text", &mut command, "").expect(2);
    assert!(finished.stderr.contains("UTF-8"), "{}", finished.stderr);
    let finished = Finished::of("escape", peer_command().arg("\u{1b}]0;x\u{7}"), "").expect(2);
    assert!(!finished.stderr.contains('\u{7}'), "{}", finished.stderr);
}

#[test]
fn who_is_offered_may_be_called_as_they_like() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let _other = Peer::start(&directory, "o'brien");
    let finished = ana.run(&["send", "obrien", "oi"]).expect(5);
    assert!(finished.stderr.contains("`o'brien`"), "{}", finished.stderr);
    assert_eq!(finished.stdout, "");
}
