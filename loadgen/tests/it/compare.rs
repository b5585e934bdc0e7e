//! `loadgen compare` through the real binary: a backend that was made slower, one that was not, and runs that are not comparable.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use reports::format::comparison::{Change, Comparison, ObjectionKind};

use crate::common::{LOADGEN, Ran, Scene};

/// Messages to a function that takes `duration_ms`.
fn run(duration_ms: f64) -> Ran {
    let profile =
        format!("base = \"instant\"\n[lambda.functions.SendMessage.duration]\np50_ms = {duration_ms:.1}\n");
    let scenario = r#"
name = "compared"
players = 40

[target]
profile = "profile.toml"

[auth]
mode = "header"

[sockets]
connect_rate = 200.0

[[phases]]
kind = "hold"
duration = "14s"

[operations.send_message]
rate = 40.0
"#;
    Scene::new(scenario).with("profile.toml", &profile).run(&["--quiet"])
}

/// A machine that others use may spoil a run, which is then compared by force.
fn compare(base: &Path, candidate: &Path, arguments: &[&str]) -> Output {
    let is_valid = |dir: &Path| {
        let folder = reports::folder::RunFolder::read(dir).unwrap();
        folder.summary_or_rebuilt().verdict.valid
    };
    let mut command = Command::new(LOADGEN);
    command.arg("compare").arg(base).arg(candidate).args(arguments);
    if !is_valid(base) || !is_valid(candidate) {
        command.arg("--force");
    }
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn verdict(comparison: &Comparison, name: &str) -> Change {
    let measure = comparison.measures.iter().find(|measure| measure.name == name);
    measure.unwrap_or_else(|| panic!("no {name}: {comparison:?}")).verdict
}

#[test]
fn what_became_slower_is_found_and_every_output_says_so() {
    let (before, after) = (run(100.0), run(160.0));
    let scratch = tempfile::tempdir().unwrap();
    let file = |name: &str| scratch.path().join(name).display().to_string();
    let (html, markdown, json) = (file("page.html"), file("table.md"), file("comparison.json"));
    let files = ["--html", &html, "--markdown", &markdown, "--json", &json, "--fail-on", "regression"];
    let output = compare(&before.dir, &after.dir, &files);
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(name).unwrap();
    let comparison: Comparison = serde_json::from_str(&read(&json)).unwrap();
    assert_eq!(verdict(&comparison, "send_message.response_time.p50"), Change::Regressed);
    assert_eq!(verdict(&comparison, "message.each.p50"), Change::Regressed);
    assert_eq!(comparison.verdict, Change::Regressed);
    assert!(stdout(&output).starts_with("REGRESSED: "), "{}", stdout(&output));
    assert!(read(&markdown).starts_with("## Regressed: "));
    assert!(read(&html).contains("<p class=\"headline\">Regressed: "));
    assert!(comparison.shifts.iter().any(|shift| shift.name == "send_message.response_time"));

    // Without the flag it is told, and no failure; the other way round it is an improvement.
    let output = compare(&before.dir, &after.dir, &["--json", "-"]);
    assert_eq!(output.status.code(), Some(0));
    let again: Comparison = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(again.measures, comparison.measures, "seeded");
    let output = compare(&after.dir, &before.dir, &["--fail-on", "regression", "--json", "-"]);
    let improved: Comparison = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(verdict(&improved, "send_message.response_time.p50"), Change::Improved);
    // What a wide margin allows is no regression.
    let output =
        compare(&before.dir, &after.dir, &["--margin", "100%", "--share-margin", "100%", "--json", "-"]);
    let allowed: Comparison = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(verdict(&allowed, "send_message.response_time.p50"), Change::Unchanged);
}

#[test]
fn a_run_does_not_differ_from_itself() {
    let ran = run(20.0);
    let output = compare(&ran.dir, &ran.dir, &["--fail-on", "regression", "--json", "-"]);
    assert_eq!(output.status.code(), Some(0));
    let comparison: Comparison = serde_json::from_str(&stdout(&output)).unwrap();
    let same = |change| matches!(change, Change::Unchanged | Change::Undecided);
    assert!(!comparison.measures.is_empty() && comparison.measures.iter().all(|one| same(one.verdict)));
    assert!(comparison.measures.iter().all(|one| one.difference == 0.0 && one.low <= 0.0 && one.high >= 0.0));
    assert!(comparison.configuration.is_empty());
}

#[test]
fn runs_that_are_not_comparable_are_refused_with_every_reason() {
    let ran = run(20.0);
    let older = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../reports/tests/version-1");
    let compared = |arguments: &[&str]| {
        Command::new(LOADGEN).arg("compare").arg(&older).arg(&ran.dir).args(arguments).output().unwrap()
    };
    let output = compared(&[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    for reason in ["plan: ", "players: ", "--force"] {
        assert!(said.contains(reason), "{reason}: {said}");
    }
    assert_eq!(stdout(&output), "");
    let forced = compared(&["--force", "--json", "-"]);
    assert_eq!(forced.status.code(), Some(0), "{}", String::from_utf8_lossy(&forced.stderr));
    let comparison: Comparison = serde_json::from_str(&stdout(&forced)).unwrap();
    assert!(comparison.forced && comparison.objections.iter().any(|one| one.kind == ObjectionKind::Plan));
    assert!(stdout(&compared(&["--force"])).contains("Compared all the same (--force)"));
}

#[test]
fn mistakes_on_the_command_line_are_told_together() {
    let compare = |arguments: &[&str]| Command::new(LOADGEN).arg("compare").args(arguments).output().unwrap();
    for arguments in
        [&["one"][..], &["one", "two", "three"], &["--base", "one"], &["one", "two", "--base", "x"]]
    {
        assert_eq!(compare(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let output = compare(&["--base", "nowhere-1", "nowhere-2", "--candidate", "nowhere-3"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!((1..=3).all(|n| said.contains(&format!("nowhere-{n}"))), "{said}");
    assert_eq!(compare(&["a", "b", "--margin", "5"]).status.code(), Some(2), "a percentage has its sign");
}
