//! The secrets by which directories know this peer, in the file `tokens.json`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::BASE64URL_NOPAD;
use protocol::Secret;
use serde::{Deserialize, Serialize};

use super::private;

/// The secrets of this peer's claims: one for each directory, sent to that one only.
///
/// They stand in a file of their own, so that a restored or deleted database never costs the name.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    by_directory: BTreeMap<String, Claim>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claim {
    token: Secret,
    /// Whether that directory ever accepted it: after that, the name is this peer's there.
    #[serde(default)]
    claimed: bool,
}

impl Tokens {
    const FILE: &str = "tokens.json";

    /// The tokens in this data directory; none at first.
    pub fn load(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(Self::FILE);
        let by_directory = match private::read(&path).map_err(io::Error::other)? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                io::Error::other(format!(
                    "{} is not what this program wrote ({error}); restore it from a backup, or move it away to claim the name anew",
                    path.display()
                ))
            })?,
            None => BTreeMap::new(),
        };
        Ok(Self { path, by_directory })
    }

    /// The token for this directory, made and synced to disk the first time.
    pub fn of(&mut self, directory: &str) -> io::Result<Secret> {
        if let Some(claim) = self.by_directory.get(directory) {
            return Ok(claim.token.clone());
        }
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let token = Secret::from(BASE64URL_NOPAD.encode(&random));
        self.by_directory.insert(directory.to_owned(), Claim { token: token.clone(), claimed: false });
        self.save()?;
        Ok(token)
    }

    /// The token for this directory, if one was made.
    #[must_use]
    pub fn known(&self, directory: &str) -> Option<&Secret> {
        self.by_directory.get(directory).map(|claim| &claim.token)
    }

    /// Whether this directory has accepted this peer's claim before.
    #[must_use]
    pub fn claimed_at(&self, directory: &str) -> bool {
        self.by_directory.get(directory).is_some_and(|claim| claim.claimed)
    }

    /// The directories that have accepted it, so that others know this peer by its name.
    pub fn claimed(&self) -> impl Iterator<Item = &str> {
        self.by_directory.iter().filter(|(_, claim)| claim.claimed).map(|(directory, _)| directory.as_str())
    }

    /// Remembers that this directory has accepted the claim.
    pub fn mark_claimed(&mut self, directory: &str) -> io::Result<()> {
        match self.by_directory.get_mut(directory) {
            Some(claim) if !claim.claimed => claim.claimed = true,
            _ => return Ok(()),
        }
        self.save()
    }

    fn save(&self) -> io::Result<()> {
        private::replace(&self.path, &serde_json::to_vec_pretty(&self.by_directory)?)
    }
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
        assert_eq!(tokens.known("http://home:1"), Some(&home));
        assert_ne!(home, work);
        assert!((32..=256).contains(&home.reveal().len()));
        assert_eq!(tokens.claimed().count(), 0);
        tokens.mark_claimed("http://home:1").unwrap();
        let shown = format!("{tokens:?}");
        assert!(shown.contains("http://home:1") && !shown.contains(home.reveal()), "{shown}");

        let mut again = Tokens::load(dir.path()).unwrap();
        assert_eq!(again.of("http://home:1").unwrap(), home);
        assert!(again.claimed_at("http://home:1") && !again.claimed_at("http://work:1"));
        assert_eq!(again.claimed().collect::<Vec<_>>(), ["http://home:1"]);
    }

    #[test]
    fn tokens_that_others_can_read_are_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        Tokens::load(dir.path()).unwrap().of("http://home:1").unwrap();
        let path = dir.path().join(Tokens::FILE);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let said = Tokens::load(dir.path()).unwrap_err().to_string();
        assert!(said.contains(&format!("chmod 600 '{}'", path.display())), "{said}");
    }
}
