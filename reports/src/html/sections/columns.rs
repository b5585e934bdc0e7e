//! Tables with a row for each operation or kind of delivery: counts, then latencies.

use crate::format::Latency;
use crate::html::table::{Cell, Table};
use crate::human::{self, Percentile};

/// A column: its header, and what it shows of the thing of a row.
pub(super) enum Column<T> {
    Count(&'static str, fn(&T) -> u64),
    /// A count that draws attention unless it is zero.
    Fault(&'static str, fn(&T) -> u64),
    Percentile(&'static str, Percentile, fn(&T) -> &Latency),
    Max(&'static str, fn(&T) -> &Latency),
}

impl<T> Column<T> {
    fn header(&self) -> &'static str {
        match self {
            Self::Count(header, _)
            | Self::Fault(header, _)
            | Self::Percentile(header, ..)
            | Self::Max(header, _) => header,
        }
    }

    fn cell(&self, thing: &T) -> Cell {
        let count = |value: u64| Cell::quantity(human::count(value), value as f64);
        match self {
            Self::Count(_, of) => count(of(thing)),
            Self::Fault(_, of) => count(of(thing)).bad_unless_zero(),
            Self::Percentile(_, percentile, of) => {
                latency(percentile.show(of(thing)), of(thing), percentile.of)
            }
            Self::Max(_, of) => latency(human::max(of(thing)), of(thing), |latency| latency.max),
        }
    }
}

/// A time as a cell that is sorted by its microseconds; no samples sort below everything.
fn latency(shown: String, latency: &Latency, of: fn(&Latency) -> u64) -> Cell {
    Cell::quantity(shown, if latency.count == 0 { -1.0 } else { of(latency) as f64 })
}

/// The table of named things. `what` is the header above the names.
pub(super) fn table<'a, T: 'a>(
    caption: &str,
    what: &'static str,
    columns: &[Column<T>],
    things: impl Iterator<Item = (String, &'a T)>,
) -> Table {
    let mut table = Table::new(caption, [what].into_iter().chain(columns.iter().map(Column::header)));
    for (name, thing) in things {
        table.row([Cell::text(name)].into_iter().chain(columns.iter().map(|column| column.cell(thing))));
    }
    table
}
