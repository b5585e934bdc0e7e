//! `comparison.json`: whether one side of runs is slower than another, and whether that is real.
//!
//! A stable contract like the run folder's (see `docs/comparing.md`). Words that a later version adds are read as `unknown`.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Document;

/// Version of `comparison.json`.
pub const SCHEMA_VERSION: u32 = 1;

/// What the candidate is against the base.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Change {
    /// Worse by more than the margin.
    Regressed,
    /// Better by more than the margin.
    Improved,
    /// The whole interval lies within the margin.
    Unchanged,
    /// The data does not say.
    #[default]
    Undecided,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Change {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// What a measure is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An operation of the players.
    Operation,
    /// A push.
    Delivery,
    /// A Lambda function.
    Function,
    /// A subject that this version does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

/// The unit of a measure's values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Microseconds; differences are shares of the base.
    Microseconds,
    /// Events per second; differences are shares of the base.
    PerSecond,
    /// A number of things; differences are shares of the base.
    Number,
    /// A share from 0 to 1; differences are differences of shares.
    Share,
    /// A unit that this version does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

/// How an effect is measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// Probability that a sample of the candidate is greater than one of the base, minus that it is less: -1 to 1.
    CliffsDelta,
    /// Difference of the arcsine transforms of two shares.
    CohensH,
    /// A kind that this version does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

/// How great a difference is, apart from how sure it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Effect {
    /// How it is measured.
    pub kind: EffectKind,
    /// Its value, candidate against base.
    pub value: f64,
}

impl Effect {
    /// The usual word for its size: of Cliff's delta by J. Romano et al. 2006, of Cohen's h by J. Cohen 1988.
    #[must_use]
    pub fn size(&self) -> &'static str {
        let [small, medium, large] = match self.kind {
            EffectKind::CohensH => [0.2, 0.5, 0.8],
            EffectKind::CliffsDelta | EffectKind::Unknown => [0.147, 0.33, 0.474],
        };
        match self.value.abs() {
            value if value < small => "negligible",
            value if value < medium => "small",
            value if value < large => "medium",
            _ => "large",
        }
    }
}

/// A comparison of two sides of runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Version of the format by which this document was written.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema_version: u32,
    /// Version of loadgen that compared.
    pub version: String,
    /// Regressed if any measure did, else improved if any did, else unchanged if all are, else undecided.
    pub verdict: Change,
    /// The runs that are compared with.
    pub base: Vec<ComparedRun>,
    /// The runs that are judged.
    pub candidate: Vec<ComparedRun>,
    /// Why the runs are not comparable; empty where they are.
    pub objections: Vec<Objection>,
    /// Whether they were compared all the same.
    pub forced: bool,
    /// How it was computed.
    pub method: Method,
    /// Every measure that both sides have.
    pub measures: Vec<Measure>,
    /// Differences over the whole distribution, of each operation and push.
    pub shifts: Vec<Shift>,
    /// What was not compared, and why.
    pub not_compared: Vec<NotCompared>,
    /// What the runs were set up differently by.
    pub configuration: Vec<Setting>,
}

impl Comparison {
    /// The measures of a verdict, the surest first.
    #[must_use]
    pub fn of(&self, change: Change) -> Vec<&Measure> {
        let mut found: Vec<&Measure> = self.measures.iter().filter(|one| one.verdict == change).collect();
        found.sort_by(|a, b| a.probability.total_cmp(&b.probability));
        found
    }
}

impl Document for Comparison {
    const VERSIONS: RangeInclusive<u32> = SCHEMA_VERSION..=SCHEMA_VERSION;

    fn version(&mut self) -> &mut u32 {
        &mut self.schema_version
    }
}

/// One of the runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedRun {
    /// Its id.
    pub id: String,
    /// The scenario's name.
    pub name: String,
    /// Its folder, as given.
    pub folder: PathBuf,
    /// `embedded`, or the target's URL.
    pub target: String,
    /// When it began.
    pub started_at: Timestamp,
    /// Git commit, if known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// Version of loadgen that ran it.
    pub version: String,
}

/// What makes runs incomparable.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
pub enum ObjectionKind {
    /// They did not do the same.
    #[strum(serialize = "plan")]
    Plan,
    /// One ran against the embedded backend, another did not.
    #[strum(serialize = "target kind")]
    TargetKind,
    /// They had different numbers of players.
    #[strum(serialize = "players")]
    Players,
    /// They spoke different protocols.
    #[strum(serialize = "protocol")]
    Protocol,
    /// One of them is not valid, or was not carried out.
    #[strum(serialize = "validity")]
    Validity,
    /// The machines that generated the load differ.
    #[strum(serialize = "host class")]
    HostClass,
    /// A reason that this version does not know.
    #[default]
    #[serde(other)]
    #[strum(serialize = "other")]
    Unknown,
}

/// Why the runs are not comparable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Objection {
    /// What differs.
    pub kind: ObjectionKind,
    /// In a sentence, with the runs and the values.
    pub reason: String,
}

/// How a comparison was computed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Method {
    /// Differences up to this share of the base do not matter.
    pub margin: f64,
    /// Differences of shares (errors, losses) up to this do not matter; 0.001 is 0.1 percentage points.
    pub share_margin: f64,
    /// Differences of a time below this do not matter, in microseconds.
    pub finest_us: f64,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Bound of the adjusted probability for `regressed` and `improved`.
    pub level: f64,
    /// Resamples for each measure.
    pub resamples: u32,
    /// Seed of the resamples.
    pub seed: u64,
    /// Whether runs of a side were repeated, so that it is known how much runs differ by themselves.
    pub repeats: bool,
}

/// One measure of both sides.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measure {
    /// As a threshold would name it: `send_message.response_time.p99`, `message.lost_rate`, `SendMessage.duration`.
    pub name: String,
    /// What it is of.
    pub subject: Subject,
    /// The operation, push or function; of two names, where they differ: `BASE against CANDIDATE`.
    pub of: String,
    /// Unit of the values.
    pub scale: Scale,
    /// Whether more is better.
    pub more_is_better: bool,
    /// Value of the base, all its runs together.
    pub base: f64,
    /// Value of the candidate.
    pub candidate: f64,
    /// Samples of the base.
    pub base_samples: u64,
    /// Samples of the candidate.
    pub candidate_samples: u64,
    /// Candidate against base: a share of the base (0.05 is 5 % more), of shares their difference.
    pub difference: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
    /// Differences up to this do not matter: a share of the base, or of shares a difference.
    pub margin: f64,
    /// Probability of such a difference beyond the margin where there is none, adjusted for the number of measures.
    pub probability: f64,
    /// How great the difference is; absent where it has no meaning.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub effect: Option<Effect>,
    /// The longest block of the resamples, in seconds.
    pub block_s: f64,
    /// What it comes to.
    pub verdict: Change,
}

/// The differences of two distributions, quantile by quantile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shift {
    /// As a measure's name without its percentile: `send_message.response_time`.
    pub name: String,
    /// Ascending.
    pub points: Vec<ShiftPoint>,
}

/// One quantile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShiftPoint {
    /// 0 to 1.
    pub quantile: f64,
    /// Value of the base in microseconds.
    pub base_us: f64,
    /// Value of the candidate in microseconds.
    pub candidate_us: f64,
    /// Candidate against base, a share of the base.
    pub difference: f64,
    /// Lower end of the interval of this quantile alone.
    pub low: f64,
    /// Upper end of the interval of this quantile alone.
    pub high: f64,
}

/// Something that was not compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotCompared {
    /// What.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// A setting that differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// Where: `scenario: operations.chat.rate`, `manifest: host.cpus`.
    pub key: String,
    /// Its values in the runs of the base, each once.
    pub base: String,
    /// Its values in the runs of the candidate, each once.
    pub candidate: String,
}
