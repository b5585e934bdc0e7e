//! Thresholds as numbers: what is observed and what it may be, in one unit, so that both can be drawn.

use crate::format::Threshold;
use crate::verdict;

/// The bound of a threshold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bounded {
    /// What is held against it, without its statistic: an operation, a push, `sockets` and the like.
    pub(super) of: String,
    /// The statistic, e.g. `p99` or `lost`.
    pub(super) statistic: String,
    /// The times, e.g. `response_time` or `each`; empty where it is no time.
    pub(super) time: String,
    /// The most that it may be (or the least), in microseconds, percent or as a count.
    pub(super) bound: f64,
    /// What it was, in the same unit; `None` where it was not judged.
    pub(super) observed: Option<f64>,
    /// Whether it may be at least that, instead of at most.
    pub(super) least: bool,
}

impl Bounded {
    /// Of a threshold as written; `None` where it has no number, or one of several parts such as `1m30s`.
    pub(super) fn of(threshold: &Threshold) -> Option<Self> {
        let (metric, number, unit) = verdict::parts(&threshold.expression)?;
        let scale = match unit {
            // A share without its percent sign, e.g. 0.005.
            "" if metric.ends_with("_rate") => 100.0,
            "" | "%" => 1.0,
            time => verdict::micros(time)?,
        };
        let parts: Vec<&str> = metric.split('.').collect();
        let time = parts.iter().position(|part| is_time(part));
        let (of, statistic) =
            (&parts[..time.unwrap_or(parts.len() - 1)], &parts[time.map_or(parts.len() - 1, |at| at + 1)..]);
        Some(Self {
            of: of.join("."),
            statistic: statistic.join("."),
            time: time.map(|at| parts[at].to_owned()).unwrap_or_default(),
            bound: number * scale,
            observed: threshold.observed.map(|observed| observed * scale),
            least: threshold.expression.contains('>'),
        })
    }

    /// The rule in short, e.g. `p99 < 250 ms`, with the bound as it is shown.
    pub(super) fn short(&self, bound: &str) -> String {
        format!("{} {} {bound}", self.statistic, if self.least { '>' } else { '<' })
    }

    /// The quantile of its statistic, 0 to 1; `None` where it is no percentile.
    pub(super) fn quantile(&self) -> Option<f64> {
        let digits = self.statistic.strip_prefix('p')?;
        let percent: f64 = digits.replace('_', ".").parse().ok()?;
        (0.0..100.0).contains(&percent).then_some(percent / 100.0)
    }
}

fn is_time(name: &str) -> bool {
    matches!(name, "response_time" | "service_time" | "each" | "first" | "last")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounded(expression: &str, observed: Option<f64>) -> Option<Bounded> {
        Bounded::of(&Threshold { expression: expression.into(), observed, ..Threshold::default() })
    }

    #[test]
    fn a_threshold_becomes_numbers_of_one_unit() {
        let time = bounded("send_message.response_time.p99 < 250ms", Some(180.5)).expect("has a number");
        assert_eq!((time.of.as_str(), time.time.as_str()), ("send_message", "response_time"));
        assert_eq!((time.bound, time.observed, time.least), (250_000.0, Some(180_500.0), false));
        assert_eq!(time.quantile(), Some(0.99));
        let push = bounded("message.each.p99_9 < 2s", None).expect("has a number");
        assert_eq!((push.bound, push.short("2 s")), (2e6, "p99_9 < 2 s".into()));
        assert!(push.quantile().is_some_and(|quantile| (quantile - 0.999).abs() < 1e-12));
        let share = bounded("error_rate < 0.005", Some(0.002)).expect("has a number");
        assert_eq!((share.of.as_str(), share.bound, share.observed), ("", 0.5, Some(0.2)));
        let lost = bounded("deliveries.message.lost < 0.1 %", Some(0.3)).expect("has a number");
        assert_eq!(
            (lost.of.as_str(), lost.statistic.as_str(), lost.bound),
            ("deliveries.message", "lost", 0.1)
        );
        assert_eq!(lost.quantile(), None);
        assert!(bounded("sockets.peak_open >= 20", Some(6.0)).is_some_and(|sockets| sockets.least));
        for without in ["errors == none", "a.response_time.max < 1m30s", "nonsense", "a <"] {
            assert_eq!(bounded(without, Some(1.0)), None, "{without}");
        }
    }
}
