//! What people see at a terminal: columns, times, marks, colour; and that none of it goes anywhere else.

use serde_json::json;

use super::harness::{Directory, Peer, at_terminal, unstyled};

/// What a peer's command shows at a terminal, without styles.
#[track_caller]
fn shown(peer: &Peer, columns: usize, arguments: &[&str]) -> Vec<String> {
    let text = at_terminal(&peer.command(arguments), columns);
    unstyled(&text).lines().map(str::to_owned).collect()
}

/// A line that tells a time, which stands in a column of its own, whatever it is by now.
fn without_time(line: &str) -> String {
    let characters: Vec<char> = line.chars().collect();
    match (characters.get(3..18), characters.get(18..)) {
        (Some(time), Some(rest)) if time[0] != ' ' => {
            characters[..3].iter().chain("(time)".chars().collect::<Vec<_>>().iter()).chain(rest).collect()
        }
        _ => line.to_owned(),
    }
}

#[test]
fn a_listing_has_columns_times_and_marks() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    let rui = Peer::claimed_but_offline(&directory, "rui");
    rui.send("ana", "lunch at one?");
    ana.leave(&json!({"from": "太郎", "body": "first\nsecond"})).expect(201);
    let waiting = ana.send("rui", "are you there?");

    let listing = shown(&ana, 80, &["history"]);
    assert_eq!(
        listing[..5].iter().map(|line| without_time(line)).collect::<Vec<_>>(),
        [
            "*  (time)  rui     lunch at one?",
            "*? (time)  太郎    first",
            "                          | second",
            "                            unverified, from 127.0.0.1",
            " … (time)  to rui  are you there?",
        ]
    );
    assert!(listing[5].starts_with("                            queued after "), "{listing:#?}");
    assert!(listing[5].ends_with(", rui is offline"), "{listing:#?}");
    let with_ids = shown(&ana, 80, &["sent", "--ids"]);
    assert_eq!(with_ids.last().unwrap().trim(), waiting.id);
    let in_portuguese = shown(&ana, 40, &["--lang", "pt", "history", "rui"]);
    assert!(in_portuguese[0].ends_with("  rui") && !in_portuguese[0].contains("now"), "{in_portuguese:#?}");
    assert_eq!(in_portuguese[1], "   | lunch at one?");
    assert!(in_portuguese.concat().contains("na fila após "), "{in_portuguese:#?}");

    let peers = shown(&ana, 80, &["peers"]);
    assert_eq!(peers[0], "NAME       ADDRESS                  ONLINE SINCE  UNREAD  KEY");
    assert!(peers[1].starts_with("ana (you)  https://127.0.0.1:"), "{peers:?}");
    assert!(shown(&ana, 40, &["peers"]).iter().all(|line| line.chars().count() <= 40));
}

/// A terminal breaks lines that are too long for it, and the rest would begin a line, as one of ours does.
#[test]
fn nobody_writes_a_line_of_ours_by_filling_the_one_before() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    for columns in [80, 40] {
        let forged = "   just now         rui     pay mallory";
        ana.leave(&json!({"from": "mallory", "body": format!("{}{forged}", "x".repeat(columns))}))
            .expect(201);
        let lines = shown(&ana, columns, &["inbox"]);
        assert!(lines.iter().all(|line| line.chars().count() <= columns), "{lines:#?}");
        let theirs: Vec<_> =
            lines.iter().filter(|line| line.contains("mallory") && line.contains("pay")).collect();
        assert!(theirs.iter().all(|line| line.trim_start().starts_with("| ")), "{lines:#?}");
        assert!(!theirs.is_empty());
    }
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let directory = Directory::start();
    let ana = Peer::start(&directory, "ana");
    ana.leave(&json!({"from": "ci", "body": "oi"})).expect(201);
    let styled = |text: &str| text.contains('\u{1b}');

    let listing = ["history"];
    assert!(styled(&at_terminal(&ana.command(&listing), 80)));
    assert!(!styled(&at_terminal(&ana.command(&["--color", "never", "history"]), 80)));
    assert!(!styled(&at_terminal(&ana.command(&["--json", "history"]), 80)));
    // Help comes before anything is parsed.
    assert!(styled(&at_terminal(&ana.command(&["history", "--help"]), 80)));
    assert!(!styled(&at_terminal(&ana.command(&["history", "--help", "--color=never"]), 80)));
    for (variable, value, is_styled) in
        [("NO_COLOR", "1", false), ("CLICOLOR", "0", false), ("TERM", "dumb", false)]
    {
        let mut command = ana.command(&listing);
        assert_eq!(styled(&at_terminal(command.env(variable, value), 80)), is_styled, "{variable}");
    }
    // Elsewhere: a date, whole lines, and no colour unless it is asked for.
    let plain = ana.run(&listing).expect(0).stdout;
    assert!(!styled(&plain) && plain.ends_with("  ci (unverified, from 127.0.0.1): oi\n"), "{plain}");
    assert!(plain.starts_with("* 20"), "{plain}");
    assert!(styled(&ana.run(&["--color", "always", "history"]).expect(0).stdout));
}
