//! What Lambda writes into a function's log after an invocation, in the formats of AWS, so that tools for AWS's logs read
//! it: a `REPORT` line or a `platform.report` object, and the same for a cold start that failed.

use std::fmt::Write as _;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// One event of a log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Entry {
    /// The end of an invocation.
    Report(Report),
    /// The end of a cold start that failed.
    Init(InitReport),
}

/// The report of one invocation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Report {
    /// Request id.
    pub(crate) id: Uuid,
    /// From the event to its answer.
    pub(crate) duration: Duration,
    /// Duration of the cold start that the event waited for.
    pub(crate) init: Option<Duration>,
    /// Memory of the environment in megabytes.
    pub(crate) memory_mb: u32,
    /// Most memory that it has used, in megabytes; none where nothing measures it.
    pub(crate) memory_used_mb: Option<u64>,
    /// How it ended.
    pub(crate) status: Status,
}

/// The report of a cold start that failed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct InitReport {
    /// How long it took.
    pub(crate) duration: Duration,
    /// How it ended.
    pub(crate) status: Status,
}

/// How an invocation or a cold start ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// With an answer, or with an error of the handler: the line does not tell.
    Success,
    /// The environment has died.
    Error,
    /// The time was up.
    Timeout,
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Timeout => "timeout",
        }
    }
}

impl Report {
    /// What is billed: whole milliseconds, with the cold start.
    pub(crate) fn billed_ms(&self) -> u64 {
        milliseconds(self.duration + self.init.unwrap_or_default()).ceil() as u64
    }

    /// The line.
    pub(crate) fn text(&self) -> String {
        let Self { id, duration, init, memory_mb, memory_used_mb, status } = self;
        let (duration, billed) = (milliseconds(*duration), self.billed_ms());
        let mut line = format!(
            "REPORT RequestId: {id}\tDuration: {duration:.2} ms\tBilled Duration: {billed} ms\tMemory Size: {memory_mb} MB\t"
        );
        // Writing to a string cannot fail.
        if let Some(used) = memory_used_mb {
            let _ = write!(line, "Max Memory Used: {used} MB\t");
        }
        if let Some(init) = init {
            let _ = write!(line, "Init Duration: {:.2} ms\t", milliseconds(*init));
        }
        if *status != Status::Success {
            let _ = write!(line, "Status: {}", status.name());
        }
        line
    }

    fn json(&self, at: &DateTime<Utc>) -> Value {
        let mut metrics = json!({
            "durationMs": rounded(self.duration),
            "billedDurationMs": self.billed_ms(),
            "memorySizeMB": self.memory_mb,
        });
        if let Some(used) = self.memory_used_mb {
            metrics["maxMemoryUsedMB"] = used.into();
        }
        if let Some(init) = self.init {
            metrics["initDurationMs"] = rounded(init).into();
        }
        let record =
            json!({ "requestId": self.id.to_string(), "metrics": metrics, "status": self.status.name() });
        json!({ "time": time(at), "type": "platform.report", "record": record })
    }
}

impl InitReport {
    fn text(&self) -> String {
        let (duration, status) = (milliseconds(self.duration), self.status.name());
        format!("INIT_REPORT Init Duration: {duration:.2} ms\tPhase: init\tStatus: {status}")
    }

    fn json(&self, at: &DateTime<Utc>) -> Value {
        let record = json!({
            "initializationType": "on-demand",
            "phase": "init",
            "status": self.status.name(),
            "metrics": { "durationMs": rounded(self.duration) },
        });
        json!({ "time": time(at), "type": "platform.initReport", "record": record })
    }
}

impl Entry {
    /// The message of a log in text, which ends with a line break.
    pub(super) fn text(&self) -> String {
        let line = match self {
            Self::Report(report) => report.text(),
            Self::Init(report) => report.text(),
        };
        format!("{line}\n")
    }

    /// The message of a log in JSON.
    pub(super) fn json(&self, at: &DateTime<Utc>) -> Value {
        match self {
            Self::Report(report) => report.json(at),
            Self::Init(report) => report.json(at),
        }
    }

    /// `@type` in Logs Insights.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Report(_) => "REPORT",
            Self::Init(_) => "INIT_REPORT",
        }
    }
}

/// A duration in milliseconds.
pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// A duration in milliseconds, to the microsecond.
fn rounded(time: Duration) -> f64 {
    (milliseconds(time) * 1_000.0).round() / 1_000.0
}

fn time(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            id: Uuid::from_u128(0x8f5),
            duration: Duration::from_micros(976_250),
            init: None,
            memory_mb: 128,
            memory_used_mb: Some(90),
            status: Status::Success,
        }
    }

    #[test]
    fn the_line_reads_as_aws_writes_it() {
        let id = "00000000-0000-0000-0000-0000000008f5";
        assert_eq!(
            Entry::Report(report()).text(),
            format!(
                "REPORT RequestId: {id}\tDuration: 976.25 ms\tBilled Duration: 977 ms\tMemory Size: 128 MB\tMax Memory Used: 90 MB\t\n"
            )
        );
        let cold = Report { init: Some(Duration::from_micros(430_470)), memory_used_mb: None, ..report() };
        assert_eq!(
            cold.text(),
            format!(
                "REPORT RequestId: {id}\tDuration: 976.25 ms\tBilled Duration: 1407 ms\tMemory Size: 128 MB\tInit Duration: 430.47 ms\t"
            ),
            "the cold start is billed, too"
        );
        let late = Report { status: Status::Timeout, ..report() };
        assert!(late.text().ends_with("\tStatus: timeout"));
        let init = InitReport { duration: Duration::from_micros(9_999_100), status: Status::Timeout };
        assert_eq!(init.text(), "INIT_REPORT Init Duration: 9999.10 ms\tPhase: init\tStatus: timeout");
    }

    #[test]
    fn the_object_has_the_same() {
        let at = DateTime::from_timestamp_millis(1_700_000_000_123).unwrap();
        let cold = Report { init: Some(Duration::from_micros(463_512)), ..report() };
        assert_eq!(
            Entry::Report(cold).json(&at),
            json!({
                "time": "2023-11-14T22:13:20.123Z",
                "type": "platform.report",
                "record": {
                    "requestId": "00000000-0000-0000-0000-0000000008f5",
                    "metrics": {
                        "durationMs": 976.25, "billedDurationMs": 1_440, "memorySizeMB": 128, "maxMemoryUsedMB": 90,
                        "initDurationMs": 463.512,
                    },
                    "status": "success",
                },
            })
        );
    }
}
