//! `summary.json`: what came of the run.

use std::collections::BTreeMap;

use output::Exit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::correlation::Correlation;
use super::cost::Cost;
use super::cut_off::{cut_off, not_run};
use super::document::{Document, SCHEMA_VERSION};
use super::hops::Hops;
use super::latency::Latency;
use super::run::{Run, RunState};
use super::skip::{is_false, is_zero};
use super::status::Status;

/// `summary.json`: the run in one object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Version of the format by which this document was written.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema_version: u32,
    /// What ran, when.
    pub run: Run,
    /// Validity first, then thresholds.
    pub verdict: Verdict,
    /// Socket counts.
    pub sockets: Sockets,
    /// Messages that players received; absent in older runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<Frames>,
    /// By operation, as protocol and scenario name them: `connect`, `ready` where the protocol has an opening, and so on.
    pub operations: BTreeMap<String, Operation>,
    /// By push, as the protocol names them: `message`, `placement` and the like.
    pub deliveries: BTreeMap<String, Delivery>,
    /// Where their time goes, stage by stage of the backend; absent where the scenario does not say `trace = true`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hops: Option<Hops>,
    /// Reconnects after a lost socket or a refused handshake; absent where the scenario has no policy for them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reconnects: Option<Reconnects>,
    /// Players that leave and come back; absent where the scenario has none. `lives` in version 1.
    #[serde(skip_serializing_if = "Option::is_none", default, alias = "lives")]
    pub churn: Option<Churn>,
    /// Faults that the generator injected, by kind: `cut`, `slow_reader`, `half_open`, `oversized_message` and the like. `weather` in
    /// version 1.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default, alias = "weather")]
    pub disruptions: BTreeMap<String, Disruption>,
    /// What the generator itself cost, and whether it sent on schedule.
    pub generator: Generator,
    /// Every threshold of the scenario with what was observed.
    pub thresholds: Vec<Threshold>,
    /// What gave way first, and how server-side series relate to what players saw; absent in older runs without CloudWatch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correlation: Option<Correlation>,
    /// What the run cost on AWS, or would have cost there; absent in older runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost: Option<Cost>,
}

impl Document for Summary {
    fn version(&mut self) -> &mut u32 {
        &mut self.schema_version
    }
}

impl Summary {
    /// The verdict in one word; derived where the summary does not have it, as in older runs.
    #[must_use]
    pub fn status(&self) -> Status {
        self.verdict.status.unwrap_or_else(|| self.status_at_end())
    }

    /// The exit code that follows from the verdict.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        Exit::from(self.status()).code()
    }

    /// Settles the verdict: the word, and the exit code that follows from it.
    pub fn conclude(&mut self, status: Status) {
        self.verdict.status = Some(status);
        self.verdict.exit_code = Some(self.exit_code());
    }

    /// The verdict on a run whose manifest has this state.
    #[must_use]
    pub fn status_in(&self, state: RunState) -> Status {
        match state {
            RunState::Failed => Status::Failed,
            RunState::Interrupted => Status::Interrupted,
            RunState::Running => Status::Unfinished,
            RunState::Finished | RunState::EndedEarly | RunState::Unknown => self.status_at_end(),
        }
    }

    /// The verdict on a run that came to its end.
    #[must_use]
    pub fn status_at_end(&self) -> Status {
        let Self { verdict, sockets, thresholds, .. } = self;
        if sockets.attempted > 0 && sockets.opened == 0 {
            Status::NothingConnected
        } else if !verdict.valid {
            Status::Invalid
        } else if !verdict.thresholds_passed {
            Status::ThresholdsFailed
        } else if thresholds.is_empty() {
            Status::NotJudged
        } else {
            Status::Passed
        }
    }

    /// Share of arrivals that failed, timed out or could not be sent, 0 to 1: of this operation, or of all of them, `connect`
    /// included, but for journeys as wholes, whose steps count already. `None` where nothing was called for. It is what the
    /// thresholds `error_rate` and `OPERATION.error_rate` observe.
    #[must_use]
    pub fn error_rate(&self, operation: Option<&str>) -> Option<f64> {
        let wanted = |(name, counts): &(&String, &Operation)| {
            operation.map_or_else(|| !counts.is_journey(), |wanted| wanted == name.as_str())
        };
        let (errors, judged) =
            self.operations.iter().filter(wanted).fold((0, 0), |(errors, judged), (_, counts)| {
                (errors + counts.errors(), judged + counts.judged())
            });
        (judged > 0).then(|| errors as f64 / judged as f64)
    }

    /// Arrivals of the plan that the run did not come to.
    #[must_use]
    pub fn not_run(&self) -> u64 {
        self.operations.values().map(|operation| not_run(&operation.errors)).sum()
    }

    /// Journeys that were under way when the run ended.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        self.operations.values().map(|operation| operation.unfinished).sum()
    }
}

/// Whether the figures can be used, and whether they satisfy the thresholds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The verdict in one word, from which the exit code follows; absent in older runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<Status>,
    /// The exit code of `loadgen run` that follows from the status; absent in older runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exit_code: Option<u8>,
    /// Whether the generator sent on schedule; when false, the numbers of the run must not be used.
    pub valid: bool,
    /// Why not, each with its remedy.
    pub invalid_reasons: Vec<String>,
    /// What a reader should know although the run is valid.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Whether all thresholds passed (true where there are none).
    pub thresholds_passed: bool,
    /// Errors that no threshold covers, and thresholds without samples.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub not_judged: Vec<String>,
    /// Where the run ended before its plan was carried out; absent where it went through it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_early: Option<EndedEarly>,
}

/// A run that ended before its plan was carried out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EndedEarly {
    /// When, in seconds since its start.
    pub at_s: f64,
    /// How long the plan is, in seconds.
    pub planned_s: f64,
    /// Why.
    pub reason: String,
}

/// Socket counts over the whole run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// Messages that players received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Frames {
    /// All of them.
    pub received: u64,
    /// Those that the protocol does not know. They fail no request.
    pub unclassified: u64,
    /// These by what they look like.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub shapes: BTreeMap<String, u64>,
}

impl Frames {
    /// Beyond this share of messages that it does not know, the protocol does not fit the target.
    const MOST_UNCLASSIFIED: f64 = 0.01;

    /// Whether the protocol fits the target. Where it does not, what was not understood may be what counts as lost.
    #[must_use]
    pub fn fit(&self) -> bool {
        self.unclassified as f64 <= self.received as f64 * Self::MOST_UNCLASSIFIED
    }

    /// What to say beside deliveries where the protocol does not fit.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        (!self.fit()).then(|| {
            format!(
                "{} of {} frames arrived but were not understood: a delivery that counts as lost here may have come, so none is judged",
                self.unclassified, self.received
            )
        })
    }
}

/// Reconnects. Over a whole run `wanted = succeeded + gave_up + unfinished`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reconnects {
    /// Sockets lost and handshakes refused after which a player wanted to reconnect.
    pub wanted: u64,
    /// Handshakes begun for it.
    pub attempts: u64,
    /// Players that reconnected.
    pub succeeded: u64,
    /// Players that gave up after the policy's last attempt.
    pub gave_up: u64,
    /// Players that were still trying when the run ended.
    pub unfinished: u64,
    /// Attempts that failed, by class.
    pub errors: BTreeMap<String, u64>,
    /// From the loss to the open socket, of the losses in measured phases.
    pub recovery_us: Latency,
}

/// Players that leave and come back with the same id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Churn {
    /// Players that do so.
    pub players: u64,
    /// Sockets closed because a session was over.
    pub left: u64,
    /// Sockets opened for a further session.
    pub returned: u64,
    /// Sessions that got a placement; only in older runs, whose players could ask for one each time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub placed: Option<u64>,
    /// Sessions that had asked for a placement and ended without one; only in older runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unplaced: Option<u64>,
    /// Handshakes for a further session that failed, by class.
    pub refused: BTreeMap<String, u64>,
}

/// One kind of fault that the generator injected. Over a whole run `made` is the sum of the outcomes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disruption {
    /// Cases.
    pub made: u64,
    /// What became of them, by class.
    pub outcomes: BTreeMap<String, u64>,
    /// Messages that slow readers have read; 0 for other kinds.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub messages_read: u64,
}

/// Counts and latencies of one operation. `offered = sent + unsent`; `sent = completed + failed + timed_out`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Operation {
    /// `open`: arrivals came at the instants of the plan; `closed`: each player waited for its answer, and there is no intended
    /// instant, so that the response time runs from the send; `journey`: a journey as a whole, from its beginning to its end.
    /// Empty in older runs: open.
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
    /// Only of journeys: those that the run's end cut short. They are in no other count, and have no time.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub unfinished: u64,
}

impl Operation {
    /// The model of a journey as a whole.
    pub const JOURNEY: &str = "journey";

    /// Whether it is a journey as a whole, and not something that is asked of the target.
    #[must_use]
    pub fn is_journey(&self) -> bool {
        self.model == Self::JOURNEY
    }
}

cut_off!(Operation);

/// Counts and latencies of one kind of push. `expected = received + late + lost`; duplicates and unexpected ones are extra.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Of these, received all the same, later than the grace; by the instants at which they came.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub too_late: u64,
    /// How many seconds these two make; absent in older runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lost_after_s: Option<f64>,
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

/// What the generator itself cost, and whether it sent on schedule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Generator {
    /// Actual send minus intended instant.
    pub dispatch_delay_us: Latency,
    /// User plus system time of the generator's process(es) during the run.
    pub cpu_seconds: f64,
    /// Highest resident set of the generator's process(es).
    pub peak_rss_bytes: u64,
    /// True when the generator, not the target, limited the load for some time.
    pub saturated: bool,
    /// How long a task that was ready waited for the event loop: what every receipt may be stamped too late by.
    #[serde(default)]
    pub event_loop_lag_us: Latency,
    /// Cores that the generator might use, affinity and quota counted; 0 in older runs.
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
    /// Most descriptors open at once; 0 where the kernel does not say.
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// How far its clock was measured to be ahead of the run's; absent when it ended before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_us: Option<f64>,
    /// How far that measurement may be off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_error_us: Option<f64>,
    /// Pushes that its players received and another worker had sent.
    pub receipts_passed: u64,
    /// Whether it ended before the run: then the run is not valid.
    pub lost: bool,
}

/// One rule with its verdict.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Threshold {
    /// As written in the scenario, e.g. `send_message.response_time.p99 < 250ms`.
    pub expression: String,
    /// The phase whose arrivals it looks at; absent: all that are measured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phase: Option<String>,
    /// Observed value in the expression's unit; null when there were no samples, which fails the rule.
    pub observed: Option<f64>,
    /// The verdict.
    pub passed: bool,
    /// Why it could not be judged, e.g. `nothing was expected`; absent where it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_judged: Option<String>,
    /// Whether it ended the run.
    #[serde(skip_serializing_if = "is_false", default)]
    pub aborted: bool,
}

#[cfg(test)]
mod tests {
    use super::super::cut_off::{INTERRUPTED, UNSENT_INTERRUPTED, UNSENT_RUN_ENDED};
    use super::*;

    #[test]
    fn a_protocol_fits_as_long_as_hardly_a_frame_is_unknown() {
        let frames = |received, unclassified| Frames { received, unclassified, ..Frames::default() };
        assert!(frames(0, 0).fit() && frames(1_000, 10).fit());
        assert!(!frames(1_000, 11).fit() && !frames(1, 1).fit());
        assert_eq!(frames(1_000, 10).doubt(), None);
        assert!(frames(2_300, 1_895).doubt().is_some_and(|doubt| doubt.starts_with("1895 of 2300 frames")));
    }

    #[test]
    fn the_error_rate_counts_steps_and_no_journey_twice() {
        let counts = |sent, failed, model: &str| Operation {
            model: model.into(),
            offered: sent,
            sent,
            completed: sent - failed,
            failed,
            ..Operation::default()
        };
        let mut summary = Summary::default();
        assert_eq!(summary.error_rate(None), None);
        let operations = [
            ("connect", counts(10, 0, "open")),
            ("send", counts(90, 50, "open")),
            ("visit", counts(30, 25, "journey")),
        ];
        summary.operations = operations.map(|(name, counts)| (name.to_owned(), counts)).into();
        assert_eq!(summary.error_rate(None), Some(0.5));
        assert_eq!(summary.error_rate(Some("connect")), Some(0.0));
        assert_eq!(summary.error_rate(Some("visit")), Some(25.0 / 30.0));
        assert_eq!(summary.error_rate(Some("other")), None);
    }

    #[test]
    fn what_makes_the_rest_meaningless_comes_first() {
        let mut summary = Summary::default();
        summary.sockets.attempted = 1;
        assert_eq!(summary.status(), Status::NothingConnected);
        summary.sockets.opened = 1;
        assert_eq!(summary.status(), Status::Invalid);
        summary.verdict.valid = true;
        assert_eq!(summary.status(), Status::ThresholdsFailed);
        summary.verdict.thresholds_passed = true;
        assert_eq!(summary.status(), Status::NotJudged);
        summary.thresholds.push(Threshold { passed: true, ..Threshold::default() });
        assert_eq!(summary.status(), Status::Passed);
        for (state, status) in [
            (RunState::Finished, Status::Passed),
            (RunState::EndedEarly, Status::Passed),
            (RunState::Interrupted, Status::Interrupted),
            (RunState::Failed, Status::Failed),
            (RunState::Running, Status::Unfinished),
        ] {
            assert_eq!(summary.status_in(state), status, "{state:?}");
        }
    }

    #[test]
    fn what_was_not_run_is_in_no_share() {
        // 31 s at 100/s, ended after 14 s with ten under way; one was answered wrongly.
        let errors =
            [(UNSENT_INTERRUPTED, 1_690), (UNSENT_RUN_ENDED, 10), (INTERRUPTED, 10), ("status_500", 1)];
        let operation = Operation {
            offered: 3_100,
            sent: 1_400,
            unsent: 1_700,
            completed: 1_389,
            failed: 11,
            errors: errors.map(|(class, count)| (class.to_owned(), count)).into(),
            ..Operation::default()
        };
        assert_eq!((operation.called_for(), operation.judged()), (1_400, 1_390));
        assert_eq!((operation.errors(), operation.could_not_be_sent()), (1, 0));
        let summary =
            Summary { operations: [("send_message".into(), operation)].into(), ..Summary::default() };
        assert_eq!(summary.not_run(), 1_700);
    }
}
