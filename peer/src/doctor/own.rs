//! What is this peer's own: its key, its tokens, its database and what stands in there.

use std::path::Path;

use jiff::Timestamp;

use super::{Check, Finding, Found, Status};
use crate::conversations::{self, Waiting};
use crate::database;
use crate::identity::{self, Key, Profile, Tokens};

/// What is known of this peer, as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct Own {
    pub(super) key: Option<Key>,
    pub(super) profile: Option<Profile>,
    pub(super) last_received: Option<Timestamp>,
    /// What waits, if the database could be read.
    waiting: Option<Vec<Waiting>>,
}

/// Looks at it.
pub(super) fn examine(data_dir: &Path) -> (Own, Vec<Finding>) {
    if !data_dir.is_dir() {
        return (Own::default(), vec![Finding::new(Check::Name, Status::Warning, Found::Nameless)]);
    }
    let (mut own, database) = database(data_dir);
    let key = match Key::load(data_dir) {
        Ok(Some(key)) => {
            let finding = Finding::new(Check::Key, Status::Ok, Found::Key(key.fingerprint()));
            own.key = Some(key);
            finding
        }
        Ok(None) if own.profile.is_some() => Finding::new(Check::Key, Status::Failed, Found::LostKey),
        Ok(None) => Finding::new(Check::Key, Status::Skipped, Found::NoKey),
        Err(error) => Finding::new(Check::Key, Status::Failed, Found::BadKey(error)),
    };
    let tokens = match Tokens::load(data_dir) {
        Ok(tokens) => Finding::new(Check::Tokens, Status::Ok, Found::Tokens(tokens.claimed().count())),
        Err(error) => Finding::new(Check::Tokens, Status::Failed, Found::BadTokens(error)),
    };
    let name = match &own.profile {
        Some(profile) => Finding::new(Check::Name, Status::Ok, Found::Named(profile.name.clone())),
        None if own.waiting.is_none() && database.status != Status::Skipped => {
            Finding::needs(Check::Name, Check::Database)
        }
        None => Finding::new(Check::Name, Status::Warning, Found::Nameless),
    };
    (own, vec![key, tokens, database, name])
}

fn database(data_dir: &Path) -> (Own, Finding) {
    let finding = |status, found| (Own::default(), Finding::new(Check::Database, status, found));
    if !data_dir.join(database::FILE).exists() {
        return finding(Status::Skipped, Found::NoDatabase);
    }
    let look = match database::look(data_dir) {
        Ok(Some(look)) => look,
        Ok(None) => return finding(Status::Warning, Found::OldDatabase),
        Err(error) => return finding(Status::Failed, Found::ClosedDatabase(error)),
    };
    if let Err(error) = look.quick_check() {
        return finding(Status::Failed, Found::BadDatabase(error));
    }
    let read = look.read(|connection| {
        Ok(Own {
            key: None,
            profile: identity::profile::read_by(connection)?,
            last_received: conversations::last_received(connection)?,
            waiting: Some(conversations::waiting(connection)?),
        })
    });
    match read {
        Ok(own) => (own, Finding::new(Check::Database, Status::Ok, Found::Sound)),
        Err(error) => finding(Status::Failed, Found::BadDatabase(error.into())),
    }
}

impl Own {
    /// What waits, and why.
    pub(super) fn queue(&self) -> Vec<Finding> {
        match &self.waiting {
            None => vec![Finding::needs(Check::Queue, Check::Database)],
            Some(waiting) if waiting.is_empty() => {
                vec![Finding::new(Check::Queue, Status::Ok, Found::NothingWaits)]
            }
            Some(waiting) => {
                let finding =
                    |one: &Waiting| Finding::new(Check::Queue, Status::Warning, Found::Waits(one.clone()));
                waiting.iter().map(finding).collect()
            }
        }
    }
}
