//! Every command begins with examples, and says everything in both languages.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::*;

const PORTUGUESE: &str = include_str!("../../../locales/pt/help.ftl");

fn with_all_subcommands() -> Vec<Command> {
    let commands = Arguments::command();
    let mut all: Vec<_> = commands.get_subcommands().cloned().collect();
    all.push(commands);
    all
}

#[test]
fn every_help_begins_with_examples() {
    for command in with_all_subcommands() {
        let name = command.get_name().to_owned();
        let help = command.clone().render_help().to_string();
        assert!(help.starts_with("Examples:\n  "), "{name}: {help}");
        let examples = command.get_before_help().unwrap().to_string();
        assert!(examples.lines().skip(1).all(|line| line.starts_with("  ")), "{name}: {examples}");
        let own = if name == "peer" { "peer".to_owned() } else { format!("peer {name}") };
        assert!(examples.contains(&own), "{name} is in its own examples");
    }
}

#[test]
fn every_text_is_in_portuguese() {
    let there: BTreeSet<String> = PORTUGUESE
        .lines()
        .filter(|line| line.starts_with("help-"))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    let asked = RefCell::new(BTreeSet::new());
    let _ = translated(Arguments::command(), &|id| {
        asked.borrow_mut().insert(id.to_owned());
        Some(id.to_owned())
    });
    let mut asked = asked.into_inner();
    asked.extend(AROUND.iter().map(|(_, id)| (*id).to_owned()));
    let missing: Vec<_> = asked.difference(&there).collect();
    assert!(missing.is_empty(), "not in locales/pt/help.ftl: {missing:#?}");
    let unused: Vec<_> = there.difference(&asked).collect();
    assert!(unused.is_empty(), "nobody asks for: {unused:#?}");
}

#[test]
fn what_is_translated_is_sound_and_says_nothing_in_english() {
    let texts = |id: &str| Some(format!("<{id}>"));
    let commands = translated(Arguments::command(), &texts);
    commands.clone().debug_assert();
    let names = Arguments::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect::<Vec<_>>();
    for name in names {
        for flag in ["-h", "--help"] {
            let shown = commands.clone().try_get_matches_from(["peer", &name, flag]).unwrap_err();
            let shown = AROUND.iter().fold(shown.to_string(), |text, (english, _)| text.replace(english, ""));
            for word in
                ["[default", "[env", "ossible values", " the ", " of ", "Options", "Arguments", "Examples"]
            {
                assert!(!shown.contains(word), "{word:?} in {name} {flag}: {shown}");
            }
        }
    }
}

#[test]
fn remarks_stand_in_one_column() {
    let examples = "peer inbox  what came\npeer send rui 'oi'  a message\n          to rui\npeer export > a-long-name.jsonl";
    assert_eq!(
        aligned(examples),
        "  peer inbox            what came\n  peer send rui 'oi'    a message\n                        to rui\n  peer export > a-long-name.jsonl"
    );
}

#[test]
fn a_package_has_its_own_names_in_all_examples() {
    for command in renamed(Arguments::command()).get_subcommands() {
        let examples = command.get_before_help().unwrap().to_string();
        assert!(examples.contains("recado"), "{examples}");
        assert!(!examples.contains(" peer "), "{examples}");
    }
}
