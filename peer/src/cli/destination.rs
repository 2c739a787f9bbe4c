//! A file that the user names to be written: for its owner only, and there when all of it is written, and not before. What is no
//! file, a device or a pipe, is written to as it is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tempfile::{NamedTempFile, TempPath};

use crate::locked;

/// What is being written aside, to be taken away if the program is interrupted.
static ASIDE: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Takes away what is half written: the program ends now.
pub fn clean_up() {
    if let Some(aside) = locked(&ASIDE).take() {
        let _ = fs::remove_file(aside);
    }
}

/// Where something is being written to.
pub struct Destination {
    writer: BufWriter<File>,
    /// What it takes the place of in the end.
    aside: Option<(TempPath, PathBuf)>,
}

impl Destination {
    /// Begins to write to this path. A link stays one: what it leads to is written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let is_file = match fs::metadata(path) {
            Ok(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(there) => there.is_file() && !is_of_the_system(path),
            // A link that leads nowhere yet.
            Err(_) if path.is_symlink() => false,
            Err(_) => true,
        };
        if !is_file {
            let file = OpenOptions::new().append(true).create(path.is_symlink()).open(path)?;
            return Ok(Self { writer: BufWriter::new(file), aside: None });
        }
        let target = if path.exists() { fs::canonicalize(path)? } else { path.to_owned() };
        let folder = folder_of(&target);
        fs::metadata(folder)?;
        let (file, aside) = NamedTempFile::new_in(folder).map_err(|error| plain(&error))?.into_parts();
        *locked(&ASIDE) = Some(aside.to_path_buf());
        Ok(Self { writer: BufWriter::new(file), aside: Some((aside, target)) })
    }

    /// All is written.
    pub fn finish(self) -> io::Result<()> {
        let file = self.writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        let Some((aside, target)) = self.aside else { return Ok(()) };
        file.sync_all()?;
        *locked(&ASIDE) = None;
        aside.persist(&target).map_err(|error| error.error)?;
        File::open(folder_of(&target))?.sync_all()
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Whether the path is one by which the system offers what is open already, as `/dev/stdout` is: even if that is a file.
fn is_of_the_system(path: &Path) -> bool {
    path.starts_with("/dev") || path.starts_with("/proc")
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What the system said, without the name of a file that nobody has asked for.
fn plain(error: &io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|inner| inner.source()).map(ToString::to_string);
    inner.map_or_else(|| error.kind().into(), io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};

    use super::*;

    fn write(path: &Path, text: &str) -> io::Result<()> {
        let mut destination = Destination::open(path)?;
        destination.write_all(text.as_bytes())?;
        destination.finish()
    }

    #[test]
    fn a_file_is_replaced_a_link_followed_and_a_pipe_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let [file, link, dangling, new, pipe] =
            ["file", "link", "dangling", "new", "pipe"].map(|name| dir.path().join(name));
        fs::write(&file, "before").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        symlink("file", &link).unwrap();
        symlink("new", &dangling).unwrap();
        let mut begun = Destination::open(&file).unwrap();
        begun.write_all(b"half").unwrap();
        drop(begun);
        assert_eq!(fs::read_to_string(&file).unwrap(), "before", "nothing is half there");
        write(&link, "through the link").unwrap();
        write(&dangling, "new").unwrap();
        assert!(link.is_symlink() && dangling.is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "through the link");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&new).unwrap(), "new");

        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).unwrap()
        });
        write(&pipe, "through the pipe").unwrap();
        assert_eq!(reader.join().unwrap(), "through the pipe");
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo(), "it stays one");
        assert_eq!(write(dir.path(), "").unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(write(&dir.path().join("no/file"), "").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5, "nothing is left over");
    }
}
