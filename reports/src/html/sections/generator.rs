//! Whether the generator itself stood in the way.

use maud::{Markup, html};

use super::latency::{chart, percentile_lines};
use super::{Context, heading};
use crate::format::SeriesLine;
use crate::html::RenderError;
use crate::html::charts::{Fold, Ink, Line, Size, TimeChart, Unit, extent};
use crate::human::{self, P50, P99};

const HOW: &str = "Dispatch delay is the actual send minus the intended instant: it should stay far below the latencies \
                   above. Where it rises together with CPU, the generator is the bottleneck and the run tells nothing \
                   about the backend.";

pub(super) fn body(context: &Context<'_>) -> Result<Markup, RenderError> {
    let lines = percentile_lines(context, |line| Some(&line.generator.dispatch_delay_us));
    let mut charts = Vec::new();
    if let Some(range) = extent(&lines) {
        charts.push(
            chart(context, "dispatch".into(), "Dispatch delay".into(), range, lines)
                .render(&context.timeline)?,
        );
    }
    let cpu = resource(context, "cpu", "CPU", Unit::CorePercent, |line| line.generator.cpu_percent);
    let memory =
        resource(context, "memory", "Resident memory", Unit::Bytes, |line| line.generator.rss_bytes as f64);
    charts.push(cpu.render(&context.timeline)?);
    charts.push(memory.render(&context.timeline)?);
    let generator = &context.summary.generator;
    let delay = &generator.dispatch_delay_us;
    let cores = generator.cpu_seconds / context.length_s().max(1.0);
    Ok(html! {
        (heading("generator", "Generator health", HOW))
        p {
            @if generator.saturated {
                strong.bad { "The generator was saturated: it, not the target, set the pace at some time. " }
            }
            "Dispatch delay: median " (P50.show(delay)) ", p99 " (P99.show(delay)) ", largest " (human::max(delay)) ". "
            "CPU: " (human::duration(generator.cpu_seconds * 1e6)) " in all, " (human::significant(cores))
            " of " (context.folder.manifest.host.cpus) " cores on average. Memory: "
            (human::bytes(generator.peak_rss_bytes as f64)) " at most."
        }
        div.grid { @for chart in charts { (chart) } }
    })
}

fn resource(
    context: &Context<'_>,
    id: &str,
    title: &str,
    unit: Unit,
    value: fn(&SeriesLine) -> f64,
) -> TimeChart<'static> {
    let values = context.timeline.values(Fold::Max, |line| Some(value(line)));
    TimeChart {
        id: id.into(),
        title: title.into(),
        how: None,
        size: Size::Half,
        unit,
        log: None,
        fold: Fold::Max,
        grid: context.timeline.grid,
        steps: false,
        lines: vec![Line::new(title, Ink::Series(0), values)],
    }
}
