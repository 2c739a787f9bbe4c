//! What is beyond this process: the peer that runs, its port, the directory, and the way back to this peer's own address.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use jiff::Timestamp;
use protocol::address::{Reach, Scheme};
use protocol::directory::Claim;
use protocol::message::Identity;
use protocol::{Name, paths};
use tokio::time::timeout;

use super::own::Own;
use super::{Check, Finding, Found, Patient, Status};
use crate::client::{Destination, Expected, Peers, bounded, innermost, other_key};
use crate::directory::{Directory, DirectoryError, Health, Heard};
use crate::identity::{Key, Tokens};
use crate::outbound::lock::{self, Holder, Role};
use crate::serving::PORTS;

/// Whatever is asked answers within this.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest answer of a peer about itself.
const LONGEST_IDENTITY: usize = 4 * 1024;
/// Clocks that are further apart are worth a word.
const APART: u64 = 120;
/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

type Looked = Result<Heard<Option<Claim>>, DirectoryError>;

/// Looks at it.
pub(super) async fn examine(patient: &Patient, own: &Own) -> Vec<Finding> {
    let holder = lock::holder(&patient.data_dir).ok().flatten();
    let runs = holder.filter(|holder| holder.role == Role::Daemon);
    let directory = patient.server.clone().map(|url| {
        Directory::new(url).inspect(|directory| {
            show_token(directory, patient);
        })
    });
    let directory = directory.and_then(Result::ok);
    let (health, looked, (reachable, version)) = tokio::join!(
        async { Some(directory.as_ref()?.health(PATIENCE).await) },
        looked_up(directory.as_ref(), own),
        reachable(own, runs.is_some()),
    );
    let now = crate::now();
    let mut findings = vec![daemon(holder, version), port(own, runs.is_some())];
    findings.push(directory_found(patient, health.as_ref()));
    findings.push(listed(own, health.as_ref(), looked, runs.is_some()));
    findings.push(reachable);
    findings.extend(clock(own, health.as_ref(), now));
    findings
}

/// A private directory answers only those who have a name there.
fn show_token(directory: &Directory, patient: &Patient) {
    let tokens = Tokens::load(&patient.data_dir).ok();
    if let Some(token) = tokens.as_ref().and_then(|tokens| tokens.known(&directory.url().to_string())) {
        directory.show_token(token.clone());
    }
}

async fn looked_up(directory: Option<&Directory>, own: &Own) -> Option<(Name, Looked)> {
    let (directory, profile) = (directory?, own.profile.as_ref()?);
    let looked = timeout(PATIENCE, directory.lookup(&profile.name)).await.ok()?;
    Some((profile.name.clone(), looked))
}

fn daemon(holder: Option<Holder>, version: Option<String>) -> Finding {
    let finding = |status, found| Finding::new(Check::Daemon, status, found);
    match (holder, version) {
        (None, _) => finding(Status::Warning, Found::RunsNot),
        (Some(Holder { role: Role::Command, pid, .. }), _) => finding(Status::Warning, Found::Delivers(pid)),
        (Some(Holder { pid, .. }), Some(version)) if version != VERSION => {
            finding(Status::Warning, Found::OtherVersion { pid, version })
        }
        (Some(Holder { pid, .. }), _) => finding(Status::Ok, Found::Runs(pid)),
    }
}

/// Whether the port that this peer will want is free. One that runs has its port.
fn port(own: &Own, runs: bool) -> Finding {
    if runs {
        let port = own.profile.as_ref().and_then(|profile| Some(profile.address.as_ref()?.port()));
        let found = port.map_or(Found::Needs(Check::Database), Found::PortHeld);
        return Finding::new(Check::Port, Status::Ok, found);
    }
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let last = own.profile.as_ref().and_then(|profile| Some(profile.address.as_ref()?.port()));
    let wanted = last.unwrap_or(*PORTS.start());
    if is_free(&wanted) {
        return Finding::new(Check::Port, Status::Ok, Found::PortFree(wanted));
    }
    let next = PORTS.clone().find(is_free);
    Finding::new(Check::Port, Status::Warning, Found::PortTaken { port: wanted, next })
}

fn directory_found(patient: &Patient, health: Option<&Result<Health, DirectoryError>>) -> Finding {
    let finding = |status, found| Finding::new(Check::Directory, status, found);
    match (&patient.server, health) {
        (Some(url), Some(Ok(_))) if url.is_exposed() => {
            finding(Status::Warning, Found::DirectoryExposed(url.clone()))
        }
        (Some(url), Some(Ok(health))) => {
            let version = health.version.clone();
            let status = match &version {
                Some(version) if version != VERSION => Status::Warning,
                _ => Status::Ok,
            };
            finding(status, Found::Directory { url: url.clone(), version })
        }
        (Some(_), Some(Err(error))) => finding(Status::Failed, Found::DirectoryAway(error.clone())),
        _ => finding(Status::Skipped, Found::NoDirectory),
    }
}

/// Whether the directory lists this peer, as it is.
fn listed(
    own: &Own,
    health: Option<&Result<Health, DirectoryError>>,
    looked: Option<(Name, Looked)>,
    runs: bool,
) -> Finding {
    let finding = |status, found| Finding::new(Check::Listed, status, found);
    let (name, claim) = match (health, looked) {
        (None, _) => return finding(Status::Skipped, Found::NoDirectory),
        (Some(Err(_)), _) => return Finding::needs(Check::Listed, Check::Directory),
        (Some(Ok(_)), None) => return Finding::needs(Check::Listed, Check::Name),
        (_, Some((_, Err(error)))) => return finding(Status::Failed, Found::LookupFailed(error)),
        (_, Some((name, Ok(Heard { said, .. })))) => (name, said),
    };
    let own_key = own.key.as_ref().map(Key::fingerprint);
    let own_address = own.profile.as_ref().and_then(|profile| profile.address.clone());
    match claim {
        None if runs => finding(Status::Failed, Found::Unclaimed(name)),
        None => finding(Status::Warning, Found::Unclaimed(name)),
        Some(claim) if own_key.is_some() && claim.fingerprint != own_key => {
            finding(Status::Failed, Found::ClaimedByAnother { name, key: claim.fingerprint })
        }
        Some(_) if !runs => Finding::needs(Check::Listed, Check::Daemon),
        Some(Claim { address: Some(listed), .. }) if Some(&listed) == own_address.as_ref() => {
            finding(Status::Ok, Found::Listed(listed))
        }
        Some(Claim { address: Some(listed), .. }) => {
            finding(Status::Warning, Found::ListedElsewhere { listed, own: own_address })
        }
        Some(_) => finding(Status::Failed, Found::ListedNot),
    }
}

/// Whether this peer's own key answers where others are told to dial; and which version of the program does.
async fn reachable(own: &Own, runs: bool) -> (Finding, Option<String>) {
    let finding = |status, found| (Finding::new(Check::Reachable, status, found), None);
    if !runs {
        return (Finding::needs(Check::Reachable, Check::Daemon), None);
    }
    let address = own.profile.as_ref().and_then(|profile| profile.address.clone());
    let (Some(key), Some(address)) = (&own.key, address) else {
        return (Finding::needs(Check::Reachable, Check::Database), None);
    };
    let Ok(peers) = Peers::new(key.certified()) else {
        return (Finding::needs(Check::Reachable, Check::Key), None);
    };
    let expected = match address.scheme() {
        Scheme::Https => Expected::Key(key.fingerprint()),
        Scheme::Http => Expected::Anyone,
    };
    let destination = Destination { address: address.clone(), expected, loopback: true };
    let answer = match peers.get(&destination, paths::IDENTITY, PATIENCE).await {
        Ok(answer) => bounded(answer, LONGEST_IDENTITY).await,
        Err(error) => {
            if let Some(keys) = other_key(&error) {
                let presented = keys.presented;
                return finding(Status::Failed, Found::AnotherAnswers { address, presented });
            }
            Err(innermost(&error))
        }
    };
    let identity = answer.and_then(|bytes| {
        serde_json::from_slice::<Identity>(&bytes).map_err(|_| reason!("what answers there is no peer"))
    });
    match identity {
        Err(why) => finding(Status::Failed, Found::AnswersNot { address, why }),
        Ok(Identity { version, .. }) => {
            let found = match address.reach() {
                Reach::Loopback => Found::AnswersHereOnly(address),
                _ => Found::Answers(address),
            };
            (Finding::new(Check::Reachable, Status::Ok, found), Some(version))
        }
    }
}

fn clock(own: &Own, health: Option<&Result<Health, DirectoryError>>, now: Timestamp) -> Vec<Finding> {
    let seconds = |other: Timestamp| now.as_second().saturating_sub(other.as_second());
    let mut findings = Vec::new();
    let there = health.and_then(|health| health.as_ref().ok()?.now);
    match there.map(seconds) {
        Some(ahead) if ahead.unsigned_abs() > APART => {
            let found = Found::ClockApart { seconds: ahead.unsigned_abs(), is_ahead: ahead > 0 };
            findings.push(Finding::new(Check::Clock, Status::Warning, found));
        }
        Some(_) => findings.push(Finding::new(Check::Clock, Status::Ok, Found::Clock)),
        None if health.is_none() => {
            findings.push(Finding::new(Check::Clock, Status::Skipped, Found::NoDirectory));
        }
        None => findings.push(Finding::needs(Check::Clock, Check::Directory)),
    }
    if let Some(last) = own.last_received.filter(|last| seconds(*last) < -APART.cast_signed()) {
        findings.push(Finding::new(Check::Clock, Status::Warning, Found::MessagesOfTheFuture(last)));
    }
    findings
}
