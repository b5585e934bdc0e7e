//! What somebody who comes from k6, Gatling, Artillery or oha tries first.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::common::{LOADGEN, Scene};

const SCENARIO: &str = r#"
name = "habits-of-the-field"
players = 4
thresholds = ["error_rate < 50%"]
[target]
profile = "instant"
[auth]
mode = "token"
[[phases]]
kind = "hold"
duration = "1s"
[operations.send_message]
rate = 8.0
"#;

fn loadgen(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(LOADGEN);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env_remove("CLICOLOR").env_remove("COLUMNS");
    command
}

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn tried(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    said(&loadgen(folder, arguments).output().unwrap())
}

/// Standard output as the one object that `--json` promises.
fn object(folder: &Path, arguments: &[&str]) -> Value {
    let (code, stdout, stderr) = tried(folder, arguments);
    let object: Value = serde_json::from_str(&stdout)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{stdout}\n{stderr}"));
    assert_eq!(object["exit_code"], code, "{arguments:?}");
    assert_eq!(object["schema_version"], 1, "{arguments:?}");
    object
}

fn piped(folder: &Path, arguments: &[&str], text: &str) -> (i32, String, String) {
    let mut command = loadgen(folder, arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    said(&child.wait_with_output().unwrap())
}

#[test]
fn what_ships_runs_without_a_checkout() {
    let scratch = tempfile::tempdir().unwrap();
    let here = scratch.path();
    let small = [
        "run",
        "single-versus-per-operation",
        "-p",
        "5",
        "-q",
        "-o",
        "out",
        "--set",
        "phases.0.duration=1s",
        "--set",
        "phases.1.duration=1s",
        "--set",
        "operations.send_message.rate=4",
        "--set",
        "operations.placement_request.rate=1",
        "--set",
        "thresholds=[]",
    ];
    let (code, stdout, stderr) = tried(here, &small);
    let folder = reports::folder::RunFolder::read(&here.join("out")).unwrap();
    let summary = folder.summary.as_ref().unwrap();
    assert_eq!(code, if summary.verdict.valid { 0 } else { 4 }, "{stdout}{stderr}");
    assert_eq!(summary.sockets.opened, 5);
    assert!(folder.manifest.plan[0].contains("profiles/per-operation.toml"), "{:?}", folder.manifest.plan);
}

#[test]
fn a_file_comes_before_what_ships_under_its_name() {
    let scratch = tempfile::tempdir().unwrap();
    let players = || object(scratch.path(), &["explain", "quickstart", "--json"])["players"].clone();
    assert_eq!(players(), 2_000);
    std::fs::write(scratch.path().join("quickstart"), SCENARIO).unwrap();
    assert_eq!(players(), 4);
    let (code, _, stderr) = tried(scratch.path(), &["check", "quickstar"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("did you mean `quickstart`?"), "{stderr}");
    let (code, _, stderr) = tried(scratch.path(), &["check", "nobody-knows.toml"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("`loadgen scenario list`"), "{stderr}");
}

#[test]
fn the_list_names_what_ships() {
    let scratch = tempfile::tempdir().unwrap();
    let list = object(scratch.path(), &["scenario", "list", "--json"]);
    let (_, text, _) = tried(scratch.path(), &["list"]);
    for scenario in list["scenarios"].as_array().unwrap() {
        let name = scenario["name"].as_str().unwrap();
        assert!(
            text.contains(name) && text.contains(scenario["description"].as_str().unwrap()),
            "{name}: {text}"
        );
        let (code, stdout, _) = tried(scratch.path(), &["check", name]);
        assert_eq!((code, stdout.as_str()), (0, format!("{name}: no mistakes\n").as_str()));
    }
}

#[test]
fn flags_apply_to_check_and_explain_with_and_without_the_word_scenario() {
    let scratch = tempfile::tempdir().unwrap();
    let flags = [
        "quickstart",
        "--players",
        "70",
        "--target",
        "ws://127.0.0.1:9/Stage",
        "--set",
        "auth.mode=none",
        "--seed",
        "9",
    ];
    for words in [&["scenario", "explain"][..], &["explain"]] {
        let explained = object(scratch.path(), &[words, &flags, &["--json"]].concat());
        assert_eq!(explained["players"], 70);
        assert_eq!(explained["target"], "ws://127.0.0.1:9/Stage");
        assert_eq!(explained["seed"], 9);
    }
    for words in [&["scenario", "check"][..], &["check"]] {
        let checked = object(
            scratch.path(),
            &[words, &["quickstart", "-p", "0", "--target", "gopher://x", "--json"]].concat(),
        );
        assert_eq!(checked["exit_code"], 2);
        let places = checked["mistakes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|mistake| mistake["place"].clone())
            .collect::<Vec<_>>();
        assert!(places.contains(&"--set players=0".into()), "{places:?}");
    }
}

#[test]
fn a_scenario_may_come_from_standard_input() {
    let scratch = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = piped(scratch.path(), &["check", "-"], SCENARIO);
    assert_eq!((code, stdout.as_str()), (0, "-: no mistakes\n"), "{stderr}");
    let (code, _, stderr) =
        piped(scratch.path(), &["check", "-"], &SCENARIO.replace("players = 4", "players = 0"));
    assert_eq!(code, 2);
    assert!(stderr.contains("<stdin>:3:1: `players`"), "{stderr}");
    // A search hands it on to each of its runs.
    let search = ["capacity", "-", "--from", "8", "--to", "8", "--repeats", "1", "-o", "found", "--json"];
    let (code, stdout, stderr) = piped(scratch.path(), &search, SCENARIO);
    let found: Value =
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    assert_eq!(found["exit_code"], code);
    assert_eq!(found["capacity"]["steps"].as_array().unwrap().len(), 1, "{stderr}");
    assert_eq!(found["folder"], "found");
    assert!(
        stderr.contains("1 to 7 runs of about ") || stderr.contains(" runs of about "),
        "progress: {stderr}"
    );
}

#[test]
fn a_dry_run_sends_and_writes_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let target = format!("ws://{}/Stage", listener.local_addr().unwrap());
    let dry = [
        "run",
        "quickstart",
        "--dry-run",
        "--target",
        &target,
        "--set",
        "auth.mode=none",
        "-o",
        "out",
        "--workers",
        "2",
    ];
    let (code, stdout, stderr) = tried(scratch.path(), &dry);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("2000 players connect at 400 per second"), "{stdout}");
    assert!(
        stdout.contains("Nothing was sent. 2 processes would run the players; the results would be in out."),
        "{stdout}"
    );
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
    // It refuses what the run would refuse.
    std::fs::create_dir_all(scratch.path().join("out/taken")).unwrap();
    let (code, _, stderr) = tried(scratch.path(), &dry);
    assert!(code == 2 && stderr.contains("out exists and is not empty"), "{code} {stderr}");
    let taken = listener.local_addr().unwrap().to_string();
    let (code, _, stderr) = tried(scratch.path(), &["run", "idle", "--dry-run", "--prometheus", &taken]);
    assert!(code == 2 && stderr.contains("Address already in use"), "{code} {stderr}");
    assert_eq!(object(scratch.path(), &["run", "idle", "--dry-run", "-p", "7", "--json"])["players"], 7);
}

#[test]
fn a_new_scenario_passes_check_and_overwrites_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let here = scratch.path();
    let (code, stdout, _) = tried(here, &["scenario", "new", "my game"]);
    assert_eq!(
        (code, stdout.as_str()),
        (0, "my game.toml: written; run it with: loadgen run 'my game.toml'\n")
    );
    assert_eq!(object(here, &["explain", "my game.toml", "--json"])["name"], "my-game");
    let (code, _, stderr) = tried(here, &["scenario", "new", "my game"]);
    assert!(code == 2 && stderr.contains("exists already"), "{code} {stderr}");
    let copied = object(here, &["new", "evening.toml", "--from", "lobby", "--json"]);
    assert_eq!((copied["file"].as_str(), copied["name"].as_str()), (Some("evening.toml"), Some("evening")));
    assert_eq!(object(here, &["explain", "evening.toml", "--json"])["players"], 1_000);
    let (_, text, _) = tried(here, &["new", "-", "--from", "spike"]);
    let (code, _, stderr) = piped(here, &["check", "-"], &text);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(tried(here, &["new", "x", "--from", "nothing"]).0, 2);
}

#[test]
fn shells_complete_the_command_line() {
    let scratch = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let (code, stdout, _) = tried(scratch.path(), &["completions", shell]);
        assert_eq!(code, 0);
        assert!(
            stdout.contains("loadgen") && stdout.contains("capacity") && stdout.contains("dry-run"),
            "{shell}"
        );
    }
}

#[test]
fn a_report_has_colour_and_lines_as_its_reader_wants_them() {
    let scene = Scene::new(SCENARIO);
    let here = scene.dir().parent().unwrap().to_owned();
    let run = object(&here, &["run", "scenario.toml", "-o", "run", "--json"]);
    assert_eq!((run["folder"].as_str(), run["report"].as_str()), (Some("run"), Some("run/report.html")));
    let id = run["summary"]["run"]["id"].as_str().unwrap().to_owned();
    assert_eq!(object(&here, &["report", "run", "--json"])["summary"]["run"]["id"], id.as_str());

    let report = |variables: &[(&str, &str)]| {
        let mut command = loadgen(&here, &["report", "run"]);
        said(&command.envs(variables.iter().copied()).output().unwrap()).1
    };
    let plain = report(&[]);
    let whole = format!("loadgen {}, run {id}", env!("CARGO_PKG_VERSION"));
    assert!(
        !plain.contains('\u{1b}') && plain.lines().any(|line| line.ends_with(&whole)),
        "one line: {plain}"
    );
    assert!(plain.contains("p95"), "{plain}");
    assert_eq!(report(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]), plain);
    let coloured = report(&[("CLICOLOR_FORCE", "1")]);
    assert!(coloured.starts_with('\u{1b}'), "{coloured:?}");
    let narrow = report(&[("COLUMNS", "50")]);
    let head = narrow.lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>();
    assert!(head.iter().all(|line| line.chars().count() <= 50 || !line.contains(' ')), "{head:#?}");
    assert!(head.iter().any(|line| line.contains(&id)), "an id stays whole: {head:#?}");
}

#[test]
fn quiet_is_one_line_where_the_end_is_not_fine_and_none_where_it_is() {
    let scene = Scene::new(SCENARIO);
    let here = scene.dir().parent().unwrap().to_owned();
    let failing =
        ["run", "scenario.toml", "-q", "-o", "failed", "--set", "thresholds=[\"send_message.sent > 1000\"]"];
    let (code, stdout, stderr) = tried(&here, &failing);
    assert_eq!((stdout.as_str(), stderr.lines().count()), ("", 1), "{stderr}");
    assert!(
        stderr.starts_with("loadgen: ") && stderr.trim_end().ends_with(" failed"),
        "the folder: {stderr}"
    );
    if code != 4 {
        assert_eq!(code, 3);
        assert!(stderr.contains("send_message.sent > 1000: observed 8"), "the reason: {stderr}");
    }
    let nowhere = [
        "run",
        "scenario.toml",
        "-q",
        "-o",
        "alone",
        "--target",
        "ws://127.0.0.1:9/Stage",
        "--set",
        "auth.mode=none",
    ];
    let (code, stdout, stderr) = tried(&here, &nowhere);
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(
        stderr.starts_with("loadgen: Nobody connected: None of 4 handshakes succeeded (refused × 4)")
            && stderr.ends_with(" Folder: alone\n"),
        "{stderr}"
    );
    let (code, stdout, stderr) = tried(&here, &["run", "scenario.toml", "-q", "-o", "fine"]);
    assert!(stdout.is_empty() && (stderr.is_empty() == (code == 0)), "{code}: {stderr}");
}
