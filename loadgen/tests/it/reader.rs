//! A reader that goes away (`| head`, a closed terminal) ends nothing: the run goes on, keeps everything, and exits with its
//! own code.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reports::folder::RunFolder;
use rustix::process::{Pid, Signal, kill_process};

use crate::common::{LOADGEN, Scene, wait_for_lines};

/// Six seconds of it, so that lines are due when nobody reads any more.
const SCENARIO: &str = r#"
name = "reader"
players = 4
[target]
profile = "instant"
[auth]
mode = "token"
[[phases]]
kind = "hold"
duration = "5s"
[operations.send_message]
rate = 4.0
"#;

/// Both ends of a pipe whose reader has gone.
fn nobody() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn assert_complete(dir: &Path) {
    let folder = RunFolder::read(dir).unwrap();
    assert_eq!(folder.manifest.state, reports::format::RunState::Finished);
    assert!(dir.join("report.html").is_file());
    let summary = folder.summary.as_ref().unwrap();
    let planned = folder.manifest.phases.last().unwrap().end_s;
    let sent = &summary.operations["send_message"];
    assert_eq!((sent.offered, sent.completed), (20, 20), "{planned} s");
    assert!(folder.series.len() as f64 >= planned, "{} seconds of {planned}", folder.series.len());
}

#[test]
fn a_run_goes_on_when_its_progress_is_read_no_more() {
    let scene = Scene::new(SCENARIO);
    let mut command = scene.command(&[]);
    // Logs are lines, too: there are some every second.
    command.env("LOADGEN_LOG", "info,loadgen=trace").stdout(nobody()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.is_empty());
    let code = child.wait().unwrap().code();
    assert_complete(&scene.dir());
    let calm = RunFolder::read(&scene.dir()).unwrap().summary.unwrap().verdict.valid;
    assert_eq!(code, Some(if calm { 0 } else { 4 }));
}

#[test]
fn the_exit_code_is_the_runs_own_whoever_reads_the_summary() {
    let scene = Scene::new(SCENARIO);
    let threshold = "thresholds=[\"send_message.sent > 100000\"]";
    let mut command = scene.command(&["--set", threshold, "--set", "phases.0.duration=1s"]);
    let ran = scene.ran(command.stdout(nobody()).stderr(nobody()).output().unwrap());
    ran.exits(3);
}

#[test]
fn every_command_says_its_last_to_nobody() {
    let scratch = tempfile::tempdir().unwrap();
    for (arguments, code) in [
        (&["scenario", "schema"][..], 0),
        (&["scenario", "list"], 0),
        (&["scenario", "check", "quickstart"], 0),
        (&["scenario", "explain", "quickstart", "--json"], 0),
        (&["scenario", "new"], 0),
        (&["scenario", "check", "quickstart", "--set", "players=0"], 2),
        (&["scenario", "check", "quickstart", "--set", "players=0", "--json"], 2),
        (&["run", "quickstart", "--dry-run"], 0),
        (&["run", "nowhere.toml"], 2),
        (&["report", "nowhere"], 1),
        (&["correlate", "nowhere"], 1),
        (&["capacity", "quickstart", "--from", "9", "--to", "8"], 2),
        (&["completions", "bash"], 0),
        (&["worker"], 2),
        (&["embedded-backend", "--profile", "nowhere"], 2),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["run", "--help"], 0),
        (&["rum"], 2),
        (&[], 2),
    ] {
        let mut command = Command::new(LOADGEN);
        command.args(arguments).current_dir(scratch.path()).stdin(Stdio::null());
        let status = command.stdout(nobody()).stderr(nobody()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn what_cannot_be_kept_is_told() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(LOADGEN).args(["scenario", "schema"]).stdout(full).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cannot write to standard output: No space left on device"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_backend_serves_although_nobody_asked_where() {
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (listen, http) = (free(), free());
    let mut child = Command::new(LOADGEN)
        .args(["embedded-backend", "--listen", &listen, "--http-listen", &http, "--exit-with-parent"])
        .stdin(Stdio::piped())
        .stdout(nobody())
        .stderr(nobody())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(&listen).is_err() {
        assert!(Instant::now() < patience && child.try_wait().unwrap().is_none(), "it serves");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_search_goes_on_after_its_first_line() {
    let scene = Scene::new(SCENARIO);
    let mut child = Command::new(LOADGEN)
        .args([
            "capacity",
            "scenario.toml",
            "--from",
            "4",
            "--to",
            "8",
            "--repeats",
            "1",
            "--cool-down",
            "0s",
        ])
        .args([
            "--set",
            "phases.0.duration=1s",
            "--set",
            "thresholds=[\"error_rate < 50%\"]",
            "--out",
            "found",
        ])
        .current_dir(scene.dir().parent().unwrap())
        .stdout(Stdio::piped())
        .stderr(nobody())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains(" runs of about ") && line.contains("likely "), "the estimate comes first: {line}");
    let code = child.wait().unwrap().code();
    let found = reports::capacity::read(&scene.dir().with_file_name("found")).unwrap();
    assert_ne!(found.ended, reports::capacity::Ended::Unfinished);
    assert!(!found.steps.is_empty());
    assert_eq!(code, Some(output::Exit::from(found.ended).code().into()));
}

#[test]
fn a_reader_that_stops_to_read_stops_nothing() {
    let scene = Scene::new(SCENARIO);
    let (_reader, mut writer) = std::io::pipe().unwrap();
    // The pipe is full: the next line waits for ever.
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    rustix::fs::fcntl_setfl(&writer, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    while writer.write(&[b'.'; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&writer, flags).unwrap();
    let mut child = scene.command(&[]).stdout(nobody()).stderr(writer).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(50));
    }
    // It may have ended.
    let _ = child.kill();
    child.wait().unwrap();
    assert_complete(&scene.dir());
}

#[test]
fn a_run_outlives_its_terminal() {
    let scene = Scene::new(SCENARIO);
    // `script` (bsdutils) runs it on a terminal of its own, which is closed with `script`.
    let run = format!("exec {LOADGEN} run scenario.toml --out run");
    let mut script = Command::new("script")
        .args(["-qec", &run, "/dev/null"])
        .current_dir(scene.dir().parent().unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_lines(&scene.dir().join("series.jsonl"), 2);
    script.kill().unwrap();
    script.wait().unwrap();
    wait_for_lines(&scene.dir().join("report.html"), 1);
    assert_complete(&scene.dir());
}

#[test]
fn a_hang_up_is_no_order() {
    let scene = Scene::new(SCENARIO);
    let mut child = scene.command(&["-q"]).spawn().unwrap();
    wait_for_lines(&scene.dir().join("series.jsonl"), 1);
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::HUP).unwrap();
    let code = child.wait().unwrap().code();
    assert_complete(&scene.dir());
    let calm = RunFolder::read(&scene.dir()).unwrap().summary.unwrap().verdict.valid;
    assert_eq!(code, Some(if calm { 0 } else { 4 }));
}
