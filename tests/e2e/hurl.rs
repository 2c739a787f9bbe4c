//! The examples in tests/http, run by the hurl command against running programs.

use std::collections::BTreeSet;
use std::process::Command;

use super::harness::{CONTRACT, Directory, Peer, new_token, root};

#[test]
fn each_operation_has_a_hurl_file() {
    let files: BTreeSet<_> = root()
        .join("tests/http")
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let wanted: BTreeSet<_> =
        CONTRACT.operations().iter().map(|operation| format!("{}.hurl", operation.id)).collect();
    assert_eq!(files, wanted);
}

#[test]
fn the_hurl_files_hold() {
    if Command::new("hurl").arg("--version").output().is_err() {
        let how = "hurl is not installed: `cargo install hurl --version 8.0.1 --locked`, or run tests/run";
        assert!(std::env::var_os("RECADO_CI").is_none(), "{how}");
        eprintln!("skipped: {how}");
        return;
    }
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    for operation in CONTRACT.operations() {
        let file = root().join("tests/http").join(format!("{}.hurl", operation.id));
        let output = Command::new("hurl")
            .args(["--test", "--error-format", "long", "--jobs", "1", "--no-proxy", "*"])
            .args(["--variable", &format!("directory={}", directory.url())])
            .args(["--variable", &format!("peer={}", rui.plain())])
            .args(["--variable", &format!("address={}", rui.url())])
            .args(["--variable", &format!("token={}", new_token())])
            .arg(file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}.hurl:\n{said}", operation.id);
    }
}
