//! Requests that schemathesis makes up from openapi.yaml, right ones and wrong ones, and what both programs answer.
//!
//! What it judges by stands in tests/schemathesis. Its seed is fixed; `RECADO_SEED` is another, `tests/run --long` more.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::harness::{CONTRACT, Directory, Peer, Program, long, new_token, python_tool, root};

#[test]
fn the_directory_answers_made_up_requests_as_documented() {
    let directory = Directory::start();
    let tokens = [("RECADO_ANA", "ana"), ("RECADO_RUI", "rui")].map(|(variable, name)| {
        let token = new_token();
        directory.register(name, "http://127.0.0.1:7101", &token).expect(201);
        (variable, token)
    });
    judge("directory.toml", directory.url(), &part(Program::Directory), &tokens);
}

#[test]
fn a_private_directory_lets_nobody_read_without_a_token() {
    let directory = Directory::with(&["--private"]);
    let token = new_token();
    let invite = directory.run(&["invite"]).expect(0).stdout;
    let ana = json!({"name": "ana", "address": "http://127.0.0.1:7101", "invite": invite.trim()});
    directory.request(reqwest::Method::POST, "/register").bearer(&token).json(&ana).send().expect(201);
    let mut part = part(Program::Directory);
    let paths = part["paths"].as_object_mut().unwrap();
    paths.retain(|path, _| path.starts_with("/peers"));
    for path in paths.values_mut() {
        // In this one the token is not a choice.
        path["get"]["security"] = json!([{"claimToken": []}]);
    }
    judge("private.toml", directory.url(), &part, &[("RECADO_ANA", token)]);
}

#[test]
fn a_peer_answers_made_up_requests_as_documented() {
    let directory = Directory::start();
    let mut rui = Peer::offline(&directory, "rui");
    // Batches bring more messages than are kept of those without a key.
    rui.serve_with(&["--unverified-limit", "none"]);
    judge("peer.toml", &rui.plain(), &part(Program::Peer), &[]);
}

fn judge(config: &str, url: &str, contract: &Value, tokens: &[(&str, String)]) {
    let Some(mut schemathesis) = python_tool("schemathesis") else { return };
    let folder = TempDir::with_prefix("recado-schemathesis-").unwrap();
    std::fs::write(folder.path().join("openapi.json"), contract.to_string()).unwrap();
    let seed = std::env::var("RECADO_SEED").unwrap_or_else(|_| "1".to_owned());
    let examples = if long() { "300" } else { "50" };
    let output = schemathesis
        // It keeps what it has learned beside itself.
        .current_dir(&folder)
        .envs(tokens.iter().cloned())
        .arg("--config-file")
        .arg(root().join("tests/schemathesis").join(config))
        .args(["--no-color", "run", "openapi.json"])
        .args(["--url", url, "--checks", "all", "--continue-on-failure"])
        .args(["--seed", &seed, "--max-examples", examples, "--generation-database", "none"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// The contract of one program.
fn part(program: Program) -> Value {
    let mut part = CONTRACT.document().clone();
    let paths = part["paths"].as_object_mut().unwrap();
    paths.retain(|path, _| !CONTRACT.at(program, path).is_empty());
    // An answer without an end would be waited for; tests/e2e/changes.rs reads it.
    paths.remove("/events");
    part
}
