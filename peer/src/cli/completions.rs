use std::env;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use clap_complete::CompleteEnv;
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};

use super::exit::{Exit, Failure};
use super::language::program;
use super::output::Output;

mod names;
mod words;

/// Print what makes a shell complete commands, flags and names
///
/// Put the line for your shell into the file that it reads when it starts. Names are completed from your contacts and from who
/// is online: the directory is given 0.3 seconds to answer.
#[derive(Args)]
#[command(before_help = "Examples:
  source <(peer completions bash)                              in ~/.bashrc
  source <(peer completions zsh)                               in ~/.zshrc, below compinit
  peer completions fish | source                               in ~/.config/fish/config.fish
  peer completions powershell | Out-String | Invoke-Expression
  eval (peer completions elvish | slurp)                       in ~/.elvish/rc.elv")]
pub struct Completions {
    /// Your shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

/// Set by what [`Completions`] prints: the shell that asks what the words behind `--` could go on with.
const ASKED: &str = "RECADO_COMPLETE";

impl Completions {
    pub(super) fn run(self, output: &mut Output) -> Result<Exit, Failure> {
        let shell: &dyn EnvCompleter = match self.shell {
            Shell::Bash => &Bash,
            Shell::Zsh => &Zsh,
            Shell::Fish => &Fish,
            Shell::Powershell => &Powershell,
            Shell::Elvish => &Elvish,
        };
        let name = program::command();
        let mut script = Vec::new();
        shell.write_registration(ASKED, name, name, &own_path(name), &mut script)?;
        output.write_all(&script)?;
        Ok(Exit::Done)
    }
}

/// How the shell is to start this program: by its name, if that is how it was started now.
fn own_path(name: &str) -> String {
    let started = env::args_os().next().map(PathBuf::from).filter(|path| path.components().count() > 1);
    let here = env::current_dir().unwrap_or_default();
    started.map_or_else(|| name.to_owned(), |path| here.join(path).to_string_lossy().into_owned())
}

/// Answers a shell, if it is one that has started this process. Nothing is said but the answer, whatever goes wrong.
pub fn answered(line: &[OsString]) -> Option<ExitCode> {
    env::var_os(ASKED).filter(|shell| !shell.is_empty())?;
    let complete = CompleteEnv::with_factory(|| words::commands(line)).var(ASKED);
    let outcome = complete.try_complete(line.to_vec(), env::current_dir().ok().as_deref());
    Some(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
