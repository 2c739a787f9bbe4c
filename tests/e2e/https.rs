//! A directory that speaks TLS, as curl meets it.

use std::path::Path;
use std::process::Command;

use protocol::Slug;
use tempfile::TempDir;

use super::harness::{Directory, Process, Program, raw, server_command};

/// A folder with the certificate and key of this machine.
pub(super) fn certified() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    std::fs::write(folder.path().join("certificate.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
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
