//! The series of the queue, and of the fleet behind it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Outcome;
use crate::metrics::{Metrics, Series, Unit};

/// One page of AWS calls the namespace `GameLift`, another one `AWS/GameLift`.
const NAMESPACE: &str = "AWS/GameLift";
/// `FleetId` of the only fleet.
const FLEET: &str = "fleet-local";

/// The pending placements at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Queue {
    /// How many there are.
    pub(super) depth: u64,
    /// How long they have been waiting, together.
    pub(super) waited: Duration,
}

/// What CloudWatch hears of the queue.
pub(super) struct QueueMeter {
    started: Arc<Series>,
    succeeded: Arc<Series>,
    cancelled: Arc<Series>,
    timed_out: Arc<Series>,
    failed: Arc<Series>,
    depth: Arc<Series>,
    /// Mean time that the pending placements have been waiting.
    wait: Arc<Series>,
    /// None: the fleet has no limit.
    fleet: Option<FleetMeter>,
}

struct FleetMeter {
    available: Arc<Series>,
    out_of_capacity: Arc<Series>,
}

impl QueueMeter {
    pub(super) fn new(metrics: &Metrics, queue_name: &str, limited: bool) -> Self {
        let by_queue = [("QueueName", queue_name)];
        let count = |metric| metrics.series(NAMESPACE, metric, Unit::Count, &by_queue);
        let fleet = || FleetMeter {
            available: metrics.series(NAMESPACE, "AvailableGameSessions", Unit::Count, &[("FleetId", FLEET)]),
            out_of_capacity: count("FirstChoiceOutOfCapacity"),
        };
        Self {
            started: count("PlacementsStarted"),
            succeeded: count("PlacementsSucceeded"),
            cancelled: count("PlacementsCanceled"),
            timed_out: count("PlacementsTimedOut"),
            failed: count("PlacementsFailed"),
            depth: count("QueueDepth"),
            wait: metrics.series(NAMESPACE, "AverageWaitTime", Unit::Seconds, &by_queue),
            fleet: limited.then(fleet),
        }
    }

    /// A placement has started; it is in `queue` already.
    pub(super) fn started(&self, now: SystemTime, queue: Queue) {
        self.started.record(now, 1.0);
        self.record(now, queue);
    }

    /// A placement has ended; it is in `queue` still.
    pub(super) fn ended(&self, now: SystemTime, outcome: Outcome, queue: Queue) {
        let count = match outcome {
            Outcome::Fulfilled => &self.succeeded,
            Outcome::Cancelled => &self.cancelled,
            Outcome::TimedOut => &self.timed_out,
            Outcome::Failed => &self.failed,
        };
        count.record(now, 1.0);
        self.record(now, queue);
    }

    /// The state of a moment, with the fleet's free game sessions.
    pub(super) fn sample(&self, now: SystemTime, queue: Queue, free: Option<usize>) {
        self.record(now, queue);
        if let (Some(fleet), Some(free)) = (&self.fleet, free) {
            fleet.available.record(now, free as f64);
        }
    }

    /// A placement has to wait for a game session.
    pub(super) fn out_of_capacity(&self) {
        if let Some(fleet) = &self.fleet {
            fleet.out_of_capacity.record(SystemTime::now(), 1.0);
        }
    }

    /// Nobody waits in an empty queue, which is no wait of zero.
    fn record(&self, now: SystemTime, Queue { depth, waited }: Queue) {
        self.depth.record(now, depth as f64);
        if depth > 0 {
            self.wait.record(now, waited.as_secs_f64() / depth as f64);
        }
    }
}
