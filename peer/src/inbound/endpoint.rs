//! The endpoint: all that this peer offers to others. No message can be read from it.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use listener::{Document, Refusal, Source};
use protocol::message::{Identity, Message, Receipt, Unparsed};
use protocol::{Fingerprint, Name, Problem, Slug, paths};
use serde::de::IgnoredAny;
use serde_json::json;

use super::inbox::{Inbox, Kept};
use super::origin::Gate;
use super::sender::Judge;
use crate::database::Fault;

/// What the endpoint needs to answer.
#[derive(Clone)]
pub struct Endpoint {
    /// Whom messages are for.
    pub name: Name,
    /// What its key is known by.
    pub fingerprint: Fingerprint,
    /// Who judges where a message comes from.
    pub judge: Judge,
    /// Where messages are kept.
    pub inbox: Inbox,
}

/// Every route of the public port, behind its gate.
pub fn router(endpoint: Endpoint, gate: Gate) -> Router {
    let routes = Router::new()
        .route(paths::MESSAGES, post(leave_message))
        .route(paths::IDENTITY, get(identity))
        .route(paths::HEALTH, get(health))
        .route(paths::OPENAPI, get(contract))
        .with_state(endpoint);
    listener::guarded(routes, move |request| gate.check(request))
}

/// `POST /messages`: answered only when the message is on the disk.
async fn leave_message(
    State(endpoint): State<Endpoint>,
    source: Source,
    document: Document,
) -> Result<(StatusCode, Answer<Receipt>), Refusal> {
    let message = Message::try_from(unparsed(&document)?)?;
    if message.to.as_ref().is_some_and(|to| *to != endpoint.name) {
        return Err(Slug::Misdirected
            .because(format!(
                "This peer is {}, and the message is for somebody else. Ask the directory for the recipient's address again.",
                endpoint.name
            ))
            .into());
    }
    let sender = endpoint.judge.sender_of(&message, source);
    let kept = endpoint
        .inbox
        .keep(&endpoint.name, sender, message, crate::now())
        .await
        .map_err(|fault| refusal(&fault))?;
    match kept {
        Kept::New(receipt) => Ok((StatusCode::CREATED, Answer(receipt))),
        Kept::Before(receipt) => Ok((StatusCode::OK, Answer(receipt))),
        Kept::OtherContent => Err(Slug::IdConflict
            .because("A message with this id and other content is kept already. Give each message an id of its own.")
            .into()),
    }
}

/// One message, a JSON object. An array would be read member by member, as if it were an object without names.
fn unparsed(document: &Document) -> Result<Unparsed, Problem> {
    let is_array = document.0.trim_ascii_start().starts_with(b"[");
    let parsed = if is_array {
        let array = document.parse::<IgnoredAny>(Slug::InvalidMessage);
        array.and_then(|_| Err(Slug::InvalidMessage.because("this peer takes one message at a time")))
    } else {
        document.parse::<Unparsed>(Slug::InvalidMessage)
    };
    parsed.map_err(|problem| Problem {
        detail: format!(
            "{}. A message is an object such as {{\"from\":\"ci\",\"body\":\"oi\"}}.",
            problem.detail
        )
        .into(),
        ..problem
    })
}

/// `GET /identity`.
async fn identity(State(endpoint): State<Endpoint>) -> Answer<Identity> {
    Answer(Identity {
        name: endpoint.name,
        fingerprint: Some(endpoint.fingerprint),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// `GET /health`.
async fn health() -> impl IntoResponse {
    Answer(json!({ "status": "ok" }))
}

/// `GET /openapi.yaml`.
async fn contract() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/yaml")], include_str!("../../../openapi.yaml"))
}

fn refusal(fault: &Fault) -> Refusal {
    let problem = match fault {
        Fault::Full => Slug::StorageFull.because("This peer's disk is full. Try again later."),
        Fault::Unavailable(_) => Slug::Unavailable
            .because("This peer cannot write to its disk at the moment. Try again.")
            .retry_after(1),
        Fault::Damaged(_) | Fault::Statement(_) | Fault::Defect => {
            Slug::Internal.because("The message was not kept. Try again later.")
        }
    };
    tracing::error!(%fault, "a message could not be kept");
    problem.into()
}
