//! What a program does with the machine's sockets: both families of addresses on one port, and too few files.

use std::net::TcpStream;
use std::process::Command;

use protocol::Slug;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use super::harness::{Directory, Process, Program, Request, Wire, new_token, raw, server_command, until};

#[test]
fn a_directory_on_all_addresses_serves_ipv4_and_ipv6() {
    let directory = Directory::on("[::]:0", &[]);
    let port = directory.url().rsplit(':').next().unwrap();
    for (at, name) in [("127.0.0.1", "ana"), ("[::1]", "rui")] {
        let url = format!("http://{at}:{port}");
        let seen = json!({"name": name, "address": "http://[::]:7101"});
        let register = Request::new(Program::Directory, Method::POST, &url, "/register");
        let registered = register.bearer(&new_token()).json(&seen).send().expect(201);
        assert_eq!(registered.text("address"), format!("http://{at}:7101"));
    }
    assert_eq!(directory.online(), ["ana", "rui"]);
    let forwarded = directory.request(Method::POST, "/register").header("x-forwarded-for", "::1");
    let forwarded = forwarded.json(&json!({"name": "eva", "address": "http://127.0.0.1:7101"})).send();
    forwarded.expect_problem(Slug::InvalidAddress);
}

const HEALTH: &[u8] = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[test]
fn where_there_are_few_files_the_database_has_its_own() {
    let folder = TempDir::with_prefix("recado-directory-").unwrap();
    let server = server_command();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""]).arg(server.get_program());
    command.arg("--db").arg(folder.path().join("directory.db"));
    // Only the clients end these connections.
    command.args(["--listen", "127.0.0.1:0", "--handshake-timeout", "1d", "--idle-timeout", "1d"]);
    let process = Process::spawn("the directory", &mut command);
    let url = process.stdout_until("the ready line", |output| {
        let (line, _) = output.split_once('\n')?;
        line.strip_prefix("directory ").map(str::to_owned)
    });
    let words = "fewer files may be open than connections are let in";
    process.stderr_until(words, |logs| logs.contains(words).then_some(()));

    let place = url.trim_start_matches("http://");
    let mut inside = Wire::connect(place, None).unwrap();
    assert_eq!(claim(&mut inside, "ana"), 201);
    let _held: Vec<_> = (0..60).map(|_| TcpStream::connect(place).unwrap()).collect();
    until("newcomers are told that there is no place", || {
        (raw(Program::Directory, &url, ("GET", "/health"), HEALTH).status == 503).then_some(())
    });
    for name in ["rui", "eva", "zeca"] {
        assert_eq!(claim(&mut inside, name), 201);
    }
}

fn claim(wire: &mut Wire, name: &str) -> u16 {
    let claim = json!({"name": name, "address": "http://127.0.0.1:7101"});
    let token = format!("authorization: Bearer {}\r\n", new_token());
    wire.post("/register", &token, &claim).unwrap()
}

#[test]
fn a_directory_that_runs_out_of_files_lets_others_in_when_there_is_room() {
    // Only the clients end these connections.
    let mut directory = Directory::with(&["--handshake-timeout", "1d"]);
    directory.process().files_at_most(48);
    let connect = || TcpStream::connect(directory.url().trim_start_matches("http://")).unwrap();
    let mut held: Vec<_> = (0..100).map(|_| connect()).collect();
    let url = directory.url().to_owned();
    let words = "cannot accept connections";
    directory.process().stderr_until(words, |logs| logs.contains(words).then_some(()));
    held.truncate(10);
    until("an answer", || {
        (raw(Program::Directory, &url, ("GET", "/health"), HEALTH).status == 200).then_some(())
    });
    assert!(directory.process().runs());
}
