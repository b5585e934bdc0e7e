//! `loadgen history` through the real binary: what is added is there once, and what changed is told with its commit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jiff::{SignedDuration, Timestamp};
use reports::capacity::{self, Capacity, Ended, Knee};
use reports::folder::{save_manifest, save_summary};
use reports::format::{
    Host, Latency, Manifest, Operation, Phase, Run, RunState, SCHEMA_VERSION, Summary, Verdict,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{LOADGEN, assert_asks_no_network};

/// A folder with runs, and a history beside them.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A run of the night `number` with this median.
    fn run(&self, number: u32, p50_us: u64) -> PathBuf {
        self.run_as("evening", number, p50_us, true)
    }

    fn run_as(&self, name: &str, number: u32, p50_us: u64, valid: bool) -> PathBuf {
        let dir = self.path(&format!("run-{number}"));
        fs::create_dir(&dir).unwrap();
        let night = SignedDuration::from_hours(24 * i64::from(number));
        let started_at = "2026-03-01T02:00:00Z".parse::<Timestamp>().unwrap() + night;
        let run = Run {
            id: format!("evening-{number}"),
            name: name.into(),
            started_at,
            ended_at: started_at + SignedDuration::from_secs(60),
            target: "embedded".into(),
            seed: 42,
            version: "0.1.0".into(),
        };
        let manifest = Manifest {
            schema_version: SCHEMA_VERSION,
            run: run.clone(),
            state: RunState::Finished,
            phases: vec![Phase { name: "hold".into(), start_s: 0.0, end_s: 60.0, measured: true }],
            players: 10,
            host: Host {
                os: "Linux 6.1.0".into(),
                arch: "x86_64".into(),
                cpus: 8,
                memory_bytes: 16 << 30,
                descriptor_limit: 65_536,
            },
            commit: Some(commit(number)),
            ..Manifest::default()
        };
        let latency =
            Latency { count: 6_000, p50: p50_us, p90: 2 * p50_us, p99: 3 * p50_us, ..Latency::default() };
        let operation = Operation {
            offered: 6_000,
            sent: 6_000,
            completed: 6_000,
            response_time_us: latency,
            ..Operation::default()
        };
        let summary = Summary {
            schema_version: SCHEMA_VERSION,
            run,
            verdict: Verdict {
                valid,
                invalid_reasons: if valid { Vec::new() } else { vec!["too busy".into()] },
                thresholds_passed: true,
                ..Verdict::default()
            },
            operations: [("send_message".to_owned(), operation)].into(),
            ..Summary::default()
        };
        save_manifest(&dir, &manifest).unwrap();
        save_summary(&dir, &summary).unwrap();
        fs::write(dir.join("scenario.toml"), "name = \"evening\"\nplayers = 10\n").unwrap();
        dir
    }

    /// Criterion's files of one bench.
    fn criterion(&self, median_ns: f64) -> PathBuf {
        let home = self.path("criterion");
        let new = home.join("wire").join("ack_encode").join("new");
        fs::create_dir_all(&new).unwrap();
        let id = r#"{"group_id":"wire","function_id":"ack_encode","value_str":null,"throughput":null,"full_id":"wire/ack_encode"}"#;
        fs::write(new.join("benchmark.json"), id).unwrap();
        let estimate = format!(
            r#"{{"confidence_interval":{{"confidence_level":0.95,"lower_bound":1,"upper_bound":2}},"point_estimate":{median_ns},"standard_error":1}}"#
        );
        let estimates = format!(r#"{{"mean":{estimate},"median":{estimate},"slope":null}}"#);
        fs::write(new.join("estimates.json"), estimates).unwrap();
        fs::write(new.join("sample.json"), r#"{"sampling_mode":"Flat","iters":[1.0],"times":[1.0]}"#)
            .unwrap();
        home
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(LOADGEN);
        // No checkout: what is not known stays absent.
        command.current_dir(self.folder.path()).arg("history").args(arguments).stdin(Stdio::null());
        command
    }

    fn history(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The text of a command that must succeed.
    fn said(&self, arguments: &[&str]) -> String {
        let output = self.history(arguments);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn add(&self, sources: &[PathBuf]) -> String {
        let sources = sources.iter().map(|source| source.to_str().unwrap());
        self.said(&["add"].into_iter().chain(sources).collect::<Vec<_>>())
    }

    fn shown(&self, arguments: &[&str]) -> Value {
        let all = ["show", "--json"].into_iter().chain(arguments.iter().copied());
        serde_json::from_str(&self.said(&all.collect::<Vec<_>>())).unwrap()
    }
}

fn commit(number: u32) -> String {
    format!("{:040x}", 0xabcd_0000_u64 + u64::from(number))
}

/// Thirty nights; from the 21st on everything takes a fifth longer.
fn nights(desk: &Desk) -> Vec<PathBuf> {
    (0..30).map(|n| desk.run(n, if n < 20 { 10_000 } else { 12_000 } + u64::from(n * 37 % 101))).collect()
}

#[test]
fn a_slowdown_is_told_with_the_commit_at_which_it_began() {
    let desk = Desk::new();
    let runs = nights(&desk);
    assert_eq!(desk.add(&runs), "Added 30 of 30 to runs/history.sqlite.\n");
    let again = desk.add(&runs[..2]);
    assert_eq!(again, "Added 0 of 2 to runs/history.sqlite, 2 were there already.\n");

    let shown = desk.shown(&["--out", "history.html"]);
    let history = &shown["history"];
    assert_eq!((history["entries"].as_u64(), history["groups"].as_array().unwrap().len()), (Some(30), 1));
    let trends = history["groups"][0]["trends"].as_array().unwrap();
    let changed: Vec<&Value> =
        trends.iter().filter(|trend| !trend["changes"].as_array().unwrap().is_empty()).collect();
    let names: Vec<&str> = changed.iter().map(|trend| trend["measure"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "send_message.response_time.p50",
            "send_message.response_time.p90",
            "send_message.response_time.p99"
        ],
        "throughput and errors did not change"
    );
    for trend in changed {
        let change = &trend["changes"][0];
        assert_eq!(change["commit"], commit(20));
        assert_eq!(change["previous_commit"], commit(19));
        assert_eq!((change["at"].as_u64(), change["news"].as_str()), (Some(20), Some("worse")));
        assert!((change["effect"].as_f64().unwrap() - 0.2).abs() < 0.01, "{change}");
        assert!(change["confidence"].as_f64().unwrap() > 0.999);
    }

    let text = desk.said(&["show"]);
    assert!(text.contains("3 changes in") && text.contains("for the worse"), "{text}");
    assert!(text.contains(&format!("{}..{}", &commit(19)[..10], &commit(20)[..10])), "{text}");
    let page = fs::read_to_string(desk.path("history.html")).unwrap();
    assert!(page.contains("<svg") && page.contains(&commit(20)[..10]), "the page names the commit");
    assert_asks_no_network(&page);
}

#[test]
fn invalid_runs_are_kept_and_left_out() {
    let desk = Desk::new();
    let runs: Vec<PathBuf> = (0..4).map(|n| desk.run_as("evening", n, 10_000, n != 2)).collect();
    desk.add(&runs);
    let entries = |arguments: &[&str]| {
        let shown = desk.shown(arguments);
        (shown["history"]["entries"].as_u64().unwrap(), shown["history"]["left_out"].as_u64().unwrap())
    };
    assert_eq!(entries(&[]), (3, 1));
    assert_eq!(entries(&["--all"]), (4, 0));
    let exported = desk.said(&["export", "--format", "jsonl"]);
    let reasons =
        exported.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["validity"].clone());
    assert_eq!(reasons.filter(|validity| validity["reason"] == "too busy").count(), 1, "{exported}");
}

#[test]
fn benches_and_searches_are_kept_beside_runs() {
    let desk = Desk::new();
    let search = desk.path("search");
    fs::create_dir(&search).unwrap();
    let found = Capacity {
        schema_version: capacity::SCHEMA_VERSION,
        name: "evening".into(),
        target: "embedded".into(),
        ended: Ended::Found,
        held: Some(98.0),
        knee: Some(Knee { estimate: 100.0, low: 98.0, high: 102.0 }),
        ..Capacity::default()
    };
    capacity::write(&search, &found).unwrap();
    desk.add(&[search.clone(), desk.run(1, 10_000)]);
    let bench = desk.criterion(229.5);
    desk.said(&["add", bench.to_str().unwrap(), "--commit", "1a2b3c", "--branch", "main"]);
    // The same measurement is the same, another one is not.
    assert!(desk.add(&[bench]).starts_with("Added 0 of 1"));
    let bench = desk.criterion(230.5);
    assert!(desk.add(&[bench]).starts_with("Added 1 of 1"));

    let shown = desk.shown(&[]);
    let group = |kind: &str| {
        let groups = shown["history"]["groups"].as_array().unwrap();
        groups.iter().find(|group| group["kind"] == kind).unwrap_or_else(|| panic!("{kind}: {shown}")).clone()
    };
    let points = group("bench")["trends"][0]["points"].clone();
    let values: Vec<f64> = points.as_array().unwrap().iter().map(|p| p["value"].as_f64().unwrap()).collect();
    assert_eq!(values, [229.5, 230.5]);
    assert_eq!(points[0]["commit"], "1a2b3c");
    assert_eq!(points[1].get("commit"), None, "no checkout, no commit");
    let capacity = group("capacity");
    let knee =
        capacity["trends"].as_array().unwrap().iter().find(|trend| trend["measure"] == "knee").unwrap();
    assert_eq!((knee["better"].as_str(), knee["points"][0]["value"].as_f64()), (Some("higher"), Some(100.0)));
    assert_eq!(group("run")["host"], "Linux x86_64, 8 CPUs, 16 GiB");
}

#[test]
fn writers_at_once_lose_nothing() {
    const WRITERS: u32 = 6;
    const EACH: u32 = 5;
    let desk = Desk::new();
    let started: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let runs = (0..EACH).map(|n| desk.run(writer * EACH + n, 10_000)).collect::<Vec<_>>();
            (writer, runs)
        })
        .collect();
    let children: Vec<_> = started
        .iter()
        .map(|(_, runs)| {
            let mut command = desk.command(&["add"]);
            command.args(runs).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(desk.shown(&[])["history"]["entries"].as_u64(), Some(u64::from(WRITERS * EACH)));
}

#[test]
fn a_writer_that_dies_leaves_a_sound_history() {
    let desk = Desk::new();
    desk.add(&[desk.run(0, 10_000)]);
    let more: Vec<PathBuf> = (1..40).map(|n| desk.run(n, 10_000)).collect();
    // A disk that takes no more: the kernel ends whoever writes beyond the limit.
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "ulimit -c 0; ulimit -f 24; exec \"$@\"", "sh", LOADGEN, "history", "add"])
        .args(&more);
    let output = limited.current_dir(desk.folder.path()).output().unwrap();
    assert!(!output.status.success(), "the limit was not met");
    assert_eq!(desk.shown(&[])["history"]["entries"].as_u64(), Some(1), "all or nothing");
    // Killed while it adds, at several moments.
    for wait_ms in [5, 15, 30, 60] {
        let mut child = desk.command(&["add"]).args(&more).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait_ms));
        child.kill().unwrap();
        child.wait().unwrap();
        let entries = desk.shown(&[])["history"]["entries"].as_u64().unwrap();
        assert!([1, 40].contains(&entries), "all or nothing: {entries}");
    }
    desk.add(&more);
    assert_eq!(desk.shown(&[])["history"]["entries"].as_u64(), Some(40));
}

#[test]
fn what_cannot_be_added_or_read_is_told_with_its_remedy() {
    let desk = Desk::new();
    let told = |arguments: &[&str], code: i32, wanted: &[&str]| {
        let output = desk.history(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        for wanted in wanted {
            assert!(said.contains(wanted), "{arguments:?}: {said}");
        }
    };
    told(&["show"], 2, &["there is no history yet", "loadgen history add"]);
    fs::create_dir(desk.path("empty")).unwrap();
    // Both mistakes at once, and nothing is added.
    let run = desk.run(0, 10_000);
    told(&["add", "empty", run.to_str().unwrap(), "nowhere"], 1, &["empty: neither a run folder", "nowhere"]);
    assert!(!desk.path("runs").exists(), "nothing was written");
    told(&["add", "empty"], 2, &["target/criterion"]);

    fs::write(desk.path("broken.sqlite"), "this is no database, whatever its name says: ".repeat(100))
        .unwrap();
    told(&["show", "--db", "broken.sqlite"], 1, &["not a history", "--db"]);
    told(&["add", run.to_str().unwrap(), "--db", "broken.sqlite"], 1, &["not a history"]);
    let broken = fs::read_to_string(desk.path("broken.sqlite")).unwrap();
    assert!(broken.starts_with("this is no database"), "it is left as it was");
    told(&["show", "--min-effect", "5"], 2, &["2%", "percentage"]);

    // A run that is not over.
    let mut manifest = reports::folder::read_manifest(&run).unwrap();
    manifest.state = RunState::Running;
    save_manifest(&run, &manifest).unwrap();
    told(&["add", run.to_str().unwrap()], 2, &["still running, or was killed"]);
}

#[test]
fn foreign_names_stay_text() {
    let desk = Desk::new();
    let name = "=HYPERLINK(\"x\")<script>alert(1)</script>\u{1b}[2J\u{202e}";
    let runs: Vec<PathBuf> = (0..3).map(|n| desk.run_as(name, n, 10_000, true)).collect();
    desk.add(&runs);
    let text = desk.said(&["show", "--out", "page.html"]);
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    let page = fs::read_to_string(desk.path("page.html")).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert"), "names are text");
    let csv = desk.said(&["export"]);
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("at (UTC),kind,name,measure,value (in unit),unit"), "{csv}");
    assert!(lines.all(|line| line.contains(",\"'=HYPERLINK") && !line.contains('\u{1b}')), "{csv}");
    assert_eq!(desk.said(&["export", "--out", "all.csv"]), "Wrote 3 entries to all.csv.\n");
    assert_eq!(read(&desk.path("all.csv")), csv);
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
