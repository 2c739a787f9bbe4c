//! The end of a connection that is not the client's choice: an answer to what was never a request, and time to read it.

use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use httpdate::fmt_http_date;
use protocol::problem::Problem;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::layers::{REQUEST_ID, fresh_id};
use crate::refusal;

/// How long and how much is read after the last word. A socket that is closed with unread bytes is reset by the kernel,
/// and a reset may overtake the answer; but a client that never stops sending does not deserve one.
const LINGER: std::time::Duration = std::time::Duration::from_secs(1);
const LINGER_BYTES: u64 = 16 * 1024 * 1024;

/// How a connection ends.
pub(crate) enum Farewell {
    /// A problem is answered, and the rest of what the client sends is read.
    Answer(Problem),
    /// All was said, but the client may still be sending.
    Linger,
    /// All was said, and all was read.
    Close,
}

/// Says goodbye, within bounds, whatever the client does.
pub(crate) async fn part<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, farewell: Farewell) {
    let goodbye = async {
        if let Farewell::Answer(problem) = &farewell {
            stream.write_all(&answer(problem)).await?;
        }
        stream.shutdown().await?;
        if !matches!(farewell, Farewell::Close) {
            tokio::io::copy(&mut stream.take(LINGER_BYTES), &mut tokio::io::sink()).await?;
        }
        std::io::Result::Ok(())
    };
    // Nothing is owed any more: whether the client took its leave in time, late or by a reset is its own affair.
    let _ = tokio::time::timeout(LINGER, goodbye).await;
}

/// A whole HTTP/1.1 answer.
fn answer(problem: &Problem) -> Vec<u8> {
    let (status, mut headers, body) = refusal::parts(problem);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    // 29 characters that a header may have, as RFC 9110 wants them.
    headers.extend(HeaderValue::from_str(&fmt_http_date(SystemTime::now())).map(|now| (header::DATE, now)));
    let id = fresh_id();
    tracing::debug!(
        ?id,
        status = status.as_u16(),
        problem = problem.slug.word(),
        "answered outside the router"
    );
    headers.extend(id.map(|id| (REQUEST_ID, id)));
    [head(status, &headers), body].concat()
}

fn head(status: StatusCode, headers: &HeaderMap) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for (name, value) in headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}
