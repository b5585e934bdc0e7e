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
    /// Coming back after a lost socket or a refused handshake; absent where the scenario has no policy for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reconnects: Option<Reconnects>,
    /// Players that leave and come back; absent where the scenario has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lives: Option<Lives>,
    /// Trouble that the generator made, by kind: `cut`, `slow_reader`, `half_open`, `oversized_message` and the like.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub weather: BTreeMap<String, Trouble>,
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
    /// What a reader should know although it does not spoil the run.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Whether all thresholds passed (true where there are none).
    pub thresholds_passed: bool,
}

/// Socket counts over the whole run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The dropped ones by error class, e.g. `closed_1001`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub ends: BTreeMap<String, u64>,
}

/// Coming back. Over a whole run `wanted = succeeded + gave_up + unfinished`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reconnects {
    /// Sockets lost and handshakes refused after which a player wanted to come back.
    pub wanted: u64,
    /// Handshakes begun for it.
    pub attempts: u64,
    /// Players that came back.
    pub succeeded: u64,
    /// Players that gave up after the policy's last attempt.
    pub gave_up: u64,
    /// Players that the end of the run found still trying.
    pub unfinished: u64,
    /// Attempts that failed, by class.
    pub errors: BTreeMap<String, u64>,
    /// From the loss to the open socket, of the losses in measured phases.
    pub recovery_us: Latency,
}

/// Players that leave and come back with the same id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lives {
    /// Players that live so.
    pub players: u64,
    /// Sockets closed because a life was over.
    pub left: u64,
    /// Sockets opened for a further life.
    pub returned: u64,
    /// Lives that got a game session.
    pub placed: u64,
    /// Lives that had asked for one and left without.
    pub unplaced: u64,
    /// Handshakes for a further life that failed, by class.
    pub refused: BTreeMap<String, u64>,
}

/// One kind of trouble that the generator made. Over a whole run `made` is the sum of the outcomes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Cases.
    pub made: u64,
    /// What became of them, by class.
    pub outcomes: BTreeMap<String, u64>,
    /// Messages that slow readers have read; 0 for other kinds.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub messages_read: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Counts and latencies of one operation. `offered = sent + unsent`; `sent = completed + failed + timed_out`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// `open`: arrivals came when the plan said; `closed`: each player waited for its answer, and there is no intended
    /// instant, so that the response time runs from the send. Empty in runs that did not keep it: open.
    #[serde(default)]
    pub model: String,
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
    /// From the intended instant to the answer; from the send in the closed model.
    pub response_time_us: Latency,
    /// From the actual send to the answer.
    pub service_time_us: Latency,
}

/// Counts and latencies of one kind of push. `expected = received + late + lost`; duplicates and unexpected ones are extra.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Pushes that the sent operations called for.
    pub expected: u64,
    /// First copies received in time.
    pub received: u64,
    /// First copies received after the delivery time-out, but within the grace.
    #[serde(default)]
    pub late: u64,
    /// Not received within the delivery time-out and the grace.
    pub lost: u64,
    /// Neither expected nor lost in the end: the recipient was away by its own doing (it left, was cut, fell silent).
    #[serde(skip_serializing_if = "is_zero", default)]
    pub away: u64,
    /// Second and further copies.
    pub duplicated: u64,
    /// Received after a later message of the same sender to the same recipient.
    pub out_of_order: u64,
    /// Pushes that nothing sent in this run accounts for, by the instants at which they came.
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
    /// How long a task that was ready waited for the event loop: what every receipt may be stamped too late by.
    #[serde(default)]
    pub event_loop_lag_us: Latency,
    /// Cores that the generator might use, affinity and quota counted; 0 in runs that did not keep it.
    #[serde(default)]
    pub cores: u64,
    /// Seconds in which it used at least 90 % of them.
    #[serde(default)]
    pub busy_seconds: u64,
    /// The highest of all seconds: CPU of one thread, in percent of a core.
    #[serde(default)]
    pub busiest_thread_percent: f64,
    /// The highest of all seconds: time that a thread was ready and had no core, in percent.
    #[serde(default)]
    pub run_delay_percent: f64,
    /// The highest of all seconds: share of the machine's cores that the hypervisor gave to others, in percent.
    #[serde(default)]
    pub steal_percent: f64,
    /// Most descriptors open at once; 0 where the kernel does not tell.
    #[serde(default)]
    pub peak_descriptors: u64,
    /// Most bytes that waited in the kernel for the players to read them.
    #[serde(default)]
    pub peak_receive_queue_bytes: u64,
    /// Most bytes that waited in the kernel for the target to take them.
    #[serde(default)]
    pub peak_send_queue_bytes: u64,
    /// Largest step of the system's clock during the run, in milliseconds. Latencies do not depend on that clock.
    #[serde(default)]
    pub clock_step_ms: f64,
    /// With workers: from a push's receipt in one of them until it was matched in the one that had sent. No latency
    /// contains it: a push is stamped at its receipt.
    #[serde(default)]
    pub relay_lag_us: Latency,
    /// The processes over which the players were split; empty where one did everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workers: Vec<GeneratorWorker>,
}

/// One of the processes over which the players were split.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorWorker {
    /// Which, from 0: it had the players and arrivals whose number leaves this remainder.
    pub index: u32,
    /// Its process id.
    pub pid: u32,
    /// Its players.
    pub players: u64,
    /// Sockets that it opened.
    pub opened: u64,
    /// User plus system time.
    pub cpu_seconds: f64,
    /// Highest resident set.
    pub peak_rss_bytes: u64,
    /// How far its clock was measured to be ahead of the run's; absent when it did not come to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_us: Option<f64>,
    /// The truth lies within so much of the offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_error_us: Option<f64>,
    /// Pushes that its players received and another worker had sent.
    pub receipts_passed: u64,
    /// Whether it ended before the run: then the run is not valid.
    pub lost: bool,
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
    /// Sockets that were opened and lost; absent in runs that did not keep it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sockets: Option<SocketsSecond>,
    /// Coming back, warm-up included; absent where the scenario has no policy for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reconnects: Option<Reconnects>,
    /// Players that leave and come back; absent where the scenario has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lives: Option<Lives>,
    /// Trouble that the generator made. A case counts in the second in which it was made, its outcome in its own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub weather: BTreeMap<String, Trouble>,
    /// The generator in this second.
    pub generator: GeneratorSecond,
}

/// Socket counts of one second, each as in [`Sockets`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketsSecond {
    /// Handshakes begun.
    pub attempted: u64,
    /// Handshakes answered with 101.
    pub opened: u64,
    /// Handshakes that failed.
    pub rejected: u64,
    /// Open sockets that ended before the player meant to leave.
    pub dropped: u64,
    /// The dropped ones by error class.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub ends: BTreeMap<String, u64>,
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
    /// Failures of this second by error class, time-outs and unsent arrivals included.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub errors: BTreeMap<String, u64>,
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
    /// First copies received in this second, after their time-out.
    #[serde(default)]
    pub late: u64,
    /// Given up in this second.
    pub lost: u64,
    /// Given up in this second, as the recipient was away by its own doing.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub away: u64,
    /// Called off in this second, as the send failed.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub withdrawn: u64,
    /// Further copies received in this second.
    pub duplicated: u64,
    /// Received out of order in this second.
    pub out_of_order: u64,
    /// Received in this second, and called for by nothing.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub unexpected: u64,
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
    /// How long a task that was ready waited for the event loop.
    #[serde(default)]
    pub event_loop_lag_us: Latency,
    /// CPU of the busiest thread, in percent of one core.
    #[serde(default)]
    pub busiest_thread_percent: f64,
    /// Time that the most delayed thread was ready and had no core, in percent.
    #[serde(default)]
    pub run_delay_percent: f64,
    /// Share of the machine's cores that the hypervisor gave to others, in percent.
    #[serde(default)]
    pub steal_percent: f64,
    /// Open descriptors; 0 where the kernel does not tell.
    #[serde(default)]
    pub descriptors: u64,
    /// Bytes that waited in the kernel for the players to read them, of the last look.
    #[serde(default)]
    pub receive_queue_bytes: u64,
    /// Bytes that waited in the kernel for the target to take them, of the last look.
    #[serde(default)]
    pub send_queue_bytes: u64,
}

/// `manifest.json`: what ran, where, with which versions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Identity, as in the summary; `ended_at` equals `started_at` until the run ended.
    pub run: Run,
    /// `running`, `finished`, `interrupted`, or `failed`: it broke off with an error, or not everything could be written.
    pub state: String,
    /// The command line without query strings and without the users and passwords of URLs.
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
