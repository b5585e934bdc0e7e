//! `series.jsonl` and `errors.jsonl`: the run second by second, and samples of what went wrong.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cut_off::cut_off;
use super::hops::HopSecond;
use super::latency::Latency;
use super::skip::is_zero;
use super::summary::{Churn, Disruption, Reconnects};

/// One line of `series.jsonl`: one second of the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Reconnects, warm-up included; absent where the scenario has no policy for them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reconnects: Option<Reconnects>,
    /// Players that leave and come back; absent where the scenario has none. `lives` in version 1.
    #[serde(skip_serializing_if = "Option::is_none", default, alias = "lives")]
    pub churn: Option<Churn>,
    /// Faults that the generator injected, by kind; `weather` in version 1. A case counts in the second in which it was injected,
    /// its outcome in the second in which it showed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default, alias = "weather")]
    pub disruptions: BTreeMap<String, Disruption>,
    /// The generator in this second.
    pub generator: GeneratorSecond,
}

/// Socket counts of one second, each as in the summary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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

cut_off!(OperationSecond);

/// One delivery kind in one second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Received in this second, later than the grace: counted as lost before.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub too_late: u64,
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
    /// The hops of the pushes of this second, by name; only of traced runs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub hops: BTreeMap<String, HopSecond>,
}

/// The generator in one second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Open descriptors; 0 where the kernel does not say.
    #[serde(default)]
    pub descriptors: u64,
    /// Bytes that waited in the kernel for the players to read them, of the last look.
    #[serde(default)]
    pub receive_queue_bytes: u64,
    /// Bytes that waited in the kernel for the target to take them, of the last look.
    #[serde(default)]
    pub send_queue_bytes: u64,
}

/// One line of `errors.jsonl`: a sample of an error class.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
