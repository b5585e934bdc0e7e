//! Where the time of a delivery went, hop by hop: a waterfall of means and a table.

use maud::{Markup, html};

use super::context::Context;
use super::section::heading;
use crate::format::{DeliveryHops, Hop, HopClock};
use crate::html::table::{Cell, Table};
use crate::human::{self, P50, P99};
use crate::printable;

const HOW: &str = "Each delivery is split at the stamps that the backend put into its push. Means add up to the mean of the whole, so the \
                   waterfall is of means; quantiles do not add up, and the p99 of two hops may be of different deliveries.";

/// The section; nothing for a run without a trace.
pub(super) fn body(context: &Context<'_>) -> Option<Markup> {
    let hops = context.summary.hops.as_ref()?;
    let split = || hops.deliveries.iter().filter(|(_, delivery)| delivery.whole_us.count > 0);
    Some(html! {
        (heading("hops", "Where the time went", HOW))
        @if split().next().is_none() {
            p.nothing { "No delivery came with stamps: does the backend put them into its pushes when it is asked to?" }
        }
        @for (name, delivery) in split() {
            (waterfall(name, delivery))
            (table(name, delivery).render())
        }
        @if let Some(clock) = &hops.clock { p.note { (clocks(clock)) } }
    })
}

/// The hops as bars, one below the other, each where the one before it ends. The table has the numbers for those who do not see it.
fn waterfall(name: &str, delivery: &DeliveryHops) -> Markup {
    let whole = delivery.whole_us.mean.max(f64::MIN_POSITIVE);
    let mut begun = 0.0;
    let bars: Vec<_> = delivery
        .hops
        .iter()
        .map(|hop| {
            let left = (begun / whole).clamp(0.0, 1.0) * 100.0;
            begun += hop.time_us.mean.max(0.0);
            let width = (hop.time_us.mean.max(0.0) / whole * 100.0).min(100.0 - left);
            (hop, left, width)
        })
        .collect();
    let described = format!("Waterfall of the means of {name}, {} in all", mean(delivery.whole_us.mean));
    html! {
        figure.waterfall aria-label=(printable::line(&described)) {
            figcaption { strong { (name) } ": " (mean(delivery.whole_us.mean)) " on average" }
            @for (hop, left, width) in bars {
                div.hop {
                    span.name { (hop.name) }
                    svg.track viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" {
                        rect.bar x=(format!("{left:.2}")) width=(format!("{width:.2}")) height="1" {}
                    }
                    span.time { (mean(hop.time_us.mean)) }
                }
            }
        }
    }
}

fn table(name: &str, delivery: &DeliveryHops) -> Table {
    let mut table = Table::new(
        format!("Hops of {name}"),
        ["hop", "from", "to", "mean", "± by clocks", "share", "p50", "p99"],
    );
    for Hop { name, from, to, time_us, share, error_us, .. } in &delivery.hops {
        table.row([
            Cell::text(name),
            Cell::text(from),
            Cell::text(to),
            Cell::quantity(mean(time_us.mean), time_us.mean),
            Cell::quantity(human::duration(*error_us), *error_us),
            Cell::quantity(format!("{:.0} %", share * 100.0), *share),
            Cell::quantity(P50.show(time_us), time_us.p50 as f64),
            Cell::quantity(P99.show(time_us), time_us.p99 as f64),
        ]);
    }
    let mut notes = vec![format!(
        "{} deliveries were split; the first and the last hop together take {}, whatever the clocks say.",
        human::count(delivery.whole_us.count),
        mean(delivery.crossing_us.mean)
    )];
    if delivery.incomplete > 0 {
        notes.push(format!(
            "{} came without all of their stamps and are in no hop; they leave {} of the mean unaccounted for.",
            human::count(delivery.incomplete),
            mean(delivery.unaccounted_us)
        ));
    }
    table.note(notes.join(" "));
    table
}

/// What is known of the two clocks.
fn clocks(clock: &HopClock) -> String {
    let (offset, error) = (mean(clock.offset_us), human::duration(clock.error_us));
    if clock.consistent {
        format!(
            "The backend's clock is ahead of the generator's by {offset}, give or take {error}: that much the first and the last hop may be off."
        )
    } else {
        format!(
            "No one offset of the clocks explains all deliveries: those of the backend's machines differ by at least {}, or a clock was \
             set during the run. Hops between two machines may be off by that much.",
            human::duration((clock.least_us - clock.most_us).abs())
        )
    }
}

/// A mean, which may be below zero by the clocks' error.
fn mean(us: f64) -> String {
    if us < 0.0 { format!("−{}", human::duration(-us)) } else { human::duration(us) }
}
