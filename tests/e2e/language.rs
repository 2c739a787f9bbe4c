//! English and Portuguese: people read their language, programs read the same in both.

use protocol::Slug;

use super::harness::{Directory, Fake, Finished, Peer, Reply};

/// The ways to choose a language: variables of the environment, and flags.
struct Choice {
    environment: &'static [(&'static str, &'static str)],
    flags: &'static [&'static str],
    portuguese: bool,
}

const fn choice(
    environment: &'static [(&'static str, &'static str)],
    flags: &'static [&'static str],
    portuguese: bool,
) -> Choice {
    Choice { environment, flags, portuguese }
}

const ENGLISH: Choice = choice(&[("LANG", "C")], &[], false);

const CHOICES: &[Choice] = &[
    choice(&[("LANG", "pt_BR.UTF-8")], &[], true),
    choice(&[("LANG", "C"), ("LC_MESSAGES", "pt_PT.UTF-8")], &[], true),
    choice(&[("LANG", "pt_BR.UTF-8"), ("LC_ALL", "en_US.UTF-8")], &[], false),
    choice(&[("LANG", "C"), ("RECADO_LANG", "pt")], &[], true),
    choice(&[("LANG", "pt_BR.UTF-8"), ("RECADO_LANG", "")], &[], true),
    choice(&[("LANG", "pt_BR.UTF-8"), ("RECADO_LANG", "en")], &[], false),
    choice(&[("LANG", "C"), ("RECADO_LANG", "en")], &["--lang", "pt"], true),
    choice(&[("LANG", "pt_BR.UTF-8")], &["--lang=en"], false),
];

impl Choice {
    fn run(&self, peer: &Peer, arguments: &[&str]) -> Finished {
        let mut command = peer.command(arguments);
        command.args(self.flags).envs(self.environment.iter().copied());
        Finished::of(&format!("{arguments:?} with {:?} {:?}", self.environment, self.flags), &mut command, "")
    }
}

/// Ana, to whom Rui has written, and whose messages were delivered, refused and are queued.
fn ana(directory: &Directory) -> (Peer, Peer, Fake) {
    let (ana, rui) = (Peer::start(directory, "ana"), Peer::start(directory, "rui"));
    let zeca = Fake::start(directory, "zeca", |_| Reply::problem(Slug::Blocked));
    let _bia = Peer::claimed_but_offline(directory, "bia");
    rui.send("ana", "olá");
    ana.send("rui", "oi");
    ana.run(&["send", "zeca", "oi"]).expect(4);
    ana.run(&["send", "bia", "oi"]).expect(0);
    (ana, rui, zeca)
}

#[test]
fn what_programs_read_is_the_same_in_both() {
    let directory = Directory::start();
    let (mut ana, _rui, _zeca) = ana(&directory);
    // Nothing is tried any more, so that nothing changes meanwhile.
    assert_eq!(ana.stop(), Some(0));
    for arguments in [
        &["sent", "--json"][..],
        &["inbox", "--json"],
        &["history", "--json"],
        &["contacts", "--json"],
        &["peers", "--json"],
        &["whoami", "--json"],
        &["search", "--json", "oi"],
        &["export"],
        &["add", "--json", "recado:eva@192.0.2.7:7101#aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
    ] {
        let english = ENGLISH.run(&ana, arguments).expect(0);
        assert!(!english.stdout.is_empty(), "{arguments:?} prints something");
        for choice in CHOICES {
            let other = choice.run(&ana, arguments).expect(0);
            assert_eq!(other.stdout, english.stdout, "{arguments:?}");
        }
    }
}

/// What it finds is told to programs in English; what waits, and for how long, is another at each moment.
#[test]
fn the_doctor_tells_programs_the_same_in_both() {
    let directory = Directory::start();
    let (ana, _rui, _zeca) = ana(&directory);
    let found = |choice: &Choice| {
        let finished = choice.run(&ana, &["doctor", "--json"]);
        let lines = finished.stdout.lines().filter(|line| !line.contains(r#""check":"queue""#));
        let lines = lines.map(|line| line.replace(|digit: char| digit.is_ascii_digit(), ""));
        (finished.code, lines.collect::<Vec<_>>())
    };
    for config in ["", "colour = \"always\"\n"] {
        std::fs::write(ana.folder().join("config.toml"), config).unwrap();
        let english = found(&ENGLISH);
        assert!(english.1.len() > 10, "{english:?}");
        for choice in CHOICES {
            assert_eq!(found(choice), english);
        }
    }
}

#[test]
fn what_fails_fails_alike_and_is_said_in_the_chosen_language() {
    let directory = Directory::start();
    let (ana, _rui, _zeca) = ana(&directory);
    for (code, arguments) in [
        (2, &["send", "rui", ""][..]),
        (2, &["send", "rui", "two", "texts"]),
        (2, &["send", "ana lima", "oi"]),
        (2, &["trust", "ana"]),
        (2, &["add", "not-a-link"]),
        (1, &["unblock", "rui"]),
        (5, &["send", "nobody", "oi"]),
        (5, &["forget", "nobody"]),
        (1, &["retry", "0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3"]),
        (1, &["serve"]),
    ] {
        fails_alike(&ana, arguments, code);
    }
    // Nobody listens there.
    fails_alike(&Peer::of("http://127.0.0.1:1", "eva"), &["send", "--name", "eva", "nobody", "oi"], 6);
}

fn fails_alike(peer: &Peer, arguments: &[&str], code: i32) {
    let english = ENGLISH.run(peer, arguments).expect(code);
    assert!(english.stderr.starts_with("error: "), "{arguments:?}: {}", english.stderr);
    for choice in CHOICES {
        let other = choice.run(peer, arguments).expect(code);
        assert_eq!(other.stdout, "", "{arguments:?}");
        if choice.portuguese {
            assert!(other.stderr.starts_with("erro: "), "{arguments:?}: {}", other.stderr);
            let left: Vec<&str> =
                other.stderr.lines().filter(|line| english.stderr.contains(&line[5..])).collect();
            assert!(left.is_empty(), "English is left in what {arguments:?} says: {left:?}");
        } else {
            assert_eq!(other.stderr, english.stderr, "{arguments:?}");
        }
    }
}

#[test]
fn states_and_reasons_are_said_in_the_chosen_language_and_kept_in_one() {
    let directory = Directory::start();
    let (ana, _rui, _zeca) = ana(&directory);
    let english = ENGLISH.run(&ana, &["sent"]).expect(0).stdout;
    let portuguese = CHOICES[0].run(&ana, &["sent"]).expect(0).stdout;
    for (one, other) in
        [("refused", "recusada"), ("queued", "na fila"), ("bia is offline", "bia está offline")]
    {
        assert!(english.contains(one) && !english.contains(other), "{english}");
        assert!(portuguese.contains(other) && !portuguese.contains(one), "{portuguese}");
    }
    let sent = CHOICES[0].run(&ana, &["send", "bia", "oi de novo"]).expect(0).stdout;
    assert!(sent.starts_with("na fila bia: "), "{sent}");
    let reason = ana.sent().pop().and_then(|line| line.reason).expect("why it waits");
    assert!(reason.contains("bia is offline"), "{reason}");
}

#[test]
fn a_language_that_is_none_is_wrong_usage() {
    let ana = Peer::of("none", "ana");
    for choice in [
        choice(&[("LANG", "C")], &["--lang", "de"], false),
        choice(&[("LANG", "C"), ("RECADO_LANG", "klingon")], &[], false),
    ] {
        let finished = choice.run(&ana, &["whoami"]).expect(2);
        assert!(finished.stderr.contains("en") && finished.stderr.contains("pt"), "{}", finished.stderr);
    }
}
