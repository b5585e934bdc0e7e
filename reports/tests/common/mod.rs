//! A synthetic run, the same on every machine: players that chat while a function runs out of concurrency, and a storm
//! that cuts some of their sockets; and a search for the load at which that function does.

#![allow(dead_code, unused_imports, reason = "each test uses its part")]

mod capacity;
mod cloudwatch;
mod comparison;
mod dice;
pub(crate) mod foreign;
mod hops;
mod seconds;
mod summary;

use std::fs;
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use jiff::{SignedDuration, Timestamp};
use reports::folder::{LATENCY, RunFolder, RunWriter, SERIES, save_summary};
use reports::format::{Host, Manifest, Phase, Run, RunState, SCHEMA_VERSION, SeriesLine};

pub(crate) use capacity::capacity;
pub(crate) use comparison::comparison;
pub(crate) use dice::Dice;

/// What kind of run to make up.
pub(crate) struct Shape {
    /// Length in seconds.
    pub(crate) seconds: u64,
    /// Messages a second at full load.
    pub(crate) rate: f64,
    /// Period of the CloudWatch series, if there are any.
    pub(crate) cloudwatch: Option<u64>,
    /// Whether the run ended properly and left a summary.
    pub(crate) finished: bool,
    /// Whether a storm cuts sockets, and the backend drops some.
    pub(crate) stormy: bool,
    /// Name of the scenario.
    pub(crate) name: &'static str,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            seconds: 300,
            rate: 240.0,
            cloudwatch: Some(60),
            finished: true,
            stormy: true,
            name: "lobby-chat-2000",
        }
    }
}

/// An empty histogram of microseconds.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are allowed")
}

fn started_at() -> Timestamp {
    "2026-03-14T09:26:53Z".parse().expect("a valid instant")
}

/// The manifest of a made-up run.
pub(crate) fn manifest(shape: &Shape) -> Manifest {
    let length = shape.seconds as f64;
    let phase = |name: &str, from: f64, to: f64, measured| Phase {
        name: name.into(),
        start_s: (length * from).round(),
        end_s: (length * to).round(),
        measured,
    };
    Manifest {
        protocol: "reference".into(),
        schema_version: SCHEMA_VERSION,
        run: Run {
            id: "2026-03-14T09-26-53Z-lobby-chat".into(),
            name: shape.name.into(),
            started_at: started_at(),
            ended_at: started_at(),
            target: "wss://play.example.test/Development".into(),
            seed: 42,
            version: "0.1.0".into(),
        },
        state: RunState::Running,
        command: ["loadgen", "run", "scenarios/lobby-chat.toml", "--seed", "42"].map(String::from).to_vec(),
        plan: vec![
            "2,000 players connect over the ramp, 33 a second.".into(),
            "Each player then sends a message every 8 s on average to a lobby of 8.".into(),
            "A burst doubles the message rate near the end.".into(),
        ],
        phases: vec![
            phase("ramp", 0.0, 0.2, false),
            phase("hold", 0.2, 0.7, true),
            phase("burst", 0.7, 0.85, true),
            phase("recover", 0.85, 1.0, true),
        ],
        players: 2000,
        host: Host {
            os: "Linux 6.1.0".into(),
            arch: "x86_64".into(),
            cpus: 8,
            memory_bytes: 16 << 30,
            descriptor_limit: 65_536,
        },
        commit: Some("4f1c2d9".into()),
        ..Manifest::default()
    }
}

/// Writes a made-up run into `dir`, which must be empty or absent.
pub(crate) fn write(dir: &Path, shape: &Shape) {
    let mut manifest = manifest(shape);
    let scenario =
        format!("name = {:?}\nplayers = 2000\n\n[messages]\nevery = \"8s\"\nfan_out = 8\n", shape.name);
    let mut writer = RunWriter::create(dir, &manifest, &scenario).expect("the folder is writable");
    let mut dice = Dice::new(42);
    for t in 0..shape.seconds {
        let (line, second) = seconds::second(&mut dice, shape, t);
        // The log holds measured arrivals only.
        for (tag, histogram) in second.iter().filter(|_| manifest.measures(t as f64)) {
            writer
                .interval(tag, Duration::from_secs(t), Duration::from_secs(1), histogram)
                .expect("the log is writable");
        }
        writer.second(&line).expect("the series is writable");
        let timed_out = line.operations.get("send_message").map_or(0, |second| second.timed_out);
        if timed_out > 0 && t % 9 == 0 {
            writer.error_sample(&seconds::sample(&line)).expect("the samples are writable");
        }
    }
    if let Some(period) = shape.cloudwatch {
        writer.cloudwatch(&cloudwatch::cloudwatch(&mut dice, shape, period)).expect("the folder is writable");
    }
    if shape.finished {
        manifest.state = RunState::Finished;
        manifest.run.ended_at = started_at() + SignedDuration::from_secs(shape.seconds as i64);
        writer.finish(&manifest).expect("the folder is writable");
        save_summary(dir, &summary::summary(&RunFolder::read(dir).expect("what was written reads back")))
            .expect("writable");
    }
}

/// Makes a run longer without making it up second by second: its seconds and intervals come again and again, the phases do not.
pub(crate) fn repeat(dir: &Path, times: u64) {
    let [series, log] = [SERIES, LATENCY].map(|name| fs::read_to_string(dir.join(name)).expect("readable"));
    let lines: Vec<SeriesLine> =
        series.lines().map(|line| serde_json::from_str(line).expect("a second")).collect();
    let seconds = lines.len() as u64;
    let (head, intervals): (Vec<&str>, Vec<&str>) =
        log.lines().partition(|line| line.starts_with(['#', '"']));
    let (mut series, mut log) = (String::new(), head.join("\n") + "\n");
    for offset in (0..times).map(|time| time * seconds) {
        for line in &lines {
            let line = SeriesLine { t: line.t + offset, ..line.clone() };
            series += &(serde_json::to_string(&line).expect("JSON") + "\n");
        }
        for interval in &intervals {
            let [tag, start, rest] = interval.splitn(3, ',').collect::<Vec<_>>()[..] else {
                panic!("{interval}")
            };
            let start: f64 = start.parse().expect("seconds");
            log += &format!("{tag},{:.3},{rest}\n", start + offset as f64);
        }
    }
    fs::write(dir.join(SERIES), series).expect("writable");
    fs::write(dir.join(LATENCY), log).expect("writable");
}
