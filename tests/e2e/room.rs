//! How many names there may be, and how fast one network claims them.

use protocol::Slug;
use reqwest::Method;
use serde_json::json;

use super::harness::{Answer, Directory, new_token};

const ADDRESS: &str = "http://127.0.0.1:7101";

#[test]
fn a_full_directory_takes_no_new_name_until_one_is_free() {
    let directory = Directory::with(&["--max-names", "2", "--retention-unkeyed", "1s"]);
    let (ana, rui, zeca) = (new_token(), new_token(), new_token());
    directory.register("ana", ADDRESS, &ana).expect(201);
    directory.register("rui", ADDRESS, &rui).expect(201);
    let full = directory.register("zeca", ADDRESS, &zeca).expect_problem(Slug::DirectoryFull);
    assert!(full.text("detail").contains("server names release"));
    directory.register("ana", ADDRESS, &zeca).expect_problem(Slug::NameTaken);
    directory.register("ana", ADDRESS, &ana).expect(200);
    directory.register("ana", "http://127.0.0.1:7102", &ana).expect(200);

    directory.run(&["names", "release", "ana"]).expect(0);
    directory.register("zeca", ADDRESS, &zeca).expect(201);
    directory.register("ana", ADDRESS, &ana).expect_problem(Slug::DirectoryFull);
    // A claim that has lapsed makes room by itself.
    directory.request(Method::DELETE, "/register").bearer(&rui).send().expect(204);
    super::harness::until("rui's name is free", || {
        let answer = directory.register("ana", ADDRESS, &ana);
        (answer.status != 507).then_some(answer)
    })
    .expect(201);
}

fn from(directory: &Directory, source: &str, name: &str, token: &str) -> Answer {
    let body = json!({"name": name, "address": "http://192.0.2.7:7101"});
    let request = directory.request(Method::POST, "/register").bearer(token).json(&body);
    request.header("x-forwarded-for", source).send()
}

#[test]
fn one_network_claims_only_so_fast() {
    let directory =
        Directory::with(&["--trusted-proxy", "127.0.0.0/8", "--max-claims-per-source", "3", "--private"]);
    let code = directory.run(&["invite", "--uses", "100"]).expect(0).stdout.trim().to_owned();
    let claim = |source: &str, name: &str, token: &str, code: &str| {
        let body = json!({"name": name, "address": "http://192.0.2.7:7101", "invite": code});
        let request = directory.request(Method::POST, "/register").bearer(token).json(&body);
        request.header("x-forwarded-for", source).send()
    };
    let first = new_token();
    claim("2001:db8:0:1::1", "ana", &first, &code).expect(201);
    for guess in ["one", "another"] {
        claim("2001:db8:0:1::2", "n", &new_token(), guess).expect_problem(Slug::InviteRequired);
    }
    // Guesses count, and whoever guesses too fast is not told whether the guess was good.
    for code in [code.as_str(), "a third"] {
        let refused = claim("2001:db8:0:1::3", "rui", &new_token(), code).expect_problem(Slug::RateLimited);
        let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=20).contains(&seconds), "{seconds}");
    }
    from(&directory, "2001:db8:0:1::1", "ana", &first).expect(200);
    from(&directory, "2001:db8:0:1::1", "ana", &new_token()).expect_problem(Slug::NameTaken);
    claim("2001:db8:0:2::1", "rui", &new_token(), &code).expect(201);
    // The machine itself is exempt.
    for name in ["a", "b", "c", "d", "e"] {
        let body = json!({"name": name, "address": ADDRESS, "invite": code});
        directory.request(Method::POST, "/register").bearer(&new_token()).json(&body).send().expect(201);
    }
}
