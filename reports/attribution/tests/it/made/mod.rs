//! A made run folder of the reference backend: a minute of chat and placements, of which tests change what they are about.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use jiff::{SignedDuration, Timestamp};
use reports::folder::{RunFolder, RunWriter, save_summary};
use reports::format::{
    CloudWatch, CloudWatchSeries, Correlation, DeliverySecond, Hops, Latency, Limit, LimitKind, Manifest,
    Mapping, OperationSecond, Phase, Route, Run, RunState, SCHEMA_VERSION, SeriesLine, SeriesStatus,
    SocketsSecond, Subscription, Summary, SuspectKind, Threshold, Topology, Wiring, Work,
};

/// Seconds of the run: ten of connecting, then `calm` to 30, `busy` to 50, `after` to 60.
pub(crate) const SECONDS: u64 = 60;
/// The seconds in which the planted things happen.
pub(crate) const BUSY: std::ops::Range<u64> = 30..50;

/// Full name of a part of the backend.
pub(crate) fn full(short: &str) -> String {
    format!("reference-Development-{short}")
}

/// A run in the making.
pub(crate) struct Made {
    pub(crate) lines: Vec<SeriesLine>,
    pub(crate) times: Vec<(u64, String, Vec<u64>)>,
    pub(crate) cloudwatch: Option<CloudWatch>,
    pub(crate) topology: Topology,
    pub(crate) thresholds: Vec<Threshold>,
    pub(crate) valid: bool,
    pub(crate) invalid_reasons: Vec<String>,
    pub(crate) connects_measured: bool,
    pub(crate) hops: Option<Hops>,
}

fn started_at() -> Timestamp {
    "2026-03-14T09:26:53Z".parse().expect("an instant")
}

const FUNCTIONS: [(&str, f64, f64); 7] = [
    ("Authorizer", 0.0, 5.0),
    ("Connect", 0.0, 8.0),
    ("SendMessage", 100.0, 10.0),
    ("OnMessageInserted", 40.0, 20.0),
    ("SessionPlacementRequest", 20.0, 15.0),
    ("OnPlacementEvent", 20.0, 10.0),
    ("OnPlacementUpdated", 20.0, 10.0),
];

impl Made {
    /// A healthy run with series of a second.
    pub(crate) fn healthy() -> Self {
        let mut made = Self {
            lines: (0..SECONDS).map(line).collect(),
            times: Vec::new(),
            cloudwatch: Some(CloudWatch::default()),
            topology: topology(),
            thresholds: Vec::new(),
            valid: true,
            invalid_reasons: Vec::new(),
            connects_measured: false,
            hops: None,
        };
        for t in 10..SECONDS {
            made.times.push((t, "send_message.response".into(), vec![12_000; 100]));
            made.times.push((t, "message.each".into(), vec![40_000; 100]));
            made.times.push((t, "placement_request.response".into(), vec![15_000; 20]));
            made.times.push((t, "placement.each".into(), vec![300_000; 20]));
        }
        let document = made.document();
        document.schema_version = SCHEMA_VERSION;
        document.period_s = 1;
        document.region = "local".into();
        document.fetched_at = started_at() + SignedDuration::from_mins(20);
        document.window_start = started_at();
        document.window_end = started_at() + SignedDuration::from_secs(SECONDS as i64);
        document.settled = Some(true);
        document.wiring = wiring();
        for (name, rate, ms) in FUNCTIONS {
            for t in 0..SECONDS {
                let connecting = matches!(name, "Authorizer" | "Connect");
                let per_second = match (connecting, t < 10) {
                    (true, true) => 20.0,
                    (false, false) => rate,
                    _ => continue,
                };
                let at = t as f64;
                made.point("Invocations", "Sum", name, at, per_second);
                made.point("Throttles", "Sum", name, at, 0.0);
                made.point("Errors", "Sum", name, at, 0.0);
                made.point("Duration", "Average", name, at, ms);
                made.point("Duration", "Maximum", name, at, ms * 3.0);
                made.point("ConcurrentExecutions", "Maximum", name, at, (per_second * ms / 1e3 * 3.0).ceil());
            }
            made.limit(LimitKind::TimeoutS, &full(name), 10.0);
        }
        made.limit(LimitKind::AccountConcurrency, "", 1_000.0);
        made.limit(LimitKind::RequestsPerConcurrency, "", 10.0);
        made
    }

    /// The document of CloudWatch.
    pub(crate) fn document(&mut self) -> &mut CloudWatch {
        self.cloudwatch.get_or_insert_with(CloudWatch::default)
    }

    /// A limit.
    pub(crate) fn limit(&mut self, kind: LimitKind, resource: &str, value: f64) {
        let limit = Limit { kind, resource: resource.into(), value, source: "test".into() };
        self.document().limits.retain(|known| (known.kind, &known.resource) != (kind, &limit.resource));
        self.document().limits.push(limit);
    }

    /// The series of a metric with these dimensions.
    pub(crate) fn series(
        &mut self,
        namespace: &str,
        metric: &str,
        statistic: &str,
        dimensions: &[(&str, &str)],
    ) -> &mut CloudWatchSeries {
        let dimensions: BTreeMap<String, String> =
            dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let all = &mut self.document().series;
        let is = |series: &CloudWatchSeries| {
            (series.metric.as_str(), series.statistic.as_str()) == (metric, statistic)
                && series.dimensions == dimensions
        };
        let at = all.iter().position(is).unwrap_or_else(|| {
            all.push(CloudWatchSeries {
                namespace: namespace.into(),
                metric: metric.into(),
                statistic: statistic.into(),
                dimensions: dimensions.clone(),
                ..CloudWatchSeries::default()
            });
            all.len() - 1
        });
        &mut all[at]
    }

    /// A function's series.
    pub(crate) fn of(&mut self, metric: &str, statistic: &str, function: &str) -> &mut CloudWatchSeries {
        let name = full(function);
        self.series("AWS/Lambda", metric, statistic, &[("FunctionName", &name)])
    }

    /// Sets a point of a function's series.
    pub(crate) fn point(&mut self, metric: &str, statistic: &str, function: &str, at: f64, value: f64) {
        set(self.of(metric, statistic, function), at, value);
    }

    /// Sets the points of a function's series while it is busy.
    pub(crate) fn busy(&mut self, metric: &str, statistic: &str, function: &str, value: f64) {
        BUSY.for_each(|t| self.point(metric, statistic, function, t as f64, value));
    }

    /// Lets so many requests of an operation fail with a class in each busy second.
    pub(crate) fn fails(&mut self, operation: &str, class: &str, count: u64) {
        for t in BUSY {
            self.fails_at(t, operation, class, count);
        }
    }

    /// Lets so many requests of an operation fail with a class in a second.
    pub(crate) fn fails_at(&mut self, t: u64, operation: &str, class: &str, count: u64) {
        let second = self.lines[t as usize].operations.entry(operation.into()).or_default();
        second.failed += count;
        second.completed = second.completed.saturating_sub(count);
        *second.errors.entry(class.into()).or_default() += count;
    }

    /// Loses so many pushes of a delivery in each busy second.
    pub(crate) fn loses(&mut self, delivery: &str, count: u64) {
        for t in BUSY {
            let second = self.lines[t as usize].deliveries.entry(delivery.into()).or_default();
            second.lost += count;
            second.received = second.received.saturating_sub(count);
        }
    }

    /// Makes the answers or deliveries of a tag take so long in the busy seconds.
    pub(crate) fn slows(&mut self, tag: &str, us: u64) {
        for (_, _, times) in self.times.iter_mut().filter(|(t, own, _)| BUSY.contains(t) && own == tag) {
            times.iter_mut().for_each(|time| *time = us);
        }
    }

    /// Counts the seconds of connecting as measured.
    pub(crate) fn measure_connects(&mut self) {
        self.connects_measured = true;
    }

    /// Merges the series into periods of a minute, as AWS has them.
    pub(crate) fn by_minute(&mut self) {
        let document = self.document();
        document.period_s = 60;
        for series in &mut document.series {
            let mut minutes: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
            for (at, value) in &series.points {
                minutes.entry((at / 60.0).floor() as i64).or_default().push(*value);
            }
            let merged = |values: &[f64]| match series.statistic.as_str() {
                "Sum" => values.iter().sum(),
                "Average" => values.iter().sum::<f64>() / values.len() as f64,
                _ => values.iter().copied().fold(f64::MIN, f64::max),
            };
            series.points =
                minutes.iter().map(|(minute, values)| (*minute as f64 * 60.0, merged(values))).collect();
        }
    }

    /// Says of every series with this metric that it is not complete.
    pub(crate) fn partial(&mut self, metric: &str) {
        for series in self.document().series.iter_mut().filter(|series| series.metric == metric) {
            series.status = SeriesStatus::PartialData;
        }
    }

    /// Writes the folder at `path` and reads it.
    fn folder(&self, path: &Path) -> RunFolder {
        let mut manifest = self.manifest();
        let mut writer = RunWriter::create(path, &manifest, "name = \"made\"\n").expect("writable");
        for line in &self.lines {
            writer.second(&self.with_times(line)).expect("writable");
        }
        for (t, tag, values) in self.times.iter().filter(|(t, ..)| manifest.measures(*t as f64)) {
            let mut histogram = Histogram::<u64>::new(3).expect("a histogram");
            values.iter().for_each(|value| histogram.record(*value).expect("fits"));
            writer
                .interval(tag, Duration::from_secs(*t), Duration::from_secs(1), &histogram)
                .expect("writable");
        }
        if let Some(cloudwatch) = &self.cloudwatch {
            writer.cloudwatch(cloudwatch).expect("writable");
        }
        manifest.state = RunState::Finished;
        manifest.run.ended_at = started_at() + SignedDuration::from_secs(SECONDS as i64);
        writer.finish(&manifest).expect("writable");
        let summary = self.summary(&RunFolder::read(path).expect("reads back"));
        save_summary(path, &summary).expect("writable");
        RunFolder::read(path).expect("reads back")
    }

    /// A second with what its times make of its latencies.
    fn with_times(&self, line: &SeriesLine) -> SeriesLine {
        let mut line = line.clone();
        for (_, tag, values) in self.times.iter().filter(|(t, ..)| *t == line.t) {
            let mut histogram = Histogram::<u64>::new(3).expect("a histogram");
            values.iter().for_each(|value| histogram.record(*value).expect("fits"));
            let latency = Latency::of(&histogram);
            match tag.split_once('.') {
                Some((name, "response")) => {
                    line.operations.entry(name.into()).or_default().response_time_us = latency
                }
                Some((name, _)) => line.deliveries.entry(name.into()).or_default().each_us = latency,
                None => {}
            }
        }
        line
    }

    /// What gave way first.
    pub(crate) fn attributed(&self) -> Correlation {
        let dir = tempfile::tempdir().expect("a folder");
        attribution::attribute(&self.folder(&dir.path().join("run")))
    }

    fn manifest(&self) -> Manifest {
        let phase =
            |name: &str, start_s, end_s, measured| Phase { name: name.into(), start_s, end_s, measured };
        Manifest {
            schema_version: SCHEMA_VERSION,
            run: Run {
                id: "made".into(),
                name: "made".into(),
                started_at: started_at(),
                ended_at: started_at(),
                ..Run::default()
            },
            phases: vec![
                phase("connect", 0.0, 10.0, self.connects_measured),
                phase("calm", 10.0, 30.0, true),
                phase("busy", 30.0, 50.0, true),
                phase("after", 50.0, 60.0, true),
            ],
            players: 200,
            topology: self.topology.clone(),
            ..Manifest::default()
        }
    }

    fn summary(&self, folder: &RunFolder) -> Summary {
        let mut summary = folder.summary_or_rebuilt().into_owned();
        summary.verdict.valid = self.valid;
        summary.verdict.invalid_reasons = self.invalid_reasons.clone();
        summary.thresholds = self.thresholds.clone();
        summary.verdict.thresholds_passed = self.thresholds.iter().all(|threshold| threshold.passed);
        summary.hops = self.hops.clone();
        summary.deliveries.values_mut().for_each(|delivery| delivery.lost_after_s = Some(5.0));
        summary
    }
}

/// Sets a point of a series.
pub(crate) fn set(series: &mut CloudWatchSeries, at: f64, value: f64) {
    match series.points.iter_mut().find(|(start, _)| (start - at).abs() < 1e-9) {
        Some(point) => point.1 = value,
        None => {
            series.points.push((at, value));
            series.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
    }
}

fn line(t: u64) -> SeriesLine {
    let operation = |sent: u64, us: u64| OperationSecond {
        offered: sent,
        sent,
        completed: sent,
        response_time_us: Latency {
            count: sent,
            min: us,
            mean: us as f64,
            p50: us,
            p90: us,
            p95: us,
            p99: us,
            p99_9: us,
            p99_99: us,
            max: us,
        },
        ..OperationSecond::default()
    };
    let delivery =
        |expected: u64| DeliverySecond { expected, received: expected, ..DeliverySecond::default() };
    let mut line = SeriesLine {
        t,
        at: started_at() + SignedDuration::from_secs(t as i64),
        open: 200,
        sockets: Some(SocketsSecond::default()),
        ..SeriesLine::default()
    };
    if t < 10 {
        line.operations.insert("connect".into(), operation(20, 30_000));
        line.sockets = Some(SocketsSecond { attempted: 20, opened: 20, ..SocketsSecond::default() });
    } else {
        line.operations.insert("send_message".into(), operation(100, 12_000));
        line.operations.insert("placement_request".into(), operation(20, 15_000));
        line.deliveries.insert("message".into(), delivery(100));
        line.deliveries.insert("placement".into(), delivery(20));
    }
    line
}

fn topology() -> Topology {
    let words = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let work = |functions: &[&str], tables: &[&str], queues: &[&str]| Work {
        functions: words(functions),
        tables: words(tables),
        queues: words(queues),
    };
    Topology {
        operations: [
            ("connect".to_owned(), work(&["Authorizer", "Connect"], &["Connections"], &[])),
            (
                "send_message".to_owned(),
                work(&["SendMessage", "OnMessageInserted"], &["Connections", "Messages"], &[]),
            ),
            (
                "placement_request".to_owned(),
                work(
                    &["SessionPlacementRequest", "OnPlacementEvent", "OnPlacementUpdated"],
                    &["Connections", "Placements"],
                    &["Queue"],
                ),
            ),
        ]
        .into(),
        deliveries: [
            ("message".to_owned(), "send_message".to_owned()),
            ("placement".to_owned(), "placement_request".to_owned()),
        ]
        .into(),
    }
}

fn wiring() -> Wiring {
    let mapping = |table: &str, function: &str| Mapping {
        uuid: format!("uuid-{table}"),
        table: full(table),
        function: full(function),
    };
    let route = |route: &str, function: &str, authorizer: &str| Route {
        route: route.into(),
        function: full(function),
        authorizer: if authorizer.is_empty() { String::new() } else { full(authorizer) },
    };
    Wiring {
        mappings: vec![mapping("Messages", "OnMessageInserted"), mapping("Placements", "OnPlacementUpdated")],
        routes: vec![
            route("$connect", "Connect", "Authorizer"),
            route("sendMessage", "SendMessage", ""),
            route("sessionPlacementRequest", "SessionPlacementRequest", ""),
        ],
        subscriptions: vec![Subscription {
            topic: full("PlacementEvents"),
            function: full("OnPlacementEvent"),
        }],
    }
}

/// The first suspect's kind and resource.
pub(crate) fn first(correlation: &Correlation) -> Option<(SuspectKind, &str)> {
    correlation.suspects.first().map(|suspect| (suspect.kind, suspect.resource.as_str()))
}
