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

/// Files that a program has open besides its connections: its database, its logs, what its runtime waits on.
const OTHER_FILES: u64 = 64;

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

/// Lets this process open as many files as it may, and warns if `limits` let in more connections than that.
pub(crate) fn make_room(limits: &Limits) {
    let now = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: now.maximum, maximum: now.maximum };
    let files = match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => now.maximum,
        Err(error) => {
            tracing::debug!(%error, "the limit of open files stays as it is");
            now.current
        }
    };
    if let Some(files) = files.filter(|files| is_short(*files, limits)) {
        let connections = limits.connections;
        tracing::warn!(
            files,
            connections,
            "fewer files may be open than connections are let in: raise the limit (`ulimit -n`), or lower --max-connections"
        );
    }
}

fn is_short(files: u64, limits: &Limits) -> bool {
    files < (limits.connections as u64).saturating_add(OTHER_FILES)
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
    fn there_is_a_file_for_each_connection_and_some_more() {
        let limits = Limits { connections: 1000, ..Limits::default() };
        assert!(is_short(1000, &limits));
        assert!(!is_short(1064, &limits));
        assert!(is_short(u64::MAX - 1, &Limits { connections: usize::MAX, ..limits }));
    }
}
