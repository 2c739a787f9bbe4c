//! One connection to a fake: plain HTTP or TLS, as its first byte says, and request after request on it.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};
use serde_json::Value;

use super::super::key::{Key, fingerprint_of};
use super::reply::{Feed, Reply};
use super::{Asked, Seen};

/// The first byte of a TLS connection.
const HANDSHAKE: u8 = 0x16;

/// A connection, with or without TLS, that counts what it hears.
struct Line<'a> {
    transport: Transport,
    seen: &'a Seen,
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Line<'_> {
    fn socket(&self) -> &TcpStream {
        match &self.transport {
            Transport::Plain(stream) => stream,
            Transport::Tls(stream) => &stream.sock,
        }
    }
}

impl Read for Line<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match &mut self.transport {
            Transport::Plain(stream) => stream.read(buffer),
            Transport::Tls(stream) => stream.read(buffer),
        }?;
        self.seen.heard.fetch_add(length, Ordering::SeqCst);
        Ok(length)
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.transport {
            Transport::Plain(stream) => stream.write(bytes),
            Transport::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.transport {
            Transport::Plain(stream) => stream.flush(),
            Transport::Tls(stream) => stream.flush(),
        }
    }
}

/// Answers request after request until the other side closes.
pub(super) fn converse(stream: TcpStream, key: &Key, seen: &Seen, reply: &dyn Fn(&Asked) -> Reply) {
    let Ok((transport, shown)) = greet(stream, key) else { return };
    if matches!(transport, Transport::Tls(_)) {
        seen.handshakes.lock().unwrap().push(shown);
    }
    let mut reader = BufReader::new(Line { transport, seen });
    while let Some(mut asked) = read_request(&mut reader) {
        asked.key = shown;
        seen.asked.lock().unwrap().push(asked.clone());
        let goes_on = match reply(&asked) {
            Reply::Answer(status, headers, body) => answer(reader.get_mut(), status, &headers, &body).is_ok(),
            Reply::Events(feed) => {
                let _ = stream_events(&mut reader, &feed);
                false
            }
            Reply::Silence => {
                // Holds the connection open until the other side gives up.
                let _ = reader.read(&mut [0; 1]);
                false
            }
        };
        asked.over.store(true, Ordering::SeqCst);
        if !goes_on {
            return;
        }
    }
}

/// Waits for the first byte, and for the end of a handshake. Gives the key that was shown in it.
fn greet(mut stream: TcpStream, key: &Key) -> io::Result<(Transport, Option<protocol::Fingerprint>)> {
    let mut first = [0];
    stream.peek(&mut first)?;
    if first != [HANDSHAKE] {
        return Ok((Transport::Plain(stream), None));
    }
    let mut session = ServerConnection::new(key.as_server()).map_err(io::Error::other)?;
    while session.is_handshaking() {
        if let Err(error) = session.complete_io(&mut stream) {
            // So that the other side learns why.
            let _ = session.write_tls(&mut stream);
            return Err(error);
        }
    }
    let shown = session.peer_certificates().and_then(<[_]>::first).map(fingerprint_of);
    Ok((Transport::Tls(Box::new(StreamOwned::new(session, stream))), shown))
}

fn answer(line: &mut Line<'_>, status: u16, headers: &str, body: &str) -> io::Result<()> {
    // RFC 9110, 8.6: a 204 has no length.
    let length = if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    // At once: what is written in two pieces waits 40 ms for the acknowledgement of the first.
    line.write_all(format!("HTTP/1.1 {status} Told\r\n{headers}{length}\r\n{body}").as_bytes())?;
    line.flush()
}

/// Says what the feed says until it ends or the other side gives up.
fn stream_events(reader: &mut BufReader<Line<'_>>, feed: &Feed) -> io::Result<()> {
    let head = b"HTTP/1.1 200 Told\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    reader.get_mut().write_all(head)?;
    // The other side says nothing more: what comes back is its end, or nothing in this time.
    reader.get_ref().socket().set_read_timeout(Some(Duration::from_millis(5)))?;
    let mut said = 0;
    loop {
        let (news, ended) = feed.behind(said);
        reader.get_mut().write_all(&news)?;
        reader.get_mut().flush()?;
        said += news.len();
        match reader.read(&mut [0; 1]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock && !ended => {}
            _ => return Ok(()),
        }
    }
}

/// One request with `Content-Length`, or nothing when the connection ends.
fn read_request(reader: &mut BufReader<Line<'_>>) -> Option<Asked> {
    let (mut what, mut query) = (String::new(), String::new());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if what.is_empty() {
            let request = line.trim_end_matches(" HTTP/1.1");
            let (asked, rest) = request.split_once('?').unwrap_or((request, ""));
            (what, query) = (asked.to_owned(), rest.to_owned());
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Some(Asked { what, query, headers, body, key: None, over: Arc::default() })
}
