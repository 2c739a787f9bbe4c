//! Whose names can come next: contacts, and who is online. Nothing is written for that, nor said.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

use crate::cli::settings::file::File;
use crate::cli::{Server, line, settings};
use crate::directory::{Directory, DirectoryUrl};
use crate::peer::Peer;

/// Nobody waits longer for a name than it takes to type one.
const PATIENCE: Duration = Duration::from_millis(300);

/// All names that could be meant on this line, in order.
pub fn all(words: &[OsString]) -> Vec<String> {
    listener::install_provider();
    let place = settings::data_dir_of(words);
    let file = place.as_deref().and_then(|place| File::read(place).ok()).unwrap_or_default();
    let server = server(words, &file);
    // Opening a data directory that is not there makes one.
    let peer = place
        .filter(|place| place.join("recado.db").exists() && place.join("identity.pem").exists())
        .and_then(|place| Peer::open(&place, server.clone()).ok());
    let mut names: BTreeSet<String> = match &peer {
        Some(peer) => {
            let contacts = peer.contacts.list().unwrap_or_default();
            contacts.into_iter().map(|contact| contact.name.to_string()).collect()
        }
        None => BTreeSet::new(),
    };
    let directory = match &peer {
        Some(peer) => peer.directory.clone(),
        None => server.and_then(|url| Directory::new(url).ok()),
    };
    names.extend(directory.as_ref().map(online).unwrap_or_default());
    if let Some(own) = peer.as_ref().and_then(Peer::name) {
        names.remove(own.as_str());
    }
    names.into_iter().filter(|name| is_plain(name)).collect()
}

/// The directory that the line speaks of.
fn server(words: &[OsString], file: &File) -> Option<DirectoryUrl> {
    let matches = line::as_far_as_it_goes(words, file)?;
    matches.try_get_one::<Server>("server").ok().flatten()?.0.clone()
}

fn online(directory: &Directory) -> Vec<String> {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Vec::new();
    };
    let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, directory.peers()).await });
    // A name that is still being looked up would be waited for.
    runtime.shutdown_background();
    match answer {
        Ok(Ok(heard)) => heard.said.into_iter().map(|record| record.name.to_string()).collect(),
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
