//! `summary.json`, `correlation`: what gave way first, with the evidence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::skip::is_zero_f64;

/// What gave way first, and how server-side series relate to what players saw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Correlation {
    /// The answer; absent in older runs, for which nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What players felt: the promises that broke.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub symptoms: Vec<Symptom>,
    /// What explains them, best first; empty unless the outcome is `suspects`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<Suspect>,
    /// What an answer would have needed; empty unless the outcome is `not_enough_data`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<String>,
    /// How far each known limit was from being reached, the nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headroom: Vec<Headroom>,
    /// Declared pairs of a server's and a player's series. They support a suspect, they never make one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub correlations: Vec<Association>,
    /// What a reader should know: assumptions, checks that failed, what could not be seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Per function: peak concurrency, throttles, errors and the like over the run's window.
    pub functions: Vec<FunctionSummary>,
}

/// Whether anything gave way.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
    strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// No promise to the players broke.
    NothingGaveWay,
    /// Promises broke, and the suspects explain at least half of what players felt.
    Suspects,
    /// Promises broke, or may have, and what would explain it is not known.
    NotEnoughData,
    /// The generator could not keep its promise: no figure of the run tells anything about the backend.
    InvalidRun,
    /// An outcome that this version does not know.
    #[serde(other)]
    Unknown,
}

/// A promise to the players that broke.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Symptom {
    /// The operation; absent where it is a delivery.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub operation: Option<String>,
    /// The delivery; absent where it is an operation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delivery: Option<String>,
    /// What broke.
    pub what: SymptomKind,
    /// Start of the time in which it shows, in seconds since the run's start.
    pub from_s: f64,
    /// Its end.
    pub to_s: f64,
    /// What was observed, in `unit`.
    pub observed: f64,
    /// What it is held against: the reference phase's value, or the threshold's bound.
    pub reference: f64,
    /// `share` (0 to 1) or `us` (microseconds).
    pub unit: String,
    /// Which statistic, e.g. `p99`; empty for shares.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub statistic: String,
    /// The threshold that broke, as written in the scenario; empty where a comparison found it.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub threshold: String,
}

/// How a promise broke.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SymptomKind {
    /// Requests were refused, answered wrongly or not at all.
    #[default]
    Failures,
    /// Deliveries did not come.
    Losses,
    /// Answers or deliveries took longer.
    Slower,
    /// A way that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What explains symptoms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suspect {
    /// What kind of thing gave way.
    pub kind: SuspectKind,
    /// Short name of the function, table, stream, queue or topic; `account`, `api`, `generator`, `network` for those.
    pub resource: String,
    /// Start of the time in which it shows, in seconds since the run's start.
    pub from_s: f64,
    /// Its end.
    pub to_s: f64,
    /// The limit that was hit; absent where the kind has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub limit: Option<f64>,
    /// What was observed of it, in the limit's unit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub observed: Option<f64>,
    /// The unit of `limit` and `observed`, e.g. `executions`, `per second`, `ms`; empty where there is neither.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub unit: String,
    /// Share of the symptoms that it explains, 0 to 1.
    pub explained: f64,
    /// Which symptoms, as positions in `symptoms`.
    pub symptoms: Vec<usize>,
    /// What else it may be where the two cannot be told apart, e.g. `what GameLift calls`; empty where nothing.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub or: Vec<String>,
    /// What speaks for it.
    pub evidence: Vec<Evidence>,
    /// The observation that would refute it, in a sentence.
    pub refuted_by: String,
    /// What to change, in a sentence.
    pub remedy: String,
}

/// The kinds of suspects.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
    strum::EnumIter,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SuspectKind {
    /// A function's reserved concurrency.
    ReservedConcurrency,
    /// The account's concurrency.
    AccountConcurrency,
    /// Ten invocations a second for each unit of concurrency.
    RequestRateCap,
    /// New environments per ten seconds.
    ScalingRate,
    /// Environments that had to start.
    ColdStarts,
    /// A function's own work.
    SlowFunction,
    /// What a function calls.
    SlowDependency,
    /// A function's time-out.
    FunctionTimeout,
    /// Errors of a function's own.
    FunctionErrors,
    /// A function's memory.
    Memory,
    /// Throughput of a table or an index as a whole.
    TableThroughput,
    /// Throughput of one partition or key.
    HotPartition,
    /// Stream batches that run at once.
    StreamLanes,
    /// A stream record that fails again and again.
    PoisonRecord,
    /// New connections per second.
    ConnectRate,
    /// Requests per second of the account at the gateway.
    MessageRate,
    /// Players that do not read fast enough.
    SlowClient,
    /// Pushes to sockets that are gone.
    GoneStorm,
    /// The provider of the players' tokens, or its keys.
    IdentityProvider,
    /// Calls per second of GameLift.
    GameliftRate,
    /// Game servers that take placements.
    PlacementCapacity,
    /// From the topic to the function.
    SnsDelivery,
    /// Between the players and the gateway.
    Network,
    /// The load generator or its machine.
    Generator,
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// An observation that speaks for a suspect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The series, e.g. `Throttles (Sum) of OnMessageInserted`, or `failures of send_message`.
    pub series: String,
    /// What it shows, in a sentence with values.
    pub says: String,
    /// The points: start of the period in seconds since the run's start, value. At most 20.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub points: Vec<(f64, f64)>,
}

/// How far a limit was from being reached.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Headroom {
    /// Short name of what has the limit.
    pub resource: String,
    /// Which limit, e.g. `concurrency`.
    pub what: String,
    /// The limit.
    pub limit: f64,
    /// The highest use of it.
    pub peak: f64,
    /// `peak / limit`.
    pub share: f64,
    /// The unit of both, e.g. `executions`.
    pub unit: String,
}

/// A declared pair of series, and whether they move together beyond what the offered load makes both do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Association {
    /// The server's series, e.g. `SendMessage ConcurrentExecutions (Maximum)`.
    pub server: String,
    /// The players' series, e.g. `send_message p99`.
    pub players: String,
    /// Spearman's rank correlation partial to the offered load; absent where there is not enough data.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub coefficient: Option<f64>,
    /// Points that both have.
    pub points: u64,
    /// As how many independent points they count.
    #[serde(skip_serializing_if = "is_zero_f64", default)]
    pub effective_points: f64,
    /// Probability of so much by chance, Holm-adjusted over all pairs; absent where there is not enough data.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub p: Option<f64>,
    /// What that comes to.
    pub verdict: AssociationVerdict,
}

/// What a pair of series shows.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AssociationVerdict {
    /// Too few points to tell.
    #[default]
    NotEnoughData,
    /// Not shown to move together.
    NotShown,
    /// They move together.
    Related,
    /// A verdict that this version does not know.
    #[serde(other)]
    Unknown,
}

/// One Lambda function over the run's window, from CloudWatch. `None` where CloudWatch had no data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FunctionSummary {
    /// The function's name.
    pub function: String,
    /// Highest `ConcurrentExecutions` (Maximum).
    pub peak_concurrency: Option<f64>,
    /// When that was, in seconds since the run's start.
    pub peak_at_s: Option<f64>,
    /// Sum of `Invocations`.
    pub invocations: Option<f64>,
    /// Sum of `Errors`.
    pub errors: Option<f64>,
    /// Sum of `Throttles`.
    pub throttles: Option<f64>,
    /// Mean of `Duration` weighted by invocations, milliseconds.
    pub duration_avg_ms: Option<f64>,
    /// Highest `Duration`, milliseconds.
    pub duration_max_ms: Option<f64>,
    /// Highest `IteratorAge`, milliseconds; stream functions only.
    pub iterator_age_max_ms: Option<f64>,
}
