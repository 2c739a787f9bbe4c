//! The Debian package: built of these very programs, taken apart and looked at. It has both commands under their own names,
//! and nothing in it calls them otherwise.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use super::harness::{Finished, clean, peer_command, root, server_command};

/// What stands in the package besides folders and pages of the manual, and with which mode.
const FILES: &[(&str, u32)] = &[
    ("etc/default/recado-directory", 0o644),
    ("usr/bin/recado", 0o755),
    ("usr/bin/recado-directory", 0o755),
    ("usr/lib/systemd/system/recado-directory.service", 0o644),
    ("usr/lib/systemd/user/recado.service", 0o644),
    ("usr/share/bash-completion/completions/recado", 0o644),
    ("usr/share/bash-completion/completions/recado-directory", 0o644),
    ("usr/share/doc/recado/CHANGELOG.md", 0o644),
    ("usr/share/doc/recado/README.md", 0o644),
    ("usr/share/doc/recado/README.pt-BR.md", 0o644),
    ("usr/share/doc/recado/changelog.Debian.gz", 0o644),
    ("usr/share/doc/recado/copyright", 0o644),
    ("usr/share/doc/recado/openapi.yaml", 0o644),
    ("usr/share/fish/vendor_completions.d/recado-directory.fish", 0o644),
    ("usr/share/fish/vendor_completions.d/recado.fish", 0o644),
    ("usr/share/zsh/vendor-completions/_recado", 0o644),
    ("usr/share/zsh/vendor-completions/_recado-directory", 0o644),
];

/// Some of the pages.
const PAGES: &[&str] =
    &["recado.1.gz", "recado-send.1.gz", "recado-directory.1.gz", "recado-directory-names.1.gz"];

/// Runs a command to its end, which is 0, and gives what it said on standard output.
#[track_caller]
fn run(command: &mut Command) -> String {
    Finished::of(&format!("{command:?}"), command, "").expect(0).stdout
}

/// Every file in a folder, from there, and its mode.
fn files(folder: &Path, within: &Path, found: &mut Vec<(String, u32)>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            assert_eq!(metadata.mode() & 0o7777, 0o755, "{}", path.display());
            files(&path, within, found);
        } else {
            let name = path.strip_prefix(within).unwrap().to_str().unwrap().to_owned();
            found.push((name, metadata.permissions().mode() & 0o7777));
        }
    }
}

#[test]
fn one_command_builds_a_package_of_both_programs_under_their_own_names() {
    if Command::new("cargo-deb").arg("--version").output().is_err() {
        assert!(
            std::env::var_os("RECADO_CI").is_none(),
            "cargo-deb is needed: cargo install cargo-deb --locked"
        );
        eprintln!("skipped: there is no cargo-deb");
        return;
    }
    let (output, unpacked) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let peer = peer_command();
    let programs = Path::new(peer.get_program()).parent().unwrap();
    assert_eq!(Path::new(server_command().get_program()).parent(), Some(programs));
    let mut build = Command::new(root().join("packaging/build"));
    build.arg("--programs").arg(programs).arg("--output").arg(output.path());
    let package = run(&mut build).lines().last().unwrap().to_owned();
    run(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(unpacked.path()));
    let field =
        |name: &str| run(Command::new("dpkg-deb").args(["--field", &package, name])).trim().to_owned();
    assert_eq!(field("Package"), "recado");
    assert!(field("Version").starts_with(env!("CARGO_PKG_VERSION")), "{}", field("Version"));

    let mut found = Vec::new();
    files(unpacked.path(), unpacked.path(), &mut found);
    found.sort();
    let (pages, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|(name, _)| name.starts_with("usr/share/man/"));
    let expected: Vec<_> = FILES.iter().map(|(name, mode)| ((*name).to_owned(), *mode)).collect();
    assert_eq!(others, expected);
    for page in PAGES {
        assert!(
            pages.contains(&(format!("usr/share/man/man1/{page}"), 0o644)),
            "{page} is not in {pages:#?}"
        );
    }
    let in_portuguese = unpacked.path().join("usr/share/man/pt/man1/recado-send.1.gz");
    assert!(run(Command::new("zcat").arg(in_portuguese)).contains("EXEMPLOS"));
    for (page, _) in &pages {
        assert!(page.contains("/recado"), "{page}");
        let text = run(Command::new("zcat").arg(unpacked.path().join(page)));
        // Roff writes a hyphen in a name with a backslash.
        let names_others =
            text.lines().any(|line| line.contains("peer serve") || line.contains("server names"));
        assert!(text.contains(".TH") && !names_others, "{page} calls the commands otherwise:\n{text}");
    }
    programs_speak_of_themselves(unpacked.path());
    units_are_sound(unpacked.path());
}

/// Under the names by which they were started.
fn programs_speak_of_themselves(unpacked: &Path) {
    let program = |name: &str| clean(&unpacked.join("usr/bin").join(name));
    for name in ["recado", "recado-directory"] {
        let version = run(program(name).arg("--version"));
        assert_eq!(version.trim(), format!("{name} {}", env!("CARGO_PKG_VERSION")));
        let help = run(program(name).arg("--help"));
        assert!(help.starts_with(&format!("Examples:\n  {name}")), "{help}");
        assert!(help.contains(&format!("Usage: {name}")), "{help}");
        assert!(!help.contains("  peer ") && !help.contains("  server "), "{help}");
        let wrong = Finished::of(name, program(name).arg("--no-such-flag"), "").expect(2).stderr;
        assert!(wrong.contains(name) && !wrong.contains("peer") && !wrong.contains("server"), "{wrong}");
    }
    let nowhere = tempfile::tempdir().unwrap();
    let mut nameless = program("recado");
    nameless.arg("--data-dir").arg(nowhere.path()).args(["send", "ana", "hi"]);
    let said = Finished::of("a peer without a name", &mut nameless, "").expect(2).stderr;
    assert!(said.contains("recado") && !said.contains("`peer"), "{said}");
    for shell in [
        "bash-completion/completions/recado",
        "zsh/vendor-completions/_recado",
        "fish/vendor_completions.d/recado.fish",
    ] {
        let script = fs::read_to_string(unpacked.join("usr/share").join(shell)).unwrap();
        assert!(
            script.contains("recado") && !script.contains("target/"),
            "{shell} names where it was built:\n{script}"
        );
    }
}

/// As far as systemd can tell without running them.
fn units_are_sound(unpacked: &Path) {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("the units were not looked at: there is no systemd-analyze");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (kind, unit) in [("user", "recado.service"), ("system", "recado-directory.service")] {
        let text = fs::read_to_string(unpacked.join("usr/lib/systemd").join(kind).join(unit)).unwrap();
        // Only here the programs are elsewhere.
        let bin = unpacked.join("usr/bin");
        let text = text.replace("/usr/bin", bin.to_str().unwrap());
        let path = folder.path().join(unit);
        fs::write(&path, text).unwrap();
        let mut verify = Command::new("systemd-analyze");
        verify
            .env("XDG_RUNTIME_DIR", folder.path())
            .args([&format!("--{kind}"), "--man=no", "verify"])
            .arg(&path);
        let verified = Finished::of("systemd-analyze", &mut verify, "").expect(0);
        assert!(!verified.stderr.contains(unit), "{}", verified.stderr);
    }
    let mut security = Command::new("systemd-analyze");
    security
        .args(["security", "--offline=true", "--threshold=15"])
        .arg(folder.path().join("recado-directory.service"));
    run(&mut security);
}
