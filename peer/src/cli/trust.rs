use clap::Args;
use protocol::{Fingerprint, Name};

use super::Global;
use super::contact::{refuse_own_key, refuse_own_name, report, wake};
use super::exit::{Exit, Failure};
use super::output::{Output, note};
use crate::contacts::Trusted;
use crate::directory::DirectoryError;
use crate::peer::Peer;

/// Make a key that of a contact, in place of the one that the name had
///
/// Nothing else changes a contact's key: not the directory, not a message. Without FINGERPRINT it is the key that the
/// directory knows the name by, or else the one that last answered or spoke in the name. Compare it with what `peer whoami` shows
/// at the other side, over another channel: whoever runs the directory could name any.
///
/// What came with the old key stays as it is. What waits for the name leaves now.
/// Exit codes: 0 trusted, 1 several keys come into question, 2 bad input, 5 nobody has told a key of that name, 6 only the
/// directory could have, and it cannot be reached.
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

/// The key that others have told of a name; where it is from is said.
async fn told(peer: &Peer, name: &Name) -> Result<Fingerprint, Failure> {
    let claimed = match &peer.directory {
        Some(directory) => {
            directory.lookup(name).await.map(|claim| claim.and_then(|claim| claim.fingerprint))
        }
        None => Ok(None),
    };
    if let Ok(Some(fingerprint)) = claimed {
        note(&format!("This is the key by which the directory knows {name}. {}", compare(name)));
        return Ok(fingerprint);
    }
    let pin = peer.contacts.pin(name)?.map(|pin| pin.fingerprint);
    let answered = peer.courier().outbox.other_key(name)?.filter(|key| Some(*key) != pin);
    let spoke = peer.contacts.mismatch(name)?.map(|noted| noted.fingerprint);
    match (answered, spoke, claimed) {
        (Some(answered), Some(spoke), _) if answered != spoke => Err(several(name, answered, spoke)),
        (Some(answered), _, _) => {
            note(&format!("This is the key that last answered at {name}'s address. {}", compare(name)));
            Ok(answered)
        }
        (None, Some(spoke), _) => {
            note(&format!("This is the key that last spoke as {name}. {}", compare(name)));
            Ok(spoke)
        }
        (None, None, Err(error @ DirectoryError::Away { .. })) => {
            let failure = Failure::from(error);
            Err(failure.hint(give_it(name)))
        }
        (None, None, Err(error)) => Err(error.into()),
        (None, None, Ok(_)) => {
            Err(Failure::new(Exit::UnknownRecipient, nobody(peer, name)).hint(give_it(name)))
        }
    }
}

fn several(name: &Name, answered: Fingerprint, spoke: Fingerprint) -> Failure {
    Failure::new(Exit::Failed, format!("two keys could be {name}'s, and nothing was changed"))
        .detail(format!("{answered} answered at {name}'s address\n{spoke} spoke as {name}"))
        .hint(give_it(name))
}

fn compare(name: &Name) -> String {
    format!("Compare it with what `peer whoami` shows at {name}'s.")
}

fn nobody(peer: &Peer, name: &Name) -> String {
    match &peer.directory {
        Some(_) => {
            format!("the directory knows no key of {name}, and no other has spoken or answered for it")
        }
        None => {
            format!("no directory is configured, and no other key has spoken as {name} or answered for it")
        }
    }
}

fn give_it(name: &Name) -> String {
    format!("Ask {name} for the fingerprint, which `peer whoami` shows there: peer trust {name} FINGERPRINT")
}
