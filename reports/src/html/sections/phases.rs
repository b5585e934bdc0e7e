//! What was asked of the target and what came of it: over all, by phase, and over time.

use maud::{Markup, html};

use super::by_phase;
use super::columns::{self, Column};
use super::context::Context;
use super::section::heading;
use crate::format::{Operation, OperationSecond, SeriesLine};
use crate::html::charts::{Fold, Ink, Line, TimeChart, Unit};
use crate::html::error::RenderError;
use crate::html::table::{Cell, Table};
use crate::human::{self, P50, P90, P95, P99, P99_9};

const HOW: &str = "Offered is what the plan calls for. Where sent falls below it, the generator could not send (unsent); \
                   where completed falls below sent, answers are late, wrong or missing. Failed includes time-outs. \
                   A grey background marks a phase that is not measured.";

/// As many operations have a chart of their rates; where there are more, the others have a row of small ones.
const CHARTED: usize = 6;

pub(super) fn body(context: &Context<'_>) -> Result<Markup, RenderError> {
    let timeline = &context.timeline;
    let charts: Vec<Markup> = context
        .operations
        .iter()
        .take(CHARTED)
        .enumerate()
        .map(|(index, name)| chart(context, index, name).render(timeline))
        .chain([sockets(context).render(timeline)])
        .collect::<Result<_, _>>()?;
    Ok(html! {
        (heading("phases", "Operations: offered, sent, answered", HOW))
        (table(context).render())
        @if let Some(by_phase) = by_phase::operations(context) { (by_phase.render()) }
        @if context.operations.len() > CHARTED { (courses(context).render()) }
        div.grid { @for chart in charts { (chart) } }
    })
}

/// A row of small drawings for each operation, which stays legible for many.
fn courses(context: &Context<'_>) -> Table {
    let mut table = Table::new(
        "Every operation over the run; each drawing spans the run and reaches its highest value",
        ["operation", "offered", "completed", "errors", "response p99"],
    );
    for name in &context.operations {
        let rate = |ink, count: fn(&OperationSecond) -> u64| {
            let of = |line: &SeriesLine| line.operations.get(*name).map(|second| count(second) as f64);
            let values = context.timeline.values(Fold::Mean, of);
            context.drawn(&values, ink, |highest| format!("{}/s", human::significant(highest)))
        };
        let p99 = context.timeline.values(Fold::Max, |line| {
            let time = line.operations.get(*name).map(|second| second.response_time_us);
            time.filter(|time| time.count > 0 && time.p99 > 0).map(|time| time.p99 as f64)
        });
        table.row([
            Cell::text(*name),
            rate(Ink::Series(6), OperationSecond::called_for),
            rate(Ink::Series(0), |second| second.completed),
            rate(Ink::Series(1), OperationSecond::errors),
            context.drawn(&p99, Ink::Series(1), human::duration),
        ]);
    }
    table
}

fn chart(context: &Context<'_>, index: usize, name: &str) -> TimeChart<'static> {
    let rare = |line| Line { rare: true, ..line };
    let line = |label: &str, ink, count: fn(&OperationSecond) -> u64| {
        let value =
            |line: &SeriesLine| Some(line.operations.get(name).map_or(0.0, |second| count(second) as f64));
        Line::new(label, ink, context.timeline.values(Fold::Mean, value))
    };
    let lines = vec![
        // What an ended run did not come to stands in its last second, where nothing called for it.
        line("offered", Ink::Reference, OperationSecond::called_for),
        line("sent", Ink::Series(0), |second| second.sent),
        line("completed", Ink::Series(2), |second| second.completed),
        rare(line("failed", Ink::Series(1), |second| second.failed + second.timed_out)),
        rare(line("unsent", Ink::Series(3), OperationSecond::could_not_be_sent)),
    ];
    per_second(context, format!("rate-{index}"), format!("{name}: rates"), lines)
}

/// A chart of what was counted in each second.
pub(super) fn per_second(
    context: &Context<'_>,
    id: String,
    title: String,
    lines: Vec<Line>,
) -> TimeChart<'static> {
    TimeChart {
        id,
        title,
        how: None,
        unit: Unit::PerSecond,
        log: None,
        fold: Fold::Mean,
        grid: context.timeline.grid,
        lines,
        heat: None,
        recomputed: None,
    }
}

fn sockets(context: &Context<'_>) -> TimeChart<'static> {
    let open = context.timeline.values(Fold::Max, |line| Some(line.open as f64));
    TimeChart {
        id: "open".into(),
        title: "Open sockets".into(),
        how: None,
        unit: Unit::Count("sockets"),
        log: None,
        fold: Fold::Max,
        grid: context.timeline.grid,
        lines: vec![Line::new("open", Ink::Series(0), open)],
        heat: None,
        recomputed: None,
    }
}

/// The columns of the table of operations.
const COLUMNS: [Column<Operation>; 13] = [
    Column::Count("offered", "offered", |operation| operation.offered),
    Column::Count("sent", "sent", |operation| operation.sent),
    Column::Fault("unsent", "unsent", |operation| operation.unsent),
    Column::Count("completed", "completed", |operation| operation.completed),
    Column::Fault("failed", "failed", |operation| operation.failed),
    Column::Fault("timed out", "timed_out", |operation| operation.timed_out),
    Column::Percentile("p50", "response_time_us", P50, |operation| &operation.response_time_us),
    Column::Percentile("p90", "response_time_us", P90, |operation| &operation.response_time_us),
    Column::Percentile("p95", "response_time_us", P95, |operation| &operation.response_time_us),
    Column::Percentile("p99", "response_time_us", P99, |operation| &operation.response_time_us),
    Column::Percentile("p99.9", "response_time_us", P99_9, |operation| &operation.response_time_us),
    Column::Max("max", "response_time_us", |operation| &operation.response_time_us),
    Column::Percentile("service p99", "service_time_us", P99, |operation| &operation.service_time_us),
];

fn table(context: &Context<'_>) -> Table {
    let named = |name: &String, operation: &Operation| {
        let kind = ["closed", Operation::JOURNEY].into_iter().find(|kind| operation.model == *kind);
        kind.map_or_else(|| name.clone(), |kind| format!("{name} ({kind})"))
    };
    let operations = context.summary.operations.iter();
    let mut table = columns::table(
        "Operations over the measured phases; times are response times except service p99",
        ("operations", "operation"),
        &COLUMNS,
        operations.map(|(name, operation)| (name.as_str(), named(name, operation), operation)),
    );
    let sockets = &context.summary.sockets;
    let cut_off = match context.summary.not_run() {
        0 => String::new(),
        left => format!(
            "{} of the unsent were not run because the run ended first; rates leave them out. ",
            human::count(left)
        ),
    };
    let unfinished = match context.summary.unfinished() {
        0 => String::new(),
        left => {
            format!(
                "{} journeys were under way when the run ended: they are in no count. ",
                human::count(left)
            )
        }
    };
    table.note(format!(
        "{cut_off}{unfinished}Sockets: {} attempted, {} opened, {} rejected, {} dropped, {} open at peak. ~ before a percentile: fewer than \
         ten samples lie beyond it.",
        human::count(sockets.attempted),
        human::count(sockets.opened),
        human::count(sockets.rejected),
        human::count(sockets.dropped),
        human::count(sockets.peak_open),
    ));
    table
}
