//! What the peer is measured against: the obvious server, with one connection behind a mutex and one commit for each
//! message, under the same framework, the same SQLite and the same durability.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use rusqlite::Connection;
use serde_json::Value;

type Shared = Arc<Mutex<Connection>>;

/// Serves `POST /messages` on a free port, which it prints, until it is killed.
pub async fn serve(database: &Path) {
    let connection = Connection::open(database).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE messages (id TEXT PRIMARY KEY, sender TEXT, body TEXT)",
        )
        .unwrap();
    let router = Router::new().route("/messages", post(keep)).with_state(Arc::new(Mutex::new(connection)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("baseline http://{}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}

async fn keep(State(connection): State<Shared>, Json(message): Json<Value>) -> (StatusCode, Json<Value>) {
    let text = |member: &str| message[member].as_str().unwrap().to_owned();
    tokio::task::block_in_place(|| {
        let connection = connection.lock().unwrap();
        let mut insert = connection.prepare_cached("INSERT INTO messages VALUES (?1, ?2, ?3)").unwrap();
        insert.execute((text("id"), text("from"), text("body"))).unwrap();
    });
    (StatusCode::CREATED, Json(serde_json::json!({ "id": message["id"] })))
}
