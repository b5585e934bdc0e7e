//! The shape of what concerns the socket whatever its player does: handshake, frames, opening, heartbeat, replies,
//! errors, closing. The doc comments become the JSON Schema's descriptions and the remedies in messages.

use std::collections::BTreeMap;

use documents::duration::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rule::{Rule, Rules};

/// What a handshake is made of beside the target's URL; texts may hold `${player}`, `${room}`, `${token}`, `${now_ms}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Handshake {
    /// Replaces the path of the target's URL, e.g. `"/socket/websocket"`. Values are percent-encoded.
    pub path: Option<String>,
    /// Query parameters beside the URL's, e.g. `{ vsn = "2.0.0" }`. Values are percent-encoded.
    pub query: BTreeMap<String, String>,
    /// Headers beside the usual ones, e.g. `{ Cookie = "session=${token}" }`.
    pub headers: BTreeMap<String, String>,
    /// Subprotocols that are offered (`Sec-WebSocket-Protocol`); the answer must name one of them.
    pub subprotocols: Vec<String>,
    /// How the names of the Lambda functions end that a handshake passes, in that order, e.g. `["Authorizer", "Connect"]`.
    pub functions: Vec<String>,
    /// How the names of the DynamoDB tables end that they read or write, e.g. `["Connections"]`.
    pub tables: Vec<String>,
}

/// How messages lie in frames.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Frames {
    /// What stands after each message that is sent, e.g. `"\n"`.
    pub join: String,
    /// What parts the messages of a received frame, e.g. `"\n"`; `"array"`: a frame may be a JSON array of messages. Default: a frame is a message.
    pub split: Option<String>,
    /// `text` or `binary`. A binary frame that is received is read as UTF-8.
    pub send_as: SendAs,
}

/// As which kind of frame messages are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SendAs {
    /// A text frame.
    #[default]
    Text,
    /// A binary frame.
    Binary,
}

/// A step on every new socket; the player is ready after the last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name in messages. Default: its number.
    #[serde(default)]
    pub name: Option<String>,
    /// The message that is sent. Default: none, since the target speaks first.
    #[serde(default)]
    pub send: Option<String>,
    /// What is awaited, e.g. `{ "/1" = "${id}", "/4/status" = "ok" }`; `"${id}"` is the number of the step's own message. Default: nothing.
    #[serde(default, rename = "await")]
    pub awaited: Option<Rules>,
    /// Answers with which the step has failed.
    #[serde(default)]
    pub failed: Option<Rules>,
    /// Values that are kept for later messages, e.g. `{ sid = "/response/sid" }`: a pointer into what was awaited, `"${id}"` or a capture of its pattern.
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
    /// How long nothing else is done after it, e.g. `"300ms"`: for what the protocol does not confirm. At most a minute.
    #[serde(default)]
    pub settle: Option<Span>,
}

/// What keeps a quiet socket open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// How often it is sent, e.g. `"30s"`.
    pub every: Span,
    /// The message that is sent. Default: a ping frame.
    #[serde(default)]
    pub send: Option<String>,
    /// What answers it, e.g. `{ "/1" = "${id}" }`.
    #[serde(default)]
    pub expect: Option<Rules>,
    /// The longest time without any frame of the target, e.g. `"60s"`, after which the socket counts as dead; more than `every`.
    #[serde(default)]
    pub silence: Option<Span>,
}

/// What is answered at once, whatever else is awaited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// What is answered, e.g. `{ "/type" = "ping" }`.
    pub when: Rule,
    /// The answer; it may hold `${/pointer}` into what was received, captures of its pattern, and `${now_ms}`.
    pub send: String,
}

/// An error that names no request: it fails one that is awaited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Error {
    /// How it is known, e.g. `{ "/type" = "error" }`.
    pub when: Rule,
    /// Where it says what is wrong, e.g. `"/message"`. Default: the whole message.
    #[serde(default)]
    pub said: Option<String>,
}

/// What is known and of no interest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ignore {
    /// How it is known, e.g. `{ "/type" = "welcome" }`.
    pub when: Rule,
}

/// What a close code means: an error class, e.g. `"unauthorized"`, or `{ class = "…", retry = "no" }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Close {
    /// The error class.
    Class(String),
    /// The error class, and what the player does.
    Told(Told),
}

/// An error class, and what the player does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The error class under which the end of the socket counts, e.g. `"unauthorized"`.
    pub class: String,
    /// `policy` (what the scenario's `[reconnect]` says), `no` (stay away) or `at_once`.
    #[serde(default)]
    pub retry: Retry,
}

/// What a player does whose socket was closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// What the scenario's `[reconnect]` says.
    #[default]
    Policy,
    /// It stays away.
    No,
    /// It connects again at once.
    AtOnce,
}
