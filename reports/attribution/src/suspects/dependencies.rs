//! Whose time a function's time is: a table that has a latency series of its own, or something that has none.

use reports::format::Evidence;

use super::evidence;
use super::hops::Hop;
use crate::candidate::HALF;
use crate::compare::Compared;
use crate::felt::Felt;
use crate::observed::{Latency, Metric, Run, Stage};

/// A table that accounts for a function's time.
pub(super) struct SlowTable {
    /// Its full name.
    pub(super) table: String,
    /// Mean latency during the symptom, in milliseconds.
    pub(super) during_ms: f64,
    /// What speaks for it.
    pub(super) evidence: Evidence,
}

/// The table on the symptom's path whose latency accounts for at least half of what the function took more.
pub(super) fn table(run: &Run<'_>, felt: &Felt, compared: &Compared, hop: &Hop) -> Option<SlowTable> {
    let callers = callers(run, compared);
    let on_path: Vec<&str> = run
        .path(&felt.player)
        .iter()
        .filter_map(|stage| if let Stage::Table(full) = stage { Some(full.as_str()) } else { None })
        .collect();
    let known = run.server.tables();
    let tables: Vec<&str> = if on_path.is_empty() { known.into_iter().collect() } else { on_path };
    tables
        .into_iter()
        .filter_map(|full| of_table(run, compared, hop, full, callers))
        .filter(|(share, _)| *share >= HALF)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, table)| table)
}

/// Share of the function's rise, and the table.
fn of_table(
    run: &Run<'_>,
    compared: &Compared,
    hop: &Hop,
    full: &str,
    callers: f64,
) -> Option<(f64, SlowTable)> {
    let latencies = run.server.latencies(full);
    // One call each, or as many as an invocation makes on average, whatever is more; all operations together only on average.
    let (mut one, mut together) = (None::<(f64, f64, &Latency)>, 0.0);
    for latency in &latencies {
        let Some(change) = compared.change(&latency.mean, latency.calls.as_ref()) else { continue };
        let calls = latency
            .calls
            .as_ref()
            .map_or(0.0, |calls| compared.during.of(calls).iter().map(|(_, count)| count).sum::<f64>());
        let each = if callers > 0.0 { calls / callers } else { 0.0 };
        let rise = change.rise().max(0.0);
        together += rise * each;
        let of_operation = rise * each.max(1.0);
        if one.is_none_or(|(greatest, ..)| of_operation > greatest) {
            one = Some((of_operation, change.during, latency));
        }
    }
    let (of_operation, during_ms, latency) = one?;
    let name = run.backend.resource(&Stage::Table(full.to_owned()));
    let share = of_operation.max(together) / hop.change.rise();
    let says = format!(
        "{} took {during_ms:.1} ms inside of DynamoDB on average: as much as {:.0} % of what the function took more",
        latency.operation,
        100.0 * share.clamp(0.0, 1.0)
    );
    let series = format!("SuccessfulRequestLatency (Average) of {name}, {}", latency.operation);
    let (from_s, to_s) = (f64::NEG_INFINITY, f64::INFINITY);
    let evidence = evidence::of(series, says, &latency.mean, from_s, to_s);
    (hop.change.rise() > 0.0).then(|| (share, SlowTable { table: full.to_owned(), during_ms, evidence }))
}

/// Invocations of all functions during the symptom: those that may have called a table.
fn callers(run: &Run<'_>, compared: &Compared) -> f64 {
    let invocations = |full: &str| {
        let points = run.server.gauge(Metric::lambda("Invocations", "Sum"), full)?;
        Some(compared.during.of(&points).iter().map(|(_, count)| count).sum::<f64>())
    };
    run.backend.functions.iter().filter_map(|function| invocations(&function.full)).sum()
}

/// What else a function's time may be of: what it calls without a series. Nothing where its processor was busy for at least half
/// of it.
pub(super) fn unseen(run: &Run<'_>, felt: &Felt, compared: &Compared, hop: &Hop) -> Option<String> {
    let insights = Metric {
        namespace: "LambdaInsights",
        name: "cpu_total_time",
        statistic: "Average",
        dimension: "function_name",
    };
    let busy = run.server.gauge(insights, &hop.function).and_then(|points| compared.change(&points, None));
    if busy.is_some_and(|busy| busy.rise() >= HALF * hop.change.rise()) {
        return None;
    }
    let name = run.backend.resource(&Stage::Function(hop.function.clone()));
    let queue = run.path(&felt.player).iter().any(|stage| matches!(stage, Stage::Queue(_)));
    let function = run.backend.function(&hop.function);
    let what = match function.map(|function| function.trigger.is_awaited()) {
        Some(true) if queue => "GameLift, which has no latency series".to_owned(),
        Some(false) => {
            format!("the @connections API or the clients that {name} pushes to, which have no latency series")
        }
        _ => format!("what {name} calls that has no latency series"),
    };
    Some(what)
}
