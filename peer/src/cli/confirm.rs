//! A question before what cannot be undone: asked of somebody at a terminal, and of nobody else.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::exit::{Exit, Failure};
use super::language::tr;

/// Whether somebody is there to be asked.
pub fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Goes on if the answer is yes.
pub fn ask(question: &str) -> Result<(), Failure> {
    let mut stderr = anstream::stderr().lock();
    write!(stderr, "{question} {} ", tr!("confirm-yes-or-no"))?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" | "s" | "sim" => Ok(()),
        _ => Err(Failure::new(Exit::Failed, tr!("confirm-nothing-done"))),
    }
}
