//! The walls of the code: which files may name an outside library, who owns a table, which room knows which.
//!
//! The lists below are the rule. A new file in them is a decision, to be seen in review.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::harness::root;

/// Libraries that enter by few doors: files, or folders with a slash at the end.
const DOORS: &[(&str, &[&str])] = &[
    (
        "rusqlite",
        &[
            "store/src/",
            // Jobs on the database, and the owners of its tables.
            "server/src/directory.rs",
            "server/src/directory/claims.rs",
            "server/src/directory/clock.rs",
            "server/src/directory/failure.rs",
            "server/src/directory/invites.rs",
            "server/src/directory/leases.rs",
            "server/src/directory/office.rs",
            "server/src/directory/registration.rs",
            "server/src/directory/releases.rs",
            "server/src/directory/restart.rs",
            "peer/src/database.rs",
            "peer/src/archive.rs",
            "peer/src/archive/import.rs",
            "peer/src/contacts.rs",
            "peer/src/contacts/",
            "peer/src/conversations.rs",
            "peer/src/conversations/",
            "peer/src/identity/profile.rs",
            "peer/src/inbound/had.rs",
            "peer/src/inbound/inbox.rs",
            "peer/src/inbound/inbox/",
            "peer/src/inbound/quota.rs",
            "peer/src/on_message/progress.rs",
            "peer/src/outbound/outbox.rs",
            "peer/src/outbound/outbox/",
        ],
    ),
    ("reqwest", &["peer/src/client.rs", "peer/src/client/", "peer/src/directory.rs", "peer/src/directory/"]),
    (
        "axum",
        &[
            "listener/src/",
            "server/src/http.rs",
            "server/src/http/",
            "peer/src/inbound/endpoint.rs",
            "peer/src/inbound/gate.rs",
        ],
    ),
    ("hyper", &["listener/src/"]),
    ("tower_http", &["listener/src/"]),
    ("prometheus_client", &["server/src/metrics.rs"]),
    ("ipnet", &["listener/src/source.rs"]),
    (
        "rustls",
        &[
            "listener/src/client_key.rs",
            "listener/src/tls.rs",
            "peer/src/client/",
            "peer/src/identity/key.rs",
        ],
    ),
    ("sd_notify", &["listener/src/supervisor.rs"]),
    ("rcgen", &["peer/src/identity/key.rs"]),
    ("socket2", &["listener/src/bind.rs"]),
    ("governor", &["listener/src/rate.rs"]),
    (
        "clap",
        &[
            "listener/src/flags.rs",
            "server/src/config.rs",
            "server/src/main.rs",
            "server/src/program.rs",
            "server/src/command.rs",
            "server/src/command/",
            "peer/src/cli.rs",
            "peer/src/cli/",
        ],
    ),
    ("fluent_bundle", &["peer/src/cli/language.rs", "peer/src/cli/language/"]),
    (
        "clap_complete",
        &["peer/src/cli/completions.rs", "peer/src/cli/completions/", "server/src/command/paper.rs"],
    ),
    ("clap_mangen", &["peer/src/cli/man.rs", "server/src/command/paper.rs"]),
    ("flate2", &["server/src/directory/page.rs", "peer/src/directory/list.rs"]),
    ("comfy_table", &["server/src/command/"]),
    ("indicatif", &["peer/src/cli/progress.rs"]),
    (
        "rustix",
        &[
            "listener/src/bind.rs",
            "peer/src/cli/output.rs",
            "peer/src/doctor/place.rs",
            "peer/src/identity/private.rs",
            "peer/src/on_message/command.rs",
        ],
    ),
    ("shlex", &["peer/src/on_message/command.rs"]),
    ("strsim", &["peer/src/cli/suggest.rs"]),
    ("toml", &["peer/src/cli/settings/file.rs"]),
    ("unicode_width", &["peer/src/cli/"]),
    ("precis_profiles", &["protocol/src/name.rs"]),
    ("pgp_words", &["peer/src/cli/words.rs"]),
    ("qrcode", &["peer/src/cli/qr.rs"]),
    (
        "sha2",
        &[
            "protocol/src/fingerprint.rs",
            "server/src/directory/invites.rs",
            "server/src/directory/page.rs",
            "server/src/directory/token.rs",
            "peer/src/inbound/inbox/content.rs",
        ],
    ),
];

/// SQL on a table stands in its owner's file, and the folder of its parts, only. Reading across tables goes through a view.
const OWNERS: &[(&str, &str, &str)] = &[
    ("server", "claims", "server/src/directory/claims.rs"),
    ("server", "leases", "server/src/directory/leases.rs"),
    ("server", "clock", "server/src/directory/clock.rs"),
    ("server", "invites", "server/src/directory/invites.rs"),
    ("server", "tally", "server/src/directory/claims.rs"),
    ("peer", "profile", "peer/src/identity/profile.rs"),
    ("peer", "pins", "peer/src/contacts/pins.rs"),
    ("peer", "blocked", "peer/src/contacts/pins.rs"),
    ("peer", "known", "peer/src/contacts/known.rs"),
    ("peer", "mismatches", "peer/src/contacts/mismatches.rs"),
    ("peer", "had", "peer/src/inbound/had.rs"),
    ("peer", "kept", "peer/src/inbound/quota.rs"),
    ("peer", "strangers", "peer/src/inbound/quota.rs"),
    ("peer", "positions", "peer/src/conversations.rs"),
    ("peer", "indexed", "peer/src/conversations/words.rs"),
    ("peer", "deleted_received", "peer/src/inbound/inbox/deleted.rs"),
    ("peer", "deleted_sent", "peer/src/outbound/outbox/deleted.rs"),
    ("peer", "received", "peer/src/inbound/inbox.rs"),
    ("peer", "sent", "peer/src/outbound/outbox.rs"),
    ("peer", "recipients", "peer/src/outbound/outbox.rs"),
    ("peer", "closed", "peer/src/outbound/outbox/closed.rs"),
    ("peer", "commands", "peer/src/on_message/progress.rs"),
    ("peer", "commands_ahead", "peer/src/on_message/progress.rs"),
];

/// What a room (a prefix of paths) never names.
const ROOMS: &[(&str, &[&str])] = &[
    ("protocol/src/", &["tokio::", "axum::", "hyper::", "reqwest::", "rusqlite::", "store::", "listener::"]),
    ("store/src/", &["protocol::", "listener::", "server::", "peer::", "axum::", "reqwest::"]),
    ("listener/src/", &["store::", "server::", "peer::", "rusqlite::", "reqwest::"]),
    ("server/src/http", &["store::", "rusqlite::"]),
    ("server/src/directory", &["crate::http", "axum::", "listener::"]),
    ("peer/src/cli/", &["rusqlite::", "reqwest::", "axum::", "crate::inbound::endpoint"]),
    ("peer/src/cli.rs", &["rusqlite::", "reqwest::", "axum::", "crate::inbound::endpoint"]),
    ("peer/src/inbound", &["crate::outbound", "crate::cli", "reqwest::", "clap::"]),
    ("peer/src/outbound", &["crate::inbound", "crate::cli", "axum::", "clap::"]),
    ("peer/src/on_message", &["crate::inbound", "crate::outbound", "crate::cli", "axum::", "clap::"]),
    ("peer/src/doctor", &["crate::inbound", "crate::cli", "rusqlite::", "reqwest::", "clap::"]),
    ("peer/src/directory", &["crate::inbound", "crate::outbound", "crate::cli", "store::", "rusqlite::"]),
    ("peer/src/client", &["crate::inbound", "crate::outbound", "crate::cli", "store::", "rusqlite::"]),
    ("peer/src/contacts", &["crate::inbound", "crate::outbound", "crate::cli"]),
    ("peer/src/conversations", &["crate::inbound", "crate::outbound", "crate::cli"]),
    ("peer/src/identity", &["crate::inbound", "crate::outbound", "crate::cli"]),
];

/// No production file is longer, its unit tests aside.
const MOST_LINES: usize = 400;

/// One file that goes into a program.
struct Source {
    /// From the root, with slashes.
    path: String,
    /// Without unit tests.
    text: String,
    /// Without comments either.
    code: String,
    lines: usize,
}

#[test]
fn libraries_enter_by_their_doors() {
    let sources = production();
    let mut wrong = Vec::new();
    for (library, doors) in DOORS {
        for source in sources.iter().filter(|source| names(&source.code, &format!("{library}::"))) {
            if !doors.iter().any(|door| is_within(&source.path, door)) {
                wrong.push(format!("{} names {library}", source.path));
            }
        }
        for door in *doors {
            let used = sources
                .iter()
                .any(|source| is_within(&source.path, door) && names(&source.code, &format!("{library}::")));
            if !used {
                wrong.push(format!("{door} is a door for {library} that nobody uses"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rooms_know_only_what_they_may() {
    let mut wrong = Vec::new();
    let sources = production();
    for (room, forbidden) in ROOMS {
        let within: Vec<_> = sources.iter().filter(|source| source.path.starts_with(room)).collect();
        assert!(!within.is_empty(), "there is no {room}");
        for source in within {
            let named = forbidden.iter().filter(|word| names(&source.code, word));
            wrong.extend(named.map(|word| format!("{} names {word}", source.path)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_poisoned_lock_is_dealt_with_in_one_place() {
    for package in ["protocol/", "store/", "listener/", "server/", "peer/"] {
        let sources = production();
        let places = sources.iter().filter(|source| {
            source.path.starts_with(package) && source.code.contains("PoisonError::into_inner")
        });
        let places: Vec<_> = places.map(|source| &source.path).collect();
        assert!(places.len() <= 1, "{places:?}");
    }
}

#[test]
fn a_table_has_one_owner() {
    let sources = production();
    let mut wrong = Vec::new();
    for program in ["server", "peer"] {
        let tables = tables_of(program);
        let owned: BTreeSet<_> = OWNERS
            .iter()
            .filter(|(owner, ..)| *owner == program)
            .map(|(_, table, _)| (*table).to_owned())
            .collect();
        assert_eq!(tables, owned, "the tables in migrations/{program} and their owners");
        let code = sources.iter().filter(|source| source.path.starts_with(&format!("{program}/")));
        for source in code {
            for (_, table, owner) in OWNERS.iter().filter(|(owner, ..)| *owner == program) {
                if !is_part(&source.path, owner) && tables_in_sql(&source.code).contains(*table) {
                    wrong.push(format!("{} has SQL on {table}, which {owner} owns", source.path));
                }
            }
        }
    }
    for (_, table, owner) in OWNERS {
        let source =
            sources.iter().find(|source| source.path == *owner).unwrap_or_else(|| panic!("no {owner}"));
        assert!(tables_in_sql(&source.code).contains(*table), "{owner} has no SQL on {table}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_migration_is_in_its_program() {
    let sources = production();
    for (program, files) in migrations() {
        assert!(!files.is_empty(), "migrations/{program} is empty");
        for (number, file) in files.iter().enumerate() {
            assert!(file.starts_with(&format!("{:04}_", number + 1)), "{file} is out of turn");
            let included = sources.iter().any(|source| {
                source.path.starts_with(&format!("{program}/"))
                    && source.code.contains(&format!("migrations/{program}/{file}\""))
            });
            assert!(included, "migrations/{program}/{file} is in no program");
        }
    }
}

#[test]
fn files_end_by_400_lines_and_say_first_what_they_are_for() {
    let mut wrong = Vec::new();
    for source in production() {
        if source.lines > MOST_LINES {
            wrong.push(format!("{} has {} lines", source.path, source.lines));
        }
        // The help of a command is the comment of its arguments.
        let says = source.text.starts_with("//! ") || source.code.contains("#[derive(Args");
        if !says {
            wrong.push(format!("{} does not say what it is for", source.path));
        }
        let name = source.path.rsplit('/').next().unwrap();
        if ["mod.rs", "utils.rs", "common.rs", "helpers.rs", "types.rs"].contains(&name) {
            wrong.push(format!("{} has a name that says nothing", source.path));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_scan_sees_what_it_looks_for() {
    assert!(names("use axum::Json;", "axum::"));
    assert!(names("pub use axum;", "axum::"), "the bare crate too");
    assert!(!names("use my_axum::Json;", "axum::"));
    assert!(!names("use super::store::Store;", "store::"), "a module of the same name is not the crate");
    let sql =
        "\"SELECT a FROM claims JOIN leases\" \"UPDATE clock SET\" \"insert into x\" DELETE FROM online";
    let found: BTreeSet<_> = ["claims", "leases", "clock", "online"].map(str::to_owned).into();
    assert_eq!(tables_in_sql(sql), found);
    let text = "//! a\nfn a() {} // axum::\n#[cfg(test)]\nmod tests {\n    use rusqlite::x;\n}\n";
    assert_eq!(without_tests(text), "//! a\nfn a() {} // axum::\n");
    assert!(!without_comments(text).contains("axum"));
}

/// Whether it is this file, or in the folder of its parts.
fn is_part(path: &str, file: &str) -> bool {
    path == file || file.strip_suffix(".rs").is_some_and(|folder| is_within(path, &format!("{folder}/")))
}

fn is_within(path: &str, door: &str) -> bool {
    path == door || (door.ends_with('/') && path.starts_with(door))
}

/// Whether the code names the crate or module, not another whose name ends alike.
fn names(code: &str, word: &str) -> bool {
    let bare = word.trim_end_matches("::");
    let whole = |at: usize, length: usize| {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        let after = code[at + length..].chars().next().unwrap_or(' ');
        let part = |character: char| character.is_alphanumeric() || character == '_';
        !part(before) && before != ':' && !part(after)
    };
    let used = code.match_indices(bare).filter(|(at, _)| whole(*at, bare.len()));
    let mut used = used.map(|(at, _)| (&code[..at], &code[at + bare.len()..]));
    used.any(|(before, after)| after.starts_with("::") || !word.ends_with("::") || before.ends_with("use "))
}

/// The tables that SQL in the code reads or writes: the word behind an upper-case `FROM`, `INTO`, `UPDATE` or `JOIN`.
fn tables_in_sql(code: &str) -> BTreeSet<String> {
    let part = |character: char| !(character.is_alphanumeric() || character == '_');
    let words: Vec<_> = code.split(part).filter(|word| !word.is_empty()).collect();
    let pairs = words.windows(2).filter(|pair| ["FROM", "INTO", "UPDATE", "JOIN"].contains(&pair[0]));
    pairs.map(|pair| pair[1].to_owned()).filter(|word| word.chars().all(|c| !c.is_uppercase())).collect()
}

fn tables_of(program: &str) -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    for file in &migrations()[program] {
        let sql = std::fs::read_to_string(root().join("migrations").join(program).join(file)).unwrap();
        let created = sql.split("CREATE TABLE ").skip(1);
        tables.extend(created.map(|rest| rest.split([' ', '(']).next().unwrap().to_owned()));
        for dropped in sql.split("DROP TABLE ").skip(1) {
            tables.remove(dropped.split(';').next().unwrap());
        }
    }
    tables
}

fn migrations() -> BTreeMap<&'static str, Vec<String>> {
    let files = |program| {
        let mut files: Vec<_> = entries(&root().join("migrations").join(program))
            .into_iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "sql"))
            .collect();
        files.sort();
        files
    };
    [("server", files("server")), ("peer", files("peer"))].into()
}

/// All source files that go into the programs.
fn production() -> Vec<Source> {
    let mut paths = Vec::new();
    for package in ["protocol", "store", "listener", "server", "peer"] {
        collect(&root().join(package).join("src"), &mut paths);
    }
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    let tests: BTreeSet<_> = paths.iter().flat_map(|path| test_modules(path, &text(path))).collect();
    let mut sources = Vec::new();
    let is_test =
        |path: &Path| tests.iter().any(|test| path == test || path.starts_with(test.with_extension("")));
    for path in paths.iter().filter(|path| !is_test(path)) {
        let text = without_tests(&text(path));
        let relative = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        let (code, lines) = (without_comments(&text), text.lines().count());
        sources.push(Source { path: relative, text, code, lines });
    }
    assert!(sources.len() > 40, "the scan finds the code");
    sources
}

/// All Rust files in a folder.
pub(super) fn collect(folder: &Path, paths: &mut Vec<std::path::PathBuf>) {
    for path in entries(folder) {
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let read = folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    read.map(|entry| entry.unwrap().path()).collect()
}

/// The files that `#[cfg(test)] mod name;` in a file names.
fn test_modules(path: &Path, text: &str) -> Vec<std::path::PathBuf> {
    let folder = match path.file_stem().unwrap().to_str().unwrap() {
        "lib" | "main" => path.parent().unwrap().to_owned(),
        _ => path.with_extension(""),
    };
    let behind = text.split("#[cfg(test)]\nmod ").skip(1);
    let named = behind.filter_map(|rest| rest.lines().next()?.strip_suffix(';'));
    named.map(|name| folder.join(format!("{name}.rs"))).collect()
}

/// The text up to its unit tests, which end a file.
fn without_tests(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned()
}

fn without_comments(text: &str) -> String {
    let line = |line: &str| line.split_once("// ").map_or(line, |(code, _)| code).to_owned();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(line).collect::<Vec<_>>().join("\n")
}
