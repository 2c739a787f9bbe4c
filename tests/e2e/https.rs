//! A directory that speaks TLS, as curl and peers meet it.

use std::path::Path;
use std::process::Command;

use protocol::Slug;
use tempfile::TempDir;

use super::harness::{Directory, Fake, Finished, Key, Peer, Process, Program, Reply, raw, server_command};

/// A folder with the certificate and key of this machine.
pub(super) fn certified() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    std::fs::write(folder.path().join("certificate.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let both = made.cert.pem() + &made.signing_key.serialize_pem();
    std::fs::write(folder.path().join("both.pem"), both).unwrap();
    folder
}

/// The flags for a directory that proves itself with them.
pub(super) fn flags(folder: &Path) -> [String; 2] {
    [("cert", "certificate.pem"), ("key", "key.pem")]
        .map(|(flag, file)| format!("--tls-{flag}={}", folder.join(file).display()))
}

/// What curl prints, and whether it went well.
pub(super) fn curl(arguments: &[&str]) -> (String, bool) {
    let output =
        Command::new("curl").args(["--silent", "--show-error", "--noproxy", "*"]).args(arguments).output();
    let output = output.expect("curl is installed");
    (String::from_utf8(output.stdout).unwrap(), output.status.success())
}

#[test]
fn curl_registers_and_reads_over_https() {
    let folder = certified();
    let [certificate, key] = &flags(folder.path());
    let directory = Directory::with(&[certificate, key]);
    let url = directory.url();
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    let trusted = folder.path().join("certificate.pem").display().to_string();
    let registration = r#"{"name":"ana","address":"https://0.0.0.0:7101"}"#;
    let register = format!("{url}/register");
    let (registered, well) = curl(&["--cacert", &trusted, "--json", registration, &register]);
    assert!(well && registered.contains(r#""address":"https://127.0.0.1:7101""#), "{registered}");
    for version in ["--tlsv1.3", "--tls-max=1.2"] {
        let version: Vec<_> = version.split('=').collect();
        let peers = format!("{url}/peers");
        let (peers, well) = curl(&[&version, &["--cacert", &trusted, &peers][..]].concat());
        assert!(well && peers.contains(r#""name":"ana""#), "{peers}");
    }
    assert!(!curl(&[&register]).1, "nobody vouches for this certificate");
}

#[test]
fn who_asks_without_tls_is_told_so() {
    let folder = certified();
    let [certificate, key] = &flags(folder.path());
    let directory = Directory::with(&[certificate, key]);
    let request = b"GET /peers HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let plain = directory.url().replace("https://", "http://");
    let refused =
        raw(Program::Directory, &plain, ("GET", "/peers"), request).expect_problem(Slug::TlsRequired);
    assert!(refused.text("detail").contains("https://"));
}

#[test]
fn a_start_with_files_that_do_not_fit_ends_with_what_to_do() {
    let (ours, theirs) = (certified(), certified());
    let [certificate, _] = &flags(ours.path());
    let [_, key] = &flags(theirs.path());
    let end = |flags: &[&str]| {
        let mut command = server_command();
        command
            .arg("--db")
            .arg(ours.path().join("directory.db"))
            .args(["--listen", "127.0.0.1:0"])
            .args(flags);
        let mut process = Process::spawn("the directory", &mut command);
        (process.wait(), process.stderr())
    };
    let (code, said) = end(&[certificate, key]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("key.pem") && said.contains("--tls-key has to be the key of"), "{said}");
    let (code, said) = end(&[certificate]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--tls-key"), "{said}");
}

#[test]
fn a_peer_knows_its_directory_by_its_key() {
    let folder = certified();
    let [certificate, key] = &flags(folder.path());
    let directory = Directory::with(&[certificate, key]);
    let right = Key::read(&folder.path().join("both.pem")).fingerprint();
    let [mut ana, mut rui] =
        ["ana", "rui"].map(|name| Peer::of(&format!("{}#{right}", directory.url()), name));
    ana.serve();
    rui.serve();
    directory.until_online("rui", true);
    assert_eq!(ana.send("rui", "over a pinned directory").state, "delivered");
    rui.until_inbox_is(&["over a pinned directory"]);
    assert!(rui.inbox()[0].verified, "it asked the directory too");

    let wrong = Key::new().fingerprint();
    let stranger = Peer::of(&format!("{}#{wrong}", directory.url()), "zeca");
    let away = stranger.run(&["peers"]).expect(6);
    for fingerprint in [right, wrong] {
        assert!(away.stderr.contains(&fingerprint.to_string()), "{}", away.stderr);
    }
}

#[test]
fn a_directory_with_another_key_hears_nothing() {
    let imposter = Fake::answering(|_| Reply::list(&[]));
    let mut ana = Peer::of(&format!("{}#{}", imposter.address(), Key::new().fingerprint()), "ana");
    ana.serve();
    ana.run(&["peers"]).expect(6);
    ana.run(&["send", "rui", "oi"]).expect(6);
    assert!(imposter.calls() > 1);
    assert_eq!((imposter.handshakes(), imposter.heard()), (Vec::new(), 0), "no token, no name, no question");
}

#[test]
fn without_a_fingerprint_the_system_s_roots_decide() {
    let folder = certified();
    let [certificate, key] = &flags(folder.path());
    let directory = Directory::with(&[certificate, key]);
    let ana = Peer::of(directory.url(), "ana");
    let away = ana.run(&["peers"]).expect(6);
    assert_tells_to_pin(&away, directory.url());
    let trusted = folder.path().join("certificate.pem");
    let mut vouched = ana.command(&["peers", "--json"]);
    Finished::of("peers", vouched.env("SSL_CERT_FILE", &trusted), "").expect(0);

    // The token is the URL's, however its key is known.
    let mut serve = ana.command(&["serve", "--name", "ana", "--listen", "127.0.0.1:0"]);
    let mut daemon = Process::spawn("ana's daemon", serve.env("SSL_CERT_FILE", &trusted));
    directory.until_online("ana", true);
    daemon.kill();
    let right = Key::read(&folder.path().join("both.pem")).fingerprint();
    let pinned = format!("{}#{right}", directory.url());
    let mut serve = ana.command(&["serve", "--server", &pinned, "--name", "ana", "--listen", "127.0.0.1:0"]);
    let daemon = Process::spawn("ana's daemon again", &mut serve);
    let address = daemon.stdout_until("the ready line", |said| {
        Some(said.strip_prefix("peer ")?.strip_suffix('\n')?.to_owned())
    });
    super::harness::until("the same claim has moved", || {
        (directory.get("/peers/ana").expect(200).json()["address"] == address).then_some(())
    });
}

/// As `openssl req -x509` makes certificates: an authority's, which vouches for others and not for a server.
#[test]
fn a_certificate_that_the_system_cannot_trust_is_to_be_pinned() {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap().pem();
    for (name, text) in [
        ("certificate.pem", certificate.clone()),
        ("key.pem", key.serialize_pem()),
        ("both.pem", certificate + &key.serialize_pem()),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let [certificate, key] = &flags(folder.path());
    let directory = Directory::with(&[certificate, key]);
    let ana = Peer::of(directory.url(), "ana");
    let mut vouched = ana.command(&["peers"]);
    vouched.env("SSL_CERT_FILE", folder.path().join("certificate.pem"));
    assert_tells_to_pin(&Finished::of("peers", &mut vouched, "").expect(6), directory.url());
    let right = Key::read(&folder.path().join("both.pem")).fingerprint();
    ana.run(&["peers", "--server", &format!("{}#{right}", directory.url())]).expect(0);
}

/// It says so in words of its own, and only once.
#[track_caller]
fn assert_tells_to_pin(away: &Finished, url: &str) {
    let said = &away.stderr;
    assert!(said.contains(&format!("`--server {url}#FINGERPRINT`")), "{said}");
    assert!(said.contains("does not trust its certificate"), "{said}");
    for foreign in ["ERROR", ".rs", "UnknownIssuer", "Other(", "CaUsed"] {
        assert!(!said.contains(foreign), "{said}");
    }
}

#[test]
fn a_directory_over_plain_http_elsewhere_is_warned_of_once() {
    // Nobody can have this name (RFC 6761).
    let ana = Peer::of("http://directory.invalid:7100", "ana");
    let mut daemon = ana.launch(&[]);
    daemon.shows("peer http");
    daemon.signal(super::harness::Signal::TERM);
    assert_eq!(daemon.wait(), Some(0));
    let log = daemon.stderr();
    let warnings = log.lines().filter(|line| line.contains("WARN") && line.contains("https://")).count();
    assert_eq!(warnings, 1, "{log}");
}
