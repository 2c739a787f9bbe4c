//! Where the programs are: built once per test run, in the profile and target folder of the tests themselves.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// The two binaries.
struct Programs {
    server: PathBuf,
    peer: PathBuf,
}

static PROGRAMS: LazyLock<Programs> = LazyLock::new(build);

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A command that runs the directory, without arguments yet.
pub(crate) fn server_command() -> Command {
    clean(&PROGRAMS.server)
}

/// A command that runs `peer`, without arguments yet.
pub(crate) fn peer_command() -> Command {
    clean(&PROGRAMS.peer)
}

/// `peer` under another name, from a link in this folder.
pub(crate) fn program_named(name: &str, folder: &Path) -> Command {
    let link = folder.join(name);
    if !link.exists() {
        std::os::unix::fs::symlink(&PROGRAMS.peer, &link).unwrap();
    }
    clean(&link)
}

/// Nothing of the caller's environment decides a story: no `RECADO_*`, no proxy, no locale.
pub(crate) fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LANG", "C").env("RUST_BACKTRACE", "1").env("HOME", "/nonexistent");
    // Where to find `PATH`'s programs and temporary files is the machine's business.
    for kept in ["PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}

/// `CARGO_BIN_EXE_*` is not set for a package of tests only, and `cargo test` does not build the programs for it.
fn build() -> Programs {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(root())
        .args(["build", "--quiet", "--package", "server", "--package", "peer", "--bins"])
        .args(["--message-format", "json-render-diagnostics"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.output().expect("cargo runs");
    assert!(output.status.success(), "cargo build of the programs failed");
    let executable = |name: &str| {
        output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok())
            .filter(|message| message["target"]["name"] == name)
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .unwrap_or_else(|| panic!("cargo names no executable for {name}"))
    };
    Programs { server: executable("server"), peer: executable("peer") }
}
