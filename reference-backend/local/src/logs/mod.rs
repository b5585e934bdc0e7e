//! CloudWatch Logs: the reports that Lambda writes after each invocation, in memory, and the [endpoint] that they are read
//! from.
//!
//! They are off by default. Nothing else is kept of a function's log: in the stack's own process it goes to standard error.

pub(crate) mod endpoint;
mod insights;
mod pattern;
mod report;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use parking_lot::{Mutex, RwLock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use self::report::{Entry, InitReport, Report, Status};
use super::metrics::{Metrics, Series, Unit};

/// Bytes that CloudWatch Logs adds to each event.
const OVERHEAD: u64 = 26;

/// The `[logs]` section of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogsProfile {
    /// Whether each invocation leaves a report in its function's log group.
    pub enabled: bool,
    /// The format of reports.
    pub format: LogFormat,
    /// Number of events that a log group retains; the oldest are removed first.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub retained_events: usize,
}

/// The format of what Lambda itself writes into a log (`LogFormat`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines: `REPORT RequestId: ..`.
    #[default]
    Text,
    /// Objects: `{"type":"platform.report",..}`, as the deployment templates configure it.
    Json,
}

impl Default for LogsProfile {
    fn default() -> Self {
        Self { enabled: false, format: LogFormat::default(), retained_events: 100_000 }
    }
}

impl LogsProfile {
    /// Checks what the types alone cannot.
    ///
    /// # Errors
    /// What is wrong, and the remedy.
    pub fn check(&self) -> Result<(), String> {
        if (1..=1_000_000).contains(&self.retained_events) {
            Ok(())
        } else {
            Err(format!("[logs] retained_events = {}: give 1 to 1000000", self.retained_events))
        }
    }
}

/// The log groups. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    profile: LogsProfile,
    metrics: Metrics,
    groups: Arc<RwLock<BTreeMap<String, Arc<LogGroup>>>>,
}

impl Logs {
    /// No groups yet.
    #[must_use]
    pub fn new(profile: &LogsProfile, metrics: &Metrics) -> Self {
        Self { profile: profile.clone(), metrics: metrics.clone(), groups: Arc::default() }
    }

    /// The group of a Lambda; none if logs are off.
    pub(crate) fn of_lambda(&self, lambda_name: &str) -> Option<Arc<LogGroup>> {
        if !self.profile.enabled {
            return None;
        }
        let name = format!("/aws/lambda/{lambda_name}");
        let new = || Arc::new(LogGroup::new(&name, &self.profile, &self.metrics));
        Some(Arc::clone(self.groups.write().entry(name.clone()).or_insert_with(new)))
    }

    fn find(&self, name: &str) -> Option<Arc<LogGroup>> {
        self.groups.read().get(name).cloned()
    }

    fn all(&self) -> Vec<Arc<LogGroup>> {
        self.groups.read().values().cloned().collect()
    }
}

/// One log group. Its events are in one stream, whichever environment wrote them.
#[derive(Debug)]
pub(crate) struct LogGroup {
    name: String,
    stream: String,
    created_ms: u64,
    format: LogFormat,
    retained: usize,
    events: Mutex<Events>,
    incoming_bytes: Arc<Series>,
    incoming_events: Arc<Series>,
}

/// The events of a group, by time.
#[derive(Debug, Default)]
struct Events {
    all: VecDeque<Event>,
    /// Number of the next event.
    next: u64,
    bytes: u64,
}

/// One event.
#[derive(Debug, Clone, Copy)]
struct Event {
    /// Its place among all events that the group ever had.
    number: u64,
    /// Epoch milliseconds.
    at_ms: u64,
    entry: Entry,
    /// Bytes of its message, without [`OVERHEAD`].
    bytes: u32,
}

impl LogGroup {
    fn new(name: &str, profile: &LogsProfile, metrics: &Metrics) -> Self {
        let now = SystemTime::now();
        let day = DateTime::<Utc>::from(now).format("%Y/%m/%d");
        let series = |metric| metrics.series("AWS/Logs", metric, Unit::None, &[("LogGroupName", name)]);
        Self {
            name: name.into(),
            stream: format!("{day}/[$LATEST]{}", Uuid::new_v4().simple()),
            created_ms: milliseconds(now),
            format: profile.format,
            retained: profile.retained_events,
            events: Mutex::default(),
            incoming_bytes: series("IncomingBytes"),
            incoming_events: series("IncomingLogEvents"),
        }
    }

    /// Writes an event, now.
    pub(crate) fn write(&self, entry: Entry) {
        let mut events = self.events.lock();
        // Taken under the lock, so that events are in the order of their times.
        let now = SystemTime::now();
        let at_ms = milliseconds(now).max(events.all.back().map_or(0, |last| last.at_ms));
        let bytes = self.message(&entry, at_ms).len();
        let (number, stored) = (events.next, bytes as u64 + OVERHEAD);
        events.all.push_back(Event { number, at_ms, entry, bytes: u32::try_from(bytes).unwrap_or(u32::MAX) });
        events.next += 1;
        events.bytes += stored;
        while events.all.len() > self.retained
            && let Some(oldest) = events.all.pop_front()
        {
            events.bytes -= u64::from(oldest.bytes) + OVERHEAD;
        }
        drop(events);
        self.incoming_bytes.record(now, stored as f64);
        self.incoming_events.record(now, 1.0);
    }

    /// The text of an event.
    fn message(&self, entry: &Entry, at_ms: u64) -> String {
        match self.format {
            LogFormat::Text => entry.text(),
            LogFormat::Json => entry.json(&instant(at_ms)).to_string(),
        }
    }

    /// The events in `from..=to` (epoch milliseconds), from number `first` on.
    fn between(&self, from: u64, to: u64, first: u64) -> Vec<Event> {
        let events = self.events.lock();
        let begin = events.all.partition_point(|event| event.at_ms < from || event.number < first);
        events.all.range(begin..).take_while(|event| event.at_ms <= to).copied().collect()
    }

    fn stored_bytes(&self) -> u64 {
        self.events.lock().bytes
    }
}

fn milliseconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn instant(at_ms: u64) -> DateTime<Utc> {
    (UNIX_EPOCH + Duration::from_millis(at_ms)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn logs(format: LogFormat, retained_events: usize) -> (Logs, Metrics) {
        let metrics = Metrics::default();
        let profile = LogsProfile { enabled: true, format, retained_events };
        (Logs::new(&profile, &metrics), metrics)
    }

    pub(super) fn report(duration_us: u64) -> Entry {
        Entry::Report(Report {
            id: Uuid::from_u128(u128::from(duration_us)),
            duration: Duration::from_micros(duration_us),
            init: None,
            memory_mb: 256,
            memory_used_mb: None,
            status: Status::Success,
        })
    }

    #[test]
    fn a_group_retains_the_newest_events_and_counts_all() {
        let (logs, metrics) = logs(LogFormat::Text, 2);
        let group = logs.of_lambda("f").unwrap();
        for duration in 1..=3 {
            group.write(report(duration));
        }
        let left = group.between(0, u64::MAX, 0);
        assert_eq!(left.iter().map(|event| event.number).collect::<Vec<_>>(), [1, 2]);
        let line = report(1).text().len() as u64;
        assert_eq!(group.stored_bytes(), 2 * (line + 26));
        let id =
            crate::metrics::MetricId::new("AWS/Logs", "IncomingBytes", &[("LogGroupName", "/aws/lambda/f")]);
        let total = metrics.query(&id, crate::metrics::Statistic::Sum, 0, u64::MAX / 2, 86_400);
        assert_eq!(total.iter().map(|(_, value)| value).sum::<f64>(), 3.0 * (line + 26) as f64);
        assert!(Arc::ptr_eq(&group, &logs.of_lambda("f").unwrap()), "one group for each name");
    }

    #[test]
    fn nothing_is_kept_while_logs_are_off() {
        let logs = Logs::new(&LogsProfile::default(), &Metrics::default());
        assert!(logs.of_lambda("f").is_none() && logs.all().is_empty());
    }
}
