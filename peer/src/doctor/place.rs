//! The data directory and what lies in it: whose it is, who else may look, and how much room there is.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{Access, access, statvfs};
use rustix::process::geteuid;

use super::{Check, Finding, Found, Status};
use crate::database;

/// Less than this is soon used up.
const LITTLE: u64 = 100 << 20;
/// Less than this is not enough to go on with.
const TOO_LITTLE: u64 = 16 << 20;

/// Looks at the data directory.
pub(super) fn examine(data_dir: &Path) -> Vec<Finding> {
    let directory = directory(data_dir);
    let mut findings = vec![directory, disk(data_dir)];
    if data_dir.is_dir() {
        findings.extend(files(data_dir));
    }
    findings
}

fn directory(path: &Path) -> Finding {
    let finding = |status, found| Finding::new(Check::DataDirectory, status, found);
    let own = path.to_owned();
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return finding(Status::Warning, Found::NoDataDirectory(own));
        }
        Err(error) => return finding(Status::Failed, Found::Unreadable(own, error)),
        Ok(metadata) => metadata,
    };
    let (user, owner, mode) = (geteuid().as_raw(), metadata.uid(), mode_of(&metadata));
    if !metadata.is_dir() {
        finding(Status::Failed, Found::NotADirectory(own))
    } else if access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        finding(Status::Failed, Found::Unwritable(own))
    } else if owner != user {
        finding(Status::Warning, Found::SomebodyElses { path: own, owner })
    } else if mode & 0o022 != 0 {
        finding(Status::Failed, Found::OpenToOthers { path: own, mode })
    } else if mode & 0o055 != 0 {
        finding(Status::Warning, Found::OpenToOthers { path: own, mode })
    } else {
        finding(Status::Ok, Found::DataDirectory(own))
    }
}

/// The room where the data directory is, or will be.
fn disk(path: &Path) -> Finding {
    let there = path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    match statvfs(there) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let status = match free {
                ..TOO_LITTLE => Status::Failed,
                TOO_LITTLE..LITTLE => Status::Warning,
                _ => Status::Ok,
            };
            Finding::new(Check::Disk, status, Found::Free(free))
        }
        Err(error) => Finding::new(Check::Disk, Status::Skipped, Found::FreeUnknown(error.into())),
    }
}

/// Which of the files others may look into. Those that are secret are refused by whoever needs them, the others mended.
fn files(data_dir: &Path) -> Vec<Finding> {
    let secret = ["identity.pem", "tokens.json"].map(|name| (data_dir.join(name), Status::Failed));
    let kept = database::files(data_dir).map(|path| (path, Status::Warning));
    let mut findings = Vec::new();
    for (path, status) in secret.into_iter().chain(kept) {
        let Ok(metadata) = fs::metadata(&path) else { continue };
        let mode = mode_of(&metadata);
        if mode & 0o077 != 0 {
            findings.push(Finding::new(Check::Files, status, Found::FileOpenToOthers { path, mode }));
        } else if metadata.uid() != geteuid().as_raw() {
            let owner = metadata.uid();
            findings.push(Finding::new(Check::Files, Status::Warning, Found::SomebodyElses { path, owner }));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::new(Check::Files, Status::Ok, Found::FilesAreItsOwners));
    }
    findings
}

fn mode_of(metadata: &Metadata) -> u32 {
    metadata.permissions().mode() & 0o7777
}
