//! Whether the run can be believed: what the generator promised and kept, its workers, and its health over the run.

use maud::{Markup, html};

use super::context::Context;
use super::over_time::{chart, percentile_lines};
use super::section::heading;
use crate::folder::Tag;
use crate::format::{Generator, GeneratorSecond, Latency};
use crate::html::charts::{Fold, Ink, Line, TimeChart, Unit, extent};
use crate::html::error::RenderError;
use crate::html::table::{Cell, Table};
use crate::human::{self, NOTHING, P99};
use crate::limits;

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
    let cores: [Curve; 4] = [
        ("process", Ink::Series(0), |second| second.cpu_percent),
        ("busiest thread", Ink::Series(2), |second| second.busiest_thread_percent),
        ("waiting for a core", Ink::Series(1), |second| second.run_delay_percent),
        ("steal", Ink::Series(4), |second| second.steal_percent),
    ];
    let cpu = resource(context, "cpu", "CPU", Unit::CorePercent, &cores);
    let resident: [Curve; 1] = [("Resident memory", Ink::Series(0), |second| second.rss_bytes as f64)];
    let memory = resource(context, "memory", "Resident memory", Unit::Bytes, &resident);
    charts.push(cpu.render(&context.timeline)?);
    charts.push(memory.render(&context.timeline)?);
    let generator = &context.summary.generator;
    Ok(html! {
        (heading("trust", "Can I believe it: the generator", HOW))
        @if generator.saturated {
            p { strong.bad { "The generator was saturated: it, not the target, limited the load for some time." } }
        }
        div.columns {
            div { (checks(context).render()) }
            @if !generator.workers.is_empty() { div { (workers(generator).render()) } }
        }
        div.grid { @for chart in charts { (chart) } }
    })
}

/// What was observed of the generator, against what makes a run invalid or deserves a word.
fn checks(context: &Context<'_>) -> Table {
    let generator = &context.summary.generator;
    let host = &context.folder.manifest.host;
    let mut table =
        Table::new("What the generator promises, and kept", ["what", "observed", "limit", "kept"]);
    let mut check = |what: &str, observed: String, value: f64, limit: f64, shown: String| {
        let kept = match value <= limit {
            true => Cell::verdict("✓", "words good"),
            false => Cell::verdict("✕ beyond it", "words bad"),
        };
        table.row([Cell::text(what), Cell::quantity(observed, value), Cell::text(shown), kept]);
    };
    let percent = |value: f64| format!("{} %", human::significant(value));
    for (what, latency, limit) in [
        ("dispatch delay, p99", &generator.dispatch_delay_us, limits::DISPATCH_DELAY_P99_US),
        ("event-loop lag, p99", &generator.event_loop_lag_us, limits::LOOP_LAG_P99_US),
    ] {
        check(what, P99.show(latency), latency.p99 as f64, limit as f64, human::duration(limit as f64));
    }
    let waits = [
        (
            "a thread's wait for a core, most in a second",
            generator.run_delay_percent,
            limits::RUN_DELAY_PERCENT,
        ),
        (
            "a thread's own CPU, most in a second",
            generator.busiest_thread_percent,
            limits::FULL_THREAD_PERCENT,
        ),
        (
            "cores taken by the hypervisor (steal), most in a second",
            generator.steal_percent,
            limits::STEAL_PERCENT,
        ),
    ];
    for (what, value, limit) in waits {
        check(what, percent(value), value, limit, percent(limit));
    }
    let busy = generator.busy_seconds as f64;
    check(
        "seconds with nine tenths of all cores in use",
        human::count(generator.busy_seconds),
        busy,
        0.0,
        "0".into(),
    );
    if generator.peak_descriptors > 0 && host.descriptor_limit > 0 {
        let processes = generator.workers.len().max(1) as f64;
        let limit = host.descriptor_limit as f64 * processes * limits::DESCRIPTORS;
        let peak = generator.peak_descriptors as f64;
        check("open descriptors, most", human::amount(peak), peak, limit, human::amount(limit.floor()));
    }
    for (what, bytes) in [
        ("waiting in the kernel for players to read", generator.peak_receive_queue_bytes),
        ("waiting in the kernel for the target to take", generator.peak_send_queue_bytes),
    ] {
        let (bytes, limit) = (bytes as f64, limits::QUEUE_BYTES as f64);
        check(what, human::bytes(bytes), bytes, limit, human::bytes(limit));
    }
    let step = generator.clock_step_ms.abs();
    check(
        "step of the system's clock",
        human::duration(step * 1e3),
        step,
        limits::CLOCK_STEP_MS,
        human::duration(limits::CLOCK_STEP_MS * 1e3),
    );
    let cores = generator.cpu_seconds / context.length_s().max(1.0);
    table.note(format!(
        "The first two make a run invalid where they are beyond their limit; the others deserve a look. CPU: {} in all, {} of {} cores on \
         average. Memory: {} at most. Largest dispatch delay: {}.",
        human::duration(generator.cpu_seconds * 1e6),
        human::significant(cores),
        if generator.cores > 0 { generator.cores } else { host.cpus },
        human::bytes(generator.peak_rss_bytes as f64),
        human::max(&generator.dispatch_delay_us),
    ));
    table
}

/// The processes over which the players were split.
fn workers(generator: &Generator) -> Table {
    let header = ["worker", "players", "opened", "CPU", "memory", "clock ahead", "passed on", "lost"];
    let mut table = Table::new("Workers", header);
    for (column, unit) in [(3, "s"), (4, "B"), (5, "µs")] {
        table.unit(column, unit);
    }
    for worker in &generator.workers {
        let count = |value: u64| Cell::quantity(human::count(value), value as f64);
        let clock = match worker.clock_offset_us {
            Some(offset) => {
                let error = worker
                    .clock_error_us
                    .map_or(String::new(), |error| format!(" ± {}", human::duration(error)));
                let sign = if offset < 0.0 { "−" } else { "" };
                Cell::quantity(format!("{sign}{}{error}", human::duration(offset.abs())), offset)
            }
            None => Cell::text(NOTHING),
        };
        table.row([
            Cell::text(worker.index.to_string()),
            count(worker.players),
            count(worker.opened),
            Cell::quantity(human::duration(worker.cpu_seconds * 1e6), worker.cpu_seconds),
            Cell::quantity(human::bytes(worker.peak_rss_bytes as f64), worker.peak_rss_bytes as f64),
            clock,
            count(worker.receipts_passed),
            if worker.lost { Cell::verdict("ended before the run", "words bad") } else { Cell::text("no") },
        ]);
    }
    if let Some(sentence) = human::workers(generator) {
        table.note(sentence);
    }
    table
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
        unit,
        log: None,
        fold: Fold::Max,
        grid: context.timeline.grid,
        lines: curves.iter().map(line).collect(),
        heat: None,
        recomputed: None,
    }
}
