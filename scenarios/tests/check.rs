//! Scenario files as users write them: the shipped ones pass, the wrong ones tell every mistake at once.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use scenarios::{Override, check, load, schema};

fn overrides(sets: &[&str]) -> Vec<Override> {
    sets.iter().map(|set| set.parse().unwrap()).collect()
}

/// Lines as they are.
fn unbroken(lines: &str) -> String {
    lines.lines().map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_shipped_scenario_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_scenario = path.extension().is_some_and(|extension| extension == "toml")
            && path.file_name().is_some_and(|name| name != "Cargo.toml");
        if is_scenario {
            let checked = load(&path, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
            assert_eq!(Some(checked.plan.name.as_str()), path.file_stem().and_then(|stem| stem.to_str()));
            seen += 1;
        }
    }
    assert!(seen >= 9, "the library ships");
}

#[test]
fn every_shipped_scenario_is_described_and_can_be_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let described = std::fs::read_to_string(folder.join("../docs/scenarios.md")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.ends_with(".toml") && name != "Cargo.toml" {
            let listed = format!("`{}`", name.trim_end_matches(".toml"));
            assert!(described.contains(&listed), "docs/scenarios.md does not describe {name}");
            let checked = load(&path, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
            assert!(!checked.scenario.description.is_empty(), "{name} does not say what it is for");
            let text = scenarios::explain::explain(&checked.plan, unbroken);
            assert!(text.contains("On AWS it would cost "), "{text}");
            assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        }
    }
}

#[test]
fn an_explanation_has_sentences_a_chart_and_a_price() {
    let text = r#"
        name = "explained"
        players = 300
        phases = [
            { kind = "step", duration = "30s", steps = 3 },
            { kind = "sine", duration = "30s", amplitude = 0.5, period = "10s" },
            { kind = "spike", duration = "20s", load = 4.0 },
        ]
        [sockets]
        connect_rate = 30.0
        [operations.send_message]
        rate = 20.0
        fan_out = 2
        [operations.placement_request]
        rate = 2.0
        arrivals = "poisson"
        [operations.placement_poll]
        rate = 1.0
        [operations.unknown_route]
        model = "closed"
        think_time = "1s to 3s"
    "#;
    let checked = check("explained.toml", text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    insta::assert_snapshot!(scenarios::explain::explain(&checked.plan, unbroken));
}

const MISPACED: &str = r#"name = "mispaced"
players = 10

[[phases]]
kind = "hold"
duration = "10s"
steps = 3
period = "1s"

[[phases]]
kind = "sine"
duration = "10s"
load = 1.0
amplitude = 2.0

[operations.send_message]
model = "closed"
rate = 3.0

[operations.placement_request]

[operations.unknown_route]
rate = 1.0
think_time = "1s"
recording = "nowhere.csv"
"#;

#[test]
fn every_mistake_of_the_pace_is_told() {
    let mistakes = check("mispaced.toml", MISPACED, &[]).unwrap_err();
    insta::assert_snapshot!(mistakes.to_string());
}

const WRONG: &str = r#"name = "wrong one"
players = "many"
speed = 3

[target]
url = "http://127.0.0.1:1"

[auth]
mode = "tokn"

[sockets]
conect_rate = 10.0
connect_rate = -5.0

[[phases]]
kind = "hold"

[[phases]]
kind = "hold"
duration = "5 parsecs"

[operations.send_message]
fan_out = 0
"#;

#[test]
fn all_mistakes_of_form_are_reported_at_once_with_line_and_remedy() {
    let mistakes = check("wrong.toml", WRONG, &[]).unwrap_err();
    insta::assert_snapshot!(mistakes.to_string());
}

const IMPOSSIBLE: &str = r#"name = "impossible"
players = 10
thresholds = ["message.lost == 0", "send_message.p99 < 3", "sockets.opened >= 10"]

[target]
url = "ftp://example"
profile = "nowhere.toml"

[sockets]
source_addresses = ["localhost"]

[[phases]]
kind = "hold"
duration = "0s"

[operations.placement_request]
rate = 1.0

[cloudwatch]
endpoint = "127.0.0.1:80"
period_s = 7
"#;

#[test]
fn all_mistakes_of_meaning_are_reported_at_once() {
    let mistakes = check("impossible.toml", IMPOSSIBLE, &[]).unwrap_err();
    insta::assert_snapshot!(mistakes.to_string());
}

#[test]
fn a_broken_file_is_no_riddle() {
    let mistakes = check("broken.toml", "name = \"x\nplayers = = 3\n", &[]).unwrap_err();
    assert!(mistakes.0.iter().all(|mistake| mistake.place.starts_with("broken.toml:")), "{mistakes}");
}

#[test]
fn overrides_change_any_key_and_answer_for_their_own_mistakes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let quickstart = folder.join("quickstart.toml");
    let sets = overrides(&[
        "players=5000",
        "phases.0.duration=\"7s\"",
        "operations.send_message.rate=3",
        "name=other",
    ]);
    let checked = load(&quickstart, &sets).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(checked.plan.players, 5000);
    assert_eq!(checked.plan.name, "other");
    assert!(checked.as_run.contains("# --set players=5000"));
    assert!(check("again.toml", &checked.as_run, &[]).is_ok(), "what ran can run again");

    let mistakes =
        load(&quickstart, &overrides(&["players=none", "phases.9.load=1", "typo.key=1"])).unwrap_err();
    assert!(mistakes.to_string().contains("phases.9.load"), "{mistakes}");
    let mistakes = load(&quickstart, &overrides(&["players=none", "typo.key=1"])).unwrap_err();
    let places: Vec<_> = mistakes.0.iter().map(|mistake| mistake.place.as_str()).collect();
    assert_eq!(places, ["--set players=none", "--set typo.key=1"]);
}

#[test]
fn the_checked_in_schema_is_the_one_in_force() {
    let schema = serde_json::to_string_pretty(&schema::json_schema()).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenario.schema.json");
    docs::generated_file(&path, &schema, "UPDATE_SCHEMA");
}
