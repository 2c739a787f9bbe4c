use clap::Args;
use protocol::{Fingerprint, Name};

use super::contact::{refuse_own_key, refuse_own_name, report, wake};
use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::{Output, note};
use super::{Global, suggest};
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
        let mut details = vec![(tr!("contact-key"), fingerprint.to_string())];
        details.extend(
            before.filter(|key| *key != fingerprint).map(|key| (tr!("contact-before"), key.to_string())),
        );
        report(&peer, name, &tr!("trust-trusted"), &details, output)?;
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
            note(&tr!("trust-claimed", name = name));
            Ok(claimed)
        }
        (Ok(Some(same)), None, None) => {
            note(&tr!("trust-same", name = name));
            Ok(same)
        }
        (Ok(Some(same)), answered, spoke) => {
            let what = tr!("trust-as-before", name = name, key = same);
            Err(which(name, what, answered, spoke))
        }
        (_, Some(answered), spoke) if spoke.is_none_or(|spoke| spoke == answered) => {
            note(&tr!("trust-answered", name = name));
            Ok(answered)
        }
        (Ok(None), answered, spoke) if answered.or(spoke).is_some() => {
            let what = tr!("trust-not-known", name = name);
            Err(which(name, what, answered, spoke))
        }
        (Ok(None), ..) => {
            let failure = Failure::new(Exit::UnknownRecipient, nobody(peer, name));
            let failure = failure.hint(tr!("trust-give-it-hint", name = name));
            Err(suggest::instead_of(std::slice::from_ref(name), failure, peer).await)
        }
        (Err(error), ..) => Err(Failure::from(error).hint(tr!("trust-give-it-hint", name = name))),
    }
}

/// The keys that come into question, each with the command that would take it.
fn which(name: &Name, what: String, answered: Option<Fingerprint>, spoke: Option<Fingerprint>) -> Failure {
    let at = answered.map(|key| tr!("trust-at-address", name = name, key = key));
    let under = spoke.map(|key| tr!("trust-under-name", name = name, key = key));
    let keys: Vec<String> = at.into_iter().chain(under).collect();
    Failure::new(Exit::Failed, what).detail(keys.join("\n")).hint(tr!("trust-which-hint", name = name))
}

fn nobody(peer: &Peer, name: &Name) -> String {
    if peer.directory.is_some() {
        tr!("trust-nobody", name = name)
    } else {
        tr!("trust-nobody-without-directory", name = name)
    }
}
