//! A peer's key and its port: one key for good, a port that tells TLS from plain HTTP, and who may go without TLS.

use std::net::{IpAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use protocol::Slug;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Answer, Directory, Fake, Peer, Process, Program, Reply, Request, peer_command, raw};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

/// What a peer says that it is, over plain HTTP.
fn fingerprint_at(peer: &Peer) -> String {
    peer.get("/identity").expect(200).text("fingerprint")
}

/// Leaves a message in bytes, with these header lines.
fn leave(url: &str, headers: &str) -> Answer {
    let body = json!({"from": "ci", "body": "oi"}).to_string();
    let request = format!(
        "POST /messages HTTP/1.1\r\n{headers}content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    raw(Program::Peer, url, ("POST", "/messages"), request.as_bytes())
}

#[test]
fn whatever_the_umask_what_is_kept_is_its_owner_s_alone() {
    for umask in ["000", "0777"] {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("deep/down");
        let peer = peer_command();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("umask {umask} && exec \"$0\" \"$@\"")]).arg(peer.get_program());
        command.arg("--data-dir").arg(&data).args(["--server", "none", "serve", "--name", "ana"]);
        let daemon = Process::spawn("ana's daemon", command.args(["--listen", "127.0.0.1:0"]));
        daemon.shows("peer https://127.0.0.1:");
        assert_eq!((mode(&home.path().join("deep")), mode(&data)), (0o700, 0o700), "umask {umask}");
        let mut seen = Vec::new();
        for entry in data.read_dir().unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "umask {umask}: {}", path.display());
            seen.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
        for file in ["identity.pem", "recado.db", "recado.db-wal", "recado.db-shm", "recado.lock"] {
            assert!(seen.iter().any(|name| name == file), "no {file} in {seen:?}");
        }
    }
}

#[test]
fn a_renewed_certificate_leaves_the_peer_who_it_is() {
    let directory = Directory::start();
    let mut ana = Peer::start(&directory, "ana");
    let rui = Peer::start(&directory, "rui");
    rui.send("ana", "before");
    let before = fingerprint_at(&ana);
    assert_eq!(ana.stop(), Some(0));
    let renew = "openssl req -x509 -new -key identity.pem -subj /CN=renewed -days 1 -out new.pem \
        && openssl pkey -in identity.pem >> new.pem && chmod 600 new.pem && mv new.pem identity.pem";
    assert!(Command::new("sh").args(["-c", renew]).current_dir(ana.folder()).status().unwrap().success());
    ana.serve();
    assert_eq!(fingerprint_at(&ana), before);
    assert_eq!(rui.send("ana", "after").state, "delivered");
}

#[test]
fn a_key_that_is_lost_or_garbled_is_said_with_what_to_do() {
    let ana = Peer::of("none", "ana");
    let mut daemon = ana.launch(&[]);
    daemon.shows("peer https://");
    daemon.kill();
    let path = ana.folder().join("identity.pem");
    let before = ana.fingerprint();
    assert!(ana.run(&["whoami"]).expect(0).stderr.is_empty());

    let pem = std::fs::read(&path).unwrap();
    std::fs::write(&path, &pem[..pem.len() / 2]).unwrap();
    for command in [["whoami"].as_slice(), &["inbox"], &["serve"]] {
        let said = ana.run(command).expect(1).stderr;
        assert!(said.contains(&path.display().to_string()) && said.contains("backup"), "{said}");
    }

    std::fs::remove_file(&path).unwrap();
    let said = ana.run(&["whoami"]).expect(0).stderr;
    assert!(said.contains("a new key was made") && said.contains("backup"), "{said}");
    assert_ne!(ana.fingerprint(), before);
    assert!(ana.run(&["whoami"]).expect(0).stderr.is_empty(), "it is said once");
}

#[test]
fn one_port_speaks_tls_and_plain_http_and_is_found_over_ipv6_too() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let mut ana = Peer::offline(&directory, "ana");
    ana.serve_with(&["--listen", "[::1]:0"]);
    directory.until_online("ana", true);
    assert!(ana.url().starts_with("https://[::1]:"), "{}", ana.url());
    for url in [ana.url().to_owned(), ana.plain()] {
        let identity = Request::new(Program::Peer, Method::GET, &url, "/identity").send().expect(200);
        assert_eq!(identity.text("fingerprint"), ana.fingerprint(), "{url}");
    }
    assert_eq!(rui.send("ana", "over IPv6").state, "delivered");
    assert_eq!(ana.send("rui", "and back").state, "delivered");
}

/// An address of this machine that is not loopback; nothing is sent to find it.
fn other_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[test]
fn plain_http_is_for_programs_on_this_machine_unless_the_user_says_otherwise() {
    let elsewhere = "x-forwarded-for: 192.0.2.7\r\n";
    for (flags, refused) in [([].as_slice(), true), (&["--allow-plain-http"], false)] {
        let mut ana = Peer::of("none", "ana");
        ana.serve_with(&[&["--listen", "0.0.0.0:0"], flags].concat());
        let (_, port) = ana.place().rsplit_once(':').unwrap();
        let here = format!("http://127.0.0.1:{port}");
        leave(&here, &format!("host: 127.0.0.1:{port}\r\n")).expect(201);
        // Who asks for somebody else is not on this machine, and neither is who comes from another address of it.
        let mut strangers = vec![leave(&here, &format!("host: 127.0.0.1:{port}\r\n{elsewhere}"))];
        if let Some(ip) = other_address() {
            strangers.push(leave(&format!("http://{ip}:{port}"), &format!("host: {ip}:{port}\r\n")));
        }
        for answer in strangers {
            if refused {
                answer.expect_problem(Slug::TlsRequired);
            } else {
                answer.expect(201);
            }
        }
        // A name that a page could have is refused whatever the flag.
        leave(&here, "host: evil.example\r\n").expect_problem(Slug::BrowserRefused);
        let over_tls = format!("https://127.0.0.1:{port}");
        Request::new(Program::Peer, Method::GET, &over_tls, "/identity")
            .header("x-forwarded-for", "192.0.2.7")
            .send()
            .expect(200);
    }
}

#[test]
fn a_peer_answers_under_the_host_that_others_are_told_to_dial() {
    let directory = Directory::start();
    let mut ana = Peer::offline(&directory, "ana");
    ana.serve_with(&["--advertise", "https://ana.example:443"]);
    let own = ana.plain();
    leave(&own, "host: ana.example\r\n").expect(201);
    leave(&own, "host: rui.example\r\n").expect_problem(Slug::BrowserRefused);
    let peers: Vec<Value> = ana.run(&["peers", "--json"]).expect(0).json();
    assert_eq!(peers[0]["address"], "https://ana.example:443");
}

/// Whoever runs the directory does not say which `Host` a peer answers to, nor where its invitations lead.
#[test]
fn a_directory_does_not_choose_the_host_of_a_peer() {
    for flags in [&[][..], &["--listen", "0.0.0.0:0"], &["--advertise", "https://ana.example:7101"]] {
        let liar = Fake::answering(|asked| match asked.what.as_str() {
            "POST /register" => {
                let mut record = asked.body.clone();
                record["address"] = json!("https://evil.example:7101");
                Reply::listed(&record, 60)
            }
            _ => Reply::answer(204, "application/json", ""),
        });
        let mut ana = Peer::of(liar.url(), "ana");
        ana.serve_with(flags);
        ana.daemon()
            .stderr_until("it is listed", |logs| logs.contains("listed in the directory").then_some(()));
        leave(&ana.plain(), "host: evil.example\r\n").expect_problem(Slug::BrowserRefused);
        for command in ["whoami", "invite"] {
            let shown = ana.run(&[command]);
            assert!(!shown.stdout.contains("evil.example"), "{flags:?}: {}", shown.stdout);
        }
    }
}

#[test]
fn where_others_are_to_dial_is_known_while_the_directory_is_away() {
    let mut directory = Directory::start();
    directory.kill();
    let mut ana = Peer::offline(&directory, "ana");
    for host in ["ana.example", "new.example"] {
        ana.serve_with(&["--advertise", &format!("https://{host}:7101")]);
        let link = ana.run(&["invite"]).expect(0).stdout;
        assert!(link.starts_with(&format!("recado:ana@{host}:7101#")), "{link}");
        let shown: Vec<Value> = ana.run(&["whoami", "--json"]).expect(0).json();
        assert_eq!(shown[0]["address"], format!("https://{host}:7101"));
        assert_eq!(ana.stop(), Some(0));
    }
}

#[test]
fn who_is_advertised_without_tls_is_warned() {
    let mut ana = Peer::of("none", "ana");
    ana.serve_with(&["--advertise", "http://ana.example:7101"]);
    ana.daemon().stderr_until("a warning", |logs| logs.contains("--insecure").then_some(()));
}
