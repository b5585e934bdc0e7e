//! Targets that are down, die, or talk garbage; disks that fill; users who interrupt: a clear class, no hang, no panic.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Backend, LOADGEN, Scene, assert_balanced, raw, wait_for_lines};
use reports::folder::RunFolder;

const LONG: &str = r#"
name = "disruptions"
players = 50

[target]
profile = "instant"

[auth]
mode = "header"

[sockets]
connect_rate = 200.0
connect_timeout = "2s"

[[phases]]
kind = "hold"
duration = "6s"

[operations.send_message]
rate = 50.0
fan_out = 3
timeout = "1s"

[deliveries]
timeout = "1s"
"#;

fn signal(id: u32, name: &str) {
    assert!(Command::new("kill").args([name, &id.to_string()]).status().unwrap().success());
}

#[test]
fn a_target_that_is_down_is_refused_and_fails() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let started = Instant::now();
    let ran = Scene::new(LONG).run(&["--target", &format!("ws://127.0.0.1:{port}/Development")]);
    let summary = ran.exits(1).summary();
    assert_balanced(&summary);
    assert_eq!(summary.operations["connect"].errors["refused"], 50);
    let unsent = &summary.operations["send_message"].errors;
    let nobody_there = unsent.get("unsent_no_open_socket").unwrap_or(&0);
    assert_eq!(nobody_there + unsent["unsent_ended_early"], 300, "all of the plan: {unsent:?}");
    assert!(started.elapsed() < Duration::from_secs(6), "it does not go on without anybody");
    assert!(ran.dir.join("report.html").is_file());
}

#[test]
fn a_target_that_dies_mid_run_leaves_a_measured_run() {
    let mut backend = Backend::start(&["--auth", "header"]);
    let scene = Scene::new(LONG);
    let child = scene
        .command(&["--target", backend.url("websocket")])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_lines(&scene.dir().join("series.jsonl"), 3);
    backend.kill();
    let ran = scene.ran(child.wait_with_output().unwrap());
    let summary = ran.exits(3).summary();
    assert_balanced(&summary);
    assert_eq!(summary.sockets.dropped, 50);
    assert!(summary.operations["send_message"].completed > 30);
    assert!(summary.operations["send_message"].errors["unsent_no_open_socket"] > 50);
    assert!(summary.verdict.valid, "the target failed, not the generator: {:?}", summary.verdict);
}

#[test]
fn garbage_during_the_handshake_has_its_class() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(50).flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2 is not what you want\r\n\r\n");
        }
    });
    let ran =
        Scene::new(LONG).run(&["--target", &format!("ws://{address}/x"), "--set", "phases.0.duration=1s"]);
    assert_eq!(ran.exits(1).summary().operations["connect"].errors["bad_handshake"], 50);
}

#[test]
fn a_target_that_never_answers_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("ws://{}/x", listener.local_addr().unwrap());
    let ran = Scene::new(LONG).run(&["--target", &target, "--set", "phases.0.duration=1s"]);
    let summary = ran.exits(1).summary();
    assert_eq!(summary.operations["connect"].timed_out, 50);
    drop(listener);
}

#[test]
fn frames_of_garbage_fail_nothing_and_make_the_run_invalid() {
    let profile = "base = \"instant\"\n[gateway]\ngarbage_rate = 0.5\n";
    let ran = Scene::new(LONG).with("profile.toml", profile).run(&["--set", "target.profile=profile.toml"]);
    let summary = ran.exits(4).summary();
    assert_balanced(&summary);
    let frames = summary.frames.as_ref().unwrap();
    assert!(frames.unclassified > 20, "{frames:?}");
    let sent = &summary.operations["send_message"];
    assert_eq!((sent.completed, sent.failed, sent.timed_out), (300, 0, 0), "{sent:?}");
    let said =
        format!("{} of {} frames arrived but were not understood", frames.unclassified, frames.received);
    assert!(summary.verdict.invalid_reasons[0].starts_with(&said), "{:?}", summary.verdict);
}

#[test]
fn ctrl_c_keeps_what_was_measured() {
    for name in ["-INT", "-TERM"] {
        let scene = Scene::new(LONG);
        let child = scene.command(&[]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        wait_for_lines(&scene.dir().join("series.jsonl"), 3);
        signal(child.id(), name);
        let ran = scene.ran(child.wait_with_output().unwrap());
        let summary = ran.exits(130).summary();
        assert_balanced(&summary);
        let send = &summary.operations["send_message"];
        assert!(send.completed > 0);
        assert_eq!(send.offered, 300, "the plan's arrivals, sent or not");
        assert!(send.errors["unsent_interrupted"] > 0, "{send:?}");
        assert_eq!(ran.folder().manifest.state, reports::format::RunState::Interrupted);
        assert!(ran.dir.join("report.html").is_file());
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
}

#[test]
fn the_second_interruption_ends_at_once_and_keeps_what_was_written() {
    let target = raw::serve(|guest| raw::drain(guest.accept()));
    for name in ["-INT", "-TERM"] {
        for workers in ["1", "2"] {
            // It never answers: the run is at its end and waits for CloudWatch when the second signal comes.
            let cloudwatch = TcpListener::bind("127.0.0.1:0").unwrap();
            cloudwatch.set_nonblocking(true).unwrap();
            let endpoint = format!("cloudwatch.endpoint=http://{}", cloudwatch.local_addr().unwrap());
            let target = format!("ws://{target}/x");
            let arguments = ["--target", &target, "--workers", workers, "--set", &endpoint];
            let scene = Scene::new(LONG);
            let child =
                scene.command(&arguments).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            wait_for_lines(&scene.dir().join("series.jsonl"), 2);
            signal(child.id(), name);
            let patience = Instant::now() + Duration::from_secs(60);
            let asked = loop {
                match cloudwatch.accept() {
                    Ok(asked) => break asked,
                    Err(_) => assert!(Instant::now() < patience, "CloudWatch is not asked: {name} {workers}"),
                }
                std::thread::sleep(Duration::from_millis(20));
            };
            signal(child.id(), name);
            let ran = scene.ran(child.wait_with_output().unwrap());
            ran.exits(130);
            drop(asked);
            assert_eq!(
                ran.folder().manifest.state,
                reports::format::RunState::Running,
                "it did not come to its end: {name} {workers}"
            );
            assert!(!ran.dir.join("summary.json").exists());
            let report = Command::new(LOADGEN).arg("report").arg(&ran.dir).output().unwrap();
            assert_eq!(report.status.code(), Some(0), "{}", String::from_utf8_lossy(&report.stderr));
        }
    }
}

#[test]
fn a_start_that_fails_leaves_no_folder() {
    let ran = Scene::new(LONG).run(&["--target", "ws://no-such-host.invalid/Development"]);
    assert!(ran.exits(1).stderr.contains("cannot be resolved"), "{}", ran.stderr);
    assert!(!ran.dir.exists(), "a retry with the same --out would be refused");
}

#[test]
fn a_killed_run_keeps_its_data_and_its_backend_ends() {
    let scene = Scene::new(LONG);
    let mut child = scene.command(&[]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    wait_for_lines(&scene.dir().join("series.jsonl"), 4);
    let backend = children_of(child.id());
    assert_eq!(backend.len(), 1, "the embedded backend");
    child.kill().unwrap();
    child.wait().unwrap();
    let report = Command::new(LOADGEN).arg("report").arg(scene.dir()).output().unwrap();
    assert_eq!(report.status.code(), Some(0), "{}", String::from_utf8_lossy(&report.stderr));
    let folder = RunFolder::read(&scene.dir()).unwrap();
    assert!(folder.series.len() >= 4);
    assert!(!folder.summary_or_rebuilt().verdict.valid);
    let patience = Instant::now() + Duration::from_secs(10);
    while std::path::Path::new(&format!("/proc/{}", backend[0])).exists() {
        assert!(Instant::now() < patience, "the backend outlives its run");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn children_of(parent: u32) -> Vec<u32> {
    let output = Command::new("pgrep").args(["-P", &parent.to_string()]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn a_full_disk_is_told_and_the_figures_are_shown() {
    let scene = Scene::new(LONG);
    // A file size limit stands in for a full disk: no file may grow past 4 KiB.
    let mut command = Command::new("bash");
    command.args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$0\" \"$@\"", LOADGEN]);
    command.args(scene.command(&[]).get_args()).stdin(Stdio::null());
    let ran = scene.ran(command.output().unwrap());
    ran.exits(1);
    assert!(ran.stderr.contains("series.jsonl") || ran.stderr.contains("latency.hlog"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    let shown: reports::format::Summary = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(shown.operations["send_message"].offered, 300, "the run went on to its end");
}

#[test]
fn a_folder_with_something_in_it_is_refused() {
    let scene = Scene::new(LONG);
    std::fs::create_dir(scene.dir()).unwrap();
    std::fs::write(scene.dir().join("precious.txt"), "x").unwrap();
    let ran = scene.run(&[]);
    ran.exits(2);
    assert!(ran.dir.join("precious.txt").is_file());
}
