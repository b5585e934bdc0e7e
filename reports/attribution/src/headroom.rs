//! How far each known limit was from being reached.

use reports::format::{Headroom, Limit, LimitKind, SeriesLine};

use crate::observed::{Metric, Points, Run, Stage};

/// The nearest first. A limit of which the use is not known is left out.
pub(crate) fn of(run: &Run<'_>) -> Vec<Headroom> {
    let mut all: Vec<Headroom> = run.server.limits().filter_map(|limit| of_limit(run, limit)).collect();
    all.extend(request_rate(run));
    all.sort_by(|a, b| b.share.total_cmp(&a.share));
    all
}

fn of_limit(run: &Run<'_>, limit: &Limit) -> Option<Headroom> {
    use LimitKind as K;
    let full = &limit.resource;
    let lambda = |name| run.server.gauge(Metric::lambda(name, "Maximum"), full);
    let account = |name| run.server.gauge(Metric::account(name, "Maximum"), "");
    let function = || Stage::Function(full.clone());
    let table = || Stage::Table(full.clone());
    let (what, unit, stage, limit, peak) = match limit.kind {
        K::ReservedConcurrency => (
            "reserved concurrency",
            "executions",
            function(),
            limit.value,
            peak(lambda("ConcurrentExecutions"))?,
        ),
        K::AccountConcurrency => {
            ("concurrency", "executions", Stage::Account, limit.value, peak(account("ConcurrentExecutions"))?)
        }
        K::UnreservedConcurrency => {
            let used = peak(account("UnreservedConcurrentExecutions"))?;
            ("unreserved concurrency", "executions", Stage::Account, limit.value, used)
        }
        K::TimeoutS => ("time-out", "ms", function(), limit.value * 1e3, peak(lambda("Duration"))?),
        K::MemoryMb => {
            let used = Metric {
                namespace: "LambdaInsights",
                name: "used_memory_max",
                statistic: "Maximum",
                dimension: "function_name",
            };
            ("memory", "MB", function(), limit.value, peak(run.server.gauge(used, full))?)
        }
        K::WriteUnits => (
            "write units",
            "per second",
            table(),
            limit.value,
            units(run, full, "ConsumedWriteCapacityUnits")?,
        ),
        K::ReadUnits => {
            ("read units", "per second", table(), limit.value, units(run, full, "ConsumedReadCapacityUnits")?)
        }
        K::ConnectionsPerSecond => (
            "new connections",
            "per second",
            Stage::Gateway,
            limit.value,
            busiest(run, |line| line.sockets.as_ref().map_or(0, |s| s.attempted))?,
        ),
        K::RequestsPerSecond => {
            ("requests", "per second", Stage::Gateway, limit.value, busiest(run, requests)?)
        }
        K::GameliftRequestsPerSecond => {
            let started =
                run.server.all().find(|s| s.metric == "PlacementsStarted" && s.statistic == "Sum")?;
            let queue = Stage::Queue(started.dimensions.values().next()?.clone());
            (
                "placements started",
                "per second",
                queue,
                limit.value,
                peak(Some(per_second(run.server.spread_of(started))))?,
            )
        }
        K::QueueTimeoutS => {
            let wait = run
                .server
                .all()
                .find(|s| s.metric == "AverageWaitTime" && s.dimensions.values().any(|v| v == full))?;
            ("wait", "s", Stage::Queue(full.clone()), limit.value, peak(Some(run.server.spread_of(wait)))?)
        }
        _ => return None,
    };
    headroom(run.backend.resource(&stage), what, limit, peak, unit)
}

/// Ten invocations a second for each unit of the account's concurrency.
fn request_rate(run: &Run<'_>) -> Option<Headroom> {
    let concurrency = run.server.limit(LimitKind::AccountConcurrency, "")?.value;
    let each = run.server.limits().find(|limit| limit.kind == LimitKind::RequestsPerConcurrency)?.value;
    let invocations = run.server.gauge(Metric::account("Invocations", "Sum"), "").map(per_second);
    headroom("account".to_owned(), "invocations", concurrency * each, peak(invocations)?, "per second")
}

fn headroom(resource: String, what: &str, limit: f64, peak: f64, unit: &str) -> Option<Headroom> {
    (limit > 0.0 && limit.is_finite() && peak.is_finite()).then(|| Headroom {
        resource,
        what: what.to_owned(),
        limit,
        peak,
        share: peak / limit,
        unit: unit.to_owned(),
    })
}

fn peak(points: Option<Points>) -> Option<f64> {
    points?.peak().map(|(_, value)| value)
}

fn per_second(mut points: Points) -> Points {
    let period_s = points.period_s;
    points.points.iter_mut().for_each(|point| point.value = point.value.map(|sum| sum / period_s));
    points
}

/// The highest use of a table's or an index's units per second.
fn units(run: &Run<'_>, full: &str, metric: &str) -> Option<f64> {
    let (table, index) = full.split_once('/').map_or((full, None), |(table, index)| (table, Some(index)));
    let series = run.server.all().find(|series| {
        series.metric == metric
            && series.statistic == "Sum"
            && series.dimensions.get("TableName").is_some_and(|name| name == table)
            && series.dimensions.get("GlobalSecondaryIndexName").map(String::as_str) == index
    })?;
    peak(Some(per_second(run.server.spread_of(series))))
}

/// The highest of all seconds.
fn busiest(run: &Run<'_>, of: impl Fn(&SeriesLine) -> u64) -> Option<f64> {
    run.lines().map(|line| of(line) as f64).max_by(f64::total_cmp)
}

fn requests(line: &SeriesLine) -> u64 {
    let sent: u64 = line.operations.values().map(|second| second.sent).sum();
    let pushed: u64 =
        line.deliveries.values().map(|second| second.received + second.late + second.duplicated).sum();
    sent + pushed
}
