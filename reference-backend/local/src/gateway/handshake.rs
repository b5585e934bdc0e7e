//! The HTTP upgrade, read and written in two steps so that the authorizer runs in between.

use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version, header, request};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::server::{Response, write_response};

use super::authorizer::Denial;
use super::id::Id;

/// Longest request head; AWS takes 10,240 bytes of headers and a URL of 4,096 characters.
const MAX_HEAD: usize = 16 * 1_024;
const MAX_URL: usize = 4_096;
const MAX_HEADERS: usize = 100;

/// Why a request could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeadError {
    /// The client closed the connection.
    #[error("the connection ended before its request did: {0}")]
    Ended(#[from] std::io::Error),
    /// Not HTTP, or too large.
    #[error("{1}")]
    Refused(StatusCode, &'static str),
}

/// Reads a request head, as the bytes that it is; also returns what came after it.
pub(super) async fn read_head(stream: &mut TcpStream) -> Result<(Vec<u8>, Vec<u8>), HeadError> {
    let mut buffer = Vec::with_capacity(1_024);
    loop {
        // One byte over the limit shows that it is passed, however much has arrived at once.
        let room = (MAX_HEAD + 1).saturating_sub(buffer.len());
        if (&mut *stream).take(room as u64).read_buf(&mut buffer).await? == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        if let Some(length) = length(&buffer)? {
            let rest = buffer.split_off(length);
            return Ok((buffer, rest));
        }
        if buffer.len() > MAX_HEAD {
            return Err(HeadError::Refused(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Request header too large",
            ));
        }
    }
}

const BAD: (StatusCode, &str) = (StatusCode::BAD_REQUEST, "Bad request");

/// Length of the head, once it is complete.
fn length(buffer: &[u8]) -> Result<Option<usize>, HeadError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    match httparse::Request::new(&mut headers).parse(buffer) {
        Ok(httparse::Status::Complete(length)) => Ok(Some(length)),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(_) => Err(HeadError::Refused(BAD.0, BAD.1)),
    }
}

/// Parses a complete head.
///
/// # Errors
/// The answer to a malformed head.
pub(super) fn parse(head: &[u8]) -> Result<request::Parts, (StatusCode, &'static str)> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut raw = httparse::Request::new(&mut headers);
    raw.parse(head).map_err(|_| BAD)?;
    let target = raw.path.unwrap_or_default();
    if target.len() > MAX_URL {
        return Err((StatusCode::URI_TOO_LONG, "Request-URI too long"));
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
    Ok(head)
}

/// The 101 of an accepted handshake.
pub(super) fn acceptance(response: &Response) -> Vec<u8> {
    let mut text = Vec::with_capacity(256);
    // Writing to memory cannot fail.
    drop(write_response(&mut text, response));
    text
}

/// An error of the gateway itself.
pub(super) fn refusal(status: StatusCode, message: &str, connection: Id) -> Vec<u8> {
    refusal_with(status, &error_body(message, connection, Id::random()))
}

/// A denial of the guard.
pub(super) fn denied(denial: &Denial, connection: Id) -> Vec<u8> {
    let body = error_body(&denial.to_string(), connection, Id::random());
    refusal_of(denial.status(), &body, Some(denial.error_type()))
}

/// A refusal with a body of its own.
pub(super) fn refusal_with(status: StatusCode, body: &str) -> Vec<u8> {
    refusal_of(status, body, None)
}

fn refusal_of(status: StatusCode, body: &str, error_type: Option<&'static str>) -> Vec<u8> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::UPGRADE_REQUIRED {
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    if let Some(error_type) = error_type {
        headers.insert("x-amzn-errortype", HeaderValue::from_static(error_type));
    }
    let mut text = acceptance(&response);
    text.extend_from_slice(body.as_bytes());
    text
}

/// Writes a refusal and ends the connection.
pub(super) async fn refuse(stream: &mut TcpStream, refusal: &[u8]) {
    // The client may have closed the connection.
    drop(stream.write_all(refusal).await);
    drop(stream.shutdown().await);
}

/// The messages of API Gateway itself.
pub(super) fn error_body(message: &str, connection: Id, request: Id) -> String {
    json!({ "message": message, "connectionId": connection, "requestId": request }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_head_and_leaves_the_rest() {
        let request = b"GET /Development?token=a HTTP/1.1\r\nHost: x\r\nX-Player-Id: p\r\n\r\nrest";
        let length = length(request).unwrap().unwrap();
        let head = parse(&request[..length]).unwrap();
        assert_eq!((head.uri.path(), head.uri.query()), ("/Development", Some("token=a")));
        assert_eq!(head.headers["x-player-id"], "p");
        assert_eq!(&request[length..], b"rest");
        assert!(super::length(&request[..40]).unwrap().is_none());
    }

    #[test]
    fn refuses_what_is_no_request() {
        let status = |bytes: &[u8]| match (length(bytes), parse(bytes)) {
            (Err(HeadError::Refused(status, _)), _) | (Ok(_), Err((status, _))) => status.as_u16(),
            other => panic!("{other:?}"),
        };
        assert_eq!(status(b"\x16\x03\x01\x02\x00\x01\x00"), 400);
        assert_eq!(status(format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(5_000)).as_bytes()), 414);
    }
}
