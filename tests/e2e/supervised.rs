//! A service manager hears when the programs are ready, that they live, and that they end.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use super::harness::{DEADLINE, Peer, Process, Signal, server_command};

/// Runs a command under a service manager, and hears what it is told.
fn supervised(label: &str, mut command: Command) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let hears = || {
        let mut text = [0; 256];
        let length = manager.recv(&mut text).unwrap_or_else(|error| panic!("{label} says nothing: {error}"));
        String::from_utf8_lossy(&text[..length]).trim_end().to_owned()
    };
    let watchdog = Duration::from_millis(200).as_micros().to_string();
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", watchdog);
    let mut process = Process::spawn(label, &mut command);
    assert_eq!(hears(), "READY=1");
    process.stdout_until("the ready line", |output| output.ends_with('\n').then_some(()));
    for _ in 0..3 {
        assert_eq!(hears(), "WATCHDOG=1");
    }
    process.signal(Signal::TERM);
    let last = std::iter::repeat_with(hears).find(|told| told != "WATCHDOG=1");
    assert_eq!(last.as_deref(), Some("STOPPING=1"));
    assert_eq!(process.wait(), Some(0));
}

#[test]
fn both_programs_tell_their_service_manager_how_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = server_command();
    server.args(["--listen", "127.0.0.1:0", "--db"]).arg(folder.path().join("directory.db"));
    supervised("the directory", server);
    let rui = Peer::of("none", "rui");
    supervised("rui's daemon", rui.command(&["serve", "--name", "rui", "--listen", "127.0.0.1:0"]));
}
