//! The tables `[churn]`, `[reconnect]`, `[[storms]]`, `[slow_readers]`, `[half_open]` and `[malformed]`. The doc
//! comments become the JSON Schema's descriptions and the remedies in messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::keys::draw::Draw;
use crate::keys::duration::Span;
use crate::keys::units;

/// What says today what keys of earlier versions said: the remedy.
const PLAYED: &str = "write what players do between coming and leaving as a journey instead of `[churn]`: `[[journeys]]` with e.g. \
    steps = [{ pause = \"2s\" }, { do = \"placement_request\", until = \"push\" }, { pause = \"30s\" }, { leave = \"5s\" }]";

/// Players that leave and come back: connect, stay, leave, pause, connect again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-gone" = { "place": PLAYED, "lobby": PLAYED }))]
pub struct Churn {
    /// Share of the players that churn, 0 to 1; the others stay. Default: all.
    #[serde(default = "all")]
    #[schemars(range(min = 0.0, max = 1.0))]
    #[schemars(transform = units::as_share)]
    pub share: f64,
    /// How long a player stays, e.g. `"30s"`, `"10s to 1m"`, `"exponential 30s"`: from the open socket to its leaving.
    pub session: Draw,
    /// How long it is away before it connects again, with the same player id.
    pub pause: Draw,
}

const fn all() -> f64 {
    1.0
}

/// What a player does when its socket is lost or its handshake refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reconnect {
    /// `none` (it stays away), `constant` (every `base`) or `exponential` (full jitter: evenly from 0 to `base`·2ⁿ, at
    /// most `cap`).
    pub policy: Policy,
    /// The wait of `constant`, the first bound of `exponential`. Default: 1 s, and 100 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Span>,
    /// Bound of `exponential`'s waits. Default: 20 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<Span>,
    /// After so many failed attempts in a row a player gives up, 1 to 100,000. Default: never.
    #[schemars(range(min = 1, max = 100_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = units::as_count)]
    pub max_attempts: Option<u32>,
}

/// How the waits before a player's attempts grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// It stays away.
    #[default]
    None,
    /// The same wait before each attempt.
    Constant,
    /// Exponential backoff with full jitter.
    Exponential,
}

/// Sockets cut by the players' side, all at once: what a router's or a client's outage does to the backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// When, from the start of the first phase.
    pub at: Span,
    /// Share of the sockets open then, 0 to 1. Default: all.
    #[serde(default = "all")]
    #[schemars(range(min = 0.0, max = 1.0))]
    #[schemars(transform = units::as_share)]
    pub share: f64,
    /// `abort` (FIN without a close frame), `reset` (RST) or `close` (close frame 1001).
    #[serde(default)]
    pub cut: Cut,
    /// Over how long the cuts are spread evenly. Default: all at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Span>,
}

/// How a player's side ends a socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Cut {
    /// The connection ends (FIN) without a close frame.
    #[default]
    Abort,
    /// The connection is reset (RST).
    Reset,
    /// A close frame with 1001, going away.
    Close,
}

/// Players that read slowly or stop reading for a while: the backend's buffers for them fill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowReaders {
    /// Share of the players, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[schemars(transform = units::as_share)]
    pub share: f64,
    /// Wait after each message before the next is read; 20 ms or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// How long a player reads nothing at all, once in each `stall_every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stall: Option<Span>,
    /// From the start of a stall to the start of the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stall_every: Option<Span>,
    /// Receive buffer of their sockets in bytes (`SO_RCVBUF`; Linux doubles it, and has a least): 1,024 to 16 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1_024, max = 16_777_216))]
    #[schemars(transform = units::as_bytes)]
    pub receive_buffer: Option<u32>,
}

/// Players that fall silent without a FIN: they neither read nor write nor answer pings, and only the backend's own
/// clocks can find them out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HalfOpen {
    /// Share of the players, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[schemars(transform = units::as_share)]
    pub share: f64,
    /// How long after its handshake a player falls silent.
    pub after: Draw,
    /// How long it stays so before it looks at its socket again, ends it if the backend has not, and comes back by
    /// `[reconnect]`. Default: to the end of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Draw>,
}

/// What no client should send: each rate is per second over all phases, whatever their load, from players that wait
/// for no answer. 0 to 10,000.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Malformed {
    /// Messages above 128 KiB, in frames of at most 32 KiB. API Gateway closes with 1009.
    #[schemars(range(min = 0.0, max = 10_000.0))]
    #[schemars(transform = units::as_rate)]
    pub oversized_message: f64,
    /// Messages below 128 KiB in one frame above 32 KiB. API Gateway closes with 1009.
    #[schemars(range(min = 0.0, max = 10_000.0))]
    #[schemars(transform = units::as_rate)]
    pub oversized_frame: f64,
    /// Text that is not JSON.
    #[schemars(range(min = 0.0, max = 10_000.0))]
    #[schemars(transform = units::as_rate)]
    pub bad_json: f64,
    /// Text that is not UTF-8. RFC 6455: 1007.
    #[schemars(range(min = 0.0, max = 10_000.0))]
    #[schemars(transform = units::as_rate)]
    pub bad_utf8: f64,
    /// A frame without a mask. RFC 6455: 1002.
    #[schemars(range(min = 0.0, max = 10_000.0))]
    #[schemars(transform = units::as_rate)]
    pub unmasked: f64,
    /// A frame with a reserved opcode. RFC 6455: 1002.
    #[schemars(range(min = 0.0, max = 10_000.0))]
    #[schemars(transform = units::as_rate)]
    pub reserved_opcode: f64,
    /// A frame with a reserved bit set and no extension for it. RFC 6455: 1002.
    #[schemars(range(min = 0.0, max = 10_000.0))]
    #[schemars(transform = units::as_rate)]
    pub reserved_bit: f64,
    /// A binary message. API Gateway closes with 1003.
    #[schemars(range(min = 0.0, max = 10_000.0))]
    #[schemars(transform = units::as_rate)]
    pub binary: f64,
    /// How long the backend's reaction is awaited before it counts as none. Default: 5 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<Span>,
}
