//! Files for their owner only: what is secret is read from no others, and written whole or not at all.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use tempfile::NamedTempFile;

/// Why what is secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The group or others may read or change it.
    #[error(
        "{path} is open to other users of this machine (mode {mode:04o}), and what is secret in it has to be its owner's alone: run `chmod 600 '{path}'`",
        path = path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The group or others may change it, or it is somebody else's.
    #[error(
        "{path} can be changed by other users of this machine (mode {mode:04o}), and what it says is done: run `chmod 600 '{path}'`, as its owner",
        path = path.display()
    )]
    Changeable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It cannot be read at all.
    #[error("{} cannot be read: {source}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// From now on this process makes files and directories for its owner only, whatever its user's habit is.
pub fn keep_to_the_owner() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Makes a directory that only its owner can read, and those above it, unless they are there. What is made is there after a
/// power cut too. One that others can enter is left so, with a word: it may be shared on purpose.
pub fn make_directory(path: &Path) -> io::Result<()> {
    let missing: Vec<_> = path.ancestors().take_while(|path| is_missing(path)).collect();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    for made in missing {
        sync_directory(made)?;
    }
    let mode = mode_of(path)?;
    if mode & 0o011 != 0 {
        tracing::info!(
            "other users of this machine can enter the data directory (mode {mode:04o}): unless that is what you want, run `chmod 700 '{}'`",
            path.display()
        );
    }
    Ok(())
}

/// A file, if it is there, that the group or others may use is its owner's alone from now on: a backup may have been restored
/// without its mode.
pub fn tighten(path: &Path) {
    let outcome = mode_of(path).and_then(|mode| {
        let is_open = mode & 0o077 != 0;
        if !is_open {
            return Ok(());
        }
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        tracing::warn!(
            "{} was open to other users of this machine (mode {mode:04o}), and is its owner's alone now",
            path.display()
        );
        Ok(())
    });
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "{} may be open to other users of this machine: see to it that it is its owner's alone", path.display());
        }
        _ => {}
    }
}

fn mode_of(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o7777)
}

fn is_missing(path: &Path) -> bool {
    !path.as_os_str().is_empty() && !path.exists()
}

/// What is in this file, which only its owner may read; nothing if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Unreadable> {
    read_if(path, |_, mode| match mode & 0o077 {
        0 => Ok(()),
        _ => Err(Unreadable::Exposed { path: path.to_owned(), mode }),
    })
}

/// What is in this file, which only this user or root may change; nothing if there is none.
pub fn read_ours(path: &Path) -> Result<Option<Vec<u8>>, Unreadable> {
    let ours = |owner| owner == 0 || owner == rustix::process::geteuid().as_raw();
    read_if(path, |metadata, mode| match mode & 0o022 {
        0 if ours(metadata.uid()) => Ok(()),
        _ => Err(Unreadable::Changeable { path: path.to_owned(), mode }),
    })
}

/// What is in this file, if what is known of it once it is open is allowed.
fn read_if(
    path: &Path,
    allowed: impl FnOnce(&Metadata, u32) -> Result<(), Unreadable>,
) -> Result<Option<Vec<u8>>, Unreadable> {
    let failed = |source| Unreadable::Failed { path: path.to_owned(), source };
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let metadata = file.metadata().map_err(failed)?;
    allowed(&metadata, metadata.permissions().mode() & 0o7777)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

/// Puts a file in its place as a whole, over the one that is there.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    written_aside(path, bytes)?.persist(path)?;
    sync_directory(path)
}

/// Whose file is in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// The new one.
    New,
    /// The one that was there first.
    Before,
}

/// Puts a file in its place as a whole, unless one is there. Whichever is there then stays there over a power cut.
pub(super) fn place(path: &Path, bytes: &[u8]) -> io::Result<Placed> {
    let placed = match written_aside(path, bytes)?.persist_noclobber(path) {
        Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => Placed::Before,
        placed => placed.map(|_| Placed::New)?,
    };
    sync_directory(path)?;
    Ok(placed)
}

/// Under a name of its own beside `path`, for its owner only, and synced.
fn written_aside(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(".");
    let mut aside = tempfile::Builder::new().prefix(&prefix).tempfile_in(directory_of(path))?;
    aside.write_all(bytes)?;
    aside.as_file().sync_all()?;
    Ok(aside)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory_of(path))?.sync_all()
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let private = dir.path().join("a/b");
        make_directory(&private).unwrap();
        assert_eq!((mode(&dir.path().join("a")), mode(&private)), (0o700, 0o700));
        let file = private.join("secret");
        for text in ["old", "new"] {
            replace(&file, text.as_bytes()).unwrap();
            assert_eq!((mode(&file), read(&file).unwrap().as_deref()), (0o600, Some(text.as_bytes())));
        }
        assert_eq!(fs::read_dir(&private).unwrap().count(), 1, "nothing is left aside");
    }

    #[test]
    fn a_file_that_was_open_to_others_is_its_owner_s_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("recado.db");
        tighten(&file);
        assert!(!file.exists());
        fs::write(&file, "text").unwrap();
        for (bits, then) in [(0o600, 0o600), (0o400, 0o400), (0o644, 0o600), (0o660, 0o600), (0o755, 0o600)] {
            fs::set_permissions(&file, Permissions::from_mode(bits)).unwrap();
            tighten(&file);
            assert_eq!(mode(&file), then, "{bits:o}");
        }
    }

    #[test]
    fn what_is_there_already_is_left_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        for (text, placed) in [("first", Placed::New), ("second", Placed::Before)] {
            assert_eq!(place(&file, text.as_bytes()).unwrap(), placed);
            assert_eq!(read(&file).unwrap().as_deref(), Some(b"first".as_slice()), "after the {text}");
        }
        assert_eq!((mode(&file), fs::read_dir(dir.path()).unwrap().count()), (0o600, 1));
    }

    #[test]
    fn what_others_can_read_or_change_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        assert!(read(&file).unwrap().is_none());
        fs::write(&file, "text").unwrap();
        for (bits, open) in
            [(0o600, false), (0o400, false), (0o700, false), (0o640, true), (0o604, true), (0o620, true)]
        {
            fs::set_permissions(&file, fs::Permissions::from_mode(bits)).unwrap();
            match read(&file) {
                Ok(Some(text)) => assert!(!open && text == b"text", "{bits:o}"),
                Err(error @ Unreadable::Exposed { .. }) => {
                    let said = error.to_string();
                    let advice = format!("chmod 600 '{}'", file.display());
                    assert!(
                        open && said.contains(&advice) && said.contains(&format!("{bits:04o}")),
                        "{said}"
                    );
                }
                other => panic!("{bits:o}: {other:?}"),
            }
        }
    }
    #[test]
    fn what_others_can_change_is_refused_and_what_they_can_read_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        assert!(read_ours(&file).unwrap().is_none());
        fs::write(&file, "text").unwrap();
        for (bits, steady) in [(0o600, true), (0o644, true), (0o444, true), (0o664, false), (0o602, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(bits)).unwrap();
            match read_ours(&file) {
                Ok(Some(text)) => assert!(steady && text == b"text", "{bits:o}"),
                Err(error @ Unreadable::Changeable { .. }) => assert!(!steady, "{error}"),
                other => panic!("{bits:o}: {other:?}"),
            }
        }
    }
}
