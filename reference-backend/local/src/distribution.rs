//! The distributions of a profile: log-normal delays, and rates of faults.

use std::borrow::Cow;
use std::time::Duration;

use rand::RngExt;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

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
}

impl TryFrom<RawDelay> for Delay {
    type Error = String;

    fn try_from(RawDelay { p50_ms, p99_ms }: RawDelay) -> Result<Self, String> {
        const HOUR_MS: f64 = 3_600_000.0;
        if !(0.0..=HOUR_MS).contains(&p50_ms) {
            return Err(format!("p50_ms = {p50_ms}: give milliseconds between 0 and {HOUR_MS}"));
        }
        match p99_ms {
            Some(p99) if !(p50_ms..=HOUR_MS).contains(&p99) => {
                Err(format!("p99_ms = {p99}: give milliseconds between p50_ms = {p50_ms} and {HOUR_MS}"))
            }
            _ => Ok(Self { p50_ms, p99_ms }),
        }
    }
}

impl Delay {
    /// The same duration every time.
    #[must_use]
    pub const fn constant(ms: f64) -> Self {
        Self { p50_ms: ms, p99_ms: None }
    }

    /// Draws one duration; `z` is a sample of the standard normal distribution.
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
        if self.p50_ms <= 0.0 {
            return Duration::ZERO;
        }
        self.at(rand::rng().sample(rand_distr::StandardNormal))
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
#[serde(try_from = "f64")]
pub struct Rate(f64);

impl JsonSchema for Rate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}

impl TryFrom<f64> for Rate {
    type Error = String;

    fn try_from(rate: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&rate) {
            Ok(Self(rate))
        } else {
            Err(format!("{rate} is no rate: give a number between 0 (never) and 1 (always)"))
        }
    }
}

impl Rate {
    /// Decides by a hash: always the same for the same hash.
    #[must_use]
    pub fn covers(self, hash: u64) -> bool {
        self.0 > 0.0 && hash as f64 <= self.0 * u64::MAX as f64
    }

    /// Draws one decision.
    #[must_use]
    pub fn hits(self) -> bool {
        self.0 > 0.0 && rand::random::<f64>() < self.0
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
        let delay = Delay { p50_ms: 10.0, p99_ms: Some(40.0) };
        assert_eq!(delay.at(0.0), Duration::from_millis(10));
        assert!((delay.at(2.326_347_874).as_secs_f64() - 0.040).abs() < 1e-9);
        assert_eq!(Delay::constant(3.0).at(5.0), Duration::from_millis(3));
        assert_eq!(Delay::default().sample(), Duration::ZERO);
    }
}
