//! Lives and bad weather in the terminal summary; nothing where there was none.

use super::compact;
use super::table::Table;
use crate::format::Summary;
use crate::human::{self, P50, P95, P99};

pub(super) fn reconnects(summary: &Summary) -> String {
    let mut table = Table::new([
        "Reconnects",
        "wanted",
        "back",
        "gave up",
        "unfinished",
        "attempts",
        "failed",
        "time to be back p50",
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

pub(super) fn lives(summary: &Summary) -> String {
    let mut table = Table::new(["Lives", "players", "left", "returned", "refused", "placed", "unplaced"]);
    if let Some(lives) = &summary.lives {
        let refused = lives.refused.values().sum();
        let counts = [lives.players, lives.left, lives.returned, refused, lives.placed, lives.unplaced];
        table.row([String::new()].into_iter().chain(counts.map(human::short_count)));
    }
    table.finish()
}

pub(super) fn troubles(summary: &Summary) -> String {
    let mut table = Table::new(["Weather made", "cases", "outcome", "count"]).left(1);
    for (kind, trouble) in &summary.weather {
        let mut first = [kind.clone(), human::short_count(trouble.made)];
        for (outcome, count) in &trouble.outcomes {
            table.row(first.into_iter().chain([outcome.clone(), human::short_count(*count)]));
            first = [String::new(), String::new()];
        }
    }
    table.finish()
}

/// Sockets that ended although nobody on the player's side wanted it.
pub(super) fn ends(summary: &Summary) -> String {
    let mut table = Table::new(["Sockets dropped by class", "count"]);
    for (class, count) in &summary.sockets.ends {
        table.row([class.clone(), human::count(*count)]);
    }
    table.finish()
}
