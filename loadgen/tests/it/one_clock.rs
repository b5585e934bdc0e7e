//! Every file of a run folder means the same instant by the run's start, however long its preparations took.

use std::path::Path;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use reports::folder::{LATENCY, RunFolder};

use crate::common::{Backend, LOADGEN, Scene, wait_for_lines};

/// How long the tokens take: far more than clocks may differ by.
const TOKENS_S: f64 = 2.0;
/// Whole seconds of CloudWatch's axis, and the way to the function.
const A_SECOND_OR_SO: f64 = 1.5;

/// Players whose tokens take their time; a token is the player's id, and travels as the header that the backend trusts.
fn scene(backend: &Backend) -> Scene {
    let (target, cloudwatch) = (backend.url("websocket"), backend.url("cloudwatch"));
    Scene::new(&format!(
        r#"
name = "patient"
players = 10
thresholds = []

[target]
url = "{target}"

[auth]
placement = {{ header = "X-Player-Id" }}
command = {{ argv = ["sh", "slow.sh"], batch = 100 }}

[cloudwatch]
endpoint = "{cloudwatch}"

[[phases]]
kind = "hold"
duration = "4s"

[operations.send_message]
rate = 10.0
"#
    ))
    .with("slow.sh", &format!("sleep {TOKENS_S}; cat\n"))
}

fn seconds(at: Timestamp) -> f64 {
    at.as_microsecond() as f64 / 1e6
}

/// Zero of the axis, as the series has it, after the other files have been compared with it.
fn start(dir: &Path, called: Timestamp) -> Timestamp {
    let folder = RunFolder::read(dir).unwrap();
    let first = &folder.series[0];
    let start = first.at - SignedDuration::from_secs(first.t as i64);
    let since = seconds(start) - seconds(called);
    assert!(since >= TOKENS_S, "the plan began {since} s after the call, before there were tokens");

    assert_eq!(folder.manifest.run.started_at, start, "manifest.json");
    assert_eq!(folder.summary_or_rebuilt().run.started_at, start, "the summary");
    let log = std::fs::read_to_string(dir.join(LATENCY)).unwrap();
    for name in ["StartTime", "BaseTime"] {
        let line = log.lines().find(|line| line.starts_with(&format!("#[{name}: "))).unwrap();
        let instant: f64 = line.split(' ').nth(1).unwrap().parse().unwrap();
        // Written with three digits.
        assert!((instant - seconds(start)).abs() < 0.002, "{name}: {line}, the series says {start}");
    }
    let sent = |line: &&reports::format::SeriesLine| {
        line.operations.get("send_message").is_some_and(|operation| operation.sent > 0)
    };
    let first_send = folder.series.iter().find(sent).unwrap().t as f64;
    let cloudwatch = folder.cloudwatch.unwrap();
    assert_eq!(cloudwatch.problems, Vec::<String>::new());
    assert_eq!(cloudwatch.period_s, 1, "a stack on this machine keeps seconds");
    let invocations = cloudwatch.series.iter().find(|series| {
        series.metric == "Invocations" && series.dimensions["FunctionName"].ends_with("-SendMessage")
    });
    let busy = invocations.unwrap().points.iter().find(|(_, value)| *value > 0.0).unwrap();
    assert!((busy.0 - first_send).abs() < A_SECOND_OR_SO, "sent at {first_send} s, invoked at {} s", busy.0);
    start
}

fn correlate(dir: &Path) -> Option<i32> {
    Command::new(LOADGEN).arg("correlate").arg(dir).output().unwrap().status.code()
}

#[test]
fn a_run_starts_when_its_plan_does_and_not_when_it_is_called() {
    let backend = Backend::start(&["--profile", "instant", "--auth", "header"]);
    for arguments in [&[][..], &["--workers", "2"]] {
        let called = Timestamp::now();
        let ran = scene(&backend).run(arguments);
        ran.exits(0);
        let start = start(&ran.dir, called);
        assert_eq!(ran.summary().run.started_at, start, "summary.json");
    }
}

#[test]
fn a_killed_run_starts_there_as_well() {
    let backend = Backend::start(&["--profile", "instant", "--auth", "header"]);
    for arguments in [&[][..], &["--workers", "2"]] {
        let scene = scene(&backend);
        let called = Timestamp::now();
        let mut running = scene.command(arguments).spawn().unwrap();
        wait_for_lines(&scene.dir().join("series.jsonl"), 4);
        running.kill().unwrap();
        running.wait().unwrap();

        let report = Command::new(LOADGEN).arg("report").arg(scene.dir()).output().unwrap();
        assert_eq!(report.status.code(), Some(0));
        // Its second is still to come to an end in the stack.
        std::thread::sleep(std::time::Duration::from_secs(1));
        assert_eq!(correlate(&scene.dir()), Some(0));
        let start = start(&scene.dir(), called);
        let text = String::from_utf8(report.stdout).unwrap();
        let told = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(&format!("from {start:.0}")), "{start}: {text}");
    }
}
