//! Threshold expressions: `<metric> <comparison> <value>`, e.g. `send_message.response_time.p99 < 250ms`.
//!
//! The text is parsed before anything is sent; it is evaluated on the summary after the run.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::keys::units;
use crate::plan::ledger::Ledger;

/// A rule with a verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// As written.
    pub expression: String,
    /// What is looked at.
    pub metric: Metric,
    /// How it is compared.
    pub comparison: Comparison,
    /// The bound in the metric's own unit: microseconds, a fraction, or a count.
    pub bound: f64,
    /// What the observed value is divided by to stand in the unit of the expression (1,000 for `ms`).
    pub unit: f64,
    /// The phase whose arrivals it looks at; `None`: all that are measured.
    pub phase: Option<String>,
    /// Where these are booked.
    pub ledger: Ledger,
    /// Whether the run ends when it fails, and from when on.
    pub abort: Option<Abort>,
}

/// A rule's right to end the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abort {
    /// How long it may fail at first, from the first second with something to judge.
    pub grace: Duration,
}

impl Threshold {
    /// The rule for the whole run that a share is below 1 %.
    pub(crate) fn below_one_percent(metric: Metric) -> Self {
        Self {
            expression: format!("{metric} < 1%"),
            metric,
            comparison: Comparison::Less,
            bound: 0.01,
            unit: 0.01,
            phase: None,
            ledger: Ledger::MEASURED,
            abort: None,
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression)?;
        self.phase.iter().try_for_each(|phase| write!(f, " in the phase `{phase}`"))
    }
}

/// What a threshold looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metric {
    /// `OPERATION.response_time.STAT` or `OPERATION.service_time.STAT`: microseconds.
    OperationTime {
        /// The operation's name.
        operation: String,
        /// Which of the two times.
        time: OperationTime,
        /// Which statistic.
        stat: Stat,
    },
    /// `OPERATION.COUNT`: `offered`, `sent`, `unsent`, `completed`, `failed`, `timed_out`.
    OperationCount(String, OperationCount),
    /// `OPERATION.error_rate`, or `error_rate` over all: (failed + timed out + unsent) / offered.
    ErrorRate(Option<String>),
    /// `PUSH.each.STAT`, `PUSH.first.STAT`, `PUSH.last.STAT`: microseconds.
    DeliveryTime {
        /// The push's name.
        push: String,
        /// Which of the three times.
        time: DeliveryTime,
        /// Which statistic.
        stat: Stat,
    },
    /// `PUSH.lost` and the like.
    DeliveryCount(String, DeliveryCount),
    /// `PUSH.lost_rate`: lost / expected.
    LostRate(String),
    /// `sockets.opened` and the like.
    Sockets(SocketCount),
    /// `reconnects.gave_up` and the like.
    Reconnects(ReconnectCount),
    /// `reconnects.recovery.STAT`: microseconds from a lost socket to the next.
    Recovery(Stat),
}

/// Defines an enum whose variants are words of the expression language.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
        pub enum $name { $($(#[$variant_doc])* #[strum(serialize = $word)] $variant),+ }

        impl $name {
            /// Every word.
            pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

            /// The word.
            #[must_use]
            pub fn word(self) -> &'static str {
                self.into()
            }
        }
    };
}

words! {
    /// The two times of an operation.
    OperationTime {
        /// From the intended instant.
        Response = "response_time",
        /// From the actual send.
        Service = "service_time",
    }
}

words! {
    /// The three times of a delivery.
    DeliveryTime {
        /// To each recipient.
        Each = "each",
        /// To the first recipient.
        First = "first",
        /// To the last recipient.
        Last = "last",
    }
}

words! {
    /// A statistic of a latency.
    Stat {
        /// Smallest.
        Min = "min",
        /// Mean.
        Mean = "mean",
        /// Median.
        P50 = "p50",
        /// 90th percentile.
        P90 = "p90",
        /// 95th percentile.
        P95 = "p95",
        /// 99th percentile.
        P99 = "p99",
        /// 99.9th percentile.
        P999 = "p99_9",
        /// 99.99th percentile.
        P9999 = "p99_99",
        /// Largest.
        Max = "max",
    }
}

words! {
    /// A count of an operation.
    OperationCount {
        /// Planned.
        Offered = "offered",
        /// Sent.
        Sent = "sent",
        /// Not sent.
        Unsent = "unsent",
        /// Answered as expected.
        Completed = "completed",
        /// Answered wrongly.
        Failed = "failed",
        /// Not answered in time.
        TimedOut = "timed_out",
    }
}

words! {
    /// A count of a delivery kind.
    DeliveryCount {
        /// Expected.
        Expected = "expected",
        /// Received.
        Received = "received",
        /// Received after the time-out, within the grace.
        Late = "late",
        /// Lost.
        Lost = "lost",
        /// Duplicated.
        Duplicated = "duplicated",
        /// Out of order.
        OutOfOrder = "out_of_order",
        /// Unexpected.
        Unexpected = "unexpected",
    }
}

words! {
    /// A count of sockets.
    SocketCount {
        /// Attempted.
        Attempted = "attempted",
        /// Opened.
        Opened = "opened",
        /// Rejected.
        Rejected = "rejected",
        /// Dropped.
        Dropped = "dropped",
        /// Dropped, as a share of those that were opened.
        DroppedRate = "dropped_rate",
        /// Highest number open at once.
        PeakOpen = "peak_open",
    }
}

words! {
    /// A count of players coming back.
    ReconnectCount {
        /// Wanted to.
        Wanted = "wanted",
        /// Handshakes for it.
        Attempts = "attempts",
        /// Came back.
        Succeeded = "succeeded",
        /// Gave up.
        GaveUp = "gave_up",
        /// Still trying at the end.
        Unfinished = "unfinished",
    }
}

words! {
    /// How the observed value is compared with the bound.
    Comparison {
        /// Below.
        Less = "<",
        /// At most.
        AtMost = "<=",
        /// Above.
        Greater = ">",
        /// At least.
        AtLeast = ">=",
        /// Equal.
        Equal = "==",
    }
}

impl Comparison {
    /// Whether `observed` satisfies the comparison with `bound`.
    #[must_use]
    pub fn holds(self, observed: f64, bound: f64) -> bool {
        match self {
            Self::Less => observed < bound,
            Self::AtMost => observed <= bound,
            Self::Greater => observed > bound,
            Self::AtLeast => observed >= bound,
            Self::Equal => (observed - bound).abs() < f64::EPSILON * bound.abs().max(1.0),
        }
    }
}

/// What a metric is measured in, which decides the units that its bound may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Time,
    Fraction,
    Count,
}

impl Metric {
    fn parse(text: &str) -> Option<(Self, Dimension)> {
        let parts: Vec<_> = text.split('.').collect();
        Some(match *parts.as_slice() {
            ["error_rate"] => (Self::ErrorRate(None), Dimension::Fraction),
            ["sockets", count] => {
                let count = count.parse::<SocketCount>().ok()?;
                let share = count == SocketCount::DroppedRate;
                (Self::Sockets(count), if share { Dimension::Fraction } else { Dimension::Count })
            }
            ["reconnects", count] => {
                (Self::Reconnects(count.parse::<ReconnectCount>().ok()?), Dimension::Count)
            }
            ["reconnects", "recovery", stat] => (Self::Recovery(stat.parse::<Stat>().ok()?), Dimension::Time),
            // What is meant, an operation or a push, is known by the last words: names are the protocol's.
            [of, ..] if !is_name(of) => return None,
            [of, "error_rate"] => (Self::ErrorRate(Some(of.into())), Dimension::Fraction),
            [of, "lost_rate"] => (Self::LostRate(of.into()), Dimension::Fraction),
            [of, count] => match (count.parse::<OperationCount>(), count.parse::<DeliveryCount>()) {
                (Ok(count), _) => (Self::OperationCount(of.into(), count), Dimension::Count),
                (_, Ok(count)) => (Self::DeliveryCount(of.into(), count), Dimension::Count),
                _ => return None,
            },
            [of, time, stat] => {
                let stat = stat.parse::<Stat>().ok()?;
                let metric = match (time.parse::<OperationTime>(), time.parse::<DeliveryTime>()) {
                    (Ok(time), _) => Self::OperationTime { operation: of.into(), time, stat },
                    (_, Ok(time)) => Self::DeliveryTime { push: of.into(), time, stat },
                    _ => return None,
                };
                (metric, Dimension::Time)
            }
            _ => return None,
        })
    }
}

impl Metric {
    /// The name of the operation that is looked at.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        match self {
            Self::OperationTime { operation, .. }
            | Self::OperationCount(operation, _)
            | Self::ErrorRate(Some(operation)) => Some(operation),
            _ => None,
        }
    }

    /// The name of the push that is looked at.
    #[must_use]
    pub fn push(&self) -> Option<&str> {
        match self {
            Self::DeliveryTime { push, .. } | Self::DeliveryCount(push, _) | Self::LostRate(push) => {
                Some(push)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Metric {
    /// As an expression names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OperationTime { operation, time, stat } => write!(f, "{operation}.{time}.{stat}"),
            Self::OperationCount(operation, count) => write!(f, "{operation}.{count}"),
            Self::ErrorRate(None) => f.write_str("error_rate"),
            Self::ErrorRate(Some(operation)) => write!(f, "{operation}.error_rate"),
            Self::DeliveryTime { push, time, stat } => write!(f, "{push}.{time}.{stat}"),
            Self::DeliveryCount(push, count) => write!(f, "{push}.{count}"),
            Self::LostRate(push) => write!(f, "{push}.lost_rate"),
            Self::Sockets(count) => write!(f, "sockets.{count}"),
            Self::Reconnects(count) => write!(f, "reconnects.{count}"),
            Self::Recovery(stat) => write!(f, "reconnects.recovery.{stat}"),
        }
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(expression: &str) -> Result<Self, Self::Err> {
        let words: Vec<_> = expression.split_whitespace().collect();
        let [metric, comparison, value] = *words.as_slice() else {
            return Err("must be `METRIC COMPARISON VALUE`, with spaces between".into());
        };
        let (metric, dimension) =
            Metric::parse(metric).ok_or_else(|| format!("`{metric}` is not a metric"))?;
        let comparison = comparison
            .parse::<Comparison>()
            .map_err(|_| format!("`{comparison}` is not a comparison; use one of < <= > >= =="))?;
        let (bound, unit) = bound(value, dimension)?;
        Ok(Self {
            expression: words.join(" "),
            metric,
            comparison,
            bound,
            unit,
            phase: None,
            ledger: Ledger::MEASURED,
            abort: None,
        })
    }
}

fn bound(text: &str, dimension: Dimension) -> Result<(f64, f64), String> {
    let time = |text: &str| units::span(text).ok().map(|time| time.as_secs_f64() * 1e6);
    // Reports show what was observed in the unit that the expression ends with.
    let last = text.trim_end_matches(char::is_alphabetic).len();
    let one = format!("1{}", &text[last..]);
    let read = match dimension {
        Dimension::Time => time(text).zip(time(&one)),
        Dimension::Fraction if text.ends_with('%') => units::share(text).ok().map(|share| (share, 0.01)),
        // `error_rate < 1` may mean all or 1 %: whoever writes it says which.
        Dimension::Fraction => units::share(text).ok().filter(|share| *share < 1.0).map(|share| (share, 1.0)),
        Dimension::Count => units::count(text).ok().zip(units::count(&one).ok()),
    };
    if let Some(read) = read {
        return Ok(read);
    }
    Err(match dimension {
        Dimension::Time => format!("`{text}` is not a duration; write e.g. 250ms, 1.5s or 800us"),
        Dimension::Fraction => format!("`{text}` is not a share; write e.g. 0.5% or 0.005"),
        Dimension::Count => {
            format!("`{text}` is not a count; write a number of 0 or more, e.g. 0, 1e3 or 10k")
        }
    })
}

/// The grammar in one sentence, for messages.
pub const HELP: &str = "metrics: OPERATION.response_time.p99, OPERATION.service_time.p50, OPERATION.error_rate, \
    OPERATION.failed, PUSH.each.p99, PUSH.last.max, PUSH.lost, PUSH.lost_rate, sockets.dropped, sockets.dropped_rate, error_rate, \
    reconnects.recovery.p99, reconnects.gave_up; \
    OPERATION is `connect` or one of [operations], PUSH what it leads to";

/// Whether a word can name an operation or a push.
fn is_name(word: &str) -> bool {
    !word.is_empty()
        && word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_carry_their_units() {
        let time: Threshold = "send_message.response_time.p99  <  250ms".parse().unwrap();
        assert_eq!(time.expression, "send_message.response_time.p99 < 250ms");
        assert_eq!((time.bound, time.unit), (250_000.0, 1_000.0));
        let share: Threshold = "error_rate <= 1%".parse().unwrap();
        assert!((share.bound - 0.01).abs() < 1e-12);
        let recovery: Threshold = "reconnects.recovery.p99 < 30s".parse().unwrap();
        assert_eq!((recovery.metric, recovery.unit), (Metric::Recovery(Stat::P99), 1e6));
        let gave_up: Threshold = "reconnects.gave_up == 0".parse().unwrap();
        assert_eq!(gave_up.metric, Metric::Reconnects(ReconnectCount::GaveUp));
        for (expression, bound, unit) in [
            ("connect.response_time.max < 1.5m", 90e6, 60e6),
            ("connect.response_time.max < 1m30s", 90e6, 1e6),
            ("connect.response_time.max < 1e3ms", 1e6, 1e3),
            ("error_rate < 0.01", 0.01, 1.0),
            ("sockets.opened >= 1e3", 1e3, 1.0),
            ("sockets.opened >= 10k", 1e4, 1e3),
        ] {
            let read: Threshold = expression.parse().unwrap();
            assert!((read.bound - bound).abs() < 1e-9 && (read.unit - unit).abs() < 1e-12, "{read:?}");
        }
        let count: Threshold = "message.lost == 0".parse().unwrap();
        assert!(count.comparison.holds(0.0, count.bound));
        assert!(!count.comparison.holds(1.0, count.bound));
    }

    #[test]
    fn the_last_words_say_whether_an_operation_or_a_push_is_meant() {
        let metric = |text: &str| format!("{text} < 1s").parse::<Threshold>().unwrap().metric;
        let (stat, operation) = (Stat::P99, "chat".to_owned());
        let time = OperationTime::Response;
        assert_eq!(metric("chat.response_time.p99"), Metric::OperationTime { operation, time, stat });
        let (push, time) = ("chat".to_owned(), DeliveryTime::Each);
        assert_eq!(metric("chat.each.p99"), Metric::DeliveryTime { push, time, stat });
        let count = |text: &str| format!("{text} == 0").parse::<Threshold>().unwrap().metric;
        assert_eq!(count("chat.failed"), Metric::OperationCount("chat".into(), OperationCount::Failed));
        assert_eq!(count("chat.lost"), Metric::DeliveryCount("chat".into(), DeliveryCount::Lost));
    }

    #[test]
    fn wrong_expressions_say_what_is_wrong() {
        for (expression, said) in [
            ("send_message.response_time.p99<250ms", "with spaces between"),
            ("send_message.respons_time.p99 < 250ms", "is not a metric"),
            ("send message.failed == 0", "with spaces between"),
            ("$.failed == 0", "is not a metric"),
            ("send_message.response_time.p99 =< 250ms", "is not a comparison"),
            ("send_message.response_time.p99 < 250", "is not a duration"),
            ("message.lost < 1%", "is not a count"),
            ("error_rate < -1%", "is not a share"),
            ("error_rate < 1", "is not a share"),
            ("message.lost < many", "is not a count"),
        ] {
            let message = expression.parse::<Threshold>().unwrap_err();
            assert!(message.contains(said), "{expression}: {message}");
        }
    }
}
