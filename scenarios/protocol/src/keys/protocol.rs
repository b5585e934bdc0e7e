//! The protocol file's shape. The doc comments become the JSON Schema's descriptions and the remedies in messages.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation::Operation;
use super::socket::{Close, Error, Frames, Handshake, Heartbeat, Ignore, Reply, Step};

/// How a backend talks: what its players send, and how each message that they receive is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// Name of the protocol: letters, digits, `-` and `_`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,64}$"), extend("examples" = ["mine"]))]
    pub name: String,
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: String,
    /// What a handshake is made of beside the target's URL.
    #[serde(default)]
    pub handshake: Handshake,
    /// How messages lie in frames.
    #[serde(default)]
    pub frames: Frames,
    /// Steps on every new socket, in order; the player is ready after the last (the operation `ready`). Default: none.
    #[serde(default)]
    pub opening: Vec<Step>,
    /// What keeps a quiet socket open. Default: nothing.
    #[serde(default)]
    pub heartbeat: Option<Heartbeat>,
    /// What is answered at once, whatever else is awaited.
    #[serde(default)]
    pub replies: Vec<Reply>,
    /// Errors that name no request: each fails one that is awaited. API Gateway's own are known.
    #[serde(default)]
    pub errors: Vec<Error>,
    /// What is known and of no interest.
    #[serde(default)]
    pub ignore: Vec<Ignore>,
    /// What players can do, by name: letters, digits and `_`.
    pub operations: BTreeMap<String, Operation>,
    /// What the target's close codes mean, e.g. `4401 = "unauthorized"`.
    #[serde(default)]
    pub close: BTreeMap<String, Close>,
}
