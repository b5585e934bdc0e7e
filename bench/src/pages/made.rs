//! A run folder of any length in a fraction of it: seconds are drawn from a store of histograms that were encoded once.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use reports::folder::{FolderError, LATENCY, RunFolder, RunWriter, SERIES, Tag, save_summary};
use reports::format::{
    CloudWatch, CloudWatchSeries, DeliverySecond, GeneratorSecond, Latency, Manifest, OperationSecond, Phase,
    Run, RunState, SCHEMA_VERSION, SeriesLine, SocketsSecond, Verdict,
};

/// How large the run is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Seconds of the run.
    pub seconds: u64,
    /// Operations, each with answers in every second.
    pub operations: usize,
    /// Functions of the backend, each with series of a minute.
    pub functions: usize,
}

/// Histograms of each tag to draw from.
const STORED: usize = 48;
/// Answers of an operation in a second.
const ANSWERS: u64 = 20;
/// Recipients of a message.
const FAN_OUT: u64 = 8;
/// Share of the run that is warm-up.
const WARM_UP: f64 = 0.05;

/// An encoded histogram, and its figures.
struct Stored {
    /// What follows the length in a line of the log.
    rest: String,
    latency: Latency,
}

/// Makes the folder; `dir` is empty or not there yet.
///
/// # Errors
/// [`FolderError`] when it cannot be written.
pub fn make(dir: &Path, size: &Size) -> Result<(), FolderError> {
    let mut manifest = manifest(size);
    let mut writer = RunWriter::create(dir, &manifest, "name = \"made\"\n")?;
    let mut made = Made::new(size)?;
    let io = |source| FolderError::Io { action: "write", path: dir.to_path_buf(), source };
    // The head of the log is written with the first interval, the rest as text.
    writer.interval(
        &Tag::Dispatch.to_string(),
        Duration::ZERO,
        Duration::from_secs(1),
        &Histogram::new(3).expect("three digits"),
    )?;
    let append = |name| {
        OpenOptions::new()
            .append(true)
            .open(dir.join(name))
            .map(|file| BufWriter::with_capacity(1 << 20, file))
    };
    let (mut log, mut series) = (append(LATENCY).map_err(io)?, append(SERIES).map_err(io)?);
    for t in 0..size.seconds {
        let (line, intervals) = made.second(t, &manifest);
        serde_json::to_writer(&mut series, &line).map_err(|e| io(e.into()))?;
        series.write_all(b"\n").map_err(io)?;
        log.write_all(intervals.as_bytes()).map_err(io)?;
    }
    log.flush().and_then(|()| series.flush()).map_err(io)?;
    writer.cloudwatch(&cloudwatch(size))?;
    manifest.state = RunState::Finished;
    manifest.run.ended_at = started_at() + SignedDuration::from_secs(size.seconds as i64);
    writer.finish(&manifest)?;
    let mut summary = RunFolder::read(dir)?.summary_or_rebuilt().into_owned();
    summary.run = manifest.run;
    summary.verdict = Verdict { valid: true, thresholds_passed: true, ..Verdict::default() };
    save_summary(dir, &summary)
}

fn started_at() -> Timestamp {
    Timestamp::from_second(1_773_480_413).expect("an instant of this century")
}

fn manifest(size: &Size) -> Manifest {
    let end_s = size.seconds as f64;
    let warm = (end_s * WARM_UP).round();
    let phase = |name: &str, start_s, end_s, measured| Phase { name: name.into(), start_s, end_s, measured };
    Manifest {
        protocol: "reference".into(),
        schema_version: SCHEMA_VERSION,
        run: Run {
            id: "made".into(),
            name: "made".into(),
            started_at: started_at(),
            ended_at: started_at(),
            target: "wss://play.example.test/Development".into(),
            seed: 1,
            version: env!("CARGO_PKG_VERSION").into(),
        },
        phases: vec![
            phase("warm-up", 0.0, warm, false),
            phase("day", warm, (end_s * 0.7).round(), true),
            phase("evening", (end_s * 0.7).round(), end_s, true),
        ],
        players: 5_000,
        ..Manifest::default()
    }
}

fn operation(number: usize) -> String {
    format!("operation_{number:02}")
}

/// What the seconds are drawn from.
struct Made {
    stored: BTreeMap<String, Vec<Stored>>,
    operations: Vec<String>,
    dice: SmallRng,
}

impl Made {
    fn new(size: &Size) -> Result<Self, FolderError> {
        let mut dice = SmallRng::seed_from_u64(1);
        let operations: Vec<String> = (0..size.operations).map(operation).collect();
        let mut medians: Vec<(String, f64, u64)> = Vec::new();
        for (number, name) in operations.iter().enumerate() {
            let median = 8_000.0 * 1.25_f64.powi(number as i32);
            medians.push((Tag::Response(name).to_string(), median * 1.1, ANSWERS));
            medians.push((Tag::Service(name).to_string(), median, ANSWERS));
        }
        for kind in ["message", "placement"] {
            medians.push((Tag::First(kind).to_string(), 20_000.0, ANSWERS));
            medians.push((Tag::Each(kind).to_string(), 30_000.0, ANSWERS * FAN_OUT));
            medians.push((Tag::Last(kind).to_string(), 50_000.0, ANSWERS));
        }
        let sends = ANSWERS * size.operations as u64;
        medians.push((Tag::Dispatch.to_string(), 120.0, sends));
        medians.push((Tag::EventLoopLag.to_string(), 60.0, sends));
        let mut stored = BTreeMap::new();
        for (tag, median, samples) in medians {
            stored.insert(tag.clone(), store(&tag, median, samples, &mut dice)?);
        }
        Ok(Self { stored, operations, dice })
    }

    /// One of a tag's histograms: those of the evening are the slower ones.
    fn draw(&mut self, tag: Tag<'_>, busy: f64) -> (String, &Stored) {
        let tag = tag.to_string();
        let wanted = (busy * (STORED / 2) as f64) as usize + self.dice.random_range(0..STORED / 2);
        let stored = &self.stored[&tag][wanted.min(STORED - 1)];
        (tag, stored)
    }

    /// A line of the series, and those of the log.
    fn second(&mut self, t: u64, manifest: &Manifest) -> (SeriesLine, String) {
        let part = (t as f64 / manifest.phases[2].end_s).min(1.0);
        let busy = 0.5 - 0.5 * (std::f64::consts::TAU * part).cos();
        let measured = manifest.measures(t as f64);
        let mut log = String::new();
        let mut take = |made: &mut Self, tag: Tag<'_>| {
            let (tag, stored) = made.draw(tag, busy);
            if measured {
                log.push_str(&format!("Tag={tag},{t}.000,1.000,{}\n", stored.rest));
            }
            stored.latency
        };
        let mut operations = BTreeMap::new();
        for name in self.operations.clone() {
            let timed_out = u64::from(self.dice.random_range(0..400) == 0);
            let second = OperationSecond {
                offered: ANSWERS + timed_out,
                sent: ANSWERS + timed_out,
                completed: ANSWERS,
                timed_out,
                errors: (timed_out > 0).then(|| ("timeout".to_owned(), timed_out)).into_iter().collect(),
                response_time_us: take(self, Tag::Response(&name)),
                service_time_us: take(self, Tag::Service(&name)),
                ..OperationSecond::default()
            };
            operations.insert(name, second);
        }
        let mut deliveries = BTreeMap::new();
        for kind in ["message", "placement"] {
            let lost = u64::from(self.dice.random_range(0..900) == 0);
            let each_us = take(self, Tag::Each(kind));
            take(self, Tag::First(kind));
            take(self, Tag::Last(kind));
            let received = ANSWERS * FAN_OUT;
            let second = DeliverySecond {
                expected: received + lost,
                received,
                lost,
                each_us,
                ..DeliverySecond::default()
            };
            deliveries.insert(kind.to_owned(), second);
        }
        let line = SeriesLine {
            t,
            at: started_at() + SignedDuration::from_secs(t as i64),
            phase: manifest
                .phases
                .iter()
                .find(|phase| (t as f64) < phase.end_s)
                .map(|phase| phase.name.clone())
                .unwrap_or_default(),
            open: (5_000.0 * (part / WARM_UP).min(1.0)) as u64,
            operations,
            deliveries,
            sockets: Some(SocketsSecond::default()),
            generator: GeneratorSecond {
                dispatch_delay_us: take(self, Tag::Dispatch),
                event_loop_lag_us: take(self, Tag::EventLoopLag),
                cpu_percent: 40.0 + 30.0 * busy + self.dice.random_range(0.0..5.0),
                rss_bytes: 150 << 20,
                busiest_thread_percent: 30.0 + 20.0 * busy,
                run_delay_percent: self.dice.random_range(0.0..3.0),
                descriptors: 5_040,
                ..GeneratorSecond::default()
            },
            ..SeriesLine::default()
        };
        (line, log)
    }
}

/// Encodes the histograms of a tag, the faster ones first, by writing them to a log of their own.
fn store(tag: &str, median: f64, samples: u64, dice: &mut SmallRng) -> Result<Vec<Stored>, FolderError> {
    let io = |source| FolderError::Io { action: "write", path: std::env::temp_dir(), source };
    let dir = tempfile::tempdir().map_err(io)?;
    let mut writer = RunWriter::create(dir.path(), &Manifest::default(), "")?;
    let mut latencies = Vec::new();
    for number in 0..STORED {
        let mut histogram = Histogram::new(3).expect("three digits");
        let slower = 1.0 + 1.5 * number as f64 / STORED as f64;
        for _ in 0..samples {
            // Log-normal, by Box and Muller.
            let (one, other): (f64, f64) = (dice.random_range(1e-9..1.0), dice.random());
            let normal = (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos();
            histogram.record((median * slower * (0.4 * normal).exp()) as u64).expect("resizes");
        }
        writer.interval(tag, Duration::from_secs(number as u64), Duration::from_secs(1), &histogram)?;
        latencies.push(Latency::of(&histogram));
    }
    let log = fs::read_to_string(dir.path().join(LATENCY)).map_err(io)?;
    let lines = log.lines().filter(|line| line.starts_with("Tag="));
    let rest = lines.filter_map(|line| line.splitn(4, ',').nth(3));
    Ok(rest.zip(latencies).map(|(rest, latency)| Stored { rest: rest.to_owned(), latency }).collect())
}

/// Series of a minute for each function.
fn cloudwatch(size: &Size) -> CloudWatch {
    let metrics = [
        ("Invocations", "Sum", "Count", 1_200.0),
        ("ConcurrentExecutions", "Maximum", "Count", 12.0),
        ("Duration", "Average", "Milliseconds", 14.0),
        ("Duration", "Maximum", "Milliseconds", 220.0),
        ("Errors", "Sum", "Count", 0.0),
        ("Throttles", "Sum", "Count", 0.0),
    ];
    let mut dice = SmallRng::seed_from_u64(2);
    let mut series = Vec::new();
    for number in 0..size.functions {
        for (metric, statistic, unit, level) in metrics {
            let points = (0..size.seconds / 60).map(|minute| {
                let value: f64 = level * dice.random_range(0.8..1.2);
                (minute as f64 * 60.0, value.round())
            });
            series.push(CloudWatchSeries {
                namespace: "AWS/Lambda".into(),
                metric: metric.into(),
                statistic: statistic.into(),
                dimensions: [("FunctionName".to_owned(), format!("made-Development-Function{number:02}"))]
                    .into(),
                unit: unit.into(),
                points: points.collect(),
                ..CloudWatchSeries::default()
            });
        }
    }
    let end = started_at() + SignedDuration::from_secs(size.seconds as i64);
    CloudWatch {
        schema_version: SCHEMA_VERSION,
        fetched_at: end,
        window_start: started_at(),
        window_end: end,
        period_s: 60,
        region: "eu-central-1".into(),
        series,
        ..CloudWatch::default()
    }
}
