use clap::Args;
use protocol::{Fingerprint, Name};

use super::Global;
use super::contact::{refuse_own_key, refuse_own_name, report, wake};
use super::exit::{Exit, Failure};
use super::online::local_time;
use super::output::{Output, note};
use crate::contacts::Trusted;
use crate::directory::DirectoryError;
use crate::peer::Peer;

/// Make a key that of a contact, in place of the one that the name had
///
/// Nothing else changes a contact's key: not the directory, not a message. Without FINGERPRINT it is the key that the
/// directory knows the name by, or else the one that last spoke under the name. Compare it with what `peer whoami` shows
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
    match (peer.contacts.mismatch(name)?, claimed) {
        (Some(noted), _) => {
            let at = local_time(noted.at);
            note(&format!("This is the key that last spoke as {name}, at {at}. {}", compare(name)));
            Ok(noted.fingerprint)
        }
        (None, Err(error @ DirectoryError::Away { .. })) => {
            let failure = Failure::from(error);
            Err(failure.hint(give_it(name)))
        }
        (None, Err(error)) => Err(error.into()),
        (None, Ok(_)) => Err(Failure::new(Exit::UnknownRecipient, nobody(peer, name)).hint(give_it(name))),
    }
}

fn compare(name: &Name) -> String {
    format!("Compare it with what `peer whoami` shows at {name}'s.")
}

fn nobody(peer: &Peer, name: &Name) -> String {
    match &peer.directory {
        Some(_) => format!("the directory knows no key of {name}, and none has spoken under that name"),
        None => format!("no directory is configured, and no other key has spoken as {name}"),
    }
}

fn give_it(name: &Name) -> String {
    format!("Ask {name} for the fingerprint, which `peer whoami` shows there: peer trust {name} FINGERPRINT")
}
