//! One word for what became of a run, the same in the exit code, on the terminal, in the page and in the summary; runs
//! that end early; rules for a phase.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use reports::format::{Status, Summary, Threshold};

use crate::common::calm::{calm, messages};
use crate::common::raw::{drain, serve};
use crate::common::{LOADGEN, Ran, Scene, assert_balanced, wait_for_lines};

/// Half a minute of few messages on a backend that takes no time; `thresholds` as they are written, or none.
fn long(thresholds: &str) -> Scene {
    Scene::new(&format!(
        r#"
name = "long"
players = 60
{thresholds}

[target]
profile = "instant"

[auth]
mode = "header"

[[phases]]
kind = "hold"
duration = "30s"

[operations.send_message]
rate = 20.0
fan_out = 3
"#
    ))
}

fn report(ran: &Ran, arguments: &[&str]) -> Output {
    Command::new(LOADGEN).arg("report").args(arguments).arg(&ran.dir).output().unwrap()
}

/// What every output says first, and that the page is not green unless all is well.
fn assert_said_first(ran: &Ran, headline: &str, status: Status) {
    assert_eq!(ran.summary().verdict.status, Some(status));
    assert_eq!(ran.stdout.lines().next(), Some(headline.to_uppercase().as_str()));
    let page = std::fs::read_to_string(ran.dir.join("report.html")).unwrap();
    assert!(page.contains(&format!("<p class=\"headline\">{headline}</p>")), "{headline}");
    assert!(!page.contains("class=\"verdict is-good\""), "{headline}");
    let again = report(ran, &["--exit-code"]);
    assert_eq!(again.status.code(), Some(ran.code), "the run's own code");
    assert_eq!(report(ran, &[]).status.code(), Some(0), "only on request");
}

fn threshold<'s>(summary: &'s Summary, expression: &str) -> &'s Threshold {
    summary.thresholds.iter().find(|threshold| threshold.expression == expression).unwrap()
}

#[test]
fn where_nobody_gets_in_the_run_ends_early_and_says_so_first() {
    let address = serve(|guest| guest.refuse(403));
    for workers in ["1", "2"] {
        let began = Instant::now();
        let ran = long("").run(&["--target", &format!("ws://{address}/x"), "--workers", workers]);
        assert!(began.elapsed() < Duration::from_secs(15), "30 s were planned");
        let summary = ran.exits(1).summary();
        assert_balanced(&summary);
        assert_said_first(&ran, "Nobody connected", Status::NothingConnected);
        let told = ran.stdout.replace("\n  ", " ");
        assert!(told.contains("60 handshakes") && told.contains("http_403 × 60"), "{told}");
        assert!(told.contains("none of 60 players could connect"), "{told}");
        let send = &summary.operations["send_message"];
        assert_eq!(send.offered, 600, "the plan's arrivals, sent or not");
        assert!(send.errors["unsent_ended_early"] > 400, "{send:?}");
        assert_eq!(ran.folder().manifest.state, reports::format::RunState::EndedEarly);
        assert!(summary.verdict.ended_early.unwrap().at_s < 10.0);
    }
}

#[test]
fn sockets_that_the_backend_drops_fail_the_default_rules_and_those_that_the_plan_cuts_do_not() {
    let idle = "base = \"instant\"\n[gateway]\nidle_timeout_s = 2\n";
    let defaults = |more: &str| {
        // As `calm`, but with the rules that apply where there are none.
        Scene::new(&format!(
            "name = \"default\"\nplayers = 20\n[auth]\nmode = \"header\"\n[target]\nprofile = \"profile.toml\"\n\
             [[phases]]\nkind = \"hold\"\nduration = \"5s\"\n{more}"
        ))
    };
    let ran = defaults("").with("profile.toml", idle).run(&[]);
    let summary = ran.exits(3).summary();
    let dropped = threshold(&summary, "sockets.dropped_rate < 1%");
    assert_eq!((dropped.observed, dropped.passed), (Some(100.0), false));
    assert!(threshold(&summary, "error_rate < 1%").passed);

    let storm = "[[storms]]\nat = \"1s\"\nshare = 0.5\n[half_open]\nshare = 0.2\nafter = \"1s\"\n";
    let ran = defaults(storm).with("profile.toml", "base = \"instant\"\n").run(&[]);
    let summary = ran.exits(0).summary();
    assert_eq!(summary.disruptions["cut"].made, 10);
    let dropped = threshold(&summary, "sockets.dropped_rate < 1%");
    assert_eq!((dropped.observed, dropped.passed), (Some(0.0), true));
}

#[test]
fn what_nothing_was_expected_of_has_not_passed_and_what_no_rule_looks_at_is_said() {
    let idle = "base = \"instant\"\n[gateway]\nidle_timeout_s = 2\n";
    let never = messages(0.01, 2);
    let ran = calm(20, &never).with("profile.toml", idle).run(&[
        "--set",
        "target.profile=profile.toml",
        "--set",
        r#"thresholds=["message.lost == 0"]"#,
    ]);
    let summary = ran.exits(3).summary();
    let lost = threshold(&summary, "message.lost == 0");
    assert_eq!((lost.observed, lost.passed), (None, false));
    assert_eq!(lost.not_judged.as_deref(), Some("nothing was expected"));
    assert!(ran.stdout.contains("NOT JUDGED"), "{}", ran.stdout);
    let dropped = "20 of 20 sockets were dropped, and no threshold looks at them";
    assert!(summary.verdict.not_judged.iter().any(|said| said == dropped), "{:?}", summary.verdict);
    assert!(ran.stdout.contains(&format!("not judged: {dropped}")), "{}", ran.stdout);
    let page = std::fs::read_to_string(ran.dir.join("report.html")).unwrap();
    assert!(page.contains(dropped) && page.contains("nothing was expected"));
}

#[test]
fn an_interrupted_run_says_so_first_and_what_was_not_run_is_in_no_rate() {
    for workers in ["1", "2"] {
        let scene = long("thresholds = [\"error_rate < 1%\", \"send_message.unsent == 0\"]");
        let mut command = scene.command(&["--workers", workers]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for_lines(&scene.dir().join("series.jsonl"), 4);
        let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(interrupted.unwrap().success());
        let ran = scene.ran(child.wait_with_output().unwrap());
        let summary = ran.exits(130).summary();
        assert_balanced(&summary);
        assert_said_first(&ran, "Interrupted", Status::Interrupted);
        let send = &summary.operations["send_message"];
        assert_eq!(send.offered, 600);
        assert!(summary.not_run() > 400, "{send:?}");
        assert_eq!(threshold(&summary, "error_rate < 1%").observed, Some(0.0));
        assert_eq!(threshold(&summary, "send_message.unsent == 0").observed, Some(0.0));
        let early = summary.verdict.ended_early.unwrap();
        assert!(early.at_s >= 3.0 && (31.0..32.0).contains(&early.planned_s), "{early:?}");
    }
}

#[test]
fn a_rule_for_a_phase_sees_the_arrivals_that_are_due_in_it() {
    // At 20/s times the load, for 2 s each; a message comes 600 ms after its send, often in the next phase.
    let slow = "base = \"instant\"\n[streams]\nbatch_window_ms = 600\n";
    let rules = [
        ("send_message.completed == 40", "low"),
        ("send_message.completed == 120", "peak"),
        ("send_message.offered == 120", "peak"),
        ("message.received == 240", "peak"),
        ("message.received == 80", "low"),
        ("message.lost == 0", "peak"),
        ("send_message.response_time.max < 1us", "peak"),
        ("send_message.completed == 100", "twice"),
    ];
    let rules: String = rules
        .iter()
        .map(|(expression, phase)| format!("{{ expression = \"{expression}\", phase = \"{phase}\" }},"))
        .collect();
    let phases = [("low", 1.0), ("peak", 3.0), ("twice", 2.0), ("twice", 0.5)];
    let phases: String = phases
        .iter()
        .map(|(name, load)| {
            format!("[[phases]]\nname = \"{name}\"\nkind = \"hold\"\nduration = \"2s\"\nload = {load:?}\n")
        })
        .collect();
    let scenario = format!(
        "name = \"phases\"\nplayers = 40\nthresholds = [{rules} \"send_message.completed == 260\"]\n[auth]\nmode = \
         \"header\"\n[target]\nprofile = \"profile.toml\"\n{phases}[operations.send_message]\nrate = 20.0\nfan_out = 2\n"
    );
    for workers in ["1", "2"] {
        let ran = Scene::new(&scenario).with("profile.toml", slow).run(&["--workers", workers]);
        let summary = ran.exits(3).summary();
        assert_balanced(&summary);
        for threshold in &summary.thresholds {
            let impossible = threshold.expression.ends_with("1us");
            assert_eq!(threshold.passed, !impossible, "{workers}: {threshold:?}");
            assert_eq!(threshold.phase.is_none(), threshold.expression.ends_with("260"), "{threshold:?}");
        }
        assert!(ran.stdout.contains("send_message.response_time.max < 1us in peak"), "{}", ran.stdout);
    }
}

#[test]
fn a_rule_with_abort_ends_the_run_after_its_grace() {
    let rule = "{ expression = \"send_message.response_time.max < 1us\", abort = true, grace = \"2s\" }";
    for workers in ["1", "2"] {
        let began = Instant::now();
        let ran = long(&format!("thresholds = [\"error_rate < 1%\", {rule}]")).run(&["--workers", workers]);
        assert!(began.elapsed() < Duration::from_secs(20), "30 s were planned");
        let summary = ran.exits(3).summary();
        assert_balanced(&summary);
        let aborting = threshold(&summary, "send_message.response_time.max < 1us");
        assert!(aborting.aborted && !aborting.passed && aborting.observed > Some(1.0), "{aborting:?}");
        assert!(threshold(&summary, "error_rate < 1%").passed, "what was not run is no error");
        let early = summary.verdict.ended_early.as_ref().unwrap();
        assert!(early.reason.contains("`send_message.response_time.max < 1us` failed"), "{early:?}");
        assert!(early.at_s > 3.0, "a second to settle, and the grace: {early:?}");
        assert_eq!(ran.folder().manifest.state, reports::format::RunState::EndedEarly);
        let told = ran.stdout.replace("\n  ", " ");
        assert!(told.contains("The run ended early, 0:0"), "{told}");
    }
}

#[test]
fn what_is_lost_says_after_how_long() {
    // A backend that answers nothing: every message is lost by its time-out, whatever else.
    let address = serve(|guest| drain(guest.accept()));
    let patience = "timeout = \"3s\"\n\n[deliveries]\ntimeout = \"700ms\"\ngrace = \"300ms\"\n";
    let messages = messages(10.0, 2);
    let (pace, _) = messages.split_once("timeout").unwrap();
    let ran = calm(20, &format!("{pace}{patience}")).run(&["--target", &format!("ws://{address}/x")]);
    let summary = ran.exits(0).summary();
    assert_eq!(summary.deliveries["message"].lost_after_s, Some(1.0));
    assert!(summary.deliveries["message"].lost > 0, "{summary:?}");
    let folder = ran.folder();
    let lost = folder.errors.iter().find(|sample| sample.class == "lost").unwrap();
    assert!(lost.detail.ends_with("was not received within 1 s"), "{}", lost.detail);
    assert!(ran.stdout.contains("lost: not received within 1 s (message)"), "{}", ran.stdout);
}
