//! The protocols of CloudWatch, DynamoDB and GameLift: Smithy RPC v2 CBOR (Rust SDK) and AWS JSON (boto3).
//!
//! Both have the same shapes. In CBOR a call is `POST /service/{service}/operation/{operation}`; in JSON it is
//! `POST /` with `X-Amz-Target: {service}.{operation}`. The type of an error is in `__type`.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use ciborium::tag::Required;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The encoding of a call and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// Smithy RPC v2 CBOR.
    Cbor,
    /// AWS JSON 1.0.
    Json10,
    /// AWS JSON 1.1.
    Json11,
}

/// One call of a service.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Its encoding.
    pub(super) codec: Codec,
    /// The operation.
    pub(super) operation: String,
    /// The parameters.
    pub(super) body: Bytes,
}

/// The body does not have the shape of the operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the request body is not of the expected shape: {0}")]
pub(super) struct Malformed(String);

/// The route of a service in CBOR.
pub(super) fn path(service: &str) -> String {
    format!("/service/{service}/operation/{{operation}}")
}

/// Service and operation of a call in AWS JSON.
pub(super) fn target(headers: &HeaderMap) -> Option<(&str, &str)> {
    headers.get("x-amz-target")?.to_str().ok()?.split_once('.')
}

impl Codec {
    /// The version of AWS JSON of a call.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let content = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if content == Some(Self::Json11.content_type()) { Self::Json11 } else { Self::Json10 }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Cbor => "application/cbor",
            Self::Json10 => "application/x-amz-json-1.0",
            Self::Json11 => "application/x-amz-json-1.1",
        }
    }

    /// Writes an answer.
    pub(super) fn answer<T: Serialize>(self, answer: &T) -> Response {
        self.respond(StatusCode::OK, answer)
    }

    /// Writes an error.
    pub(super) fn refusal(self, status: StatusCode, code: &str, message: &str) -> Response {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(rename = "__type")]
            kind: &'a str,
            message: &'a str,
        }
        self.respond(status, &Body { kind: code, message })
    }

    fn respond<T: Serialize>(self, status: StatusCode, content: &T) -> Response {
        let headers = [(header::CONTENT_TYPE, self.content_type())];
        match self.write(content) {
            Ok(body) if self == Self::Cbor => {
                (status, headers, [("smithy-protocol", "rpc-v2-cbor")], body).into_response()
            }
            Ok(body) => (status, headers, body).into_response(),
            Err(reason) => (StatusCode::INTERNAL_SERVER_ERROR, reason).into_response(),
        }
    }

    fn write<T: Serialize>(self, content: &T) -> Result<Vec<u8>, String> {
        if self != Self::Cbor {
            return serde_json::to_vec(content).map_err(|error| error.to_string());
        }
        let mut body = Vec::new();
        ciborium::into_writer(content, &mut body).map_err(|error| error.to_string())?;
        Ok(body)
    }
}

impl Call {
    /// Reads the parameters.
    pub(super) fn parameters<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        match self.codec {
            Codec::Cbor => {
                ciborium::from_reader(&self.body[..]).map_err(|error| Malformed(error.to_string()))
            }
            Codec::Json10 | Codec::Json11 => {
                serde_json::from_slice(&self.body).map_err(|error| Malformed(error.to_string()))
            }
        }
    }
}

/// A number that may be encoded as an integer although the model has a float.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub(super) enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    /// Whole seconds, rounded down; 0 before the epoch.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is meant")]
    pub(super) fn seconds(self) -> u64 {
        match self {
            Self::Integer(seconds) => u64::try_from(seconds).unwrap_or(0),
            Self::Float(seconds) => seconds as u64,
        }
    }

    /// The number as a float.
    #[expect(clippy::cast_precision_loss, reason = "quantities of a request, far below 2^53")]
    pub(super) fn float(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }
}

/// Seconds since the epoch: tag 1 in CBOR, a plain number in JSON.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Timestamp(pub(super) Number);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.0.serialize(serializer)
        } else {
            Required::<Number, 1>(self.0).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Number::deserialize(deserializer).map(Self)
        } else {
            Required::<Number, 1>::deserialize(deserializer).map(|seconds| Self(seconds.0))
        }
    }
}
