//! Memory of a function: used to its limit, by Lambda Insights or by the REPORT lines.

use reports::format::{Evidence, LimitKind};

use super::evidence::{self, number};
use crate::observed::{Function, Metric, Points, Run};

/// Memory that was used up.
pub(super) struct Full {
    pub(super) limit: f64,
    pub(super) observed: f64,
    pub(super) unit: &'static str,
    pub(super) evidence: Evidence,
}

/// The metrics of used memory in MB, and of its share in percent.
const USED: [&str; 2] = ["used_memory_max", "memory_utilization"];

/// Whether the function used all its memory between `from_s` and `to_s`.
pub(super) fn full(run: &Run<'_>, function: &Function, from_s: f64, to_s: f64) -> Option<Full> {
    let metric =
        |name| Metric { namespace: "LambdaInsights", name, statistic: "Maximum", dimension: "function_name" };
    let peak = |name| -> Option<(Points, f64)> {
        let points = run.server.gauge(metric(name), &function.full)?;
        let (_, value) = points.within(from_s, to_s).peak()?;
        Some((points, value))
    };
    let size = run.server.limit(LimitKind::MemoryMb, &function.full).map(|limit| limit.value);
    let full = |name: &str, limit: f64, unit, (points, observed): (Points, f64)| {
        let says = format!("{} of {} {unit} were used.", number(observed), number(limit));
        let evidence =
            evidence::of(format!("{name} (Maximum) of {}", function.short), says, &points, from_s, to_s);
        (observed >= 0.99 * limit).then_some(Full { limit, observed, unit, evidence })
    };
    let [used, share] = USED;
    let by_size = size.zip(peak(used)).and_then(|(size, peak)| full(used, size, "MB", peak));
    by_size.or_else(|| peak(share).and_then(|peak| full(share, 100.0, "percent", peak)))
}
