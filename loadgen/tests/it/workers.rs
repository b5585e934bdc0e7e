//! A run split over processes: together exactly the plan, deliveries across them counted exactly, and what happens when
//! one of them dies.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Backend, LOADGEN, Ran, Scene, assert_balanced, wait_for_lines};
use reports::format::Summary;

const SPLIT: &str = r#"
name = "split"
players = 300
thresholds = ["error_rate < 0.1%", "message.lost == 0", "sockets.opened >= 300"]

[target]
profile = "instant"

[sockets]
connect_rate = 300.0
per_goose_user = 25

[[phases]]
kind = "ramp"
duration = "1s"
measured = false

[[phases]]
kind = "hold"
duration = "3s"

[operations.send_message]
rate = 80.0
fan_out = 6

[operations.placement_request]
rate = 20.0
"#;

/// The summary of a run that came to its end.
fn counted(ran: &Ran) -> Summary {
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    summary
}

fn offered(summary: &Summary) -> BTreeMap<&str, u64> {
    summary.operations.iter().map(|(name, operation)| (name.as_str(), operation.offered)).collect()
}

/// The processes of the workers: the run's children that are such.
fn workers_of(run: u32) -> Vec<i32> {
    let pids = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name());
    let pids = pids.filter_map(|name| name.into_string().ok()?.parse::<i32>().ok());
    let is_child = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
        parent == Some(run)
    };
    let is_worker = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).nth(1) == Some(b"worker")
    };
    let mut workers: Vec<_> = pids.filter(is_child).filter(is_worker).collect();
    workers.sort_unstable();
    workers
}

fn is_there(pid: i32) -> bool {
    // A process that nobody has waited for yet has no command line any more.
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

fn signal(pid: i32, name: &str) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < patience, "{what} has not come about");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn three_workers_do_together_what_one_process_does() {
    let one = Scene::new(SPLIT).run(&[]);
    let three = Scene::new(SPLIT).run(&["--workers", "3"]);
    let (one, three_summary) = (counted(&one), counted(&three));
    assert_eq!(offered(&one), offered(&three_summary), "the same arrivals, whoever makes them");
    assert_eq!(three_summary.sockets.opened, 300);
    assert_eq!(three_summary.sockets.peak_open, 300, "all were open at once, over the workers");
    let message = &three_summary.deliveries["message"];
    assert_eq!(message.expected, 80 * 3 * 6, "every message reached six players");
    assert_eq!((message.received, message.duplicated, message.unexpected), (message.expected, 0, 0));
    assert_eq!((message.first_us.count, message.last_us.count), (240, 240));
    assert!(message.first_us.mean <= message.each_us.mean && message.each_us.mean <= message.last_us.mean);
    assert_eq!(three_summary.deliveries["placement"].received, 60);

    let workers = &three_summary.generator.workers;
    assert_eq!(workers.len(), 3);
    assert!(workers.iter().all(|worker| worker.players == 100 && worker.opened == 100), "{workers:?}");
    // Recipients are drawn among all players: two thirds of the pushes, warm-up included, reach another worker's.
    let passed: u64 = workers.iter().map(|worker| worker.receipts_passed).sum();
    let pushes = (40 + 240) * 6;
    assert!((pushes / 2..pushes * 5 / 6).contains(&passed), "{passed} of {pushes} crossed");
    assert_eq!(three_summary.generator.relay_lag_us.count, passed, "each was matched by its sender");
    for worker in workers {
        let (offset, error) = (worker.clock_offset_us.unwrap(), worker.clock_error_us.unwrap());
        assert!(offset.abs() <= error, "one clock, whatever was measured: {worker:?}");
        assert!(error > 0.0 && error < 100_000.0, "{worker:?}");
    }

    let folder = three.folder();
    let sum = |of: fn(&reports::format::SeriesLine) -> u64| folder.series.iter().map(of).sum::<u64>();
    assert_eq!(sum(|line| line.operations.get("send_message").map_or(0, |s| s.offered)), 40 + 240);
    assert_eq!(sum(|line| line.deliveries.get("message").map_or(0, |s| s.received)), pushes);
    assert_eq!(folder.series.iter().map(|line| line.open).max(), Some(300));
    let functions = three_summary.correlation.unwrap().functions;
    let sent = functions.iter().find(|function| function.function.ends_with("-SendMessage")).unwrap();
    assert_eq!(sent.invocations, Some(280.0), "the backend saw each message once");
}

#[test]
fn pushes_that_the_backend_lost_or_doubled_are_counted_exactly_across_workers() {
    let profile = "base = \"instant\"\n[gateway]\npush_drop_rate = 0.05\npush_duplicate_rate = 0.04\n";
    let scene = Scene::new(SPLIT).with("profile.toml", profile);
    let file = scene.dir().with_file_name("profile.toml");
    let backend = Backend::start(&["--profile", file.to_str().unwrap(), "--auth", "header", "--seed", "4"]);
    let ran = scene.run(&[
        "--target",
        backend.url("websocket"),
        "--workers",
        "3",
        "--set",
        "auth.mode=header",
        "--set",
        "phases.0.measured=true",
        "--set",
        "deliveries.timeout=2s",
        "--set",
        "thresholds=[]",
        "--set",
        "operations.placement_request.rate=0",
    ]);
    let summary = counted(&ran);
    let message = &summary.deliveries["message"];
    let injected = backend.faults();
    assert_eq!(message.expected, (40 + 240) * 6);
    assert_eq!(message.lost, injected["pushes_dropped"].as_u64().unwrap(), "{message:?} {injected}");
    assert_eq!(message.duplicated, injected["pushes_duplicated"].as_u64().unwrap(), "{message:?} {injected}");
    assert!(message.lost > 20 && message.duplicated > 20, "{message:?}");
}

/// A run that is under way; it ends with this value at the latest.
struct Running {
    scene: Option<Scene>,
    run: Option<Child>,
    workers: Vec<i32>,
    series: PathBuf,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let scene = Scene::new(&SPLIT.replace("duration = \"3s\"", "duration = \"60s\""));
        let mut command = scene.command(&[&["--workers", "3", "--set", "thresholds=[]"], arguments].concat());
        let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let series = scene.dir().join("series.jsonl");
        let mut running = Self { scene: Some(scene), run: Some(run), workers: Vec::new(), series };
        wait_for_lines(&running.series, 4);
        running.workers = workers_of(running.pid());
        assert_eq!(running.workers.len(), 3);
        running
    }

    fn pid(&self) -> u32 {
        self.run.as_ref().unwrap().id()
    }

    fn seconds(&self) -> usize {
        std::fs::read_to_string(&self.series).unwrap().lines().count()
    }

    fn end(mut self) -> Ran {
        let output = self.run.take().unwrap().wait_with_output().unwrap();
        self.scene.take().unwrap().ran(output)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(run) = &mut self.run {
            let _ = run.kill();
            let _ = run.wait();
        }
    }
}

#[test]
fn a_killed_worker_makes_the_run_invalid_and_the_rest_is_reported() {
    let running = Running::start(&["--set", "phases.1.duration=6s", "--set", "deliveries.timeout=2s"]);
    let killed = running.workers[1];
    signal(killed, "-KILL");
    wait_for_lines(&running.series, running.seconds() + 2);
    let ran = running.end();
    let summary = ran.exits(4).summary();
    assert!(!summary.verdict.valid);
    let reason = &summary.verdict.invalid_reasons[0];
    assert!(reason.contains(&format!("process {killed}")) && reason.contains("SIGKILL"), "{reason}");
    let lost: Vec<_> = summary.generator.workers.iter().filter(|worker| worker.lost).collect();
    assert!(lost.len() == 1 && lost[0].pid == killed as u32, "{lost:?}");
    assert_eq!(summary.sockets.opened, 300, "the seconds that it had told of are in the totals");
    let messages = &summary.operations["send_message"];
    assert!(messages.completed > 80 * 6 / 2, "the others went on: {messages:?}");
    assert_eq!(ran.stdout.lines().next(), Some("NOT VALID"));
    assert_eq!(ran.folder().manifest.state, reports::format::RunState::Finished);
}

#[test]
fn ctrl_c_keeps_what_all_workers_have_measured() {
    let running = Running::start(&[]);
    let workers = running.workers.clone();
    wait_for_lines(&running.series, 6);
    signal(running.pid() as i32, "-INT");
    let ran = running.end();
    let summary = ran.exits(130).summary();
    assert_balanced(&summary);
    assert_eq!(ran.folder().manifest.state, reports::format::RunState::Interrupted);
    assert_eq!(summary.sockets.opened, 300);
    assert!(summary.operations["send_message"].completed > 0);
    assert!(summary.generator.workers.iter().all(|worker| !worker.lost), "{:?}", summary.generator.workers);
    assert!(workers.iter().all(|&pid| !is_there(pid)), "they have ended");
}

#[test]
fn workers_end_with_the_run_however_it_dies() {
    let running = Running::start(&[]);
    let workers = running.workers.clone();
    signal(running.pid() as i32, "-KILL");
    wait_until("the end of the workers", || workers.iter().all(|&pid| !is_there(pid)));
}

#[test]
fn too_many_or_too_few_workers_are_refused_with_a_remedy() {
    let refused = |arguments: &[&str], told: &str| {
        let ran = Scene::new(SPLIT).run(arguments);
        assert!(ran.exits(2).stderr.contains(told), "{}", ran.stderr);
        assert!(!ran.dir.exists());
    };
    refused(&["--set", "players=900000"], "--workers");
    refused(&["--set", "players=900000", "--workers", "2"], "open files");
    refused(&["--workers", "301"], "301 workers are more than the 300 players");
    refused(&["--workers", "0"], "auto");
    let by_hand = Command::new(LOADGEN).arg("worker").stdin(Stdio::null()).output().unwrap();
    assert_eq!(by_hand.status.code(), Some(2));
    let said = String::from_utf8_lossy(&by_hand.stderr).into_owned();
    assert!(said.contains("--workers N"), "{said}");
}

#[test]
fn a_worker_that_cannot_be_prepared_is_an_error_before_anything_is_sent() {
    let ran = Scene::new(SPLIT).run(&[
        "--workers",
        "3",
        "--target",
        "ws://127.0.0.1:1/x",
        "--set",
        "auth.issuer=http://127.0.0.1:1",
    ]);
    ran.exits(1);
    assert!(ran.stderr.contains("worker ") && ran.stderr.contains("auth.issuer"), "{}", ran.stderr);
    assert!(!ran.dir.exists(), "nothing was measured");
}
