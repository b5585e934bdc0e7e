//! Tables with a row for each operation or kind of delivery: counts, then latencies.

use super::context::pointer;
use crate::format::Latency;
use crate::html::table::{Cell, Table};
use crate::human::{self, Percentile};

/// A column: its header, where its value is in `summary.json` below the thing (empty: windows do not have it), and what it shows of the thing of a row.
pub(super) enum Column<T> {
    Count(&'static str, &'static str, fn(&T) -> u64),
    /// A count that draws attention unless it is zero.
    Fault(&'static str, &'static str, fn(&T) -> u64),
    Percentile(&'static str, &'static str, Percentile, fn(&T) -> &Latency),
    Max(&'static str, &'static str, fn(&T) -> &Latency),
}

impl<T> Column<T> {
    fn header(&self) -> &'static str {
        match self {
            Self::Count(header, ..)
            | Self::Fault(header, ..)
            | Self::Percentile(header, ..)
            | Self::Max(header, ..) => header,
        }
    }

    fn cell(&self, thing: &T, root: &str) -> Cell {
        let count = |value: u64, key: &str| {
            let cell = Cell::quantity(human::count(value), value as f64);
            if key.is_empty() { cell } else { cell.recomputed(format!("{root}/{key}"), "count") }
        };
        match self {
            Self::Count(_, key, of) => count(of(thing), key),
            Self::Fault(_, key, of) => count(of(thing), key).bad_unless_zero(),
            Self::Percentile(_, key, percentile, of) => {
                let key = format!("{root}/{key}/{}", percentile.name.replace('.', "_"));
                latency(percentile.show(of(thing)), of(thing), percentile.of).recomputed(key, "duration")
            }
            Self::Max(_, key, of) => latency(human::max(of(thing)), of(thing), |latency| latency.max)
                .recomputed(format!("{root}/{key}/max"), "duration"),
        }
    }

    fn is_time(&self) -> bool {
        matches!(self, Self::Percentile(..) | Self::Max(..))
    }
}

/// A time as a cell that is sorted by its microseconds; no samples sort below everything.
fn latency(shown: String, latency: &Latency, of: fn(&Latency) -> u64) -> Cell {
    Cell::quantity(shown, if latency.count == 0 { -1.0 } else { of(latency) as f64 })
}

/// The table of named things: `of` is what they are in `summary.json`, `what` is the header above their names.
pub(super) fn table<'a, T: 'a>(
    caption: &str,
    (of, what): (&str, &'static str),
    columns: &[Column<T>],
    things: impl Iterator<Item = (&'a str, String, &'a T)>,
) -> Table {
    let mut table = Table::new(caption, [what].into_iter().chain(columns.iter().map(Column::header)));
    for (index, _) in columns.iter().enumerate().filter(|(_, column)| column.is_time()) {
        table.unit(index + 1, "µs");
    }
    for (name, shown, thing) in things {
        let root = pointer(of, name);
        table.row(
            [Cell::text(shown)].into_iter().chain(columns.iter().map(|column| column.cell(thing, &root))),
        );
    }
    table
}
