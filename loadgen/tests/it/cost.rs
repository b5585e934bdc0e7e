//! The bill of a run, through the real binary: what the generator counted is billed, whoever counted it.

use reports::format::{Cost, CostBasis, CostItem, Known};

use crate::common::Scene;

/// 30,000 bytes of text and 200 names: a message of two units of 32 KB, whose pushes are one each.
const LONG: &str = r#"
name = "long"
players = 220
[target]
profile = "instant"
[sockets]
connect_rate = 400.0
[[phases]]
kind = "hold"
duration = "1s"
measured = false
[[phases]]
kind = "hold"
duration = "2s"
[operations.send_message]
rate = 4.0
fan_out = 200
size = 30000
[operations.placement_request]
rate = 10.0
[prices]
file = "mine.toml"
"#;

const SHIPPED: &str = include_str!("../../../scenarios/prices/us-east-1.toml");

fn item<'c>(cost: &'c Cost, key: &str) -> &'c CostItem {
    cost.items.iter().find(|item| item.item == key).unwrap_or_else(|| panic!("{key} in {cost:?}"))
}

#[test]
fn a_run_is_billed_by_what_was_counted_in_all_workers_at_the_prices_of_its_own_file() {
    let mine = SHIPPED.replace("us-east-1", "eu-west-1").replace("price = 1.00", "price = 2.00");
    let ran = Scene::new(LONG).with("mine.toml", &mine).run(&["--workers", "2"]);
    let summary = ran.exits(0).summary();
    let cost = summary.cost.as_ref().unwrap();
    assert_eq!((cost.basis, cost.region.as_str(), cost.complete), (CostBasis::AsIfOnAws, "eu-west-1", true));

    // 12 sends and 30 wishes, a third of them in the warm-up; 12 acknowledgements, 12 x 200 pushes, 30 answers and 30 outcomes.
    let messages = item(cost, "websocket_messages");
    assert_eq!(summary.frames.as_ref().unwrap().received, 12 + 2_400 + 30 + 30);
    assert_eq!(messages.quantity, Some((2 * 12 + 30 + 12 + 2_400 + 30 + 30) as f64));
    assert_eq!(messages.known, Known::Counted);
    assert!((messages.amount.unwrap() - messages.quantity.unwrap() * 2e-6).abs() < 1e-12);
    let minutes = item(cost, "connection_minutes").quantity.unwrap();
    let longest = summary.run.ended_at.duration_since(summary.run.started_at).as_secs_f64() + 1.0;
    assert!(minutes > 220.0 * 3.0 / 60.0 && minutes <= 220.0 * longest / 60.0, "{minutes} in {longest} s");

    // The embedded backend brings its CloudWatch: authorizers, connects, sends and wishes at least.
    let requests = item(cost, "lambda_requests");
    assert_eq!(requests.known, Known::Cloudwatch);
    assert!(requests.quantity.unwrap() >= f64::from(220 + 220 + 12 + 30), "{requests:?}");
    let total: f64 = cost.items.iter().filter_map(|item| item.amount).sum();
    assert!((cost.total - total).abs() < 1e-12);
    let [places, deliveries] = &cost.unit_costs[..] else { panic!("{:?}", cost.unit_costs) };
    assert_eq!((places.what.as_str(), places.count), ("placement_request", 30));
    assert_eq!((deliveries.what.as_str(), deliveries.count), ("deliveries", 2_430));
    assert!((deliveries.amount - total / 2_430.0 * 1e6).abs() < 1e-6);

    let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("Cost: on AWS the run would have cost about 0.0"), "{said}");
    let report = std::fs::read_to_string(ran.dir.join("report.html")).unwrap();
    assert!(report.contains("What it cost") && report.contains("WebSocket messages"));
    assert!(ran.dir.join("inputs/mine.toml").is_file(), "the prices are kept with the run");
}
