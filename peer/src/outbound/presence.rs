//! Presence: keeps this peer listed in its directory for as long as it runs, and takes it off when it stops.

use std::time::Duration;

use protocol::address::Reach;
use protocol::directory::{Registered, Registration};
use protocol::{Address, Fingerprint, Name, Secret, Slug};
use store::Store;
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::retry;
use crate::directory::{Directory, DirectoryError};
use crate::identity::{self, Tokens};

/// How long to wait before a directory that refused is asked again.
const AGAIN_WHEN_REFUSED: Duration = Duration::from_mins(5);
/// The longest wait before a directory that is away is tried again.
const AGAIN_WHEN_AWAY: Duration = Duration::from_secs(10);
/// No lease is renewed as if it were shorter.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
/// No lease is renewed as if it were longer.
const LONGEST_LEASE: Duration = Duration::from_hours(1);
/// What deregistering may take when the peer stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a registration came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The directory lists this peer.
    Listed,
    /// The directory is away; it is tried again.
    Away,
    /// The directory refused, for this reason.
    Refused(Slug),
}

impl Outcome {
    fn of(answer: &Result<Registered, DirectoryError>) -> Self {
        match answer {
            Ok(_) => Self::Listed,
            Err(DirectoryError::Away { .. }) => Self::Away,
            Err(DirectoryError::Refused { slug, .. }) => Self::Refused(*slug),
        }
    }
}

/// Where others are to dial this peer: at its `own` address, as it says itself. Only where that leaves the host open it is
/// as `told`, and then only an IP address may stand there: whoever tells could otherwise choose under which name a page in a
/// browser reaches this peer, and where its invitations lead.
#[must_use]
pub fn filled_in<'a>(own: &'a Address, told: &'a Address) -> &'a Address {
    let fills_in = own.reach() == Reach::Unspecified
        && matches!(told.reach(), Reach::Host | Reach::Loopback)
        && told.ip().is_some()
        && (told.scheme(), told.port()) == (own.scheme(), own.port());
    if fills_in { told } else { own }
}

/// This peer in its directory.
pub struct Presence {
    /// Where it is to be listed.
    pub directory: Directory,
    /// The secrets of this peer's claims, where it is remembered that the directory has accepted this one.
    pub tokens: Tokens,
    /// The secret of this claim.
    pub token: Secret,
    /// The code that a private directory wants with a new claim, if the user has one.
    pub invite: Option<Secret>,
    /// The name that is claimed.
    pub name: Name,
    /// This peer's key, which the claim is bound to.
    pub fingerprint: Fingerprint,
    /// Where others are to dial; an unspecified host means "where you see me".
    pub address: Address,
    /// Who else has to know where that is, once the directory has filled it in.
    pub dialled_at: watch::Sender<Address>,
    /// Where it is remembered that the directory lists this peer, and where others are to dial.
    pub store: Store,
}

impl Presence {
    /// Registers and renews until `stop` says so, then deregisters. What the first try came to goes to `first`.
    pub async fn keep(mut self, first: oneshot::Sender<Outcome>, stop: CancellationToken) {
        let mut first = Some(first);
        let mut failures = 0;
        let mut is_listed = false;
        let mut said = None;
        while !stop.is_cancelled() {
            let answer = self.register(!is_listed).await;
            let outcome = Outcome::of(&answer);
            let pause = match &answer {
                Ok(registered) => {
                    failures = 0;
                    // It has served its purpose, whatever becomes of the claim.
                    self.invite = None;
                    self.remember(&registered.record.address, is_listed).await;
                    is_listed = true;
                    let ttl =
                        Duration::from_secs(registered.ttl_seconds).clamp(SHORTEST_LEASE, LONGEST_LEASE);
                    // A third of the lease, give or take a tenth, so that peers that started together spread.
                    ttl.div_f64(3.0).mul_f64(0.9 + 0.2 * retry::random())
                }
                Err(DirectoryError::Away { .. }) => {
                    failures += 1;
                    retry::backoff(failures, retry::random()).min(AGAIN_WHEN_AWAY)
                }
                Err(DirectoryError::Refused { .. }) => AGAIN_WHEN_REFUSED,
            };
            // Whoever started the peer may have stopped waiting: it serves on without its directory.
            let heard = first.take().is_some_and(|first| first.send(outcome).is_ok());
            if said != Some(outcome) && !(heard && self.ends_the_start(outcome)) {
                self.say(&answer);
            }
            said = Some(outcome);
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
        self.leave().await;
    }

    /// Whether this is the end of a first start, for whoever started the peer to say.
    fn ends_the_start(&self, outcome: Outcome) -> bool {
        use Slug::{FingerprintChanged, InviteRequired, NameTaken};
        matches!(outcome, Outcome::Refused(NameTaken | InviteRequired | FingerprintChanged))
            && !self.tokens.claimed_at(&self.directory.url().to_string())
    }

    async fn register(&self, fresh: bool) -> Result<Registered, DirectoryError> {
        let registration = Registration {
            name: self.name.clone(),
            address: self.address.clone(),
            fingerprint: Some(self.fingerprint),
            invite: self.invite.clone(),
            fresh,
        };
        self.directory.register(&registration, &self.token).await
    }

    /// Remembers that the directory lists this peer, and where others are to dial it, when that is news.
    async fn remember(&mut self, told: &Address, was_listed: bool) {
        if !was_listed && let Err(error) = self.tokens.mark_claimed(&self.directory.url().to_string()) {
            tracing::error!(%error, "it could not be remembered that the directory has accepted the name");
        }
        let address = filled_in(&self.address, told);
        if *self.dialled_at.borrow() == *address {
            return;
        }
        if let Err(fault) = identity::dialled_at(&self.store, address).await {
            tracing::error!(%fault, "the listed address could not be remembered");
        }
        self.dialled_at.send_replace(address.clone());
    }

    /// Says how things stand, when they have changed.
    fn say(&self, answer: &Result<Registered, DirectoryError>) {
        let directory = self.directory.url();
        match answer {
            Ok(registered) => {
                tracing::info!(%directory, address = %registered.record.address, "listed in the directory");
            }
            Err(error @ DirectoryError::Away { .. }) => {
                tracing::warn!(%error, "not listed; serving on, and trying again");
            }
            Err(DirectoryError::Refused { slug: Slug::NameTaken, .. }) => {
                tracing::warn!(%directory, name = %self.name, "somebody else has this name in the directory: not listed; serving on, and trying again every 5 minutes");
            }
            Err(DirectoryError::Refused { slug: Slug::FingerprintChanged, .. }) => {
                tracing::warn!(%directory, name = %self.name, key = %self.fingerprint, "the directory knows this name by another key: not listed; serving on, and trying again every 5 minutes. Put identity.pem back from a backup; if it is lost, whoever runs the directory frees the name with `server names release`");
            }
            Err(DirectoryError::Refused { slug: Slug::InviteRequired, .. }) => {
                tracing::warn!(%directory, name = %self.name, "the directory takes this name only with an invitation (RECADO_INVITE=CODE): not listed; serving on, and trying again every 5 minutes");
            }
            Err(error) => {
                tracing::warn!(%error, address = %self.address, "not listed; serving on, and trying again every 5 minutes");
            }
        }
    }

    async fn leave(&self) {
        match tokio::time::timeout(FAREWELL, self.directory.deregister(&self.token)).await {
            Ok(Ok(())) => tracing::info!("taken off the directory's list"),
            Ok(Err(error)) => {
                tracing::info!(%error, "not taken off the directory's list; the lease ends by itself");
            }
            Err(_) => tracing::info!("the directory did not answer; the lease ends by itself"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_fills_in_an_open_host_with_an_ip_address_and_nothing_else() {
        let (open, open_v6) = ("https://0.0.0.0:7101", "https://[::]:7101");
        for (own, told, place) in [
            (open, "https://192.0.2.7:7101", "https://192.0.2.7:7101"),
            (open_v6, "https://[2001:db8::7]:7101", "https://[2001:db8::7]:7101"),
            (open, "https://127.0.0.1:7101", "https://127.0.0.1:7101"),
            (open, "https://evil.example:7101", open),
            (open, "https://localhost:7101", open),
            (open, "https://192.0.2.7:7102", open),
            (open, "http://192.0.2.7:7101", open),
            (open, "https://169.254.1.1:7101", open),
            (open, "https://224.0.0.1:7101", open),
            (open, open_v6, open),
            ("https://ana.example:443", "https://evil.example:443", "https://ana.example:443"),
            ("https://ana.example:443", "https://192.0.2.7:443", "https://ana.example:443"),
            ("https://127.0.0.1:7101", "https://192.0.2.7:7101", "https://127.0.0.1:7101"),
        ] {
            let (own, told) = (own.parse().unwrap(), told.parse().unwrap());
            assert_eq!(filled_in(&own, &told).to_string(), place, "{own} {told}");
        }
    }
}
