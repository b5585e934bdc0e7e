//! The CloudWatch endpoint, served from the stack's [`Metrics`].

mod delivery;
mod get_metric_data;
mod list_metrics;
mod profile;

use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use self::delivery::Delivery;
pub use self::profile::{CloudWatchProfile, DeliveryMode};
use super::metrics::Metrics;
use super::paging::{self, UnknownToken, token};
use super::rpc::{Call, Malformed};

/// Name of the service on the wire.
pub(super) const SERVICE: &str = "GraniteServiceVersion20100801";

/// The metrics, and how they are delivered.
pub struct CloudWatch {
    metrics: Metrics,
    delivery: Delivery,
}

impl CloudWatch {
    /// `seed` decides what is late, missing or partial.
    #[must_use]
    pub fn new(metrics: Metrics, profile: &CloudWatchProfile, seed: u64) -> Self {
        Self { metrics, delivery: Delivery::new(profile.clone(), seed) }
    }
}

/// Answers one call of the API.
pub(super) fn answer(metrics: &CloudWatch, call: &Call) -> Response {
    let answer = match call.operation.as_str() {
        "GetMetricData" => get_metric_data(metrics, call),
        "ListMetrics" => list_metrics(&metrics.metrics, call),
        _ => Err(CloudWatchError::UnknownOperation(call.operation.clone())),
    };
    answer.unwrap_or_else(|error| {
        let mut response = call.codec.refusal(error.status(), error.code(), &error.to_string());
        // SDKs use this header, with the service's older codes, before the body.
        if let Ok(code) = HeaderValue::try_from(format!("{};Sender", error.code())) {
            response.headers_mut().insert("x-amzn-query-error", code);
        }
        response
    })
}

fn get_metric_data(cloudwatch: &CloudWatch, call: &Call) -> Result<Response, CloudWatchError> {
    if !cloudwatch.delivery.admits() {
        return Err(CloudWatchError::Throttled);
    }
    Ok(call.codec.answer(&get_metric_data::answer(cloudwatch, &call.parameters()?)?))
}

fn list_metrics(metrics: &Metrics, call: &Call) -> Result<Response, CloudWatchError> {
    Ok(call.codec.answer(&list_metrics::answer(metrics, &call.parameters()?)?))
}

/// Why a call fails; except for a throttle, a mistake of the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum CloudWatchError {
    #[error("{0}")]
    Validation(String),
    #[error("Rate exceeded")]
    Throttled,
    #[error("the NextToken is none that this endpoint issued")]
    InvalidNextToken,
    #[error(transparent)]
    Serialization(#[from] Malformed),
    #[error("the operation {0} is not emulated; the local stack answers GetMetricData and ListMetrics")]
    UnknownOperation(String),
}

impl CloudWatchError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::UnknownOperation(_) => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Validation(_) => "ValidationError",
            Self::Throttled => "ThrottlingException",
            Self::InvalidNextToken => "InvalidNextToken",
            Self::Serialization(_) => "SerializationException",
            Self::UnknownOperation(_) => "InvalidAction",
        }
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

/// The offset of a token; 0 without one.
fn offset(token: Option<&str>) -> Result<usize, CloudWatchError> {
    paging::offset(token).map_err(|UnknownToken| CloudWatchError::InvalidNextToken)
}
