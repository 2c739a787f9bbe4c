//! A proxy in front of a peer, with the keys of both sides: to the sender it is a recipient that knows batches, or none.

use std::io::{Error, Result};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;

use super::client::Connection;
use super::key::{acceptor_of, connector_of};

/// Listens in the place of a peer.
pub struct Proxy {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Whose keys it has, and what it passes on.
pub struct Between {
    /// The sender's key file.
    pub sender: PathBuf,
    /// The recipient's key file.
    pub recipient: PathBuf,
    /// Where the recipient really listens.
    pub address: SocketAddr,
    /// Whether batches are passed on.
    pub batches: bool,
}

impl Proxy {
    /// Takes a free port.
    pub async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    /// Passes requests on, as long as it is polled.
    pub async fn run(self, between: Between) {
        let between = Arc::new(between);
        while let Ok((stream, _)) = self.listener.accept().await {
            let between = Arc::clone(&between);
            tokio::spawn(async move { drop(pass(stream, &between).await) });
        }
    }
}

/// One connection, request after request, until the sender closes.
async fn pass(stream: TcpStream, between: &Between) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut sender = BufReader::new(acceptor_of(&between.recipient).accept(stream).await?);
    let mut recipient = Connection::open_with(&connector_of(&between.sender), between.address).await?;
    while let Some((request, head)) = read(&mut sender).await? {
        if !between.batches && request.get(head) == Some(&b'[') {
            let answer = "HTTP/1.1 415 Unsupported Media Type\r\ncontent-length: 0\r\n\r\n";
            sender.write_all(answer.as_bytes()).await?;
        } else {
            let (_, answer) = recipient.ask(&request).await?;
            sender.write_all(answer).await?;
        }
        sender.flush().await?;
    }
    Ok(())
}

/// A request, and how many of its bytes are its head; nothing at the end.
async fn read(sender: &mut BufReader<TlsStream<TcpStream>>) -> Result<Option<(Vec<u8>, usize)>> {
    let (mut request, mut length) = (Vec::new(), 0);
    loop {
        let begin = request.len();
        if sender.read_until(b'\n', &mut request).await? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&request[begin..]).to_ascii_lowercase();
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(Error::other)?;
        }
    }
    let head = request.len();
    request.resize(head + length, 0);
    sender.read_exact(&mut request[head..]).await?;
    Ok(Some((request, head)))
}
