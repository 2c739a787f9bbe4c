//! The inbox: every message that was received, kept once. Owns the table `received`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use protocol::message::{Message, Ranges, Receipt};
use protocol::{Fingerprint, Name};
use rusqlite::{Connection, OptionalExtension as _, named_params};
use store::Store;
use tokio::sync::watch;
use uuid::Uuid;

use super::sender::Sender;
use crate::conversations::next_position;
use crate::database::Fault;

/// What came of keeping a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is new, and on the disk now.
    New(Receipt),
    /// It was kept before: the first receipt again.
    Before(Receipt),
    /// Its id belongs to a message with other content.
    OtherContent,
}

/// The messages that this peer received.
#[derive(Clone)]
pub struct Inbox {
    store: Store,
    arrivals: watch::Sender<()>,
}

impl Inbox {
    /// The inbox in this database.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, arrivals: watch::Sender::new(()) }
    }

    /// Changes whenever this process has kept a new message.
    #[must_use]
    pub fn arrivals(&self) -> watch::Receiver<()> {
        self.arrivals.subscribe()
    }

    /// Keeps a message for `owner`. Answers when it is on the disk, and not before.
    pub async fn keep(
        &self,
        owner: &Name,
        sender: Sender,
        message: Message,
        now: Timestamp,
    ) -> Result<Kept, Fault> {
        let to = message.to.clone().unwrap_or_else(|| owner.clone());
        let arrivals = self.arrivals.clone();
        let publish = move |kept: &mut Kept| {
            if matches!(kept, Kept::New(_)) {
                arrivals.send_replace(());
            }
        };
        Ok(self
            .store
            .write_then(move |connection| keep(connection, &to, &sender, &message, now), publish)
            .await?)
    }

    /// Marks messages as shown to the user.
    pub async fn mark_read(&self, positions: Vec<i64>) -> Result<(), Fault> {
        if positions.is_empty() {
            return Ok(());
        }
        let write = self.store.write(move |connection| {
            let mut mark =
                connection.prepare_cached("UPDATE received SET read = 1 WHERE position = ?1 AND read = 0")?;
            for position in positions {
                mark.execute([position])?;
            }
            Ok::<_, rusqlite::Error>(())
        });
        Ok(write.await?)
    }

    /// How many messages under each name were not shown yet. Blocks.
    pub fn unread(&self) -> Result<BTreeMap<String, u64>, Fault> {
        Ok(self.store.read(|connection| {
            connection
                .prepare_cached("SELECT from_name, count(*) FROM received WHERE read = 0 GROUP BY from_name")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })?)
    }
}

/// The parts of a message that make it the same message.
type Content = (String, String, String, Option<String>, Option<[u8; 16]>);

fn keep(
    connection: &Connection,
    to: &Name,
    sender: &Sender,
    message: &Message,
    now: Timestamp,
) -> rusqlite::Result<Kept> {
    let id = message.id.unwrap_or_else(Uuid::now_v7);
    let space = sender.key.as_ref().map(Fingerprint::as_bytes).map_or(&[][..], |key| &key[..]);
    let content: Content = (
        sender.name.as_str().to_owned(),
        to.as_str().to_owned(),
        message.body.as_str().to_owned(),
        message.sent_at.map(|time| time.to_string()),
        message.reply_to.map(Uuid::into_bytes),
    );
    if message.id.is_some()
        && let Some((first, received_at)) = find(connection, space, id)?
    {
        let receipt =
            Receipt { id, received_at, verified: sender.verified, highest: None, missing: Ranges::default() };
        return Ok(if first == content { Kept::Before(receipt) } else { Kept::OtherContent });
    }
    let position = next_position(connection)?;
    let (from, to, body, sent_at, reply_to) = content;
    connection
        .prepare_cached(
            "INSERT INTO received (position, sender, id, from_name, to_name, body, sent_at, received_at, doubted,
                                   source, seq, reply_to)
             VALUES (:position, :sender, :id, :from, :to, :body, :sent_at, :received_at, :doubted,
                     :source, :seq, :reply_to)",
        )?
        .execute(named_params! {
            ":position": position,
            ":sender": space,
            ":id": id.as_bytes(),
            ":from": from,
            ":to": to,
            ":body": body,
            ":sent_at": sent_at,
            ":received_at": now.to_string(),
            ":doubted": !sender.verified,
            ":source": sender.source.to_string(),
            ":seq": message.seq,
            ":reply_to": reply_to,
        })?;
    Ok(Kept::New(Receipt {
        id,
        received_at: now,
        verified: sender.verified,
        highest: None,
        missing: Ranges::default(),
    }))
}

fn find(connection: &Connection, space: &[u8], id: Uuid) -> rusqlite::Result<Option<(Content, Timestamp)>> {
    connection
        .prepare_cached(
            "SELECT from_name, to_name, body, sent_at, reply_to, received_at
             FROM received WHERE sender = ?1 AND id = ?2",
        )?
        .query_row((space, id.as_bytes()), |row| {
            let content = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            let received_at: String = row.get(5)?;
            let received_at = received_at.parse().map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(5, rusqlite::types::Type::Text, Box::new(error))
            })?;
            Ok((content, received_at))
        })
        .optional()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversations::{Conversations, Query};
    use crate::database;

    fn message(text: &str) -> Message {
        Message::try_from(serde_json::from_str::<protocol::message::Unparsed>(text).unwrap()).unwrap()
    }

    fn sender(message: &Message, key: Option<Fingerprint>) -> Sender {
        Sender { name: message.from.clone(), key, verified: key.is_some(), source: [127, 0, 0, 1].into() }
    }

    async fn keep_at(inbox: &Inbox, text: &str, key: Option<Fingerprint>, second: i64) -> Kept {
        let message = message(text);
        let now = Timestamp::from_second(second).unwrap();
        inbox.keep(&"rui".parse().unwrap(), sender(&message, key), message, now).await.unwrap()
    }

    const ONE: &str = r#"{"id":"0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3","from":"ana","body":"oi","sent_at":"2026-11-22T09:30:00Z"}"#;

    #[tokio::test]
    async fn a_message_is_kept_once_however_often_it_comes() {
        let dir = tempfile::tempdir().unwrap();
        let store = database::open(dir.path()).unwrap();
        let inbox = Inbox::new(store.clone());
        let Kept::New(first) = keep_at(&inbox, ONE, None, 1).await else { panic!("not new") };
        let spelt_otherwise =
            ONE.replace("09:30:00Z", "10:30:00.0+01:00").replace("\"body\"", "\"to\":\"RUI\",\"body\"");
        for again in [ONE, &spelt_otherwise] {
            assert_eq!(keep_at(&inbox, again, None, 2).await, Kept::Before(first.clone()));
        }
        for other in [
            ONE.replace("oi", "olá"),
            ONE.replace("\"ana\"", "\"rita\""),
            ONE.replace("09:30", "09:31"),
            ONE.replace("\"body\"", "\"reply_to\":\"0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3\",\"body\""),
        ] {
            assert_eq!(keep_at(&inbox, &other, None, 3).await, Kept::OtherContent, "{other}");
        }
        assert_eq!(Conversations::new(store).list(&Query::default()).unwrap().len(), 1);
    }

    #[tokio::test]
    async fn nobody_can_use_up_the_id_of_one_who_has_a_key() {
        let dir = tempfile::tempdir().unwrap();
        let inbox = Inbox::new(database::open(dir.path()).unwrap());
        let (mine, yours) = (Fingerprint::from_bytes([1; 32]), Fingerprint::from_bytes([2; 32]));
        for key in [None, Some(yours), Some(mine)] {
            assert!(matches!(keep_at(&inbox, ONE, key, 1).await, Kept::New(_)));
        }
    }

    #[tokio::test]
    async fn without_an_id_each_message_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let store = database::open(dir.path()).unwrap();
        let inbox = Inbox::new(store.clone());
        for _ in 0..2 {
            assert!(matches!(
                keep_at(&inbox, r#"{"from":"ci","body":"failed"}"#, None, 1).await,
                Kept::New(_)
            ));
        }
        let entries = Conversations::new(store).list(&Query::default()).unwrap();
        assert_eq!(entries.iter().map(|entry| entry.position).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(inbox.unread().unwrap().get("ci"), Some(&2));
        inbox.mark_read(vec![1]).await.unwrap();
        assert_eq!(inbox.unread().unwrap().get("ci"), Some(&1));
    }
}
