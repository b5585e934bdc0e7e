//! Percentiles over time, of what has no heat map: recovery, and the generator's own delays.

use super::context::Context;
use crate::folder::Tag;
use crate::format::{Latency, SeriesLine};
use crate::html::charts::{Fold, Ink, Line, TimeChart, Unit};
use crate::human::{P50, P90, P95, P99, Percentile};

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
        unit: Unit::Duration,
        log: Some(range),
        fold: Fold::Max,
        grid: context.timeline.grid,
        lines,
        heat: None,
        recomputed: None,
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
