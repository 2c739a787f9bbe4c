//! The accept loop: who may connect, and how it all ends. What is said on a connection is left to that connection's task.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use protocol::problem::{Problem, Slug};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::bind::{Room, make_room};
use crate::connection::{Common, serve_connection};
use crate::farewell::{Farewell, part};
use crate::observer::Observed;
use crate::places::Places;
use crate::tls::begins_tls;
use crate::{Seldom, Settings, Source};

/// How long to wait when the process or the machine has run out of files: only then does accepting fail again at once.
const BREATH: Duration = Duration::from_millis(100);

/// How long the first byte of one who has no place is waited for.
const GLANCE: Duration = Duration::from_secs(1);

/// Serves `router` until `shutdown` ends, then stops accepting, lets what runs finish for `limits.drain`, and returns.
///
/// Connections without a request in flight are closed at once when `shutdown` ends. The process may open as many files as its
/// hard limit allows from here on: a connection is one.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: impl Into<Settings>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let settings = settings.into();
    let room = make_room(&settings.limits);
    let drain = settings.limits.drain;
    let places = Places::new(settings.limits.per_source);
    let (stop, stopping) = watch::channel(());
    let mut door = Door {
        common: Arc::new(Common::new(router, settings)),
        room,
        places,
        stopping,
        connections: JoinSet::new(),
        refusals: JoinSet::new(),
    };
    door.keep(&listener, shutdown).await;
    drop(listener);
    stop.send_replace(());
    let running = door.connections.len();
    tracing::debug!(running, "stopped accepting");
    let drained = async { while door.connections.join_next().await.is_some() {} };
    if timeout(drain, drained).await.is_err() {
        tracing::warn!(
            connections = door.connections.len(),
            "gave up on requests that did not finish in time"
        );
    }
    door.connections.shutdown().await;
}

struct Door {
    common: Arc<Common>,
    room: Room,
    places: Arc<Places>,
    stopping: watch::Receiver<()>,
    connections: JoinSet<()>,
    refusals: JoinSet<()>,
}

impl Door {
    /// Lets in who comes, until `shutdown` ends.
    async fn keep(&mut self, listener: &TcpListener, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown);
        let mut rest = pin!(sleep(Duration::ZERO));
        let failures = Seldom::new();
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                Some(_) = self.connections.join_next() => {}
                Some(_) = self.refusals.join_next() => {}
                accepted = after(rest.as_mut(), listener) => match accepted {
                    Ok((stream, address)) => {
                        self.admit(stream, Source::connected(address, &self.common.settings.trusted_proxies));
                    }
                    Err(error) if belongs_to_the_client(error.kind()) => {
                        tracing::debug!(%error, "a client left before it was let in");
                    }
                    Err(error) => {
                        rest.as_mut().reset(Instant::now() + BREATH);
                        if failures.happens().is_some() {
                            tracing::warn!(%error, "cannot accept connections until others have ended");
                        }
                    }
                }
            }
        }
    }

    fn admit(&mut self, stream: TcpStream, source: Source) {
        if self.connections.len() >= self.room.connections {
            self.refuse(
                stream,
                source,
                Slug::Unavailable.because("All connections are taken. Try again in a moment."),
            );
            return;
        }
        let Some(place) = self.places.take((!source.is_here_or_proxy()).then(|| source.network())) else {
            let problem = Slug::RateLimited
                .because("This address has too many connections open. Close some, or use them again.");
            self.refuse(stream, source, problem);
            return;
        };
        // Answers are written whole: waiting to fill a packet would only delay them. A failure shows at the first read.
        let _ = stream.set_nodelay(true);
        let (common, stopping) = (Arc::clone(&self.common), self.stopping.clone());
        let observed = Observed::new(common.settings.observer.clone());
        self.connections.spawn(async move {
            let (_place, _observed) = (place, observed);
            serve_connection(stream, source, common, stopping).await;
        });
    }

    fn refuse(&mut self, stream: TcpStream, source: Source, problem: Problem) {
        tracing::debug!(source = %source.ip(), problem = problem.slug.word(), "a connection was refused");
        self.common.refused(problem.slug);
        if self.refusals.len() < self.room.refusals {
            let may_speak_tls = self.common.settings.tls.is_some();
            self.refusals.spawn(turn_away(stream, problem, may_speak_tls));
        }
    }
}

/// Says why, unless the client speaks TLS: before a handshake, which it has no place for, it could not read that.
async fn turn_away(stream: TcpStream, problem: Problem, may_speak_tls: bool) {
    if !may_speak_tls || matches!(timeout(GLANCE, begins_tls(&stream)).await, Ok(Ok(false))) {
        part(stream, Farewell::Answer(problem)).await;
    }
}

/// The next connection, once the rest that accepting takes is over.
async fn after(rest: Pin<&mut Sleep>, listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    rest.await;
    listener.accept().await
}

fn belongs_to_the_client(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    fn door(limits: crate::Limits, stopping: watch::Receiver<()>) -> Door {
        Door {
            common: Arc::new(Common::new(Router::new(), limits.into())),
            room: Room { connections: limits.connections, refusals: 1 },
            places: Places::new(limits.per_source),
            stopping,
            connections: JoinSet::new(),
            refusals: JoinSet::new(),
        }
    }

    #[tokio::test]
    async fn one_source_does_not_take_every_place() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (_stop, stopping) = watch::channel(());
        let mut door = door(crate::Limits { per_source: 1, ..crate::Limits::default() }, stopping);
        let mut clients = Vec::new();
        for source in ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1"] {
            clients.push(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
            let (stream, _) = listener.accept().await.unwrap();
            door.admit(stream, Source::connected(source.parse().unwrap(), &[]));
        }
        assert_eq!((door.connections.len(), door.refusals.len()), (2, 1));
        let mut said = String::new();
        clients[1].read_to_string(&mut said).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 429 ") && said.contains(":rate-limited"), "{said}");
    }
}
