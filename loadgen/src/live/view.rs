//! The text of the dashboard: a line for the sockets, each operation, each kind of push, and the generator.

use std::collections::{BTreeMap, VecDeque};

use reports::format::{Latency, SeriesLine};
use reports::human::{bytes, count, duration};

use crate::verdict::validity::Validity;

/// Seconds of each sparkline.
const HISTORY: usize = 20;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What is on the dashboard, with the seconds before it.
#[derive(Debug, Default)]
pub(super) struct View {
    /// p99 of the last seconds, by row.
    history: BTreeMap<String, VecDeque<u64>>,
}

impl View {
    /// The dashboard of a second.
    pub(super) fn of(&mut self, line: &SeriesLine, validity: &Validity) -> String {
        let mut rows = vec![row("sockets", &format!("{} open", count(line.open)))];
        for (operation, second) in &line.operations {
            let errors = second.errors();
            let figures = format!(
                "{:>7}/s sent {:>7}/s done {:>5} errors",
                count(second.sent),
                count(second.completed),
                count(errors)
            );
            rows.push(self.timed(operation, &figures, &second.response_time_us));
        }
        for (kind, second) in &line.deliveries {
            let figures = format!(
                "{:>7}/s due  {:>7}/s came {:>5} lost  ",
                count(second.expected),
                count(second.received),
                count(second.lost)
            );
            rows.push(self.timed(&format!("{kind} pushes"), &figures, &second.each_us));
        }
        let generator = &line.generator;
        rows.push(row(
            "generator",
            &format!(
                "dispatch p99 {}, loop lag p99 {}, CPU {:.0} %, {}",
                p99(&generator.dispatch_delay_us),
                p99(&generator.event_loop_lag_us),
                generator.cpu_percent,
                bytes(generator.rss_bytes as f64)
            ),
        ));
        rows.push(row("so far", &worth(validity)));
        rows.join("\n")
    }

    fn timed(&mut self, name: &str, figures: &str, latency: &Latency) -> String {
        let history = self.history.entry(name.to_owned()).or_default();
        history.push_back(latency.p99);
        if history.len() > HISTORY {
            history.pop_front();
        }
        let times = if latency.count == 0 {
            String::new()
        } else {
            let [p50, p95, p99] = [latency.p50, latency.p95, latency.p99].map(|us| duration(us as f64));
            format!("  p50 {p50:>7}  p95 {p95:>7}  p99 {p99:>7}")
        };
        row(name, &format!("{figures}{times:<41} {}", sparkline(history)))
    }
}

/// A second in one line, for where there is no dashboard.
pub(super) fn plain(line: &SeriesLine, validity: &Validity) -> String {
    let sum = |count: fn(&reports::format::OperationSecond) -> u64| {
        line.operations.values().map(count).sum::<u64>()
    };
    let errors = sum(reports::format::OperationSecond::errors);
    let received: u64 = line.deliveries.values().map(|second| second.received).sum();
    let slowest = line.operations.values().map(|second| second.response_time_us.p99).max().unwrap_or(0);
    let invalid = if validity.invalid_reasons.is_empty() { "" } else { ", INVALID so far" };
    format!(
        "{}: {} open, {} sent/s, {} done/s, {received} pushes/s, {errors} errors/s, p99 {:.1} ms{invalid}",
        line.phase,
        line.open,
        sum(|second| second.sent),
        sum(|second| second.completed),
        slowest as f64 / 1_000.0
    )
}

fn row(name: &str, text: &str) -> String {
    format!("{name:<20} {text}")
}

fn p99(latency: &Latency) -> String {
    if latency.count == 0 { "–".into() } else { duration(latency.p99 as f64) }
}

fn worth(validity: &Validity) -> String {
    match (validity.invalid_reasons.first(), validity.warnings.first()) {
        (Some(reason), _) => format!("INVALID: {reason}"),
        (None, Some(warning)) => format!("valid, but {warning}"),
        (None, None) => "valid".into(),
    }
}

/// Blocks as high as the values, the highest of them full.
fn sparkline(values: &VecDeque<u64>) -> String {
    let highest = values.iter().max().copied().unwrap_or(0).max(1);
    let block = |value: &u64| BLOCKS[(value * (BLOCKS.len() as u64 - 1)).div_ceil(highest) as usize];
    values.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use reports::format::{DeliverySecond, GeneratorSecond, OperationSecond};

    use super::*;

    fn latency(p50: u64, p99: u64) -> Latency {
        Latency { count: 100, p50, p95: p50.midpoint(p99), p99, ..Latency::default() }
    }

    fn line(p99: u64) -> SeriesLine {
        let message = OperationSecond {
            offered: 1_200,
            sent: 1_200,
            completed: 1_190,
            timed_out: 3,
            response_time_us: latency(24_100, p99),
            ..OperationSecond::default()
        };
        let pushes = DeliverySecond {
            expected: 12_000,
            received: 11_990,
            lost: 7,
            each_us: latency(237_000, 473_000),
            ..DeliverySecond::default()
        };
        SeriesLine {
            t: 3,
            at: "2026-11-25T12:00:03Z".parse().unwrap(),
            phase: "hold".into(),
            open: 2_000,
            operations: [("send_message".to_owned(), message)].into(),
            deliveries: [("message".to_owned(), pushes)].into(),
            generator: GeneratorSecond {
                dispatch_delay_us: latency(110, 290),
                cpu_percent: 14.2,
                rss_bytes: 45_000_000,
                ..GeneratorSecond::default()
            },
            ..SeriesLine::default()
        }
    }

    #[test]
    fn the_dashboard_shows_rates_times_and_what_the_run_is_worth() {
        let mut view = View::default();
        view.of(&line(10_000), &Validity::default());
        view.of(&line(0), &Validity::default());
        let invalid = Validity { invalid_reasons: vec!["too late".into()], ..Validity::default() };
        insta::assert_snapshot!(view.of(&line(51_000), &invalid));
    }

    #[test]
    fn the_plain_line_sums_the_operations() {
        insta::assert_snapshot!(plain(&line(51_000), &Validity::default()));
    }

    #[test]
    fn a_sparkline_reaches_from_the_lowest_to_the_highest_block() {
        assert_eq!(sparkline(&VecDeque::from([0, 1, 50, 100])), "▁▂▅█");
        assert_eq!(sparkline(&VecDeque::from([0, 0])), "▁▁");
    }
}
