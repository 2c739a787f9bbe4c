//! What is said to people, in their language. `--json`, exit codes, ready lines and logs are the same in every language
//! and never pass here.
//!
//! To add a message, write it into `locales/en/FILE.ftl` and `locales/pt/FILE.ftl` under the id `FILE-what-is-said` (what
//! stands before the first `-` names the file; a new file is a line in `language/catalogue.rs`), and say it by
//!
//! ```ignore
//! note(&tr!("send-left-out", names = names.join(", "), count = names.len()));
//! ```
//!
//! Integers can choose a plural there (`{ $count -> [one] one message *[other] { $count } messages }`); everything else
//! stands as it is displayed, styles included, so what others wrote goes through `untrusted` as ever. An id is always
//! written out in the call, since a test looks for it in the sources and in both catalogues. A blank at an end of a text
//! is `{" "}`, a brace is `{"{"}`. Commands stand in backticks under the names `peer` and `server`: who started the
//! program under another name reads that one.

mod catalogue;
pub mod program;
pub mod reasons;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use fluent_bundle::types::FluentNumber;
use fluent_bundle::{FluentArgs, FluentValue};

pub use catalogue::find;

/// A language that the catalogues know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Portuguese, as it is written in Brazil.
    Portuguese,
}

impl Language {
    /// As `--lang` takes it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Portuguese => "pt",
        }
    }
}

static CHOSEN: OnceLock<Language> = OnceLock::new();
static FOR_PROGRAMS: AtomicBool = AtomicBool::new(false);

/// From now on this process speaks English: it speaks to programs.
pub fn speak_english() {
    FOR_PROGRAMS.store(true, Ordering::Relaxed);
}

/// The language in which this process speaks: English until it is settled.
#[must_use]
pub fn language() -> Language {
    if FOR_PROGRAMS.load(Ordering::Relaxed) {
        return Language::English;
    }
    CHOSEN.get().copied().unwrap_or_default()
}

/// Settles the language and the name of the program, once, before anything is said: the command line is not parsed yet,
/// since what is wrong with it has to be said as well. `configured` is what `config.toml` says, asked only if it decides.
pub fn settle(arguments: &[OsString], configured: impl FnOnce() -> Option<Language>) {
    program::settle(arguments.first());
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let chosen = written(arguments, "--lang")
        .and_then(|code| code.parse().ok())
        .or_else(|| variable("RECADO_LANG").parse().ok())
        .or_else(configured)
        .unwrap_or_else(|| of_locales(["LC_ALL", "LC_MESSAGES", "LANG"].map(variable)));
    let _ = CHOSEN.set(chosen);
}

/// What was last written behind this flag, before the end of flags: for what has to be known before anything is parsed.
pub fn written<'a>(arguments: &'a [OsString], flag: &str) -> Option<&'a str> {
    let arguments = arguments.iter().map(|argument| argument.to_str().unwrap_or_default());
    let words: Vec<&str> = arguments.take_while(|argument| *argument != "--").collect();
    words.iter().enumerate().rev().find_map(|(at, word)| match word.strip_prefix(flag)? {
        "" => words.get(at + 1).copied(),
        rest => rest.strip_prefix('='),
    })
}

/// POSIX: the first of the three that is set decides.
fn of_locales(locales: [String; 3]) -> Language {
    let locale = locales.into_iter().find(|locale| !locale.is_empty()).unwrap_or_default();
    locale.parse().unwrap_or_default()
}

impl FromStr for Language {
    type Err = String;

    /// By its code, which may have a country and more behind it, as locales do.
    fn from_str(text: &str) -> Result<Self, String> {
        let code = text.split(['_', '.', '@', '-']).next().unwrap_or_default();
        match code.to_ascii_lowercase().as_str() {
            "en" => Ok(Self::English),
            "pt" => Ok(Self::Portuguese),
            _ => Err(tr!("language-unknown")),
        }
    }
}

/// What `--lang` or `RECADO_LANG` says; an empty variable is one that was not set. [`settle`] has read it by then, and
/// parsing only tells what is wrong with it.
#[derive(Debug, Clone, Copy)]
pub struct Flag;

impl FromStr for Flag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(Self) } else { text.parse::<Language>().map(|_| Self) }
    }
}

/// What a message is given: an integer, by which it can choose a plural.
#[derive(Debug)]
pub struct Given<T>(pub T);

/// An integer that a message is given.
pub trait Counted {
    /// What the message sees.
    fn value(&self) -> FluentValue<'static>;
}

impl<T: Copy> Counted for Given<&T>
where
    FluentNumber: From<T>,
{
    fn value(&self) -> FluentValue<'static> {
        FluentValue::Number(FluentNumber::from(*self.0))
    }
}

/// Anything else that a message is given.
pub trait Shown {
    /// What the message sees.
    fn value(&self) -> FluentValue<'static>;
}

impl<T: std::fmt::Display + ?Sized> Shown for &Given<&T> {
    fn value(&self) -> FluentValue<'static> {
        FluentValue::from(self.0.to_string())
    }
}

/// The message with that id, in the language of this process; the id itself where there is none, which a test rules out.
#[must_use]
pub fn say(id: &str, arguments: &FluentArgs<'_>) -> String {
    find(id, Some(arguments)).unwrap_or_else(|| id.to_owned())
}

/// What is said to people: `tr!("send-queued", name = to)` is the message of that id in the language of this process.
macro_rules! tr {
    ($id:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        #[allow(unused_imports, reason = "which of them a value needs depends on the value")]
        use $crate::cli::language::{Counted as _, Shown as _};
        #[allow(unused_mut, reason = "a message that is given nothing changes nothing")]
        let mut arguments = ::fluent_bundle::FluentArgs::new();
        $(arguments.set(stringify!($name), (&$crate::cli::language::Given(&$value)).value());)*
        $crate::cli::language::say($id, &arguments)
    }};
}
pub(super) use tr;
