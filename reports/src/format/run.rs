//! Which run it is, and how far it has come.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Identity of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Unique id, also the folder's name.
    pub id: String,
    /// The scenario's name.
    pub name: String,
    /// First instant of the plan.
    pub started_at: Timestamp,
    /// Last instant at which anything was still measured.
    pub ended_at: Timestamp,
    /// `embedded`, or the target's URL without query and credentials.
    pub target: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// Version of loadgen.
    pub version: String,
}

/// How far a run has come.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RunState {
    /// Under way, or killed.
    Running,
    /// The whole plan was carried out.
    Finished,
    /// Stopped by Ctrl-C or SIGTERM.
    Interrupted,
    /// It ended itself before its plan was carried out.
    EndedEarly,
    /// An error ended it, or not everything could be written.
    Failed,
    /// A state that this version does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

impl RunState {
    /// The word in the document.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }
}
