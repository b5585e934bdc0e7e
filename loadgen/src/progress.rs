//! What a run shows while it lasts: one moving line on a terminal, a plain line now and then elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use reports::format::SeriesLine;

/// Seconds between the lines when standard error is no terminal.
const PLAIN_EVERY: u64 = 5;

/// The display of a run, on standard error.
pub struct Progress {
    bar: Option<ProgressBar>,
    plain: bool,
}

impl Progress {
    /// A display for a plan of this length; none at all when `quiet`.
    #[must_use]
    pub fn new(length: Duration, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (!quiet && terminal).then(|| {
            let bar = ProgressBar::new(length.as_secs());
            // The template is a constant; were it wrong, the default bar would do.
            if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} {bar:24} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, plain: !quiet && !terminal }
    }

    /// Shows one second.
    pub fn second(&self, line: &SeriesLine) {
        if let Some(bar) = &self.bar {
            bar.set_position(line.t + 1);
            bar.set_message(describe(line));
        } else if self.plain && line.t.is_multiple_of(PLAIN_EVERY) {
            eprintln!("{:>5} s  {}", line.t, describe(line));
        }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn describe(line: &SeriesLine) -> String {
    let sum = |count: fn(&reports::format::OperationSecond) -> u64| {
        line.operations.values().map(count).sum::<u64>()
    };
    let errors = sum(|second| second.failed + second.timed_out + second.unsent);
    let received: u64 = line.deliveries.values().map(|second| second.received).sum();
    let slowest = line.operations.values().map(|second| second.response_time_us.p99).max().unwrap_or(0);
    format!(
        "{}: {} open, {} sent/s, {} done/s, {received} pushes/s, {errors} errors/s, p99 {:.1} ms",
        line.phase,
        line.open,
        sum(|second| second.sent),
        sum(|second| second.completed),
        slowest as f64 / 1_000.0
    )
}
