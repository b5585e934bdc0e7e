//! What ran, where, with which versions, and how the figures were computed.

use maud::{Markup, html};

use super::context::Context;
use super::section::heading;
use crate::format::{Host, Manifest};
use crate::html::table::{Cell, Table};
use crate::{human, printable};

pub(super) fn body(context: &Context<'_>) -> Markup {
    let manifest = &context.folder.manifest;
    html! {
        (heading("method", "Configuration and method", ""))
        div.columns {
            div {
                h3 { "Plan" }
                @if manifest.plan.is_empty() { p.nothing { "The manifest holds no plan." } }
                ul { @for sentence in &manifest.plan { li { (sentence) } } }
                h3 { "Run" }
                (identity(context))
            }
            div {
                h3 { "How the figures were computed" }
                (method(context))
            }
        }
        (phases(manifest).render())
        details open {
            summary { "scenario.toml as run" }
            pre tabindex="0" aria-label="scenario.toml" { code { (printable::lines(&context.folder.scenario_toml)) } }
        }
    }
}

fn identity(context: &Context<'_>) -> Markup {
    let Manifest { run, state, command, host, commit, .. } = &context.folder.manifest;
    let Host { os, arch, cpus, memory_bytes, descriptor_limit } = host;
    let rows = [
        ("Run", run.id.clone()),
        ("State", state.word().to_owned()),
        ("Target", run.target.clone()),
        ("Started", run.started_at.to_string()),
        ("Ended", context.summary.run.ended_at.to_string()),
        ("Seed", run.seed.to_string()),
        ("loadgen", run.version.clone()),
        ("Commit", commit.clone().unwrap_or(human::NOTHING.to_owned())),
        ("Command", command.join(" ")),
        (
            "Host",
            format!(
                "{os}, {arch}, {cpus} CPUs, {} memory, {} descriptors",
                human::bytes(*memory_bytes as f64),
                human::count(*descriptor_limit)
            ),
        ),
    ];
    html! { dl.facts { @for (name, value) in rows { dt { (name) } dd { (value) } } } }
}

fn method(context: &Context<'_>) -> Markup {
    html! {
        ul {
            li {
                "Percentiles come from HdrHistogram with three significant digits: a value is at most 0.1 % too high. \
                 Histograms are merged; percentiles are never averaged."
            }
            li {
                "Response time runs from the instant that the plan intended, service time from the actual send; their \
                 difference is the dispatch delay. An arrival that could not be sent is counted as unsent. \
                 In the closed model there is no intended instant: all its times run from the send."
            }
            li {
                "The summary and the spectra leave out the phases that do not count. Charts over time show everything."
            }
            li { "~ marks a percentile that is weak: fewer than ten samples lie beyond it. p99 needs 1,000, p99.9 10,000." }
            li { "Times are UTC; axes show the offset from " (format!("{:.3}", context.summary.run.started_at)) "." }
            li {
                (context.rule())
                " Data tables have at most 30 rows: where a row stands for several points, it shows a rate by its mean and \
                 everything else by its highest."
            }
        }
    }
}

fn phases(manifest: &Manifest) -> Table {
    let mut table = Table::new("Phases of the plan", ["phase", "from", "to", "counts"]);
    for phase in &manifest.phases {
        table.row([
            Cell::text(&phase.name),
            Cell::quantity(human::clock(phase.start_s), phase.start_s),
            Cell::quantity(human::clock(phase.end_s), phase.end_s),
            Cell::text(if phase.measured { "yes" } else { "no" }),
        ]);
    }
    table
}
