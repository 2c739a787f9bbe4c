//! README's table of limits says what both programs say of themselves, and names a test of each.

use std::collections::BTreeMap;
use std::process::Command;

use super::harness::{peer_command, root, server_command};
use super::tidy::collect;

/// A row of the table: flag, default of `server`, default of `peer serve`, what happens, test.
struct Row {
    flag: String,
    defaults: [Option<String>; 2],
    test: String,
}

#[test]
fn the_table_of_limits_is_what_the_programs_say() {
    let table = table();
    let programs = [limits(server_command().arg("--help")), limits(peer_command().args(["serve", "--help"]))];
    for (number, said) in programs.iter().enumerate() {
        let in_table =
            table.iter().filter_map(|row| Some((row.flag.as_str(), row.defaults[number].as_deref()?)));
        let in_help = said.iter().map(|limit| (limit.flag.as_str(), limit.default.as_str()));
        let (in_table, in_help): (BTreeMap<_, _>, BTreeMap<_, _>) = (in_table.collect(), in_help.collect());
        assert_eq!(in_table, in_help, "README's table and --help of program {number}");
    }
    for Limit { flag, variable, .. } in &programs[0] {
        let named =
            format!("RECADO_DIRECTORY_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase());
        assert_eq!(*variable, named);
    }
}

#[test]
fn each_limit_names_a_test_that_there_is() {
    let mut paths = Vec::new();
    for folder in ["listener", "peer", "protocol", "server", "tests"] {
        collect(&root().join(folder), &mut paths);
    }
    let sources: String = paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for Row { flag, test, .. } in table() {
        assert!(sources.contains(&format!("fn {test}(")), "{flag}: there is no test {test}");
    }
}

fn table() -> Vec<Row> {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, section) = readme.split_once("\n## Limits\n").expect("README has a section `Limits`");
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    section.lines().filter(|line| line.starts_with("| `--")).map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<_> =
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`')).collect();
    let [flag, server, peer, _, test] = cells[..] else { panic!("five columns: {line}") };
    let default = |cell: &str| (cell != "–").then(|| cell.to_owned());
    let flag = flag.split(' ').next().unwrap().to_owned();
    Row { flag, defaults: [default(server), default(peer)], test: test.to_owned() }
}

/// A flag under the heading "Limits".
#[derive(Default)]
struct Limit {
    flag: String,
    variable: String,
    default: String,
}

/// What a program's help says of its limits.
fn limits(help: &mut Command) -> Vec<Limit> {
    let output = help.output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let (_, section) = help.split_once("\nLimits:\n").expect("a heading `Limits`");
    let mut limits = Vec::<Limit>::new();
    for line in section.lines().take_while(|line| line.is_empty() || line.starts_with(' ')) {
        let line = line.trim();
        if line.starts_with("--") {
            let flag = line.split(' ').next().unwrap().to_owned();
            limits.push(Limit { flag, ..Limit::default() });
        }
        let Some(limit) = limits.last_mut() else { continue };
        if let Some(variable) = line.strip_prefix("[env: ") {
            limit.variable = variable.trim_end_matches("=]").into();
        } else if let Some(default) = line.strip_prefix("[default: ") {
            limit.default = default.trim_end_matches(']').into();
        }
    }
    limits
}
