//! The command that the user wants to be run for each message: its words, what it is told, and its end.
//!
//! Nothing of a message becomes a word of the command line, and no shell reads any of it: the fields are in the environment,
//! the body comes on standard input.

use std::ffi::OsStr;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::str::FromStr;
use std::time::Duration;

use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command as Process};
use tokio::time::timeout;

use super::said;
use crate::conversations::Entry;

/// How long a command may take.
const LONGEST: Duration = Duration::from_secs(30);
/// How long the rest of what it said is waited for when it has ended: something that it started may still hold the line.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A command, whose program was there when it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    program: PathBuf,
    arguments: Vec<String>,
}

/// Why a text is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// A quote is open at its end.
    #[error("a quote or a backslash in it is open at its end")]
    OpenQuote,
    /// There is no word in it.
    #[error("it names no program")]
    Empty,
    /// There is no such program.
    #[error(
        "there is no program {0} to run: write its whole path, and make it executable (`chmod +x`). It is run without a shell; for what only a shell can do, put it into a script"
    )]
    NoProgram(String),
}

/// What a command is told besides the message, so that `peer send` in it is this peer.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// This peer's data directory.
    pub data_dir: PathBuf,
    /// Its directory's URL, or `none`.
    pub server: String,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With 0.
    Well,
    /// With something else.
    Badly(ExitStatus),
    /// It was killed.
    TooLate,
}

impl FromStr for Command {
    type Err = CommandError;

    /// Splits the text into words as a shell would, and looks for the program in `PATH`.
    fn from_str(text: &str) -> Result<Self, CommandError> {
        let mut words = shlex::split(text).ok_or(CommandError::OpenQuote)?.into_iter();
        let word = words.next().filter(|word| !word.is_empty()).ok_or(CommandError::Empty)?;
        let search = std::env::var_os("PATH").unwrap_or_default();
        let program = found(&word, std::env::split_paths(&search)).ok_or(CommandError::NoProgram(word))?;
        Ok(Self { program, arguments: words.collect() })
    }
}

/// The program of this name or path, as it can be run from anywhere.
fn found(word: &str, mut folders: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    let runs = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    let path = if word.contains('/') {
        Some(PathBuf::from(word)).filter(|path| runs(path))
    } else {
        folders.find_map(|folder| Some(folder.join(word)).filter(|path| runs(path)))
    };
    std::path::absolute(path?).ok()
}

impl Command {
    /// Runs the command for this message, to its end. Dropped before that, it kills whatever was started. An error says that
    /// nothing was.
    pub async fn run(&self, message: &Entry, surroundings: &Surroundings) -> io::Result<Ended> {
        let body = message.body.as_bytes();
        let (mut input, standard_input) = pipe::pipe()?;
        // A pipe takes the longest body at once: what runs on when this process is killed has all of it.
        let begun = match input.try_write(body) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            begun => begun.unwrap_or(0),
        };
        let (words, standard_error) = pipe::pipe()?;
        let child = Process::new(&self.program)
            .args(&self.arguments)
            .envs(fields(message))
            .envs(surroundings.fields())
            .env_remove("RECADO_INVITE")
            .env_remove("NOTIFY_SOCKET")
            .stdin(standard_input.into_blocking_fd()?)
            .stdout(Stdio::null())
            .stderr(words.into_blocking_fd()?)
            .process_group(0)
            .spawn()?;
        let feeding = async move {
            // Who does not read is not made to.
            let _ = input.write_all(&body[begun..]).await;
        };
        let logging = said::log(standard_error, message.id);
        match timeout(LONGEST, ended(child, feeding, logging)).await {
            Ok(Ok(status)) if status.success() => Ok(Ended::Well),
            Ok(status) => Ok(Ended::Badly(status?)),
            Err(_) => Ok(Ended::TooLate),
        }
    }
}

/// The end of a process that is fed and listened to meanwhile. Dropped before that, it kills the process and all that it
/// started.
async fn ended(
    mut child: Child,
    feeding: impl Future<Output = ()>,
    logging: impl Future<Output = ()>,
) -> io::Result<ExitStatus> {
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let (mut feeding, mut logging) = (pin!(feeding), pin!(logging));
    let (mut is_fed, mut has_said_all) = (false, false);
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            () = &mut feeding, if !is_fed => is_fed = true,
            () = &mut logging, if !has_said_all => has_said_all = true,
        }
    };
    // Its number may be another's from now on.
    group.0 = None;
    if !has_said_all {
        let _ = timeout(LAST_WORDS, logging).await;
    }
    status
}

/// A process and all that it started. They are killed with it.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// What a command is told of a message. All of it is always there, so that nothing else stands in its place.
fn fields(message: &Entry) -> [(&'static str, String); 8] {
    let text = |value: Option<String>| value.unwrap_or_default();
    [
        ("RECADO_ID", message.id.to_string()),
        ("RECADO_FROM", message.from.clone()),
        ("RECADO_TO", message.to.clone()),
        ("RECADO_VERIFIED", message.verified.to_string()),
        ("RECADO_FINGERPRINT", text(message.fingerprint.map(|key| key.to_string()))),
        ("RECADO_SENT_AT", text(message.sent_at.map(|at| at.to_string()))),
        ("RECADO_RECEIVED_AT", text(message.received_at.map(|at| at.to_string()))),
        ("RECADO_REPLY_TO", text(message.reply_to.map(|id| id.to_string()))),
    ]
}

impl Surroundings {
    fn fields(&self) -> [(&'static str, &OsStr); 2] {
        [("RECADO_DATA_DIR", self.data_dir.as_os_str()), ("RECADO_SERVER", OsStr::new(&self.server))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_as_a_shell_would_and_its_program_is_looked_for() {
        let command: Command = r#"sh -c 'echo "$RECADO_FROM"' two\ words $HOME *"#.parse().unwrap();
        assert!(command.program.is_absolute() && command.program.ends_with("sh"), "{command:?}");
        assert_eq!(command.arguments, ["-c", r#"echo "$RECADO_FROM""#, "two words", "$HOME", "*"]);
        for (text, error) in [
            ("", CommandError::Empty),
            ("  ", CommandError::Empty),
            ("''", CommandError::Empty),
            ("sh -c 'oops", CommandError::OpenQuote),
            ("sh \\", CommandError::OpenQuote),
            ("no-such-program --flag", CommandError::NoProgram("no-such-program".to_owned())),
            ("/no/such/program", CommandError::NoProgram("/no/such/program".to_owned())),
            ("/etc/passwd", CommandError::NoProgram("/etc/passwd".to_owned())),
            ("/etc", CommandError::NoProgram("/etc".to_owned())),
        ] {
            assert_eq!(text.parse::<Command>(), Err(error), "{text}");
        }
    }
}
