//! Hop times through the real binary: what a backend was told to take where, shows in that hop and in no other.

use reports::format::{DeliveryHops, Hop, Hops, Summary, SuspectKind};

use crate::common::{Ran, Scene, assert_balanced, was_disturbed};

/// Few enough that nothing waits for anything else.
const TRACED: &str = r#"
name = "hops"
players = 20
trace = true
thresholds = []

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
rate = 7.0
fan_out = 1

[operations.placement_request]
rate = 3.0
"#;

const MESSAGE: [&str; 6] =
    ["to_gateway", "route_start", "route_function", "stream_wait", "push_function", "to_player"];
const PLACEMENT: [&str; 8] = [
    "to_gateway",
    "route_start",
    "route_function",
    "placement_wait",
    "event_function",
    "stream_wait",
    "push_function",
    "to_player",
];

fn ran(profile: &str, arguments: &[&str]) -> Ran {
    Scene::new(TRACED).with("profile.toml", &format!("base = \"instant\"\n{profile}")).run(arguments)
}

/// The hops of an undisturbed run, if one comes soon.
fn hops(profile: &str, arguments: &[&str]) -> (Summary, Hops) {
    for attempt in 0.. {
        let ran = ran(profile, arguments);
        let summary = ran.exits(0).summary();
        assert_balanced(&summary);
        let hops = summary.hops.clone().unwrap();
        add_up(&summary, &hops);
        if attempt == 3 || !was_disturbed(&summary) {
            return (summary, hops);
        }
    }
    unreachable!("the last attempt returns")
}

fn names(delivery: &DeliveryHops) -> Vec<&str> {
    delivery.hops.iter().map(|hop| hop.name.as_str()).collect()
}

fn mean_ms(delivery: &DeliveryHops, name: &str) -> f64 {
    delivery.hops.iter().find(|hop| hop.name == name).unwrap().time_us.mean / 1e3
}

/// What holds of every traced run, however slow the machine.
fn add_up(summary: &Summary, hops: &Hops) {
    assert_eq!(hops.deliveries.keys().collect::<Vec<_>>(), ["message", "placement"]);
    for (name, delivery) in &hops.deliveries {
        let each = &summary.deliveries[name].each_us;
        assert_eq!((delivery.incomplete, delivery.whole_us.count), (0, each.count), "{name}");
        // The mean of the histogram is that of its buckets, at most a thousandth off; that of the hops is exact.
        assert!((delivery.whole_us.mean - each.mean).abs() <= each.mean / 1e3 + 1.0, "{name}: {delivery:?}");
        let sum: f64 = delivery.hops.iter().map(|hop| hop.time_us.mean).sum();
        assert!((sum - delivery.whole_us.mean).abs() <= 1.0, "{name}: {sum} of {:?}", delivery.whole_us);
        assert!(delivery.unaccounted_us.abs() <= 1.0, "{name}: {delivery:?}");
        let share: f64 = delivery.hops.iter().map(|hop| hop.share).sum();
        assert!((share - 1.0).abs() < 1e-6, "{name}: {share}");
        let crossing = delivery.hops.iter().filter(|hop| hop.crosses_clocks);
        let crossing: f64 = crossing.map(|hop| hop.time_us.mean).sum();
        assert!((crossing - delivery.crossing_us.mean).abs() <= 1.0, "{name}: {crossing}");
        assert!(delivery.hops.iter().all(|hop| hop.time_us.count == each.count), "{name}");
    }
    let clock = hops.clock.unwrap();
    // One machine, one clock.
    assert!(clock.consistent && clock.least_us <= 0.0 && clock.most_us >= 0.0, "{clock:?}");
    assert!(clock.offset_us.abs() <= clock.error_us, "{clock:?}");
}

#[test]
fn means_add_up_in_every_second_and_over_the_run() {
    let (_, hops) = {
        let ran = ran("", &[]);
        let (summary, folder) = (ran.exits(0).summary(), ran.folder());
        let hops = summary.hops.clone().unwrap();
        add_up(&summary, &hops);
        assert_eq!(names(&hops.deliveries["message"]), MESSAGE);
        assert_eq!(names(&hops.deliveries["placement"]), PLACEMENT);
        let mut split = 0;
        for second in &folder.series {
            for (name, delivery) in &second.deliveries {
                if delivery.hops.is_empty() {
                    continue;
                }
                let sum: f64 = delivery.hops.values().map(|hop| hop.mean_us).sum();
                let each = &delivery.each_us;
                assert!((sum - each.mean).abs() <= each.mean / 1e3 + 1.0, "{name} at {}: {sum}", second.t);
                assert!(delivery.hops.values().all(|hop| hop.count == each.count));
                split += each.count;
            }
        }
        // The seconds of the warm-up are there as well: a fifth of 5 s at 10/s.
        assert_eq!(split, 50);
        (summary, hops)
    };
    let sides = |hop: &Hop| (hop.from.clone(), hop.to.clone(), hop.crosses_clocks);
    let message = &hops.deliveries["message"].hops;
    assert_eq!(sides(&message[0]), ("send".into(), "gateway".into(), true));
    assert_eq!(sides(&message[3]), ("table".into(), "stream".into(), false));
    assert_eq!(sides(&message[5]), ("posted".into(), "receipt".into(), true));
    let functions = message.iter().map(|hop| hop.function.as_str()).collect::<Vec<_>>();
    assert_eq!(functions, ["", "", "SendMessage", "", "OnMessageInserted", ""]);
    // API Gateway stamps in milliseconds; the functions do so in microseconds.
    assert_eq!((message[1].error_us, message[2].error_us), (500.0, 0.0));
    let clock = hops.clock.unwrap();
    assert_eq!(message[0].error_us, clock.error_us + 500.0);
    assert_eq!(message[5].error_us, clock.error_us);
}

#[test]
fn what_takes_longer_shows_in_its_own_hop() {
    // Each at another place: reading a player's connection and storing the message, the stream, and the push's own way.
    let profile = "\
        [tables.latency]\nbatch_get = { p50_ms = 60.0 }\n\
        [streams]\npoll_interval_ms = 400\n\
        [gamelift]\nplacement = { p50_ms = 700.0 }\n\
        [lambda.functions.SendMessage]\nduration = { p50_ms = 120.0 }\n\
        [lambda.functions.OnMessageInserted]\nduration = { p50_ms = 90.0 }\n";
    let (_, hops) = hops(profile, &[]);
    let (message, placement) = (&hops.deliveries["message"], &hops.deliveries["placement"]);
    let within = |delivery: &DeliveryHops, name: &str, least: f64, most: f64| {
        let mean = mean_ms(delivery, name);
        assert!(
            (least..most).contains(&mean),
            "{name}: {mean} ms is not from {least} to {most}: {delivery:#?}"
        );
    };
    // What the function takes by the profile, and to find the recipient's connection.
    within(message, "route_start", -1.0, 50.0);
    within(message, "route_function", 179.0, 280.0);
    // A poll every 400 ms finds a record after 200 ms on average, after 400 at most.
    within(message, "stream_wait", 100.0, 500.0);
    within(message, "push_function", 149.0, 250.0);
    within(placement, "route_start", -1.0, 50.0);
    within(placement, "route_function", -1.0, 50.0);
    within(placement, "placement_wait", 699.0, 850.0);
    within(placement, "event_function", -1.0, 50.0);
    for delivery in [message, placement] {
        let clock = hops.clock.unwrap().error_us / 1e3;
        within(delivery, "to_gateway", -1.0 - clock, 50.0 + clock);
        within(delivery, "to_player", -1.0 - clock, 50.0 + clock);
    }
}

#[test]
fn a_delayed_push_takes_its_time_on_the_way_to_the_player() {
    let (_, hops) = hops("[gateway.push_delay]\np50_ms = 150.0\n", &[]);
    let message = &hops.deliveries["message"];
    // It cannot be told from a clock that is behind by so much: the stated error says so.
    let last = message.hops.last().unwrap();
    assert!(last.error_us >= 70_000.0, "{last:?}");
    assert!(message.crossing_us.mean >= 149_000.0, "together they are exact: {:?}", message.crossing_us);
    assert!((last.time_us.mean - 150_000.0).abs() <= last.error_us + 30_000.0, "{last:?}");
}

#[test]
fn workers_split_what_others_received() {
    let workers = ["--set", "players=40", "--workers", "2"];
    let (_, hops) = hops("", &workers);
    assert_eq!(names(&hops.deliveries["message"]), MESSAGE);
    assert_eq!(hops.deliveries["message"].whole_us.count, 28);
}

#[test]
fn a_function_that_slows_down_is_named_by_its_hop() {
    let scenario = TRACED
        .replace("thresholds = []", "thresholds = [\"message.each.p90 < 150ms\"]")
        .replace("duration = \"4s\"", "duration = \"14s\"");
    let profile = "base = \"instant\"\n[lambda.functions.OnMessageInserted]\n\
                   duration = { p50_ms = 2.0, fault = { from_s = 9.0, p50_ms = 400.0 } }\n";
    for attempt in 0.. {
        let ran = Scene::new(&scenario).with("profile.toml", profile).run(&[]);
        let summary = ran.summary();
        if attempt < 3 && was_disturbed(&summary) {
            continue;
        }
        let correlation = summary.correlation.as_ref().unwrap();
        let suspect = &correlation.suspects[0];
        assert_eq!(suspect.kind, SuspectKind::SlowFunction, "{correlation:#?}");
        assert_eq!(suspect.resource, "OnMessageInserted", "{correlation:#?}");
        let hop = suspect.evidence.iter().find(|evidence| evidence.series == "hop push_function of message");
        let says = &hop.unwrap_or_else(|| panic!("{correlation:#?}")).says;
        assert!(says.contains("OnMessageInserted took 4"), "{says}");
        assert!((380.0..600.0).contains(&suspect.observed.unwrap()), "{correlation:#?}");
        return;
    }
}

#[test]
fn without_trace_nothing_is_asked_and_nothing_is_said() {
    let ran = ran("", &["--set", "trace=false"]);
    let summary = ran.exits(0).summary();
    assert_eq!(summary.hops, None);
    assert!(
        ran.folder().series.iter().all(|second| second.deliveries.values().all(|all| all.hops.is_empty()))
    );
    let files = ran.files();
    let (_, series) = files.iter().find(|(name, _)| name == "series.jsonl").unwrap();
    assert!(!series.contains("hops"));
}

#[test]
fn a_trace_that_nothing_answers_is_refused_before_a_byte_is_sent() {
    let chat = r#"
name = "none"
players = 2
protocol = "chat"
trace = true
[auth]
mode = "none"
[[phases]]
kind = "hold"
duration = "1s"
[operations.send_message]
rate = 1.0
"#;
    let ran = Scene::new(chat).run(&[]);
    let told = ran.exits(2).stderr.clone();
    for said in ["scenario.toml:5:1", "trace", "`chat` does not say where its pushes have stamps", "stamps"] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let polled = TRACED.replace("[operations.send_message]\nrate = 7.0\nfan_out = 1\n", "");
    let polled = polled.replace("placement_request", "unknown_route");
    let ran = Scene::new(&polled).with("profile.toml", "base = \"instant\"\n").run(&[]);
    let told = ran.exits(2).stderr.clone();
    for said in
        ["scenario.toml:4:1", "no operation of the scenario leads to a push with stamps", "`send_message`"]
    {
        assert!(told.contains(said), "{said}: {told}");
    }
}
