//! The frames on a player's socket: requests, answers, pushes.
//!
//! A route's answer is a plain text, as the tutorial's clients expect. AWS does not promise the order of answers,
//! so a request may carry an `id`; its answer is then a JSON acknowledgement that carries the same `id`. A request with
//! `"trace":true` has its pushes carry [stamps](crate::trace).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::store::{Message, Placement, PlacementStatus};
use crate::trace::Trace;

/// A request frame. Its parts are not parsed: the route decides the type of the body, and the `id` is echoed verbatim.
#[derive(Debug, Default, Deserialize)]
pub struct Request<'a> {
    /// Which route.
    #[serde(borrow, default)]
    route: Option<&'a RawValue>,
    /// Parameters of the route.
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    /// Correlation id.
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    /// Whether the pushes are to carry stamps.
    #[serde(borrow, default)]
    trace: Option<&'a RawValue>,
}

impl<'a> Request<'a> {
    /// Reads a frame; one that is not a JSON object has no route, body or id.
    #[must_use]
    pub fn parse(frame: &'a str) -> Self {
        object(frame).unwrap_or_default()
    }

    /// The route's name: a string's content, any other value's JSON text, empty when there is none.
    #[must_use]
    pub fn route(&self) -> String {
        let Some(route) = self.route else { return String::new() };
        serde_json::from_str(route.get()).unwrap_or_else(|_| route.get().to_owned())
    }

    /// The body, if the frame has one.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// The body read as `T`; `None` when it is missing or something else than such an object.
    #[must_use]
    pub fn body<T: Deserialize<'a>>(&self) -> Option<T> {
        object(self.body?.get())
    }

    /// The id, if it is a JSON string or number.
    #[must_use]
    pub fn id(&self) -> Option<&'a RawValue> {
        self.id.filter(|id| {
            id.get().starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
        })
    }

    /// Whether it asks for stamps in its pushes: `"trace":true`, and nothing else.
    #[must_use]
    pub fn is_traced(&self) -> bool {
        self.trace.is_some_and(|trace| trace.get() == "true")
    }

    /// The frame that answers this request.
    #[must_use]
    pub fn answer(&self, answer: &Answer) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Ack<'a> {
            r#type: &'static str,
            id: &'a RawValue,
            status_code: u16,
            body: &'a AnswerBody,
        }
        match (self.id(), &answer.body) {
            (Some(id), body) => json(&Ack { r#type: "ack", id, status_code: answer.status, body }),
            (None, AnswerBody::Text(text)) => text.clone(),
            (None, body) => json(body),
        }
    }
}

/// The answer of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP-like status.
    pub status: u16,
    /// The body.
    pub body: AnswerBody,
}

impl Answer {
    /// An answer with a text.
    #[must_use]
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self { status, body: AnswerBody::Text(text.into()) }
    }
}

/// Body of an [`Answer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum AnswerBody {
    /// A text.
    Text(String),
    /// The placement that was started.
    #[serde(rename_all = "camelCase")]
    Placement {
        /// Its id.
        placement_id: String,
        /// Its status.
        status: PlacementStatus,
    },
}

/// A message as pushed to its recipient.
#[must_use]
pub fn message_push(message: &Message) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Push<'a> {
        r#type: &'static str,
        message_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        sender_id: Option<&'a str>,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        created_at: Option<i64>,
    }
    json(&Push {
        r#type: "message",
        message_id: &message.message_id,
        sender_id: message.sender_id.as_deref(),
        message: &message.message,
        created_at: message.created_at,
    })
    .into_bytes()
}

/// A placement as pushed to its player, and as polling returns it (without `type`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlacementView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    placement_id: &'a str,
    status: PlacementStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    player_session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    game_session_arn: Option<&'a str>,
}

impl<'a> PlacementView<'a> {
    fn of(placement: &'a Placement, r#type: Option<&'static str>) -> Self {
        Self {
            r#type,
            placement_id: &placement.placement_id,
            status: placement.status,
            ip_address: placement.ip_address.as_deref(),
            dns_name: placement.dns_name.as_deref(),
            port: placement.port.as_deref(),
            player_session_id: placement.player_session_id.as_deref(),
            game_session_arn: placement.game_session_arn.as_deref(),
        }
    }
}

/// A placement's outcome as pushed to its player.
#[must_use]
pub fn placement_push(placement: &Placement) -> Vec<u8> {
    json(&PlacementView::of(placement, Some("placement"))).into_bytes()
}

/// A push with the stamps of its request, as the last member `trace`.
#[must_use]
pub fn traced_push(push: &[u8], trace: &Trace) -> Vec<u8> {
    let mut traced = push.strip_suffix(b"}").unwrap_or(push).to_vec();
    traced.extend_from_slice(b",\"trace\":");
    traced.extend_from_slice(json(trace).as_bytes());
    traced.push(b'}');
    traced
}

/// A placement as the REST API shows it.
#[must_use]
pub fn placement_json(placement: &Placement) -> String {
    json(&PlacementView::of(placement, None))
}

/// Reads a JSON object. Serde alone would also take an array for a struct, member by member.
fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    let text = text.trim_start();
    if text.starts_with('{') { serde_json::from_str(text).ok() } else { None }
}

/// Serializes one of this module's types, none of which can fail to: they are strings and numbers under string keys.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(frame: &str) -> String {
        Request::parse(frame).answer(&Answer::text(200, "Message(s) Sent"))
    }

    #[test]
    fn without_an_id_the_answer_is_the_plain_text() {
        for frame in ["", "no json", "[1]", "{}", r#"{"id":null}"#, r#"{"id":{"a":1}}"#, r#"{"id":true}"#] {
            assert_eq!(answer(frame), "Message(s) Sent", "{frame}");
        }
    }

    #[test]
    fn an_id_is_echoed_verbatim() {
        for id in ["7", "-1", "1e400", "123456789012345678901234567890", r#""a \"b\" é""#, r#""""#] {
            let frame = format!(r#"{{"route":"sendMessage","id": {id} ,"body":{{}}}}"#);
            let expected = format!(r#"{{"type":"ack","id":{id},"statusCode":200,"body":"Message(s) Sent"}}"#);
            assert_eq!(answer(&frame), expected);
        }
    }

    #[test]
    fn a_placement_is_answered_as_json_inside_and_outside_an_ack() {
        let started = Answer {
            status: 200,
            body: AnswerBody::Placement { placement_id: "p".into(), status: PlacementStatus::Pending },
        };
        assert_eq!(Request::parse("{}").answer(&started), r#"{"placementId":"p","status":"PENDING"}"#);
        assert_eq!(
            Request::parse(r#"{"id":1}"#).answer(&started),
            r#"{"type":"ack","id":1,"statusCode":200,"body":{"placementId":"p","status":"PENDING"}}"#
        );
    }

    #[test]
    fn the_route_of_anything_else_than_an_object_is_empty() {
        assert_eq!(Request::parse("hello").route(), "");
        assert_eq!(Request::parse(r#"{"route":"dance"}"#).route(), "dance");
        assert_eq!(Request::parse(r#"{"route":42}"#).route(), "42");
        assert_eq!(Request::parse(r#"{"body":{}}"#).route(), "");
    }

    #[test]
    fn only_true_asks_for_stamps() {
        assert!(Request::parse(r#"{"trace": true }"#).is_traced());
        for frame in
            ["{}", r#"{"trace":false}"#, r#"{"trace":"true"}"#, r#"{"trace":1}"#, r#"{"trace":null}"#]
        {
            assert!(!Request::parse(frame).is_traced(), "{frame}");
        }
    }

    #[test]
    fn stamps_are_the_last_member_of_a_push() {
        let mut trace = Trace::default();
        trace.set(crate::trace::Stage::Gateway, 1_700_000_000_123);
        trace.set(crate::trace::Stage::Posted, 1_700_000_000_123_456);
        assert_eq!(
            String::from_utf8(traced_push(br#"{"type":"message"}"#, &trace)).expect("UTF-8"),
            r#"{"type":"message","trace":{"gateway":1700000000123,"posted":1700000000123456}}"#
        );
    }

    #[test]
    fn pushes_have_exactly_the_documented_members() {
        let message = Message {
            message_id: "m".into(),
            recipient_id: "r".into(),
            sender_id: Some("s".into()),
            message: "hi \"you\"".into(),
            created_at: Some(1_700_000_000_123),
            expire_at: Some(1),
            trace: Some(Trace::default()),
        };
        assert_eq!(
            String::from_utf8(message_push(&message)).expect("UTF-8"),
            r#"{"type":"message","messageId":"m","senderId":"s","message":"hi \"you\"","createdAt":1700000000123}"#
        );
        let mut placement = Placement::pending("p".into(), "r".into(), 1);
        placement.status = PlacementStatus::Fulfilled;
        placement.ip_address = Some("192.0.2.1".into());
        placement.dns_name = Some("host.example".into());
        placement.port = Some("7777".into());
        placement.player_session_id = Some("psess-1".into());
        placement.game_session_arn = Some("arn".into());
        assert_eq!(
            String::from_utf8(placement_push(&placement)).expect("UTF-8"),
            concat!(
                r#"{"type":"placement","placementId":"p","status":"FULFILLED","ipAddress":"192.0.2.1","#,
                r#""dnsName":"host.example","port":"7777","playerSessionId":"psess-1","gameSessionArn":"arn"}"#
            )
        );
    }
}
