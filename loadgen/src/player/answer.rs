//! The answer to an upgrade request or to a proxy's `CONNECT`: its head, and what a refusal says of its reason.
//!
//! A reason often comes in a body, and that in a packet of its own; it is waited for, for a moment, and its beginning kept.

use std::borrow::Cow;
use std::time::Duration;

use httparse::{Response, Status};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::error::ConnectError;
use crate::record::classes;

/// Longest head of an answer.
const MAX_HEAD: usize = 16 * 1024;
/// First guess at the length of an answer.
const HEAD: usize = 512;
/// Bytes that are kept of a refusal's body.
const SHOWN: usize = 512;
/// How long a refusal's body is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// An answer's head, and what has come behind it.
pub(super) struct HttpAnswer {
    /// HTTP status.
    pub(super) status: u16,
    /// What has come behind the head.
    pub(super) rest: Vec<u8>,
    /// Where a redirect leads to.
    location: Option<String>,
    length: Length,
}

/// How a body ends.
#[derive(Clone, Copy)]
enum Length {
    Exactly(usize),
    Chunked,
    ToTheEnd,
}

/// Reads an answer's head; returns what `look` makes of it, too.
pub(super) async fn read<T>(
    stream: &mut (impl AsyncRead + Unpin),
    look: impl Fn(&Response<'_, '_>) -> T,
) -> Result<(T, HttpAnswer), ConnectError> {
    let mut answer = Vec::with_capacity(HEAD);
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(ConnectError::new(
                &classes::CLOSED,
                "the target closed the connection during the handshake",
            ));
        }
        if let Some((length, made, mut read)) = parse(&answer, &look)? {
            read.rest = answer.split_off(length);
            return Ok((made, read));
        }
        if answer.len() > MAX_HEAD {
            return Err(ConnectError::new(&classes::BAD_HANDSHAKE, "the answer's head has no end"));
        }
    }
}

/// The answer's head once it is complete: its length, and what is made of it.
fn parse<T>(
    answer: &[u8],
    look: impl Fn(&Response<'_, '_>) -> T,
) -> Result<Option<(usize, T, HttpAnswer)>, ConnectError> {
    let mut headers = [httparse::EMPTY_HEADER; 48];
    let mut response = Response::new(&mut headers);
    match response.parse(answer) {
        Ok(Status::Complete(length)) => {
            let status = response.code.unwrap_or(0);
            // A good answer costs nothing more.
            let refused = status != 101;
            let location = header(&response, "location").filter(|_| refused).map(Cow::into_owned);
            let read = HttpAnswer { status, rest: Vec::new(), location, length: length_of(&response) };
            Ok(Some((length, look(&response), read)))
        }
        Ok(Status::Partial) => Ok(None),
        Err(error) => {
            let start = String::from_utf8_lossy(&answer[..answer.len().min(80)]).into_owned();
            Err(ConnectError::new(&classes::BAD_HANDSHAKE, format!("{error}: {start:?}")))
        }
    }
}

/// A header's value.
pub(super) fn header<'h>(head: &'h Response<'_, '_>, name: &str) -> Option<Cow<'h, str>> {
    let found = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
    Some(String::from_utf8_lossy(found.value))
}

fn length_of(head: &Response<'_, '_>) -> Length {
    if matches!(head.code, Some(100..=199 | 204 | 304)) {
        return Length::Exactly(0);
    }
    match (header(head, "transfer-encoding"), header(head, "content-length")) {
        (Some(coding), _) if coding.to_ascii_lowercase().contains("chunked") => Length::Chunked,
        (_, Some(length)) => length.trim().parse().map_or(Length::ToTheEnd, Length::Exactly),
        _ => Length::ToTheEnd,
    }
}

impl HttpAnswer {
    /// A refusal in words: status, where a redirect leads to, and the beginning of the body.
    pub(super) async fn reason(self, stream: &mut (impl AsyncRead + Unpin)) -> String {
        let Self { status, location, length, rest } = self;
        let location = location.map_or_else(String::new, |place| format!(", Location: {place}"));
        let body = body(stream, rest, length).await;
        let body = String::from_utf8_lossy(&body);
        let shown = body.trim().replace(char::is_control, " ");
        let blank = if shown.is_empty() { "" } else { " " };
        format!("HTTP {status}{location}{blank}{shown}")
    }
}

/// The beginning of a body of which something has come already.
async fn body(stream: &mut (impl AsyncRead + Unpin), mut body: Vec<u8>, length: Length) -> Vec<u8> {
    let enough = |body: &[u8]| match length {
        Length::Exactly(length) => body.len() >= length.min(SHOWN),
        Length::Chunked => body.ends_with(b"\r\n0\r\n\r\n") || body.len() >= SHOWN * 2,
        Length::ToTheEnd => body.len() >= SHOWN,
    };
    let reading = async { while !enough(&body) && matches!(stream.read_buf(&mut body).await, Ok(1..)) {} };
    // What has come until then is shown all the same.
    let _ = tokio::time::timeout(PATIENCE, reading).await;
    if matches!(length, Length::Chunked) {
        body = unchunked(&body);
    }
    body.truncate(SHOWN);
    body
}

/// The chunks of a body, as far as they go.
fn unchunked(mut coded: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Status::Complete((start, size))) = httparse::parse_chunk_size(coded)
        && size > 0
    {
        let rest = &coded[start..];
        let taken = usize::try_from(size).unwrap_or(usize::MAX).min(rest.len());
        body.extend_from_slice(&rest[..taken]);
        coded = rest[taken..].strip_prefix(b"\r\n").unwrap_or_default();
    }
    body
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// What is made of an answer that comes in parts, after which the connection stays open.
    async fn reason(parts: &'static [&'static [u8]]) -> String {
        let (mut ours, mut theirs) = tokio::io::duplex(16 * 1024);
        let writing = tokio::spawn(async move {
            for part in parts {
                theirs.write_all(part).await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            theirs
        });
        let ((), answer) = read(&mut ours, |_| ()).await.unwrap_or_else(|error| panic!("{error}"));
        let reason = answer.reason(&mut ours).await;
        drop(writing.await.unwrap());
        reason
    }

    #[tokio::test]
    async fn a_body_in_a_packet_of_its_own_is_the_reason() {
        let late: &[&[u8]] =
            &[b"HTTP/1.1 403 Forbidden\r\nContent-Length: 14\r\n\r\n", b"quota ", b"exceeded"];
        assert_eq!(reason(late).await, "HTTP 403 quota exceeded");
        let chunked: &[&[u8]] = &[
            b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nquota \r\n",
            b"8\r\nexceeded\r\n0\r\n\r\n",
        ];
        assert_eq!(reason(chunked).await, "HTTP 403 quota exceeded");
        let endless: &[&[u8]] = &[b"HTTP/1.1 500 No\r\n\r\nline\r\nand line"];
        assert_eq!(reason(endless).await, "HTTP 500 line  and line", "what came until the patience ended");
    }

    #[tokio::test]
    async fn a_redirect_says_where_to_and_an_empty_answer_little() {
        let moved: &[&[u8]] =
            &[b"HTTP/1.1 301 Moved\r\nlocation: wss://new.example/Stage\r\nContent-Length: 0\r\n\r\n"];
        assert_eq!(reason(moved).await, "HTTP 301, Location: wss://new.example/Stage");
        assert_eq!(reason(&[b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"]).await, "HTTP 401");
    }

    #[tokio::test]
    async fn of_a_long_body_the_beginning_is_kept() {
        let (mut ours, mut theirs) = tokio::io::duplex(1024);
        let writing = tokio::spawn(async move {
            theirs.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 250000000\r\n\r\n").await.unwrap();
            // Blocked as soon as the reader stops.
            while theirs.write_all(&[b'x'; 1024]).await.is_ok() {}
        });
        let ((), answer) = read(&mut ours, |_| ()).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answer.reason(&mut ours).await, format!("HTTP 403 {}", "x".repeat(512)));
        drop(ours);
        writing.await.unwrap();
    }

    #[tokio::test]
    async fn what_is_no_answer_is_told() {
        let class = async |bytes: &'static [u8]| {
            let mut bytes = bytes;
            read(&mut bytes, |_| ()).await.map(drop).unwrap_err().class
        };
        assert_eq!(class(b"\x16\x03garbage\r\n\r\n").await, "bad_handshake");
        assert_eq!(class(b"HTTP/1.1 101 Switch").await, "closed");
    }
}
