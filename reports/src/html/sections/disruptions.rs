//! Churn and disruptions: who came back and when, what became of the trouble that was made, what ended sockets.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::latency::{chart, percentile_lines};
use super::rates::per_second;
use super::{Context, heading};
use crate::format::SeriesLine;
use crate::html::RenderError;
use crate::html::charts::{Fold, Ink, Line, TimeChart, extent};
use crate::html::table::{Cell, Table};
use crate::human::{self, P50, P90, P95, P99, Percentile};

const HOW: &str = "Dropped sockets ended although their players wanted to stay; cut ones were ended by the players' own side, as the \
                   scenario has it. Time to be back runs from the loss to the open socket, waits and failed attempts \
                   included; in the chart it stands at the second of the return.";

/// What there was; nothing under a clear sky.
///
/// # Errors
/// [`RenderError`] when a chart cannot be drawn.
pub(super) fn body(context: &Context<'_>) -> Result<Option<Markup>, RenderError> {
    let tables = [reconnects(context), churn(context), faults(context), ends(context)];
    let tables: Vec<Table> = tables.into_iter().flatten().collect();
    let charts: Vec<Markup> = [comings_and_goings(context), time_to_be_back(context)]
        .into_iter()
        .flatten()
        .map(|chart| chart.render(&context.timeline))
        .collect::<Result<_, _>>()?;
    Ok((!tables.is_empty() || !charts.is_empty()).then(|| {
        html! {
            (heading("disruptions", "Churn and disruptions", HOW))
            @for table in tables { (table.render()) }
            @if !charts.is_empty() { div.grid { @for chart in charts { (chart) } } }
        }
    }))
}

/// Who went and who came back in each second.
fn comings_and_goings(context: &Context<'_>) -> Option<TimeChart<'static>> {
    let series = &context.folder.series;
    let line = |name: &str, ink, count: fn(&SeriesLine) -> u64| {
        series.iter().any(|second| count(second) > 0).then(|| {
            let values = context.timeline.values(Fold::Mean, |second| Some(count(second) as f64));
            Line { rare: true, ..Line::new(name, ink, values) }
        })
    };
    let lines = [
        line("dropped", Ink::Series(1), |second| {
            second.sockets.as_ref().map_or(0, |sockets| sockets.dropped)
        }),
        line("cut", Ink::Series(3), |second| second.disruptions.get("cut").map_or(0, |cut| cut.made)),
        line("left", Ink::Series(4), |second| second.churn.as_ref().map_or(0, |churn| churn.left)),
        line("failed attempts", Ink::Series(5), |second| {
            let failed = second.reconnects.as_ref().map(|reconnects| &reconnects.errors);
            let refused = second.churn.as_ref().map(|churn| &churn.refused);
            failed.into_iter().chain(refused).flat_map(BTreeMap::values).sum()
        }),
        line("came back", Ink::Series(0), |second| {
            second.reconnects.as_ref().map_or(0, |reconnects| reconnects.succeeded)
        }),
        line("returned to a new life", Ink::Series(2), |second| {
            second.churn.as_ref().map_or(0, |churn| churn.returned)
        }),
    ];
    let lines: Vec<Line> = lines.into_iter().flatten().collect();
    (!lines.is_empty()).then(|| {
        per_second(context, "comings-and-goings".into(), "Sockets lost, and players back".into(), lines)
    })
}

/// How long those had been away who came back in each second.
fn time_to_be_back(context: &Context<'_>) -> Option<TimeChart<'static>> {
    let lines = percentile_lines(context, |line| line.reconnects.as_ref().map(|all| &all.recovery_us));
    let range = extent(&lines)?;
    Some(chart(context, "time-to-be-back".into(), "Time to be back".into(), range, lines))
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
            "p95",
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
        time(P95),
        time(P99),
        Cell::quantity(human::max(recovery), recovery.max as f64),
    ]);
    if !reconnects.errors.is_empty() {
        table.note(format!("Failed attempts: {}.", listed(&reconnects.errors)));
    }
    Some(table)
}

fn churn(context: &Context<'_>) -> Option<Table> {
    let churn = context.summary.churn.as_ref()?;
    let mut table = Table::new(
        "Players that leave and come back",
        ["players", "left", "returned", "got a place", "got none"],
    );
    table.row([
        count(churn.players),
        count(churn.left),
        count(churn.returned),
        count(churn.placed),
        count(churn.unplaced),
    ]);
    if !churn.refused.is_empty() {
        table.note(format!("Refused when they returned: {}.", listed(&churn.refused)));
    }
    Some(table)
}

fn faults(context: &Context<'_>) -> Option<Table> {
    let faults = &context.summary.disruptions;
    let mut table =
        Table::new("Disruption that the scenario made, and what became of it", ["kind", "cases", "outcomes"]);
    for (kind, fault) in faults {
        table.row([Cell::text(kind), count(fault.made), Cell::text(listed(&fault.outcomes))]);
    }
    (!faults.is_empty()).then_some(table)
}

fn count(number: u64) -> Cell {
    Cell::quantity(human::count(number), number as f64)
}

fn listed(classes: &BTreeMap<String, u64>) -> String {
    let each = classes.iter().map(|(class, number)| format!("{class} × {}", human::count(*number)));
    each.collect::<Vec<_>>().join(", ")
}
