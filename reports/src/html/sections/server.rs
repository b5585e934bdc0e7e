//! Server-side metrics below the latencies that players saw.

use maud::{Markup, html};

use super::context::Context;
use super::functions;
use super::section::heading;
use crate::format::{CloudWatch, Latency, SeriesLine};
use crate::html::charts::{Fold, Ink, Line, TimeChart, Unit, extent};
use crate::html::error::RenderError;
use crate::printable;

const HOW: &str = "What the series prove is said under Findings; a likeness of two courses is no proof: both may follow the load, and \
                   a course that is flat may be flat because it is at its limit.";

/// As many lines can be told apart on one chart.
const MOST: usize = 4;

pub(super) fn body(context: &Context<'_>) -> Result<Markup, RenderError> {
    let client = client(context).map(|chart| chart.render(&context.timeline)).transpose()?;
    Ok(html! {
        (heading("server", "Server", HOW))
        @if let Some(functions) = functions::render(context) { (functions) }
        (provenance(context))
        @if let Some(client) = client { div.grid { (client) } }
    })
}

/// The 99th percentiles that players saw, the highest of them.
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
    let highest = |values: &[Option<f64>]| values.iter().copied().flatten().fold(0.0, f64::max);
    let mut all: Vec<(String, Vec<Option<f64>>)> =
        operations.chain(deliveries).filter(|(_, values)| values.iter().any(Option::is_some)).collect();
    all.sort_by(|a, b| highest(&b.1).total_cmp(&highest(&a.1)));
    let lines: Vec<Line> = all
        .into_iter()
        .take(MOST)
        .enumerate()
        .map(|(index, (name, values))| Line::new(name, Ink::series(index), values))
        .collect();
    let range = extent(&lines)?;
    Some(TimeChart {
        id: "server-client".into(),
        title: "What players waited for: p99".into(),
        how: Some("The slowest hundredth of answers and deliveries; the highest four."),
        unit: Unit::Duration,
        log: Some(range),
        fold: Fold::Max,
        grid: context.timeline.grid,
        lines,
        heat: None,
        recomputed: None,
    })
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
