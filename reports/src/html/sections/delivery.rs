//! What other players received: how late, and how much of it.

use maud::{Markup, html};

use super::context::Context;
use super::latency::{chart, max_cell, percentile_cell, percentile_lines};
use super::rates::per_second;
use super::section::heading;
use crate::format::{DeliverySecond, SeriesLine};
use crate::html::charts::{Fold, Ink, Line, TimeChart, extent};
use crate::html::error::RenderError;
use crate::html::table::{Cell, Table};
use crate::human::{self, P50, P95, P99};

const HOW: &str = "A delivery is a push that another player receives; its time runs from the sender's send. Expected \
                   equals received plus late plus lost; duplicates and unexpected pushes come on top. First and last are the \
                   fastest and slowest recipient of one message: their distance is the spread of the fan-out.";

pub(super) fn body(context: &Context<'_>) -> Result<Markup, RenderError> {
    let mut charts = Vec::new();
    for (index, kind) in context.kinds.iter().enumerate() {
        let lines =
            percentile_lines(context, |line| line.deliveries.get(*kind).map(|second| &second.each_us));
        if let Some(range) = extent(&lines) {
            let title = format!("{kind}: delivery time");
            charts.push(
                chart(context, format!("delivery-{index}"), title, range, lines).render(&context.timeline)?,
            );
        }
        charts.push(counts(context, index, kind).render(&context.timeline)?);
    }
    Ok(html! {
        (heading("delivery", "Deliveries", HOW))
        @if context.kinds.is_empty() {
            p.nothing { "No operation of this run called for a delivery." }
        } @else {
            (table(context).render())
            @if let Some(sentence) = human::lost_after(&context.summary.deliveries) { p.note { (sentence) } }
            div.grid { @for chart in charts { (chart) } }
        }
    })
}

fn counts(context: &Context<'_>, index: usize, kind: &str) -> TimeChart<'static> {
    let rare = |line| Line { rare: true, ..line };
    let line = |label: &str, ink, count: fn(&DeliverySecond) -> u64| {
        let value =
            |line: &SeriesLine| Some(line.deliveries.get(kind).map_or(0.0, |second| count(second) as f64));
        Line::new(label, ink, context.timeline.values(Fold::Mean, value))
    };
    let lines = vec![
        line("expected", Ink::Reference, |second| second.expected),
        line("received", Ink::Series(0), |second| second.received),
        rare(line("late", Ink::Series(2), |second| second.late)),
        rare(line("lost", Ink::Series(1), |second| second.lost)),
        rare(line("duplicated", Ink::Series(3), |second| second.duplicated)),
        rare(line("out of order", Ink::Series(4), |second| second.out_of_order)),
    ];
    per_second(context, format!("delivered-{index}"), format!("{kind}: deliveries"), lines)
}

fn table(context: &Context<'_>) -> Table {
    let mut table = Table::new(
        "Deliveries over the measured phases",
        [
            "kind",
            "expected",
            "received",
            "late",
            "lost",
            "duplicated",
            "out of order",
            "unexpected",
            "first p50",
            "first p95",
            "first p99",
            "each p50",
            "each p95",
            "each p99",
            "last p50",
            "last p95",
            "last p99",
            "max",
        ],
    );
    let count = |value: u64| Cell::quantity(human::count(value), value as f64);
    for (kind, delivery) in &context.summary.deliveries {
        table.row([
            Cell::text(kind),
            count(delivery.expected),
            count(delivery.received),
            count(delivery.late).bad_unless_zero(),
            count(delivery.lost).bad_unless_zero(),
            count(delivery.duplicated).bad_unless_zero(),
            count(delivery.out_of_order).bad_unless_zero(),
            count(delivery.unexpected).bad_unless_zero(),
            percentile_cell(P50, &delivery.first_us),
            percentile_cell(P95, &delivery.first_us),
            percentile_cell(P99, &delivery.first_us),
            percentile_cell(P50, &delivery.each_us),
            percentile_cell(P95, &delivery.each_us),
            percentile_cell(P99, &delivery.each_us),
            percentile_cell(P50, &delivery.last_us),
            percentile_cell(P95, &delivery.last_us),
            percentile_cell(P99, &delivery.last_us),
            max_cell(&delivery.last_us),
        ]);
    }
    table
}
