//! The run folder's data format: what `loadgen` writes and every report reads.
//!
//! This is the project's stable contract (see `docs/run-folder.md`). A change of meaning needs a new
//! [`SCHEMA_VERSION`] and a changelog entry. All times inside latency objects are **microseconds**; all
//! instants are UTC in RFC 3339; all offsets (`t`, `start_s`, `end_s`) are seconds since the run's start.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of every JSON file in a run folder.
pub const SCHEMA_VERSION: u32 = 1;

/// Summary of one latency histogram, in microseconds. Percentiles are the highest value equivalent to the
/// bucket in which the quantile falls (`HdrHistogram` with three significant digits: at most 0.1 % too high).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Samples recorded.
    pub count: u64,
    /// Smallest sample.
    pub min: u64,
    /// Arithmetic mean of the bucketed samples.
    pub mean: f64,
    /// Median.
    pub p50: u64,
    /// 90th percentile.
    pub p90: u64,
    /// 95th percentile.
    pub p95: u64,
    /// 99th percentile.
    pub p99: u64,
    /// 99.9th percentile.
    pub p99_9: u64,
    /// 99.99th percentile.
    pub p99_99: u64,
    /// Largest sample.
    pub max: u64,
}

impl Latency {
    /// Summarises a histogram whose values are microseconds. An empty histogram gives all zeros.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        let quantile = |q| histogram.value_at_quantile(q);
        Self {
            count: histogram.len(),
            min: histogram.min(),
            mean: (histogram.mean() * 10.0).round() / 10.0,
            p50: quantile(0.50),
            p90: quantile(0.90),
            p95: quantile(0.95),
            p99: quantile(0.99),
            p99_9: quantile(0.999),
            p99_99: quantile(0.9999),
            max: histogram.max(),
        }
    }

    /// How many of the samples lie beyond the quantile `q` (0 to 1). Fewer than ten makes the percentile weak.
    #[must_use]
    pub fn samples_beyond(&self, q: f64) -> u64 {
        // Rounded before the floor: 10,000 × (1 − 0.999) is 9.999… in binary.
        let beyond = self.count as f64 * (1.0 - q);
        (beyond + 1e-6).floor() as u64
    }
}

/// `summary.json`: the run in one object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What ran, when.
    pub run: Run,
    /// Validity first, then thresholds.
    pub verdict: Verdict,
    /// Socket counts.
    pub sockets: Sockets,
    /// By operation: `connect`, `send_message`, `placement_request`, `unknown_route`, `placement_poll`.
    pub operations: BTreeMap<String, Operation>,
    /// By kind: `message`, `placement`.
    pub deliveries: BTreeMap<String, Delivery>,
    /// What the generator itself cost and how well it kept its plan.
    pub generator: Generator,
    /// Every threshold of the scenario with what was observed.
    pub thresholds: Vec<Threshold>,
    /// How server-side series relate to latency; absent until CloudWatch was fetched.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correlation: Option<Correlation>,
    /// Estimated AWS cost of the run; absent where the scenario gives no prices.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost: Option<Cost>,
}

/// Identity of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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

/// May the figures be believed, and do they satisfy the scenario?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// False when the generator could not keep its promise: then no performance statement holds.
    pub valid: bool,
    /// Why not, each with its remedy.
    pub invalid_reasons: Vec<String>,
    /// Whether all thresholds passed (true where there are none).
    pub thresholds_passed: bool,
}

/// Socket counts over the whole run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sockets {
    /// Handshakes begun.
    pub attempted: u64,
    /// Handshakes answered with 101.
    pub opened: u64,
    /// Handshakes that failed, by status or transport.
    pub rejected: u64,
    /// Open sockets that ended before the player meant to leave.
    pub dropped: u64,
    /// Highest number open at once.
    pub peak_open: u64,
}

/// Counts and latencies of one operation. `offered = sent + unsent`; `sent = completed + failed + timed_out`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Arrivals that the plan called for.
    pub offered: u64,
    /// Arrivals that left the generator.
    pub sent: u64,
    /// Arrivals that could not be sent (no open socket, write blocked, run ended).
    pub unsent: u64,
    /// Answered as expected.
    pub completed: u64,
    /// Answered wrongly, or the socket broke before the answer.
    pub failed: u64,
    /// No answer within the time-out.
    pub timed_out: u64,
    /// Failures by error class (time-outs and unsent included under classes of their own).
    pub errors: BTreeMap<String, u64>,
    /// From the intended instant to the answer.
    pub response_time_us: Latency,
    /// From the actual send to the answer.
    pub service_time_us: Latency,
}

/// Counts and latencies of one kind of push. `expected = received + lost`; duplicates and unexpected ones are extra.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Pushes that the sent operations called for.
    pub expected: u64,
    /// First copies received in time.
    pub received: u64,
    /// Not received within the delivery time-out.
    pub lost: u64,
    /// Second and further copies.
    pub duplicated: u64,
    /// Received after a later message of the same sender to the same recipient.
    pub out_of_order: u64,
    /// Pushes that nothing sent in this run accounts for.
    pub unexpected: u64,
    /// From the send to each recipient's push.
    pub each_us: Latency,
    /// From the send to the first recipient's push of a fan-out.
    pub first_us: Latency,
    /// From the send to the last recipient's push of a complete fan-out.
    pub last_us: Latency,
}

/// What the generator itself cost and how well it kept its plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// Actual send minus intended instant.
    pub dispatch_delay_us: Latency,
    /// User plus system time of the generator's process(es) during the run.
    pub cpu_seconds: f64,
    /// Highest resident set of the generator's process(es).
    pub peak_rss_bytes: u64,
    /// True when the generator, not the target, set the pace at some time.
    pub saturated: bool,
}

/// One rule with its verdict.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// As written in the scenario, e.g. `send_message.response_time.p99 < 250ms`.
    pub expression: String,
    /// Observed value in the expression's unit; `None` when nothing was measured (which fails the rule).
    pub observed: Option<f64>,
    /// The verdict.
    pub passed: bool,
}

/// How server-side series relate to what the players saw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// Per function: peak concurrency, throttles, errors and the like over the run's window.
    pub functions: Vec<FunctionSummary>,
}

/// One Lambda function over the run's window, from CloudWatch. `None` where CloudWatch had no data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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

/// Estimated AWS cost of the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Currency code, e.g. `USD`.
    pub currency: String,
    /// Sum of the items.
    pub total: f64,
    /// By item, e.g. `websocket_messages`, `connection_minutes`, `lambda_requests`.
    pub items: BTreeMap<String, f64>,
}

/// One line of `series.jsonl`: one second of the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesLine {
    /// Seconds from the run's start to the beginning of this second.
    pub t: u64,
    /// The same instant in UTC.
    pub at: Timestamp,
    /// Name of the plan's phase at that instant.
    pub phase: String,
    /// Sockets open at the end of the second.
    pub open: u64,
    /// By operation. Sends count in the second of the send, answers in the second of the answer.
    pub operations: BTreeMap<String, OperationSecond>,
    /// By delivery kind.
    pub deliveries: BTreeMap<String, DeliverySecond>,
    /// The generator in this second.
    pub generator: GeneratorSecond,
}

/// One operation in one second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OperationSecond {
    /// Arrivals that the plan called for in this second.
    pub offered: u64,
    /// Sent in this second.
    pub sent: u64,
    /// Given up in this second.
    pub unsent: u64,
    /// Answered as expected in this second.
    pub completed: u64,
    /// Failed in this second.
    pub failed: u64,
    /// Timed out in this second.
    pub timed_out: u64,
    /// From the intended instant, of the answers of this second.
    pub response_time_us: Latency,
    /// From the actual send, of the answers of this second.
    pub service_time_us: Latency,
}

/// One delivery kind in one second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeliverySecond {
    /// Pushes called for by the sends of this second.
    pub expected: u64,
    /// First copies received in this second.
    pub received: u64,
    /// Given up in this second.
    pub lost: u64,
    /// Further copies received in this second.
    pub duplicated: u64,
    /// Received out of order in this second.
    pub out_of_order: u64,
    /// From the send, of the pushes of this second.
    pub each_us: Latency,
}

/// The generator in one second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorSecond {
    /// Dispatch delay of the sends of this second.
    pub dispatch_delay_us: Latency,
    /// CPU used, in percent of one core.
    pub cpu_percent: f64,
    /// Resident set at the end of the second.
    pub rss_bytes: u64,
}

/// `manifest.json`: what ran, where, with which versions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Identity, as in the summary; `ended_at` equals `started_at` until the run ended.
    pub run: Run,
    /// `running`, `finished`, `interrupted` or `failed`.
    pub state: String,
    /// The command line, tokens and query strings removed.
    pub command: Vec<String>,
    /// The plan in sentences, for people.
    pub plan: Vec<String>,
    /// The plan's phases on the run's axis.
    pub phases: Vec<Phase>,
    /// Players that the plan calls for.
    pub players: u64,
    /// The machine that generated the load.
    pub host: Host,
    /// Git commit of the working directory, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
}

impl Manifest {
    /// Whether an arrival at `offset_s` seconds after the run's start counts for the summary: all do except those of a
    /// phase that is not [`measured`](Phase::measured).
    #[must_use]
    pub fn measures(&self, offset_s: f64) -> bool {
        !self.phases.iter().any(|phase| !phase.measured && (phase.start_s..phase.end_s).contains(&offset_s))
    }
}

/// A stretch of the plan on the run's axis.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Name, e.g. `ramp`, `hold`.
    pub name: String,
    /// Start in seconds since the run's start.
    pub start_s: f64,
    /// End in seconds since the run's start.
    pub end_s: f64,
    /// Whether its figures count for the summary (warm-up does not).
    pub measured: bool,
}

/// The machine that generated the load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Operating system and kernel release.
    pub os: String,
    /// CPU architecture.
    pub arch: String,
    /// Logical CPUs available to the process.
    pub cpus: u64,
    /// Physical memory in bytes.
    pub memory_bytes: u64,
    /// Open-file limit of the process.
    pub descriptor_limit: u64,
}

/// One line of `errors.jsonl`: a sample of an error class.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorSample {
    /// Seconds since the run's start.
    pub t: f64,
    /// The same instant in UTC.
    pub at: Timestamp,
    /// The operation, or `socket` for what belongs to none.
    pub operation: String,
    /// The error class, as counted in the summary.
    pub class: String,
    /// The player's id.
    pub player: String,
    /// What was seen, at most 300 characters, secrets removed.
    pub detail: String,
}

/// `cloudwatch.json`: the series as fetched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CloudWatch {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// When it was fetched; CloudWatch lags by minutes, so a later fetch may hold more.
    pub fetched_at: Timestamp,
    /// Start of the fetched window (inclusive).
    pub window_start: Timestamp,
    /// End of the fetched window (exclusive).
    pub window_end: Timestamp,
    /// Length of one period in seconds: 60 on AWS, 1 on the local stack.
    pub period_s: u64,
    /// Region, or `local`.
    pub region: String,
    /// One entry per metric, statistic and dimension set.
    pub series: Vec<CloudWatchSeries>,
    /// What could not be fetched, and why; empty when all went well.
    pub problems: Vec<String>,
}

/// One CloudWatch series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CloudWatchSeries {
    /// Namespace, e.g. `AWS/Lambda`.
    pub namespace: String,
    /// Metric, e.g. `ConcurrentExecutions`.
    pub metric: String,
    /// Statistic, e.g. `Maximum`.
    pub statistic: String,
    /// Dimensions, e.g. `FunctionName` → `reference-Development-SendMessage`.
    pub dimensions: BTreeMap<String, String>,
    /// Unit of the values: `Count`, `Milliseconds`, ….
    pub unit: String,
    /// Points in ascending time: start of the period in seconds since the run's start (may be negative), value.
    pub points: Vec<(f64, f64)>,
}
