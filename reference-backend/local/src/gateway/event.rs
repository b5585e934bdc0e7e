//! The events that Lambdas get from the gateway.
//!
//! They are serialized from borrowed parts, because every message needs one. The types of `aws_lambda_events` own their
//! data and would write members that API Gateway does not send; tests check that they can read these events.

pub(super) mod rest;

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::http::{HeaderMap, request};
use bytes::Bytes;
use jiff::Timestamp;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use url::form_urlencoded;

use super::iam::Caller;
use super::id::Id;
use crate::account::{ACCOUNT_ID, REGION};

/// Size of a typical event in bytes.
const EVENT: usize = 2_048;

/// The API's names in events, ARNs and metrics.
#[derive(Debug, Clone)]
pub struct Api {
    /// `ApiId`.
    pub id: String,
    /// Host and port of its Management API.
    pub domain: String,
    /// The one stage.
    pub stage: String,
}

impl Api {
    /// ARN of a method: `path` is what follows the stage.
    #[must_use]
    pub fn method_arn(&self, path: &str) -> String {
        format!("arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{}/{}/{path}", self.id, self.stage)
    }
}

/// The client of a request or connection.
#[derive(Debug)]
pub(super) struct Client {
    /// Connection id; random for a REST request.
    pub(super) id: Id,
    /// When the connection began, in epoch milliseconds.
    pub(super) connected_at: i64,
    /// Address of the peer.
    pub(super) source_ip: IpAddr,
    /// User agent of the client.
    pub(super) user_agent: Option<Box<str>>,
    /// The authorizer's context, a JSON object.
    pub(super) authorizer: Option<Box<RawValue>>,
    /// The signer of the request.
    pub(super) caller: Option<Box<Caller>>,
}

impl Client {
    /// A new client.
    pub(super) fn new(source_ip: IpAddr, headers: &HeaderMap) -> Self {
        Self {
            id: Id::random(),
            connected_at: Timestamp::now().as_millisecond(),
            source_ip,
            user_agent: headers.get("user-agent").and_then(|agent| agent.to_str().ok()).map(Into::into),
            authorizer: None,
            caller: None,
        }
    }
}

/// What distinguishes the events of a connection.
enum Occasion<'a> {
    Connect,
    Message { route: &'a str, id: Id },
    Disconnect { code: u16, reason: &'a str },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    route_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_status_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_reason: Option<&'a str>,
    event_type: &'a str,
    extended_request_id: Id,
    request_time: String,
    message_direction: &'a str,
    stage: &'a str,
    connected_at: i64,
    request_time_epoch: i64,
    identity: Identity<'a>,
    request_id: Id,
    domain_name: &'a str,
    connection_id: Id,
    api_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'a RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    source_ip: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
    #[serde(flatten)]
    caller: Option<&'a Caller>,
}

impl<'a> Context<'a> {
    fn new(api: &'a Api, client: &'a Client, request_id: Id, occasion: &Occasion<'a>) -> Self {
        let (route_key, event_type) = match *occasion {
            Occasion::Connect => ("$connect", "CONNECT"),
            Occasion::Message { route, .. } => (route, "MESSAGE"),
            Occasion::Disconnect { .. } => ("$disconnect", "DISCONNECT"),
        };
        let (code, reason) = match *occasion {
            Occasion::Disconnect { code, reason } => (Some(code), Some(reason)),
            _ => (None, None),
        };
        let now = Timestamp::now();
        Self {
            route_key,
            message_id: if let Occasion::Message { id, .. } = *occasion { Some(id) } else { None },
            disconnect_status_code: code,
            disconnect_reason: reason,
            event_type,
            extended_request_id: request_id,
            request_time: clf(now),
            message_direction: "IN",
            stage: &api.stage,
            connected_at: client.connected_at,
            request_time_epoch: now.as_millisecond(),
            identity: Identity::of(client),
            request_id,
            domain_name: &api.domain,
            connection_id: client.id,
            api_id: &api.id,
            authorizer: client.authorizer.as_deref(),
        }
    }
}

impl<'a> Identity<'a> {
    fn of(client: &'a Client) -> Self {
        Self {
            source_ip: client.source_ip,
            user_agent: client.user_agent.as_deref(),
            caller: client.caller.as_deref(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProxyEvent<'a, C> {
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method_arn: Option<&'a str>,
    #[serde(flatten)]
    target: Option<Target<'a>>,
    #[serde(flatten)]
    request: Option<RequestMaps<'a>>,
    request_context: C,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    is_base64_encoded: bool,
}

/// The maps of a request; null if empty, as on AWS.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestMaps<'a> {
    headers: Headers<'a>,
    multi_value_headers: MultiHeaders<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    multi_value_query_string_parameters: BTreeMap<String, Vec<String>>,
}

impl<'a> RequestMaps<'a> {
    fn of(head: &'a request::Parts) -> Self {
        let mut multi = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()) {
            multi.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        let last = multi.iter().filter_map(|(name, values)| Some((name.clone(), values.last()?.clone())));
        Self {
            headers: Headers(&head.headers),
            multi_value_headers: MultiHeaders(&head.headers),
            query_string_parameters: last.collect(),
            multi_value_query_string_parameters: multi,
        }
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.keys_len()))?;
        for name in self.0.keys() {
            let last = self.0.get_all(name).iter().next_back();
            map.serialize_entry(
                name.as_str(),
                &String::from_utf8_lossy(last.map_or(&[], |value| value.as_bytes())),
            )?;
        }
        map.end()
    }
}

struct MultiHeaders<'a>(&'a HeaderMap);

impl Serialize for MultiHeaders<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.keys_len()))?;
        for name in self.0.keys() {
            let values = self.0.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
            map.serialize_entry(name.as_str(), &values.collect::<Vec<_>>())?;
        }
        map.end()
    }
}

/// `$connect`.
pub(super) fn connect(api: &Api, client: &Client, head: &request::Parts, request_id: Id) -> Bytes {
    let request_context = Context::new(api, client, request_id, &Occasion::Connect);
    json(&ProxyEvent { request: Some(RequestMaps::of(head)), ..ProxyEvent::of(request_context) })
}

/// The authorizer's event at a handshake.
pub(super) fn authorize_socket(
    api: &Api,
    client: &Client,
    head: &request::Parts,
    arn: &str,
    request_id: Id,
) -> Bytes {
    let request_context = Context::new(api, client, request_id, &Occasion::Connect);
    let request = Some(RequestMaps::of(head));
    json(&ProxyEvent {
        r#type: Some("REQUEST"),
        method_arn: Some(arn),
        request,
        ..ProxyEvent::of(request_context)
    })
}

/// A message on a route.
pub(super) fn message(api: &Api, client: &Client, route: &str, body: &str, request_id: Id) -> Bytes {
    let occasion = Occasion::Message { route, id: Id::random() };
    json(&ProxyEvent { body: Some(body), ..ProxyEvent::of(Context::new(api, client, request_id, &occasion)) })
}

/// `$disconnect`.
pub(super) fn disconnect(api: &Api, client: &Client, code: u16, reason: &str) -> Bytes {
    json(&ProxyEvent::of(Context::new(api, client, Id::random(), &Occasion::Disconnect { code, reason })))
}

/// A REST request's place in the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    resource: &'a str,
    path: &'a str,
    http_method: &'a str,
    path_parameters: BTreeMap<&'a str, &'a str>,
}

impl<C> ProxyEvent<'_, C> {
    const fn of(request_context: C) -> Self {
        Self {
            r#type: None,
            method_arn: None,
            target: None,
            request: None,
            request_context,
            body: None,
            is_base64_encoded: false,
        }
    }
}

/// The common log format's time.
fn clf(time: Timestamp) -> String {
    time.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

/// These types are strings and numbers under string keys, which always serialize.
fn json(event: &impl Serialize) -> Bytes {
    reference_backend::json::write(event, EVENT).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use aws_lambda_events::apigw::{
        ApiGatewayCustomAuthorizerRequestTypeRequest, ApiGatewayWebsocketProxyRequest,
    };
    use axum::http::Request as HttpRequest;

    use super::*;

    pub(super) fn api() -> Api {
        Api { id: "local".into(), domain: "127.0.0.1:1".into(), stage: "Development".into() }
    }

    pub(super) fn head(path: &str) -> request::Parts {
        let request = HttpRequest::get(path).header("X-Player-Id", "a").header("x-player-id", "b").body(());
        request.unwrap().into_parts().0
    }

    pub(super) fn client(head: &request::Parts) -> Client {
        let mut client = Client::new(Ipv4Addr::LOCALHOST.into(), &head.headers);
        client.authorizer =
            Some(RawValue::from_string(r#"{"principalId":"a","playerId":"a"}"#.into()).unwrap());
        client
    }

    #[test]
    fn connection_events_read_as_aws_types() {
        let (api, head) = (api(), head("/Development?token=1&token=2&x=%20"));
        let (client, id) = (client(&head), Id::random());

        let event: ApiGatewayWebsocketProxyRequest =
            serde_json::from_slice(&connect(&api, &client, &head, id)).unwrap();
        assert_eq!(event.headers["x-player-id"], "b");
        assert_eq!(event.multi_value_headers.get_all("x-player-id").iter().count(), 2);
        assert_eq!(event.query_string_parameters.first("token"), Some("2"));
        assert_eq!(event.multi_value_query_string_parameters.all("token").unwrap(), ["1", "2"]);
        assert_eq!(event.query_string_parameters.first("x"), Some(" "));
        assert_eq!(event.request_context.event_type.as_deref(), Some("CONNECT"));
        assert_eq!(event.request_context.authorizer.fields["playerId"], "a");

        let bytes = message(&api, &client, "sendMessage", "{\"a\":1}", id);
        let event: ApiGatewayWebsocketProxyRequest = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(event.body.as_deref(), Some("{\"a\":1}"));
        assert_eq!(event.request_context.route_key.as_deref(), Some("sendMessage"));
        assert_eq!(event.request_context.connection_id.as_deref(), Some(client.id.as_str()));
        assert!(event.request_context.message_id.is_some() && event.headers.is_empty());

        let bytes = disconnect(&api, &client, 1001, "Going away");
        let event: ApiGatewayWebsocketProxyRequest = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(event.request_context.disconnect_status_code, Some(1001));
        assert_eq!(event.request_context.disconnect_reason.as_deref(), Some("Going away"));

        let arn = api.method_arn("$connect");
        let bytes = authorize_socket(&api, &client, &head, &arn, id);
        let event: ApiGatewayCustomAuthorizerRequestTypeRequest = serde_json::from_slice(&bytes).unwrap();
        assert!(event.method_arn.unwrap().ends_with("/Development/$connect"));
    }
}
