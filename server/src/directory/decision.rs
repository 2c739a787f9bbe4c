//! What a registration means: a claim, a return, a change, or a refusal. It looks at what is known and writes nothing.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use protocol::{Address, Fingerprint, Name};

use super::claims::Claim;
use super::invites::InviteHash;
use super::token::TokenHash;

/// A registration, parsed.
#[derive(Debug, Clone)]
pub struct Request {
    /// The name to claim, or to renew.
    pub name: Name,
    /// Where the peer can be dialled: checked, and never unspecified.
    pub address: Address,
    /// The peer's fingerprint; `None` says nothing about it.
    pub fingerprint: Option<Fingerprint>,
    /// The token's hash.
    pub token: TokenHash,
    /// The peer has just started.
    pub fresh: bool,
    /// The code that it was given for a private directory.
    pub invite: Option<InviteHash>,
    /// What new claims are counted by; `None` for whoever may make as many as they like.
    pub network: Option<IpAddr>,
}

/// What is known when a request is decided.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// The claim on the name.
    pub(super) claim: Option<&'a Claim>,
    /// The name that the token holds, if that is another.
    pub(super) held: Option<&'a str>,
    /// Since when the name is online, if its lease runs.
    pub(super) online_since: Option<Timestamp>,
}

/// What stands before a name that nobody has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate {
    /// How long the network still has to wait, if it has claimed too much.
    pub(super) wait: Option<Duration>,
    pub(super) invitation: Invitation,
    /// The directory has as many claims as it takes.
    pub(super) full: bool,
}

/// How somebody who claims a name stands to a directory that may be private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invitation {
    /// Anybody may come.
    NotNeeded,
    /// They sent a code that lets them in.
    Good,
    /// They sent none.
    Missing,
    /// They sent one that never was, has expired or is used up.
    Bad,
}

/// What is to be done for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) claim: Step,
    /// What the claim's fingerprint is from now on.
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) online_since: Timestamp,
    pub(super) arrival: Arrival,
}

/// What becomes of the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Add,
    Keep,
    GainFingerprint(Fingerprint),
}

/// Whether a name that registered had been offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It was offline, or nobody's.
    Joined,
    /// It was online.
    Stayed,
}

/// Why a registration is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The name is claimed with another token.
    NameTaken,
    /// The token holds this other name.
    TokenInUse(String),
    /// The claim has another fingerprint.
    FingerprintChanged,
    /// Too many claims came from this network; the next is taken after this time.
    TooManyClaims(Duration),
    /// The directory is private, and the invitation does not open it.
    InviteRequired(Invitation),
    /// No more names are taken.
    DirectoryFull,
}

pub(super) fn decide(known: Known<'_>, request: &Request, now: Timestamp) -> Result<Decision, Refusal> {
    let (claim, fingerprint) = match known.claim {
        Some(claim) if claim.token != request.token => return Err(Refusal::NameTaken),
        Some(claim) => match (claim.fingerprint, request.fingerprint) {
            (Some(had), Some(sent)) if had != sent => return Err(Refusal::FingerprintChanged),
            (None, Some(sent)) => (Step::GainFingerprint(sent), Some(sent)),
            (had, _) => (Step::Keep, had),
        },
        None => match known.held {
            Some(name) => return Err(Refusal::TokenInUse(name.to_owned())),
            None => (Step::Add, request.fingerprint),
        },
    };
    let arrival = if known.online_since.is_some() { Arrival::Stayed } else { Arrival::Joined };
    let online_since = known.online_since.filter(|_| !request.fresh).unwrap_or(now);
    Ok(Decision { claim, fingerprint, online_since, arrival })
}

/// Whether a new claim may be made. The wait comes first, so that nobody can try codes fast.
pub(super) fn admit(gate: Gate) -> Result<(), Refusal> {
    if let Some(wait) = gate.wait {
        return Err(Refusal::TooManyClaims(wait));
    }
    match gate.invitation {
        Invitation::NotNeeded | Invitation::Good if gate.full => Err(Refusal::DirectoryFull),
        Invitation::NotNeeded | Invitation::Good => Ok(()),
        closed @ (Invitation::Missing | Invitation::Bad) => Err(Refusal::InviteRequired(closed)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn earlier() -> Timestamp {
        Timestamp::from_second(-100).unwrap()
    }

    fn token(of: u8) -> TokenHash {
        TokenHash::of(&[b'a' + of; 40]).unwrap()
    }

    fn key(of: u8) -> Fingerprint {
        Fingerprint::from_bytes([of; 32])
    }

    fn claim(fingerprint: Option<Fingerprint>) -> Claim {
        Claim { token: token(0), fingerprint, offline_since: None }
    }

    fn request(with: u8, fingerprint: Option<Fingerprint>) -> Request {
        let (name, address) = ("ana".parse().unwrap(), "http://192.0.2.7:1".parse().unwrap());
        Request { name, address, fingerprint, token: token(with), fresh: false, invite: None, network: None }
    }

    fn nothing() -> Known<'static> {
        Known { claim: None, held: None, online_since: None }
    }

    #[test]
    fn a_free_name_is_claimed() {
        let decision = decide(nothing(), &request(0, Some(key(1))), NOW);
        let (fingerprint, arrival) = (Some(key(1)), Arrival::Joined);
        assert_eq!(decision, Ok(Decision { claim: Step::Add, fingerprint, online_since: NOW, arrival }));
    }

    #[test]
    fn a_taken_name_is_said_before_a_token_in_use() {
        let known = Known { claim: Some(&claim(None)), held: Some("rui"), ..nothing() };
        assert_eq!(decide(known, &request(1, None), NOW), Err(Refusal::NameTaken));
        let known = Known { claim: None, ..known };
        assert_eq!(decide(known, &request(1, None), NOW), Err(Refusal::TokenInUse("rui".into())));
    }

    #[test]
    fn a_claim_gains_a_fingerprint_and_keeps_it() {
        for (had, sent, becomes) in [
            (None, None, Ok((Step::Keep, None))),
            (None, Some(key(1)), Ok((Step::GainFingerprint(key(1)), Some(key(1))))),
            (Some(key(1)), None, Ok((Step::Keep, Some(key(1))))),
            (Some(key(1)), Some(key(1)), Ok((Step::Keep, Some(key(1))))),
            (Some(key(1)), Some(key(2)), Err(Refusal::FingerprintChanged)),
        ] {
            let known = Known { claim: Some(&claim(had)), ..nothing() };
            let decision = decide(known, &request(0, sent), NOW);
            assert_eq!(decision.map(|made| (made.claim, made.fingerprint)), becomes, "{had:?} {sent:?}");
        }
    }

    #[test]
    fn online_since_holds_through_a_change_and_begins_anew_when_fresh() {
        let claim = claim(None);
        for (lease, fresh, since, arrival) in [
            (Some(earlier()), false, earlier(), Arrival::Stayed),
            (Some(earlier()), true, NOW, Arrival::Stayed),
            (None, false, NOW, Arrival::Joined),
            (None, true, NOW, Arrival::Joined),
        ] {
            let known = Known { claim: Some(&claim), held: None, online_since: lease };
            let decision = decide(known, &Request { fresh, ..request(0, None) }, NOW).unwrap();
            assert_eq!((decision.online_since, decision.arrival), (since, arrival), "{lease:?} {fresh}");
        }
    }

    #[test]
    fn the_gate_says_first_what_keeps_guesses_slow() {
        let wait = Some(Duration::from_secs(1));
        for (wait, invitation, full, refused) in [
            (wait, Invitation::Bad, true, Some(Refusal::TooManyClaims(Duration::from_secs(1)))),
            (wait, Invitation::Good, false, Some(Refusal::TooManyClaims(Duration::from_secs(1)))),
            (None, Invitation::Bad, true, Some(Refusal::InviteRequired(Invitation::Bad))),
            (None, Invitation::Missing, false, Some(Refusal::InviteRequired(Invitation::Missing))),
            (None, Invitation::Good, true, Some(Refusal::DirectoryFull)),
            (None, Invitation::NotNeeded, true, Some(Refusal::DirectoryFull)),
            (None, Invitation::Good, false, None),
            (None, Invitation::NotNeeded, false, None),
        ] {
            assert_eq!(admit(Gate { wait, invitation, full }).err(), refused, "{invitation:?} {full}");
        }
    }

    proptest! {
        #[test]
        fn nobody_gets_in_with_another_token_or_key(
            had in proptest::option::of(0..2u8), sent in proptest::option::of(0..2u8),
            with in 0..2u8, fresh: bool, online: bool, elsewhere: bool,
        ) {
            let claim = claim(had.map(key));
            let known = Known {
                claim: Some(&claim),
                held: elsewhere.then_some("rui"),
                online_since: online.then(earlier),
            };
            let request = Request { fresh, ..request(with, sent.map(key)) };
            match decide(known, &request, NOW) {
                Ok(decision) => {
                    prop_assert_eq!(with, 0);
                    prop_assert!(had.is_none() || decision.fingerprint == had.map(key));
                    prop_assert!(sent.is_none() || decision.fingerprint == sent.map(key));
                }
                Err(Refusal::NameTaken) => prop_assert_ne!(with, 0),
                Err(Refusal::FingerprintChanged) => prop_assert!(had.is_some() && sent.is_some() && had != sent),
                Err(other) => prop_assert!(false, "the name is claimed: {other:?}"),
            }
        }
    }
}
