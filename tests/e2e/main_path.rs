//! Ana writes to Rui; both see it, in every listing and as JSON.

use protocol::Fingerprint;
use serde_json::{Value, json};

use super::harness::{Directory, Line, Peer, Process, Signal, until};

#[test]
fn ana_writes_rui_reads_and_answers() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));

    let sent = ana.send("rui", "olá, Rui");
    assert_eq!((sent.to.as_str(), sent.state.as_str(), sent.reason.as_deref()), ("rui", "delivered", None));
    rui.until_inbox_is(&["olá, Rui"]);
    rui.send("ana", "olá, Ana");

    let received = rui.inbox().remove(0);
    assert_eq!(received.id, sent.id);
    assert_eq!(said(&received), ("received", "ana", "rui", "olá, Rui"));
    assert!(received.received_at.is_some());
    assert!(received.verified);
    let fingerprint = ana.fingerprint();
    assert_eq!((received.fingerprint.as_deref(), received.seq), (Some(fingerprint.as_str()), Some(1)));
    assert_eq!(received.read, Some(false));

    let kept = ana.sent().remove(0);
    assert_eq!(kept.id, sent.id);
    assert_eq!(said(&kept), ("sent", "ana", "rui", "olá, Rui"));
    assert_eq!((kept.state.as_deref(), kept.reason.as_deref()), (Some("delivered"), None));
    assert_eq!((kept.sent_at, kept.seq), (received.sent_at, Some(1)));

    for (peer, other) in [(&ana, "rui"), (&rui, "ana")] {
        for arguments in [vec!["history"], vec!["history", other]] {
            let bodies: Vec<_> = peer.lines(&arguments).into_iter().map(|line| line.body).collect();
            assert_eq!(bodies, ["olá, Rui", "olá, Ana"], "{arguments:?} of {}", peer.name());
        }
    }
    assert!(ana.lines(&["history", "bia"]).is_empty());
}

fn said(line: &Line) -> (&str, &str, &str, &str) {
    (&line.direction, &line.from, &line.to, &line.body)
}

#[test]
fn listings_can_be_cut() {
    let directory = Directory::start();
    let (ana, rui, bia) =
        (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"), Peer::start(&directory, "bia"));
    for text in ["one", "two", "three"] {
        ana.send("rui", text);
    }
    bia.send("rui", "four");
    ana.send("bia", "five");

    let bodies = |peer: &Peer, arguments: &[&str]| -> Vec<String> {
        peer.lines(arguments).into_iter().map(|line| line.body).collect()
    };
    assert_eq!(bodies(&rui, &["inbox"]), ["one", "two", "three", "four"]);
    assert_eq!(bodies(&rui, &["inbox", "--limit", "2"]), ["three", "four"]);
    assert_eq!(bodies(&rui, &["inbox", "--from", "ana"]), ["one", "two", "three"]);
    assert_eq!(bodies(&rui, &["inbox", "--from", "ANA", "--limit", "1"]), ["three"]);
    assert_eq!(bodies(&ana, &["sent", "--to", "bia"]), ["five"]);
    assert_eq!(bodies(&ana, &["sent", "--limit", "2"]), ["three", "five"]);
    assert_eq!(bodies(&ana, &["sent", "--state", "queued"]), [""; 0]);
    assert_eq!(bodies(&ana, &["sent", "--state", "delivered", "--to", "rui"]), ["one", "two", "three"]);
    assert_eq!(bodies(&rui, &["history", "ana", "--limit", "2"]), ["two", "three"]);
}

#[test]
fn what_was_shown_as_text_is_read() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    ana.send("rui", "first");

    assert_eq!(rui.lines(&["inbox", "--unread"]).len(), 1, "--json marks nothing");
    let shown = rui.run(&["inbox"]).expect(0).stdout;
    assert!(shown.contains("ana") && shown.contains("first"), "{shown}");
    assert!(rui.lines(&["inbox", "--unread"]).is_empty());
    assert_eq!(rui.inbox()[0].read, Some(true));

    ana.send("rui", "second");
    assert_eq!(unread(&rui, "ana"), 1);
    assert_eq!(rui.lines(&["inbox", "--unread", "--mark-read"])[0].body, "second");
    assert!(rui.lines(&["inbox", "--unread"]).is_empty());
    assert_eq!(unread(&rui, "ana"), 0);
}

fn unread(peer: &Peer, from: &str) -> u64 {
    let peers: Vec<Value> = peer.run(&["peers", "--json"]).expect(0).json();
    let record = peers.iter().find(|record| record["name"] == from).expect("is online");
    record["unread"].as_u64().unwrap()
}

#[test]
fn a_line_about_a_message_has_the_members_of_the_contract() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    ana.send("rui", "oi");
    let wanted = [
        "body",
        "direction",
        "fingerprint",
        "from",
        "id",
        "read",
        "reason",
        "received_at",
        "sent_at",
        "seq",
        "state",
        "to",
        "verified",
    ];
    for (peer, command) in [(&rui, "inbox"), (&rui, "history"), (&ana, "sent"), (&ana, "history")] {
        let lines: Vec<Value> = peer.run(&[command, "--json"]).expect(0).json();
        assert_eq!(members(&lines[0]), wanted, "{command} of {}", peer.name());
    }
}

#[test]
fn peers_and_whoami_have_the_members_of_the_contract() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));

    let peers: Vec<Value> = rui.run(&["peers", "--json"]).expect(0).json();
    let names: Vec<_> = peers.iter().map(|record| record["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ana", "rui"]);
    assert_eq!(members(&peers[0]), ["address", "fingerprint", "name", "online_since", "unread", "verified"]);
    assert_eq!(peers[0]["address"], ana.url());
    assert_eq!((&peers[0]["fingerprint"], &peers[0]["verified"]), (&json!(ana.fingerprint()), &json!(false)));
    ana.send("rui", "it is me");
    let peers: Vec<Value> = rui.run(&["peers", "--json"]).expect(0).json();
    assert_eq!(peers[0]["verified"], true);
    let shown = rui.run(&["peers"]).expect(0).stdout;
    assert!(shown.contains("ana") && shown.contains("rui"), "{shown}");

    let whoami: Vec<Value> = ana.run(&["whoami", "--json"]).expect(0).json();
    assert_eq!(members(&whoami[0]), ["address", "curl_pin", "data_dir", "fingerprint", "name", "words"]);
    assert_eq!(whoami[0]["name"], "ana");
    assert_eq!(whoami[0]["address"], ana.url());
    assert_eq!(whoami[0]["data_dir"], ana.folder().to_str().unwrap());
    let member = |name: &str| whoami[0][name].as_str().unwrap();
    assert!(member("fingerprint").parse::<Fingerprint>().is_ok());
    assert_eq!(member("curl_pin").len(), "sha256//".len() + 44);
    assert_eq!(member("words").split(' ').count(), 32);
    let shown = ana.run(&["whoami"]).expect(0).stdout;
    assert!(shown.contains("ana") && shown.contains(member("fingerprint")), "{shown}");
}

fn members(value: &Value) -> Vec<&str> {
    let mut members: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    members
}

#[test]
fn one_text_goes_to_several_or_to_all() {
    let directory = Directory::start();
    let (ana, rui, bia) =
        (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"), Peer::start(&directory, "bia"));

    let sent: Vec<super::harness::Sent> = ana.run(&["send", "--json", "rui,BIA", "to both"]).expect(0).json();
    let mut to: Vec<_> = sent.iter().map(|sent| (sent.to.as_str(), sent.state.as_str())).collect();
    to.sort_unstable();
    assert_eq!(to, [("bia", "delivered"), ("rui", "delivered")]);

    ana.run(&["send", "--all", "to all"]).expect(0);
    for peer in [&rui, &bia] {
        peer.until_inbox_is(&["to both", "to all"]);
    }
    assert!(ana.inbox().is_empty(), "--all is everyone else");
}

#[test]
fn the_text_may_come_from_standard_input() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    ana.run_with_input(&["send", "rui"], "from a pipe\n").expect(0);
    ana.run_with_input(&["send", "rui", "-"], "two\nlines\n\n").expect(0);
    ana.run_with_input(&["send", "rui"], "no line end").expect(0);
    ana.run_with_input(&["send", "rui"], "from Windows\r\n").expect(0);
    rui.until_inbox_is(&["from a pipe", "two\nlines\n", "no line end", "from Windows"]);
}

#[test]
fn follow_shows_what_was_read_elsewhere_first() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let leave = |body: &str| rui.leave(&json!({"from": "ana", "body": body})).expect(201);
    leave("before");
    let mut command = rui.command(&["inbox", "--follow", "--unread", "--json"]);
    let follow = Process::spawn("rui's inbox --follow --unread", &mut command);
    follow.shows("\"before\"");
    // It looks away while another process is faster.
    follow.signal(Signal::STOP);
    leave("between");
    rui.run(&["inbox"]).expect(0);
    assert!(rui.inbox().iter().all(|line| line.read == Some(true)));
    follow.signal(Signal::CONT);
    follow.shows("\"between\"");
    leave("after");
    follow.shows("\"after\"");
    assert_eq!(follow.stdout().lines().count(), 3, "each once: {}", follow.stdout());
}

#[test]
fn follow_streams_what_comes() {
    let directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    ana.send("rui", "before");
    let mut follow =
        Process::spawn("rui's inbox --follow", &mut rui.command(&["inbox", "--follow", "--json"]));
    follow.shows("\"before\"");
    for text in ["first", "second", "third"] {
        ana.send("rui", text);
    }
    let lines = follow.stdout_until("three more messages", |output| {
        let lines: Vec<Line> = output
            .rsplit_once('\n')?
            .0
            .lines()
            .map(|line| serde_json::from_str(line).expect("whole lines of JSON"))
            .collect();
        (lines.len() == 4).then_some(lines)
    });
    let bodies: Vec<_> = lines.iter().map(|line| line.body.as_str()).collect();
    assert_eq!(bodies, ["before", "first", "second", "third"]);
    assert!(follow.runs());
}

#[test]
fn names_have_one_spelling_everywhere() {
    let directory = Directory::start();
    let (ana, joao) = (Peer::start(&directory, "ana"), Peer::start(&directory, "joão"));
    ana.send("JOÃO", "oi");
    joao.until_inbox_is(&["oi"]);
    assert_eq!(joao.inbox()[0].to, "joão");
    joao.send("Ana", "olá");
    ana.until_inbox_is(&["olá"]);
    let listed = until("both are listed", || Some(directory.online()).filter(|names| names.len() == 2));
    assert_eq!(listed, ["ana", "joão"]);
}
