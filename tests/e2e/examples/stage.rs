//! Where examples run as they are printed: a network of its own, with the addresses and ports of the documents, a home
//! that nothing is in yet, and the people whom the examples write to.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use super::super::harness::{Finished, Process, peer_command};

/// Who types the examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typist {
    /// Nobody who has ever run anything; no directory runs either.
    Operator,
    /// Somebody who has never run a peer.
    Newcomer,
    /// Ana, whose peer runs and takes what programs leave.
    Ana,
    /// Bia, whose peer runs and who has written with ana and rui.
    Bia,
}

/// A network, a home, and what runs there.
pub(super) struct Stage {
    network: Process,
    home: TempDir,
    variables: Vec<(String, String)>,
    /// Before the network and the home, which they need.
    running: Vec<Group>,
    received: Vec<String>,
}

/// A process and all that it has started, killed when dropped.
struct Group(Process);

impl Drop for Group {
    fn drop(&mut self) {
        self.end(Signal::KILL);
    }
}

impl Group {
    fn end(&self, signal: Signal) {
        let id = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).expect("it was started");
        let _ = kill_process_group(id, signal);
    }
}

impl Stage {
    /// A stage on which everybody is whom the examples of this typist speak of.
    pub(super) fn of(typist: Typist, files: &[(String, String)]) -> Self {
        let home = tempfile::Builder::new().prefix("recado-home-").tempdir().unwrap();
        let addresses = "for host in 10 11 20; do ip address add 192.168.1.$host/24 dev lo; done";
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--net", "sh", "-c"]);
        unshare.arg(format!("ip link set lo up && {addresses} && echo ready && exec cat"));
        let network = Process::spawn("the network", &mut unshare);
        network.shows("ready");
        let mut stage =
            Self { network, home, variables: Vec::new(), running: Vec::new(), received: Vec::new() };
        for folder in [".local/share/bash-completion/completions", ".config/fish/completions", ".zfunc"] {
            std::fs::create_dir_all(stage.home.path().join(folder)).unwrap();
        }
        for (name, text) in files {
            stage.write(name, text);
        }
        stage.write("make", "#!/bin/sh\necho 'one error'\nexit 2\n");
        stage.write("build.log", "one error\n");
        stage.write("history.jsonl", "");
        if typist != Typist::Operator {
            stage.starts("server --listen 0.0.0.0:7100", "directory ");
            stage.starts("peer --data-dir others/rui serve --name rui --listen 127.0.0.1:0", "peer ");
        }
        match typist {
            Typist::Operator | Typist::Newcomer => {}
            Typist::Ana => stage.starts("peer serve --name ana --listen 0.0.0.0:7101", "peer "),
            Typist::Bia => {
                stage.starts("peer serve --name bia --listen 192.168.1.20:7101", "peer ");
                stage.starts("peer --data-dir others/ana serve --name ana --listen 127.0.0.1:0", "peer ");
                for text in ["lunch on saturday?", "the report", "another report"] {
                    let line = format!("peer --data-dir others/ana send --json bia '{text}'");
                    let sent: serde_json::Value = stage.ends(&line).expect(0).json().remove(0);
                    stage.received.push(sent["id"].as_str().unwrap().to_owned());
                }
                stage.ends("peer send ana,rui 'on saturday'").expect(0);
                stage.ends("peer block mallory").expect(0);
                stage.write(".local/share/recado/config.toml", "[send]\nexpire = \"30d\"\n");
            }
        }
        stage
    }

    fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// From now on the examples run with this variable.
    pub(super) fn export(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Runs a line to its end.
    #[track_caller]
    pub(super) fn ends(&self, line: &str) -> Finished {
        Finished::of(line, &mut self.command(line), "")
    }

    /// Starts what goes on until it is stopped, and waits for what it says then.
    #[track_caller]
    pub(super) fn starts(&mut self, line: &str, says: &str) {
        let group = self.spawn(line);
        group.0.shows(says);
        self.running.push(group);
    }

    /// Runs what goes on until it is interrupted, until it has said something; `stir` is done meanwhile.
    #[track_caller]
    pub(super) fn follows(&self, line: &str, stir: impl Fn(&Self)) {
        let group = self.spawn(line);
        stir(self);
        group.0.stdout_until("something", |output| (!output.trim().is_empty()).then_some(()));
    }

    fn spawn(&self, line: &str) -> Group {
        Group(Process::spawn(line, &mut self.command(line)))
    }

    /// Ends what was started here with SIGTERM, which is no failure.
    #[track_caller]
    pub(super) fn stop(&mut self) {
        while let Some(mut group) = self.running.pop() {
            group.end(Signal::TERM);
            let code = group.0.wait();
            assert_eq!(code, Some(0), "{}{}", group.0.stdout(), group.0.stderr());
        }
    }

    fn command(&self, line: &str) -> Command {
        use std::os::unix::process::CommandExt as _;
        let programs = PathBuf::from(peer_command().get_program());
        let folders = [programs.parent().unwrap(), self.home.path()].map(Path::to_owned);
        let found = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&found))).unwrap();
        let mut command = Command::new("nsenter");
        command.env_clear().env("PATH", path).env("LANG", "C").env("HOME", self.home.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.args(["--preserve-credentials", "--user", "--net", "--target"]);
        command.arg(self.network.id().to_string()).args(["bash", "-c", line]);
        command.current_dir(self.home.path()).process_group(0);
        command
    }

    /// The line with what its words in capitals stand for.
    pub(super) fn filled_in(&mut self, line: &str) -> String {
        const ID: &str = "0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3";
        let mut line = line.to_owned();
        if line.contains("recado:rui@") || line.contains("'LINK'") {
            let invitation = self.said("peer --data-dir others/rui invite 2>/dev/null");
            line = match (line.find("recado:rui@"), line.rfind('\'')) {
                (Some(begin), Some(end)) => format!("{}{invitation}{}", &line[..begin], &line[end..]),
                _ => line.replace("LINK", &invitation),
            };
        }
        if line.contains("FINGERPRINT") {
            let key = self.said("peer --data-dir others/rui whoami --json | jq --raw-output .fingerprint");
            line = line.replace("FINGERPRINT", &key);
        }
        if line.contains("sha256//PIN") {
            line = line.replace("sha256//PIN", &self.said("peer whoami --json | jq --raw-output .curl_pin"));
        }
        for code in ["CODE", "CÓDIGO"] {
            if line.contains(code) {
                line = line.replace(code, &self.said("server invite"));
            }
        }
        if line.contains(ID) && line.contains("delete") {
            line = line.replace(ID, &self.received.pop().expect("no more examples delete than there is"));
        } else if line.contains(ID) {
            line = line.replace(ID, &self.said("peer sent --json --limit 1 | jq --raw-output .id"));
        }
        line
    }

    #[track_caller]
    fn said(&self, line: &str) -> String {
        self.ends(line).expect(0).stdout.trim().to_owned()
    }
}
