//! Server-side metrics below the latencies that players saw, on one time axis.

use maud::{Markup, html};

use super::context::Context;
use super::section::heading;
use crate::format::{CloudWatch, CloudWatchSeries, FunctionSummary, Latency, SeriesLine};
use crate::html::charts::{Fold, Grid, Ink, Line, MAX_POINTS, SERIES, Size, TimeChart, Unit, extent};
use crate::html::error::RenderError;
use crate::html::table::{Cell, Table};
use crate::human::{self, NOTHING};
use crate::{printable, server};

const HOW: &str = "All charts share one time axis. What the series prove is said under Findings; a likeness of two lines is no proof: \
                   both may follow the load, and a line that is flat may be flat because it is at its limit.";

/// A metric of each function: its name, statistic and unit, what one unit is in the chart's, and how to read it.
struct Metric {
    name: &'static str,
    statistic: &'static str,
    title: &'static str,
    unit: Unit,
    factor: f64,
    how: &'static str,
    /// Left out when it was always zero: a sentence lists it instead.
    rare: bool,
}

const METRICS: [Metric; 6] = [
    Metric {
        name: "ConcurrentExecutions",
        statistic: "Maximum",
        title: "Concurrent executions",
        unit: Unit::Count("executions"),
        factor: 1.0,
        how: "Invocations in progress at once, the highest of each period.",
        rare: false,
    },
    Metric {
        name: "Duration",
        statistic: "Average",
        title: "Duration, average",
        unit: Unit::Duration,
        factor: 1e3,
        how: "Time inside of the handler. Concurrency is about invocations per second times this.",
        rare: false,
    },
    Metric {
        name: "Duration",
        statistic: "Maximum",
        title: "Duration, longest",
        unit: Unit::Duration,
        factor: 1e3,
        how: "The longest invocation of each period.",
        rare: false,
    },
    Metric {
        name: "Throttles",
        statistic: "Sum",
        title: "Throttles",
        unit: Unit::Count("per period"),
        factor: 1.0,
        how: "Invocations refused because the concurrency limit was reached, by period.",
        rare: true,
    },
    Metric {
        name: "Errors",
        statistic: "Sum",
        title: "Errors",
        unit: Unit::Count("per period"),
        factor: 1.0,
        how: "Invocations that failed, by period.",
        rare: true,
    },
    Metric {
        name: "IteratorAge",
        statistic: "Maximum",
        title: "Iterator age",
        unit: Unit::Duration,
        factor: 1e3,
        how: "Age of the oldest stream record when its function got it: a rising line is a stream that falls behind.",
        rare: false,
    },
];

pub(super) fn body(context: &Context<'_>) -> Result<Markup, RenderError> {
    let functions = context.folder.functions();
    let client = client(context).map(|chart| chart.render(&context.timeline)).transpose()?;
    let mut charts = Vec::new();
    let mut quiet = Vec::new();
    if let Some(cloudwatch) = &context.folder.cloudwatch {
        for (index, metric) in METRICS.iter().enumerate() {
            let Some((grid, lines)) = lines(context, cloudwatch, metric, &functions) else {
                continue;
            };
            if metric.rare && extent(&lines).is_none() {
                quiet.push(metric.title.to_lowercase());
                continue;
            }
            let chart = TimeChart {
                id: format!("server-{index}"),
                title: metric.title.into(),
                how: Some(metric.how),
                size: Size::Wide,
                unit: metric.unit,
                log: None,
                fold: Fold::Max,
                grid,
                steps: true,
                lines,
            };
            charts.push(chart.render(&context.timeline)?);
        }
    }
    Ok(html! {
        (heading("server", "Players and server on one axis", HOW))
        div.stack {
            @if let Some(client) = client { (client) }
            @for chart in charts { (chart) }
        }
        @if !quiet.is_empty() { p.note { "Always zero, not charted: " (quiet.join(", ")) "." } }
        (provenance(context))
        @if !functions.is_empty() { (table(&functions).render()) }
        @if functions.len() > usize::from(SERIES) {
            p.note { "The charts show the " (SERIES) " functions with the highest concurrency." }
        }
    })
}

/// The 99th percentiles that players saw, of everything in one chart.
fn client(context: &Context<'_>) -> Option<TimeChart<'static>> {
    let p99 = |latency: Option<&Latency>| latency.filter(|l| l.count > 0).map(|l| l.p99 as f64);
    let values = |of: &dyn Fn(&SeriesLine) -> Option<f64>| context.timeline.values(Fold::Max, of);
    let operations = context.operations.iter().map(|name| {
        let of = |line: &SeriesLine| p99(line.operations.get(*name).map(|second| &second.response_time_us));
        (format!("{name} response"), values(&of))
    });
    let deliveries = context.kinds.iter().map(|kind| {
        let of = |line: &SeriesLine| p99(line.deliveries.get(*kind).map(|second| &second.each_us));
        (format!("{kind} delivery"), values(&of))
    });
    let lines: Vec<Line> = operations
        .chain(deliveries)
        .filter(|(_, values)| values.iter().any(Option::is_some))
        .enumerate()
        .map(|(index, (name, values))| Line::new(name, Ink::series(index), values))
        .collect();
    let range = extent(&lines)?;
    Some(TimeChart {
        id: "server-client".into(),
        title: "Latency that players saw: p99".into(),
        how: Some("The slowest hundredth of each second's answers and deliveries."),
        size: Size::Wide,
        unit: Unit::Duration,
        log: Some(range),
        fold: Fold::Max,
        grid: context.timeline.grid,
        steps: false,
        lines,
    })
}

/// A metric's lines on the grid of CloudWatch's periods; `None` when it was not fetched for any function.
fn lines(
    context: &Context<'_>,
    cloudwatch: &CloudWatch,
    metric: &Metric,
    functions: &[FunctionSummary],
) -> Option<(Grid, Vec<Line>)> {
    let period_of = |series: &CloudWatchSeries| series.period_s.unwrap_or(cloudwatch.period_s).max(1) as f64;
    let visible = |at: f64, period: f64| at + period > 0.0 && at < context.timeline.end_s;
    let series: Vec<_> = server::metric(cloudwatch, metric.name, metric.statistic)
        .filter(|(_, series)| series.points.iter().any(|(at, _)| visible(*at, period_of(series))))
        .collect();
    let period = series.iter().map(|(_, series)| period_of(series)).min_by(f64::total_cmp)?;
    let start = series
        .iter()
        .flat_map(|(_, series)| series.points.iter().map(|(at, _)| (*at, period_of(series))))
        .filter(|(at, period)| visible(*at, *period))
        .map(|(at, _)| at)
        .min_by(f64::total_cmp)?;
    let periods = ((context.timeline.end_s - start) / period).ceil();
    let step = period * (periods / MAX_POINTS as f64).ceil();
    let points = ((context.timeline.end_s - start) / step).ceil() as usize;
    let lines = shown(functions)
        .filter_map(|(index, function)| {
            let (_, series) = series.iter().find(|(name, _)| *name == function.function)?;
            let own = period_of(series);
            let mut values: Vec<Option<f64>> = vec![None; points];
            for (at, value) in series.points.iter().filter(|(at, _)| visible(*at, own)) {
                let first = ((at - start) / step + 1e-6) as usize;
                let end = ((at + own - start) / step - 1e-6).ceil() as usize;
                for slot in values.iter_mut().take(end.max(first + 1)).skip(first) {
                    *slot = Some(slot.unwrap_or(f64::MIN).max(value * metric.factor));
                }
            }
            let name = short_name(function, functions);
            let name = if own > period { format!("{name} (every {own} s)") } else { name };
            let line = Line::new(name, Ink::series(index), values);
            Some(Line { rare: metric.rare, ..line })
        })
        .collect();
    Some((Grid { start, step }, lines))
}

/// The functions that have a line, each with the number of its ink.
fn shown(functions: &[FunctionSummary]) -> impl Iterator<Item = (usize, &FunctionSummary)> {
    let mut by_peak: Vec<&FunctionSummary> = functions.iter().collect();
    by_peak.sort_by(|a, b| {
        let peak = |function: &FunctionSummary| function.peak_concurrency.unwrap_or(0.0);
        peak(b).total_cmp(&peak(a))
    });
    by_peak.into_iter().take(usize::from(SERIES)).enumerate()
}

/// A function's name without the prefix, up to a hyphen, that a stack gives to all of them.
fn short_name(function: &FunctionSummary, functions: &[FunctionSummary]) -> String {
    let name = function.function.as_str();
    let shared = |prefix: &str| functions.iter().all(|other| other.function.starts_with(prefix));
    let prefixes = name.match_indices('-').map(|(at, _)| at + 1).filter(|end| *end < name.len());
    let cut = if functions.len() > 1 { prefixes.filter(|end| shared(&name[..*end])).max() } else { None };
    name[cut.unwrap_or(0)..].to_owned()
}

/// Where the series are from.
fn source(cloudwatch: &CloudWatch) -> String {
    match cloudwatch.region.as_str() {
        "local" => "From the local CloudWatch emulator".into(),
        region => format!("From CloudWatch in {region}"),
    }
}

fn provenance(context: &Context<'_>) -> Markup {
    let Some(cloudwatch) = &context.folder.cloudwatch else {
        return html! {
            p.notice {
                "No server-side metrics were fetched, so this report cannot show which part of the backend is the bottleneck. \
                 CloudWatch lags by some minutes; fetch them and make this report again with "
                code { "loadgen correlate " (printable::line(&context.folder.dir.display().to_string())) } "."
            }
        };
    };
    html! {
        p.note {
            (source(cloudwatch)) ", one value every " (cloudwatch.period_s) " s, fetched "
            (cloudwatch.fetched_at.strftime("%Y-%m-%d %H:%M:%S UTC"))
            ". Each step spans one period; there is no finer resolution."
        }
        @if !cloudwatch.problems.is_empty() {
            div.notice {
                p { "Not everything could be fetched:" }
                ul { @for problem in &cloudwatch.problems { li { (problem) } } }
            }
        }
        @for note in &cloudwatch.notes { p.note { (note) } }
    }
}

fn table(functions: &[FunctionSummary]) -> Table {
    let mut table = Table::new(
        "Functions over the run's window",
        [
            "function",
            "peak concurrency",
            "at",
            "invocations",
            "throttles",
            "errors",
            "duration avg",
            "duration max",
            "iterator age max",
        ],
    );
    let optional = |value: Option<f64>, show: fn(f64) -> String| match value {
        Some(value) => Cell::quantity(show(value), value),
        None => Cell::quantity(NOTHING.to_owned(), -1.0),
    };
    let time: fn(f64) -> String = |ms| human::duration(ms * 1e3);
    for function in functions {
        table.row([
            Cell::text(&function.function),
            optional(function.peak_concurrency, human::amount),
            optional(function.peak_at_s, human::clock),
            optional(function.invocations, human::amount),
            optional(function.throttles, human::amount).bad_unless_zero(),
            optional(function.errors, human::amount).bad_unless_zero(),
            optional(function.duration_avg_ms, time),
            optional(function.duration_max_ms, time),
            optional(function.iterator_age_max_ms, time),
        ]);
    }
    table
}
