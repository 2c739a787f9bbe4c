//! The database of a directory as its operator uses it, beside the running directory or without one: invites are made,
//! names are shown and released. What was last written down counts here; only the running directory knows better.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use protocol::{Fingerprint, Name};
use rusqlite::{Connection, OptionalExtension as _, Result, Row};
use serde::Serialize;
use store::Store;

use super::alone::{self, Alone};
use super::claims::{self, timestamp};
use super::invites::{self, InviteCode};
use super::opening::{OpenError, SCHEMA};
use super::{Failure, opening};

/// An open database. It does not keep a directory from running on the same one.
#[derive(Debug)]
pub struct Office {
    store: Store,
}

/// A claimed name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// As it was kept, whatever is a name today.
    pub name: String,
    /// The claim's fingerprint.
    pub fingerprint: Option<Fingerprint>,
    /// Whether a lease is written down.
    pub online: bool,
    /// Where the peer says it can be dialled, when online.
    pub address: Option<String>,
    /// Since when, when online.
    pub online_since: Option<Timestamp>,
    /// When the last lease ended, when offline: retention counts from here.
    pub offline_since: Option<Timestamp>,
}

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To look: it has to be there, and stays as it is.
    Look,
    /// To change it: it has to be there, and is brought up to date if no directory runs on it.
    Change,
    /// The same, and if it is missing it is made, for a directory that starts later.
    Make,
}

impl Office {
    /// Opens the database.
    pub async fn open(path: &Path, access: Access) -> std::result::Result<Self, OpenError> {
        let path = path.to_owned();
        let beside = path.clone();
        let opened = tokio::task::spawn_blocking(move || {
            match access {
                Access::Make => opening::make_way(&path)?,
                Access::Look | Access::Change if !path.exists() => return Err(OpenError::Missing { path }),
                Access::Look | Access::Change => {}
            }
            let _alone = match access {
                _ if Store::is_current(&path, &SCHEMA)? => None,
                Access::Look => return Err(OpenError::Older { path }),
                Access::Change | Access::Make => Some(updating(&path)?),
            };
            Ok(Store::open(&path, &SCHEMA)?)
        });
        let failed = |error| OpenError::Path { path: beside, source: std::io::Error::other(error) };
        Ok(Self { store: opened.await.map_err(failed)?? })
    }

    /// All claimed names in their order.
    pub fn names(&self) -> std::result::Result<Vec<Entry>, Failure> {
        Ok(self.store.read(all)?)
    }

    /// One of them.
    pub fn name(&self, name: &Name) -> std::result::Result<Option<Entry>, Failure> {
        Ok(self.store.read(|conn| by_name(conn, name))?)
    }

    /// Frees names, all in one commit, and gives those that nobody had.
    pub async fn release(&self, names: Vec<Name>) -> std::result::Result<Vec<Name>, Failure> {
        let released = self.store.write(move |conn| -> Result<_> {
            let mut unclaimed = Vec::new();
            for name in names {
                if !claims::release(conn, &name)? {
                    unclaimed.push(name);
                }
            }
            Ok(unclaimed)
        });
        Ok(released.await?)
    }

    /// Makes a code for `uses` new claims, good until the time that is given with it.
    pub async fn invite(
        &self,
        uses: NonZeroU32,
        lasting: Duration,
    ) -> std::result::Result<(InviteCode, Timestamp), Failure> {
        let code = InviteCode::make().map_err(|error| Failure::Internal(error.to_string()))?;
        let (hash, now) = (code.hash(), Timestamp::now());
        let expiry = timestamp(now.checked_add(lasting).unwrap_or(Timestamp::MAX).as_millisecond());
        self.store.write(move |conn| invites::add(conn, &hash, uses, expiry)).await?;
        Ok((code, expiry))
    }
}

/// Keeps directories from the database while it is brought up to date: one that runs knows nothing of later versions.
fn updating(path: &Path) -> std::result::Result<Alone, OpenError> {
    let alone = alone::claim(path).map_err(|source| OpenError::Path { path: path.to_owned(), source })?;
    alone.ok_or_else(|| OpenError::OlderRuns { path: path.to_owned() })
}

const COLUMNS: &str = "name, fingerprint, address, online_since, offline_since";

fn all(conn: &Connection) -> Result<Vec<Entry>> {
    conn.prepare(&format!("SELECT {COLUMNS} FROM names ORDER BY name"))?.query_map([], entry)?.collect()
}

fn by_name(conn: &Connection, name: &Name) -> Result<Option<Entry>> {
    let sql = format!("SELECT {COLUMNS} FROM names WHERE name = ?1");
    conn.prepare(&sql)?.query_row([name.as_str()], entry).optional()
}

fn entry(row: &Row<'_>) -> Result<Entry> {
    let address: Option<String> = row.get(2)?;
    let (online_since, offline_since): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
    Ok(Entry {
        name: row.get(0)?,
        fingerprint: row.get::<_, Option<[u8; 32]>>(1)?.map(Fingerprint::from_bytes),
        online: address.is_some(),
        address,
        online_since: online_since.map(timestamp),
        offline_since: offline_since.map(timestamp),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Directory, Options, Parting, Request, TokenHash};
    use super::*;

    fn request(name: &str, token: u8, invite: Option<&InviteCode>) -> Request {
        Request {
            name: name.parse().unwrap(),
            address: "http://192.0.2.7:1".parse().unwrap(),
            fingerprint: Some(Fingerprint::from_bytes([7; 32])),
            token: TokenHash::of(&[token; 40]).unwrap(),
            fresh: false,
            invite: invite.map(InviteCode::hash),
            network: None,
        }
    }

    #[tokio::test]
    async fn a_look_changes_nothing_and_a_running_directory_keeps_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.db");
        let older = store::Schema { migrations: &SCHEMA.migrations[..2], ..SCHEMA };
        Store::open(&path, &older).unwrap().close();
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(Office::open(&path, Access::Look).await, Err(OpenError::Older { .. })));
        let running = alone::claim(&path).unwrap();
        assert!(matches!(Office::open(&path, Access::Change).await, Err(OpenError::OlderRuns { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        drop(running);
        for access in [Access::Change, Access::Look] {
            assert_eq!(Office::open(&path, access).await.unwrap().names(), Ok(vec![]));
        }
    }

    #[tokio::test]
    async fn it_sees_and_frees_what_a_running_directory_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.db");
        let directory = Directory::open(&Options::new(&path)).await.unwrap();
        for (name, token) in [("rui", b'r'), ("ana", b'a')] {
            directory.register(request(name, token, None)).await.unwrap();
        }
        directory.leave(TokenHash::of(&[b'r'; 40]).unwrap(), Parting::Lease).await.unwrap();
        let office = Office::open(&path, Access::Change).await.unwrap();
        let names = office.names().unwrap();
        let brief = |entry: &Entry| (entry.name.clone(), entry.online, entry.offline_since.is_some());
        assert_eq!(
            names.iter().map(brief).collect::<Vec<_>>(),
            [("ana".into(), true, false), ("rui".into(), false, true)]
        );
        assert_eq!(names[0].address.as_deref(), Some("http://192.0.2.7:1"));
        assert_eq!(names[0].fingerprint, Some(Fingerprint::from_bytes([7; 32])));
        let parsed = |name: &str| name.parse::<Name>().unwrap();
        assert_eq!(office.name(&parsed("rui")).unwrap().as_ref(), names.get(1));
        let unclaimed = office.release(vec![parsed("ana"), parsed("zeca"), parsed("ana")]).await.unwrap();
        assert_eq!(unclaimed, [parsed("zeca"), parsed("ana")]);
        assert_eq!(office.name(&parsed("ana")).unwrap(), None);
    }

    #[tokio::test]
    async fn of_many_who_claim_with_one_code_as_many_get_in_as_it_has_uses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.db");
        let office = Office::open(&path, Access::Make).await.unwrap();
        let uses = NonZeroU32::new(5).unwrap();
        let (code, expiry) = office.invite(uses, Duration::from_hours(1)).await.unwrap();
        assert!(expiry > Timestamp::now());
        let options = Options { private: true, ..Options::new(&path) };
        let directory = Directory::open(&options).await.unwrap();
        let claims: Vec<_> = (0..40_u8)
            .map(|number| {
                let (directory, code) = (directory.clone(), code.hash());
                let request =
                    Request { invite: Some(code), ..request(&format!("n{number}"), 48 + number, None) };
                tokio::spawn(async move { directory.register(request).await.is_ok() })
            })
            .collect();
        let mut admitted = 0;
        for claim in claims {
            admitted += u32::from(claim.await.unwrap());
        }
        assert_eq!(admitted, uses.get());
        assert_eq!(office.names().unwrap().len(), 5);
    }

    #[tokio::test]
    async fn a_database_that_is_missing_stays_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none").join("directory.db");
        let refused = Office::open(&path, Access::Change).await.unwrap_err();
        assert!(refused.to_string().contains("--db"), "{refused}");
        assert!(!folder.path().join("none").exists());
    }
}
