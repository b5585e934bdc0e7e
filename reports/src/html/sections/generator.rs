//! Whether the generator itself was the bottleneck.

use maud::{Markup, html};

use super::context::Context;
use super::latency::{chart, percentile_lines};
use super::section::heading;
use crate::folder::Tag;
use crate::format::{GeneratorSecond, Latency};
use crate::html::charts::{Fold, Ink, Line, Size, TimeChart, Unit, extent};
use crate::html::error::RenderError;
use crate::human::{self, P50, P99};

const HOW: &str = "Dispatch delay is the actual send minus the intended instant: it should stay far below the latencies \
                   above. Event-loop lag is how long a task that was ready waited for its turn: receipts may be stamped \
                   too late by as much. Where they rise together with CPU, or with the time that threads waited for \
                   a core, the generator is the bottleneck and the run says nothing about the backend.";

pub(super) fn body(context: &Context<'_>) -> Result<Markup, RenderError> {
    let times: [(&str, &str, Tag<'_>, Times); 2] = [
        ("dispatch", "Dispatch delay", Tag::Dispatch, |second| &second.dispatch_delay_us),
        ("lag", "Event-loop lag", Tag::EventLoopLag, |second| &second.event_loop_lag_us),
    ];
    let mut charts = Vec::new();
    for (id, title, tag, of) in times {
        let lines = percentile_lines(context, tag, |line| Some(*of(&line.generator)));
        if let Some(range) = extent(&lines) {
            charts.push(chart(context, id.into(), title.into(), range, lines).render(&context.timeline)?);
        }
    }
    let cores: [Curve; 3] = [
        ("process", Ink::Series(0), |second| second.cpu_percent),
        ("busiest thread", Ink::Series(2), |second| second.busiest_thread_percent),
        ("waiting for a core", Ink::Series(1), |second| second.run_delay_percent),
    ];
    let cpu = resource(context, "cpu", "CPU", Unit::CorePercent, &cores);
    let resident: [Curve; 1] = [("Resident memory", Ink::Series(0), |second| second.rss_bytes as f64)];
    let memory = resource(context, "memory", "Resident memory", Unit::Bytes, &resident);
    charts.push(cpu.render(&context.timeline)?);
    charts.push(memory.render(&context.timeline)?);
    let generator = &context.summary.generator;
    let delay = &generator.dispatch_delay_us;
    let lag = &generator.event_loop_lag_us;
    let cores = generator.cpu_seconds / context.length_s().max(1.0);
    Ok(html! {
        (heading("generator", "Generator health", HOW))
        p {
            @if generator.saturated {
                strong.bad { "The generator was saturated: it, not the target, limited the load for some time. " }
            }
            "Dispatch delay: median " (P50.show(delay)) ", p99 " (P99.show(delay)) ", largest " (human::max(delay)) ". "
            "Event-loop lag: median " (P50.show(lag)) ", p99 " (P99.show(lag)) ". "
            "CPU: " (human::duration(generator.cpu_seconds * 1e6)) " in all, " (human::significant(cores))
            " of " (context.folder.manifest.host.cpus) " cores on average. Memory: "
            (human::bytes(generator.peak_rss_bytes as f64)) " at most. "
            "Waiting in the kernel at most: " (human::bytes(generator.peak_receive_queue_bytes as f64))
            " not yet read by the players, " (human::bytes(generator.peak_send_queue_bytes as f64)) " not yet taken by the target."
            @if let Some(workers) = human::workers(generator) { " " (workers) }
        }
        div.grid { @for chart in charts { (chart) } }
    })
}

/// Times of a second.
type Times = fn(&GeneratorSecond) -> &Latency;

/// A line's name, its colour and what it shows of a second.
type Curve = (&'static str, Ink, fn(&GeneratorSecond) -> f64);

fn resource(
    context: &Context<'_>,
    id: &str,
    title: &str,
    unit: Unit,
    curves: &[Curve],
) -> TimeChart<'static> {
    let line = |(name, ink, of): &Curve| {
        Line::new(*name, *ink, context.timeline.values(Fold::Max, |line| Some(of(&line.generator))))
    };
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
        lines: curves.iter().map(line).collect(),
    }
}
