//! Scenarios in which nothing goes wrong by itself, and what the summary says of what was made to go wrong.

use std::collections::BTreeMap;

use reports::format::Summary;

use super::Scene;

/// Players who hold their sockets for five seconds, on a backend that takes no time; `more` comes on top.
pub fn calm(players: u32, more: &str) -> Scene {
    Scene::new(&format!(
        r#"
name = "calm"
players = {players}
thresholds = []

[target]
profile = "instant"

[auth]
mode = "header"

[sockets]
connect_rate = 200.0
connect_timeout = "5s"

[[phases]]
kind = "hold"
duration = "5s"

{more}
"#
    ))
}

/// So many messages a second, each to `fan_out` recipients.
pub fn messages(rate: f64, fan_out: u32) -> String {
    format!(
        r#"
[operations.send_message]
rate = {rate:?}
fan_out = {fan_out}
timeout = "3s"

[deliveries]
timeout = "3s"
"#
    )
}

/// What became of one kind of trouble: each case has one outcome.
pub fn outcomes<'s>(summary: &'s Summary, kind: &str) -> &'s BTreeMap<String, u64> {
    let fault = &summary.disruptions[kind];
    assert_eq!(fault.made, fault.outcomes.values().sum::<u64>(), "{kind}: {fault:?}");
    &fault.outcomes
}

/// So many of one class, and none of another.
pub fn only(class: &str, count: u64) -> BTreeMap<String, u64> {
    BTreeMap::from([(class.into(), count)])
}
