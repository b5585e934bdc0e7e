//! The HTTP part of a connection's life, read and written by hand so that an authorizer can think in between.

use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version, header, request};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::server::{Response, write_response};

use super::id::Id;

/// Longest request head; AWS takes 10,240 bytes of headers and a URL of 4,096 characters.
const MAX_HEAD: usize = 16 * 1_024;
const MAX_URL: usize = 4_096;
const MAX_HEADERS: usize = 100;

/// Why a request could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeadError {
    /// The client went away, or never said anything.
    #[error("the connection ended before its request did: {0}")]
    Ended(#[from] std::io::Error),
    /// This is not HTTP, or too much of it.
    #[error("{1}")]
    Refused(StatusCode, &'static str),
}

/// Reads a request head; also returns what came after it.
pub(super) async fn read_head(stream: &mut TcpStream) -> Result<(request::Parts, Vec<u8>), HeadError> {
    let mut buffer = Vec::with_capacity(1_024);
    loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        if let Some((head, length)) = parse(&buffer)? {
            return Ok((head, buffer.split_off(length)));
        }
        if buffer.len() > MAX_HEAD {
            return Err(HeadError::Refused(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Request header too large",
            ));
        }
    }
}

fn parse(buffer: &[u8]) -> Result<Option<(request::Parts, usize)>, HeadError> {
    const BAD: HeadError = HeadError::Refused(StatusCode::BAD_REQUEST, "Bad request");
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut raw = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = raw.parse(buffer).map_err(|_| BAD)? else { return Ok(None) };
    let target = raw.path.unwrap_or_default();
    if target.len() > MAX_URL {
        return Err(HeadError::Refused(StatusCode::URI_TOO_LONG, "Request-URI too long"));
    }
    let (mut head, ()) = Request::new(()).into_parts();
    head.method = raw.method.and_then(|method| Method::try_from(method).ok()).ok_or(BAD)?;
    head.uri = Uri::try_from(target).map_err(|_| BAD)?;
    head.version = if raw.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    for header in raw.headers.iter() {
        let name = HeaderName::try_from(header.name).map_err(|_| BAD)?;
        let value = HeaderValue::from_bytes(header.value).map_err(|_| BAD)?;
        head.headers.append(name, value);
    }
    Ok(Some((head, length)))
}

/// Writes the 101 of an accepted handshake.
pub(super) async fn accept(stream: &mut TcpStream, response: &Response) -> std::io::Result<()> {
    let mut text = Vec::with_capacity(256);
    write_response(&mut text, response).map_err(std::io::Error::other)?;
    stream.write_all(&text).await
}

/// Writes an error of the gateway itself and ends the connection.
pub(super) async fn refuse(stream: &mut TcpStream, status: StatusCode, message: &str, connection: Id) {
    refuse_with(stream, status, &error_body(message, connection, Id::random())).await;
}

/// Writes a refusal with a body of its own and ends the connection.
pub(super) async fn refuse_with(stream: &mut TcpStream, status: StatusCode, body: &str) {
    let mut response = Response::new(());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::UPGRADE_REQUIRED {
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    let mut text = Vec::with_capacity(256 + body.len());
    if write_response(&mut text, &response).is_ok() {
        text.extend_from_slice(body.as_bytes());
        // A client that does not wait for its refusal has lost nothing.
        drop(stream.write_all(&text).await);
        drop(stream.shutdown().await);
    }
}

/// What API Gateway says on its own account, on a socket as in a handshake.
pub(super) fn error_body(message: &str, connection: Id, request: Id) -> String {
    json!({ "message": message, "connectionId": connection, "requestId": request }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_head_and_leaves_the_rest() {
        let request = b"GET /Development?token=a HTTP/1.1\r\nHost: x\r\nX-Player-Id: p\r\n\r\nrest";
        let (head, length) = parse(request).unwrap().unwrap();
        assert_eq!((head.uri.path(), head.uri.query()), ("/Development", Some("token=a")));
        assert_eq!(head.headers["x-player-id"], "p");
        assert_eq!(&request[length..], b"rest");
        assert!(parse(&request[..40]).unwrap().is_none());
    }

    #[test]
    fn refuses_what_is_no_request() {
        let status = |bytes: &[u8]| match parse(bytes) {
            Err(HeadError::Refused(status, _)) => status.as_u16(),
            other => panic!("{other:?}"),
        };
        assert_eq!(status(b"\x16\x03\x01\x02\x00\x01\x00"), 400);
        assert_eq!(status(format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(5_000)).as_bytes()), 414);
    }
}
