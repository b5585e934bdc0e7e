//! A row for each function, all of them: small multiples on one time axis, those first that matter most.
//!
//! The order is by what is known: suspects, then functions whose series move with what players saw, then by *busy*: the share of all
//! the time that functions worked, which is invocations times average duration.

use maud::Markup;

use super::context::Context;
use crate::format::{
    AssociationVerdict, CloudWatch, CloudWatchSeries, Correlation, FunctionSummary, LimitKind,
};
use crate::html::charts::{Grid, Ink, Spark};
use crate::html::table::{Cell, Table};
use crate::human::{self, NOTHING};
use crate::{findings, server};

/// A metric with a drawing in each row: its name and statistic at CloudWatch, and how it reads.
struct Metric {
    name: &'static str,
    statistic: &'static str,
    show: fn(f64) -> String,
    ink: Ink,
}

const CONCURRENCY: Metric =
    Metric { name: "ConcurrentExecutions", statistic: "Maximum", show: human::amount, ink: Ink::Series(0) };
const DURATION: Metric =
    Metric { name: "Duration", statistic: "Average", show: milliseconds, ink: Ink::Series(0) };
const THROTTLES: Metric =
    Metric { name: "Throttles", statistic: "Sum", show: human::amount, ink: Ink::Series(1) };
const ERRORS: Metric = Metric { name: "Errors", statistic: "Sum", show: human::amount, ink: Ink::Series(1) };
const AGE: Metric =
    Metric { name: "IteratorAge", statistic: "Maximum", show: milliseconds, ink: Ink::Series(1) };

fn milliseconds(ms: f64) -> String {
    human::duration(ms * 1e3)
}

/// Time that a function worked, in seconds: what it is busy with.
fn busy_s(function: &FunctionSummary) -> f64 {
    function.invocations.unwrap_or(0.0) * function.duration_avg_ms.unwrap_or(0.0) / 1e3
}

/// The function that worked longest, and its share of the time that all of them worked.
pub(super) fn busiest(context: &Context<'_>) -> Option<(String, f64)> {
    let functions = context.folder.functions();
    let all: f64 = functions.iter().map(busy_s).sum();
    let most = functions.iter().max_by(|a, b| busy_s(a).total_cmp(&busy_s(b)))?;
    (all > 0.0).then(|| (short_name(most, &functions), busy_s(most) / all))
}

/// The rows; `None` where CloudWatch had no function.
pub(super) fn render(context: &Context<'_>) -> Option<Markup> {
    let cloudwatch = context.folder.cloudwatch.as_ref()?;
    let mut functions = context.folder.functions();
    if functions.is_empty() {
        return None;
    }
    let correlation = context.summary.correlation.as_ref();
    let known = functions.clone();
    let place = |function: &FunctionSummary| reason(correlation, function).map_or(2, |(place, _)| place);
    functions.sort_by(|a, b| {
        let busier = busy_s(b).total_cmp(&busy_s(a));
        place(a).cmp(&place(b)).then(busier).then_with(|| a.function.cmp(&b.function))
    });
    let aged = functions.iter().any(|function| function.iterator_age_max_ms.is_some());
    let mut header = vec![
        "function",
        "first because",
        "busy",
        "concurrency",
        "invocations",
        "duration",
        "longest",
        "throttles",
        "errors",
    ];
    header.extend(aged.then_some("iterator age"));
    let mut table = Table::new(
        "Functions over the run; drawings span the run and reach their highest value, dashed is a limit",
        header,
    );
    for (column, unit) in [(2, "share"), (5, "ms"), (6, "ms"), (9, "ms")] {
        table.unit(column, unit);
    }
    let all: f64 = functions.iter().map(busy_s).sum();
    for function in &functions {
        table.row(cells(context, cloudwatch, function, &known, all, aged));
    }
    table.note(
        "Busy is the share of all the time that functions worked: invocations times average duration. Suspects come first, then functions \
         whose series move with the players' p99, then the busiest.",
    );
    Some(table.render())
}

fn cells(
    context: &Context<'_>,
    cloudwatch: &CloudWatch,
    function: &FunctionSummary,
    all: &[FunctionSummary],
    busy_of_all_s: f64,
    aged: bool,
) -> Vec<Cell> {
    let reason = reason(context.summary.correlation.as_ref(), function).map_or(String::new(), |(_, why)| why);
    let limit = limit(cloudwatch, &function.function);
    let drawn = |metric: &Metric, value: Option<f64>, bound: Option<f64>| {
        drawn(context, cloudwatch, function, metric, value, bound)
    };
    let fault = |metric: &Metric, value: Option<f64>| match value {
        Some(value) if value > 0.0 => drawn(metric, Some(value), None).bad_unless_zero(),
        value => optional(value, metric.show),
    };
    let busy = (busy_of_all_s > 0.0).then(|| busy_s(function) / busy_of_all_s);
    let mut cells = vec![
        Cell::text(short_name(function, all)),
        Cell::text(reason),
        optional(busy, |share| format!("{} %", findings::whole_percent(share))),
        drawn(&CONCURRENCY, function.peak_concurrency, limit),
        optional(function.invocations, human::amount),
        drawn(&DURATION, function.duration_avg_ms, None),
        optional(function.duration_max_ms, milliseconds),
        fault(&THROTTLES, function.throttles),
        fault(&ERRORS, function.errors),
    ];
    if aged {
        cells.push(drawn(&AGE, function.iterator_age_max_ms, None));
    }
    cells
}

fn optional(value: Option<f64>, show: impl Fn(f64) -> String) -> Cell {
    match value {
        Some(value) => Cell::quantity(show(value), value),
        None => Cell::quantity(NOTHING.to_owned(), -1.0),
    }
}

/// A drawing of a metric's course, and its figure over the run.
fn drawn(
    context: &Context<'_>,
    cloudwatch: &CloudWatch,
    function: &FunctionSummary,
    metric: &Metric,
    value: Option<f64>,
    bound: Option<f64>,
) -> Cell {
    let series = server::metric(cloudwatch, metric.name, metric.statistic)
        .find(|(name, series)| *name == function.function && !series.points.is_empty());
    let Some(((_, series), value)) = series.zip(value) else { return optional(value, metric.show) };
    let (grid, values) = on_grid(series, cloudwatch.period_s);
    let spark =
        Spark { grid, values: &values, bound, from_s: 0.0, to_s: context.timeline.end_s, ink: metric.ink };
    let shown = match bound {
        Some(bound) => format!("{} of {}", (metric.show)(value), (metric.show)(bound)),
        None => (metric.show)(value),
    };
    Cell::drawn(spark.render(), shown, Some(value))
}

/// The points of a series on the grid of its periods.
fn on_grid(series: &CloudWatchSeries, period_s: u64) -> (Grid, Vec<Option<f64>>) {
    let step = series.period_s.unwrap_or(period_s).max(1) as f64;
    let start = series.points.first().map_or(0.0, |(at, _)| *at);
    let last = series.points.last().map_or(0.0, |(at, _)| *at);
    // Points are ascending; what a spoilt folder has beyond a day of seconds is not drawn.
    let length = (((last - start) / step).round().clamp(0.0, 1e6)) as usize + 1;
    let mut values = vec![None; length];
    for (at, value) in &series.points {
        let index = ((at - start) / step).round();
        if let Some(slot) = values.get_mut(index.max(0.0) as usize) {
            *slot = Some(slot.map_or(*value, |seen: f64| seen.max(*value)));
        }
    }
    (Grid { start, step }, values)
}

/// Its reserved concurrency, where it is known.
fn limit(cloudwatch: &CloudWatch, function: &str) -> Option<f64> {
    let own = cloudwatch
        .limits
        .iter()
        .find(|limit| limit.kind == LimitKind::ReservedConcurrency && limit.resource == function);
    own.map(|limit| limit.value)
}

/// Why a function comes before busier ones: its place, and the reason in words.
fn reason(correlation: Option<&Correlation>, function: &FunctionSummary) -> Option<(u8, String)> {
    let correlation = correlation?;
    let named = |short: &str| function.function == short || function.function.ends_with(&format!("-{short}"));
    if let Some(number) = correlation.suspects.iter().position(|suspect| named(&suspect.resource)) {
        return Some((0, format!("suspect {}", number + 1)));
    }
    let moves = correlation.correlations.iter().find(|pair| {
        pair.verdict == AssociationVerdict::Related
            && pair.server.split_whitespace().next().is_some_and(named)
    });
    moves.map(|pair| (1, format!("moves with {}", pair.players)))
}

/// A function's name without the prefix, up to a hyphen, that a stack gives to all of them.
pub(super) fn short_name(function: &FunctionSummary, functions: &[FunctionSummary]) -> String {
    let name = function.function.as_str();
    let shared = |prefix: &str| functions.iter().all(|other| other.function.starts_with(prefix));
    let prefixes = name.match_indices('-').map(|(at, _)| at + 1).filter(|end| *end < name.len());
    let cut = if functions.len() > 1 { prefixes.filter(|end| shared(&name[..*end])).max() } else { None };
    name[cut.unwrap_or(0)..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Association, Suspect};

    #[test]
    fn points_stand_on_the_grid_of_their_periods_and_gaps_remain() {
        let points = vec![(-60.0, 1.0), (0.0, 2.0), (120.0, 3.0)];
        let (grid, values) = on_grid(&CloudWatchSeries { points, ..CloudWatchSeries::default() }, 60);
        assert_eq!((grid.start, grid.step), (-60.0, 60.0));
        assert_eq!(values, [Some(1.0), Some(2.0), None, Some(3.0)]);
        let coarse =
            CloudWatchSeries { period_s: Some(300), points: vec![(0.0, 1.0)], ..CloudWatchSeries::default() };
        assert_eq!(on_grid(&coarse, 60).0.step, 300.0);
    }

    #[test]
    fn suspects_come_before_what_moves_with_the_players_and_both_say_so() {
        let json = r#"{"kind":"slow_function","resource":"Send","from_s":0,"to_s":1,"explained":1,"symptoms":[],
            "evidence":[],"refuted_by":"","remedy":""}"#;
        let suspect: Suspect = serde_json::from_str(json).expect("a suspect");
        let correlation = Correlation {
            suspects: vec![suspect],
            correlations: vec![Association {
                server: "Push Duration (Average)".into(),
                players: "message p99".into(),
                verdict: AssociationVerdict::Related,
                ..Association::default()
            }],
            ..Correlation::default()
        };
        let of = |name: &str| {
            let function = FunctionSummary { function: name.into(), ..FunctionSummary::default() };
            reason(Some(&correlation), &function)
        };
        assert_eq!(of("app-dev-Send"), Some((0, "suspect 1".into())));
        assert_eq!(of("app-dev-Push"), Some((1, "moves with message p99".into())));
        assert_eq!(of("app-dev-Other"), None);
    }
}
