//! Errors as a story: the classes by rank, each with when it was seen and an example; then the players worst hit, and all samples.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::context::{Context, pointer};
use super::section::heading;
use crate::format::ErrorSample;
use crate::html::charts::Ink;
use crate::html::table::{Cell, Table};
use crate::human::{self, NOTHING};
use crate::verdict;

/// Samples beyond this many remain in `errors.jsonl`.
const MAX_SAMPLES: usize = 100;
/// As many players are named.
const WORST_HIT: usize = 5;

pub(super) fn body(context: &Context<'_>) -> Markup {
    let samples = &context.folder.errors;
    let ranked = ranked(context);
    html! {
        (heading("errors", "Errors", ""))
        @let table = table(context, &ranked);
        @if table.is_empty() {
            p.nothing { "No operation failed in the measured phases." }
        } @else {
            (table.render())
            @if let Some(worst) = worst_hit(samples) { p.note { bdi { (worst) } } }
        }
        @if !samples.is_empty() {
            details {
                summary { "First samples of each class (" (samples.len()) ")" }
                (sample_table(samples).render())
            }
        }
    }
}

/// Operation, class, how often, and of how many.
type Ranked<'a> = (&'a str, &'a str, u64, u64);

/// The most frequent first.
fn ranked<'a>(context: &Context<'a>) -> Vec<Ranked<'a>> {
    let operations = context.summary.operations.iter();
    let mut ranked: Vec<Ranked<'a>> = operations
        .flat_map(|(name, operation)| {
            operation
                .errors
                .iter()
                .map(|(class, count)| (name.as_str(), class.as_str(), *count, operation.offered))
        })
        .collect();
    ranked.sort_by_key(|(name, class, count, _)| (std::cmp::Reverse(*count), *name, *class));
    ranked
}

fn table(context: &Context<'_>, ranked: &[Ranked<'_>]) -> Table {
    let mut table = Table::new(
        "Errors by class, the most frequent first; the drawing spans the run",
        ["operation", "class", "count", "of offered", "first seen", "last seen", "course", "example"],
    );
    table.unit(3, "share");
    table.unit(4, "s");
    table.unit(5, "s");
    for (name, class, count, offered) in ranked {
        let sample =
            context.folder.errors.iter().find(|sample| sample.operation == *name && sample.class == *class);
        let seen = context.seen(name, class);
        let clock = |at: Option<u64>| match (at, seen) {
            (Some(at), Some((first, last))) => {
                Cell::quantity(human::clock(at as f64), at as f64).opening(first, last + 1)
            }
            _ => Cell::quantity(NOTHING.to_owned(), -1.0),
        };
        let course = context.course(Ink::Series(1), |line| {
            let errors = line.operations.get(*name).map(|second| &second.errors);
            Some(errors.and_then(|errors| errors.get(*class)).copied().unwrap_or(0) as f64)
        });
        let share = human::percent(*count, *offered).unwrap_or(NOTHING.to_owned());
        table.row([
            Cell::text(*name),
            Cell::text(*class),
            Cell::quantity(human::count(*count), *count as f64).recomputed(
                pointer(&format!("{}/errors", &pointer("operations", name)[1..]), class),
                "count",
            ),
            Cell::quantity(share, *count as f64 / (*offered).max(1) as f64),
            clock(seen.map(|(first, _)| first)),
            clock(seen.map(|(_, last)| last)),
            Cell::drawn(course, String::new(), None),
            Cell::text(sample.map_or(NOTHING, |sample| sample.detail.as_str())),
        ]);
    }
    not_understood(context, &mut table);
    table
}

/// What arrived and fits no rule of the protocol, by what it looks like.
fn not_understood(context: &Context<'_>, table: &mut Table) {
    let Some(frames) = &context.summary.frames else { return };
    for (shape, count) in &frames.shapes {
        let mut samples = context.folder.errors.iter();
        let sample = samples.find(|sample| sample.operation == "unclassified" && sample.class == *shape);
        let share = human::percent(*count, frames.received).unwrap_or(NOTHING.to_owned());
        let seen = sample.map_or_else(
            || Cell::quantity(NOTHING.to_owned(), -1.0),
            |sample| Cell::quantity(human::clock(sample.t), sample.t),
        );
        table.row([
            Cell::text(verdict::NOT_UNDERSTOOD),
            Cell::text(shape),
            Cell::quantity(human::count(*count), *count as f64),
            Cell::quantity(format!("{share} of frames"), *count as f64 / frames.received.max(1) as f64),
            seen,
            Cell::quantity(NOTHING.to_owned(), -1.0),
            Cell::text(""),
            Cell::text(sample.map_or(NOTHING, |sample| sample.detail.as_str())),
        ]);
    }
}

/// Who is in the samples most often. They are the first of each class, so it is a hint and no count.
fn worst_hit(samples: &[ErrorSample]) -> Option<String> {
    let mut hits: BTreeMap<&str, usize> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| !sample.player.is_empty()) {
        *hits.entry(&sample.player).or_default() += 1;
    }
    let mut hits: Vec<(&str, usize)> = hits.into_iter().filter(|(_, count)| *count > 1).collect();
    hits.sort_by_key(|(player, count)| (std::cmp::Reverse(*count), *player));
    let named: Vec<String> =
        hits.iter().take(WORST_HIT).map(|(player, count)| format!("{player} ({count})")).collect();
    (!named.is_empty()).then(|| format!("Players most often in the samples below: {}.", named.join(", ")))
}

fn sample_table(samples: &[ErrorSample]) -> Table {
    let mut table = Table::new("Error samples", ["at", "operation", "class", "player", "detail"]);
    table.unit(0, "s");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_are_named_that_are_in_more_than_one_sample() {
        let of = |player: &str| ErrorSample { player: player.into(), ..ErrorSample::default() };
        let samples = [of("p2"), of("p1"), of("p2"), of(""), of(""), of("p3")];
        assert_eq!(worst_hit(&samples).as_deref(), Some("Players most often in the samples below: p2 (2)."));
        assert_eq!(worst_hit(&samples[..2]), None);
    }
}
