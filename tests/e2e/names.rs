//! An operator shows names and releases some, while the directory runs and while it does not.

use std::time::{Duration, Instant};

use protocol::Slug;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Directory, Finished, Peer, new_token, server_command, until};

const ADDRESS: &str = "http://127.0.0.1:7101";

#[test]
fn names_are_shown_as_they_are() {
    let mut directory = Directory::start();
    assert_eq!(directory.run(&["names", "list"]).expect(0).stdout, "");
    let (ana, rui) = (new_token(), new_token());
    let fingerprint = "a".repeat(52);
    let keyed = json!({"name": "太郎", "address": ADDRESS, "fingerprint": fingerprint});
    directory.request(Method::POST, "/register").bearer(&ana).json(&keyed).send().expect(201);
    directory.register("rui", ADDRESS, &rui).expect(201);
    directory.request(Method::DELETE, "/register").bearer(&rui).send().expect(204);

    for runs in [true, false] {
        let listed: Vec<Value> = directory.run(&["names", "--json", "list"]).expect(0).json();
        assert_eq!(listed.len(), 2, "runs: {runs}");
        assert_eq!((&listed[0]["name"], &listed[0]["online"]), (&json!("rui"), &json!(false)));
        assert!(listed[0]["offline_since"].is_string() && listed[0]["address"].is_null());
        assert_eq!((&listed[1]["name"], &listed[1]["online"]), (&json!("太郎"), &json!(true)));
        assert_eq!(
            (&listed[1]["address"], &listed[1]["fingerprint"]),
            (&json!(ADDRESS), &json!(fingerprint))
        );
        let one = directory.run(&["names", "show", "RUI", "--json"]).expect(0).json::<Value>();
        assert_eq!(one, listed[..1]);
        let table = directory.run(&["names", "list"]).expect(0).stdout;
        let row = table.lines().find(|line| line.starts_with("太郎")).unwrap();
        assert!(row.contains("online") && row.contains(ADDRESS) && row.ends_with(&fingerprint), "{table}");
        assert!(directory.run(&["names", "show", "rui"]).expect(0).stdout.contains("offline since"));
        let unknown = directory.run(&["names", "show", "zeca"]).expect(1);
        assert!(unknown.stderr.contains("zeca") && unknown.stdout.is_empty(), "{}", unknown.stderr);
        directory.stop();
    }
}

#[test]
fn a_released_name_is_off_the_list_within_a_second_and_anybodys() {
    let directory = Directory::start();
    let (ana, rui, other) = (new_token(), new_token(), new_token());
    directory.register("ana", ADDRESS, &ana).expect(201);
    directory.register("rui", ADDRESS, &rui).expect(201);
    directory.register("ana", ADDRESS, &other).expect_problem(Slug::NameTaken);
    let mut changes = directory.request(Method::GET, "/events").stream();
    let finished = directory.run(&["names", "release", "ANA"]).expect(0);
    assert_eq!(finished.stdout, "released ana\n");
    let released = Instant::now();
    directory.until_online("ana", false);
    // A second is promised; the machine may be busy with other stories.
    assert!(released.elapsed() < Duration::from_secs(5), "{:?}", released.elapsed());
    assert_eq!(changes.news(), ("left".into(), "ana".into()));
    assert_eq!(directory.online(), ["rui"]);
    directory.get("/peers/ana").expect_problem(Slug::UnknownName);
    directory.request(Method::DELETE, "/register").bearer(&ana).send().expect_problem(Slug::TokenUnknown);
    directory.register("ana", "http://127.0.0.1:7102", &other).expect(201);
    directory.register("ana", ADDRESS, &ana).expect_problem(Slug::NameTaken);
    assert_eq!(directory.get("/peers/ana").expect(200).json()["address"], "http://127.0.0.1:7102");
}

#[test]
fn a_name_is_released_while_nothing_runs() {
    let mut directory = Directory::start();
    let (ana, other) = (new_token(), new_token());
    directory.register("ana", ADDRESS, &ana).expect(201);
    directory.stop();
    let finished = directory.run(&["names", "release", "ana", "zeca", "--json"]).expect(1);
    let lines = finished.json::<Value>();
    assert_eq!(lines, [json!({"name": "ana", "released": true}), json!({"name": "zeca", "released": false})]);
    assert!(finished.stderr.contains("zeca"), "{}", finished.stderr);
    directory.start_again();
    assert!(directory.online().is_empty());
    directory.register("ana", ADDRESS, &other).expect(201);
}

#[test]
fn who_still_runs_claims_a_released_name_again() {
    let directory = Directory::with(&["--ttl", "3s"]);
    let _ana = Peer::start(&directory, "ana");
    let before = directory.get("/peers/ana").expect(200).text("online_since");
    directory.run(&["names", "release", "ana"]).expect(0);
    until("ana has claimed her name again", || {
        let answer = directory.get("/peers/ana");
        (answer.status == 200 && answer.json()["online_since"] != before).then_some(())
    });
    let help = directory.run(&["names", "release", "--help"]).expect(0).stdout;
    assert!(help.contains("claims the name again"), "{help}");
}

#[test]
fn a_path_without_a_database_stays_without() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none").join("directory.db");
    for arguments in [&["names", "list"] as &[_], &["names", "show", "ana"], &["names", "release", "ana"]] {
        let mut command = server_command();
        let finished = Finished::of("server", command.args(arguments).arg("--db").arg(&path), "").expect(1);
        let said = finished.stderr.contains(path.to_str().unwrap()) && finished.stderr.contains("--db");
        assert!(said, "{}", finished.stderr);
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    for wrong in
        [&["names"] as &[_], &["names", "release"], &["names", "show", "a b"], &["invite", "--uses", "0"]]
    {
        Finished::of("server", server_command().args(wrong), "").expect(2);
    }
    let help = Finished::of("server --help", server_command().arg("--help"), "").expect(0).stdout;
    assert!(help.starts_with("Examples:"), "{help}");
}
