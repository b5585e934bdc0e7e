//! Pushes that other players received: their delivery times and counts.

use maud::{Markup, html};

use super::by_phase;
use super::columns::{self, Column};
use super::context::Context;
use super::distributions::Waits;
use super::phases::per_second;
use super::section::heading;
use super::story;
use crate::folder::Tag;
use crate::format::{Delivery, DeliverySecond, Frames, SeriesLine};
use crate::html::charts::{Fold, Ink, Line, TimeChart};
use crate::html::error::RenderError;
use crate::html::table::Table;
use crate::human::{self, P50, P95, P99};

const HOW: &str = "A delivery is a push that another player receives; its time runs from the sender's send. Expected \
                   equals received plus late plus lost; duplicates and unexpected pushes come on top. First and last are the \
                   fastest and slowest recipient of one message: their distance is the spread of the fan-out.";

pub(super) fn body(context: &Context<'_>) -> Result<Markup, RenderError> {
    let mut pairs = Vec::new();
    let mut charts = Vec::new();
    for (index, kind) in context.kinds.iter().enumerate() {
        let waits = Waits {
            id: index.to_string(),
            title: kind,
            of: ("deliveries", kind),
            lines: &[
                ("each recipient", "each", Ink::Series(0), Tag::Each(kind)),
                ("last recipient", "last", Ink::Series(1), Tag::Last(kind)),
                ("first recipient", "first", Ink::Series(2), Tag::First(kind)),
            ],
            bins: &|line| line.deliveries.get(*kind).map(|second| second.each_us),
            beside: None,
        };
        pairs.extend(waits.render(context)?);
        charts.push(counts(context, index, kind).render(&context.timeline)?);
    }
    Ok(html! {
        (heading("delivery", "Deliveries", HOW))
        @if context.kinds.is_empty() {
            p.nothing { "No operation of this run expected a delivery." }
        } @else {
            @if let Some(doubt) = context.summary.frames.as_ref().and_then(Frames::doubt) {
                p.notice { strong { "Not judged: " } (doubt) "." }
            }
            (story::render(context))
            (table(context).render())
            @if let Some(sentence) = human::lost_after(&context.summary.deliveries) { p.note { (sentence) } }
            @if let Some(by_phase) = by_phase::deliveries(context) { (by_phase.render()) }
            div.pairs { @for chart in pairs { (chart) } }
            div.grid { @for chart in charts { (chart) } }
        }
    })
}

fn counts(context: &Context<'_>, index: usize, kind: &str) -> TimeChart<'static> {
    let rare = |line| Line { rare: true, ..line };
    let line = |label: &str, ink, count: fn(&DeliverySecond) -> u64| {
        let value =
            |line: &SeriesLine| Some(line.deliveries.get(kind).map_or(0.0, |second| count(second) as f64));
        Line::new(label, ink, context.timeline.values(Fold::Mean, value))
    };
    let lost = Line::new("lost, at the send", Ink::Series(1), context.timeline.lost(kind));
    let lines = vec![
        line("expected", Ink::Reference, |second| second.expected),
        line("received", Ink::Series(0), |second| second.received),
        rare(line("late", Ink::Series(2), |second| second.late)),
        rare(lost),
        rare(line("duplicated", Ink::Series(3), |second| second.duplicated)),
        rare(line("out of order", Ink::Series(4), |second| second.out_of_order)),
    ];
    per_second(context, format!("delivered-{index}"), format!("{kind}: deliveries"), lines)
}

/// The columns of the table of deliveries.
const COLUMNS: [Column<Delivery>; 18] = [
    Column::Count("expected", "expected", |delivery| delivery.expected),
    Column::Count("received", "received", |delivery| delivery.received),
    Column::Fault("late", "late", |delivery| delivery.late),
    Column::Fault("lost", "lost", |delivery| delivery.lost),
    // Windows do not have it: it is known for the whole run only.
    Column::Fault("came too late", "", |delivery| delivery.too_late),
    Column::Fault("duplicated", "duplicated", |delivery| delivery.duplicated),
    Column::Fault("out of order", "out_of_order", |delivery| delivery.out_of_order),
    Column::Fault("unexpected", "unexpected", |delivery| delivery.unexpected),
    Column::Percentile("first p50", "first_us", P50, |delivery| &delivery.first_us),
    Column::Percentile("first p95", "first_us", P95, |delivery| &delivery.first_us),
    Column::Percentile("first p99", "first_us", P99, |delivery| &delivery.first_us),
    Column::Percentile("each p50", "each_us", P50, |delivery| &delivery.each_us),
    Column::Percentile("each p95", "each_us", P95, |delivery| &delivery.each_us),
    Column::Percentile("each p99", "each_us", P99, |delivery| &delivery.each_us),
    Column::Percentile("last p50", "last_us", P50, |delivery| &delivery.last_us),
    Column::Percentile("last p95", "last_us", P95, |delivery| &delivery.last_us),
    Column::Percentile("last p99", "last_us", P99, |delivery| &delivery.last_us),
    Column::Max("max", "last_us", |delivery| &delivery.last_us),
];

fn table(context: &Context<'_>) -> Table {
    let deliveries =
        context.summary.deliveries.iter().map(|(kind, delivery)| (kind.as_str(), kind.clone(), delivery));
    columns::table("Deliveries over the measured phases", ("deliveries", "kind"), &COLUMNS, deliveries)
}
