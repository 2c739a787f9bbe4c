//! A peer that somebody made of openssl and curl, from what the documents say: none of this project's code counts its
//! fingerprint, proves its key, or looks at ours.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::harness::{Directory, Peer, Process, new_token};

/// Somebody who has a shell, openssl and curl.
struct Stranger {
    name: String,
    folder: TempDir,
    fingerprint: String,
}

/// What a shell prints in this folder. Fails if it fails.
#[track_caller]
fn shell(folder: &Path, script: &str) -> String {
    let output = Command::new("sh").args(["-euc", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// SHA-256 of the key in a certificate, in base32 as README says.
const FINGERPRINT: &str = "openssl x509 -in certificate.pem -pubkey -noout | openssl pkey -pubin -outform der \
    | openssl dgst -sha256 -binary | base32 | tr A-Z a-z | tr -d =";

impl Stranger {
    /// With a new key of a kind, as `openssl genpkey` is asked for it.
    fn with_key(name: &str, kind: &str) -> Self {
        let folder = TempDir::with_prefix("recado-stranger-").unwrap();
        shell(folder.path(), &format!("openssl genpkey -algorithm {kind} -out key.pem"));
        shell(folder.path(), "openssl req -x509 -new -key key.pem -subj /CN=anything -out certificate.pem");
        let fingerprint = shell(folder.path(), FINGERPRINT);
        Self { name: name.to_owned(), folder, fingerprint }
    }

    fn p256(name: &str) -> Self {
        Self::with_key(name, "EC -pkeyopt ec_paramgen_curve:P-256")
    }

    /// Runs curl in its folder and gives what was answered, as JSON, with the status as `status`.
    #[track_caller]
    fn curl(&self, arguments: &[&str]) -> Value {
        let mut curl = Command::new("curl");
        curl.current_dir(&self.folder).args(["--silent", "--show-error", "--noproxy", "*"]);
        let output = curl.args(["--write-out", "\n%{http_code}"]).args(arguments).output().unwrap();
        let (said, complaint) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {complaint}");
        let (body, status) = said.rsplit_once('\n').unwrap();
        let mut answer: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {said}"));
        answer["status"] = status.parse::<u16>().unwrap().into();
        answer
    }

    /// Claims its name, with this address.
    #[track_caller]
    fn register(&self, directory: &Directory, address: &str) {
        let registration =
            json!({"name": self.name, "address": address, "fingerprint": self.fingerprint}).to_string();
        let (bearer, url) =
            (format!("authorization: Bearer {}", new_token()), format!("{}/register", directory.url()));
        let answer = self.curl(&["--header", &bearer, "--json", &registration, &url]);
        assert_eq!(answer["status"], 201, "{answer}");
    }

    /// Leaves a message with its key at a peer whose key it pins.
    #[track_caller]
    fn leave(&self, peer: &Peer, text: &str) -> Value {
        let whoami: Value = peer.run(&["whoami", "--json"]).expect(0).json().remove(0);
        let pin = whoami["curl_pin"].as_str().unwrap();
        let message = json!({"from": self.name, "body": text}).to_string();
        let key = ["--cert", "certificate.pem", "--key", "key.pem"];
        let url = format!("{}/messages", peer.url());
        self.curl(&[&key[..], &["--insecure", "--pinnedpubkey", pin, "--json", &message, &url]].concat())
    }

    /// Listens in `openssl s_server`, which asks for the client's certificate; where it does.
    fn listen(&self) -> (Process, String) {
        let mut command = Command::new("openssl");
        command.current_dir(&self.folder).args(["s_server", "-accept", "127.0.0.1:0", "-tls1_3"]);
        command.args(["-cert", "certificate.pem", "-key", "key.pem", "-verify", "0", "-naccept", "1"]);
        let server = Process::spawn("openssl s_server", &mut command);
        let place = server.stdout_until("where it listens", |said| {
            said.split_inclusive('\n')
                .find_map(|line| Some(line.strip_prefix("ACCEPT ")?.strip_suffix('\n')?.to_owned()))
        });
        (server, format!("https://{place}"))
    }
}

#[test]
fn openssl_and_curl_are_a_peer_like_any_other() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let zoe = Stranger::p256("zoe");
    let (mut server, address) = zoe.listen();
    zoe.register(&directory, &address);

    let left = zoe.leave(&rui, "from curl");
    assert_eq!((&left["status"], &left["verified"]), (&json!(201), &json!(true)), "{left}");
    let shown = rui.inbox().remove(0);
    assert_eq!((shown.from.as_str(), shown.verified), ("zoe", true));
    assert_eq!(shown.fingerprint.as_deref(), Some(zoe.fingerprint.as_str()));

    let mut send = Process::spawn("rui's send", &mut rui.command(&["send", "--json", "zoe", "to openssl"]));
    let message = server.stdout_until("the message", |said| {
        let (head, body) = said.split_once("\r\n\r\n")?;
        assert!(head.contains("POST /messages HTTP/1.1"), "{head}");
        // Behind it the server says more of its own.
        let body = &body[..=body.find('}')?];
        Some(serde_json::from_str::<Value>(body).unwrap())
    });
    assert_eq!((&message["from"], &message["body"]), (&json!("rui"), &json!("to openssl")));
    let receipt = json!({"id": message["id"], "received_at": "2026-11-22T09:30:00Z", "verified": true});
    let receipt = receipt.to_string();
    server.type_in(&format!(
        "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{receipt}",
        receipt.len()
    ));
    assert_eq!(send.wait(), Some(0), "{}", send.stderr());
    assert!(send.stdout().contains(r#""delivered""#), "{}", send.stdout());

    // Whose certificate it was, as openssl saw it.
    let said = server.stdout();
    let begin = said.find("-----BEGIN CERTIFICATE").expect("the client's certificate");
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("certificate.pem"), &said[begin..]).unwrap();
    let whoami: Value = rui.run(&["whoami", "--json"]).expect(0).json().remove(0);
    assert_eq!(whoami["fingerprint"], shell(folder.path(), FINGERPRINT));
}

/// Where a kind of signature is not offered, curl sends no certificate, and says nothing of it.
#[test]
fn keys_of_every_common_kind_are_verified() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    for (name, kind) in [
        ("rsa", "RSA -pkeyopt rsa_keygen_bits:2048"),
        ("p384", "EC -pkeyopt ec_paramgen_curve:P-384"),
        ("ed25519", "ED25519"),
    ] {
        let stranger = Stranger::with_key(name, kind);
        stranger.register(&directory, "https://127.0.0.1:7101");
        let left = stranger.leave(&rui, name);
        assert_eq!(left["verified"], true, "{name}: {left}");
    }
    assert!(rui.inbox().iter().all(|line| line.verified));
}

/// The data directory's key file is what `curl --cert` takes.
#[test]
fn curl_with_a_peer_s_own_key_file_is_that_peer() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let whoami: Value = rui.run(&["whoami", "--json"]).expect(0).json().remove(0);
    let pin = whoami["curl_pin"].as_str().unwrap();
    let file = ana.folder().join("identity.pem").display().to_string();
    let url = format!("{}/messages", rui.url());
    let zoe = Stranger::p256("zoe");
    let message = r#"{"from":"ana","body":"as ana"}"#;
    let left = zoe.curl(&["--cert", &file, "--insecure", "--pinnedpubkey", pin, "--json", message, &url]);
    assert_eq!((&left["status"], &left["verified"]), (&json!(201), &json!(true)), "{left}");
}
