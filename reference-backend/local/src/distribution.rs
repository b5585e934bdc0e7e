//! The distributions of a profile: log-normal delays, and rates of faults; either may be another one within a window of time.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rand::RngExt;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// Zero of the profile's windows: when the first of them was read.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A stretch of time since the stack's start, in which a fault is there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Window {
    /// Its first instant, in seconds.
    from_s: f64,
    /// Its end; absent: for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    until_s: Option<f64>,
}

impl Window {
    fn new(from_s: f64, until_s: Option<f64>) -> Result<Self, String> {
        LazyLock::force(&START);
        const DAY_S: f64 = 86_400.0;
        if !(0.0..=DAY_S).contains(&from_s) {
            return Err(format!("from_s = {from_s}: give seconds between 0 and {DAY_S}"));
        }
        match until_s {
            Some(until) if !(until > from_s && until <= DAY_S) => {
                Err(format!("until_s = {until}: give seconds between from_s = {from_s} and {DAY_S}"))
            }
            _ => Ok(Self { from_s, until_s }),
        }
    }

    /// Whether an instant lies in it, in seconds since the start.
    fn holds(self, at_s: f64) -> bool {
        at_s >= self.from_s && self.until_s.is_none_or(|until| at_s < until)
    }
}

/// The present instant on the axis of the windows, in seconds.
fn now_s() -> f64 {
    START.elapsed().as_secs_f64()
}

/// A random duration with a log-normal distribution, given by its median and its 99th percentile.
///
/// With z₉₉ = 2.326 (standard normal quantile of 0.99), σ = ln(p99 / p50) / z₉₉ and the sample is
/// p50 · e^(σ·Z). Without `p99`, or if it equals `p50`, it is constant. Both zero: no delay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "RawDelay")]
pub struct Delay {
    /// Median in milliseconds.
    pub p50_ms: f64,
    /// 99th percentile in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<DelayFault>,
}

/// What a delay is within a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "RawDelayFault")]
struct DelayFault {
    #[serde(flatten)]
    window: Window,
    p50_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_ms: Option<f64>,
}

/// A delay: log-normal between its median and its 99th percentile.
// A `Delay` before validation.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Delay")]
#[serde(deny_unknown_fields)]
struct RawDelay {
    /// Median in milliseconds; 0 for no delay.
    #[schemars(range(min = 0.0, max = 3_600_000.0))]
    p50_ms: f64,
    /// 99th percentile in milliseconds, at least the median; default: the median, a constant delay.
    #[schemars(range(min = 0.0, max = 3_600_000.0))]
    p99_ms: Option<f64>,
    /// Fault: what the delay is within a window of time instead.
    fault: Option<DelayFault>,
}

/// What a delay is within a window of time.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "DelayFault")]
#[serde(deny_unknown_fields)]
struct RawDelayFault {
    /// First instant, in seconds since the stack's start.
    #[schemars(range(min = 0.0, max = 86_400.0))]
    from_s: f64,
    /// End, in seconds since the stack's start; default: for good.
    #[schemars(range(min = 0.0, max = 86_400.0))]
    until_s: Option<f64>,
    /// Median in milliseconds; 0 for no delay.
    #[schemars(range(min = 0.0, max = 3_600_000.0))]
    p50_ms: f64,
    /// 99th percentile in milliseconds, at least the median; default: the median, a constant delay.
    #[schemars(range(min = 0.0, max = 3_600_000.0))]
    p99_ms: Option<f64>,
}

/// Checks the two points of a delay.
fn points(p50_ms: f64, p99_ms: Option<f64>) -> Result<(), String> {
    const HOUR_MS: f64 = 3_600_000.0;
    if !(0.0..=HOUR_MS).contains(&p50_ms) {
        return Err(format!("p50_ms = {p50_ms}: give milliseconds between 0 and {HOUR_MS}"));
    }
    match p99_ms {
        Some(p99) if !(p50_ms..=HOUR_MS).contains(&p99) => {
            Err(format!("p99_ms = {p99}: give milliseconds between p50_ms = {p50_ms} and {HOUR_MS}"))
        }
        _ => Ok(()),
    }
}

impl TryFrom<RawDelay> for Delay {
    type Error = String;

    fn try_from(RawDelay { p50_ms, p99_ms, fault }: RawDelay) -> Result<Self, String> {
        points(p50_ms, p99_ms)?;
        Ok(Self { p50_ms, p99_ms, fault })
    }
}

impl TryFrom<RawDelayFault> for DelayFault {
    type Error = String;

    fn try_from(RawDelayFault { from_s, until_s, p50_ms, p99_ms }: RawDelayFault) -> Result<Self, String> {
        points(p50_ms, p99_ms)?;
        Ok(Self { window: Window::new(from_s, until_s)?, p50_ms, p99_ms })
    }
}

impl Delay {
    /// The same duration every time.
    #[must_use]
    pub const fn constant(ms: f64) -> Self {
        Self { p50_ms: ms, p99_ms: None, fault: None }
    }

    /// Log-normal between its median and its 99th percentile, in milliseconds.
    #[must_use]
    pub const fn log_normal(p50_ms: f64, p99_ms: f64) -> Self {
        Self { p50_ms, p99_ms: Some(p99_ms), fault: None }
    }

    /// What it is at an instant, in seconds since the stack's start.
    fn during(&self, at_s: f64) -> Self {
        match self.fault.filter(|fault| fault.window.holds(at_s)) {
            Some(DelayFault { p50_ms, p99_ms, .. }) => Self { p50_ms, p99_ms, fault: None },
            None => *self,
        }
    }

    /// Draws one duration outside of the window; `z` is a sample of the standard normal distribution.
    #[must_use]
    pub fn at(&self, z: f64) -> Duration {
        const Z99: f64 = 2.326_347_874;
        if self.p50_ms <= 0.0 {
            return Duration::ZERO;
        }
        let sigma = self.p99_ms.map_or(0.0, |p99| (p99.max(self.p50_ms) / self.p50_ms).ln() / Z99);
        Duration::from_secs_f64(self.p50_ms * (sigma * z).exp() / 1_000.0)
    }

    /// Draws one duration.
    #[must_use]
    pub fn sample(&self) -> Duration {
        let now = if self.fault.is_some() { self.during(now_s()) } else { *self };
        if now.p50_ms <= 0.0 {
            return Duration::ZERO;
        }
        now.at(rand::rng().sample(rand_distr::StandardNormal))
    }

    /// Sleeps for one drawn duration; does not even yield when there is no delay.
    pub async fn wait(&self) {
        let duration = self.sample();
        if !duration.is_zero() {
            tokio::time::sleep(duration).await;
        }
    }
}

/// The probability of a fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawRate", into = "RawRate")]
pub struct Rate {
    rate: f64,
    window: Option<Window>,
}

/// The probability of a fault, between 0 (never) and 1 (always).
// A `Rate` before validation.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
enum RawRate {
    Always(#[schemars(range(min = 0, max = 1))] f64),
    Within(RateWithin),
}

/// The probability of a fault within a window of time; outside of it there is none.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RateWithin {
    /// Between 0 (never) and 1 (always).
    #[schemars(range(min = 0, max = 1))]
    rate: f64,
    /// First instant, in seconds since the stack's start.
    #[schemars(range(min = 0.0, max = 86_400.0))]
    from_s: f64,
    /// End, in seconds since the stack's start; default: for good.
    #[schemars(range(min = 0.0, max = 86_400.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    until_s: Option<f64>,
}

impl JsonSchema for Rate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        RawRate::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        RawRate::json_schema(generator)
    }
}

impl TryFrom<RawRate> for Rate {
    type Error = String;

    fn try_from(raw: RawRate) -> Result<Self, String> {
        let (rate, window) = match raw {
            RawRate::Always(rate) => (rate, None),
            RawRate::Within(RateWithin { rate, from_s, until_s }) => {
                (rate, Some(Window::new(from_s, until_s)?))
            }
        };
        if (0.0..=1.0).contains(&rate) {
            Ok(Self { rate, window })
        } else {
            Err(format!("{rate} is no rate: give a number between 0 (never) and 1 (always)"))
        }
    }
}

impl From<Rate> for RawRate {
    fn from(Rate { rate, window }: Rate) -> Self {
        match window {
            None => Self::Always(rate),
            Some(Window { from_s, until_s }) => Self::Within(RateWithin { rate, from_s, until_s }),
        }
    }
}

impl TryFrom<f64> for Rate {
    type Error = String;

    fn try_from(rate: f64) -> Result<Self, String> {
        RawRate::Always(rate).try_into()
    }
}

impl Rate {
    /// What it is at an instant, in seconds since the stack's start.
    fn during(self, at_s: f64) -> f64 {
        if self.window.is_none_or(|window| window.holds(at_s)) { self.rate } else { 0.0 }
    }

    fn now(self) -> f64 {
        if self.window.is_some() { self.during(now_s()) } else { self.rate }
    }

    /// Decides by a hash: always the same for the same hash, within its window.
    #[must_use]
    pub fn covers(self, hash: u64) -> bool {
        let rate = self.now();
        rate > 0.0 && hash as f64 <= rate * u64::MAX as f64
    }

    /// Draws one decision.
    #[must_use]
    pub fn hits(self) -> bool {
        let rate = self.now();
        rate > 0.0 && rand::random::<f64>() < rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_covers_its_share_of_hashes_and_always_the_same() {
        let rate = |rate: f64| Rate::try_from(rate).expect("a rate");
        assert!(!rate(0.0).covers(0) && rate(1.0).covers(0) && rate(1.0).covers(u64::MAX));
        assert!(rate(0.25).covers(u64::MAX / 5) && !rate(0.25).covers(u64::MAX / 3));
    }

    #[test]
    fn a_delay_meets_its_two_points() {
        let delay = Delay::log_normal(10.0, 40.0);
        assert_eq!(delay.at(0.0), Duration::from_millis(10));
        assert!((delay.at(2.326_347_874).as_secs_f64() - 0.040).abs() < 1e-9);
        assert_eq!(Delay::constant(3.0).at(5.0), Duration::from_millis(3));
        assert_eq!(Delay::default().sample(), Duration::ZERO);
    }
    #[test]
    fn a_fault_is_there_within_its_window_only() {
        let delay: Delay =
            toml::from_str("p50_ms = 5\np99_ms = 9\nfault = { from_s = 8, until_s = 12, p50_ms = 200 }")
                .expect("a delay");
        let median = |at_s: f64| delay.during(at_s).at(0.0).as_millis();
        assert_eq!([0.0, 7.99, 8.0, 11.99, 12.0].map(median), [5, 5, 200, 200, 5]);
        assert_eq!(delay.during(9.0).p99_ms, None, "the fault is a delay of its own");
        let rate: Rate = serde_json::from_str(r#"{"rate": 0.25, "from_s": 3}"#).expect("a rate");
        assert_eq!([0.0, 2.99, 3.0, 1e4].map(|at_s| rate.during(at_s)), [0.0, 0.0, 0.25, 0.25]);
        assert_eq!(serde_json::to_string(&rate).expect("JSON"), r#"{"rate":0.25,"from_s":3.0}"#);
        let begins_later: Rate = serde_json::from_str(r#"{"rate": 1, "from_s": 3600}"#).expect("a rate");
        assert!(!begins_later.hits() && !begins_later.covers(0));
        for wrong in [
            r#"{"rate": 2, "from_s": 3}"#,
            r#"{"rate": 1, "from_s": 3, "until_s": 3}"#,
            r#"{"rate": 1, "from_s": -1}"#,
        ] {
            assert!(serde_json::from_str::<Rate>(wrong).is_err(), "{wrong}");
        }
        let written = serde_json::to_string(&delay).expect("JSON");
        assert_eq!(serde_json::from_str::<Delay>(&written).expect("a delay"), delay);
    }
}
