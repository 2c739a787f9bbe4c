//! The programs that are measured, each in a folder of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

/// A program that runs until it is dropped.
pub struct Program {
    process: Child,
    /// What its ready line says.
    pub url: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its data is; kept by whoever wants to start it again.
    pub folder: Arc<TempDir>,
}

impl Program {
    /// A directory with default flags.
    pub fn directory() -> Self {
        Self::directory_with(&[])
    }

    /// A directory with further flags.
    pub fn directory_with(flags: &[String]) -> Self {
        Self::start(|folder| {
            let mut command = Command::new(binary("server"));
            command.args(["--listen", "127.0.0.1:0", "--db"]).arg(folder.join("directory.db")).args(flags);
            command
        })
    }

    /// A peer with default flags.
    pub fn peer(name: &str, directory: &Self) -> Self {
        Self::peer_with(name, directory, &[])
    }

    /// A peer with further flags.
    pub fn peer_with(name: &str, directory: &Self, flags: &[String]) -> Self {
        Self::peer_in(new_folder(), name, directory, flags)
    }

    /// A peer in a folder that it had before.
    pub fn peer_in(folder: Arc<TempDir>, name: &str, directory: &Self, flags: &[String]) -> Self {
        let mut command = Command::new(binary("peer"));
        command.args(["serve", "--server", &directory.url, "--name", name]);
        command.arg("--data-dir").arg(folder.path().join(name)).args(flags);
        if !flags.iter().any(|flag| flag == "--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        Self::run(folder, command)
    }

    /// A server that commits each message by itself.
    pub fn baseline() -> Self {
        Self::start(|folder| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.arg("baseline").arg(folder.join("baseline.db"));
            command
        })
    }

    fn start(command: impl FnOnce(&Path) -> Command) -> Self {
        let folder = new_folder();
        let command = command(folder.path());
        Self::run(folder, command)
    }

    fn run(folder: Arc<TempDir>, mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let url = ready.split_whitespace().nth(1).expect("no ready line").to_owned();
        let address = url.split_once("://").unwrap().1.parse().unwrap();
        Self { process, url, address, folder }
    }

    /// Resident memory in MiB.
    pub fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// On the disk that the build is on: the system's temporary folder may be in memory.
fn new_folder() -> Arc<TempDir> {
    Arc::new(tempfile::tempdir_in(target()).unwrap())
}

/// The build's folder: this program stands in `release/deps` of it.
fn target() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}

/// A program as it was built.
pub fn binary(name: &str) -> PathBuf {
    target().join("release").join(name)
}
