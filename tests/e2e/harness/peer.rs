//! A peer: its data directory, its daemon when it runs, and the `peer` command upon both.

mod database;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use reqwest::Method;
use serde::Deserialize;
use tempfile::TempDir;

use super::directory::{Directory, ready_url};
use super::http::{Answer, Program, Request};
use super::key::Key;
use super::process::{Process, Signal};
use super::programs::peer_command;
use super::wait::until;
pub(crate) use database::Damage;

/// Someone who has a name and a data directory, online or not.
pub(crate) struct Peer {
    name: String,
    folder: TempDir,
    directory: String,
    daemon: Option<Process>,
    url: String,
}

/// One line of `--json` about a message.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) direction: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) body: String,
    pub(crate) sent_at: Option<jiff::Timestamp>,
    pub(crate) received_at: Option<jiff::Timestamp>,
    pub(crate) verified: bool,
    pub(crate) fingerprint: Option<String>,
    pub(crate) seq: Option<u64>,
    pub(crate) read: Option<bool>,
    pub(crate) state: Option<String>,
    pub(crate) reason: Option<String>,
}

/// What `send --json` prints for each recipient: exactly these members.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) to: String,
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
}

/// How to run `peer` commands on one data directory.
pub(crate) struct Recipe {
    folder: PathBuf,
    directory: String,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Peer {
    /// Online at the directory: the daemon runs and its registration was answered.
    pub(crate) fn start(directory: &Directory, name: &str) -> Self {
        let mut peer = Self::offline(directory, name);
        peer.serve();
        directory.until_online(name, true);
        peer
    }

    /// Has a folder and a name, but has never run.
    pub(crate) fn offline(directory: &Directory, name: &str) -> Self {
        Self::of(directory.url(), name)
    }

    /// The same, with the directory's URL or `none`.
    pub(crate) fn of(directory: &str, name: &str) -> Self {
        let prefix = format!("recado-{name}-");
        let mut folder = tempfile::Builder::new();
        folder.prefix(&prefix).permissions(Permissions::from_mode(0o700));
        Self {
            name: name.to_owned(),
            folder: folder.tempdir().unwrap(),
            directory: directory.to_owned(),
            daemon: None,
            url: String::new(),
        }
    }

    /// Has run once, is claimed at the directory, and offline now.
    pub(crate) fn claimed_but_offline(directory: &Directory, name: &str) -> Self {
        let mut peer = Self::start(directory, name);
        assert_eq!(peer.stop(), Some(0));
        peer
    }

    /// From now on it asks this directory, or `none`.
    pub(crate) fn asks(&mut self, directory: &str) {
        directory.clone_into(&mut self.directory);
    }

    /// Starts the daemon and waits for its ready line. The second time it keeps its name.
    pub(crate) fn serve(&mut self) {
        self.serve_with(&[]);
    }

    /// Starts the daemon with further flags.
    pub(crate) fn serve_with(&mut self, flags: &[&str]) {
        let daemon = self.launch(flags);
        self.url = daemon.stdout_until("the ready line", |output| ready_url(output, "peer "));
        self.daemon = Some(daemon);
    }

    /// Starts a daemon and does not wait for anything.
    pub(crate) fn launch(&self, flags: &[&str]) -> Process {
        let mut command = self.command(&["serve", "--name", &self.name]);
        if !flags.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.args(flags);
        Process::spawn(&format!("{}'s daemon", self.name), &mut command)
    }

    /// A `peer` command on this data directory, not started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.recipe().with(arguments)
    }

    /// How to run commands on this data directory, for a thread of its own.
    pub(crate) fn recipe(&self) -> Recipe {
        Recipe { folder: self.folder.path().to_owned(), directory: self.directory.clone() }
    }

    /// Runs a `peer` command to its end, without standard input.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        self.run_with_input(arguments, "")
    }

    /// Runs a `peer` command to its end, with this standard input.
    #[track_caller]
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Finished {
        Finished::of(&format!("{}'s {arguments:?}", self.name), &mut self.command(arguments), input)
    }

    /// Sends one message and says what became of it. Fails unless the command says 0.
    #[track_caller]
    pub(crate) fn send(&self, to: &str, text: &str) -> Sent {
        self.run(&["send", "--json", to, text]).expect(0).json::<Sent>().remove(0)
    }

    /// What was received, oldest first.
    #[track_caller]
    pub(crate) fn inbox(&self) -> Vec<Line> {
        self.lines(&["inbox"])
    }

    /// The texts of what was received, oldest first.
    #[track_caller]
    pub(crate) fn inbox_bodies(&self) -> Vec<String> {
        self.inbox().into_iter().map(|line| line.body).collect()
    }

    /// What was sent, oldest first.
    #[track_caller]
    pub(crate) fn sent(&self) -> Vec<Line> {
        self.lines(&["sent"])
    }

    /// A listing as JSON.
    #[track_caller]
    pub(crate) fn lines(&self, arguments: &[&str]) -> Vec<Line> {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        self.run(&arguments).expect(0).json()
    }

    /// Waits until exactly these texts are in the inbox, in this order.
    #[track_caller]
    pub(crate) fn until_inbox_is(&self, bodies: &[&str]) {
        let mut seen = Vec::new();
        until(&format!("{}'s inbox is {bodies:?}", self.name), || {
            seen = self.inbox_bodies();
            assert!(seen.len() <= bodies.len(), "more than expected in {}'s inbox: {seen:?}", self.name);
            (seen == bodies).then_some(())
        });
    }

    /// Waits until the message that was sent under this id is in the given state.
    #[track_caller]
    pub(crate) fn until_state_is(&self, id: &str, state: &str) -> Line {
        until(&format!("{}'s message {id} is {state}", self.name), || {
            self.sent().into_iter().find(|line| line.id == id && line.state.as_deref() == Some(state))
        })
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its address, as its daemon's ready line says.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The host and port at which its daemon listens, or listened.
    pub(crate) fn place(&self) -> &str {
        self.url.split_once("://").map_or("", |(_, place)| place)
    }

    /// Its URL for programs on this machine that speak plain HTTP.
    pub(crate) fn plain(&self) -> String {
        format!("http://{}", self.place())
    }

    /// The data directory.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The daemon, which must have been started.
    pub(crate) fn daemon(&mut self) -> &mut Process {
        self.daemon.as_mut().expect("the daemon was started")
    }

    /// Sends the daemon a signal and waits for nothing.
    pub(crate) fn signal(&self, signal: Signal) {
        self.daemon.as_ref().expect("the daemon was started").signal(signal);
    }

    /// `kill -9` of the daemon.
    pub(crate) fn kill(&mut self) {
        self.daemon().kill();
        self.daemon = None;
    }

    /// SIGTERM to the daemon, and its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.daemon().signal(Signal::TERM);
        let code = self.daemon().wait();
        self.daemon = None;
        code
    }

    /// Its key, once it has one: who has it is this peer.
    pub(crate) fn key(&self) -> Key {
        Key::read(&self.folder().join("identity.pem"))
    }

    /// Its key's fingerprint.
    pub(crate) fn fingerprint(&self) -> String {
        self.key().fingerprint().to_string()
    }

    /// A request to its daemon.
    pub(crate) fn request(&self, method: Method, path: &str) -> Request {
        Request::new(Program::Peer, method, &self.plain(), path)
    }

    /// `GET`.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send()
    }

    /// `POST /messages`.
    pub(crate) fn leave(&self, message: &serde_json::Value) -> Answer {
        self.request(Method::POST, "/messages").json(message).send()
    }

    /// The same over TLS, showing this key.
    pub(crate) fn leave_with(&self, key: &Key, message: &serde_json::Value) -> Answer {
        let url = format!("https://{}", self.place());
        Request::new(Program::Peer, Method::POST, &url, "/messages").showing(key).json(message).send()
    }

    /// The same with a batch; what was said to each message of it.
    #[track_caller]
    pub(crate) fn leave_batch(&self, key: &Key, batch: &[serde_json::Value]) -> Vec<serde_json::Value> {
        let answer = self.leave_with(key, &serde_json::Value::from(batch)).expect(200);
        let items = answer.json().as_array().expect("one result for each message").clone();
        assert_eq!(items.len(), batch.len(), "{answer:?}");
        items
    }
}

impl Recipe {
    /// A command, not started.
    pub(crate) fn with(&self, arguments: &[&str]) -> Command {
        let mut command = peer_command();
        command.arg("--data-dir").arg(&self.folder).args(["--server", &self.directory]).args(arguments);
        command
    }

    /// Runs a command to its end, without standard input.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        Finished::of(&format!("{arguments:?}"), &mut self.with(arguments), "")
    }
}

impl Finished {
    /// Runs a command to its end, with this standard input.
    #[track_caller]
    pub(crate) fn of(label: &str, command: &mut Command, input: &str) -> Self {
        let mut process = Process::spawn(label, command);
        process.type_in(input);
        process.end_input();
        let code = process.wait();
        Self { code, stdout: process.stdout(), stderr: process.stderr() }
    }

    /// The same, if the exit code is this.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output, one JSON object a line.
    #[track_caller]
    pub(crate) fn json<T: for<'a> Deserialize<'a>>(&self) -> Vec<T> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in the line {line}"))
        };
        self.stdout.lines().map(parse).collect()
    }
}
