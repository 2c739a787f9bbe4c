//! "Did you mean …?": what was perhaps meant by a word that is nothing here. It is only ever asked, never assumed.

use std::time::Duration;

use protocol::Name;
use protocol::directory::PeerRecord;
use tokio::time::timeout;

use super::exit::Failure;
use super::language::tr;
use super::untrusted::Untrusted;
use crate::peer::Peer;

/// How alike two words must be, by Jaro's measure; clap's own.
const ALIKE: f64 = 0.7;
/// More than so many are no help.
const MOST: usize = 3;
/// A question that can be answered without the directory does not wait for it longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Those that are most like a word, the likest first.
pub fn alike<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let mut alike: Vec<_> = known
        .into_iter()
        .map(|known| (strsim::jaro(&word, &known.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    alike.dedup_by_key(|(_, known)| *known);
    alike.into_iter().map(|(_, known)| known).take(MOST).collect()
}

/// What was perhaps meant by a word, or else all that it could be.
pub fn among<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<_> = known.collect();
    known.dedup();
    match alike(word, known.iter().copied()).as_slice() {
        [] => tr!("suggest-all", words = known.join(", ")),
        near => did_you_mean(near),
    }
}

/// The question itself.
pub fn did_you_mean(near: &[impl AsRef<str>]) -> String {
    let quoted: Vec<_> = near.iter().map(|word| format!("`{}`", Untrusted(word.as_ref()))).collect();
    match quoted.as_slice() {
        [first @ .., last] if !first.is_empty() => {
            tr!("suggest-these", words = first.join(", "), last = last)
        }
        words => tr!("suggest-this", word = words.join("")),
    }
}

/// A failure that some names are nobody's, with those that were perhaps meant: whom this peer knows, and who is online.
pub async fn instead_of(unknown: &[Name], failure: Failure, peer: &Peer) -> Failure {
    let online = match &peer.directory {
        Some(directory) => timeout(PATIENCE, directory.peers()).await.ok().and_then(Result::ok),
        None => None,
    };
    let online = online.map(|heard| heard.said).unwrap_or_default();
    meant(unknown, failure, peer, &online)
}

/// The same, with those only whom this peer knows.
pub fn known_instead_of(unknown: &Name, failure: Failure, peer: &Peer) -> Failure {
    meant(std::slice::from_ref(unknown), failure, peer, &[])
}

fn meant(unknown: &[Name], failure: Failure, peer: &Peer, online: &[PeerRecord]) -> Failure {
    let contacts = peer.contacts.list().unwrap_or_default();
    let contacts = contacts.iter().map(|contact| &contact.name);
    let known = contacts.chain(online.iter().map(|record| &record.name));
    let others = known.filter(|name| Some(*name) != peer.name() && !unknown.contains(name));
    let others: Vec<_> = others.map(Name::as_str).collect();
    let near = unknown.iter().flat_map(|name| alike(name.as_str(), others.iter().copied()));
    let near: Vec<_> = near.take(MOST).collect();
    if near.is_empty() {
        return failure;
    }
    let hint = failure.hint.iter().fold(did_you_mean(&near), |question, hint| format!("{question} {hint}"));
    failure.hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likest_come_first_and_the_unlike_never() {
        let known = ["ana", "anabela", "rui", "ana"];
        assert_eq!(alike("anna", known), ["ana", "anabela"]);
        assert_eq!(alike("RUY", known), ["rui"]);
        assert_eq!(alike("zeca", known), [""; 0]);
        assert_eq!(alike("joao", ["joão"]), ["joão"]);
    }
}
