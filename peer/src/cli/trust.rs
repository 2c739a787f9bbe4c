use clap::Args;
use protocol::{Fingerprint, Name};

use super::Global;
use super::contact::{refuse_own_key, refuse_own_name, report, wake};
use super::exit::{Exit, Failure};
use super::output::{Output, note};
use crate::contacts::Trusted;
use crate::peer::Peer;

/// Make a key that of a contact, in place of the one that the name had
///
/// Nothing else changes a contact's key: not the directory, not a message. Without FINGERPRINT it is the key that the
/// directory knows the name by, or else the one that last answered at its address. One that only spoke in the name is shown
/// with the command that would take it, and never taken. Compare it with what `peer whoami` shows at the other side, over
/// another channel: whoever runs the directory could name any.
///
/// What came with the old key stays as it is. What waits for the name leaves now.
/// Exit codes: 0 trusted, 1 which key is meant has to be said, 2 bad input, 5 nobody has told a key of that name, 6 only
/// the directory could have, and it cannot be reached.
#[derive(Args)]
#[command(before_help = "Examples:
  peer trust rui                 the key by which the directory knows rui now
  peer trust rui FINGERPRINT     this key, as rui read it to you")]
pub struct Trust {
    /// Whose key it is
    #[arg(value_name = "NAME")]
    name: Name,
    /// The key, 52 letters and digits as `peer whoami` shows it
    #[arg(value_name = "FINGERPRINT")]
    fingerprint: Option<Fingerprint>,
}

impl Trust {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        let name = &self.name;
        refuse_own_name(&peer, name)?;
        let fingerprint = match self.fingerprint {
            Some(fingerprint) => fingerprint,
            None => told(&peer, name).await?,
        };
        refuse_own_key(&peer, fingerprint)?;
        let Trusted { before } = peer.contacts.trust(name, fingerprint).await?;
        let mut details = vec![("key", fingerprint.to_string())];
        details.extend(before.filter(|key| *key != fingerprint).map(|key| ("before", key.to_string())));
        report(&peer, name, "trusted", &details, output)?;
        wake(&peer, name)?;
        Ok(Exit::Done)
    }
}

/// The key that others have told of a name; where it is from is said. One that only spoke in the name is shown, and never
/// taken: whoever wants to can speak.
async fn told(peer: &Peer, name: &Name) -> Result<Fingerprint, Failure> {
    let claimed = match &peer.directory {
        Some(directory) => {
            directory.lookup(name).await.map(|heard| heard.said.and_then(|claim| claim.fingerprint))
        }
        None => Ok(None),
    };
    let pin = peer.contacts.pin(name)?.map(|pin| pin.fingerprint);
    let is_news = |key: &Fingerprint| Some(*key) != pin;
    let answered = peer.courier().outbox.other_key(name)?.filter(is_news);
    let spoke = peer.contacts.mismatch(name)?.map(|noted| noted.fingerprint).filter(is_news);
    match (claimed, answered, spoke) {
        (Ok(Some(claimed)), ..) if is_news(&claimed) => {
            note(&format!("This is the key by which the directory knows {name}. {}", compare(name)));
            Ok(claimed)
        }
        (Ok(Some(same)), None, None) => {
            note(&format!("This is the key that {name} had before, and the directory knows no other."));
            Ok(same)
        }
        (Ok(Some(same)), answered, spoke) => {
            let what = format!("the directory knows {name} by the key {same} as before: nothing was changed");
            Err(which(name, what, answered, spoke))
        }
        (_, Some(answered), spoke) if spoke.is_none_or(|spoke| spoke == answered) => {
            note(&format!("This is the key that last answered at {name}'s address. {}", compare(name)));
            Ok(answered)
        }
        (Ok(None), answered, spoke) if answered.or(spoke).is_some() => {
            let what = format!("who has the key that is {name}'s is not known: nothing was changed");
            Err(which(name, what, answered, spoke))
        }
        (Ok(None), ..) => Err(Failure::new(Exit::UnknownRecipient, nobody(peer, name)).hint(give_it(name))),
        (Err(error), ..) => Err(Failure::from(error).hint(give_it(name))),
    }
}

/// The keys that come into question, each with the command that would take it.
fn which(name: &Name, what: String, answered: Option<Fingerprint>, spoke: Option<Fingerprint>) -> Failure {
    let at = answered.map(|key| format!("at {name}'s address answered:  peer trust {name} {key}"));
    let under = spoke.map(|key| format!("under the name spoke:  peer trust {name} {key}"));
    let keys: Vec<String> = at.into_iter().chain(under).collect();
    Failure::new(Exit::Failed, what).detail(keys.join("\n")).hint(format!(
        "Anyone can speak or answer. If {name} has told you, not through Recado, that one of these is the new key, type that line."
    ))
}

fn compare(name: &Name) -> String {
    format!("Compare it with what `peer whoami` shows at {name}'s.")
}

fn nobody(peer: &Peer, name: &Name) -> String {
    match &peer.directory {
        Some(_) => {
            format!("the directory knows no key of {name}, and no other has answered for it")
        }
        None => {
            format!("no directory is configured, and no other key has answered for {name}")
        }
    }
}

fn give_it(name: &Name) -> String {
    format!("Ask {name} for the fingerprint, which `peer whoami` shows there: peer trust {name} FINGERPRINT")
}
