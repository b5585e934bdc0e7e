//! Why a call has no answer.

use http::{HeaderMap, StatusCode};
use reports::printable;
use scenarios::redact;
use serde_json::Value;

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The credentials may not make it.
    #[error("not allowed")]
    Denied,
    /// There is no such thing.
    #[error("there is no such resource")]
    Absent,
    /// The endpoint does not know the operation.
    #[error("the endpoint does not know the operation")]
    NotImplemented,
    /// Too many calls, or the service has a bad moment.
    #[error("{0}")]
    Later(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl Refusal {
    /// What an answer with this status, these headers and this body says.
    pub(super) fn of(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let in_xml = code_in_xml(body);
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let said = |names: [&str; 3]| names.iter().find_map(|name| body[*name].as_str().map(str::to_owned));
        let header = headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
        let code = header.map(str::to_owned).or_else(|| said(["__type", "code", "Code"])).or(in_xml);
        let code = code.unwrap_or_default();
        // `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException`, `ResourceNotFoundException:http://…`
        let code = code.rsplit('#').next().unwrap_or_default();
        let code = code.split(':').next().unwrap_or_default();
        let message = said(["message", "Message", "errorMessage"]).unwrap_or_default();
        let told = printable::line(&redact::text(&format!("{status} {code} {message}"))).trim().to_owned();
        match code {
            "AccessDenied"
            | "AccessDeniedException"
            | "UnauthorizedOperation"
            | "AuthorizationError"
            | "UnauthorizedException" => Self::Denied,
            "ResourceNotFoundException" | "NotFoundException" | "NoSuchResourceException" | "NotFound" => {
                Self::Absent
            }
            "UnknownOperationException" | "UnknownOperation" | "InvalidAction" | "NotImplemented" => {
                Self::NotImplemented
            }
            "" if status == StatusCode::NOT_FOUND || status == StatusCode::METHOD_NOT_ALLOWED => {
                Self::NotImplemented
            }
            _ if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() || is_throttle(code) => {
                Self::Later(told)
            }
            "" if status == StatusCode::FORBIDDEN => Self::Denied,
            _ => Self::Failed(told),
        }
    }
}

/// The code in an answer of a service that speaks XML.
fn code_in_xml(body: &[u8]) -> Option<String> {
    let (_, rest) = str::from_utf8(body).ok()?.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code.to_owned())
}

fn is_throttle(code: &str) -> bool {
    code.starts_with("Throttling")
        || code.starts_with("Throttled")
        || ["TooManyRequestsException", "RequestLimitExceeded", "LimitExceededException", "SlowDown"]
            .contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_known_by_its_code_wherever_that_stands() {
        let of = |status: u16, header: &str, body: &str| {
            let mut headers = HeaderMap::new();
            if !header.is_empty() {
                headers.insert("x-amzn-errortype", header.parse().unwrap());
            }
            Refusal::of(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
        };
        assert_eq!(of(403, "AccessDeniedException:http://x", "{}"), Refusal::Denied);
        assert_eq!(of(403, "", ""), Refusal::Denied);
        let absent =
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no"}"#;
        assert_eq!(of(400, "", absent), Refusal::Absent);
        assert_eq!(of(404, "", "not found"), Refusal::NotImplemented);
        assert_eq!(of(404, "ResourceNotFoundException", "{}"), Refusal::Absent);
        assert!(matches!(of(400, "", r#"{"__type":"ThrottlingException"}"#), Refusal::Later(_)));
        assert!(matches!(of(429, "TooManyRequestsException", "{}"), Refusal::Later(_)));
        assert!(matches!(of(503, "", "busy"), Refusal::Later(_)));
        let xml = "<ErrorResponse><Error><Code>AuthorizationError</Code></Error></ErrorResponse>";
        assert_eq!(of(403, "", xml), Refusal::Denied);
        let expired = of(400, "", r#"{"__type":"ExpiredTokenException","message":"The token is expired"}"#);
        assert_eq!(expired.to_string(), "400 Bad Request ExpiredTokenException The token is expired");
    }
}
