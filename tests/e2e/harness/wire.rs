//! One kept HTTP connection on a thread of its own, with as little as can be between the socket and the story: a kill
//! that follows an answer has to come within microseconds of it.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;

use rustls::{ClientConnection, StreamOwned};
use serde_json::Value;

use super::key::Key;
use super::wait::DEADLINE;

/// A connection to one program.
pub(crate) struct Wire(BufReader<Box<dyn Duplex>>);

/// A stream, with or without TLS.
trait Duplex: Read + Write + Send {}

impl<S: Read + Write + Send> Duplex for S {}

impl Wire {
    /// Connects, over TLS if there is a key to show, or says that nobody listens.
    pub(crate) fn connect(place: &str, key: Option<&Key>) -> io::Result<Self> {
        let stream = TcpStream::connect(place)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        let Some(key) = key else { return Ok(Self(BufReader::new(Box::new(stream)))) };
        let session = ClientConnection::new(key.as_client(), "peer.invalid".try_into().unwrap());
        let session = session.map_err(io::Error::other)?;
        Ok(Self(BufReader::new(Box::new(StreamOwned::new(session, stream)))))
    }

    /// Posts JSON and gives the status, with the rest of the answer read. An error means that the connection was cut.
    pub(crate) fn post(&mut self, path: &str, headers: &str, body: &Value) -> io::Result<u16> {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{headers}\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.get_mut().write_all(request.as_bytes())?;
        self.0.get_mut().flush()?;
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut length = 0;
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(|_| io::ErrorKind::InvalidData)?;
            }
        }
        self.0.read_exact(&mut vec![0; length])?;
        Ok(status)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}
