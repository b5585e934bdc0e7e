//! The messages of the protocol, as the players see them: requests out, answers and pushes in.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A request of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// `sendMessage`.
    SendMessage,
    /// `sessionPlacementRequest`.
    PlacementRequest,
    /// A route that the backend does not know.
    UnknownRoute,
}

/// Correlates a request with its answer: the operation and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckId {
    /// What was asked.
    pub operation: Request,
    /// Its number among the plan's arrivals of this operation.
    pub index: u64,
}

impl AckId {
    const LETTERS: [(Request, char); 3] =
        [(Request::SendMessage, 'm'), (Request::PlacementRequest, 'p'), (Request::UnknownRoute, 'u')];

    fn parse(text: &str) -> Option<Self> {
        let (operation, letter) = Self::LETTERS.into_iter().find(|(_, letter)| text.starts_with(*letter))?;
        Some(Self { operation, index: text.strip_prefix(letter)?.parse().ok()? })
    }
}

impl fmt::Display for AckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = Self::LETTERS.iter().find(|(operation, _)| *operation == self.operation);
        write!(f, "{}{}", letter.map_or('?', |(_, letter)| *letter), self.index)
    }
}

/// Status of a placement that brings a game session.
pub(super) const FULFILLED: &str = "FULFILLED";

/// Body of `sendMessage`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageBody<'a> {
    player_ids: &'a [String],
    message: &'a str,
}

/// `sendMessage` to these players.
pub(super) fn send_message(id: AckId, recipients: &[String], message: &str) -> String {
    // Strings and lists of strings always serialise.
    let body = serde_json::to_string(&MessageBody { player_ids: recipients, message }).unwrap_or_default();
    request("sendMessage", id, &body)
}

/// `sessionPlacementRequest`, all parameters left to the backend.
pub(super) fn placement_request(id: AckId) -> String {
    request("sessionPlacementRequest", id, "{}")
}

/// A route that no backend defines.
pub(super) fn unknown_route(id: AckId) -> String {
    request("loadgenUnknownRoute", id, "{}")
}

/// A request frame; neither routes nor ids have anything in them that JSON would escape.
fn request(route: &str, id: AckId, body: &str) -> String {
    format!(r#"{{"route":"{route}","id":"{id}","body":{body}}}"#)
}

/// A received text frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// A route's own answer.
    Ack {
        /// Which request.
        id: AckId,
        /// HTTP-like status.
        status: u16,
        /// The placement that was started, if any.
        placement: Option<String>,
        /// The body, for error samples.
        body: Cow<'a, str>,
    },
    /// An answer without an id: the plain texts of the protocol.
    PlainAnswer {
        /// What it must be an answer to.
        operation: Request,
        /// HTTP-like status that the text stands for.
        status: u16,
        /// The placement that was started, if any.
        placement: Option<String>,
    },
    /// A pushed message.
    Message {
        /// Its text.
        text: Cow<'a, str>,
    },
    /// A pushed placement.
    Placement {
        /// Its id.
        id: Cow<'a, str>,
        /// [`FULFILLED`], `TIMED_OUT`, `FAILED` or `CANCELLED`.
        status: Cow<'a, str>,
    },
    /// API Gateway's own error frame.
    GatewayError(Cow<'a, str>),
    /// None of these.
    Garbage,
}

/// A text, borrowed where nothing in it is escaped: serde copies an `Option<Cow<str>>` whatever is in it.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame<'a> {
    #[serde(borrow)]
    r#type: Option<Text<'a>>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    status_code: Option<u16>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(borrow)]
    placement_id: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    connection_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlacementBody {
    placement_id: String,
}

impl<'a> Incoming<'a> {
    /// Reads a text frame.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        match serde_json::from_str::<Frame<'a>>(text) {
            Ok(frame) => Self::from_frame(frame),
            Err(_) => Self::from_plain(text),
        }
    }

    fn from_frame(frame: Frame<'a>) -> Self {
        match frame.r#type.as_ref().map(|Text(kind)| kind.as_ref()) {
            Some("message") => frame.message.map_or(Self::Garbage, |Text(text)| Self::Message { text }),
            Some("placement") => match (frame.placement_id, frame.status) {
                (Some(Text(id)), Some(Text(status))) => Self::Placement { id, status },
                _ => Self::Garbage,
            },
            Some("ack") => match (frame.id.and_then(|Text(id)| AckId::parse(&id)), frame.status_code) {
                (Some(id), Some(status)) => {
                    let body = frame.body.map_or("", RawValue::get);
                    let placement = (id.operation == Request::PlacementRequest)
                        .then(|| serde_json::from_str(body).ok())
                        .flatten()
                        .map(|body: PlacementBody| body.placement_id);
                    Self::Ack { id, status, placement, body: Cow::Borrowed(body) }
                }
                _ => Self::Garbage,
            },
            Some(_) => Self::Garbage,
            None => match (frame.message, frame.connection_id, frame.placement_id) {
                (Some(Text(message)), Some(_), _) => Self::GatewayError(message),
                (_, _, Some(Text(id))) => Self::PlainAnswer {
                    operation: Request::PlacementRequest,
                    status: 200,
                    placement: Some(id.into_owned()),
                },
                _ => Self::Garbage,
            },
        }
    }

    fn from_plain(text: &str) -> Self {
        let (operation, status) = match text {
            "Message(s) Sent" => (Request::SendMessage, 200),
            text if text.starts_with("Missing Params [") => (Request::SendMessage, 400),
            text if text.starts_with("Route [") && text.ends_with("] Not Found") => {
                (Request::UnknownRoute, 404)
            }
            _ => return Self::Garbage,
        };
        Self::PlainAnswer { operation, status, placement: None }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requests_are_json_whatever_is_said() {
        let id = AckId { operation: Request::SendMessage, index: 7 };
        let read = |text: String| serde_json::from_str::<serde_json::Value>(&text).unwrap();
        let to = ["a".to_owned(), "\"b\"".to_owned()];
        assert_eq!(
            read(send_message(id, &to, "say \"hé\"\n")),
            serde_json::json!({
                "route": "sendMessage", "id": "m7", "body": { "playerIds": to, "message": "say \"hé\"\n" }
            })
        );
        let nothing = serde_json::json!({ "route": "loadgenUnknownRoute", "id": "m7", "body": {} });
        assert_eq!(read(unknown_route(id)), nothing);
    }

    #[test]
    fn every_frame_of_the_protocol_is_known() {
        let id = AckId { operation: Request::PlacementRequest, index: 7 };
        let ack =
            r#"{"type":"ack","id":"p7","statusCode":200,"body":{"placementId":"x-1","status":"PENDING"}}"#;
        let Incoming::Ack { id: read, status: 200, placement, .. } = Incoming::parse(ack) else { panic!() };
        assert_eq!((read, placement.as_deref()), (id, Some("x-1")));

        let push = r#"{"type":"message","messageId":"1","senderId":"a","message":"h\u00e9","createdAt":1}"#;
        assert_eq!(Incoming::parse(push), Incoming::Message { text: "hé".into() });
        let push = r#"{"type":"placement","placementId":"x-1","status":"FULFILLED","port":"7777"}"#;
        assert_eq!(
            Incoming::parse(push),
            Incoming::Placement { id: "x-1".into(), status: "FULFILLED".into() }
        );
        let error = r#"{"message": "Internal server error", "connectionId":"c=", "requestId":"r="}"#;
        assert_eq!(Incoming::parse(error), Incoming::GatewayError("Internal server error".into()));
        let plain = |operation, status| Incoming::PlainAnswer { operation, status, placement: None };
        assert_eq!(Incoming::parse("Message(s) Sent"), plain(Request::SendMessage, 200));
        assert_eq!(Incoming::parse("Missing Params [message(string)]"), plain(Request::SendMessage, 400));
        assert_eq!(Incoming::parse("Route [x] Not Found"), plain(Request::UnknownRoute, 404));
        for garbage in
            ["", "{}", "[1]", "hello", r#"{"type":"ack"}"#, r#"{"type":"ack","id":"m","statusCode":200}"#]
        {
            assert_eq!(Incoming::parse(garbage), Incoming::Garbage, "{garbage}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Incoming::parse(&text);
        }

        #[test]
        fn an_id_comes_back_as_it_went(index in any::<u64>(), which in 0_usize..3) {
            let id = AckId { operation: AckId::LETTERS[which].0, index };
            prop_assert_eq!(AckId::parse(&id.to_string()), Some(id));
        }
    }
}
