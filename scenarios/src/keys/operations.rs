//! The shape of `[operations.NAME]`: what every operation has, and the parameters of the protocol's own. The doc comments
//! become the JSON Schema's descriptions and the remedies in messages.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::keys::draw::Draw;
use crate::keys::duration::Span;
use crate::keys::units;

/// What players do of one of the protocol's operations, and when. Keys that are not listed here are parameters that the protocol
/// has for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OperationKeys {
    /// Arrivals per second at load 1: 0 to 1,000,000. Not with `recording` nor in the closed model.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    #[schemars(transform = units::as_rate)]
    pub rate: Option<f64>,
    /// `open` (arrivals come when they come) or `closed` (a player waits for its answer and thinks before the next request).
    pub model: ModelKind,
    /// How open arrivals are spaced: `constant` or `poisson`. Default: `constant`.
    pub arrivals: Option<Spacing>,
    /// File with recorded arrivals to play again instead of a rate: CSV, or JSONL by its ending, with the column `offset_s` and, if it has several operations, `operation`.
    pub recording: Option<String>,
    /// Closed model only: the pause between an answer and the next request of the same player.
    pub think_time: Option<Draw>,
    /// How long the answer may take. Default: `"10s"`; `"30s"` where it is polled.
    pub timeout: Option<Span>,
    /// After how long the push that it leads to is no longer in time. Default: as `[deliveries]` says.
    pub push_timeout: Option<Span>,
    /// Where the message names its recipients: how many (the lower bound where `fan_out_max` is given), 1 to 2,000. Default: 1.
    #[schemars(range(min = 1, max = 2_000))]
    #[schemars(transform = units::as_count)]
    pub fan_out: Option<u32>,
    /// Upper bound of the recipients, drawn evenly between `fan_out` and this. Default: always `fan_out`.
    #[schemars(range(min = 1, max = 2_000))]
    #[schemars(transform = units::as_count)]
    pub fan_out_max: Option<u32>,
    /// Where the message holds a text: its length in bytes, 48 to 30,000; the first 48 hold the correlation. Default: 64.
    #[schemars(range(min = 48, max = 30_000))]
    #[schemars(transform = units::as_bytes)]
    pub size: Option<u32>,
    /// Where it is polled: the pause between an answer that is not the last and the next question. Default: `"1s"`.
    pub every: Option<Span>,
    /// Parameters of the protocol's.
    #[serde(flatten)]
    pub parameters: BTreeMap<String, Value>,
}

/// Whether arrivals wait for answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// They do not: a slow answer delays no arrival.
    #[default]
    Open,
    /// Each player sends, waits for the answer, thinks, and sends again.
    Closed,
}

/// How open arrivals are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Spacing {
    /// Evenly.
    Constant,
    /// At random, independent of each other: a Poisson process.
    Poisson,
}
