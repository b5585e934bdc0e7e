//! Reconnects, churn and disruptions in the terminal summary; empty where there were none.

use super::columns::{Columns, compact};
use crate::format::Summary;
use crate::human::{self, P50, P95, P99};

pub(super) fn reconnects(summary: &Summary) -> String {
    let mut table = Columns::new([
        "Reconnects",
        "wanted",
        "reconnected",
        "gave up",
        "unfinished",
        "attempts",
        "failed",
        "recovery p50",
        "p95",
        "p99",
        "max",
    ]);
    if let Some(reconnects) = &summary.reconnects {
        let recovery = &reconnects.recovery_us;
        table.row([
            String::new(),
            human::short_count(reconnects.wanted),
            human::short_count(reconnects.succeeded),
            human::short_count(reconnects.gave_up),
            human::short_count(reconnects.unfinished),
            human::short_count(reconnects.attempts),
            human::short_count(reconnects.errors.values().sum()),
            compact(&P50.show(recovery)),
            compact(&P95.show(recovery)),
            compact(&P99.show(recovery)),
            compact(&human::max(recovery)),
        ]);
    }
    table.finish()
}

pub(super) fn churn(summary: &Summary) -> String {
    let Some(churn) = &summary.churn else { return String::new() };
    let refused = churn.refused.values().sum();
    let counts = [churn.players, churn.left, churn.returned, refused];
    let placed = churn.placed.into_iter().chain(churn.unplaced);
    let mut table = if churn.placed.is_none() {
        Columns::new(["Churn", "players", "left", "returned", "refused"])
    } else {
        Columns::new(["Churn", "players", "left", "returned", "refused", "placed", "unplaced"])
    };
    let counts = counts.into_iter().chain(placed).map(human::short_count);
    table.row([String::new()].into_iter().chain(counts));
    table.finish()
}

pub(super) fn faults(summary: &Summary) -> String {
    let mut table = Columns::new(["Disruptions made", "cases", "outcome", "count"]).left(1);
    for (kind, fault) in &summary.disruptions {
        let mut first = [kind.clone(), human::short_count(fault.made)];
        for (outcome, count) in &fault.outcomes {
            table.row(first.into_iter().chain([outcome.clone(), human::short_count(*count)]));
            first = [String::new(), String::new()];
        }
    }
    table.finish()
}

/// Sockets that the backend or the network ended.
pub(super) fn ends(summary: &Summary) -> String {
    let mut table = Columns::new(["Sockets dropped by class", "count"]);
    for (class, count) in &summary.sockets.ends {
        table.row([class.clone(), human::count(*count)]);
    }
    table.finish()
}
