//! The scenario's thresholds as promises to the players.

use reports::format::Threshold;

use super::players::Player;

/// What a promise bounds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
    /// A time: which histogram, which of its quantiles (`None`: mean, minimum or maximum), and the most in microseconds.
    Time {
        /// As written in `latency.hlog`.
        tag: String,
        /// Quantile.
        quantile: Option<f64>,
        /// The statistic as written.
        statistic: String,
        /// The most, in microseconds.
        most_us: f64,
    },
    /// How many or which share may go wrong.
    Wrong,
}

/// A threshold that says what players of an operation or a delivery may expect.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Promise<'a> {
    /// As judged.
    pub(crate) threshold: &'a Threshold,
    /// Of whom; `None`: of all operations.
    pub(crate) player: Option<Player>,
    /// What it bounds.
    pub(crate) bound: Bound,
}

impl<'a> Promise<'a> {
    /// The promise of a threshold; `None` where it is of sockets, of counts that are no mistakes, or not understood.
    pub(crate) fn of(threshold: &'a Threshold, is_delivery: impl Fn(&str) -> bool) -> Option<Self> {
        let at = threshold.expression.find(['<', '=', '>', '!'])?;
        let (metric, value) = threshold.expression.split_at(at);
        if value.starts_with(['>', '!']) {
            return None;
        }
        let metric = metric.trim();
        let words: Vec<&str> = metric.split('.').collect();
        let player = |name: &str| {
            if is_delivery(name) {
                Player::Delivery(name.to_owned())
            } else {
                Player::Operation(name.to_owned())
            }
        };
        match words.as_slice() {
            ["error_rate"] => Some(Self { threshold, player: None, bound: Bound::Wrong }),
            [name, "error_rate" | "failed" | "timed_out" | "lost" | "lost_rate" | "late"] => {
                Some(Self { threshold, player: Some(player(name)), bound: Bound::Wrong })
            }
            [name, time, statistic] => {
                let kind = match *time {
                    "response_time" => "response",
                    "service_time" => "service",
                    "each" | "first" | "last" => time,
                    _ => return None,
                };
                let bound = Bound::Time {
                    tag: format!("{name}.{kind}"),
                    quantile: quantile(statistic),
                    statistic: (*statistic).to_owned(),
                    most_us: microseconds(value.trim_start_matches(['<', '=']))?,
                };
                Some(Self { threshold, player: Some(player(name)), bound })
            }
            _ => None,
        }
    }

    /// Whether it broke. One without anything to judge has not.
    pub(crate) fn is_broken(&self) -> bool {
        !self.threshold.passed && self.threshold.observed.is_some()
    }
}

/// `p99` is 0.99, `p99_9` 0.999; `None` for means, minima and maxima.
pub(crate) fn quantile(statistic: &str) -> Option<f64> {
    let percent: f64 = statistic.strip_prefix('p')?.replace('_', ".").parse().ok()?;
    (percent > 0.0 && percent < 100.0).then(|| (percent * 100.0).round() / 1e4)
}

/// A duration as thresholds have it: `250ms`, `1.5 s`.
fn microseconds(value: &str) -> Option<f64> {
    let value = value.trim();
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number: f64 = value.strip_suffix(unit)?.trim().parse().ok()?;
    let factor = match unit.trim() {
        "us" | "µs" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "m" | "min" => 60e6,
        _ => return None,
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(expression: &str) -> Option<(Option<Player>, Bound)> {
        let threshold = Threshold { expression: expression.into(), ..Threshold::default() };
        Promise::of(&threshold, |name| name == "message").map(|promise| (promise.player, promise.bound))
    }

    #[test]
    fn times_and_mistakes_are_promises() {
        let time = |tag: &str, quantile, statistic: &str, most_us| Bound::Time {
            tag: tag.into(),
            quantile,
            statistic: statistic.into(),
            most_us,
        };
        let operation = Some(Player::Operation("send_message".into()));
        let delivery = Some(Player::Delivery("message".into()));
        assert_eq!(
            promise("send_message.response_time.p99 < 250ms"),
            Some((operation.clone(), time("send_message.response", Some(0.99), "p99", 250e3)))
        );
        assert_eq!(
            promise("message.each.p99_9 <= 1.5 s"),
            Some((delivery.clone(), time("message.each", Some(0.999), "p99_9", 1.5e6)))
        );
        assert_eq!(
            promise("message.each.max < 2s"),
            Some((delivery, time("message.each", None, "max", 2e6)))
        );
        assert_eq!(promise("error_rate < 1%"), Some((None, Bound::Wrong)));
        assert_eq!(promise("message.lost == 0").map(|(_, bound)| bound), Some(Bound::Wrong));
        assert_eq!(promise("send_message.error_rate < 1 %"), Some((operation, Bound::Wrong)));
        assert_eq!(promise("sockets.opened >= 50"), None);
        assert_eq!(promise("sockets.dropped < 5"), None);
    }
}
