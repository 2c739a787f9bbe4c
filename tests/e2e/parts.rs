//! Parts of listings: since and before a time or a message, page by page; and who follows from where they were.

use serde_json::{Value, json};

use super::harness::{Directory, Key, Peer, Process, new_token};

fn claimed(directory: &Directory, name: &str) -> Key {
    let key = Key::new();
    directory.register_with_key(name, "https://127.0.0.1:7101", &new_token(), key.fingerprint()).expect(201);
    key
}

fn bodies(rui: &Peer, arguments: &[&str]) -> Vec<String> {
    rui.lines(arguments).into_iter().map(|line| line.body).collect()
}

/// Rui's messages m/0 to m/9, one a day, the last one today; by turns from zoe and to ana.
fn ten_days(directory: &Directory) -> (Peer, Vec<String>) {
    let rui = Peer::start(directory, "rui");
    let zoe = claimed(directory, "zoe");
    let _ana = Peer::claimed_but_offline(directory, "ana");
    for number in 0..10 {
        let body = format!("m/{number}");
        if number % 2 == 0 {
            rui.leave_with(&zoe, &json!({"from": "zoe", "body": body, "seq": number + 1})).expect(201);
        } else {
            rui.send("ana", &body);
        }
    }
    let database = rui.database();
    for (table, shown) in [("received", "received_at"), ("sent", "sent_at")] {
        let older = format!(
            "UPDATE {table} SET at = at - (9 - substr(body, 3)) * 86400000;
             UPDATE {table} SET {shown} = strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch')"
        );
        database.execute_batch(&older).unwrap();
    }
    drop(database);
    let ids = rui.lines(&["history"]).into_iter().map(|line| line.id).collect();
    (rui, ids)
}

#[test]
fn a_listing_begins_and_ends_where_it_is_asked_to() {
    let directory = Directory::start();
    let (rui, ids) = ten_days(&directory);
    let all: Vec<String> = (0..10).map(|number| format!("m/{number}")).collect();
    let received: Vec<String> = all.iter().step_by(2).cloned().collect();
    let of = |text: &str| rui.lines(&["history"]).into_iter().find(|line| line.body == text).unwrap();
    assert_eq!(bodies(&rui, &["history", "--since", "60h"]), all[7..], "not older than that");
    assert_eq!(bodies(&rui, &["history", "--before", "60h"]), all[..7]);
    assert_eq!(bodies(&rui, &["history", "--since", "84h", "--before", "60h"]), all[6..7]);
    assert_eq!(bodies(&rui, &["inbox", "--since", "84h"]), received[3..]);
    assert_eq!(bodies(&rui, &["sent", "--before", "84h", "--limit", "2"]), ["m/3", "m/5"]);
    assert_eq!(bodies(&rui, &["history", "zoe", "--since", "84h"]), received[3..]);
    let exactly = of("m/4").received_at.unwrap().to_string();
    assert_eq!(bodies(&rui, &["history", "--since", &exactly]), all[4..], "a time is part of what is since");
    assert_eq!(bodies(&rui, &["history", "--before", &exactly]), all[..4]);
    assert_eq!(bodies(&rui, &["history", "--since", "1999-12-31"]), all);
    assert_eq!(bodies(&rui, &["history", "--before", "1999-12"]), Vec::<String>::new());

    for (number, id) in ids.iter().enumerate() {
        assert_eq!(bodies(&rui, &["history", "--since", id]), all[number + 1..]);
        assert_eq!(bodies(&rui, &["history", "--before", id]), all[..number]);
    }
    let (mut shown, mut pages) = (Vec::new(), 0);
    let mut before: Option<String> = None;
    loop {
        let mut page = vec!["history", "--limit", "3"];
        if let Some(id) = &before {
            page.extend(["--before", id.as_str()]);
        }
        let lines = rui.lines(&page);
        let Some(first) = lines.first() else { break };
        before = Some(first.id.clone());
        shown.splice(0..0, lines.into_iter().map(|line| line.body));
        pages += 1;
    }
    assert_eq!((shown, pages), (all.clone(), 4), "backwards page by page");

    assert_eq!(bodies(&rui, &["inbox", "--since", &ids[2]]), received[2..]);
    assert_eq!(
        bodies(&rui, &["inbox", "--since", &ids[3]]),
        received[2..],
        "whichever way that message went"
    );
    assert_eq!(bodies(&rui, &["sent", "--before", &ids[4]]), ["m/1", "m/3"]);
    rui.run(&["history", "--since", &uuid::Uuid::now_v7().to_string()]).expect(1);
    for bad in ["tomorrow", "", "2026-02-30", "0192f0c1", "7"] {
        rui.run(&["history", "--since", bad]).expect(2);
    }
    rui.run(&["inbox", "--follow", "--before", "7d"]).expect(2);
    let shown = rui.run(&["history", "--ids"]).expect(0).stdout;
    assert!(ids.iter().all(|id| shown.contains(id)), "{shown}");
}

/// The texts that a follower has printed.
fn followed(output: &str) -> Vec<String> {
    let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["body"].as_str().unwrap().to_owned();
    output.lines().map(text).collect()
}

#[test]
fn who_follows_and_dies_goes_on_where_they_were() {
    let directory = Directory::start();
    let rui = Peer::start(&directory, "rui");
    let zoe = claimed(&directory, "zoe");
    let leave = |seq: u64| {
        let message =
            json!({"id": uuid::Uuid::now_v7(), "from": "zoe", "body": format!("z/{seq}"), "seq": seq});
        rui.leave_with(&zoe, &message).expect(201);
    };
    let follow = |flags: &[&str]| {
        Process::spawn("rui's follow", &mut rui.command(&[&["inbox", "--follow", "--json"], flags].concat()))
    };
    let until = |process: &Process, count: usize| {
        process.stdout_until("so many", |output| (output.lines().count() >= count).then(|| followed(output)))
    };
    let unread = || {
        let database = rui.database();
        database
            .query_row("SELECT count(*) FROM received WHERE read = 0", [], |row| row.get::<_, u64>(0))
            .unwrap()
    };
    let marking = ["--unread", "--mark-read"];
    leave(1);
    let mut first = follow(&marking);
    assert_eq!(until(&first, 1), ["z/1"]);
    leave(2);
    leave(5);
    assert_eq!(until(&first, 3), ["z/1", "z/2", "z/5"]);
    super::harness::until("all is marked", || (unread() == 0).then_some(()));
    first.kill();
    // Late ones are listed before what was shown, and are new all the same.
    leave(4);
    leave(3);
    let second = follow(&marking);
    assert_eq!(until(&second, 2), ["z/3", "z/4"]);
    leave(6);
    assert_eq!(until(&second, 3), ["z/3", "z/4", "z/6"]);

    // By the id of the last one, in the order of storing.
    let last = rui.inbox().into_iter().find(|line| line.body == "z/5").unwrap().id;
    let third = follow(&["--since", &last]);
    assert_eq!(until(&third, 3), ["z/4", "z/3", "z/6"]);
    leave(7);
    assert_eq!(until(&third, 4), ["z/4", "z/3", "z/6", "z/7"]);
    let since = follow(&["--since", "1h", "--limit", "2"]);
    assert_eq!(until(&since, 2), ["z/6", "z/7"]);
    leave(8);
    assert_eq!(until(&since, 3), ["z/6", "z/7", "z/8"]);
}
