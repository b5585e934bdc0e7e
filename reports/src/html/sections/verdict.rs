//! The verdict with its reasons, and the key figures.

use maud::{Markup, html};

use super::context::Context;
use crate::format::{Frames, Latency, Status, Summary, Threshold};
use crate::html::banner::{self, Banner, KeyFigure, Tone};
use crate::html::table::{Cell, Table};
use crate::human::{self, NOTHING, P50, P99};
use crate::verdict;

pub(super) fn body(context: &Context<'_>) -> Markup {
    let Context { summary, .. } = context;
    let verdict = verdict::of(summary);
    let tone = match verdict.status {
        Status::Passed => Tone::Good,
        Status::NotJudged => Tone::Unsaid,
        Status::ThresholdsFailed | Status::NothingConnected | Status::Failed => Tone::Bad,
        Status::Invalid | Status::Interrupted | Status::Unfinished => Tone::Open,
    };
    let run = &summary.run;
    let banner = Banner {
        name: &run.name,
        started_at: run.started_at,
        target: &run.target,
        version: &run.version,
        tone,
        headline: verdict.headline,
        sentence: &verdict.sentence,
    };
    html! {
        (banner.render())
        @if !verdict.reasons.is_empty() {
            ul { @for reason in &verdict.reasons { li { (reason) } } }
        }
        @for what in &summary.verdict.not_judged {
            p.notice { strong { "Not judged: " } (what) "." }
        }
        @for warning in &summary.verdict.warnings {
            p.notice { strong { "Note: " } (warning) "." }
        }
        (banner::figures(&figures(context)))
        @if !summary.thresholds.is_empty() { (thresholds(summary).render()) }
    }
}

fn figures(context: &Context<'_>) -> Vec<KeyFigure> {
    let Context { summary, folder, .. } = context;
    let figure = |name, value, note| KeyFigure { name, value, note };
    let mut figures = vec![
        figure(
            "Players",
            human::count(folder.manifest.players),
            format!("{} sockets open at peak", human::count(summary.sockets.peak_open)),
        ),
        figure(
            "Duration",
            human::clock(context.length_s()),
            format!("{} of it measured", human::clock(context.measured_s())),
        ),
    ];
    // The operation that the run is about: the busiest one with answers.
    let main = context
        .operations
        .iter()
        .filter_map(|name| summary.operations.get_key_value(*name))
        .find(|(_, operation)| operation.completed > 0);
    if let Some((name, operation)) = main {
        // Over the seconds in which it was called for: not while players connect, nor while the last pushes are awaited.
        let seconds = folder.digest.seconds_called_for(name);
        let rate = operation.completed as f64 / seconds.max(1) as f64;
        figures.push(figure(
            "Throughput",
            format!("{}/s", human::significant(rate)),
            format!("{name} completed, {} in {seconds} s", human::count(operation.completed)),
        ));
        figures.push(latency("Response time p99", name, &operation.response_time_us));
    }
    let delivery = context.kinds.iter().find_map(|kind| summary.deliveries.get_key_value(*kind));
    if let Some((kind, delivery)) = delivery {
        figures.push(latency("Delivery p99", kind, &delivery.each_us));
        let share = human::percent(delivery.lost, delivery.expected).unwrap_or(NOTHING.to_owned());
        let expected = format!("{} {kind} deliveries", human::count(delivery.expected));
        figures.push(if summary.frames.as_ref().is_none_or(Frames::fit) {
            figure("Lost", human::count(delivery.lost), format!("{share} of {expected}"))
        } else {
            figure(
                "Lost",
                NOTHING.into(),
                format!("{expected} expected, none judged: frames were not understood"),
            )
        });
    }
    figures
}

fn latency(name: &'static str, what: &str, latency: &Latency) -> KeyFigure {
    KeyFigure { name, value: P99.show(latency), note: format!("{what}, median {}", P50.show(latency)) }
}

fn thresholds(summary: &Summary) -> Table {
    let mut table = Table::new("Thresholds", ["rule", "observed", "verdict"]);
    for threshold in &summary.thresholds {
        let judged = match threshold {
            Threshold { passed: true, .. } => Cell::verdict("✓ passed", "words good"),
            Threshold { aborted: true, .. } => Cell::verdict("✕ failed, and ended the run", "words bad"),
            Threshold { observed: None, .. } => Cell::verdict("✕ not judged", "words bad"),
            Threshold { .. } => Cell::verdict("✕ failed", "words bad"),
        };
        let observed = verdict::observed(threshold);
        let observed = match threshold.observed {
            Some(value) => Cell::quantity(observed, value),
            None => Cell::text(observed),
        };
        table.row([Cell::text(verdict::rule(threshold)), observed, judged]);
    }
    table
}
