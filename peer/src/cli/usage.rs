//! What is wrong with a command line, in the user's language: what clap found, what was perhaps meant, what to type next.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use protocol::Address;
use protocol::address::AddressError;

use super::exit::{Exit, Failure};
use super::faults::of_value;
use super::help;
use super::language::tr;
use super::suggest::did_you_mean;

/// What clap has to say that is no mistake, for standard output; nothing if it is one.
pub fn is_asked_for(error: &clap::Error) -> bool {
    matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
}

/// A mistake in a command line; `command` is the one that was typed, if there is one of that name.
pub fn failure(error: &clap::Error, command: Option<&str>) -> Failure {
    let what = what(error);
    let mut failure = Failure::new(Exit::Usage, what);
    failure.detail = words(error, ContextKind::Usage).pop().map(|usage| help::in_own_words(usage.trim()));
    let see =
        command.map_or_else(|| tr!("usage-see-all"), |command| tr!("usage-see-help", command = command));
    failure.hint(match suggestion(error) {
        Some(suggestion) => format!("{suggestion} {see}"),
        None => see,
    })
}

fn what(error: &clap::Error) -> String {
    let flag = || words(error, ContextKind::InvalidArg).join(", ");
    let value = || words(error, ContextKind::InvalidValue).join(", ");
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            tr!("usage-no-command", word = words(error, ContextKind::InvalidSubcommand).join(" "))
        }
        ErrorKind::UnknownArgument if flag().starts_with('-') => tr!("usage-no-flag", flag = flag()),
        ErrorKind::UnknownArgument => tr!("usage-word-too-many", word = flag()),
        ErrorKind::TooManyValues => tr!("usage-word-too-many", word = value()),
        ErrorKind::NoEquals => tr!("usage-needs-equals", flag = flag()),
        ErrorKind::InvalidValue if value().is_empty() => tr!("usage-no-value", flag = flag()),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => tr!("usage-no-value", flag = flag()),
        ErrorKind::InvalidValue => {
            let what = tr!("usage-no-such-value", value = value(), flag = flag());
            fault_of_value(error).map_or_else(|| what.clone(), |fault| format!("{what}: {fault}"))
        }
        ErrorKind::ValueValidation => tr!(
            "usage-bad-value",
            value = value(),
            flag = flag(),
            fault = fault_of_value(error).unwrap_or_default()
        ),
        ErrorKind::ArgumentConflict => conflict(&flag(), &words(error, ContextKind::PriorArg)),
        ErrorKind::MissingRequiredArgument => tr!("usage-missing", what = flag()),
        ErrorKind::MissingSubcommand => {
            let command = words(error, ContextKind::InvalidSubcommand).join(" ");
            tr!("usage-missing-command", command = command)
        }
        ErrorKind::InvalidUtf8 => tr!("usage-not-text"),
        _ => tr!("usage-wrong", problem = error),
    }
}

fn conflict(flag: &str, others: &[String]) -> String {
    if others.iter().all(|other| other == flag) {
        return tr!("usage-twice", flag = flag);
    }
    tr!("usage-not-together", flag = flag, others = others.join(", "))
}

/// What is wrong with a value; nothing if something else is wrong.
pub fn fault_of_value(error: &clap::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::ValueValidation => error.source().map(of_value),
        ErrorKind::InvalidValue => {
            let values = words(error, ContextKind::ValidValue);
            Some(tr!("usage-unlike", values = values.join(", "))).filter(|_| !values.is_empty())
        }
        ErrorKind::InvalidUtf8 => Some(tr!("usage-not-text")),
        _ => None,
    }
}

/// What was perhaps meant.
fn suggestion(error: &clap::Error) -> Option<String> {
    let near = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    // clap puts the likest last.
    let near: Vec<_> =
        near.into_iter().flat_map(|kind| words(error, kind).into_iter().rev()).take(3).collect();
    if !near.is_empty() {
        return Some(did_you_mean(&near));
    }
    if let Some(AddressError::Scheme) = error.source().and_then(|error| error.downcast_ref()) {
        return with_scheme(error);
    }
    let word = words(error, ContextKind::InvalidArg).pop()?;
    let hyphen = error.kind() == ErrorKind::UnknownArgument && word.starts_with('-');
    (hyphen && error.get(ContextKind::Suggested).is_some()).then(|| tr!("usage-behind-dashes", word = word))
}

/// An address that lacks only its `https://`, as it is to be typed.
fn with_scheme(error: &clap::Error) -> Option<String> {
    let flag = words(error, ContextKind::InvalidArg).pop()?;
    let flag = flag.split(' ').next()?;
    let address = format!("https://{}", words(error, ContextKind::InvalidValue).pop()?);
    address.parse::<Address>().ok().map(|address| tr!("usage-with-scheme", flag = flag, address = address))
}

/// What clap tells of one thing.
fn words(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        Some(ContextValue::StyledStr(text)) => vec![text.to_string()],
        Some(ContextValue::StyledStrs(texts)) => texts.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}
