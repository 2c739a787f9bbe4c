//! Whose names can come next: contacts, and who is online. Nothing is written for that, nor said.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

use protocol::Name;

use crate::cli::settings::file::File;
use crate::cli::{Server, line, settings};
use crate::contacts;
use crate::directory::{Directory, DirectoryUrl};
use crate::peer;

/// Nobody waits longer for a name than it takes to type one.
const PATIENCE: Duration = Duration::from_millis(300);

/// All names that could be meant on this line, in order.
pub fn all(words: &[OsString]) -> Vec<String> {
    listener::install_provider();
    let place = settings::data_dir_of(words);
    let file = place.as_deref().and_then(|place| File::read(place).ok()).unwrap_or_default();
    let (known, own) = place.as_deref().map(contacts::names_in).unwrap_or_default();
    let directory = server(words, &file).and_then(|url| match &place {
        Some(place) => peer::directory_at(url, place).ok(),
        None => Directory::new(url).ok(),
    });
    let online = directory.as_ref().map(online).unwrap_or_default();
    let others = known.into_iter().chain(online).filter(|name| Some(name) != own.as_ref());
    let names: BTreeSet<String> = others.map(|name| name.to_string()).collect();
    names.into_iter().filter(|name| is_plain(name)).collect()
}

/// The directory that the line speaks of.
fn server(words: &[OsString], file: &File) -> Option<DirectoryUrl> {
    let matches = line::as_far_as_it_goes(words, file)?;
    matches.try_get_one::<Server>("server").ok().flatten()?.0.clone()
}

fn online(directory: &Directory) -> Vec<Name> {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Vec::new();
    };
    let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, directory.peers()).await });
    // A name that is still being looked up would be waited for.
    runtime.shutdown_background();
    match answer {
        Ok(Ok(heard)) => heard.said.into_iter().map(|record| record.name).collect(),
        _ => Vec::new(),
    }
}

/// Whether a name means itself to every shell. One with a quote in it, or a hyphen before it, does not, and any stranger may be
/// online under it: that one has to be typed.
fn is_plain(name: &str) -> bool {
    let plain = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    name.chars().all(plain) && !name.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn what_a_shell_would_run_is_not_offered() {
        for name in ["ana", "joão", "太郎", "ana.lima", "worker-7"] {
            assert!(is_plain(name), "{name}");
        }
        for name in
            ["$(reboot)", "`reboot`", "a;b", "a&b", "a|b", "a*", "a'b", "a\"b", "a!b", "~ana", "-rf", "a>b"]
        {
            assert!(!is_plain(name), "{name}");
        }
    }
}
