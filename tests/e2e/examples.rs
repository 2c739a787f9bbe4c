//! Every example in README, in both languages, and in every command's help runs as it is printed, and ends as it should.

mod stage;

use std::process::Command;

use super::harness::{Finished, peer_command, root, server_command, until};
use stage::{Stage, Typist};

/// What cannot run here, by how it begins, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("packaging/build", "builds the release; the package has a story of its own"),
    ("sudo ", "changes the machine"),
    ("systemctl ", "there is no systemd here"),
    ("journalctl ", "there is no systemd here"),
    ("source <(peer completions zsh)", "for another shell"),
    ("peer completions fish | source", "for another shell"),
    ("peer completions powershell | Out-String", "for another shell"),
    ("eval (peer completions elvish", "for another shell"),
    ("cargo ", "builds the release"),
    ("tests/run", "is what runs this"),
    ("export PATH=", "the programs are found already"),
];

/// What does not end with 0, and why.
const OTHER_EXITS: &[(&str, i32, &str)] = &[
    ("peer", 2, "the menu is for terminals; elsewhere it says what to type"),
    ("./build.sh", 1, "the build failed"),
    (r#"peer doctor --json | grep -v '"status":"ok"'"#, 1, "all is well"),
];

/// Lines that belong together, where they stand.
struct Block {
    place: String,
    lines: Vec<String>,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It comes to its end.
    Ends,
    /// It says this, and goes on until it is stopped.
    Serves(&'static str),
    /// It goes on with what happens.
    Follows,
}

impl Kind {
    fn of(line: &str) -> Self {
        let runs = |words: &str| format!(" {line} ").contains(&format!(" {words} "));
        if line == "server" || line.starts_with("server --") {
            Self::Serves("directory ")
        } else if line.contains("peer ") && runs("serve") {
            Self::Serves("peer ")
        } else if line.starts_with("peer demo") {
            Self::Serves("peer")
        } else if ["--follow", "--watch", "/events"].iter().any(|word| line.contains(word)) {
            Self::Follows
        } else {
            Self::Ends
        }
    }
}

impl Block {
    fn typist(&self) -> Typist {
        let any = |found: &dyn Fn(&str) -> bool| self.lines.iter().any(|line| found(line));
        if any(&|line| Kind::of(line) == Kind::Serves("directory ")) {
            Typist::Operator
        } else if any(&|line| Kind::of(line) == Kind::Serves("peer ") || line.contains("menu --name")) {
            Typist::Newcomer
        } else if any(&|line| line.starts_with("curl ")) {
            Typist::Ana
        } else {
            Typist::Bia
        }
    }

    #[track_caller]
    fn run(&self, stage: &mut Stage) {
        for line in &self.lines {
            if NOT_RUN.iter().any(|(begin, _)| line.starts_with(begin)) {
                continue;
            }
            println!("{}: {line}", self.place);
            if let Some((name, value)) = line.strip_prefix("export ").and_then(|line| line.split_once('=')) {
                stage.export(name, value);
                continue;
            }
            let mut filled = stage.filled_in(line);
            if Kind::of(line) == Kind::Serves("peer ") && !line.contains("--name") {
                // The example is for who has a name.
                filled.insert_str(0, "RECADO_NAME=ana ");
            }
            match Kind::of(line) {
                Kind::Ends => is_well(line, &stage.ends(&filled)),
                Kind::Serves(says) => stage.starts(&filled, says),
                Kind::Follows => stage.follows(&filled, |stage| {
                    // Something to see for who follows messages, and for who follows names.
                    stage.ends("peer --data-dir others/rui send bia,ana oi");
                }),
            }
            if line.contains("answer.sh") && Kind::of(line) == Kind::Serves("peer ") {
                answers(stage, if line.contains("--name") { "bot" } else { "ana" });
            }
        }
    }
}

#[track_caller]
fn is_well(line: &str, finished: &Finished) {
    let expected = OTHER_EXITS.iter().find(|(example, ..)| *example == line).map_or(0, |(_, code, _)| *code);
    let Finished { code, stdout, stderr } = finished;
    assert_eq!(*code, Some(expected), "{line}\n{stdout}{stderr}");
    assert!(!stdout.contains("urn:recado:problem"), "{line}\n{stdout}");
}

/// The bot answers whoever has a key, and nobody else, even if the name of who asks looks like a flag.
#[track_caller]
fn answers(stage: &mut Stage, bot: &str) {
    stage.starts("peer --data-dir others/all serve --name=--all --listen 127.0.0.1:0", "peer ");
    stage.ends(&format!("peer --data-dir others/all send {bot} ping")).expect(0);
    until("the answer to --all", || {
        let inbox = stage.ends("peer --data-dir others/all inbox --json").expect(0).stdout;
        inbox.contains("pong").then_some(())
    });
    assert_eq!(
        stage.ends("peer --data-dir others/rui inbox --json").expect(0).stdout,
        "",
        "rui has not asked"
    );
    stage.ends(&format!("peer --data-dir others/rui send {bot} ping")).expect(0);
    until("the bot's answer", || {
        let inbox = stage.ends("peer --data-dir others/rui inbox --json").expect(0).stdout;
        inbox.contains("pong").then_some(())
    });
}

/// The examples of a document: its blocks for the shell, and the files that they speak of.
fn document(name: &str) -> (Vec<Block>, Vec<(String, String)>) {
    let text = std::fs::read_to_string(root().join(name)).unwrap();
    let (mut blocks, mut files) = (Vec::new(), Vec::new());
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line != "```sh" {
            continue;
        }
        let block: Vec<_> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        match block[..] {
            ["#!/bin/sh", file, ..] => {
                files.push((file.trim_start_matches("# ").to_owned(), format!("{}\n", block.join("\n"))));
            }
            _ => blocks.push(Block { place: format!("{name}:{}", number + 2), lines: joined(&block) }),
        }
    }
    (blocks, files)
}

/// Lines of the shell: broken ones joined, remarks left out.
fn joined(lines: &[&str]) -> Vec<String> {
    let mut whole: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in lines {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match whole.last_mut().filter(|_| goes_on) {
            Some(last) => last.extend([" ", line]),
            None => whole.push(line.to_owned()),
        }
        goes_on = line.ends_with('|') || line.ends_with('\\');
        if let Some(last) = whole.last_mut() {
            last.truncate(last.trim_end_matches('\\').len());
        }
    }
    whole
}

/// The steps of the tour: what to type stands in the second column.
fn tour(name: &str) -> Block {
    let text = std::fs::read_to_string(root().join(name)).unwrap();
    let rows =
        text.lines().filter(|line| ["| 1 | `", "| 2 | `", "| 3 | `"].iter().any(|row| line.starts_with(row)));
    let cells = rows.map(|row| row.split('`').nth(1).expect("a command in backticks").to_owned());
    Block { place: format!("{name}, the tour"), lines: cells.collect() }
}

/// The examples of each command's help.
fn help(program: impl Fn() -> Command, name: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(words) = open.pop() {
        let finished =
            Finished::of(&format!("{words:?}"), program().args(&words).arg("--help"), "").expect(0);
        let text = finished.stdout;
        let examples = ["Examples:\n", "Exemplos:\n"].iter().find_map(|heading| text.split_once(heading));
        let examples = examples.map_or("", |(_, rest)| rest);
        let examples: Vec<_> = examples.lines().take_while(|line| line.starts_with("  ")).collect();
        let place = format!("{name} {} --help", words.join(" "));
        assert!(!examples.is_empty(), "{place} has no examples");
        // Each stands for itself; what is set back is a remark, or goes on with the line before.
        let mut lines: Vec<String> = Vec::new();
        for line in examples {
            let line = line.strip_prefix("  ").unwrap_or(line);
            match (line.starts_with(' '), lines.last_mut()) {
                (true, Some(last)) if last.ends_with('\\') => {
                    last.truncate(last.len() - 1);
                    last.push_str(line.trim());
                }
                (true, _) => {}
                (false, _) => lines.push(without_remark(line)),
            }
        }
        blocks.extend(lines.into_iter().map(|line| Block { place: place.clone(), lines: vec![line] }));
        let commands = ["\nCommands:\n", "\nComandos:\n"].iter().find_map(|heading| text.split_once(heading));
        let commands = commands.map_or("", |(_, rest)| rest);
        let commands = commands.lines().take_while(|line| !line.is_empty());
        let commands =
            commands.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
        for command in commands.filter_map(|line| line.split(' ').next()) {
            if command != "help" || words.is_empty() && name == "peer" {
                open.push([words.clone(), vec![command.to_owned()]].concat());
            }
        }
    }
    blocks
}

/// An example up to the two blanks before its remark.
fn without_remark(line: &str) -> String {
    line.split("  ").next().unwrap_or_default().trim().to_owned()
}

/// Runs blocks: those of who serves each on a stage of its own, the others after each other on one.
#[track_caller]
fn run(blocks: &[Block], files: &[(String, String)]) {
    for typist in [Typist::Ana, Typist::Bia] {
        let theirs: Vec<_> = blocks.iter().filter(|block| block.typist() == typist).collect();
        if theirs.is_empty() {
            continue;
        }
        let mut stage = Stage::of(typist, files);
        for block in theirs {
            block.run(&mut stage);
        }
        stage.stop();
    }
    for block in blocks.iter().filter(|block| matches!(block.typist(), Typist::Operator | Typist::Newcomer)) {
        let mut stage = Stage::of(block.typist(), files);
        block.run(&mut stage);
        stage.stop();
    }
}

#[test]
fn readme_does_what_it_says() {
    let (blocks, files) = document("README.md");
    assert!(blocks.len() > 15, "README was read");
    run(&blocks, &files);
    run(&[tour("README.md")], &files);
}

#[test]
fn readme_in_portuguese_does_what_it_says() {
    let (blocks, files) = document("README.pt-BR.md");
    assert!(blocks.len() > 10, "README was read");
    run(&blocks, &files);
    run(&[tour("README.pt-BR.md")], &files);
}

/// The settings that README shows are ones, and win over what is built in.
#[test]
fn readme_shows_settings_that_hold() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, settings) = text.split_once("```toml\n").expect("README shows a config.toml");
    let (settings, _) = settings.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), settings).unwrap();
    let mut config = peer_command();
    config.args(["--json", "config", "--data-dir"]).arg(folder.path());
    let shown = Finished::of("config", &mut config, "").expect(0).stdout;
    let set = shown.lines().filter(|line| line.contains(r#""source":"config""#)).count();
    assert_eq!(set, settings.lines().filter(|line| line.contains(" = ")).count(), "{shown}");
}

#[test]
fn a_script_that_builds_knows_what_became_of_its_report() {
    let (_, files) = document("README.md");
    let stage = Stage::of(Typist::Bia, &files);
    let built = stage.ends("./build.sh");
    is_well("./build.sh", &built);
    assert!(built.stdout.contains("rui has been told"), "{}", built.stdout);
}

#[test]
fn help_does_what_it_says() {
    let (_, files) = document("README.md");
    run(&help(peer_command, "peer"), &files);
}

#[test]
fn help_in_portuguese_does_what_it_says() {
    let (_, files) = document("README.md");
    let in_portuguese = || {
        let mut command = peer_command();
        command.env("RECADO_LANG", "pt");
        command
    };
    run(&help(in_portuguese, "peer"), &files);
}

#[test]
fn help_of_the_directory_does_what_it_says() {
    let blocks = help(server_command, "server");
    let (serving, office): (Vec<_>, Vec<_>) =
        blocks.into_iter().partition(|block| block.typist() == Typist::Operator);
    run(&serving, &[]);
    // Whom one example shows, another has released.
    for block in &office {
        run(std::slice::from_ref(block), &[]);
    }
}
