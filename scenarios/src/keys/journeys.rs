//! The shape of `[[journeys]]`. The doc comments become the JSON Schema's descriptions and the remedies in messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::keys::draw::Draw;
use crate::keys::times::Times;
use crate::keys::units;

/// What a player does in order, from the moment it is ready. Where a scenario has journeys, each player has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Journey {
    /// Its name: letters, digits, `-` and `_`. As a whole it is an operation of this name, with a time and a share that
    /// failed, e.g. for the threshold `"evening.response_time.p95 < 60s"`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,64}$"), extend("examples" = ["evening"]))]
    pub name: String,
    /// How many players take it, among all journeys: 0 to 1,000,000. Of two with the weights 3 and 1, three quarters of the
    /// players take the first. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 1_000_000))]
    #[schemars(transform = units::as_count)]
    pub weight: u32,
    /// Whether it begins again when it has ended. Default: true.
    #[serde(default = "yes", rename = "loop")]
    pub repeats: bool,
    /// What is done, in order: the name of an operation, or a table, e.g. `{ do = "placement_request", until = "push" }`,
    /// `{ pause = "1s to 3s" }` or `{ leave = "10s" }`.
    #[schemars(length(min = 1))]
    pub steps: Vec<Step>,
}

const fn one() -> u32 {
    1
}

const fn yes() -> bool {
    true
}

/// A step of a journey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Step {
    /// Does an operation once, until its answer.
    Operation(String),
    /// An operation with more to say, a pause, or leaving.
    Table(StepTable),
}

/// An operation (`do`, with `until`, `times` and `pause`), a pause (`pause` alone) or leaving (`leave` alone).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StepTable {
    /// The operation that is done.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub does: Option<String>,
    /// Only with `do`: what ends the step, `answer` (its answer) or `push` (the push that it leads to, where that comes back
    /// to the player). Default: `answer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// Only with `do`: how often it is done in a row, e.g. `3` or `"3 to 5"`. Default: once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
    /// How long nothing is done, e.g. `"2s"`, `"1s to 3s"`, `"exponential 2s"`; with `do`: after each time, before the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<Draw>,
    /// Closes the socket, and connects again after so long, with the same player id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave: Option<Draw>,
}

/// What ends a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Until {
    /// The answer; where there is none, the send.
    #[default]
    Answer,
    /// The push that comes back to the player.
    Push,
}

impl Step {
    /// What it says, in the long form.
    pub(crate) fn table(&self) -> StepTable {
        match self {
            Self::Operation(name) => StepTable { does: Some(name.clone()), ..StepTable::default() },
            Self::Table(table) => table.clone(),
        }
    }

    /// The operation that it does.
    pub(crate) fn operation(&self) -> Option<&str> {
        match self {
            Self::Operation(name) => Some(name),
            Self::Table(table) => table.does.as_deref(),
        }
    }
}
