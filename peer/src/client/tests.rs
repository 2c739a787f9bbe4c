//! Real handshakes with real servers: who is let in, and what the others ever get to see.

#[cfg(test)]
mod site;

use std::sync::Arc;

use protocol::Address;
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};

use super::*;
pub(crate) use site::{Id, Site, response};

const PATIENCE: Duration = Duration::from_secs(10);

async fn post(peers: &Peers, destination: &Destination) -> Result<u16, reqwest::Error> {
    let answer = peers.post(destination, "/messages", "\"a message\"".into(), PATIENCE).await?;
    let status = answer.status().as_u16();
    bounded(answer, 100).await.unwrap();
    Ok(status)
}

/// The keys, where a request was not sent since the server has another.
async fn refused(peers: &Peers, destination: &Destination) -> Option<OtherKey> {
    let error = post(peers, destination).await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    other_key(&error)
}

#[tokio::test]
async fn the_right_key_is_let_in_and_learns_ours() {
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let (ana, rui) = (Id::new(), Id::of(algorithm));
        let (site, peers) = (Site::open(rui.itself()).await, Peers::new(ana.itself()).unwrap());
        let destination = site.expecting(Expected::Key(rui.fingerprint()));
        for _ in 0..3 {
            assert_eq!(post(&peers, &destination).await.unwrap(), 200);
        }
        let seen = site.seen();
        assert_eq!(seen.len(), 1, "the connection is kept: {seen:?}");
        assert_eq!(seen[0].client, Some(ana.fingerprint()));
    }
}

#[tokio::test]
async fn another_key_gets_nothing_and_is_named() {
    let (ana, rui, eve) = (Id::new(), Id::new(), Id::new());
    let (site, peers) = (Site::open(eve.itself()).await, Peers::new(ana.itself()).unwrap());
    let keys = OtherKey { presented: eve.fingerprint(), expected: rui.fingerprint() };
    assert_eq!(refused(&peers, &site.expecting(Expected::Key(rui.fingerprint()))).await, Some(keys));
    let seen = site.seen();
    assert!(!seen.is_empty());
    for seen in seen {
        assert_eq!((seen.handshake, seen.client, seen.bytes), (None, None, 0));
    }
    let said = keys.to_string();
    assert!(
        said.contains(&keys.presented.to_string()) && said.contains(&keys.expected.to_string()),
        "{said}"
    );
}

#[tokio::test]
async fn who_has_only_seen_a_certificate_is_not_its_owner() {
    let (ana, rui, eve) = (Id::new(), Id::new(), Id::new());
    let stolen = eve.certified(vec![rui.certificate.clone()]);
    let (site, peers) = (Site::open(stolen).await, Peers::new(ana.itself()).unwrap());
    for expected in [Expected::Key(rui.fingerprint()), Expected::Anyone] {
        assert_eq!(refused(&peers, &site.expecting(expected)).await, None, "its key is the right one");
    }
    assert!(site.seen().iter().all(|seen| seen.handshake.is_none() && seen.bytes == 0));
}

#[tokio::test]
async fn one_certificate_stands_alone() {
    let (ana, rui, eve) = (Id::new(), Id::new(), Id::new());
    for chain in [[&rui, &eve], [&eve, &rui]] {
        let chain = chain.map(|id| id.certificate.clone()).to_vec();
        let (site, peers) = (Site::open(rui.certified(chain)).await, Peers::new(ana.itself()).unwrap());
        assert_eq!(refused(&peers, &site.expecting(Expected::Key(rui.fingerprint()))).await, None);
        assert!(site.seen().iter().all(|seen| seen.bytes == 0));
    }
}

#[tokio::test]
async fn no_older_tls_is_spoken_between_peers() {
    let (ana, rui) = (Id::new(), Id::new());
    let old = Site::with(Some((rui.itself(), &[&TLS12])), Arc::new(|_| String::new())).await;
    let peers = Peers::new(ana.itself()).unwrap();
    assert_eq!(refused(&peers, &old.expecting(Expected::Key(rui.fingerprint()))).await, None);
    assert!(old.seen().iter().all(|seen| seen.bytes == 0));
}

#[tokio::test]
async fn each_connection_proves_both_keys_though_the_other_end_offers_to_resume() {
    let (ana, rui, eve) = (Id::new(), Id::new(), Id::new());
    let closing = |_: &str| response("200 OK\r\nconnection: close", "ok");
    let site = Site::answering(Some(rui.itself()), closing).await;
    let peers = Peers::new(ana.itself()).unwrap();
    let destination = site.expecting(Expected::Key(rui.fingerprint()));
    for _ in 0..2 {
        assert_eq!(post(&peers, &destination).await.unwrap(), 200);
    }
    let seen = site.seen();
    let kinds: Vec<_> = seen.iter().map(|seen| seen.handshake).collect();
    assert_eq!(kinds, [Some(HandshakeKind::Full); 2]);
    assert!(seen.iter().all(|seen| seen.client == Some(ana.fingerprint())));
    let keys = OtherKey { presented: rui.fingerprint(), expected: eve.fingerprint() };
    assert_eq!(refused(&peers, &site.expecting(Expected::Key(eve.fingerprint()))).await, Some(keys));
}

#[tokio::test]
async fn a_connection_to_anyone_serves_nobody_who_is_expected() {
    let (ana, rui, eve) = (Id::new(), Id::new(), Id::new());
    let (site, peers) = (Site::open(eve.itself()).await, Peers::new(ana.itself()).unwrap());
    assert_eq!(post(&peers, &site.expecting(Expected::Anyone)).await.unwrap(), 200);
    assert_eq!(post(&peers, &site.expecting(Expected::Key(eve.fingerprint()))).await.unwrap(), 200);
    let before: usize = site.seen().iter().map(|seen| seen.bytes).sum();
    let keys = OtherKey { presented: eve.fingerprint(), expected: rui.fingerprint() };
    assert_eq!(refused(&peers, &site.expecting(Expected::Key(rui.fingerprint()))).await, Some(keys));
    assert_eq!(site.seen().iter().map(|seen| seen.bytes).sum::<usize>(), before);
}

#[tokio::test]
async fn plain_http_is_spoken_only_where_anyone_will_do() {
    let (ana, rui) = (Id::new(), Id::new());
    let site = Site::answering(None, |_| response("200 OK", "ok")).await;
    let peers = Peers::new(ana.itself()).unwrap();
    assert_eq!(post(&peers, &site.expecting(Expected::Anyone)).await.unwrap(), 200);
    assert_eq!(refused(&peers, &site.expecting(Expected::Key(rui.fingerprint()))).await, None);
}

#[tokio::test]
async fn nobody_is_dialled_against_the_rule() {
    let (ana, rui) = (Id::new(), Id::new());
    let (site, peers) = (Site::open(rui.itself()).await, Peers::new(ana.itself()).unwrap());
    let rule = dial::Undialable::Loopback.to_string();
    let by_name: Address = format!("https://localhost:{}", site.address.port()).parse().unwrap();
    for address in [&site.address, &by_name] {
        for expected in [Expected::Key(rui.fingerprint()), Expected::Anyone] {
            let destination = Destination { address: address.clone(), expected, loopback: false };
            let error = post(&peers, &destination).await.unwrap_err();
            assert_eq!(innermost(&error), rule);
        }
    }
    assert!(site.seen().is_empty());
    let permitted =
        Destination { address: by_name, expected: Expected::Key(rui.fingerprint()), loopback: true };
    assert_eq!(post(&peers, &permitted).await.unwrap(), 200);
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let (ana, rui) = (Id::new(), Id::new());
    let other = Site::open(rui.itself()).await;
    let away = response(&format!("307 T\r\nlocation: {}/messages", other.address), "");
    let site = Site::answering(Some(rui.itself()), move |_| away.clone()).await;
    let peers = Peers::new(ana.itself()).unwrap();
    assert_eq!(post(&peers, &site.expecting(Expected::Key(rui.fingerprint()))).await.unwrap(), 307);
    assert!(other.seen().is_empty());
}

async fn ask(vouching: Vouching, site: &Site) -> Result<Response, reqwest::Error> {
    let client = to_directory(vouching).unwrap();
    client.get(format!("{}/peers", site.address)).bearer_auth("secret").send().await
}

#[tokio::test]
async fn a_directory_with_the_pinned_key_is_asked_and_no_other() {
    let (home, eve) = (Id::new(), Id::new());
    let chain = vec![home.certificate.clone(), eve.certificate.clone()];
    for versions in [&[&TLS13], &[&TLS12]] {
        let answer = |_: &str| response("200 OK", "");
        let site = Site::with(Some((home.certified(chain.clone()), versions)), Arc::new(answer)).await;
        let answer = ask(Vouching::Key(home.fingerprint()), &site).await.unwrap();
        assert!(over_loopback(&answer));
        assert_eq!(site.seen()[0].client, None, "a directory does not learn this peer's key so");

        let error = ask(Vouching::Key(eve.fingerprint()), &site).await.unwrap_err();
        let keys = OtherKey { presented: home.fingerprint(), expected: eve.fingerprint() };
        assert_eq!(other_key(&error), Some(keys));
        // One that nobody whom this system trusts has signed.
        assert!(ask(Vouching::SystemRoots, &site).await.unwrap_err().is_connect());
        assert!(site.seen()[1..].iter().all(|seen| seen.bytes == 0), "no token is sent");
    }
    let plain = Site::answering(None, |_| response("200 OK", "")).await;
    assert!(ask(Vouching::Nobody, &plain).await.is_ok());
    for vouching in [Vouching::Key(home.fingerprint()), Vouching::SystemRoots] {
        assert!(ask(vouching, &plain).await.is_err(), "https only");
    }
}
