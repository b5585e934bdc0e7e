//! Deliveries as a story: what was expected, and what became of it, as one bar for each kind.

use maud::{Markup, html};

use super::context::Context;
use crate::format::Delivery;
use crate::human;

/// Length of a bar in units of the drawing.
const LENGTH: f64 = 1000.0;

/// A part of a bar: its name, its class and how many.
type Part = (&'static str, &'static str, u64);

fn parts(delivery: &Delivery) -> Vec<Part> {
    let parts = [
        ("received", "b-good", delivery.received),
        ("late", "b-late", delivery.late),
        ("lost", "b-bad", delivery.lost),
        ("recipient away", "b-away", delivery.away),
    ];
    parts.into_iter().filter(|(.., count)| *count > 0).collect()
}

/// One bar for each kind that expected anything, and what came on top.
pub(super) fn render(context: &Context<'_>) -> Markup {
    let frames = context.summary.frames.as_ref();
    html! {
        div.story {
            @for (kind, delivery) in context.summary.deliveries.iter().filter(|(_, delivery)| delivery.expected > 0) {
                p { strong { bdi { (kind) } } ": " (sentence(delivery)) }
                (bar(delivery))
            }
            @if let Some(frames) = frames.filter(|frames| frames.unclassified > 0) {
                p {
                    strong { "Arrived but not understood" } ": " (human::count(frames.unclassified)) " of "
                    (human::count(frames.received)) " frames"
                    @if !frames.shapes.is_empty() {
                        " ("
                        @for (index, (shape, count)) in frames.shapes.iter().take(5).enumerate() {
                            @if index > 0 { ", " } bdi { code { (shape) } } " × " (human::count(*count))
                        }
                        ")"
                    }
                    "."
                }
            }
        }
    }
}

fn sentence(delivery: &Delivery) -> String {
    let share = |count: u64| human::percent(count, delivery.expected).unwrap_or_default();
    let told = parts(delivery)
        .into_iter()
        .map(|(name, _, count)| format!("{} {name} ({})", human::count(count), share(count)));
    let on_top: Vec<String> = [
        ("duplicated", delivery.duplicated),
        ("out of order", delivery.out_of_order),
        ("unexpected", delivery.unexpected),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(name, count)| format!("{} {name}", human::count(count)))
    .collect();
    let on_top = if on_top.is_empty() { String::new() } else { format!("; besides {}", on_top.join(", ")) };
    format!("{} expected → {}{on_top}.", human::count(delivery.expected), told.collect::<Vec<_>>().join(", "))
}

/// What was expected, split; parts that are there are seen, however small.
fn bar(delivery: &Delivery) -> Markup {
    let all = delivery.expected.max(1) as f64;
    let mut begin: f64 = 0.0;
    let parts = parts(delivery).into_iter().map(|(_, class, count)| {
        let length = (count as f64 / all * LENGTH).max(3.0);
        let from = begin.min(LENGTH - 3.0);
        begin += length;
        (class, from, length.min(LENGTH - from))
    });
    html! {
        svg.parts viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true" {
            rect.b-track x="0" y="0" width="1000" height="14" {}
            @for (class, from, length) in parts {
                rect class=(class) x=(format!("{from:.0}")) y="0" width=(format!("{length:.0}")) height="14" {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_what_is_there_however_small() {
        let delivery =
            Delivery { expected: 100_000, received: 99_998, lost: 2, duplicated: 3, ..Delivery::default() };
        assert_eq!(
            sentence(&delivery),
            "100,000 expected → 99,998 received (100 %), 2 lost (0.002 %); besides 3 duplicated."
        );
        let drawn = bar(&delivery).into_string();
        assert!(drawn.contains("class=\"b-bad\" x=\"997\" y=\"0\" width=\"3\""), "{drawn}");
        assert!(!drawn.contains("b-late"));
    }
}
