//! Faults of a disk, which strace puts into the system calls of a running peer.

use std::process::Command;

use super::peer::Peer;
use super::process::{Process, Signal};

/// A fault that lasts until it is ended.
pub(crate) struct Fault(Process);

/// Puts a fault into the system calls of a peer's daemon, until it is ended, and tells on standard error what is
/// written and synced. Nothing where that cannot be done.
#[track_caller]
pub(crate) fn inject(peer: &mut Peer, calls: &str, fault: &str) -> Option<Fault> {
    let mut command = Command::new("strace");
    command.args(["-f", "-p", &peer.daemon().id().to_string()]);
    // Whole pages, so that a text is seen on its way.
    command.args(["-s", "8192", "-e", "trace=pwrite64,fsync,fdatasync"]);
    command.args(["-e", &format!("inject={calls}:{fault}")]);
    let why = if Command::new("strace").arg("--version").output().is_err() {
        "strace is not installed: `apt install strace`, or run tests/run"
    } else {
        let strace = Process::spawn("strace", &mut command);
        let attached = strace.stderr_until("whether it is attached", |said| {
            let refused = said.contains("not permitted");
            said.contains("attached").then_some(true).or_else(|| refused.then_some(false))
        });
        if attached {
            return Some(Fault(strace));
        }
        "strace may not attach to other processes here: `sysctl kernel.yama.ptrace_scope=0`"
    };
    assert!(std::env::var_os("RECADO_CI").is_none(), "{why}");
    eprintln!("skipped: {why}");
    None
}

impl Fault {
    /// Waits until `found` finds something in what was written and synced.
    #[track_caller]
    pub(crate) fn until<T>(&self, what: &str, found: impl FnMut(&str) -> Option<T>) -> T {
        self.0.stderr_until(what, found)
    }

    /// The disk is as before again.
    pub(crate) fn end(mut self) {
        self.0.signal(Signal::TERM);
        self.0.wait();
    }
}
