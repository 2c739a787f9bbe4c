//! Who delivers: one process for each data directory, by a lock that the kernel gives back when its holder dies; and
//! the bell by which any other process wakes it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;

use tokio::sync::Notify;

/// What the holder of the lock does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A daemon: it holds the lock as long as it runs.
    Daemon,
    /// One command: it delivers what it sends, and is soon done.
    Command,
}

/// The right to deliver, until it is dropped or its process dies.
#[derive(Debug)]
pub struct Lock {
    file: File,
    role: Role,
}

/// Who has the lock, as it says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// What it does with it.
    pub role: Role,
    /// Its process.
    pub pid: u32,
    bell: Option<u16>,
}

/// What trying to get the lock came to.
#[derive(Debug)]
pub enum Attempt {
    /// It is ours.
    Held(Lock),
    /// Somebody else has it; who, unless they are just writing that down.
    ///
    /// What stands there may still be its predecessor's word, for a moment.
    Taken(Option<Holder>),
}

const FILE: &str = "recado.lock";

/// Tries to become the one process that delivers for this data directory.
pub fn try_lock(data_dir: &Path, role: Role) -> io::Result<Attempt> {
    let mut file = open(data_dir)?;
    match file.try_lock() {
        Ok(()) => {
            let mut lock = Lock { file, role };
            lock.introduce(None)?;
            Ok(Attempt::Held(lock))
        }
        Err(TryLockError::WouldBlock) => Ok(Attempt::Taken(Holder::read(&mut file)?)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Who delivers for this data directory at the moment, if anybody does. Changes nothing.
pub fn holder(data_dir: &Path) -> io::Result<Option<Holder>> {
    let mut file = match File::open(data_dir.join(FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Holder::read(&mut file),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn open(data_dir: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(data_dir.join(FILE))
}

impl Lock {
    /// Hangs up a bell, so that other processes can wake this one.
    pub fn hang_bell(&mut self) -> io::Result<Bell> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        self.introduce(Some(socket.local_addr()?.port()))?;
        Ok(Bell { socket: tokio::net::UdpSocket::from_std(socket)? })
    }

    fn introduce(&mut self, bell: Option<u16>) -> io::Result<()> {
        let holder = Holder { role: self.role, pid: std::process::id(), bell };
        self.file.rewind()?;
        self.file.set_len(0)?;
        self.file.write_all(holder.written().as_bytes())
    }
}

impl Holder {
    /// Wakes the holder. It may miss it: who needs to be sure rings again until what they wait for has come.
    pub fn ring(&self) {
        if let Some(port) = self.bell
            && let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            && let Err(error) = socket.send_to(&[], SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        {
            tracing::debug!(%error, "the bell could not be rung");
        }
    }

    fn written(self) -> String {
        let role = match self.role {
            Role::Daemon => "daemon",
            Role::Command => "command",
        };
        format!("{role} {} {}\n", self.pid, self.bell.unwrap_or(0))
    }

    fn read(file: &mut File) -> io::Result<Option<Self>> {
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Option<Self> {
        // Without the line's end it is still being written.
        let mut words = text.strip_suffix('\n')?.split(' ');
        let role = match words.next()? {
            "daemon" => Role::Daemon,
            "command" => Role::Command,
            _ => return None,
        };
        let pid = words.next()?.parse().ok()?;
        let bell: u16 = words.next()?.parse().ok()?;
        Some(Self { role, pid, bell: (bell != 0).then_some(bell) })
    }
}

/// A bell that other processes can ring. What rings it is never looked at: it only means "look into the outbox".
#[derive(Debug)]
pub struct Bell {
    socket: tokio::net::UdpSocket,
}

impl Bell {
    /// Passes each ring on, for as long as it is polled.
    pub async fn answer(&self, wake: &Notify) {
        loop {
            match self.socket.recv_from(&mut [0; 1]).await {
                Ok(_) => wake.notify_one(),
                Err(error) => {
                    tracing::warn!(%error, "the bell of this peer failed");
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_and_says_who_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let Attempt::Held(lock) = try_lock(dir.path(), Role::Command).unwrap() else { panic!("not free") };
        let Attempt::Taken(Some(holder)) = try_lock(dir.path(), Role::Daemon).unwrap() else {
            panic!("not taken")
        };
        assert_eq!((holder.role, holder.pid), (Role::Command, std::process::id()));
        drop(lock);
        assert!(matches!(try_lock(dir.path(), Role::Daemon).unwrap(), Attempt::Held(_)));
    }

    #[tokio::test]
    async fn who_rings_wakes_the_holder() {
        let dir = tempfile::tempdir().unwrap();
        let Attempt::Held(mut lock) = try_lock(dir.path(), Role::Daemon).unwrap() else { panic!("not free") };
        let bell = lock.hang_bell().unwrap();
        let Attempt::Taken(Some(holder)) = try_lock(dir.path(), Role::Command).unwrap() else {
            panic!("not taken")
        };
        let wake = Notify::new();
        holder.ring();
        tokio::select! {
            () = bell.answer(&wake) => {}
            () = wake.notified() => {}
        }
    }

    #[test]
    fn what_is_half_written_names_nobody() {
        for text in ["", "daemon", "daemon 7", "daemon 7 4000", "other 7 1\n", "daemon x 1\n"] {
            assert_eq!(Holder::parse(text), None, "{text:?}");
        }
    }
}
