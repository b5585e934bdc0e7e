//! The protocol of Lambda's and API Gateway's control APIs: paths, query parameters and JSON bodies (restJson1).

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// Writes an answer.
pub(super) fn answer(answer: Value) -> Response {
    Json(answer).into_response()
}

/// Writes an error: its code is in a header, its text in the body under both names that the services use.
pub(super) fn refusal(status: StatusCode, code: &'static str, message: &str) -> Response {
    let body = json!({ "message": message, "Message": message });
    (status, [("x-amzn-errortype", code)], Json(body)).into_response()
}
