//! Tools that are written in Python. tests/run installs them, in the versions of tests/requirements.txt.

use std::process::Command;

use super::programs::{clean, root};

/// A command of target/python, without arguments yet. Without tests/run it may not be there: then a story is skipped.
pub(crate) fn python_tool(name: &str) -> Option<Command> {
    let tool = root().join("target/python/bin").join(name);
    if tool.exists() {
        return Some(clean(&tool));
    }
    assert!(std::env::var_os("RECADO_CI").is_none(), "{} is not there: run tests/run", tool.display());
    eprintln!("skipped: {name} is not installed: run tests/run");
    None
}
