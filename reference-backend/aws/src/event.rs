//! Derives the function from the event, for the one Lambda of the single layout.

use reference_backend::function::{Function, Table};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Why an event has no function.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is not a JSON object of the expected form.
    #[error("the event cannot be read: {0}; check what invokes this function")]
    Unreadable(#[from] serde_json::Error),
    /// It is not an event of the backend.
    #[error("the event is for none of the backend's functions; check what invokes this function")]
    Unknown,
}

/// The fields that distinguish the services' events.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    /// Of an authorizer's event.
    #[serde(default)]
    method_arn: Option<IgnoredAny>,
    /// Of a REST request.
    #[serde(default)]
    http_method: Option<IgnoredAny>,
    /// Of every API Gateway event.
    #[serde(default)]
    request_context: Option<Context>,
    /// Of SNS and stream events.
    #[serde(default, rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    #[serde(default)]
    route_key: Option<String>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(default, rename = "Sns")]
    sns: Option<IgnoredAny>,
    #[serde(default)]
    dynamodb: Option<Change>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    keys: std::collections::BTreeMap<String, IgnoredAny>,
}

/// The function of an event.
///
/// # Errors
/// [`EventError`] if there is none.
pub fn function_of(payload: &[u8]) -> Result<Function, EventError> {
    let event: Event = serde_json::from_slice(payload)?;
    if event.method_arn.is_some() {
        return Ok(Function::Authorizer);
    }
    if let Some(route) = event.request_context.as_ref().and_then(|context| context.route_key.as_deref()) {
        return Ok(match route {
            "$connect" => Function::Connect,
            "$disconnect" => Function::Disconnect,
            "sendMessage" => Function::SendMessage,
            "sessionPlacementRequest" => Function::SessionPlacementRequest,
            _ => Function::Default,
        });
    }
    if event.http_method.is_some() {
        return Ok(Function::PlacementsRest);
    }
    event.records.first().and_then(of_record).ok_or(EventError::Unknown)
}

fn of_record(record: &Record) -> Option<Function> {
    if record.sns.is_some() {
        return Some(Function::OnPlacementEvent);
    }
    let keys = &record.dynamodb.as_ref()?.keys;
    if keys.contains_key(Table::Messages.key()) {
        Some(Function::OnMessageInserted)
    } else if keys.contains_key(Table::Placements.key()) {
        Some(Function::OnPlacementUpdated)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_function_has_events_of_its_own() {
        let route = |key: &str| json!({ "requestContext": { "routeKey": key, "stage": "S" }, "body": "{}" });
        let change = |key: &str| {
            json!({ "Records": [{ "eventSource": "aws:dynamodb", "dynamodb": {
            "Keys": { key: { "S": "k" } }, "SequenceNumber": "1" } }] })
        };
        let events = [
            (
                Function::Authorizer,
                json!({ "type": "REQUEST", "methodArn": "arn", "requestContext": { "routeKey": "$connect" } }),
            ),
            (Function::Authorizer, json!({ "type": "REQUEST", "methodArn": "arn", "httpMethod": "GET" })),
            (Function::Connect, route("$connect")),
            (Function::Disconnect, route("$disconnect")),
            (Function::Default, route("$default")),
            (Function::SendMessage, route("sendMessage")),
            (Function::SessionPlacementRequest, route("sessionPlacementRequest")),
            (Function::OnMessageInserted, change("messageId")),
            (Function::OnPlacementUpdated, change("placementId")),
            (
                Function::OnPlacementEvent,
                json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": "{}" } }] }),
            ),
            (Function::PlacementsRest, json!({ "httpMethod": "GET", "requestContext": { "stage": "S" } })),
        ];
        for (function, event) in &events {
            let told = function_of(event.to_string().as_bytes()).unwrap();
            assert_eq!(told, *function, "{event}");
        }
        for function in Function::ALL {
            assert!(events.iter().any(|(told, _)| told == function), "{function:?}");
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for event in ["{}", r#"{"Records":[]}"#, r#"{"Records":[{}]}"#, r#"{"requestContext":{}}"#] {
            assert!(matches!(function_of(event.as_bytes()), Err(EventError::Unknown)), "{event}");
        }
        assert!(matches!(function_of(b"garbage"), Err(EventError::Unreadable(_))));
    }
}
