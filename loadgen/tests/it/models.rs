//! When requests leave: the closed model, random arrivals, recorded arrivals, each seen through the real binary.

use crate::common::{Ran, Scene, assert_balanced};

fn scenario(operation: &str, load: f64) -> Scene {
    Scene::new(&format!(
        r#"
name = "models"
players = 20
thresholds = []
[target]
profile = "profile.toml"
[auth]
mode = "header"
[sockets]
connect_rate = 100.0
[[phases]]
kind = "hold"
duration = "4s"
load = {load}
{operation}
"#
    ))
}

fn run(operation: &str, load: f64, profile: &str) -> Ran {
    scenario(operation, load).with("profile.toml", &format!("base = \"instant\"\n{profile}")).run(&[])
}

const THINKERS: &str = "[operations.send_message]\nmodel = \"closed\"\nthink_time = \"100ms\"\n";

#[test]
fn players_of_the_closed_model_wait_for_their_answers() {
    let slow = "[lambda.functions.SendMessage.duration]\np50_ms = 300.0\n";
    let ran = run(THINKERS, 1.0, slow);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    let send = &summary.operations["send_message"];
    // 20 players, a request of each at most every 0.4 s for 4 s; a machine under load may manage fewer.
    assert!((60..=220).contains(&send.completed), "{send:?}");
    assert_eq!((send.failed, send.unsent), (0, 0), "{send:?}");
    assert_eq!(send.model, "closed");
    assert_eq!(send.response_time_us, send.service_time_us, "there is no intended instant");
    assert!(send.response_time_us.min >= 299_000, "{send:?}");
    assert_eq!(
        summary.generator.dispatch_delay_us.count, 20,
        "only the handshakes were to leave at an instant"
    );
    assert_eq!(summary.operations["connect"].model, "open");
    assert!(ran.stdout.contains("closed model"), "{}", ran.stdout);
}

#[test]
fn a_quicker_answer_brings_the_next_request_sooner_and_load_is_a_share_of_the_players() {
    let all = run(THINKERS, 1.0, "").summary();
    let half = run(THINKERS, 0.5, "").summary();
    let (all, half) = (&all.operations["send_message"], &half.operations["send_message"]);
    assert!(all.completed > 220, "{all:?}");
    assert!(all.completed <= 20 * 41, "nobody thinks for less than 100 ms: {all:?}");
    assert!(half.completed <= 10 * 41 && half.completed > 0, "{half:?}");
}

#[test]
fn random_arrivals_are_the_plan_s_and_the_same_each_time() {
    let random = "[operations.unknown_route]\nrate = 50.0\narrivals = \"poisson\"\n";
    let (one, two) = (run(random, 1.0, "").summary(), run(random, 1.0, "").summary());
    let (one, two) = (&one.operations["unknown_route"], &two.operations["unknown_route"]);
    assert_eq!(one.offered, two.offered);
    assert!((130..=270).contains(&one.offered), "200 expected, ± 5 standard deviations: {}", one.offered);
    assert_eq!(one.completed, one.offered);
}

#[test]
fn a_recording_is_played_again() {
    let mut csv = String::from("offset_s,operation\n");
    (0..30).for_each(|line| csv += &format!("{},unknown_route\n", f64::from(line % 7) * 0.5));
    let ran = scenario("[operations.unknown_route]\nrecording = \"recorded.csv\"\n", 1.0)
        .with("profile.toml", "base = \"instant\"\n")
        .with("recorded.csv", &csv)
        .run(&[]);
    let summary = ran.exits(0).summary();
    assert_eq!(summary.operations["unknown_route"].completed, 30);
    let series = ran.folder().series;
    // The first phase begins after 0.2 s of connecting and a second of quiet; 5 lines stand at 0 s and 0.5 s each, 4 at 1 s
    // and 1.5 s.
    let offered = |second: usize| series[second].operations.get("unknown_route").map_or(0, |one| one.offered);
    assert_eq!((offered(0), offered(1) + offered(2)), (0, 5 + 5 + 4 + 4));
}
