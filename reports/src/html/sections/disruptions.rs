//! Client behaviour and faults: reconnects, churn, the faults that the scenario injected, and what ended sockets.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::context::Context;
use super::over_time::{chart, percentile_lines};
use super::phases::per_second;
use super::section::heading;
use crate::folder::Tag;
use crate::format::SeriesLine;
use crate::html::charts::{Fold, Ink, Line, TimeChart, extent};
use crate::html::error::RenderError;
use crate::html::table::{Cell, Table};
use crate::human::{self, P50, P90, P95, P99, Percentile};

const HOW: &str = "Dropped sockets were ended by the backend or the network; cut ones by the client, because the scenario asks for \
                   it. Recovery time runs from the loss of a socket to the next open one, including waits and failed \
                   attempts; the chart shows it at the second of the reconnect.";

/// The section; `None` where nobody reconnected or left and no fault was injected.
///
/// # Errors
/// [`RenderError`] when a chart cannot be drawn.
pub(super) fn body(context: &Context<'_>) -> Result<Option<Markup>, RenderError> {
    let tables = [reconnects(context), churn(context), faults(context), ends(context)];
    let tables: Vec<Table> = tables.into_iter().flatten().collect();
    let charts: Vec<Markup> = [sockets_lost(context), recovery_time(context)]
        .into_iter()
        .flatten()
        .map(|chart| chart.render(&context.timeline))
        .collect::<Result<_, _>>()?;
    Ok((!tables.is_empty() || !charts.is_empty()).then(|| {
        html! {
            (heading("disruptions", "Client behaviour and faults", HOW))
            @for table in tables { (table.render()) }
            @if !charts.is_empty() { div.grid { @for chart in charts { (chart) } } }
        }
    }))
}

/// Sockets lost and players reconnected in each second.
fn sockets_lost(context: &Context<'_>) -> Option<TimeChart<'static>> {
    let whole = &context.folder.digest.whole().sum;
    let line = |name: &str, ink, count: fn(&SeriesLine) -> u64| {
        (count(whole) > 0).then(|| {
            let values = context.timeline.values(Fold::Mean, |second| Some(count(second) as f64));
            Line { rare: true, ..Line::new(name, ink, values) }
        })
    };
    let lines = [
        line("dropped", Ink::Series(1), |second| {
            second.sockets.as_ref().map_or(0, |sockets| sockets.dropped)
        }),
        line("cut", Ink::Series(3), |second| second.disruptions.get("cut").map_or(0, |cut| cut.made)),
        line("left (churn)", Ink::Series(4), |second| second.churn.as_ref().map_or(0, |churn| churn.left)),
        line("failed attempts", Ink::Series(5), |second| {
            let failed = second.reconnects.as_ref().map(|reconnects| &reconnects.errors);
            let refused = second.churn.as_ref().map(|churn| &churn.refused);
            failed.into_iter().chain(refused).flat_map(BTreeMap::values).sum()
        }),
        line("reconnected", Ink::Series(0), |second| {
            second.reconnects.as_ref().map_or(0, |reconnects| reconnects.succeeded)
        }),
        line("returned (churn)", Ink::Series(2), |second| {
            second.churn.as_ref().map_or(0, |churn| churn.returned)
        }),
    ];
    let lines: Vec<Line> = lines.into_iter().flatten().collect();
    (!lines.is_empty()).then(|| {
        per_second(context, "sockets-lost".into(), "Sockets lost, players reconnected".into(), lines)
    })
}

/// Recovery time of the players that reconnected in each second.
fn recovery_time(context: &Context<'_>) -> Option<TimeChart<'static>> {
    let lines =
        percentile_lines(context, Tag::Recovery, |line| line.reconnects.as_ref().map(|all| all.recovery_us));
    let range = extent(&lines)?;
    Some(chart(context, "recovery-time".into(), "Recovery time".into(), range, lines))
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
        "Reconnects",
        [
            "reconnects of",
            "wanted",
            "reconnected",
            "gave up",
            "unfinished",
            "attempts",
            "recovery p50",
            "p90",
            "p95",
            "p99",
            "max",
        ],
    );
    table.row([
        Cell::text("all players"),
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
    let counts = [
        ("players", Some(churn.players)),
        ("left", Some(churn.left)),
        ("returned", Some(churn.returned)),
        // Of older runs.
        ("placed", churn.placed),
        ("unplaced", churn.unplaced),
    ];
    let columns: Vec<_> = counts.into_iter().filter_map(|(name, number)| Some((name, number?))).collect();
    let mut table =
        Table::new("Churn: players that leave and come back", columns.iter().map(|(name, _)| *name));
    table.row(columns.iter().map(|(_, number)| count(*number)));
    if !churn.refused.is_empty() {
        table.note(format!("Refused on return: {}.", listed(&churn.refused)));
    }
    Some(table)
}

fn faults(context: &Context<'_>) -> Option<Table> {
    let faults = &context.summary.disruptions;
    let mut table =
        Table::new("Disruptions made by the scenario, and their outcomes", ["kind", "cases", "outcomes"]);
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
