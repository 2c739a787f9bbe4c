//! The peer: one data directory, opened, with the rooms that work on it.

use std::io;
use std::path::{Path, PathBuf};

use protocol::{Address, Fingerprint, Name};
use store::{OpenError, Store};

use crate::archive::Archive;
use crate::client::{ClientError, Peers};
use crate::contacts::Contacts;
use crate::conversations::Conversations;
use crate::database::{self, Fault};
use crate::directory::{Directory, DirectoryUrl};
use crate::identity::private::Placed;
use crate::identity::{self, Key, KeyError, Tokens};
use crate::inbound::inbox::Inbox;
use crate::outbound::Outbound;
use crate::outbound::courier::Courier;
use crate::outbound::limits::Limits;
use crate::outbound::outbox::Outbox;
use crate::outbound::transport::Transport;

/// One data directory, opened.
pub struct Peer {
    /// Where it is.
    pub data_dir: PathBuf,
    /// What was received.
    pub inbox: Inbox,
    /// Everything that is kept, to be read.
    pub conversations: Conversations,
    /// Whose name is whose.
    pub contacts: Contacts,
    /// Where others are; none with `--server none`.
    pub directory: Option<Directory>,
    pub(crate) store: Store,
    key: Key,
    name: Option<Name>,
    address: Option<Address>,
    courier: Courier,
}

/// Why a data directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenPeerError {
    /// The directory itself cannot be made or read.
    #[error("the data directory {0} cannot be used: {1}. Choose another with --data-dir.")]
    Directory(PathBuf, io::Error),
    /// Its key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its database cannot be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// Its database cannot be read.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// The name that was given does not go with this data directory, or there is none.
#[derive(Debug, thiserror::Error)]
pub enum NameProblem {
    /// No name yet.
    #[error("this peer has no name yet")]
    None,
    /// It has another one.
    #[error("this peer is called {0}")]
    Other(Name),
    /// The peer's own database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The file of tokens cannot be read.
    #[error("the tokens in the data directory cannot be read: {0}")]
    Tokens(#[from] io::Error),
}

impl Peer {
    /// Opens a data directory, making it for its owner only at first. `server` is the directory's URL, if one is used.
    pub fn open(data_dir: &Path, server: Option<DirectoryUrl>) -> Result<Self, OpenPeerError> {
        let unusable = |error| OpenPeerError::Directory(data_dir.to_owned(), error);
        if data_dir.is_file() {
            return Err(unusable(io::Error::other("it is a file")));
        }
        identity::private::make_directory(data_dir).map_err(unusable)?;
        let data_dir = std::path::absolute(data_dir).map_err(unusable)?;
        let key = Key::load(&data_dir)?;
        let store = database::open(&data_dir)?;
        for file in database::files(&data_dir) {
            identity::private::tighten(&file);
        }
        let profile = identity::profile::read(&store)?;
        let key = match key {
            Some(key) => key,
            None => new_key(&data_dir, profile.is_some())?,
        };
        let directory = server.map(|url| directory_at(url, &data_dir)).transpose()?;
        let contacts = Contacts::new(store.clone());
        let courier = Courier {
            outbox: Outbox::new(store.clone(), key.fingerprint()),
            contacts: contacts.clone(),
            directory: directory.clone(),
            transport: Transport::new(Peers::new(key.certified())?),
            limits: Limits::default(),
        };
        let (name, address) = profile.map_or((None, None), |profile| (Some(profile.name), profile.address));
        Ok(Self {
            data_dir,
            inbox: Inbox::new(store.clone()),
            conversations: Conversations::new(store.clone()),
            contacts,
            directory,
            store,
            key,
            name,
            address,
            courier,
        })
    }

    /// Its name, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Lets a peer without a name go by this one. It is written down with the first message, not before.
    pub fn go_by(&mut self, wanted: Option<Name>) -> Result<(), NameProblem> {
        match (wanted, &self.name) {
            (Some(wanted), Some(name)) if wanted != *name => Err(NameProblem::Other(name.clone())),
            (Some(wanted), None) => {
                self.name = Some(wanted);
                Ok(())
            }
            (None, None) => Err(NameProblem::None),
            _ => Ok(()),
        }
    }

    /// Gives the peer a name, or checks that it has this one; only for the one process that serves it. The name can
    /// be changed until a directory has accepted it.
    pub async fn take_name(&mut self, wanted: Option<Name>) -> Result<Name, NameProblem> {
        match (wanted, &self.name) {
            (None, None) => Err(NameProblem::None),
            (None, Some(name)) => Ok(name.clone()),
            (Some(wanted), Some(name)) if wanted == *name => Ok(wanted),
            (Some(_), Some(name)) if Tokens::load(&self.data_dir)?.claimed().next().is_some() => {
                Err(NameProblem::Other(name.clone()))
            }
            (Some(wanted), _) => {
                identity::rename(&self.store, &wanted).await?;
                self.name = Some(wanted.clone());
                Ok(wanted)
            }
        }
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What others know its key by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.key.fingerprint()
    }

    /// Where others are to dial it, as of the last time that it ran.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// Its way out.
    pub fn outbound(&self) -> Result<Outbound, NameProblem> {
        let name = self.name.clone().ok_or(NameProblem::None)?;
        Ok(Outbound::new(name, self.data_dir.clone(), self.courier.clone(), self.store.clone()))
    }

    /// Who delivers what waits.
    #[must_use]
    pub fn courier(&self) -> Courier {
        self.courier.clone()
    }

    /// What the user does with messages that are kept.
    #[must_use]
    pub fn archive(&self) -> Archive {
        Archive::new(self.store.clone())
    }

    /// Notices whatever any process writes into the database.
    pub fn watch(&self) -> Result<store::Watch, Fault> {
        Ok(self.store.watch()?)
    }

    /// Reads the whole database and says whether it is sound. Blocks.
    pub fn check(&self) -> Result<(), store::CheckError> {
        self.store.quick_check()
    }

    /// Finishes what is being written and closes the database.
    pub fn close(&self) {
        self.store.close();
    }
}

/// The first key of a data directory. One that has a name may have had another key before; unless somebody else has just
/// started here for the first time, made the key and settled the name.
fn new_key(data_dir: &Path, has_name: bool) -> Result<Key, KeyError> {
    let (key, placed) = Key::load_or_make(data_dir)?;
    if has_name && placed == Placed::New {
        tracing::warn!(
            fingerprint = %key.fingerprint(),
            "there was no identity.pem beside this peer's messages, and a new key was made. If there was another before, put it back from a backup: those who know this peer by it refuse the new one until they `peer trust` it"
        );
    }
    Ok(key)
}

/// The directory at this URL, shown the token that this peer has for it.
pub(crate) fn directory_at(url: DirectoryUrl, data_dir: &Path) -> Result<Directory, ClientError> {
    let directory = Directory::new(url)?;
    match Tokens::load(data_dir) {
        Ok(tokens) => {
            if let Some(token) = tokens.known(&directory.url().to_string()) {
                directory.show_token(token.clone());
            }
        }
        // Whoever starts the peer is told to mend it; an open directory can be asked without.
        Err(error) => tracing::warn!(%error, "asking the directory without a token"),
    }
    Ok(directory)
}
