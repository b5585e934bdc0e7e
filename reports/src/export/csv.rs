//! CSV (RFC 4180) for spreadsheets and notebooks: values, not display text.
//!
//! A row for each time of each operation (`response`, `service`) and delivery (`each`, `first`, `last`), units in the header. What was
//! not measured is an empty cell, not a zero. Counts stand in the first row of their operation or delivery only, so that a
//! column can be added up.

use csv::{Terminator, WriterBuilder};

use crate::format::{Latency, Summary};
use crate::human::{self, P50, P90, P95, P99, P99_9, P99_99, Percentile};
use crate::printable;

/// The columns before the counts.
const HEAD: [&str; 5] = ["run", "started_at", "kind", "name", "time"];
/// The columns of counts: those of operations, then those of deliveries.
const COUNTS: [&str; 13] = [
    "offered",
    "sent",
    "unsent",
    "completed",
    "failed",
    "timed_out",
    "expected",
    "received",
    "late",
    "lost",
    "duplicated",
    "out_of_order",
    "unexpected",
];
/// The columns of a time.
const TIMES: [&str; 11] = [
    "samples",
    "min_ms",
    "mean_ms",
    "p50_ms",
    "p90_ms",
    "p95_ms",
    "p99_ms",
    "p99_9_ms",
    "p99_99_ms",
    "max_ms",
    "weak",
];
const PERCENTILES: [Percentile; 6] = [P50, P90, P95, P99, P99_9, P99_99];

pub(super) fn render(summary: &Summary) -> Result<String, String> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let mut write = |row: Vec<String>| writer.write_record(row).map_err(|error| error.to_string());
    write(HEAD.into_iter().chain(COUNTS).chain(TIMES).map(str::to_owned).collect())?;
    let run = [word(&summary.run.id), format!("{:.0}", summary.run.started_at)];
    let mut row =
        |kind: &str, name: &str, time: &str, counts: [Option<u64>; COUNTS.len()], latency: &Latency| {
            let place = [kind.to_owned(), word(name), time.to_owned()];
            let counts = counts.map(|count| count.map_or_else(String::new, |count| count.to_string()));
            write(run.iter().cloned().chain(place).chain(counts).chain(times(latency)).collect())
        };
    const NONE: [Option<u64>; COUNTS.len()] = [None; COUNTS.len()];
    for (name, operation) in &summary.operations {
        let mut counts = NONE;
        let own = [
            operation.offered,
            operation.sent,
            operation.unsent,
            operation.completed,
            operation.failed,
            operation.timed_out,
        ];
        counts[..own.len()].copy_from_slice(&own.map(Some));
        row("operation", name, "response", counts, &operation.response_time_us)?;
        row("operation", name, "service", NONE, &operation.service_time_us)?;
    }
    for (name, delivery) in &summary.deliveries {
        let mut counts = NONE;
        let own = [
            delivery.expected,
            delivery.received,
            delivery.late,
            delivery.lost,
            delivery.duplicated,
            delivery.out_of_order,
            delivery.unexpected,
        ];
        counts[COUNTS.len() - own.len()..].copy_from_slice(&own.map(Some));
        row("delivery", name, "each", counts, &delivery.each_us)?;
        row("delivery", name, "first", NONE, &delivery.first_us)?;
        row("delivery", name, "last", NONE, &delivery.last_us)?;
    }
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// The cells of a time; empty where there are no samples. The last names the percentiles with fewer than ten samples beyond.
fn times(latency: &Latency) -> [String; TIMES.len()] {
    let mut cells = [const { String::new() }; TIMES.len()];
    cells[0] = latency.count.to_string();
    if latency.count == 0 {
        return cells;
    }
    let ms = |us: f64| human::plain((us * 10.0).round() / 1e4, 15);
    cells[1] = ms(latency.min as f64);
    cells[2] = ms(latency.mean);
    for (cell, percentile) in cells[3..].iter_mut().zip(PERCENTILES) {
        *cell = ms((percentile.of)(latency) as f64);
    }
    cells[9] = ms(latency.max as f64);
    let weak = PERCENTILES.iter().filter(|one| one.is_weak(latency));
    cells[10] = weak.map(|one| one.name).collect::<Vec<_>>().join(" ");
    cells
}

/// Words that a spreadsheet takes for words: a `'` before what it would take for a formula, and nothing that acts.
fn word(text: &str) -> String {
    let text = printable::line(text);
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if formula { format!("'{text}") } else { text.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Delivery, Operation};

    #[test]
    fn values_are_numbers_and_what_is_missing_is_empty() {
        let latency = Latency {
            count: 1_000,
            min: 900,
            mean: 2_345.6,
            p50: 2_000,
            p90: 3_000,
            p95: 3_500,
            p99: 12_345,
            p99_9: 1_000_000,
            p99_99: 1_000_000,
            max: 1_000_000,
        };
        let send = Operation {
            offered: 1_001,
            sent: 1_000,
            unsent: 1,
            completed: 1_000,
            response_time_us: latency,
            ..Operation::default()
        };
        let message = Delivery { expected: 8, received: 7, lost: 1, ..Delivery::default() };
        let mut summary = Summary::default();
        summary.run.id = "r1".into();
        summary.operations.insert("=send,\"x\"".into(), send);
        summary.deliveries.insert("message".into(), message);
        let text = render(&summary).expect("written");
        let mut lines = text.split("\r\n");
        let columns = HEAD.len() + COUNTS.len() + TIMES.len();
        assert_eq!(lines.next().map(|header| header.split(',').count()), Some(columns));
        assert_eq!(
            lines.next(),
            Some(
                "r1,1970-01-01T00:00:00Z,operation,\"'=send,\"\"x\"\"\",response,1001,1000,1,1000,0,0,,,,,,,,\
                 1000,0.9,2.3456,2,3,3.5,12.345,1000,1000,1000,p99.9 p99.99"
            )
        );
        assert_eq!(
            lines.nth(1),
            Some("r1,1970-01-01T00:00:00Z,delivery,message,each,,,,,,,8,7,0,1,0,0,0,0,,,,,,,,,,")
        );
    }

    #[test]
    fn no_word_is_a_formula() {
        for text in ["=1", " +1", "-1", "@SUM(A1)", "＝1"] {
            assert_eq!(word(text), format!("'{text}"));
        }
        assert_eq!(word("a=1"), "a=1");
        assert_eq!(word("\u{1b}[2J"), "\\u{1b}[2J");
        assert_eq!(word("\t=1"), "\\t=1");
    }
}
