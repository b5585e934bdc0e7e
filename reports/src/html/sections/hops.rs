//! Where the time of a delivery went, hop by hop: a waterfall and a table.

use maud::{Markup, html};

use super::context::Context;
use super::section::heading;
use crate::format::{DeliveryHops, Hop, HopClock};
use crate::html::table::{Cell, Table};
use crate::human::{self, P50, P99};
use crate::printable;

const HOW: &str = "Each delivery is split at the stamps that the backend put into its push. A bar is a hop's median, the whisker its p99; an \
                   arrow means that it goes on. Medians do not add up as means do: what lacks to the median of the whole is the last row.";

/// The section; nothing for a run without a trace.
pub(super) fn body(context: &Context<'_>) -> Option<Markup> {
    let hops = context.summary.hops.as_ref()?;
    let split = || hops.deliveries.iter().filter(|(_, delivery)| delivery.whole_us.count > 0);
    Some(html! {
        (heading("hops", "Where the time went", HOW))
        @if split().next().is_none() {
            p.nothing { "No delivery came with stamps: does the backend put them into its pushes when it is asked to?" }
        }
        @for (number, (name, delivery)) in split().enumerate() {
            (waterfall(number, name, delivery))
            (table(name, delivery).render())
        }
        @if let Some(clock) = &hops.clock { p.note { (clocks(clock)) } }
    })
}

/// A row of the waterfall, in microseconds: where the bar begins, how long it is, and how far its whisker goes.
struct Row<'a> {
    name: &'a str,
    begins: f64,
    median: f64,
    p99: Option<f64>,
    shown: String,
}

/// Size of the drawing: the names, the bars and the figures beside each other.
const NAMES: f64 = 190.0;
const BARS: f64 = 520.0;
const FIGURES: f64 = 190.0;
const ROW: f64 = 24.0;

/// The hops as bars, one below the other, each where the one before it ends. The table has the numbers for those who do not see it.
fn waterfall(number: usize, name: &str, delivery: &DeliveryHops) -> Markup {
    let rows = rows(delivery);
    let ends =
        rows.iter().map(|row| row.begins + row.median.max(0.0)).fold(delivery.whole_us.p50 as f64, f64::max);
    // Whiskers are many times as long as bars: they must not press them together.
    let whiskers = rows.iter().filter_map(|row| Some(row.begins + row.p99?)).fold(0.0, f64::max);
    let axis = whiskers.min(ends * 2.0).max(ends).max(1.0);
    let x = |us: f64| NAMES + (us / axis).clamp(0.0, 1.0) * BARS;
    let (width, height) = (NAMES + BARS + FIGURES, rows.len() as f64 * ROW);
    let described = format!(
        "Waterfall of {name}: {}.",
        rows.iter().map(|row| format!("{} {}", row.name, row.shown)).collect::<Vec<_>>().join("; ")
    );
    let (title, desc) = (format!("waterfall-{number}-t"), format!("waterfall-{number}-d"));
    html! {
        figure.waterfall {
            figcaption { h3 { bdi { (name) } ": median " (P50.show(&delivery.whole_us)) ", p99 " (P99.show(&delivery.whole_us)) } }
            svg viewBox=(format!("0 0 {width} {height}")) role="img" aria-labelledby=(format!("{title} {desc}")) {
                title id=(title) { "Hops of " (name) }
                desc id=(desc) { (printable::line(&described)) }
                @for (index, row) in rows.iter().enumerate() {
                    @let top = index as f64 * ROW;
                    @let middle = top + ROW / 2.0;
                    text x="0" y=(middle + 4.0) { (cut(row.name)) }
                    line.i-grid x1=(NAMES) y1=(top + ROW) x2=(NAMES + BARS) y2=(top + ROW) {}
                    @if let Some(p99) = row.p99 {
                        @let end = row.begins + p99;
                        line.w-whisker x1=(at(x(row.begins))) y1=(middle) x2=(at(x(end))) y2=(middle) {}
                        @if end > axis {
                            path.w-arrow d=(format!("M{} {}l8 5l-8 5z", NAMES + BARS - 8.0, middle - 5.0)) {}
                        } @else {
                            line.w-whisker x1=(at(x(end))) y1=(middle - 4.0) x2=(at(x(end))) y2=(middle + 4.0) {}
                        }
                    }
                    rect class=(if row.p99.is_some() { "w-bar" } else { "w-rest" }) x=(at(x(row.begins))) y=(top + 5.0)
                        width=(at((x(row.begins + row.median) - x(row.begins)).max(1.0))) height=(ROW - 10.0) {}
                    text x=(NAMES + BARS + 12.0) y=(middle + 4.0) { (row.shown) }
                }
            }
        }
    }
}

/// The hops, and what their medians leave of the median of the whole.
fn rows(delivery: &DeliveryHops) -> Vec<Row<'_>> {
    let mut begins = 0.0;
    let mut rows: Vec<Row<'_>> = Vec::new();
    for hop in &delivery.hops {
        let time = &hop.time_us;
        let median = time.p50 as f64;
        let shown = format!("{}, p99 {}", P50.show(time), P99.show(time));
        rows.push(Row { name: &hop.name, begins, median, p99: Some(time.p99 as f64), shown });
        begins += median;
    }
    let rest = delivery.whole_us.p50 as f64 - begins;
    let shown = if rest < 0.0 {
        format!("{} less than the sum", human::duration(-rest))
    } else {
        human::duration(rest)
    };
    rows.push(Row {
        name: "not accounted for",
        begins: begins.min(delivery.whole_us.p50 as f64),
        median: rest.abs(),
        p99: None,
        shown,
    });
    rows
}

/// A coordinate with one decimal.
fn at(value: f64) -> String {
    format!("{value:.1}")
}

/// A name that fits into its column.
fn cut(name: &str) -> String {
    const LONGEST: usize = 26;
    if name.chars().count() <= LONGEST {
        name.to_owned()
    } else {
        name.chars().take(LONGEST - 1).chain(['…']).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Latency;

    #[test]
    fn what_the_medians_leave_is_a_row_of_its_own() {
        let hop = |name: &str, p50| Hop {
            name: name.into(),
            time_us: Latency { count: 2_000, p50, p99: p50 * 4, ..Latency::default() },
            ..Hop::default()
        };
        let mut delivery = DeliveryHops {
            whole_us: Latency { count: 2_000, p50: 1_000, p99: 5_000, ..Latency::default() },
            hops: vec![hop("route", 300), hop("stream", 500)],
            ..DeliveryHops::default()
        };
        let told: Vec<_> =
            rows(&delivery).iter().map(|row| (row.begins, row.median, row.shown.clone())).collect();
        assert_eq!(told[1], (300.0, 500.0, "500 µs, p99 2.00 ms".into()));
        assert_eq!(told[2], (800.0, 200.0, "200 µs".into()));
        delivery.whole_us.p50 = 700;
        assert_eq!(rows(&delivery)[2].shown, "100 µs less than the sum");
    }
}
