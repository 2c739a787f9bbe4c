//! The socket that is listened on, and the files that its connections need.

use std::io;
use std::net::SocketAddr;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::Limits;

/// So many may wait to be let in, if the kernel's own limit (`net.core.somaxconn`) allows as many: ten thousand peers may
/// come back at the same moment.
const BACKLOG: i32 = 16_384;

/// Files that a program has open besides its connections: its database, its logs, what its runtime waits on; and those
/// who are told that there is no place for them.
const OTHER_FILES: u64 = 128;

/// How many are told so at the same time; the others are hung up on.
const REFUSALS: usize = 64;

/// How many connections there are files for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Those that are served.
    pub(crate) connections: usize,
    /// Those that are told that there is no place.
    pub(crate) refusals: usize,
}

/// Listens on an address; on `[::]` for IPv4 too, whatever the system's default is. To be called within a runtime.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // Connections that have just ended do not keep the port from a program that starts again.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Lets this process open as many files as it may, and warns if that is less than `limits` let in.
pub(crate) fn make_room(limits: &Limits) -> Room {
    let now = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: now.maximum, maximum: now.maximum };
    let files = match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => now.maximum,
        Err(error) => {
            tracing::debug!(%error, "the limit of open files stays as it is");
            now.current
        }
    };
    let room = room(files.unwrap_or(u64::MAX), limits);
    if room.connections < limits.connections {
        tracing::warn!(
            files,
            connections = room.connections,
            "fewer files may be open than connections are let in: raise the limit (`ulimit -n`), or lower --max-connections"
        );
    }
    room
}

fn room(files: u64, limits: &Limits) -> Room {
    let others = OTHER_FILES.min(files / 2);
    let share = |files: u64| usize::try_from(files).unwrap_or(usize::MAX);
    Room {
        connections: limits.connections.min(share(files - others)),
        refusals: REFUSALS.min(share(others / 2)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[tokio::test]
    async fn the_unspecified_ipv6_address_is_listened_on_for_ipv4_too() {
        let listener = bind((Ipv6Addr::UNSPECIFIED, 0).into()).unwrap();
        assert!(!socket2::SockRef::from(&listener).only_v6().unwrap());
        let port = listener.local_addr().unwrap().port();
        let taken = bind((Ipv4Addr::UNSPECIFIED, port).into()).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn connections_leave_files_to_the_rest_of_the_program() {
        let limits = Limits { connections: 1000, ..Limits::default() };
        for (files, connections, refusals) in
            [(u64::MAX, 1000, 64), (1128, 1000, 64), (1127, 999, 64), (64, 32, 16), (1, 1, 0), (0, 0, 0)]
        {
            assert_eq!(room(files, &limits), Room { connections, refusals }, "{files}");
        }
    }
}
