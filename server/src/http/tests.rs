//! The API over the router, without a socket: what is answered to what.

use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use listener::Source;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::router;
use crate::directory::{Directory, Options};
use crate::metrics::Metrics;

const ANA: &str = "ana-ana-ana-ana-ana-ana-ana-ana-ana-ana";
const RUI: &str = "rui-rui-rui-rui-rui-rui-rui-rui-rui-rui";

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// Status and slug.
    fn problem(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        (self.status.as_u16(), body["type"].as_str().unwrap().replace("urn:recado:problem:", ""))
    }
}

struct Api {
    router: Router,
    directory: Directory,
    source: &'static str,
}

impl Api {
    async fn open(folder: &Path) -> Self {
        let directory = Directory::open(&Options::new(folder.join("directory.db"))).await.unwrap();
        let router = router(directory.clone(), Metrics::of(&directory));
        Self { router, directory, source: "127.0.0.1:40000" }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        let source = Source::connected(self.source.parse().unwrap(), &[]).of(request.headers(), &[]);
        request.extensions_mut().insert(source);
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    async fn register(&self, token: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.send("POST", "/register", &headers[usize::from(token.is_empty())..], &body.to_string()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    async fn delete(&self, path: &str, token: &str) -> Answer {
        self.send("DELETE", path, &[("authorization", &format!("Bearer {token}"))], "").await
    }
}

fn at(name: &str, address: &str) -> Value {
    json!({ "name": name, "address": address })
}

const HERE: &str = "http://127.0.0.1:7101";

#[tokio::test]
async fn a_name_is_claimed_listed_renewed_left_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::open(folder.path()).await;
    let claimed = api.register(ANA, at("JoÃo", HERE)).await;
    assert_eq!(claimed.status, 201, "{}", claimed.text);
    assert_eq!(claimed.headers["location"], "/peers/jo%C3%A3o");
    let record = claimed.json();
    assert_eq!((&record["name"], &record["fingerprint"]), (&json!("joão"), &Value::Null));
    assert_eq!((&record["ttl_seconds"], record.get("token")), (&json!(60), None));

    let list = api.get("/peers").await;
    assert_eq!(
        list.json(),
        json!([{
            "name": "joão", "address": HERE, "fingerprint": null, "online_since": record["online_since"],
        }])
    );
    let etag = list.headers["etag"].to_str().unwrap();

    let renewed = api.register(ANA, at("joão", HERE)).await;
    assert_eq!((renewed.status.as_u16(), &renewed.json()["online_since"]), (200, &record["online_since"]));
    let again = api.send("GET", "/peers", &[("if-none-match", etag)], "").await;
    assert_eq!(
        (again.status.as_u16(), &again.headers["etag"], again.text.as_str()),
        (304, &list.headers["etag"], "")
    );

    let moved = api.register(ANA, at("joão", "http://192.0.2.7:1")).await;
    assert_eq!((moved.status.as_u16(), &moved.json()["online_since"]), (200, &record["online_since"]));
    assert_eq!(api.send("GET", "/peers", &[("if-none-match", etag)], "").await.status, 200);

    assert_eq!(api.delete("/register", ANA).await.status, 204);
    assert_eq!(api.delete("/register", ANA).await.status, 204);
    assert_eq!(api.get("/peers").await.json(), json!([]));
    let offline = json!({ "name": "joão", "fingerprint": null, "online": false });
    assert_eq!(api.get("/peers/JO%C3%83O").await.json(), offline);
    assert_eq!(api.register(ANA, at("joão", HERE)).await.status, 201);
    assert_eq!(api.get("/peers/jo%C3%A3o").await.json()["address"], HERE);

    assert_eq!(api.delete("/register?forget=true", ANA).await.status, 204);
    assert_eq!(api.get("/peers/jo%C3%A3o").await.problem(), (404, "unknown-name".into()));
    assert_eq!(api.delete("/register", ANA).await.problem(), (401, "token-unknown".into()));
    assert_eq!(api.register(RUI, at("joão", HERE)).await.status, 201);
}

#[tokio::test]
async fn a_token_is_made_once_and_holds_one_name() {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::open(folder.path()).await;
    let made = api.register("", at("ana", HERE)).await.json();
    let token = made["token"].as_str().unwrap();
    assert_eq!(api.register("", at("ana", HERE)).await.problem(), (409, "name-taken".into()));
    assert_eq!(api.register(RUI, at("ana", HERE)).await.problem(), (409, "name-taken".into()));
    assert_eq!(api.register(token, at("rui", HERE)).await.problem(), (409, "token-in-use".into()));
    let renewed = api.register(token, at("ana", HERE)).await;
    assert_eq!((renewed.status.as_u16(), renewed.json().get("token")), (200, None));
}

#[tokio::test]
async fn a_fingerprint_is_gained_once_and_fresh_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::open(folder.path()).await;
    let with = |fingerprint: &str| json!({ "name": "ana", "address": HERE, "fingerprint": fingerprint });
    let first = api.register(ANA, at("ana", HERE)).await.json();
    assert_eq!(api.register(ANA, with(&"a".repeat(52))).await.status, 200);
    assert_eq!(api.get("/peers").await.json()[0]["fingerprint"], "a".repeat(52));
    assert_eq!(api.register(ANA, at("ana", HERE)).await.json()["fingerprint"], "a".repeat(52));
    let other = format!("{}q", "b".repeat(51));
    assert_eq!(api.register(ANA, with(&other)).await.problem(), (409, "fingerprint-changed".into()));
    let since = || async { api.get("/peers/ana").await.json()["online_since"].clone() };
    assert_eq!(since().await, first["online_since"]);
    let mut fresh = at("ana", HERE);
    fresh["fresh"] = json!(true);
    let began = tokio::time::Instant::now();
    while since().await == first["online_since"] && began.elapsed() < Duration::from_secs(10) {
        assert_eq!(api.register(ANA, fresh.clone()).await.status, 200);
    }
    assert_ne!(since().await, first["online_since"]);
}

#[tokio::test]
async fn what_cannot_be_taken_is_answered_by_member() {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::open(folder.path()).await;
    let json = ("content-type", "application/json");
    let long = format!("\"{}\"", "x".repeat(listener::Limits::default().body_bytes));
    for (headers, body, expected) in [
        (&[json] as &[_], "{", (400, "bad-json")),
        (&[json], "[]", (400, "bad-request")),
        (&[json], "7", (400, "bad-request")),
        (&[json], &long, (413, "too-large")),
        (&[], "{}", (415, "unsupported-media-type")),
        (&[json], "{}", (422, "invalid-name")),
        (&[json], r#"{"name":7}"#, (422, "invalid-name")),
        (&[json], r#"{"name":"a b"}"#, (422, "invalid-name")),
        (&[json], r#"{"name":"ana","address":null}"#, (422, "invalid-address")),
        (&[json], r#"{"name":"ana","address":"http://x"}"#, (422, "invalid-address")),
        (&[json], r#"{"name":"ana","address":"http://169.254.1.1:1"}"#, (422, "invalid-address")),
        (&[json], r#"{"name":"ana","address":"http://x:1","fingerprint":"q"}"#, (422, "invalid-fingerprint")),
        (&[json], r#"{"name":"ana","address":"http://x:1","fresh":1}"#, (400, "bad-request")),
        (&[json], r#"{"name":"ana","address":"http://x:1","invite":1}"#, (400, "bad-request")),
        (&[json, ("authorization", "Bearer short")], "{}", (422, "invalid-token")),
        (&[json, ("authorization", "Basic YTpi")], "{}", (422, "invalid-token")),
    ] {
        let problem = api.send("POST", "/register", headers, body).await.problem();
        assert_eq!(problem, (expected.0, expected.1.into()), "{body:.60}");
    }
    for (method, path, headers, expected) in [
        ("GET", "/peers/a%20b", &[] as &[_], (422, "invalid-name")),
        ("GET", "/peers/%FF", &[], (400, "bad-request")),
        ("GET", "/nowhere", &[], (404, "not-found")),
        ("PUT", "/register", &[], (405, "method-not-allowed")),
        ("DELETE", "/register", &[], (401, "token-unknown")),
        ("DELETE", "/register", &[("authorization", "Bearer short")], (401, "token-unknown")),
        ("DELETE", "/register?forget=maybe", &[], (422, "invalid-query")),
    ] {
        let problem = api.send(method, path, headers, "").await.problem();
        assert_eq!(problem, (expected.0, expected.1.into()), "{method} {path}");
    }
}

#[tokio::test]
async fn a_loopback_address_is_listed_only_for_who_is_here() {
    let folder = tempfile::tempdir().unwrap();
    let mut api = Api::open(folder.path()).await;
    let seen = at("ana", "http://0.0.0.0:7101");
    assert_eq!(api.register(ANA, seen.clone()).await.json()["address"], HERE);
    let json = ("content-type", "application/json");
    for forwarding in ["x-forwarded-for", "forwarded"] {
        let answer = api.send("POST", "/register", &[json, (forwarding, "for=x")], &seen.to_string()).await;
        assert_eq!(answer.problem(), (422, "invalid-address".into()));
    }
    for (source, sees) in [
        ("192.0.2.9:1", "http://192.0.2.9:7101"),
        ("[::ffff:192.0.2.8]:1", "http://192.0.2.8:7101"),
        ("[2001:db8::1]:1", "http://[2001:db8::1]:7101"),
    ] {
        api.source = source;
        assert_eq!(api.register(ANA, seen.clone()).await.json()["address"], sees);
        let problem = api.register(ANA, at("ana", "http://127.1:7101")).await.problem();
        assert_eq!(problem, (422, "invalid-address".into()));
    }
}

#[tokio::test]
async fn of_many_who_want_one_name_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let api = std::sync::Arc::new(Api::open(folder.path()).await);
    let claims: Vec<_> = (0..64)
        .map(|number| {
            let api = std::sync::Arc::clone(&api);
            tokio::spawn(async move {
                api.register(&format!("{ANA}{number}"), at("ana", HERE)).await.status.as_u16()
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for claim in claims {
        statuses.push(claim.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (201, [409; 63].as_slice()));
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::open(folder.path()).await;
    api.register(ANA, at("ana", HERE)).await;
    api.register(RUI, at("rui", HERE)).await;
    api.delete("/register", RUI).await;
    let before = api.get("/peers").await;
    let second = Directory::open(&Options::new(folder.path().join("directory.db"))).await;
    assert!(second.unwrap_err().to_string().contains("another directory"));
    api.directory.close().await;
    let api = Api::open(folder.path()).await;
    let after = api.get("/peers").await;
    assert_eq!((after.text, &after.headers["etag"]), (before.text, &before.headers["etag"]));
    assert_eq!(api.get("/peers/rui").await.json()["online"], false);
    assert_eq!(api.get("/health").await.json()["status"], "ok");
    assert!(api.get("/openapi.yaml").await.text.starts_with("openapi: 3.1"));
}
