//! Lives and bad weather: who came back and when, what became of the trouble that was made, what ended sockets.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::Context;
use crate::html::table::{Cell, Table};
use crate::human::{self, P50, P90, P99, Percentile};

/// Tables of what there was; nothing under a clear sky.
pub(super) fn body(context: &Context<'_>) -> Markup {
    let tables = [ends(context), reconnects(context), lives(context), troubles(context)];
    html! {
        @for table in tables.iter().flatten() { (table.render()) }
    }
}

fn ends(context: &Context<'_>) -> Option<Table> {
    let ends = &context.summary.sockets.ends;
    let mut table = Table::new("Sockets that were dropped, by class", ["class", "count"]);
    for (class, number) in ends {
        table.row([Cell::text(class), count(*number)]);
    }
    (!ends.is_empty()).then_some(table)
}

fn reconnects(context: &Context<'_>) -> Option<Table> {
    let reconnects = context.summary.reconnects.as_ref()?;
    let recovery = &reconnects.recovery_us;
    let time =
        |percentile: Percentile| Cell::quantity(percentile.show(recovery), (percentile.of)(recovery) as f64);
    let mut table = Table::new(
        "Coming back",
        [
            "",
            "wanted",
            "came back",
            "gave up",
            "still trying",
            "attempts",
            "time to be back p50",
            "p90",
            "p99",
            "max",
        ],
    );
    table.row([
        Cell::text("all"),
        count(reconnects.wanted),
        count(reconnects.succeeded),
        count(reconnects.gave_up).bad_unless_zero(),
        count(reconnects.unfinished),
        count(reconnects.attempts),
        time(P50),
        time(P90),
        time(P99),
        Cell::quantity(human::max(recovery), recovery.max as f64),
    ]);
    if !reconnects.errors.is_empty() {
        table.note(format!("Failed attempts: {}.", listed(&reconnects.errors)));
    }
    Some(table)
}

fn lives(context: &Context<'_>) -> Option<Table> {
    let lives = context.summary.lives.as_ref()?;
    let mut table = Table::new(
        "Players that leave and come back",
        ["players", "left", "returned", "got a place", "got none"],
    );
    table.row([
        count(lives.players),
        count(lives.left),
        count(lives.returned),
        count(lives.placed),
        count(lives.unplaced),
    ]);
    if !lives.refused.is_empty() {
        table.note(format!("Refused when they returned: {}.", listed(&lives.refused)));
    }
    Some(table)
}

fn troubles(context: &Context<'_>) -> Option<Table> {
    let troubles = &context.summary.weather;
    let mut table =
        Table::new("Trouble that the scenario made, and what became of it", ["kind", "cases", "outcomes"]);
    for (kind, trouble) in troubles {
        table.row([Cell::text(kind), count(trouble.made), Cell::text(listed(&trouble.outcomes))]);
    }
    (!troubles.is_empty()).then_some(table)
}

fn count(number: u64) -> Cell {
    Cell::quantity(human::count(number), number as f64)
}

fn listed(classes: &BTreeMap<String, u64>) -> String {
    let each = classes.iter().map(|(class, number)| format!("{class} × {}", human::count(*number)));
    each.collect::<Vec<_>>().join(", ")
}
