//! The phases of the plan beside each other: what was asked, what failed, how long it took, and how that differs from the phase to
//! compare with. What a window of the time axis tells with the script, this tells without.

use std::ops::Range;

use maud::{Markup, html};

use super::context::Context;
use crate::digest::Distribution;
use crate::folder::Tag;
use crate::format::{DeliverySecond, Latency, OperationSecond, Phase};
use crate::html::charts::{Grid, Ink, Spark};
use crate::html::table::{Cell, Table};
use crate::human::{self, NOTHING, P50, P99};

/// The phase that others are compared with by its name; else the longest that is measured.
const HOLD: &str = "hold";

/// The columns beside name and phase.
struct Headers {
    caption: &'static str,
    name: &'static str,
    asked: &'static str,
    wrong: &'static str,
}

const OPERATIONS: Headers =
    Headers { caption: "Operations by phase", name: "operation", asked: "offered", wrong: "errors" };
const DELIVERIES: Headers =
    Headers { caption: "Deliveries by phase", name: "kind", asked: "expected", wrong: "lost" };

/// Which phase others are compared with.
pub(super) fn reference(phases: &[Phase]) -> Option<usize> {
    let held = phases.iter().position(|phase| phase.measured && phase.name == HOLD);
    let length = |phase: &Phase| phase.end_s - phase.start_s;
    let measured = phases.iter().enumerate().filter(|(_, phase)| phase.measured);
    held.or_else(|| measured.max_by(|a, b| length(a.1).total_cmp(&length(b.1))).map(|(index, _)| index))
}

/// Operations by phase; `None` where there is one phase only.
pub(super) fn operations(context: &Context<'_>) -> Option<Table> {
    let counts = |phase: usize, name: &str| {
        let second: &OperationSecond = context.digest.phases().get(phase)?.sum.operations.get(name)?;
        Some((second.called_for(), second.errors(), second.judged()))
    };
    table(context, &OPERATIONS, &context.operations, Tag::Response, counts)
}

/// Deliveries by phase; `None` where there is one phase only.
pub(super) fn deliveries(context: &Context<'_>) -> Option<Table> {
    let counts = |phase: usize, kind: &str| {
        let second: &DeliverySecond = context.digest.phases().get(phase)?.sum.deliveries.get(kind)?;
        Some((second.expected, second.lost, second.expected))
    };
    table(context, &DELIVERIES, &context.kinds, Tag::Each, counts)
}

fn table<'a>(
    context: &Context<'a>,
    headers: &Headers,
    names: &[&'a str],
    tag: impl Fn(&'a str) -> Tag<'a>,
    counts: impl Fn(usize, &str) -> Option<(u64, u64, u64)>,
) -> Option<Table> {
    let phases = context.timeline.phases;
    if phases.len() < 2 {
        return None;
    }
    let reference = reference(phases);
    let against = reference.map_or(String::new(), |index| format!("p99 against {}", phases[index].name));
    let mut header: Vec<String> =
        [headers.name, "phase", headers.asked, headers.wrong, "p50", "p99", "max", "course of p99"]
            .map(String::from)
            .to_vec();
    header.extend(reference.map(|_| against));
    let mut table = Table::new(headers.caption, header);
    for (column, unit) in [(3, "share"), (4, "µs"), (5, "µs"), (6, "µs"), (8, "ratio")] {
        table.unit(column, unit);
    }
    for name in names {
        let held = reference.map(|index| context.digest.phase(tag(name), index));
        for (index, phase) in phases.iter().enumerate() {
            let Some((asked, wrong, judged)) = counts(index, name) else { continue };
            // What was measured and answered a little later is no measurement of a phase that is not.
            let nothing = Distribution::default();
            let distribution = if phase.measured { context.digest.phase(tag(name), index) } else { &nothing };
            if asked == 0 && distribution.is_empty() {
                continue;
            }
            let latency = distribution.latency();
            let share = wrong as f64 / judged.max(1) as f64;
            let mut cells = vec![
                Cell::text(*name),
                Cell::text(&phase.name)
                    .opening(phase.start_s.max(0.0) as u64, phase.end_s.max(0.0).ceil() as u64),
                Cell::quantity(human::count(asked), asked as f64),
                Cell::quantity(human::percent(wrong, judged).unwrap_or(NOTHING.into()), share)
                    .bad_unless_zero(),
                time(P50.show(&latency), &latency, latency.p50),
                time(P99.show(&latency), &latency, latency.p99),
                time(human::max(&latency), &latency, latency.max),
                Cell::drawn(
                    if phase.measured {
                        course(context, tag(name), phase)
                    } else {
                        html! {}
                    },
                    String::new(),
                    None,
                ),
            ];
            cells.extend(held.map(|held| difference(distribution, held, reference == Some(index))));
            table.row(cells);
        }
    }
    if table.is_empty() {
        return None;
    }
    table.note("A phase that is not measured has counts and no times. A second counts for the phase in which it begins, an error in the second in which it showed.");
    Some(table)
}

fn time(shown: String, latency: &Latency, value: u64) -> Cell {
    Cell::quantity(shown, if latency.count == 0 { -1.0 } else { value as f64 })
}

/// The p99 of a phase against that of another one.
fn difference(phase: &Distribution, held: &Distribution, is_held: bool) -> Cell {
    let (own, other) = (phase.quantile(0.99) as f64, held.quantile(0.99) as f64);
    if is_held || phase.is_empty() || held.is_empty() || other <= 0.0 {
        return Cell::quantity(NOTHING.to_owned(), 1.0);
    }
    let ratio = own / other;
    let shown = if (0.5..2.0).contains(&ratio) {
        let percent = ((ratio - 1.0) * 100.0).round();
        let sign = if percent < 0.0 {
            "−"
        } else if percent > 0.0 {
            "+"
        } else {
            ""
        };
        format!("{sign}{} %", percent.abs())
    } else {
        format!("× {}", human::significant(ratio))
    };
    Cell::quantity(shown, ratio)
}

/// The p99 of each bin within the phase.
fn course(context: &Context<'_>, tag: Tag<'_>, phase: &Phase) -> Markup {
    let bins: Range<usize> = context.digest.window(phase.start_s, phase.end_s);
    let step = context.digest.grid().step_s as f64;
    let start = bins.start as f64 * step;
    let values: Vec<Option<f64>> = bins
        .map(|bin| {
            let distribution = context.digest.bin(tag, bin);
            (!distribution.is_empty()).then(|| distribution.quantile(0.99) as f64)
        })
        .collect();
    Spark {
        grid: Grid { start, step },
        values: &values,
        bound: None,
        from_s: phase.start_s,
        to_s: phase.end_s,
        ink: Ink::Series(1),
    }
    .render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_hold_or_the_longest_that_is_measured() {
        let phase =
            |name: &str, start_s, end_s, measured| Phase { name: name.into(), start_s, end_s, measured };
        let mut phases = vec![
            phase("ramp", 0.0, 100.0, false),
            phase("steady", 100.0, 160.0, true),
            phase("hold", 160.0, 190.0, true),
        ];
        assert_eq!(reference(&phases), Some(2));
        phases[2].name = "burst".into();
        assert_eq!(reference(&phases), Some(1));
        assert_eq!(reference(&phases[..1]), None);
    }
}
