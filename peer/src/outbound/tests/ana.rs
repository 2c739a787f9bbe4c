//! Ana, who sends to rui, and the directory and the recipient that she meets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use protocol::message::Body;
use serde_json::{Value, json};

use super::super::*;
use crate::client::{Id, Peers, Site, response};
use crate::contacts::{Contacts, Known};
use crate::conversations::State;
use crate::database;
use crate::directory::Directory;
use crate::outbound::courier::Step;
use crate::outbound::limits::Limits;
use crate::outbound::outbox::Outbox;
use crate::outbound::transport::Transport;

/// What a directory is to say.
#[derive(Clone, Default)]
pub struct Word(pub Arc<Mutex<Option<HashMap<String, Value>>>>);

impl Word {
    pub fn away(&self) {
        *self.0.lock().unwrap() = None;
    }

    pub fn claim(&self, name: &str, key: Option<Fingerprint>, address: Option<&Address>) {
        let mut claim = json!({"name": name, "fingerprint": key, "online": address.is_some()});
        if let Some(address) = address {
            claim["address"] = json!(address);
            claim["online_since"] = json!("2026-11-22T09:30:00Z");
        }
        self.0.lock().unwrap().get_or_insert_default().insert(name.to_owned(), claim);
    }

    /// It tells this name to nobody who has none there.
    pub fn refuse(&self, name: &str) {
        self.0.lock().unwrap().get_or_insert_default().insert(name.to_owned(), Value::Null);
    }

    pub fn answer(&self, request: &str) -> String {
        let path = request.split(' ').nth(1).unwrap();
        let name = path.strip_prefix("/peers/").unwrap();
        match self.0.lock().unwrap().as_ref() {
            None => response("503 Service Unavailable", "away"),
            Some(claims) => match claims.get(name) {
                Some(Value::Null) => problem("401 Unauthorized", "token-unknown"),
                Some(claim) => response("200 OK", &claim.to_string()),
                None => problem("404 Not Found", "unknown-name"),
            },
        }
    }
}

pub fn problem(status: &str, slug: &str) -> String {
    let code: u16 = status[..3].parse().unwrap();
    let body = json!({"type": format!("urn:recado:problem:{slug}"), "title": slug, "status": code, "detail": "Because."});
    response(status, &body.to_string())
}

/// Answers messages as a peer does that keeps them.
pub fn receipt(request: &str) -> String {
    let receipt = |message: &Value, status: Option<u16>| json!({"status": status, "id": message["id"], "received_at": "2026-11-22T09:30:00Z", "verified": true});
    match handed_over(request) {
        Value::Array(messages) => {
            let results: Vec<Value> = messages.iter().map(|message| receipt(message, Some(201))).collect();
            response("200 OK", &json!(results).to_string())
        }
        message => response("201 Created", &receipt(&message, None).to_string()),
    }
}

/// What a request brings.
pub fn handed_over(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

pub async fn recipient(id: &Id) -> Site {
    Site::answering(Some(id.itself()), receipt).await
}

/// Ana, who sends.
pub struct Ana {
    pub outbound: Outbound,
    _dir: tempfile::TempDir,
}

impl Ana {
    pub async fn with(word: &Word) -> Self {
        word.0.lock().unwrap().get_or_insert_default();
        let word = word.clone();
        let directory = Site::answering(None, move |request| word.answer(request)).await;
        let url = directory.address.to_string().parse().unwrap();
        Self::asking(Some(Directory::new(url).unwrap()))
    }

    pub fn asking(directory: Option<Directory>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = database::open(dir.path()).unwrap();
        let courier = Courier {
            outbox: Outbox::new(store.clone(), Id::new().fingerprint()),
            contacts: Contacts::new(store.clone()),
            directory,
            transport: Transport::new(Peers::new(Id::new().itself()).unwrap()),
            limits: Limits::default(),
        };
        let outbound = Outbound::new(rui_or("ana"), dir.path().to_owned(), courier, store);
        Self { outbound, _dir: dir }
    }

    pub fn contacts(&self) -> &Contacts {
        &self.outbound.courier.contacts
    }

    pub async fn sees(&self, key: Fingerprint) {
        let see =
            self.outbound.store.write(move |connection| pins::see(connection, &rui(), key, crate::now()));
        see.await.unwrap();
    }

    pub fn pin(&self) -> Option<(Fingerprint, Kind)> {
        self.contacts().pin(&rui()).unwrap().map(|pin| (pin.fingerprint, pin.kind))
    }

    pub fn last_address(&self) -> Option<Known> {
        self.contacts().last_address(&rui()).unwrap()
    }

    /// Writes rui a message, if that may be.
    pub async fn writes(&self, terms: Terms) -> Result<Queued, Unsendable> {
        let routes = self.outbound.resolve(&[rui()], terms.insecure).await?;
        let draft = Draft { to: rui(), body: Body::try_from("oi".to_owned()).unwrap() };
        Ok(self.outbound.post(vec![draft], &routes, terms).await?.remove(0))
    }

    /// Tries to deliver the oldest message once, and says how it stands.
    pub async fn tries(&self, message: &Queued) -> (Step, Standing) {
        let step = self.outbound.courier.step(&rui(), &mut Route::default()).await.unwrap();
        (step, self.outbound.courier.outbox.standing(message.position).unwrap())
    }

    pub async fn delivers(&self, message: &Queued) {
        let (step, standing) = self.tries(message).await;
        assert!(matches!(step, Step::Settled { .. }), "{step:?}");
        assert_eq!(standing.state, State::Delivered, "{:?}", standing.reason);
    }
}

pub fn rui() -> Name {
    rui_or("rui")
}

pub fn rui_or(name: &str) -> Name {
    name.parse().unwrap()
}

pub fn contact(key: Fingerprint) -> (Fingerprint, Kind) {
    (key, Kind::Contact)
}

pub fn address(text: &str) -> Address {
    text.parse().unwrap()
}
