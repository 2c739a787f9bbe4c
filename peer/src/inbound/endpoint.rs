//! The endpoint: all that this peer offers to others. No message can be read from it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use listener::{ClientKey, Document, Refusal, Source};
use protocol::batch::Item;
use protocol::message::{Identity, Message, Receipt};
use protocol::{Fingerprint, Name, Problem, Slug, paths};
use serde_json::json;
use tokio::time::Instant;

use super::batch::{self, Answers, Batch};
use super::claims::Claims;
use super::gate::Gate;
use super::inbox::{Inbox, Kept, Letters, Terms};
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
    /// Who is told of senders from whom something verified came.
    pub heard: Heard,
}

/// Is told of a name: who holds its key is there.
pub type Heard = Arc<dyn Fn(&Name) + Send + Sync>;

/// Every route of the public port, behind its gate.
pub fn router(endpoint: Endpoint, gate: Gate) -> Router {
    let routes = Router::new()
        .route(paths::MESSAGES, post(leave_messages))
        .route(paths::IDENTITY, get(identity))
        .route(paths::HEALTH, get(health))
        .route(paths::OPENAPI, get(contract))
        .with_state(endpoint);
    listener::guarded(routes, move |request| gate.check(request))
}

/// `POST /messages`: answered only when what is kept is on the disk.
async fn leave_messages(
    State(endpoint): State<Endpoint>,
    source: Source,
    ClientKey(key): ClientKey,
    document: Document,
) -> Result<Response, Refusal> {
    if Batch::is_one(&document) {
        let batch = Batch::parse(&document)?;
        let answers = endpoint.take_batch(batch, key, source).await;
        let Answers { items, not_now } = answers.ok_or_else(no_outcome)?;
        let mut answer = Answer(items).into_response();
        if let Some(seconds) = not_now.and_then(|problem| problem.seconds_to_wait()) {
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        return Ok(answer);
    }
    let message = endpoint.addressed(batch::message(&document)?)?;
    let sender = Sender { name: message.from.clone(), key, source };
    let kept = endpoint.keep(&sender, vec![message]).await.map_err(|fault| refusal::of_fault(&fault))?;
    let kept = kept.into_iter().next().ok_or_else(no_outcome)?;
    let new = |receipt| (StatusCode::CREATED, Answer(receipt));
    let before = |receipt| (StatusCode::OK, Answer(receipt));
    Ok(outcome(kept, &sender, new, before)?.into_response())
}

fn no_outcome() -> Refusal {
    Refusal::internal("no outcome for a message")
}

/// What a sender is told of a message: its receipt, as one that is new or as one that was kept before, or why it is not kept.
fn outcome<T>(
    kept: Kept,
    sender: &Sender,
    new: impl Fn(Receipt) -> T,
    before: impl Fn(Receipt) -> T,
) -> Result<T, Problem> {
    match kept {
        Kept::New(receipt) => Ok(new(receipt)),
        Kept::Before(receipt) => Ok(before(receipt)),
        Kept::OtherContent => Err(Slug::IdConflict.because(
            "A message with this id and other content is kept already. Give each message an id of its own.",
        )),
        Kept::Refused(why) => Err(refusal::of_sender(why, &sender.name, sender.key)),
        Kept::OverQuota(exceeded) => Err(refusal::of_quota(exceeded)),
    }
}

impl Endpoint {
    /// The message, if it is for this peer.
    fn addressed(&self, message: Message) -> Result<Message, Problem> {
        if message.to.as_ref().is_none_or(|to| *to == self.name) {
            return Ok(message);
        }
        Err(Slug::Misdirected.because(format!(
            "This peer is {}, and the message is for somebody else. Ask the directory for the recipient's address again.",
            self.name
        )))
    }

    /// Keeps what can be kept of a batch; an answer for each of its items.
    async fn take_batch(&self, batch: Batch, key: Option<Fingerprint>, source: Source) -> Option<Answers> {
        let mut messages = Vec::with_capacity(batch.items.len());
        let problems: Vec<Option<Problem>> = batch
            .items
            .into_iter()
            .map(|item| item.and_then(|message| self.addressed(message)).map(|m| messages.push(m)).err())
            .collect();
        let kept = match batch.from {
            Some(name) if !messages.is_empty() => self.answers(Sender { name, key, source }, messages).await,
            _ => Vec::new(),
        };
        batch::in_order(problems, kept)
    }

    /// An answer for each of these messages of one sender.
    async fn answers(&self, sender: Sender, messages: Vec<Message>) -> Vec<Result<Item, Problem>> {
        let count = messages.len();
        match self.keep(&sender, messages).await {
            Ok(kept) => {
                kept.into_iter().map(|kept| outcome(kept, &sender, Item::New, Item::Before)).collect()
            }
            Err(fault) => vec![Err(refusal::of_fault(&fault)); count],
        }
    }

    /// Keeps messages with what is known of their sender, and where that is not enough, with what the directory says.
    /// What came of each is in the order of the messages.
    async fn keep(&self, sender: &Sender, messages: Vec<Message>) -> Result<Vec<Kept>, Fault> {
        let came = Instant::now();
        let Sender { name, source, .. } = sender;
        let (to, terms, now) = (self.name.clone(), self.terms, crate::now());
        let letters = Arc::new(Letters { to, sender: sender.clone(), messages, terms, now });
        let remembered = self.claims.remembered(name);
        let kept = match self.inbox.keep_unasked(Arc::clone(&letters), remembered).await? {
            Some(kept) => kept,
            None => self.inbox.keep(letters, self.claims.answer(name, *source, came).await).await?,
        };
        if kept.iter().any(Kept::is_verified) {
            (self.heard)(name);
        }
        Ok(kept)
    }
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
