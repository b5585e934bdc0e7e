//! Errors by class, with the first samples of each.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::context::Context;
use super::section::heading;
use crate::format::ErrorSample;
use crate::html::table::{Cell, Table};
use crate::human::{self, NOTHING};
use crate::verdict;

/// Samples beyond this many remain in `errors.jsonl`.
const MAX_SAMPLES: usize = 100;

pub(super) fn body(context: &Context<'_>) -> Markup {
    let samples = &context.folder.errors;
    let classes = classes(context);
    html! {
        (heading("errors", "Errors", ""))
        @match classes {
            Some(table) => (table.render()),
            None => p.nothing { "No operation failed in the measured phases." },
        }
        @if !samples.is_empty() {
            details open {
                summary { "First samples of each class (" (samples.len()) ")" }
                (sample_table(samples).render())
            }
        }
    }
}

fn classes(context: &Context<'_>) -> Option<Table> {
    let mut first: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for sample in &context.folder.errors {
        let key = (sample.operation.as_str(), sample.class.as_str());
        let seen = first.entry(key).or_insert(sample.t);
        *seen = seen.min(sample.t);
    }
    let mut table = Table::new(
        "Errors by operation and class",
        ["operation", "class", "count", "share of offered", "first seen"],
    );
    let mut any = false;
    for (name, operation) in &context.summary.operations {
        for (class, count) in &operation.errors {
            any = true;
            let share = human::percent(*count, operation.offered).unwrap_or(NOTHING.to_owned());
            let seen = first.get(&(name.as_str(), class.as_str()));
            table.row([
                Cell::text(name),
                Cell::text(class),
                Cell::quantity(human::count(*count), *count as f64),
                Cell::quantity(share, *count as f64 / operation.offered.max(1) as f64),
                Cell::quantity(
                    seen.map_or(NOTHING.to_owned(), |t| human::clock(*t)),
                    seen.copied().unwrap_or(-1.0),
                ),
            ]);
        }
    }
    // What arrived and fits no rule of the protocol, by what it looks like.
    if let Some(frames) = &context.summary.frames {
        for (shape, count) in &frames.shapes {
            any = true;
            let share = human::percent(*count, frames.received).unwrap_or(NOTHING.to_owned());
            let seen = first.get(&("unclassified", shape.as_str())).copied();
            table.row([
                Cell::text(verdict::NOT_UNDERSTOOD),
                Cell::text(shape),
                Cell::quantity(human::count(*count), *count as f64),
                Cell::quantity(format!("{share} of frames"), *count as f64 / frames.received.max(1) as f64),
                Cell::quantity(seen.map_or(NOTHING.to_owned(), human::clock), seen.unwrap_or(-1.0)),
            ]);
        }
    }
    any.then_some(table)
}

fn sample_table(samples: &[ErrorSample]) -> Table {
    let mut table = Table::new("Error samples", ["at", "operation", "class", "player", "detail"]);
    for sample in samples.iter().take(MAX_SAMPLES) {
        table.row([
            Cell::quantity(human::clock(sample.t), sample.t),
            Cell::text(&sample.operation),
            Cell::text(&sample.class),
            Cell::text(&sample.player),
            Cell::text(&sample.detail),
        ]);
    }
    if samples.len() > MAX_SAMPLES {
        table.note(format!("{} more are in errors.jsonl.", samples.len() - MAX_SAMPLES));
    }
    table
}
