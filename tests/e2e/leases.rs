//! Leases: they end by themselves, and outlive the directory's death.

use std::time::{Duration, Instant};

use super::harness::{Directory, Peer, new_token, until};

#[test]
fn a_lease_ends_by_itself_and_never_early() {
    let directory = Directory::with(&["--ttl", "3s"]);
    let rui = Peer::start(&directory, "rui");
    let token = new_token();
    let before = Instant::now();
    let claimed = directory.register("ana", "http://127.0.0.1:7101", &token).expect(201);
    assert_eq!(claimed.json()["ttl_seconds"], 3);
    until("ana's lease has ended", || {
        let online = directory.online();
        assert!(online.contains(&"rui".to_owned()), "{} renews and stays", rui.name());
        (!online.contains(&"ana".to_owned())).then_some(())
    });
    assert!(before.elapsed() >= Duration::from_secs(3), "ended early");
    assert_eq!(directory.get("/peers/ana").expect(200).json()["online"], false);
    directory.register("ana", "http://127.0.0.1:7101", &token).expect(201);
}

#[test]
fn after_a_kill_everybody_is_still_listed() {
    let mut directory = Directory::start();
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    let (gone, left) = (new_token(), new_token());
    directory.register("zeca", "http://127.0.0.1:7101", &gone).expect(201);
    directory.register("bia", "http://127.0.0.1:7102", &left).expect(201);
    directory.request(reqwest::Method::DELETE, "/register").bearer(&left).send().expect(204);
    let before = directory.get("/peers").expect(200).json();

    for _ in 0..3 {
        directory.kill();
        directory.start_again();
        let after = directory.get("/peers").expect(200).json();
        let names = |list: &serde_json::Value| {
            list.as_array().unwrap().iter().map(|record| record["name"].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(&after), names(&before), "from the first answer on");
    }
    assert_eq!(ana.send("rui", "oi").state, "delivered");
    rui.until_inbox_is(&["oi"]);
    directory.register("zeca", "http://127.0.0.1:7101", &left).expect_problem(protocol::Slug::NameTaken);
    directory.register("zeca", "http://127.0.0.1:7101", &gone).expect(200);
    assert_eq!(directory.get("/peers/bia").expect(200).json()["online"], false);
}

#[test]
fn through_ten_restarts_the_living_stay_and_the_dead_go_in_time() {
    const TTL: Duration = Duration::from_secs(2);
    let mut directory = Directory::with(&["--ttl", "2s"]);
    let _rui = Peer::start(&directory, "rui");
    let begin = Instant::now();
    directory.register("ana", "http://127.0.0.1:7101", &new_token()).expect(201);
    let (mut listed, mut gone) = (Duration::ZERO, false);
    for restart in 1..=10 {
        // Every other time without a chance to write anything down.
        match restart % 2 {
            0 => assert_eq!(directory.stop(), Some(0)),
            _ => directory.kill(),
        }
        directory.start_again();
        let started = Instant::now();
        while started.elapsed() < TTL / 2 {
            let asked = Instant::now();
            let online = directory.online();
            assert!(online.contains(&"rui".to_owned()), "rui lives: restart {restart}");
            let ana = online.contains(&"ana".to_owned());
            assert!(!(gone && ana), "ana, who is dead, came back with restart {restart}");
            if !ana && !gone {
                // After a kill, running time goes on a quarter of a second ahead.
                let ahead = Duration::from_millis(250) * restart;
                assert!(
                    begin.elapsed() + ahead >= TTL,
                    "ana's lease ended early, after {:?}",
                    begin.elapsed()
                );
            }
            gone |= !ana;
            if ana {
                listed += asked.elapsed();
            }
        }
    }
    assert!(gone, "ana, who is dead, is still listed");
    assert!(listed <= 2 * TTL + Duration::from_secs(2), "ana was listed for {listed:?} of running time");
}

#[test]
fn a_peer_outlives_the_directory() {
    let mut directory = Directory::with(&["--ttl", "3s"]);
    let (ana, rui) = (Peer::start(&directory, "ana"), Peer::start(&directory, "rui"));
    assert_eq!(directory.stop(), Some(0));
    let message = serde_json::json!({"from": "ana", "body": "no directory is needed for this"});
    rui.leave_with(&ana.key(), &message).expect(201);
    directory.start_again();
    for peer in [&ana, &rui] {
        directory.until_online(peer.name(), true);
    }
    assert_eq!(ana.send("rui", "back").state, "delivered");
}

#[test]
fn a_peer_that_starts_before_its_directory_registers_later() {
    let mut directory = Directory::start();
    directory.kill();
    let mut ana = Peer::offline(&directory, "ana");
    ana.serve();
    directory.start_again();
    directory.until_online("ana", true);
}
