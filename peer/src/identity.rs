//! Who this peer is: its name, and its secret for each directory. Owns the table `profile` and the file of tokens.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use data_encoding::BASE64URL_NOPAD;
use protocol::{Address, Name};
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::database::Fault;

/// What this peer says of itself.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name.
    pub name: Name,
    /// Where the directory last listed it.
    pub address: Option<Address>,
}

/// The profile in this database; none before the peer was given a name.
pub fn profile(store: &Store) -> Result<Option<Profile>, Fault> {
    let row: Option<(String, Option<String>)> = store.read(|connection| {
        connection
            .prepare_cached("SELECT name, address FROM profile")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    })?;
    Ok(row.and_then(|(name, address)| {
        Some(Profile { name: name.parse().ok()?, address: address.and_then(|address| address.parse().ok()) })
    }))
}

/// Gives this peer its name, or another one.
pub async fn rename(store: &Store, name: &Name) -> Result<(), Fault> {
    let name = name.clone();
    let write = store.write(move |connection| {
        connection.execute(
            "INSERT INTO profile (one, name) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET name = excluded.name",
            [name.as_str()],
        )
    });
    write.await?;
    Ok(())
}

/// Gives this peer its name unless it has one, in the transaction that needs it; whether the name is this one now.
pub fn settle_name(connection: &Connection, name: &Name) -> rusqlite::Result<bool> {
    connection.execute(
        "INSERT INTO profile (one, name) VALUES (1, ?1) ON CONFLICT (one) DO NOTHING",
        [name.as_str()],
    )?;
    connection.query_row("SELECT name = ?1 FROM profile", [name.as_str()], |row| row.get(0))
}

/// Remembers where the directory lists this peer.
pub async fn listed_at(store: &Store, address: &Address) -> Result<(), Fault> {
    let address = address.to_string();
    let write = store.write(move |connection| {
        connection.execute("UPDATE profile SET address = ?1 WHERE address IS NOT ?1", [address])
    });
    write.await?;
    Ok(())
}

/// The secrets of this peer's claims: one for each directory, sent to that one only.
///
/// They stand in a file of their own, so that a restored or deleted database never costs the name.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    by_directory: BTreeMap<String, Secret>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Secret {
    token: String,
    /// Whether that directory ever accepted it: after that, the name is this peer's there.
    #[serde(default)]
    claimed: bool,
}

impl Tokens {
    const FILE: &str = "tokens.json";

    /// The tokens in this data directory; none at first.
    pub fn load(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(Self::FILE);
        let by_directory = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                io::Error::other(format!(
                    "{} is not what this program wrote ({error}); restore it from a backup, or move it away to claim the name anew",
                    path.display()
                ))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { path, by_directory })
    }

    /// The token for this directory, made and synced to disk the first time.
    pub fn of(&mut self, directory: &str) -> io::Result<String> {
        if let Some(secret) = self.by_directory.get(directory) {
            return Ok(secret.token.clone());
        }
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let token = BASE64URL_NOPAD.encode(&random);
        self.by_directory.insert(directory.to_owned(), Secret { token: token.clone(), claimed: false });
        self.save()?;
        Ok(token)
    }

    /// The token for this directory, if one was made.
    #[must_use]
    pub fn known(&self, directory: &str) -> Option<&str> {
        self.by_directory.get(directory).map(|secret| secret.token.as_str())
    }

    /// Whether this directory has accepted this peer's claim before.
    #[must_use]
    pub fn claimed_at(&self, directory: &str) -> bool {
        self.by_directory.get(directory).is_some_and(|secret| secret.claimed)
    }

    /// The directories that have accepted it, so that others know this peer by its name.
    pub fn claimed(&self) -> impl Iterator<Item = &str> {
        self.by_directory.iter().filter(|(_, secret)| secret.claimed).map(|(directory, _)| directory.as_str())
    }

    /// Remembers that this directory has accepted the claim.
    pub fn mark_claimed(&mut self, directory: &str) -> io::Result<()> {
        match self.by_directory.get_mut(directory) {
            Some(secret) if !secret.claimed => secret.claimed = true,
            _ => return Ok(()),
        }
        self.save()
    }

    fn save(&self) -> io::Result<()> {
        write_private(&self.path, &serde_json::to_vec_pretty(&self.by_directory)?)
    }
}

/// Makes a directory that only its owner can read, unless it is there.
pub fn make_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Replaces a file as a whole: written aside for its owner only, synced, renamed, and its directory synced.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = path.with_extension("new");
    // One that an earlier start left behind may have another mode.
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    if let Some(directory) = path.parent() {
        fs::File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_for_each_directory_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut tokens = Tokens::load(dir.path()).unwrap();
        assert_eq!(tokens.known("http://home:1"), None);
        let (home, work) = (tokens.of("http://home:1").unwrap(), tokens.of("http://work:1").unwrap());
        assert_eq!(tokens.known("http://home:1"), Some(home.as_str()));
        assert_ne!(home, work);
        assert!((32..=256).contains(&home.len()));
        assert_eq!(tokens.claimed().count(), 0);
        tokens.mark_claimed("http://home:1").unwrap();

        let mut again = Tokens::load(dir.path()).unwrap();
        assert_eq!(again.of("http://home:1").unwrap(), home);
        assert!(again.claimed_at("http://home:1") && !again.claimed_at("http://work:1"));
        assert_eq!(again.claimed().collect::<Vec<_>>(), ["http://home:1"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_secret_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let private = dir.path().join("a/b");
        make_private_directory(&private).unwrap();
        Tokens::load(&private).unwrap().of("http://home:1").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&private), 0o700);
        assert_eq!(mode(&private.join(Tokens::FILE)), 0o600);
    }
}
