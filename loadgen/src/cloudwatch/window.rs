//! The stretch of time that is fetched.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::read::Span;

/// Lambda repeats a failed asynchronous invocation after one minute and once more after two.
const RETRIES: Duration = Duration::from_secs(180);
/// Invocations that those make, each up to the function's time-out.
const ATTEMPTS: u32 = 3;
/// The time-out where no API tells it: no integration of API Gateway waits longer.
const TIMEOUT: Duration = Duration::from_secs(29);
/// A stack on this machine is asked for no more than this after a run.
const LOCAL: Duration = Duration::from_secs(30);

/// The run's window.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The run's start: zero of its axis.
    pub start: Timestamp,
    /// The run's end.
    pub end: Timestamp,
    /// The last second of the axis in which a player was answered, so that a function ran.
    pub answered_s: Option<u64>,
}

impl Window {
    /// When everything that the run set off has ended: backlogs, retries of asynchronous invocations. `timeout`: the longest of
    /// the functions', where it is known.
    pub(super) fn tail(&self, local: bool, timeout: Option<Duration>) -> Timestamp {
        let tail = if local { LOCAL } else { RETRIES + timeout.unwrap_or(TIMEOUT) * ATTEMPTS };
        self.end.checked_add(SignedDuration::try_from(tail).unwrap_or_default()).unwrap_or(self.end)
    }

    /// Whole periods from the run's start to `until`, or to what there is by now. A point carries the start of its period, so
    /// that the first begins before the run. Seconds are read up to the last whole one.
    pub(super) fn span(&self, period_s: u32, until: Timestamp, now: Timestamp) -> Span {
        let period = i64::from(period_s.max(1));
        let floor = |at: Timestamp| at.as_second().div_euclid(period) * period;
        let until = floor(until.min(now.max(self.end)));
        let to = if period == 1 { until } else { until + period };
        Span { from: floor(self.start), to, period_s, zero: self.start }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-14T{text}Z").parse().unwrap()
    }

    #[test]
    fn retries_and_backlogs_end_within_the_window() {
        let window = Window { start: at("12:00:20"), end: at("12:05:23.4"), answered_s: None };
        let end = window.tail(false, Some(Duration::from_secs(10)));
        assert_eq!(end, at("12:08:53.4"), "a minute, two minutes, and three times ten seconds");
        assert_eq!(window.tail(true, None), at("12:05:53.4"));
        let span = |period, now: &str| {
            let Span { from, to, .. } = window.span(period, end, at(now));
            (from - window.start.as_second(), to - window.start.as_second())
        };
        assert_eq!(span(60, "13:00:00"), (-20, 520));
        assert_eq!(span(60, "12:06:10"), (-20, 400), "there is nothing after now");
        assert_eq!(span(1, "12:05:23.9"), (0, 303), "the last whole second");
        assert_eq!(span(1, "12:05:00"), (0, 303), "clocks differ, the run's end is known");
    }
}
