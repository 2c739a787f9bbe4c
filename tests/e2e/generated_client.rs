//! A client that somebody else's tool made from openapi.yaml works: types, problems, and no warning on the way.

use tempfile::TempDir;

use super::harness::{Directory, Peer, new_token, python_tool, root};

#[test]
fn a_generated_client_registers_lists_and_leaves_a_message() {
    let (Some(mut generator), Some(mut python)) =
        (python_tool("openapi-python-client"), python_tool("python"))
    else {
        return;
    };
    let folder = TempDir::with_prefix("recado-client-").unwrap();
    let generated = generator
        .args(["generate", "--fail-on-warning", "--meta", "none"])
        .arg("--path")
        .arg(root().join("openapi.yaml"))
        .arg("--config")
        .arg(root().join("tests/generator.yaml"))
        .arg("--output-path")
        .arg(folder.path().join("recado"))
        .output()
        .unwrap();
    let said = [generated.stdout, generated.stderr].concat();
    assert!(generated.status.success(), "{}", String::from_utf8_lossy(&said));

    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let used = python
        .env("PYTHONPATH", folder.path())
        .arg(root().join("tests/e2e/generated_client.py"))
        .args([directory.url(), &rui.plain(), &new_token()])
        .output()
        .unwrap();
    assert!(used.status.success(), "{}", String::from_utf8_lossy(&used.stderr));
}
