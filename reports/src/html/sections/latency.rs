//! How long players waited, second by second: response time, and service time beside it.

use maud::{Markup, html};

use super::context::Context;
use super::section::heading;
use crate::folder::Tag;
use crate::format::{Latency, OperationSecond, SeriesLine};
use crate::html::charts::{Fold, Ink, Line, Size, TimeChart, Unit, extent};
use crate::html::error::RenderError;
use crate::human::{P50, P90, P95, P99, Percentile};

const HOW: &str = "Each pair shares its axis. Response time (left) runs from the instant that the plan intended, so it \
                   includes every wait; service time (right) runs from the actual send. Where only the left one rises, \
                   requests queued before they were sent. A percentile of a second with few answers is close to its \
                   largest.";

pub(super) fn body(context: &Context<'_>) -> Result<Markup, RenderError> {
    let mut charts = Vec::new();
    for (index, name) in context.operations.iter().enumerate() {
        let of = |of: fn(&OperationSecond) -> &Latency| {
            move |line: &SeriesLine| line.operations.get(*name).map(of).copied()
        };
        let response = percentile_lines(context, Tag::Response(name), of(|second| &second.response_time_us));
        let service = percentile_lines(context, Tag::Service(name), of(|second| &second.service_time_us));
        let Some(shared) = extent(response.iter().chain(&service)) else {
            continue;
        };
        for (what, lines) in [("response", response), ("service", service)] {
            let chart =
                chart(context, format!("{what}-{index}"), format!("{name}: {what} time"), shared, lines);
            charts.push(chart.render(&context.timeline)?);
        }
    }
    Ok(html! {
        (heading("latency", "Latency over time", HOW))
        @if charts.is_empty() { p.nothing { "No operation was answered." } }
        div.grid { @for chart in charts { (chart) } }
    })
}

/// A chart of percentiles over time on a logarithmic axis.
pub(super) fn chart(
    context: &Context<'_>,
    id: String,
    title: String,
    range: (f64, f64),
    lines: Vec<Line>,
) -> TimeChart<'static> {
    TimeChart {
        id,
        title,
        how: None,
        size: Size::Half,
        unit: Unit::Duration,
        log: Some(range),
        fold: Fold::Max,
        grid: context.timeline.grid,
        steps: false,
        lines,
    }
}

/// Median, 90th, 95th and 99th percentile of a latency over time, and dots for the largest: the largest sample of each second, or, where a
/// point stands for several seconds, the highest p99 of one of them.
pub(super) fn percentile_lines(
    context: &Context<'_>,
    tag: Tag<'_>,
    latency: impl Fn(&SeriesLine) -> Option<Latency>,
) -> Vec<Line> {
    let values = |of: fn(&Latency) -> u64| {
        context.timeline.values(Fold::Max, |line| {
            latency(line).filter(|latency| latency.count > 0).map(|latency| of(&latency) as f64)
        })
    };
    let line = |percentile: Percentile, ink| Line::new(percentile.name, ink, values(percentile.of));
    let largest = match context.timeline.grid.step > 1.0 {
        true => Line::new("highest p99 of a second", Ink::Peak, context.timeline.peaks(tag)),
        false => Line::new("max", Ink::Peak, values(|latency| latency.max)),
    };
    vec![
        line(P50, Ink::Series(0)),
        line(P90, Ink::Series(2)),
        line(P95, Ink::Series(3)),
        line(P99, Ink::Series(1)),
        Line { dots: true, ..largest },
    ]
}
