//! The CloudWatch endpoint: what `aws-sdk-cloudwatch` asks, answered from the stack's own [`Metrics`].
//!
//! The SDK speaks Smithy RPC v2 CBOR and nothing else, so that is what this speaks:
//! `POST /service/GraniteServiceVersion20100801/operation/{operation}`.

mod get_metric_data;
mod list_metrics;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::metrics::Metrics;

/// Name of the service in the request's path.
pub const SERVICE: &str = "GraniteServiceVersion20100801";

/// Answers one call of the API.
#[must_use]
pub fn answer(metrics: &Metrics, operation: &str, body: &[u8]) -> Response {
    let answer = match operation {
        "GetMetricData" => {
            decode(body).and_then(|request| encode(&get_metric_data::answer(metrics, &request)?))
        }
        "ListMetrics" => decode(body).and_then(|request| encode(&list_metrics::answer(metrics, &request)?)),
        _ => Err(ApiError::UnknownOperation(operation.into())),
    };
    let (status, code, body) = match answer {
        Ok(body) => (StatusCode::OK, None, body),
        Err(error) => {
            (error.status(), HeaderValue::try_from(format!("{};Sender", error.code())).ok(), error.body())
        }
    };
    let mut response =
        (status, [(header::CONTENT_TYPE, "application/cbor"), SMITHY_PROTOCOL], body).into_response();
    if let Some(code) = code {
        response.headers_mut().insert("x-amzn-query-error", code);
    }
    response
}

const SMITHY_PROTOCOL: (header::HeaderName, &str) =
    (header::HeaderName::from_static("smithy-protocol"), "rpc-v2-cbor");

/// Why a call is refused; always the caller's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum ApiError {
    #[error("{0}")]
    Validation(String),
    #[error("the NextToken is none that this endpoint issued")]
    InvalidNextToken,
    #[error("the request body is no CBOR of the expected shape: {0}")]
    Serialization(String),
    #[error("the operation {0} is not emulated; the local stack answers GetMetricData and ListMetrics")]
    UnknownOperation(String),
}

impl ApiError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::UnknownOperation(_) => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Validation(_) => "ValidationError",
            Self::InvalidNextToken => "InvalidNextToken",
            Self::Serialization(_) => "SerializationException",
            Self::UnknownOperation(_) => "InvalidAction",
        }
    }

    fn body(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(rename = "__type")]
            kind: &'a str,
            message: &'a str,
        }
        encode(&Body { kind: self.code(), message: &self.to_string() }).unwrap_or_default()
    }
}

/// Name and value, or in a filter perhaps only the name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Dimension {
    name: String,
    #[serde(default)]
    value: Option<String>,
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    ciborium::from_reader(body).map_err(|error| ApiError::Serialization(error.to_string()))
}

fn encode<T: Serialize>(answer: &T) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    ciborium::into_writer(answer, &mut body).map_err(|error| ApiError::Serialization(error.to_string()))?;
    Ok(body)
}

/// The place in a listing that a token stands for; the beginning without one.
fn offset(token: Option<&str>) -> Result<usize, ApiError> {
    let Some(token) = token else { return Ok(0) };
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| ApiError::InvalidNextToken)?;
    let text = str::from_utf8(&bytes).map_err(|_| ApiError::InvalidNextToken)?;
    text.parse().map_err(|_| ApiError::InvalidNextToken)
}

/// The token that continues at `offset`.
fn token(offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(offset.to_string())
}
