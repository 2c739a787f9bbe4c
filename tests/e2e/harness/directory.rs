//! A running directory.

use std::path::PathBuf;

use protocol::Fingerprint;
use reqwest::Method;
use tempfile::TempDir;

use super::http::{Answer, Program, Request};
use super::peer::Finished;
use super::process::{Process, Signal};
use super::programs::server_command;
use super::wait::until;

/// A directory with its database in a folder of its own.
pub(crate) struct Directory {
    process: Process,
    folder: TempDir,
    flags: Vec<String>,
    url: String,
}

impl Directory {
    /// A directory with default flags.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// A directory with further flags.
    pub(crate) fn with(flags: &[&str]) -> Self {
        Self::on("127.0.0.1:0", flags)
    }

    /// A directory that listens on this address.
    pub(crate) fn on(listen: &str, flags: &[&str]) -> Self {
        let folder = TempDir::with_prefix("recado-directory-").unwrap();
        let flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let (process, url) = launch(&folder, &flags, listen).expect("the directory starts");
        Self { process, folder, flags, url }
    }

    /// Its URL, the same over restarts.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        database(&self.folder)
    }

    /// The process itself.
    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// `kill -9`; nothing listens at its URL until it is started again.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGTERM, and its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.process.signal(Signal::TERM);
        self.process.wait()
    }

    /// Starts again, at the same URL, on the same database.
    pub(crate) fn start_again(&mut self) {
        let address = self.url.trim_start_matches("http://").to_owned();
        // While nobody listens, the port may be lent to someone else's connection for a moment.
        (self.process, _) =
            until("the directory's port is free again", || launch(&self.folder, &self.flags, &address));
    }

    /// Runs one of the program's other commands on its database, whether it runs or not.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        let mut command = server_command();
        command.arg("--db").arg(self.database()).args(arguments);
        Finished::of(&format!("server {arguments:?}"), &mut command, "")
    }

    /// The same with other flags.
    pub(crate) fn start_again_with(&mut self, flags: &[&str]) {
        self.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        self.start_again();
    }

    /// A request to it.
    pub(crate) fn request(&self, method: Method, path: &str) -> Request {
        Request::new(Program::Directory, method, &self.url, path)
    }

    /// `GET`.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send()
    }

    /// `POST /register` with a token.
    pub(crate) fn register(&self, name: &str, address: &str, token: &str) -> Answer {
        self.request(Method::POST, "/register")
            .bearer(token)
            .json(&serde_json::json!({"name": name, "address": address}))
            .send()
    }

    /// `POST /register` with a token and a fingerprint.
    pub(crate) fn register_with_key(
        &self,
        name: &str,
        address: &str,
        token: &str,
        fingerprint: Fingerprint,
    ) -> Answer {
        let body = serde_json::json!({"name": name, "address": address, "fingerprint": fingerprint});
        self.request(Method::POST, "/register").bearer(token).json(&body).send()
    }

    /// The names of those online, as listed.
    pub(crate) fn online(&self) -> Vec<String> {
        let answer = self.get("/peers?limit=10000").expect(200);
        let list = answer.json();
        list.as_array().unwrap().iter().map(|record| record["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until the name is online, or offline.
    pub(crate) fn until_online(&self, name: &str, online: bool) {
        until(&format!("{name} is {}", if online { "online" } else { "offline" }), || {
            (self.online().iter().any(|listed| listed == name) == online).then_some(())
        });
    }
}

fn database(folder: &TempDir) -> PathBuf {
    folder.path().join("directory.db")
}

/// The process and its URL, or nothing if the port is taken.
fn launch(folder: &TempDir, flags: &[String], listen: &str) -> Option<(Process, String)> {
    let mut command = server_command();
    command.args(["--listen", listen, "--db"]).arg(database(folder)).args(flags);
    let mut process = Process::spawn("the directory", &mut command);
    let ready = until("the directory's ready line, or its end", || {
        ready_url(&process.stdout(), "directory ").map(Some).or_else(|| (!process.runs()).then_some(None))
    });
    if let Some(url) = ready {
        return Some((process, url));
    }
    process.wait();
    assert!(process.stderr().contains("in use"), "the directory ended before it was ready");
    None
}

/// The URL of a whole ready line: `directory http://127.0.0.1:7100`.
pub(super) fn ready_url(output: &str, word: &str) -> Option<String> {
    let lines = output.rsplit_once('\n')?.0;
    lines.lines().find_map(|line| line.strip_prefix(word)).map(str::to_owned)
}
