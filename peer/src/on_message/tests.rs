//! Commands under a clock that the test moves.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::*;
use crate::conversations::{Direction, Entry};

fn message(body: &str) -> Entry {
    Entry {
        position: 1,
        id: Uuid::now_v7(),
        direction: Direction::Received,
        from: "ana".to_owned(),
        to: "rui".to_owned(),
        body: body.to_owned(),
        sent_at: None,
        received_at: Some(Timestamp::UNIX_EPOCH),
        verified: true,
        fingerprint: None,
        source: None,
        seq: None,
        reply_to: None,
        read: Some(false),
        state: None,
        reason: None,
        tries: None,
        is_own_count: false,
        counted_by: None,
        delivered_to: None,
        delivered_as: None,
        next_try: None,
    }
}

fn surroundings() -> Surroundings {
    Surroundings { data_dir: "/data".into(), server: "none".to_owned() }
}

fn shell(script: &str) -> Command {
    format!("sh -c '{script}'").parse().unwrap()
}

/// What processes hold open. The first answer says that one does, the second that none does any more.
fn held(fifo: &Path) -> (oneshot::Receiver<()>, oneshot::Receiver<()>) {
    let made = std::process::Command::new("mkfifo").arg(fifo).status().unwrap();
    assert!(made.success());
    let ((tell_begin, begun), (tell_end, ended)) = (oneshot::channel(), oneshot::channel());
    let fifo = fifo.to_owned();
    std::thread::spawn(move || {
        let mut file = File::open(fifo).unwrap();
        tell_begin.send(()).unwrap();
        file.read_to_end(&mut Vec::new()).unwrap();
        let _ = tell_end.send(());
    });
    (begun, ended)
}

#[tokio::test]
async fn a_command_has_the_fields_and_the_whole_body() {
    let folder = tempfile::tempdir().unwrap();
    let (fields, body) = (folder.path().join("fields"), folder.path().join("body"));
    let long = "é".repeat(32_768);
    let command = shell(&format!(
        r#"echo "$RECADO_FROM $RECADO_TO $RECADO_VERIFIED [$RECADO_FINGERPRINT] $RECADO_RECEIVED_AT $RECADO_DATA_DIR $RECADO_SERVER" > {}; cat > {}"#,
        fields.display(),
        body.display(),
    ));
    assert_eq!(command.run(&message(&long), &surroundings()).await.unwrap(), Ended::Well);
    let fields = std::fs::read_to_string(fields).unwrap();
    assert_eq!(fields, "ana rui true [] 1970-01-01T00:00:00Z /data none\n");
    assert_eq!(std::fs::read_to_string(body).unwrap(), long);
}

#[tokio::test]
async fn a_command_may_leave_its_input_and_its_children_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (begun, mut ended) = held(&folder.path().join("held"));
    let (held, pid) = (folder.path().join("held"), folder.path().join("pid"));
    let command = shell(&format!("sleep 1000 > {} & echo $! > {}; exit 3", held.display(), pid.display()));
    let status = command.run(&message(&"x".repeat(65_536)), &surroundings()).await.unwrap();
    assert!(matches!(status, Ended::Badly(status) if status.code() == Some(3)), "{status:?}");
    begun.await.unwrap();
    assert!(ended.try_recv().is_err(), "what it left running was killed");
    let pid = std::fs::read_to_string(pid).unwrap().trim().parse().ok().and_then(Pid::from_raw);
    kill_process(pid.unwrap(), Signal::KILL).unwrap();
    ended.await.unwrap();
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let (begun, ended) = held(&folder.path().join("held"));
    let command = shell(&format!("sleep 1000 > {} & wait", folder.path().join("held").display()));
    let clock = async {
        begun.await.unwrap();
        tokio::time::pause();
    };
    let (message, surroundings) = (message("hi"), surroundings());
    let (status, ()) = tokio::join!(command.run(&message, &surroundings), clock);
    assert_eq!(status.unwrap(), Ended::TooLate);
    tokio::time::resume();
    timeout(Duration::from_secs(30), ended).await.expect("all are dead").unwrap();
}

#[tokio::test]
async fn what_cannot_be_started_is_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("bot");
    std::fs::copy("/bin/true", &program).unwrap();
    let command: Command = program.to_str().unwrap().parse().unwrap();
    assert_eq!(command.run(&message("hi"), &surroundings()).await.unwrap(), Ended::Well);
    std::fs::remove_file(program).unwrap();
    assert!(command.run(&message("hi"), &surroundings()).await.is_err());
}
