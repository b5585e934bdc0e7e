//! The bill of a run, through the real binary: what the generator counted is billed, whoever counted it.

use reports::format::{Cost, CostBasis, CostItem, Known};

use crate::common::Scene;

/// Texts to 20 players, places, and requests whose messages are of two units of 32 KB.
const LONG: &str = r#"
name = "long"
players = 60
protocol = "padded.toml"
[target]
profile = "instant"
[sockets]
connect_rate = 200.0
[[phases]]
kind = "hold"
duration = "1s"
measured = false
[[phases]]
kind = "hold"
duration = "2s"
[operations.send_message]
rate = 4.0
fan_out = 20
[operations.placement_request]
rate = 10.0
[operations.unknown_route]
rate = 4.0
[prices]
file = "mine.toml"
"#;

const REFERENCE: &str = include_str!("../../../scenarios/protocols/reference.toml");
const SHIPPED: &str = include_str!("../../../scenarios/prices/us-east-1.toml");

fn item<'c>(cost: &'c Cost, key: &str) -> &'c CostItem {
    cost.items.iter().find(|item| item.item == key).unwrap_or_else(|| panic!("{key} in {cost:?}"))
}

#[test]
fn a_run_is_billed_by_what_was_counted_in_all_workers_at_the_prices_of_its_own_file() {
    let mine = SHIPPED.replace("us-east-1", "eu-west-1").replace("price = 1.00", "price = 2.00");
    let request = r#"{"route":"loadgenUnknownRoute","id":"${id}","body":{"#;
    let padded = REFERENCE.replace(request, &format!("{request}\"padding\":\"{}\"", ".".repeat(33 * 1024)));
    assert!(padded.len() > REFERENCE.len());
    let scene = Scene::new(LONG).with("mine.toml", &mine).with("padded.toml", &padded);
    let ran = scene.run(&["--workers", "2"]);
    let summary = ran.exits(0).summary();
    let cost = summary.cost.as_ref().unwrap();
    assert_eq!((cost.basis, cost.region.as_str(), cost.complete), (CostBasis::AsIfOnAws, "eu-west-1", true));

    // A third of everything in the warm-up. Received: 12 acknowledgements, 12 x 20 pushes, 30 answers, 30 outcomes, 12 answers to
    // what is unknown. Sent: 12 texts, 30 wishes, and 12 messages of two units.
    let messages = item(cost, "websocket_messages");
    assert_eq!(summary.frames.as_ref().unwrap().received, 12 + 240 + 30 + 30 + 12);
    assert_eq!(messages.quantity, Some(f64::from(12 + 240 + 30 + 30 + 12 + 12 + 30 + 2 * 12)));
    assert_eq!(messages.known, Known::Counted);
    assert!((messages.amount.unwrap() - messages.quantity.unwrap() * 2e-6).abs() < 1e-12);
    let minutes = item(cost, "connection_minutes").quantity.unwrap();
    let longest = summary.run.ended_at.duration_since(summary.run.started_at).as_secs_f64() + 1.0;
    assert!(minutes > 60.0 * 3.0 / 60.0 && minutes <= 60.0 * longest / 60.0, "{minutes} in {longest} s");

    // The embedded backend brings its CloudWatch: authorizers, connects, sends and wishes at least.
    let requests = item(cost, "lambda_requests");
    assert_eq!(requests.known, Known::Cloudwatch);
    assert!(requests.quantity.unwrap() >= f64::from(60 + 60 + 12 + 30 + 12), "{requests:?}");
    let total: f64 = cost.items.iter().filter_map(|item| item.amount).sum();
    assert!((cost.total - total).abs() < 1e-12);
    let [places, deliveries] = &cost.unit_costs[..] else { panic!("{:?}", cost.unit_costs) };
    assert_eq!((places.what.as_str(), places.count), ("placement_request", 30));
    assert_eq!((deliveries.what.as_str(), deliveries.count), ("deliveries", 270));
    assert!((deliveries.amount - total / 270.0 * 1e6).abs() < 1e-6);

    let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("Cost: on AWS the run would have cost about 0.0"), "{said}");
    let report = std::fs::read_to_string(ran.dir.join("report.html")).unwrap().replace("<wbr>", "");
    assert!(report.contains("What it cost") && report.contains("WebSocket messages"));
    assert!(ran.dir.join("inputs/mine.toml").is_file(), "the prices are kept with the run");
}
