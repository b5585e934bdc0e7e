//! `loadgen capacity` through the real binary, against backends whose capacity is known by arithmetic.

use std::process::{Child, Command, Output, Stdio};

use crate::common::{Backend, LOADGEN, Scene, assert_asks_no_network, was_disturbed};
use reports::capacity::{Capacity, Ended, Outcome, Step};
use reports::folder::RunFolder;

/// A second in which the target fills up does not count: measured is what it keeps up.
const SCENARIO: &str = r#"
name = "knee"
players = 50
thresholds = ["send_message.error_rate < 2%"]

[target]
profile = "profile.toml"

[auth]
mode = "header"

[sockets]
connect_rate = 400.0

[[phases]]
kind = "hold"
duration = "1s"
measured = false

[[phases]]
kind = "hold"
duration = "4s"

[operations.send_message]
rate = 60.0
timeout = "3s"

[deliveries]
timeout = "3s"
"#;

/// 40 environments that take 400 ms each serve 100 a second: the rest is throttled.
const HUNDRED_A_SECOND: &str = "base = \"instant\"\n[lambda.functions.SendMessage]\nreserved_concurrency = 40\n\
    [lambda.functions.SendMessage.duration]\np50_ms = 400.0\n";

/// Sockets that only have to stay, for a second.
const SOCKETS: [&str; 8] = [
    "--vary",
    "players",
    "--set",
    "operations={}",
    "--set",
    "thresholds=[\"sockets.dropped == 0\"]",
    "--set",
    "phases.1.duration=1s",
];

fn scene(profile: &str) -> Scene {
    Scene::new(SCENARIO).with("profile.toml", profile)
}

/// The scenario's folder is the scene's; the search's lies in it.
fn command(scene: &Scene, arguments: &[&str]) -> Command {
    let scenario = scene.dir().with_file_name("scenario.toml");
    let mut command = Command::new(LOADGEN);
    command.arg("capacity").arg(scenario).arg("--out").arg(scene.dir()).args(["--cool-down", "100ms"]);
    command.args(arguments).stdin(Stdio::null());
    command
}

fn found(scene: &Scene, output: &Output) -> Capacity {
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    reports::capacity::read(&scene.dir())
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&said)))
}

/// The same command where a process may open no more than so many files.
fn limited(command: &Command, files: u32) -> Command {
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -n {files} && exec \"$@\""), "sh"]);
    limited.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    limited
}

fn run_of(scene: &Scene, step: &Step) -> RunFolder {
    RunFolder::read(&scene.dir().join(step.run.as_ref().unwrap())).unwrap()
}

/// Whether others took the CPU in any of the runs.
fn any_disturbed(scene: &Scene, capacity: &Capacity) -> bool {
    let ran = capacity.steps.iter().filter(|step| step.run.is_some());
    ran.filter_map(|step| run_of(scene, step).summary).any(|summary| was_disturbed(&summary))
}

/// Every level, for a message.
fn curve(capacity: &Capacity) -> String {
    let step = |step: &Step| {
        format!("{:.1} {:?} {:.1}/s {:?}", step.level, step.outcome, step.completed_per_s, step.reason)
    };
    capacity.steps.iter().map(step).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_planted_knee_is_found_within_five_percent() {
    const TRUTH: f64 = 100.0;
    let mut tried = Vec::new();
    // A machine that stalls in the wrong second moves a step; the arithmetic stays. Only a disturbed search is made again.
    for _ in 0..3 {
        let scene = scene(HUNDRED_A_SECOND);
        let output = command(&scene, &["--precision", "4%"]).output().unwrap();
        let capacity = found(&scene, &output);
        tried.push(curve(&capacity));
        let Some(knee) = capacity.knee.filter(|knee| (knee.estimate / TRUTH - 1.0).abs() <= 0.05) else {
            assert!(
                any_disturbed(&scene, &capacity),
                "the knee at {TRUTH}/s was missed:\n{}",
                tried.join("\n\n")
            );
            continue;
        };
        assert_eq!((output.status.code(), capacity.ended), (Some(0), Ended::Found));
        assert!(knee.low < knee.high && knee.high / knee.low <= 1.04 + 1e-9, "{knee:?}");
        assert_eq!(capacity.held, Some(knee.low));
        let level = |wanted: f64| capacity.levels.iter().find(|level| level.level == wanted).unwrap();
        assert_eq!(level(knee.low).verdict, Some(Outcome::Held));
        assert_eq!(level(knee.high).verdict, Some(Outcome::Failed));
        // What the curve shows: throughput follows the load up to the knee and no further.
        for step in &capacity.steps {
            let served = step.level.min(TRUTH);
            assert!((step.completed_per_s / served - 1.0).abs() < 0.1, "{}", tried.join("\n\n"));
            let run = scene.dir().join(step.run.as_ref().unwrap());
            assert!(run.join("report.html").is_file(), "each run has its report");
        }
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains("Knee at") && text.contains("send_message.error_rate < 2%: observed"),
            "{text}"
        );
        let page = std::fs::read_to_string(scene.dir().join("capacity.html")).unwrap();
        assert!(page.contains("Knee at") && page.contains("<svg") && page.contains("steps/001/report.html"));
        assert_asks_no_network(&page);
        return;
    }
    panic!("the knee at {TRUTH}/s was missed:\n{}", tried.join("\n\n"));
}

#[test]
fn a_number_of_sockets_that_all_hold_has_no_knee() {
    let scene = scene("base = \"instant\"\n");
    let output = command(&scene, &[&SOCKETS[..], &["--from", "20", "--to", "40"]].concat()).output().unwrap();
    let capacity = found(&scene, &output);
    assert_eq!((output.status.code(), capacity.ended), (Some(0), Ended::NeverFailed), "{}", curve(&capacity));
    assert_eq!((capacity.held, capacity.knee), (Some(40.0), None));
    let held = capacity.steps.iter().filter(|step| step.outcome == Outcome::Held);
    let mut peaks: Vec<_> = held.map(|step| step.peak_open).collect();
    assert!(peaks.ends_with(&[40, 40]), "the highest is confirmed: {}", curve(&capacity));
    peaks.dedup();
    assert_eq!(peaks, [20, 40]);
    assert!(
        capacity.steps.iter().all(|step| step.error_share == 0.0),
        "nothing was offered, so nothing failed"
    );
}

#[test]
fn a_machine_without_descriptors_is_not_the_targets_knee() {
    let scene = scene("base = \"instant\"\n");
    let search = command(&scene, &[&SOCKETS[..], &["--from", "400", "--precision", "50%"]].concat());
    let output = limited(&search, 300).output().unwrap();
    let capacity = found(&scene, &output);
    assert_eq!(
        (output.status.code(), capacity.ended),
        (Some(4), Ended::GeneratorLimit),
        "{}",
        curve(&capacity)
    );
    assert_eq!(capacity.knee, None);
    assert!(capacity.held.is_some_and(|held| held <= 236.0), "{}", curve(&capacity));
    let first = &capacity.steps[0];
    assert_eq!((first.outcome, &first.run), (Outcome::Invalid, &None), "nothing ran");
    assert!(first.reason.as_ref().unwrap().contains("--workers 2"), "the remedy: {first:?}");
    assert_ne!(capacity.steps[1].level, first.level, "what cannot run is not tried again");
}

#[test]
fn workers_hold_what_one_process_cannot() {
    let scene = scene("base = \"instant\"\n");
    let levels = ["--workers", "2", "--from", "400", "--to", "440"];
    let output = limited(&command(&scene, &[&SOCKETS[..], &levels].concat()), 300).output().unwrap();
    let capacity = found(&scene, &output);
    assert_eq!((output.status.code(), capacity.ended), (Some(0), Ended::NeverFailed), "{}", curve(&capacity));
    assert_eq!(capacity.held, Some(440.0));
    for step in capacity.steps.iter().filter(|step| step.outcome == Outcome::Held) {
        let summary = run_of(&scene, step).summary.unwrap();
        let players: Vec<_> = summary.generator.workers.iter().map(|worker| worker.players as f64).collect();
        assert_eq!(players, [step.level / 2.0; 2], "each has its half");
        assert_eq!(step.peak_open as f64, step.level);
    }
}

#[test]
fn a_running_target_is_searched_as_it_is() {
    const TRUTH: f64 = 100.0;
    let mut tried = Vec::new();
    for _ in 0..3 {
        let scene = scene(HUNDRED_A_SECOND);
        let profile = scene.dir().with_file_name("profile.toml");
        let backend = Backend::start(&["--profile", profile.to_str().unwrap(), "--auth", "header"]);
        let url = format!("target.url={}", backend.url("websocket"));
        let arguments = ["--workers", "2", "--precision", "50%", "--set", &url];
        let output = command(&scene, &arguments).output().unwrap();
        let capacity = found(&scene, &output);
        assert!(backend.url("websocket").starts_with(&capacity.target), "{}", capacity.target);
        assert!(capacity.steps.iter().all(|step| {
            let RunFolder { manifest, summary, .. } = run_of(&scene, step);
            manifest.run.target == capacity.target && summary.unwrap().generator.workers.len() == 2
        }));
        tried.push(curve(&capacity));
        if let Some(knee) = capacity.knee.filter(|knee| knee.low <= TRUTH && TRUTH < knee.high) {
            assert_eq!((output.status.code(), capacity.ended), (Some(0), Ended::Found));
            assert!(knee.high / knee.low <= 1.5 + 1e-9, "{knee:?}");
            return;
        }
        assert!(
            any_disturbed(&scene, &capacity),
            "the knee at {TRUTH}/s was missed:\n{}",
            tried.join("\n\n")
        );
    }
    panic!("the knee at {TRUTH}/s was missed:\n{}", tried.join("\n\n"));
}

#[test]
fn a_target_that_is_not_there_is_not_searched() {
    let scene = scene("base = \"instant\"\n");
    let output = command(&scene, &["--target", "ws://127.0.0.1:1/x"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("run 1: no player could connect (refused × 50)"), "{said}");
}

#[test]
fn a_target_that_goes_down_is_no_knee() {
    let scene = scene("base = \"instant\"\n");
    let mut backend = Backend::start(&["--profile", "instant", "--auth", "header"]);
    let arguments = ["--target", backend.url("websocket"), "--set", "phases.1.duration=1s", "--quiet"];
    let mut child = command(&scene, &arguments).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_a_level(&scene, &mut child);
    backend.kill();
    let output = child.wait_with_output().unwrap();
    let capacity = found(&scene, &output);
    assert_eq!((output.status.code(), capacity.ended), (Some(1), Ended::Unfinished), "{}", curve(&capacity));
    assert!(capacity.held.is_some() && capacity.knee.is_none(), "{}", curve(&capacity));
    assert!(String::from_utf8_lossy(&output.stderr).contains("check that the target is running"));
}

#[test]
fn a_target_that_never_holds_ends_with_the_failed_threshold() {
    let scene = scene("base = \"instant\"\n[lambda.functions.SendMessage]\nreserved_concurrency = 0\n");
    let output = command(&scene, &["--set", "phases.1.duration=1s", "--set", "phases.0.duration=100ms"])
        .output()
        .unwrap();
    let capacity = found(&scene, &output);
    assert_eq!((output.status.code(), capacity.ended), (Some(3), Ended::NothingHeld), "{}", curve(&capacity));
    assert_eq!((capacity.held, capacity.knee), (None, None));
}

/// Waits until a level has held.
fn wait_for_a_level(scene: &Scene, child: &mut Child) {
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(120);
    while reports::capacity::read(&scene.dir()).map_or(None, |capacity| capacity.held).is_none() {
        assert!(child.try_wait().unwrap().is_none() && std::time::Instant::now() < patience, "no level held");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn an_interruption_and_the_time_limit_leave_what_was_found() {
    let scene = scene("base = \"instant\"\n");
    let mut child = command(&scene, &["--set", "phases.1.duration=1s", "--quiet"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_a_level(&scene, &mut child);
    let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let capacity = found(&scene, &output);
    assert_eq!((output.status.code(), capacity.ended), (Some(130), Ended::Interrupted));
    assert!(capacity.held.is_some() && output.stdout.is_empty(), "{capacity:?}");

    let scene = self::scene("base = \"instant\"\n");
    let output =
        command(&scene, &["--set", "phases.1.duration=1s", "--max-duration", "1s"]).output().unwrap();
    let capacity = found(&scene, &output);
    assert_eq!((output.status.code(), capacity.ended), (Some(1), Ended::OutOfTime));
    assert_eq!(capacity.steps.len(), 1, "the first run is always made");
}

#[test]
fn what_cannot_be_searched_is_told_before_anything_runs() {
    let scene = scene("base = \"instant\"\n");
    for (arguments, said) in [
        (&SOCKETS[2..], "--vary players"),
        (&["--set", "thresholds=[]"], "no thresholds"),
        (&["--from", "10", "--to", "5"], "above"),
        (&["--precision", "5"], "5%"),
        (&["--set", "players=0"], "players"),
        (&["--workers", "60"], "60 workers are more than the 50 players"),
        (&["--vary", "players", "--from", "2000000", "--to", "3000000"], "2,000,000 players cannot be tried"),
    ] {
        let output = command(&scene, arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(said), "{text}");
        assert!(!scene.dir().exists(), "{arguments:?}");
    }
}
