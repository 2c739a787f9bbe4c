//! One process: its output collected as it comes, killed when dropped, its logs printed when the story fails.

use std::io::{Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, Resource, Rlimit, kill_process, prlimit};

use super::wait::{DEADLINE, until};

/// A running program.
pub(crate) struct Process {
    label: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Arc<Output>,
    stderr: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
}

/// Kills a process from any thread, at the very moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trigger(Pid);

impl Trigger {
    /// `kill -9`.
    pub(crate) fn pull(self) {
        let _ = kill_process(self.0, Signal::KILL);
    }
}

/// What a stream has brought so far.
#[derive(Default)]
struct Output {
    state: Mutex<Collected>,
    grew: Condvar,
}

#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    ended: bool,
}

impl Process {
    /// Starts the command with all three streams piped. `label` names it in logs.
    pub(crate) fn spawn(label: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{label} does not start: {error}"));
        let (stdout, stderr) = (Arc::new(Output::default()), Arc::new(Output::default()));
        let readers = vec![
            Output::collect(&stdout, child.stdout.take().unwrap()),
            Output::collect(&stderr, child.stderr.take().unwrap()),
        ];
        let stdin = child.stdin.take();
        Self { label: label.to_owned(), child, stdin, stdout, stderr, readers }
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What kills it. To be pulled only while the process is not waited for: its id is its own until then.
    pub(crate) fn trigger(&self) -> Trigger {
        Trigger(Pid::from_child(&self.child))
    }

    /// Types into the program. A program that no longer reads is not this function's business.
    pub(crate) fn type_in(&mut self, text: &str) {
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush());
        }
    }

    /// Ends the program's standard input.
    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Waits until `found` finds something in what standard output has brought so far.
    #[track_caller]
    pub(crate) fn stdout_until<T>(&self, what: &str, found: impl FnMut(&str) -> Option<T>) -> T {
        self.stdout.until(&format!("{} on standard output of {}", what, self.label), found)
    }

    /// Waits until standard output contains the text.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        self.stdout_until(&format!("{text:?}"), |output| output.contains(text).then_some(()));
    }

    /// Waits until `found` finds something in what standard error has brought so far.
    #[track_caller]
    pub(crate) fn stderr_until<T>(&self, what: &str, found: impl FnMut(&str) -> Option<T>) -> T {
        self.stderr.until(&format!("{} on standard error of {}", what, self.label), found)
    }

    /// Standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Sends a signal; a process that is gone already gets none.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// `kill -9`, and waits until it is dead.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        self.wait();
    }

    /// The most memory that it has had resident so far, in MiB; nothing where the system does not tell.
    pub(crate) fn most_resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
    }

    /// From now on it may have no more files open than this; those that it has, it keeps.
    pub(crate) fn files_at_most(&self, files: u64) {
        let limit = Rlimit { current: Some(files), maximum: Some(files) };
        prlimit(Some(Pid::from_child(&self.child)), Resource::Nofile, limit).unwrap();
    }

    /// Whether it has not ended.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end and for all output. Gives the exit code, or `None` if a signal ended it.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let status = until(&format!("the end of {}", self.label), || self.child.try_wait().unwrap());
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        status.code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        if std::thread::panicking() {
            eprintln!(
                "---- {} (pid {}) ----\nstdout:\n{}\nstderr:\n{}",
                self.label,
                self.child.id(),
                self.stdout.text(),
                self.stderr.text()
            );
        }
    }
}

impl Output {
    /// Reads the stream to its end on a thread of its own.
    fn collect(output: &Arc<Self>, mut stream: impl Read + Send + 'static) -> JoinHandle<()> {
        let output = Arc::clone(output);
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut piece) {
                output.collected().bytes.extend_from_slice(&piece[..length]);
                output.grew.notify_all();
            }
            output.collected().ended = true;
            output.grew.notify_all();
        })
    }

    fn collected(&self) -> MutexGuard<'_, Collected> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.collected().bytes).into_owned()
    }

    #[track_caller]
    fn until<T>(&self, what: &str, mut found: impl FnMut(&str) -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            let (seen, ended) = {
                let state = self.collected();
                (state.bytes.clone(), state.ended)
            };
            if let Some(found) = found(&String::from_utf8_lossy(&seen)) {
                return found;
            }
            let left = DEADLINE.saturating_sub(begin.elapsed());
            assert!(!ended, "the stream ended without {what}");
            assert!(!left.is_zero(), "not within {DEADLINE:?}: {what}");
            let grown = |state: &mut Collected| state.bytes.len() == seen.len() && !state.ended;
            drop(self.grew.wait_timeout_while(self.collected(), left, grown));
        }
    }
}
