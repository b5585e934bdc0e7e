//! The shape of `[[feeders]]`. The doc comments become the JSON Schema's descriptions and the remedies in messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file whose columns are values for the parameters of operations: `${column}` stands for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnFeeder {
    /// The file, beside this scenario or at a path from the working directory: CSV (`.csv`, `.tsv`; the first line names the
    /// columns) or JSON Lines (`.jsonl`, `.ndjson`; an object a line).
    pub file: String,
    /// Which row a send takes its values from: `player` (the player's own, round and round), `cycle` (one after the other, as
    /// sends are numbered) or `random` (drawn by seed and send).
    #[serde(default)]
    pub pick: Pick,
}

/// Which row a send takes its values from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pick {
    /// The one of the player's number, from the top again where there are more players than rows.
    #[default]
    Player,
    /// One after the other, as an operation's sends are numbered, and from the top again.
    Cycle,
    /// One that is drawn by the seed and the send: the same send always has the same row.
    Random,
}
