//! The endpoint: all that this peer offers to others. No message can be read from it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use listener::{ClientKey, Document, Refusal, Source};
use protocol::message::{Identity, Message, Receipt, Unparsed};
use protocol::{Fingerprint, Name, Problem, Slug, paths};
use serde::de::IgnoredAny;
use serde_json::json;
use tokio::time::Instant;

use super::claims::Claims;
use super::gate::Gate;
use super::inbox::{Inbox, Kept, Letter, Terms};
use super::refusal;
use super::sender::Sender;
use crate::database::Fault;

/// What the endpoint needs to answer.
#[derive(Clone)]
pub struct Endpoint {
    /// Whom messages are for.
    pub name: Name,
    /// What its key is known by.
    pub fingerprint: Fingerprint,
    /// What the directory says of senders.
    pub claims: Claims,
    /// Where messages are kept.
    pub inbox: Inbox,
    /// On what terms.
    pub terms: Terms,
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
    ClientKey(key): ClientKey,
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
    let sender = Sender { name: message.from.clone(), key, source };
    let kept = endpoint.keep(&sender, message).await.map_err(|fault| refusal::of_fault(&fault))?;
    match kept {
        Kept::New(receipt) => Ok((StatusCode::CREATED, Answer(receipt))),
        Kept::Before(receipt) => Ok((StatusCode::OK, Answer(receipt))),
        Kept::OtherContent => Err(Slug::IdConflict
            .because("A message with this id and other content is kept already. Give each message an id of its own.")
            .into()),
        Kept::Refused(why) => Err(refusal::of_sender(why, &sender.name, key).into()),
        Kept::OverQuota(exceeded) => Err(refusal::of_quota(exceeded).into()),
    }
}

impl Endpoint {
    /// Keeps a message with what is known of its sender, and where that is not enough, with what the directory says.
    async fn keep(&self, sender: &Sender, message: Message) -> Result<Kept, Fault> {
        let came = Instant::now();
        let Sender { name, source, .. } = sender;
        let (to, terms, now) = (self.name.clone(), self.terms, crate::now());
        let letter = Arc::new(Letter { to, sender: sender.clone(), message, terms, now });
        let remembered = self.claims.remembered(name);
        if let Some(kept) = self.inbox.keep_unasked(Arc::clone(&letter), remembered).await? {
            return Ok(kept);
        }
        self.inbox.keep(letter, self.claims.answer(name, *source, came).await).await
    }
}

/// One message, a JSON object. An array would be read member by member, as if it were an object without names.
fn unparsed(document: &Document) -> Result<Unparsed, Problem> {
    let is_array = document.0.trim_ascii_start().starts_with(b"[");
    let parsed = if is_array {
        let array = document.parse::<IgnoredAny>(Slug::InvalidMessage);
        array.and_then(|_| Err(Slug::InvalidMessage.because("This peer takes one message at a time.")))
    } else {
        document.parse::<Unparsed>(Slug::InvalidMessage)
    };
    parsed.map_err(|problem| Problem {
        detail: format!(
            "{} A message is an object such as {{\"from\":\"ci\",\"body\":\"oi\"}}.",
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

#[cfg(test)]
mod tests;
