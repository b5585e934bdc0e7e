//! Players that do things in order: the figures of their steps and of their journeys, which add up.

use crate::common::calm::{calm, only};
use crate::common::{Ran, assert_balanced};
use reports::format::Summary;

const PLAYERS: u64 = 20;

/// Waits for a place, sends messages, leaves and comes back.
const EVENING: &str = r#"
    [[journeys]]
    name = "evening"
    LOOP
    steps = [
        { pause = "10ms to 50ms" },
        { do = "placement_request", until = "push" },
        { do = "send_message", times = "TIMES", pause = "20ms" },
        { leave = "100ms" },
    ]
"#;

fn evening(again: bool, times: &str) -> String {
    EVENING.replace("LOOP", if again { "" } else { "loop = false" }).replace("TIMES", times)
}

fn run(more: &str, arguments: &[&str]) -> (Ran, Summary) {
    let ran = calm(PLAYERS as u32, more).run(arguments);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    (ran, summary)
}

#[test]
fn a_journey_that_is_done_once_has_each_of_its_steps_once() {
    for workers in ["1", "3"] {
        let rules = r#"thresholds=["evening.response_time.p95 < 60s", "evening.error_rate < 1%"]"#;
        let (ran, summary) = run(&evening(false, "4"), &["--workers", workers, "--set", rules]);
        let [whole, placements, messages] =
            ["evening", "placement_request", "send_message"].map(|name| &summary.operations[name]);
        for (operation, count) in [(whole, PLAYERS), (placements, PLAYERS), (messages, 4 * PLAYERS)] {
            assert_eq!((operation.offered, operation.completed), (count, count), "{operation:?}");
        }
        assert_eq!((whole.model.as_str(), whole.unfinished), ("journey", 0));
        for push in ["placement", "message"] {
            let delivery = &summary.deliveries[push];
            let expected = if push == "placement" { PLAYERS } else { 4 * PLAYERS };
            assert!(delivery.received + delivery.away >= expected, "{push}: {delivery:?}");
            assert_eq!((delivery.lost, delivery.unexpected), (0, 0), "{push}: {delivery:?}");
        }
        let churn = summary.churn.as_ref().unwrap();
        assert_eq!((churn.players, churn.left, churn.returned), (PLAYERS, PLAYERS, PLAYERS));
        assert_eq!((summary.sockets.opened, summary.sockets.dropped), (2 * PLAYERS, 0));
        // Three pauses between four messages, and the time away, are part of it.
        assert!(whole.response_time_us.min >= 10_000 + 3 * 20_000 + 100_000, "{whole:?}");
        assert_eq!(whole.response_time_us, whole.service_time_us);
        assert_eq!(summary.thresholds.len(), 2);
        let report = std::fs::read_to_string(ran.dir.join("report.html")).unwrap();
        assert!(report.contains("evening (journey)"));
    }
}

#[test]
fn a_journey_begins_again_and_what_is_cut_short_is_told() {
    let (ran, summary) = run(&evening(true, "3 to 5"), &[]);
    let [whole, placements, messages] =
        ["evening", "placement_request", "send_message"].map(|name| &summary.operations[name]);
    let begun = whole.completed + whole.unfinished;
    assert_eq!(whole.failed, 0, "{whole:?}");
    assert!(whole.completed > 2 * PLAYERS && whole.unfinished > 0, "{whole:?}");
    assert!((whole.completed..=begun).contains(&placements.completed), "{placements:?}");
    assert!((3 * whole.completed..=5 * begun).contains(&messages.completed), "{messages:?}");
    let churn = summary.churn.as_ref().unwrap();
    assert!((whole.completed..=begun).contains(&churn.returned) && churn.left >= churn.returned, "{churn:?}");
    assert_eq!(summary.sockets.opened, PLAYERS + churn.returned);
    let told = format!("{} journeys were under way when the run ended", whole.unfinished);
    assert!(ran.stdout.contains(&told), "{}", ran.stdout);
}

#[test]
fn a_step_that_fails_fails_its_journey_and_counts_once() {
    let slow = "base = \"instant\"\n[lambda.functions.SendMessage.duration]\np50_ms = 600.0\n";
    let more = "[operations.send_message]\ntimeout = \"200ms\"\n[[journeys]]\nname = \"chat\"\n\
        steps = [\"unknown_route\", \"send_message\"]\n";
    let ran = calm(PLAYERS as u32, more).with("profile.toml", slow).run(&[
        "--set",
        "target.profile=profile.toml",
        "--set",
        r#"thresholds=["error_rate < 60%"]"#,
    ]);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    let [whole, first, second] =
        ["chat", "unknown_route", "send_message"].map(|name| &summary.operations[name]);
    assert!(whole.failed > PLAYERS && whole.completed == 0, "{whole:?}");
    assert_eq!(whole.errors, only("step_send_message", whole.failed));
    assert_eq!((second.timed_out, first.completed), (whole.failed, second.sent), "{second:?}");
    // Half of the requests: those journeys that failed by that are no further errors.
    let observed = summary.thresholds[0].observed.unwrap();
    assert!((40.0..=50.1).contains(&observed), "{observed}");
}

#[test]
fn a_socket_that_is_lost_fails_the_journey_on_it() {
    let storm = "[[journeys]]\nname = \"stay\"\nsteps = [{ pause = \"60s\" }]\n\
        [[storms]]\nat = \"1s\"\n[reconnect]\npolicy = \"constant\"\nbase = \"100ms\"\n";
    let (_, summary) = run(storm, &[]);
    let whole = &summary.operations["stay"];
    assert_eq!(whole.errors, only("socket_lost", PLAYERS), "{whole:?}");
    assert_eq!((whole.failed, whole.unfinished), (PLAYERS, PLAYERS), "the next are under way: {whole:?}");
}
