//! The shape of `thresholds`. The doc comments become the JSON Schema's descriptions and the remedies in messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::keys::duration::Span;

/// A rule with a verdict: an expression, or a table where there is more to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Rule {
    /// For the whole run, e.g. `"error_rate < 1%"`.
    Expression(String),
    /// With a phase, or with the right to end the run.
    Table(RuleTable),
}

/// A rule with a phase, or with the right to end the run, e.g.
/// `{ expression = "error_rate < 5%", phase = "peak", abort = true, grace = "10s" }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleTable {
    /// What must hold, e.g. `"send_message.response_time.p99 < 250ms"`.
    pub expression: String,
    /// Name of a phase, or of several that share it: only arrivals that are due in it count, whenever they are answered. Default: all measured phases.
    #[serde(default)]
    pub phase: Option<String>,
    /// Whether the run ends as soon as the rule fails.
    #[serde(default)]
    pub abort: bool,
    /// Only with `abort`: how long the rule may fail at first, from the first second with something to judge. Default: `"0s"`.
    #[serde(default)]
    pub grace: Option<Span>,
}

impl Rule {
    /// The expression, and what else there is to say.
    pub(crate) fn parts(&self) -> (&str, Option<&RuleTable>) {
        match self {
            Self::Expression(expression) => (expression, None),
            Self::Table(table) => (&table.expression, Some(table)),
        }
    }
}
