//! Journeys as users write them: one for each player, steps in order, every mistake with its line.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use scenarios::check;
use scenarios::draw::Draw;
use scenarios::plan::journey::{Step, Until};
use scenarios::plan::operation::What;
use scenarios::times::Times;

const HEAD: &str = "name = \"j\"\nplayers = 400\nphases = [{ kind = \"hold\", duration = \"60s\" }]\n";

const EVENING: &str = r#"
    [operations.send_message]
    fan_out = 2
    [operations.placement_request]
    rate = 1.0
    [[journeys]]
    name = "evening"
    weight = 3
    steps = [
        { pause = "1s to 3s" },
        { do = "placement_request", until = "push" },
        { do = "send_message", times = "3 to 5", pause = "exponential 2s" },
        { leave = "10s" },
    ]
    [[journeys]]
    name = "visit"
    loop = false
    steps = ["send_message", { do = "send_message", times = 2 }]
"#;

/// Every mistake: line, key and problem.
fn told(text: &str) -> Vec<String> {
    let mistakes = check("j.toml", text, &[]).unwrap_err().0;
    let line = |place: &str| place.split(':').nth(1).unwrap_or_default().to_owned();
    mistakes.iter().map(|told| format!("{} {}: {}", line(&told.place), told.key, told.problem)).collect()
}

#[test]
fn what_is_written_becomes_the_plan() {
    let plan = check("j.toml", &format!("{HEAD}{EVENING}"), &[]).unwrap_or_else(|told| panic!("{told}")).plan;
    let second = Duration::from_secs(1);
    let named = |name: &str| plan.operation_named(name).unwrap();
    let [(three_quarters, evening), (quarter, visit)] = plan.journeys.shares().collect::<Vec<_>>()[..] else {
        panic!()
    };
    assert_eq!((three_quarters.size(), quarter.size()), (300, 100));
    assert_eq!((evening.operation, visit.operation), (named("evening"), named("visit")));
    assert!(evening.repeats && !visit.repeats && evening.leaves() && !visit.leaves());
    let placement = plan.kinds().find(|(_, push)| *push.name == *"placement").unwrap().0;
    let send_message = named("send_message");
    let chat = |times: &str, pause| Step::Do {
        operation: send_message,
        until: Until::Answer,
        times: times.parse().unwrap(),
        pause,
    };
    assert_eq!(
        evening.steps,
        [
            Step::Pause(Draw::Uniform(second, 3 * second)),
            Step::Do {
                operation: named("placement_request"),
                until: Until::Push { kind: placement, within: Duration::from_secs(30) },
                times: Times::ONCE,
                pause: None,
            },
            chat("3 to 5", Some(Draw::Exponential(2 * second))),
            Step::Leave(Draw::Constant(10 * second)),
        ]
    );
    assert_eq!(visit.steps, [chat("1", None), chat("2", None)]);
    let taken = (0..400).filter(|&player| plan.journey_of(player).unwrap().operation == evening.operation);
    assert_eq!(taken.count(), 300, "each player has one");
    // As a whole it is an operation without arrivals, for which nobody waits at the end.
    let whole = plan.operation(evening.operation);
    assert_eq!((whole.what, whole.arrivals(), whole.timeout), (What::Journey(0), 0, plan.end()));
    assert!(plan.drain() < plan.end());
    assert_eq!(plan.operation(send_message).arrivals(), 0, "no rate is needed");
    let said = scenarios::explain::sentences(&plan).join("\n");
    for part in [
        "The journey `evening` of 300 players: a pause (1s to 3s), then placement_request until the push `placement`, then \
         send_message until its answer 3 to 5 times, with pauses of exponential 2s, then leaving for a while (10s), and from \
         the start again.",
        "The journey `visit` of 100 players: send_message until its answer, then send_message until its answer 2 times, once.",
        "send_message to 2 players each (64 bytes of text) as journeys do it, about ",
        "placement_request: 60 arrivals at 1 per second times the load",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
}

#[test]
fn a_journey_is_judged_as_an_operation() {
    let rules = "thresholds = [\"evening.response_time.p95 < 60s\", \"evening.error_rate < 1%\"]\n";
    let plan = check("j.toml", &format!("{HEAD}{rules}{EVENING}"), &[]).unwrap().plan;
    assert_eq!(plan.thresholds.len(), 2);
    let told = told(&format!("{HEAD}thresholds = [\"evenig.error_rate < 1%\"]\n{EVENING}"));
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("the plan has no operation `evenig`"), "{told:?}");
}

#[test]
fn who_reads_slowly_or_falls_silent_has_no_journey() {
    let more = "[slow_readers]\nshare = 0.1\ndelay = \"1s\"\n[half_open]\nshare = 0.1\nafter = \"1s\"\n";
    let plan = check("j.toml", &format!("{HEAD}{EVENING}{more}"), &[]).unwrap().plan;
    let without = (0..400).filter(|&player| plan.journey_of(player).is_none()).count();
    assert_eq!(without, 80);
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let text = format!(
        "{HEAD}{}",
        r#"[operations.send_message]
model = "closed"
think_time = "1s"
[operations.placement_request]
[operations.unknown_route]
[operations.placement_poll]
rate = 1.0
[[journeys]]
name = "message"
steps = [
    "send_mesage",
    "send_message",
    "ready",
    "placement_poll",
    { do = "unknown_route", until = "push" },
    { do = "placement_request", leave = "1s" },
    { pause = "1s", leave = "1s" },
    { until = "answer", pause = "1s" },
    { times = 2 },
    {},
    { pause = "2d" },
]
[[journeys]]
name = "sockets"
steps = [{ pause = "0s" }, { leave = "0s" }]
[[journeys]]
name = "unknown_route"
steps = [{ pause = "1s" }]
[[journeys]]
name = "sockets"
loop = false
steps = [{ pause = "0s" }]
[churn]
session = "1s"
pause = "1s"
"#
    );
    let told = told(&text);
    let expected = [
        (12, "journeys.0.name: `message` cannot be told apart: a push"),
        (14, "journeys.0.steps.0: the protocol `reference` has no operation `send_mesage`"),
        (15, "journeys.0.steps.1: `send_message` is closed"),
        (16, "journeys.0.steps.2: `ready` is no step"),
        (17, "journeys.0.steps.3: `placement_poll` is polled"),
        (18, "journeys.0.steps.4.until: no push of `unknown_route` comes back"),
        (19, "journeys.0.steps.5.leave: stands beside `do`"),
        (20, "journeys.0.steps.6.leave: stands beside a pause"),
        (21, "journeys.0.steps.7.until: belongs to a step that does"),
        (22, "journeys.0.steps.8.times: belongs to a step that does"),
        (23, "journeys.0.steps.9: does nothing"),
        (24, "journeys.0.steps.10.pause: must be above zero and at most a day"),
        (27, "journeys.1.name: `sockets` cannot be told apart: other figures"),
        (28, "journeys.1.steps: nothing in it takes any time"),
        (30, "journeys.2.name: `unknown_route` cannot be told apart: an operation"),
        (33, "journeys.3.name: `sockets` cannot be told apart"),
        (36, "churn: the players have journeys"),
    ];
    for (line, part) in expected {
        assert!(
            told.iter().any(|told| told.starts_with(&format!("{line} {part}"))),
            "{line} {part}\n{told:#?}"
        );
    }
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    let help = check("j.toml", &text, &[]).unwrap_err().to_string();
    assert!(help.contains("did you mean `send_message`?"), "{help}");
}

#[test]
fn ranges_and_forms_hold() {
    let journey = |lines: &str| {
        format!("{HEAD}[operations]\nunknown_route = {{ rate = 1.0 }}\n[[journeys]]\n{lines}\n")
    };
    for (lines, expected) in [
        ("name = \"a\"", "6 journeys.0.steps: is missing"),
        ("name = \"a\"\nsteps = []", "8 journeys.0.steps: needs at least 1 entry"),
        ("name = \"a b\"\nsteps = [\"unknown_route\"]", "7 journeys.0.name: \"a b\" has the wrong form"),
        (
            "name = \"a\"\nsteps = [{ do = \"unknown_route\", times = 0 }]",
            "8 journeys.0.steps.0.times: 0 is too small, at least 1",
        ),
        (
            "name = \"a\"\nsteps = [{ do = \"unknown_route\", times = \"5 to 3\" }]",
            "8 journeys.0.steps.0.times: \"5 to 3\" has a second number below the first",
        ),
        (
            "name = \"a\"\nsteps = [{ do = \"unknown_route\", times = \"often\" }]",
            "8 journeys.0.steps.0.times: \"often\" is not a number of times",
        ),
        (
            "name = \"a\"\nweight = 0\nsteps = [\"unknown_route\"]",
            "8 journeys.0.weight: no journey has a weight above 0",
        ),
        (
            "name = \"a\"\nsteps = [{ do = \"unknown_route\", untill = \"push\" }]",
            "8 journeys.0.steps.0.untill: unknown key",
        ),
        (
            "name = \"a\"\nsteps = [{ do = \"unknown_route\", until = \"done\" }]",
            "8 journeys.0.steps.0.until: must be one of",
        ),
    ] {
        let told = told(&journey(lines));
        assert!(told.len() == 1 && told[0].starts_with(expected), "{expected}\n{told:#?}");
    }
    let many: String =
        (0..256).map(|n| format!("[[journeys]]\nname = \"j{n}\"\nsteps = [\"unknown_route\"]\n")).collect();
    let told = told(&format!("{HEAD}[operations.unknown_route]\n{many}"));
    assert!(told.len() == 1 && told[0].contains("more than 256 operations"), "{told:?}");
}
